//! How files are written: format, compression, directories.
//!
//! These change bytes, so they are settings of the corpus; how they are done is the sink's.

use serde::{Deserialize, Serialize};

/// File format of the events. Truth and entities are Parquet in every format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Parquet files.
    Parquet,
    /// One JSON object a line.
    Ndjson,
    /// Arrow IPC files.
    Arrow,
}

/// Level of zstd where none is given.
const ZSTD_LEVEL: i32 = 1;

/// Compression of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Compression {
    None,
    Snappy,
    /// LZ4_RAW in Parquet, LZ4_FRAME in Arrow.
    Lz4,
    /// With its level, 1 to 22.
    Zstd(i32),
}

/// Directories under `events/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionBy {
    /// `date=…/category=…/`
    #[serde(rename = "date,category")]
    DateCategory,
    /// `date=…/`
    #[serde(rename = "date")]
    Date,
}

impl Format {
    /// What is taken when no compression is asked for.
    pub const fn default_compression(self) -> Compression {
        match self {
            Format::Parquet => Compression::Zstd(ZSTD_LEVEL),
            // Lines are for tools that read text, Arrow files for memory maps.
            Format::Ndjson | Format::Arrow => Compression::None,
        }
    }

    /// Extension of its files, without the first dot.
    pub fn extension(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Format::Parquet, _) => "parquet",
            (Format::Ndjson, Compression::Zstd(_)) => "ndjson.zst",
            (Format::Ndjson, _) => "ndjson",
            (Format::Arrow, _) => "arrow",
        }
    }

    /// Whether a compression can be had in this format.
    ///
    /// # Errors
    /// What is wrong, and what to give instead.
    pub fn takes(self, compression: Compression) -> Result<(), (String, &'static str)> {
        match (self, compression) {
            (Format::Ndjson, Compression::Snappy | Compression::Lz4) => Err((
                format!("ndjson files can't be {compression}"),
                "give zstd or none",
            )),
            (Format::Arrow, Compression::Snappy) => Err((
                "Arrow files know no snappy".into(),
                "give zstd, lz4 or none",
            )),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Compression::None => f.write_str("none"),
            Compression::Snappy => f.write_str("snappy"),
            Compression::Lz4 => f.write_str("lz4"),
            Compression::Zstd(level) => write!(f, "zstd({level})"),
        }
    }
}

impl From<Compression> for String {
    fn from(compression: Compression) -> String {
        compression.to_string()
    }
}

impl std::str::FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let level = match text {
            "none" => return Ok(Compression::None),
            "snappy" => return Ok(Compression::Snappy),
            "lz4" => return Ok(Compression::Lz4),
            "zstd" => return Ok(Compression::Zstd(ZSTD_LEVEL)),
            _ => text
                .strip_prefix("zstd(")
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|level| level.parse().ok()),
        };
        level
            .filter(|level| (1..=22).contains(level))
            .map(Compression::Zstd)
            .ok_or_else(|| format!("'{text}' is no compression"))
    }
}

impl TryFrom<String> for Compression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressions_read_as_they_are_written() {
        for compression in [
            Compression::None,
            Compression::Snappy,
            Compression::Lz4,
            Compression::Zstd(19),
        ] {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
        for bad in ["", "gzip", "zstd(0)", "zstd(23)", "zstd(", "brotli"] {
            assert!(bad.parse::<Compression>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_format_refuses_what_it_cannot_hold() {
        for format in [Format::Parquet, Format::Ndjson, Format::Arrow] {
            assert!(format.takes(format.default_compression()).is_ok());
        }
        assert!(Format::Ndjson.takes(Compression::Snappy).is_err());
        assert!(Format::Arrow.takes(Compression::Snappy).is_err());
        assert!(Format::Arrow.takes(Compression::Lz4).is_ok());
    }
}

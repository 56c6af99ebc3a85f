//! How files are written: format, compression, directories.
//!
//! These settings change bytes, so they belong to the corpus. `sink/` implements the formats.

use serde::{Deserialize, Serialize};

/// Estimated fixed bytes of a file: footer and page headers, or dictionaries.
pub fn bytes_per_file(format: Format) -> u64 {
    match format {
        Format::Parquet => 52_000,
        Format::Arrow => 100_000,
        Format::Ndjson => 0,
    }
}

/// Estimated bytes per event, measured on corpora of the embedded profile.
pub fn bytes_per_event(format: Format, compression: Compression) -> u64 {
    match (format, compression) {
        (Format::Parquet, Compression::Zstd(_)) => 66,
        (Format::Parquet, Compression::Gzip(_)) => 70,
        (Format::Parquet, Compression::Snappy | Compression::Lz4) => 92,
        (Format::Parquet, Compression::None) => 140,
        (Format::Ndjson, Compression::Zstd(_)) => 160,
        (Format::Ndjson, Compression::Gzip(_)) => 210,
        (Format::Ndjson, _) => 2_200,
        (Format::Arrow, Compression::Zstd(_)) => 310,
        (Format::Arrow, Compression::Lz4) => 510,
        (Format::Arrow, _) => 2_700,
    }
}

/// What the settings, the directory layout and the command line need to know of a format.
struct FormatEntry {
    /// Value of `--format` and of `format` in `plan.json`.
    name: &'static str,
    /// Help text of `--format`.
    help: &'static str,
    /// Used when no compression is given.
    default_compression: Compression,
    /// The compressions that it supports, by [name](Compression::name), each with the extension of
    /// its files (without the first dot).
    extensions: &'static [(&'static str, &'static str)],
    /// Shell command that looks into the event files; `{events}` is their directory.
    query: &'static str,
}

/// Declares [`Format`] and its entries together, so that no format lacks one.
macro_rules! formats {
    ($($format:ident => $entry:expr,)*) => {
        /// File format of the events. Truth and entities are Parquet in every format.
        ///
        /// `sink/` has the code that writes each format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum Format {
            $($format,)*
        }

        impl Format {
            /// Every format, in the order of the help text.
            pub const ALL: &[Format] = &[$(Format::$format,)*];

            const fn entry(self) -> &'static FormatEntry {
                match self {
                    $(Format::$format => &$entry,)*
                }
            }
        }
    };
}

formats! {
    Parquet => FormatEntry {
        name: "parquet",
        help: "Parquet files",
        default_compression: Compression::Zstd(ZSTD_LEVEL),
        extensions: &[("zstd", PARQUET), ("snappy", PARQUET), ("lz4", PARQUET), ("none", PARQUET)],
        query: r#"duckdb -c "SELECT fusionai.category, count(*) FROM read_parquet('{events}/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY 2 DESC""#,
    },
    Ndjson => FormatEntry {
        name: "ndjson",
        help: "One JSON object a line",
        // Tools that read text expect plain files.
        default_compression: Compression::None,
        extensions: &[("zstd", "ndjson.zst"), ("gzip", "ndjson.gz"), ("none", "ndjson")],
        // Without `columns` DuckDB makes one struct of all keys, and fails on keys that differ
        // only in case.
        query: r#"duckdb -c "SELECT fusionai.category, count(*) FROM read_json('{events}/**/*.ndjson*', columns = {fusionai: 'STRUCT(category VARCHAR)'}) GROUP BY ALL ORDER BY 2 DESC""#,
    },
    Arrow => FormatEntry {
        name: "arrow",
        help: "Arrow IPC files",
        // A compressed file cannot be memory-mapped.
        default_compression: Compression::None,
        extensions: &[("zstd", "arrow"), ("lz4", "arrow"), ("none", "arrow")],
        // DuckDB does not read Arrow IPC files without an extension.
        query: r#"python3 -c "import pyarrow.dataset as d; print(d.dataset('{events}', format='arrow', partitioning='hive').count_rows())""#,
    },
}

/// Extension of Parquet files.
const PARQUET: &str = "parquet";

/// The zstd level that is used when none is given.
const ZSTD_LEVEL: i32 = 1;

/// The gzip level that is used when none is given; gzip's own default.
const GZIP_LEVEL: u32 = 6;

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
    /// With its level, 1 to 9.
    Gzip(u32),
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

/// What makes the event files a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    #[default]
    None,
    Delta,
    Iceberg,
}

impl Table {
    /// Every value, in the order of the help text.
    pub const ALL: &[Table] = &[Table::None, Table::Delta, Table::Iceberg];

    /// Value of `--table`, and its help text.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Table::None => ("none", "Files only"),
            Table::Delta => ("delta", "A Delta Lake log, `events/_delta_log/`"),
            Table::Iceberg => ("iceberg", "Iceberg v2 metadata, `events/metadata/`"),
        }
    }

    /// Directory of its files, relative to `events/`.
    pub const fn directory(self) -> Option<&'static str> {
        match self {
            Table::None => None,
            Table::Delta => Some("_delta_log"),
            Table::Iceberg => Some("metadata"),
        }
    }

    /// Whether its files name the event files by absolute location, so that the corpus cannot be
    /// moved without writing them again.
    pub const fn is_absolute(self) -> bool {
        matches!(self, Table::Iceberg)
    }
}

impl Format {
    /// Value of `--format`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// What it writes, for help texts.
    pub fn help(self) -> &'static str {
        self.entry().help
    }

    /// The compression that is used when none is given.
    pub const fn default_compression(self) -> Compression {
        self.entry().default_compression
    }

    /// Names of the compressions that it supports.
    pub fn compressions(self) -> impl Iterator<Item = &'static str> {
        self.entry().extensions.iter().map(|(name, _)| *name)
    }

    /// File name extension, without the first dot.
    pub fn extension(self, compression: Compression) -> &'static str {
        let extensions = self.entry().extensions;
        let own = extensions
            .iter()
            .find(|(name, _)| *name == compression.name());
        own.unwrap_or(&extensions[0]).1
    }

    /// Whether some format has files of this extension, given without the first dot.
    pub fn is_extension(extension: &str) -> bool {
        let mut all = Format::ALL
            .iter()
            .flat_map(|format| format.entry().extensions);
        all.any(|(_, known)| *known == extension)
    }

    /// Whether its files are Parquet, which `report` and `queries` read.
    pub fn is_parquet(self) -> bool {
        self.entry()
            .extensions
            .iter()
            .all(|(_, known)| *known == PARQUET)
    }

    /// Shell command that looks into the event files in the directory `events`.
    pub fn query(self, events: &str) -> String {
        self.entry().query.replace("{events}", events)
    }

    /// Checks that the format supports a compression.
    ///
    /// # Errors
    /// The problem, and what to use instead.
    pub fn takes(self, compression: Compression) -> Result<(), (String, String)> {
        let names: Vec<&str> = self.compressions().collect();
        if names.contains(&compression.name()) {
            return Ok(());
        }
        let (name, wanted) = (self.name(), compression.name());
        let (last, others) = names.split_last().unwrap_or((&"none", &[]));
        let remedy = match others {
            [] => format!("use {last}"),
            _ => format!("use {} or {last}", others.join(", ")),
        };
        Err((
            format!("{name} files cannot be compressed with {wanted}"),
            remedy,
        ))
    }
}

impl From<Format> for &'static str {
    fn from(format: Format) -> &'static str {
        format.name()
    }
}

impl TryFrom<String> for Format {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = Format::ALL.iter().find(|format| format.name() == text);
        known.copied().ok_or_else(|| {
            let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            format!(
                "unknown format '{text}'; the formats are {}",
                names.join(", ")
            )
        })
    }
}

impl Compression {
    /// Its name without a level.
    pub const fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd(_) => "zstd",
            Compression::Gzip(_) => "gzip",
        }
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Compression::Zstd(level) => write!(f, "zstd({level})"),
            Compression::Gzip(level) => write!(f, "gzip({level})"),
            other => f.write_str(other.name()),
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
        let (name, level) = match text.strip_suffix(')').and_then(|it| it.split_once('(')) {
            Some((name, level)) => (name, level.trim().parse().ok().filter(|level| *level > 0)),
            None => (text, Some(0)),
        };
        match (name, level) {
            ("none", Some(0)) => Ok(Compression::None),
            ("snappy", Some(0)) => Ok(Compression::Snappy),
            ("lz4", Some(0)) => Ok(Compression::Lz4),
            ("zstd", Some(0)) => Ok(Compression::Zstd(ZSTD_LEVEL)),
            ("zstd", Some(level @ 1..=22)) => Ok(Compression::Zstd(level)),
            ("gzip", Some(0)) => Ok(Compression::Gzip(GZIP_LEVEL)),
            ("gzip", Some(level @ 1..=9)) => Ok(Compression::Gzip(level as u32)),
            _ => Err(format!("unsupported compression '{text}'")),
        }
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
            Compression::Gzip(9),
        ] {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
        for bad in [
            "", "gzip(0)", "gzip(10)", "none(1)", "zstd(0)", "zstd(23)", "zstd(", "brotli",
        ] {
            assert!(bad.parse::<Compression>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_format_refuses_unsupported_compressions() {
        for &format in Format::ALL {
            assert!(format.takes(format.default_compression()).is_ok());
            for name in format.compressions() {
                let compression: Compression = name.parse().unwrap();
                assert!(format.takes(compression).is_ok(), "{format:?} {name}");
                assert!(Format::is_extension(format.extension(compression)));
            }
        }
        let (problem, remedy) = Format::Ndjson.takes(Compression::Lz4).unwrap_err();
        assert_eq!(problem, "ndjson files cannot be compressed with lz4");
        assert_eq!(remedy, "use zstd, gzip or none");
        let (_, remedy) = Format::Arrow.takes(Compression::Snappy).unwrap_err();
        assert_eq!(remedy, "use zstd, lz4 or none");
        assert!(!Format::is_extension("csv"));
    }

    #[test]
    fn names_of_formats_are_read_back() {
        for &format in Format::ALL {
            let text = serde_json::to_string(&format).unwrap();
            assert_eq!(text, format!("\"{}\"", format.name()));
            assert_eq!(serde_json::from_str::<Format>(&text).unwrap(), format);
        }
        let unknown = serde_json::from_str::<Format>("\"csv\"").unwrap_err();
        let expected = "unknown format 'csv'; the formats are parquet, ndjson, arrow";
        assert_eq!(unknown.to_string(), expected);
        assert!(Format::Parquet.is_parquet() && !Format::Ndjson.is_parquet());
    }
}

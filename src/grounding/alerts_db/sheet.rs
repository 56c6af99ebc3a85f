//! Rows of alerts, independent of the file format.
//!
//! SQLite, JSON lines, CSV and Parquet all become named columns of [`Value`]s. They can be read from
//! the first row to the last any number of times, with bounded memory. [`super::columns`] decides
//! what a column means.

mod compressed;
mod csv;
mod json;
mod parquet;
#[cfg(feature = "alerts-db")]
mod sqlite;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::columns::Layout;
use super::value::Value;
use crate::error::{Error, Result};

/// The flag that names the file.
pub(super) const FLAG: &str = "--alerts-db";

/// Called with the wanted cells of a row; returns `false` to stop reading.
pub(super) type Each<'e> = &'e mut dyn FnMut(&[Value<'_>]) -> bool;

/// A table of alerts.
pub(super) struct Sheet {
    pub path: PathBuf,
    /// The table's name, or the file's.
    pub name: String,
    /// The source of the rows, for messages: `table alerts`, `alerts.csv`.
    pub place: String,
    pub columns: Vec<String>,
    pub layout: Layout,
    origin: SheetFormat,
}

enum SheetFormat {
    #[cfg(feature = "alerts-db")]
    Sqlite(rusqlite::Connection),
    Csv {
        separator: u8,
    },
    /// JSON lines: Suricata's records, or objects of any tool.
    Json {
        eve: bool,
    },
    Parquet,
}

impl Sheet {
    /// Finds the rows in a file by its content, not by its name.
    ///
    /// # Errors
    /// There is no such file, it is empty or damaged, or it has no table of alerts.
    pub(super) fn open(path: &Path) -> Result<Sheet> {
        super::super::require_file(path, FLAG)?;
        let mut start = [0; 4096];
        let length = File::open(path)
            .and_then(|file| read_up_to(file, &mut start))
            .map_err(|source| Error::io(path, "read", source))?;
        let start = start.get(..length).unwrap_or_default();
        if start.is_empty() {
            return Err(empty(path));
        }
        if start.starts_with(b"SQLite format 3\0") {
            #[cfg(feature = "alerts-db")]
            return sqlite::open(path, start);
            #[cfg(not(feature = "alerts-db"))]
            return Err(Error::input(
                path,
                None,
                "is an SQLite database, which this build cannot read",
                "build with the feature alerts-db, or export the alerts as CSV",
            ));
        }
        if start.starts_with(b"PAR1") {
            return parquet::open(path);
        }
        let text = compressed::first_text(path)?;
        match text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .chars()
            .next()
        {
            None => Err(empty(path)),
            Some('{') => json::open(path),
            Some('[') => Err(Error::input(
                path,
                None,
                "is one JSON array, not JSON lines",
                "write a line for each alert: jq -c '.[]' FILE",
            )),
            Some(_) if text.contains('\0') => Err(Error::input(
                path,
                None,
                "is neither SQLite, Parquet, JSON lines nor CSV",
                format!("give {FLAG} a file of alerts in one of these formats"),
            )),
            Some(_) => csv::open(path),
        }
    }

    fn of_file(path: &Path, columns: Vec<String>, layout: Layout, origin: SheetFormat) -> Sheet {
        let name = path.file_name().map_or_else(
            || "alerts".to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        Sheet {
            path: path.to_path_buf(),
            place: name.clone(),
            name,
            columns,
            layout,
            origin,
        }
    }

    /// Reads the wanted columns (ascending positions) of all rows, in order.
    ///
    /// # Errors
    /// The file cannot be read to its end.
    pub(super) fn visit(&self, wanted: &[usize], each: Each<'_>) -> Result<()> {
        match &self.origin {
            #[cfg(feature = "alerts-db")]
            SheetFormat::Sqlite(connection) => sqlite::visit(self, connection, wanted, each),
            SheetFormat::Csv { separator } => csv::visit(self, *separator, wanted, each),
            SheetFormat::Json { eve: true } => json::visit_records(self, each),
            SheetFormat::Json { eve: false } => json::visit_objects(self, wanted, each),
            SheetFormat::Parquet => parquet::visit(self, wanted, each),
        }
    }

    /// The names that the columns have, for a message.
    pub(super) fn lacks_a_signature(&self) -> Error {
        Error::input(
            &self.path,
            Some(self.place.clone()),
            format!(
                "no column has the signature; the columns are {}",
                super::super::shown_list(&self.columns)
            ),
            match self.origin {
                #[cfg(feature = "alerts-db")]
                SheetFormat::Sqlite(_) => {
                    "name the column with the rule's name `signature`, or make a view `alerts` that does"
                }
                _ => "name the column with the rule's name `signature`",
            },
        )
    }
}

fn empty(path: &Path) -> Error {
    Error::input(
        path,
        None,
        "the file is empty",
        format!(
            "give {FLAG} an SQLite database, JSON lines such as eve.json, or a CSV or Parquet file of alerts"
        ),
    )
}

fn read_up_to(mut file: impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) {
        match file.read(free)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

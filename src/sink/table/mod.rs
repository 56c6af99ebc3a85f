//! Tables over the event files: the metadata of Delta Lake and of Iceberg.
//!
//! The metadata is written here, not by the `delta_kernel` and `iceberg` crates: both give tables,
//! transactions and files random ids, and times of the clock, and the Iceberg crate links another
//! version of Arrow. Ids here follow from the fingerprint, and times from the events, so the same
//! settings give the same bytes.
//!
//! The data files do not hold the partition columns. Delta's log and Iceberg's manifests have their
//! values, by which readers skip files, as they do by the statistics of the other columns.

mod delta;
mod iceberg;
mod listing;
mod statistics;

use arrow_schema::{DataType, Field};
use rayon::prelude::*;

use super::format::{CommitFile, CompleteCorpus, CompleteFile};
use crate::error::Result;
use crate::plan::Table;

pub use listing::{ListedFile, read};

/// The files of the table that the settings name; none if they name none.
///
/// # Errors
/// An event file cannot be read back.
pub fn commit(corpus: &CompleteCorpus<'_>) -> Result<Vec<CommitFile>> {
    match corpus.config.table {
        Table::None => Ok(Vec::new()),
        Table::Delta => delta::commit(corpus),
        Table::Iceberg => iceberg::commit(corpus),
    }
}

/// Partition columns of a table, which follow the schema's columns.
fn partition_fields(corpus: &CompleteCorpus<'_>) -> Vec<Field> {
    let has_category = corpus.files.iter().any(|file| file.category.is_some());
    let date = Field::new("date", DataType::Date32, true);
    let category = Field::new("category", DataType::Utf8, true);
    match has_category {
        true => vec![date, category],
        false => vec![date],
    }
}

/// Number of files whose metadata is made at a time, for memory.
const WINDOW: usize = 256;

/// Calls `each` with what `make` returns for every file, in order. Files are read in parallel.
fn for_each_file<T: Send>(
    corpus: &CompleteCorpus<'_>,
    make: impl Fn(&CompleteFile<'_>) -> Result<T> + Sync,
    mut each: impl FnMut(&CompleteFile<'_>, T) -> Result<()>,
) -> Result<()> {
    for files in corpus.files.chunks(WINDOW) {
        let made: Vec<T> = files.par_iter().map(&make).collect::<Result<_>>()?;
        for (file, made) in files.iter().zip(made) {
            each(file, made)?;
        }
    }
    Ok(())
}

/// Time of the corpus's last event, Unix milliseconds: the time of the table's only commit.
fn committed_at(corpus: &CompleteCorpus<'_>) -> i64 {
    let last = corpus
        .files
        .iter()
        .filter_map(|file| file.times)
        .map(|t| t.1);
    milliseconds(last.max().unwrap_or_default())
}

fn milliseconds(micros: i64) -> i64 {
    micros.div_euclid(1000)
}

/// The table's UUID, of version 8: the corpus's fingerprint.
fn uuid(fingerprint: &str) -> String {
    let digits: String = fingerprint.chars().take(32).collect();
    let bits = u128::from_str_radix(&digits, 16).unwrap_or_default();
    let bits = bits & !(0xf << 76) | 8 << 76;
    let bits = bits & !(0b11 << 62) | 0b10 << 62;
    let text = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &text[part]);
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let made = uuid("ffffffffffffffffffffffffffffffff");
        assert_eq!(made, "ffffffff-ffff-8fff-bfff-ffffffffffff");
        let made = uuid("00112233445566778899aabbccddeeff");
        assert_eq!(made, "00112233-4455-8677-8899-aabbccddeeff");
    }

    #[test]
    fn times_before_1970_are_rounded_down() {
        assert_eq!(milliseconds(-1), -1);
        assert_eq!(milliseconds(1_999), 1);
    }
}

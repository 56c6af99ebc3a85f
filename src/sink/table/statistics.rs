//! What the footers of event files say about their columns.
//!
//! A footer is read back when the corpus is committed. So files of an earlier run and files of this
//! one give the same statistics, and no journal needs to hold them.

use std::collections::HashMap;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use crate::error::{Error, Result, encoding_failed};
use crate::schema::{Kind, Schema};
use crate::sink::format::{CompleteCorpus, CompleteFile};

/// Statistics in a table's metadata, over all files. With all leaves a file takes about 13 kB of a
/// Delta log, and readers load the whole log; so the more files, the fewer leaves have statistics.
/// With the fewest, it takes 1.3 kB.
const MOST: usize = 500_000;
/// Leaves that have statistics in any table. They come first in the schema: the time, what happened,
/// and the ends of the flow.
const FEWEST: usize = 16;
/// Bytes of a file's end that are read at first. Most footers are shorter.
const FOOTER: u64 = 64 << 10;

/// The leaves of a schema that have statistics in a table's metadata: its first ones, as many as
/// the number of files allows. Lists have none.
pub struct Tracked<'s> {
    /// Index of the leaf in the schema, by path.
    by_path: HashMap<&'s str, usize>,
    /// Number of leaves up to the last one that has statistics, lists included.
    pub leaves: usize,
    /// Whether this is every leaf.
    pub is_every: bool,
}

impl<'s> Tracked<'s> {
    pub fn new(schema: &'s Schema, files: usize) -> Self {
        let all = schema.leaves.len();
        let leaves = (MOST / files.max(1)).clamp(FEWEST.min(all), all);
        let has_statistics = |kind| !matches!(kind, Kind::Texts | Kind::OwnTexts | Kind::Answers);
        let first = schema.leaves.iter().take(leaves).enumerate();
        Tracked {
            by_path: first
                .filter(|(_, leaf)| has_statistics(leaf.kind))
                .map(|(index, leaf)| (leaf.path, index))
                .collect(),
            leaves,
            is_every: leaves == all,
        }
    }
}

/// A smallest or largest value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    Boolean(bool),
    /// Times too, in microseconds.
    Integer(i64),
    /// A long text is cut, and the last character of a cut maximum raised.
    Text(String),
}

/// Statistics of a leaf in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafStatistics {
    /// Index in the schema.
    pub leaf: usize,
    pub nulls: u64,
    /// None if every value is null.
    pub bounds: Option<(Bound, Bound)>,
}

/// What a footer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatistics {
    /// In the schema's order.
    pub leaves: Vec<LeafStatistics>,
    /// Where row groups begin.
    pub offsets: Vec<i64>,
}

/// Reads the footer of an event file.
///
/// # Errors
/// I/O, or the file is not the one that was written.
pub fn read(
    corpus: &CompleteCorpus<'_>,
    tracked: &Tracked<'_>,
    file: &CompleteFile<'_>,
) -> Result<FileStatistics> {
    let path = corpus.root.join("events").join(file.path);
    let footer = footer(corpus, file)?.map_err(|e| encoding_failed(&path, e))?;
    if u64::try_from(footer.file_metadata().num_rows()) != Ok(file.rows) {
        return Err(Error::Defect { path });
    }
    let groups = footer.row_groups();
    let Some(first) = groups.first() else {
        return Err(Error::Defect { path });
    };
    let columns = first.columns().iter().enumerate();
    let leaves = columns.filter_map(|(column, chunk)| {
        let path = chunk.column_path().string();
        let leaf = *tracked.by_path.get(path.as_str())?;
        merged(groups, column, leaf)
    });
    Ok(FileStatistics {
        leaves: leaves.collect(),
        offsets: groups.iter().map(begin).collect(),
    })
}

fn footer(
    corpus: &CompleteCorpus<'_>,
    file: &CompleteFile<'_>,
) -> Result<std::result::Result<ParquetMetaData, ParquetError>> {
    let mut reader = ParquetMetaDataReader::new();
    let mut end: Bytes = (corpus.tail)(file, FOOTER)?;
    let mut parsed = reader.try_parse_sized(&end, file.bytes);
    if let Err(ParquetError::NeedMoreData(needed)) = parsed {
        end = (corpus.tail)(file, needed as u64)?;
        parsed = reader.try_parse_sized(&end, file.bytes);
    }
    Ok(parsed.and_then(|()| reader.finish()))
}

/// The byte at which a row group begins.
fn begin(group: &RowGroupMetaData) -> i64 {
    let first = group.columns().first();
    first.map_or(0, |chunk| {
        let dictionary = chunk.dictionary_page_offset();
        dictionary.unwrap_or_else(|| chunk.data_page_offset())
    })
}

/// Statistics of a column over the row groups; none if one of them has none.
fn merged(groups: &[RowGroupMetaData], column: usize, leaf: usize) -> Option<LeafStatistics> {
    let mut all = LeafStatistics {
        leaf,
        nulls: 0,
        bounds: None,
    };
    for group in groups {
        let chunk = group.column(column);
        let statistics = chunk.statistics()?;
        let nulls = statistics.null_count_opt()?;
        all.nulls += nulls;
        if u64::try_from(chunk.num_values()) == Ok(nulls) {
            continue;
        }
        let (from, to) = bounds(statistics)?;
        all.bounds = Some(match all.bounds {
            Some((least, most)) => (least.min(from), most.max(to)),
            None => (from, to),
        });
    }
    Some(all)
}

fn bounds(statistics: &Statistics) -> Option<(Bound, Bound)> {
    let text = |bytes: &[u8]| Some(Bound::Text(std::str::from_utf8(bytes).ok()?.to_string()));
    Some(match statistics {
        Statistics::Boolean(values) => (
            Bound::Boolean(*values.min_opt()?),
            Bound::Boolean(*values.max_opt()?),
        ),
        Statistics::Int64(values) => (
            Bound::Integer(*values.min_opt()?),
            Bound::Integer(*values.max_opt()?),
        ),
        Statistics::ByteArray(values) => (
            text(values.min_opt()?.data())?,
            text(values.max_opt()?.data())?,
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_have_statistics_of_fewer_leaves() {
        let schema = Schema::fusionai();
        let all = schema.leaves.len();
        assert!(Tracked::new(&schema, 1).is_every);
        assert!(Tracked::new(&schema, 1_000).is_every);
        let some = Tracked::new(&schema, 10_000);
        assert_eq!((some.leaves, some.is_every), (50, false));
        let few = Tracked::new(&schema, 10_000_000);
        assert_eq!(few.leaves, FEWEST);
        for path in ["@timestamp", "event.code", "source.ip"] {
            assert!(few.by_path.contains_key(path), "{path}");
        }
        let every = Tracked::new(&schema, 1).by_path;
        assert!(every.contains_key("winlog.event_id") && every.len() < all);
        assert!(!every.contains_key("host.ip"), "a list has statistics");
    }
}

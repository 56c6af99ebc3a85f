//! The parts of a plan that Python sees: partitions, files, and groups of files for tasks.

use fusiongen::corpus::PlanFile;
use pyo3::prelude::*;

/// The events of one date and category.
#[pyclass(frozen, get_all, module = "fusiongen")]
pub struct Partition {
    pub date: String,
    pub category: String,
    pub rows: u64,
}

#[pymethods]
impl Partition {
    #[new]
    fn new(date: String, category: String, rows: u64) -> Self {
        Partition {
            date,
            category,
            rows,
        }
    }

    /// The arguments that make it again from a pickle.
    fn __getnewargs__(&self) -> (&str, &str, u64) {
        (&self.date, &self.category, self.rows)
    }

    fn __repr__(&self) -> String {
        let Partition {
            date,
            category,
            rows,
        } = self;
        format!("<fusiongen.Partition: {date}, {category}, {rows} rows>")
    }
}

/// A file of a corpus: of events, of truth, of entities, or the profile.
#[pyclass(frozen, get_all, module = "fusiongen")]
#[derive(Clone)]
pub struct Shard {
    /// Its place in `Plan.shards`.
    index: usize,
    /// Relative to the corpus.
    path: String,
    /// `events`, `truth`, `entities` or `profile`.
    kind: String,
    /// Events in it; 0 for other kinds.
    rows: u64,
    /// Estimated size as zstd Parquet; 0 for other kinds.
    bytes: u64,
}

/// The value of a partition key in a path: `2024-08-12` of `events/date=2024-08-12/…`.
fn key_of<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let mut directories = path.split('/');
    directories.find_map(|name| name.strip_prefix(key)?.strip_prefix('='))
}

#[pymethods]
impl Shard {
    #[new]
    fn new(index: usize, path: String, kind: String, rows: u64, bytes: u64) -> Self {
        Shard {
            index,
            path,
            kind,
            rows,
            bytes,
        }
    }

    /// The date of its directory; None for entities and the profile.
    #[getter]
    fn date(&self) -> Option<&str> {
        key_of(&self.path, "date")
    }

    /// The category of its directory; None if it has none.
    #[getter]
    fn category(&self) -> Option<&str> {
        key_of(&self.path, "category")
    }

    /// The arguments that make it again from a pickle.
    fn __getnewargs__(&self) -> (usize, &str, &str, u64, u64) {
        (self.index, &self.path, &self.kind, self.rows, self.bytes)
    }

    fn __index__(&self) -> usize {
        self.index
    }

    fn __repr__(&self) -> String {
        let Shard {
            index, path, rows, ..
        } = self;
        format!("<fusiongen.Shard {index}: {path}, {rows} rows>")
    }
}

/// All files of a corpus: events first, then truth, entities and the profile.
pub fn shards(file: &PlanFile) -> Vec<Shard> {
    let events = file.shards.iter().map(|shard| {
        let bytes = file.config.estimated_bytes(shard.rows);
        (&shard.path, "events", shard.rows, bytes)
    });
    let tables = file.tables.iter().map(|path| {
        let kind = match path.split_once('/') {
            Some((directory, _)) => directory,
            None => "profile",
        };
        (path, kind, 0, 0)
    });
    let shards = events.chain(tables).enumerate();
    let shard = |(index, (path, kind, rows, bytes)): (usize, (&String, &str, u64, u64))| Shard {
        index,
        path: path.clone(),
        kind: kind.into(),
        rows,
        bytes,
    };
    shards.map(shard).collect()
}

/// Number of tasks that a corpus is divided into, if they have [`TASK_ROWS`] or more.
const TASKS: u64 = 256;
/// A task of fewer rows takes less time than a scheduler needs to start it.
const TASK_ROWS: u64 = 64 * 1024;

/// Groups of files for tasks of about `rows` rows; the files of a group are of one date. Truth
/// comes first, because its longest file takes longer than a file of events.
pub fn tasks(file: &PlanFile, rows: Option<u64>) -> Vec<Vec<Shard>> {
    let config = &file.config;
    let rows = rows.unwrap_or_else(|| {
        let share = file.composition.events / TASKS;
        share.min(config.shard_rows).max(TASK_ROWS)
    });
    let mut shards = shards(file);
    let mut tables = shards.split_off(file.shards.len());
    let files_of = |table: &str| {
        let of_table = tables.iter().filter(|shard| shard.path.starts_with(table));
        of_table.count().max(1) as u64
    };
    let chain_events = file.composition.chain_events;
    // A file of lookalikes has no more events behind it than a file of verdicts. Each of these events
    // takes a twelfth of the time that it takes in a file of events.
    let behind_events = file.composition.events / files_of("truth/verdicts/") / 12;
    let costs = [
        ("truth/steps/", chain_events / files_of("truth/steps/")),
        ("truth/lookalikes/", behind_events),
        ("truth/verdicts/", behind_events),
    ];
    // In events that take as long.
    let cost = |shard: &Shard| {
        let of_table = costs
            .iter()
            .find(|(table, _)| shard.path.starts_with(*table));
        of_table.map_or(shard.rows, |(_, cost)| *cost)
    };
    // By date; the order of files within a date stays.
    tables.sort_by(|a, b| a.date().cmp(&b.date()));
    let mut groups: Vec<(u64, Vec<Shard>)> = Vec::new();
    for shard in tables.into_iter().chain(shards) {
        let more = cost(&shard);
        match groups.last_mut() {
            Some((sum, group))
                if group.first().is_some_and(|first| {
                    first.date() == shard.date()
                        && (first.kind == "events") == (shard.kind == "events")
                }) && *sum + more <= rows =>
            {
                *sum += more;
                group.push(shard);
            }
            _ => groups.push((more, vec![shard])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

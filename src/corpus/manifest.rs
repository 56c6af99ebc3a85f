//! `plan.json` and `manifest.json`.
//!
//! `plan.json` is written before the first row and lists every file that will be written. The
//! manifest lists every file that was written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::layout::{Corpus, Size};
use crate::error::{Error, Result};
use crate::plan::fingerprint::{CREATED_BY, FORMAT_VERSION};
use crate::plan::{Composition, Config, Inputs, Plan, Shard};
use crate::world::World;

/// `plan.json`: settings, counts and files of a corpus, before the first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    pub fingerprint: String,
    pub format_version: u32,
    pub created_by: String,
    pub config: Config,
    #[serde(default)]
    pub inputs: Inputs,
    pub composition: Composition,
    pub hosts: u64,
    pub users: u64,
    pub partitions: Vec<PlannedPartition>,
    pub shards: Vec<PlannedShard>,
    /// Truth, entities and the profile, relative to the root.
    pub tables: Vec<String>,
}

/// A partition of the plan; its index is the high part of `event.sequence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPartition {
    pub index: u32,
    pub date: String,
    pub category: String,
    pub rows: u64,
}

/// A file of events; times are Unix microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedShard {
    pub path: String,
    pub rows: u64,
    pub row_groups: usize,
    pub from: i64,
    pub to: i64,
}

fn planned(plan: &Plan, world: &World, shard: &Shard) -> PlannedShard {
    let groups = &plan.row_groups[shard.row_groups.clone()];
    PlannedShard {
        path: Corpus::shard(plan, world, shard),
        rows: shard.rows,
        row_groups: shard.row_groups.len(),
        from: groups.first().map_or(0, |g| g.from),
        to: groups.last().map_or(0, |g| g.to),
    }
}

impl PlanFile {
    /// `plan.json` of a plan.
    pub fn new(plan: &Plan, world: &World) -> Self {
        let partitions = plan.partitions.iter().map(|p| PlannedPartition {
            index: p.index,
            date: plan.config.date(p.date).to_string(),
            category: world.detections.categories[p.category as usize].clone(),
            rows: p.rows,
        });
        let truth = plan.truth.iter().map(|shard| Corpus::truth(plan, shard));
        let entities = Corpus::ENTITIES.iter().map(|path| path.to_string());
        let profile = std::iter::once(Corpus::PROFILE.to_string());
        PlanFile {
            fingerprint: plan.fingerprint.clone(),
            format_version: FORMAT_VERSION,
            created_by: CREATED_BY.into(),
            config: plan.config.clone(),
            inputs: plan.inputs.clone(),
            composition: plan.composition,
            hosts: world.hosts.len() as u64,
            users: u64::from(world.accounts.user_count()),
            partitions: partitions.collect(),
            shards: plan
                .shards
                .iter()
                .map(|s| planned(plan, world, s))
                .collect(),
            tables: truth.chain(entities).chain(profile).collect(),
        }
    }

    /// Reads the `plan.json` of a corpus.
    ///
    /// # Errors
    /// The file is missing, or this version cannot read it.
    pub fn read(corpus: &Corpus) -> Result<Self> {
        let path = corpus.plan();
        let text = corpus.read(Corpus::PLAN).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::input(
                &path,
                None,
                "there is no such file",
                "name the directory of a corpus that fusiongen wrote",
            ),
            _ => Error::io(&path, "read", e),
        })?;
        serde_json::from_slice(&text).map_err(|e| {
            Error::input(
                &path,
                format!("line {}", e.line()),
                format!("this version ({CREATED_BY}) cannot read it: {e}"),
                "use the version that wrote the corpus",
            )
        })
    }

    /// Every data file in order: events, truth, entities, the profile.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let shards = self.shards.iter().map(|s| s.path.as_str());
        shards.chain(self.tables.iter().map(String::as_str))
    }
}

/// The part of a `plan.json` that identifies its corpus; any version can be read.
#[derive(Debug, Deserialize)]
pub struct Identity {
    pub fingerprint: String,
    pub created_by: String,
    /// Everything else.
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl Identity {
    /// The first setting or input in which the existing corpus differs from the requested one.
    pub fn difference(&self, here: &PlanFile) -> String {
        let here = serde_json::to_value(here).unwrap_or_default();
        for part in ["config", "inputs"] {
            let there = self.other.get(part).unwrap_or(&Value::Null);
            if let Some((name, there, here)) = differing(there, &here[part]) {
                return match part {
                    "inputs" => format!("the contents of {name} differ"),
                    _ => format!("{name} is {there} there and {here} here"),
                };
            }
        }
        let version = |value: Option<&Value>| value.map_or("none".into(), Value::to_string);
        format!(
            "its format version is {}, this program's {FORMAT_VERSION}",
            version(self.other.get("format_version"))
        )
    }
}

/// The first leaf in which two JSON values differ: its path and both values.
fn differing(there: &Value, here: &Value) -> Option<(String, Value, Value)> {
    let (Value::Object(these), Value::Object(those)) = (here, there) else {
        return (there != here).then(|| (String::new(), there.clone(), here.clone()));
    };
    let keys = these.keys().chain(those.keys());
    let mut found = keys.filter_map(|key| {
        let value = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
        let (inner, there, here) = differing(&value(those), &value(these))?;
        let path = match inner.is_empty() {
            true => key.clone(),
            false => format!("{key}.{inner}"),
        };
        Some((path, there, here))
    });
    found.next()
}

/// A file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the root, with `/`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub blake3: String,
    /// Times of the first and last row, Unix microseconds; events only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<i64>,
}

/// Shares of the events.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    pub attack_chain_ratio: f64,
    pub noise_ratio: f64,
}

/// `manifest.json`: counts and files of a complete corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub fingerprint: String,
    pub format_version: u32,
    pub created_by: String,
    pub events: u64,
    pub composition: Composition,
    pub asked: Ratios,
    pub actual: Ratios,
    pub chains_per_host_day: f64,
    /// `plan.json` first, then the plan's order.
    pub files: Vec<FileEntry>,
    /// Files that the format added to make the event files a table; most formats add none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub commit: Vec<FileEntry>,
    /// Where the corpus was when these files were written, if they say so: URI of `events/`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
}

impl Manifest {
    /// The files with events.
    pub fn event_files(&self) -> impl Iterator<Item = &FileEntry> {
        (self.files.iter()).filter(|file| file.path.starts_with("events/"))
    }

    /// Reads the manifest.
    ///
    /// # Errors
    /// The file is missing or not a manifest.
    pub fn read(corpus: &Corpus) -> Result<Self> {
        let path = corpus.manifest();
        let text = corpus.read(Corpus::MANIFEST);
        Manifest::parse(corpus, &text.map_err(|e| Error::io(&path, "read", e))?)
    }

    fn parse(corpus: &Corpus, text: &[u8]) -> Result<Self> {
        let path = corpus.manifest();
        serde_json::from_slice(text).map_err(|e| {
            Error::input(
                &path,
                format!("line {}", e.line()),
                format!("this is not a manifest of {CREATED_BY}: {e}"),
                "use the version that wrote the corpus",
            )
        })
    }

    /// The manifest of a complete corpus, from the entries of its files and of its commit.
    pub fn new(
        plan: &PlanFile,
        files: Vec<FileEntry>,
        commit: Vec<FileEntry>,
        location: Option<String>,
    ) -> Self {
        let c = plan.composition;
        let (chain, noise) = plan.config.ratios(&mut Vec::new());
        let share = |events: u64| events as f64 / c.events as f64;
        Manifest {
            fingerprint: plan.fingerprint.clone(),
            format_version: plan.format_version,
            created_by: plan.created_by.clone(),
            events: c.events,
            composition: c,
            asked: Ratios {
                attack_chain_ratio: chain as f64 / 1e6,
                noise_ratio: noise as f64 / 1e6,
            },
            actual: Ratios {
                attack_chain_ratio: share(c.chain_events),
                noise_ratio: share(c.noise),
            },
            chains_per_host_day: c.chains as f64
                / (plan.hosts as f64 * f64::from(plan.config.days)),
            files,
            commit,
            location,
        }
    }
}

/// Plan and manifest of a complete Parquet corpus; `reader` is the command that reads it.
///
/// # Errors
/// As [`finished`], or the events are not Parquet.
pub fn finished_parquet(corpus: &Corpus, reader: &str) -> Result<(PlanFile, Manifest)> {
    let (plan, manifest) = finished(corpus)?;
    match plan.config.format.is_parquet() {
        true => Ok((plan, manifest)),
        false => Err(Error::input(
            &corpus.root,
            None,
            format!("the events are not Parquet, and {reader} reads no other format"),
            "generate the same corpus with --format parquet; the events are the same",
        )),
    }
}

/// Plan and manifest of a complete corpus.
///
/// # Errors
/// The place holds no corpus, an unfinished one, or one whose plan was changed.
pub fn finished(corpus: &Corpus) -> Result<(PlanFile, Manifest)> {
    let root = corpus.root.as_path();
    if corpus.is_directory() && root.exists() && !root.is_dir() {
        return Err(Error::input(
            root,
            None,
            "this is a file, not a directory",
            "name the directory of a corpus that fusiongen wrote",
        ));
    }
    let plan = PlanFile::read(corpus)?;
    if let Err(problem) = plan.config.validate() {
        return Err(Error::input(
            &corpus.plan(),
            "config".to_string(),
            format!("no corpus has these settings: {problem}"),
            "generate the corpus again; its plan was changed",
        ));
    }
    let Some(text) = corpus.finished_manifest()? else {
        let problem = match corpus.size(Corpus::MANIFEST)? {
            Size::Nothing => "the corpus isn't finished: it has no manifest.json",
            _ => "the corpus isn't finished: _SUCCESS does not match manifest.json",
        };
        return Err(Error::input(
            root,
            None,
            problem,
            "run the same fusiongen generate again, or fusiongen finish after the last part",
        ));
    };
    Ok((plan, Manifest::parse(corpus, &text)?))
}

/// Pretty JSON and a line feed.
pub fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn ratios_are_read_back_exactly() {
        // 13,332 chains on 19,047 hosts in 7 days. Parsers that round badly read the next lower number.
        let written = serde_json::to_string(&(13_332.0 / (19_047.0 * 7.0))).unwrap_or_default();
        let read: f64 = serde_json::from_str(&written).unwrap_or_default();
        assert_eq!(written, "0.09999324978061787");
        assert_eq!(read, 13_332.0 / (19_047.0 * 7.0));
    }
}

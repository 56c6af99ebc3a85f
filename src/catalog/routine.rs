//! Routines: what a host does by itself or for its user, as a script with causes and times.

use super::events::CatalogTables;
use super::lookup::weight;
use super::order::end_of;
use super::place::{End, HostClass};
use super::raw;
use super::record::{ProcessRef, Record};
use super::records::{RecordResolver, Setting};
use super::source::{Source, Text};
use super::words::{TomlWord, is_slug};
use crate::error::Result;
use crate::kinds::Telemetry;

/// Most processes that a routine starts.
pub const MOST_BORN: usize = 16;
/// Most steps of a routine, with the ends of its processes.
const MOST_STEPS: usize = 64;
/// Longest time that a step may name, in microseconds: three hours. A process of a routine must have
/// ended before its pid is used again.
const LONGEST: u64 = 3 * 3_600_000_000;

/// When a routine may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At any time. `always`
    Always,
    /// While the host's user is at work. `session`
    Session,
    /// While no user is at work: maintenance waits for an idle machine. `idle`
    Idle,
}

impl TomlWord for When {
    const WHAT: &'static str = "time of a routine";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("always", When::Always),
        ("session", When::Session),
        ("idle", When::Idle),
    ];
}

impl When {
    /// Its name in the catalog.
    pub fn word(self) -> &'static str {
        self.to_word()
    }
}

/// When the process of a step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    /// This many microseconds after its start, from and to.
    For(u64, u64),
    /// This many microseconds after the routine's last step that names it, or a process that it started.
    Last(u64, u64),
    /// On the tick on which another process ends, by its number.
    With(usize),
}

/// One step of a routine. Times are microseconds, from and to, and drawn log-uniformly.
#[derive(Debug, Clone)]
pub struct Step {
    pub record: Record,
    /// From the step before, or the routine's start.
    pub after: (u64, u64),
    /// How many times, from and to, and the time between two.
    pub times: (u8, u8),
    pub each: (u64, u64),
    /// Per mille of runs that have it.
    pub chance: u16,
    /// When the process that it starts ends; `None` if nobody sees the end.
    pub lives: Option<Lives>,
    /// Whether the host opens a TCP connection, which takes its next port.
    pub takes_port: bool,
}

/// A routine.
///
/// 1. A step names only residents and processes that an earlier step starts.
/// 2. The last `ends` steps are the ends of processes, in the order in which Sysmon logs them if they
///    are on one tick: children before their parents, and consoles last.
#[derive(Debug, Clone)]
pub struct Routine {
    pub name: String,
    pub hosts: HostClass,
    pub when: When,
    /// Weight among the routines that a host may run.
    pub weight: u32,
    /// Number of processes that it starts.
    pub born: usize,
    /// By process: the process of the routine that starts it; `None` for a resident.
    pub parents: Vec<Option<usize>>,
    /// By process: the step that starts it.
    pub starts: Vec<usize>,
    /// Class of the run's other host: the first that a connection names.
    pub peer: Option<HostClass>,
    pub steps: Vec<Step>,
    pub ends: usize,
    /// Most rows of one run.
    pub most: u32,
}

/// Microseconds of `5ms`, `1.5s`, `0`, `90m`.
fn duration(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "" if number == "0" => 1,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let mut us = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut scale = unit;
    for digit in part.chars() {
        scale /= 10;
        us += u64::from(digit.to_digit(10)?) * scale;
    }
    Some(us)
}

/// `A..B`, or `A` for both.
fn range(source: &Source, text: &Text, word: &str) -> Result<(u64, u64)> {
    let (from, to) = word.split_once("..").unwrap_or((word, word));
    match (duration(from), duration(to)) {
        (Some(from), Some(to)) if from <= to && to <= LONGEST => Ok((from, to)),
        _ => Err(source.error_at(
            text,
            format!("{word:?} is not a range of times"),
            "write FROM..TO with the units us, ms, s or m, at most 180m: 5ms..40ms",
        )),
    }
}

/// When the process of a step ends.
fn lives(source: &Source, text: &Text, resolver: &RecordResolver<'_>) -> Result<Lives> {
    let word = text.get_ref().as_str();
    if let Some(label) = word.strip_prefix("with:") {
        return resolver.labelled(label).map(Lives::With).ok_or_else(|| {
            source.error_at(
                text,
                format!("no step before this one starts {label:?}"),
                "name the label of a process that is started above",
            )
        });
    }
    match word.strip_prefix("last+") {
        Some(word) => range(source, text, word).map(|(from, to)| Lives::Last(from, to)),
        None => range(source, text, word).map(|(from, to)| Lives::For(from, to)),
    }
}

impl CatalogTables<'_> {
    pub fn routines(&self, source: &Source) -> Result<Vec<Routine>> {
        let file: raw::RoutinesFile = source.parse()?;
        source.unique("routine", file.routine.iter().map(|r| &r.name))?;
        let routines = file.routine.iter().map(|raw| self.routine(source, raw));
        let routines: Vec<Routine> = routines.collect::<Result<_>>()?;
        let fills = |routine: &Routine| {
            routine.hosts == HostClass::Windows
                && routine.when == When::Always
                && routine.is_single()
        };
        if !routines.iter().any(fills) {
            return Err(source.error(
                0,
                "no routine of one record runs on every Windows host at any time",
                "add one, with hosts = \"windows\" and when = \"always\": it fills what is left of a day",
            ));
        }
        Ok(routines)
    }

    fn routine(&self, source: &Source, raw: &raw::Routine) -> Result<Routine> {
        if !is_slug(raw.name.get_ref()) {
            return Err(source.error_at(
                &raw.name,
                format!("{:?} is not a slug", raw.name.get_ref()),
                "use [a-z][a-z0-9_]*, at most 64 bytes",
            ));
        }
        let hosts: HostClass = source.word(&raw.hosts)?;
        let mut resolver =
            RecordResolver::new(source, self.images, self.residents, Setting::Routine(hosts));
        let mut steps = Vec::new();
        for record in &raw.record {
            steps.push(step(source, record, &mut resolver)?);
        }
        let born = resolver.processes();
        let mut parents = vec![None; born];
        let mut starts = vec![0; born];
        for (at, step) in steps.iter().enumerate() {
            if let Some(process) = step.record.starts {
                parents[process] = step.actor();
                starts[process] = at;
            }
        }
        let ends = ends(&steps, self.images);
        let ends_count = ends.len();
        steps.extend(ends);
        if raw.record.is_empty() || steps.len() > MOST_STEPS || born > MOST_BORN {
            return Err(source.error_at(
                &raw.name,
                format!("the routine has {} steps and starts {born} processes", steps.len()),
                format!("use 1 to {MOST_STEPS} steps with the ends of processes, and at most {MOST_BORN} processes"),
            ));
        }
        Ok(Routine {
            name: raw.name.get_ref().clone(),
            hosts,
            when: source.word(&raw.when)?,
            weight: weight(source, &raw.weight)?,
            born,
            parents,
            starts,
            peer: peer(&steps),
            most: steps.iter().map(|step| u32::from(step.times.1)).sum(),
            steps,
            ends: ends_count,
        })
    }
}

fn step(source: &Source, raw: &raw::Record, resolver: &mut RecordResolver<'_>) -> Result<Step> {
    let record = resolver.resolve(raw, None)?;
    let time = |text: &Option<Text>| match text {
        Some(text) => range(source, text, text.get_ref()),
        None => Ok((0, 0)),
    };
    let times = match &raw.times {
        None => (1, 1),
        Some(times)
            if (1..=times.get_ref()[1]).contains(&times.get_ref()[0])
                && record.starts.is_none() =>
        {
            (times.get_ref()[0], times.get_ref()[1])
        }
        Some(times) => {
            return Err(source.error_at(
                times,
                "`times` is not a range from 1 on, or the step starts a process",
                "write [FROM, TO]; a process starts once",
            ));
        }
    };
    let chance = raw.chance.as_ref().map_or(1000, |chance| *chance.get_ref());
    if let Some(at) = &raw.chance
        && !(1..=1000).contains(&chance)
    {
        return Err(source.error_at(
            at,
            format!("a chance of {chance}"),
            "use 1 to 1000 per mille",
        ));
    }
    let lives = match &raw.lives {
        Some(text) if record.starts.is_none() || record.telemetry != Telemetry::ProcessCreation => {
            return Err(source.error_at(
                text,
                "`lives` is for steps that start a process on Windows",
                "remove it",
            ));
        }
        Some(text) => Some(lives(source, text, resolver)?),
        None => None,
    };
    let opens = |c: &super::Connection| c.protocol == "tcp" && c.from == End::Host;
    Ok(Step {
        takes_port: record.connection.as_ref().is_some_and(opens),
        record,
        after: time(&raw.after)?,
        times,
        each: time(&raw.each)?,
        chance,
        lives,
    })
}

/// The first class of hosts that a connection names.
fn peer(steps: &[Step]) -> Option<HostClass> {
    let connections = steps.iter().filter_map(|s| s.record.connection.as_ref());
    let mut named = connections.flat_map(|c| [&c.from, &c.to]);
    named.find_map(|end| match end {
        End::Class(class) => Some(*class),
        _ => None,
    })
}

/// The ends of processes, in the order in which they are logged if they are on one tick.
fn ends(steps: &[Step], images: &[super::Image]) -> Vec<Step> {
    let mut ends: Vec<&Step> = steps.iter().filter(|step| step.lives.is_some()).collect();
    let is_console = |step: &&Step| {
        let image = step
            .record
            .image
            .map(|image| images[image.index()].key.as_str());
        image == Some("conhost")
    };
    ends.reverse();
    ends.sort_by_key(is_console);
    let end = |start: &&Step| Step {
        record: end_of(&start.record),
        after: (0, 0),
        times: (1, 1),
        each: (0, 0),
        chance: 1000,
        lives: start.lives,
        takes_port: false,
    };
    ends.iter().map(end).collect()
}

impl Routine {
    /// Whether it always has exactly one row, and starts no process.
    pub fn is_single(&self) -> bool {
        self.most == 1 && self.born == 0 && self.steps[0].chance == 1000
    }
}

impl Step {
    /// Number of the process that acts in the step, if the routine starts it.
    pub fn actor(&self) -> Option<usize> {
        match self.record.process {
            ProcessRef::Started(number) => Some(number),
            ProcessRef::Resident(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations() {
        assert_eq!(duration("5ms"), Some(5_000));
        assert_eq!(duration("1.5s"), Some(1_500_000));
        assert_eq!(duration("90m"), Some(5_400_000_000));
        assert_eq!(duration("0"), Some(0));
        for wrong in ["", "5", "ms", "5h", "-1s", "1.x s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}

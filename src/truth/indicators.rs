//! Indicators of chains, read from their rendered events.
//!
//! A value that every event of a place has, where a place is a record of a step's rounds, is in all
//! rounds. Where values differ between rounds, all rounds are read to count their events.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch};

use super::reading::{EVENTS, Rendered, each_chain, each_text, event, render, unread};
use super::{Columns, Truth, go_on, integers, own, texts, times};
use crate::error::Result;
use crate::frame::{Frame, NONE};
use crate::plan::chains::PlacedStep;
use crate::schema::{Schema, leaf};

/// The leaves that hold indicators.
const LEAVES: [&str; 11] = [
    "source.ip",
    "destination.ip",
    "dns.resolved_ip",
    "dns.question.name",
    "url.full",
    "file.path",
    "process.executable",
    "winlog.event_data.Hashes",
    "fusionai.cloud.access_key_id",
    "fusionai.cloud.session_id",
    "fusionai.cloud.hashed_token",
];

/// Kinds whose values are made for one chain: a program of its own, a path on its own server.
const EXCLUSIVE: [&str; 2] = ["sha256", "url"];

/// A kind and a value.
type Indicator = (&'static str, String);

/// A step of a chain, and a record of its rounds.
type Place = (u8, u32);

struct Ioc {
    chain: u32,
    kind: &'static str,
    value: String,
    first: i64,
    last: i64,
    events: u64,
}

/// Where an indicator was found.
struct Seen {
    first: i64,
    last: i64,
    /// Number of events.
    at: BTreeMap<Place, u64>,
}

/// The SHA-256 in Sysmon's `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`.
fn sha256(hashes: &str) -> Option<&str> {
    hashes
        .split(',')
        .find_map(|hash| hash.strip_prefix("SHA256="))
}

/// The indicators of an event.
fn of_event(
    truth: &Truth<'_>,
    frame: &Frame,
    batch: &RecordBatch,
    row: usize,
) -> BTreeSet<Indicator> {
    let addresses = &truth.maker.world.addresses;
    let hostile = |address: i32| address != NONE && addresses.is_adversary(address as u32);
    let mut found = BTreeSet::new();
    let mut note = |kind: &'static str, path: &str| {
        let Some(array) = leaf(batch, path) else {
            return;
        };
        each_text(array, row, &mut |text| {
            let value = match kind {
                "sha256" => sha256(text),
                _ => Some(text),
            };
            found.extend(value.map(|value| (kind, value.to_string())));
        });
    };
    let alert = frame.rule[row].is_some();
    if hostile(frame.source[row]) {
        note("ip", "source.ip");
    }
    if hostile(frame.destination[row]) {
        note("ip", "destination.ip");
    }
    if hostile(frame.answer[row]) {
        note("ip", "dns.resolved_ip");
    }
    // Credentials in an adversary's hands.
    if hostile(frame.source[row]) && frame.calls.get(row).is_some() {
        note("access_key", "fusionai.cloud.access_key_id");
        note("cloud_session", "fusionai.cloud.session_id");
        note("token", "fusionai.cloud.hashed_token");
    }
    // Domains that resolve to an adversary, and generated domains that do not resolve.
    if hostile(frame.answer[row]) || alert {
        note("domain", "dns.question.name");
    }
    if alert && hostile(frame.destination[row]) {
        note("url", "url.full");
    }
    if alert {
        note("file", "file.path");
    }
    // An image with a path of the chain's own is not a program installed by the catalog.
    let own = frame.process.path.key(row) >= frame.process.path.known;
    if own && frame.telemetry[row].is_start() {
        note("file", "process.executable");
        note("sha256", "winlog.event_data.Hashes");
    }
    found
}

/// Number of events of a record of a step's rounds.
fn events_of(step: &PlacedStep, record: u32) -> u64 {
    let rest = u32::from(record < step.events % step.records);
    u64::from(step.events / step.records + rest)
}

/// Finds the indicators of chains.
struct Finder<'f> {
    truth: &'f Truth<'f>,
    /// Only the leaves that hold indicators.
    schema: Schema,
    path: &'f Path,
    iocs: Vec<Ioc>,
}

impl Finder<'_> {
    fn steps(&self, chain: u32) -> &[PlacedStep] {
        &self.truth.plan.chains.all[chain as usize].steps
    }

    /// Adds the indicators of a chain. `rows` are its events in `rendered`.
    fn chain(&mut self, rendered: &Rendered<'_>, chain: u32, rows: Range<usize>) -> Result<()> {
        let mut read: BTreeMap<Place, u64> = BTreeMap::new();
        let mut found: BTreeMap<Indicator, Seen> = BTreeMap::new();
        for row in rows {
            let event = &rendered.events[row];
            let records = self.steps(chain)[usize::from(event.step)].records;
            let place = (event.step, event.index % records);
            *read.entry(place).or_default() += 1;
            let time = rendered.frame.time[row];
            for indicator in of_event(self.truth, rendered.frame, rendered.batch, row) {
                let seen = found.entry(indicator).or_insert_with(|| Seen {
                    first: time,
                    last: time,
                    at: BTreeMap::new(),
                });
                seen.first = seen.first.min(time);
                seen.last = seen.last.max(time);
                *seen.at.entry(place).or_default() += 1;
            }
        }
        for (place, read) in read {
            let step = &self.steps(chain)[usize::from(place.0)];
            let all = events_of(step, place.1);
            let mut at_place = found.values().filter_map(|seen| seen.at.get(&place));
            if read == all {
                continue;
            }
            if at_place.all(|&events| events == read) {
                let at_place = found
                    .values_mut()
                    .filter_map(|seen| seen.at.get_mut(&place));
                at_place.for_each(|events| *events = all);
            } else {
                self.count_unread(chain, place, &mut found)?;
            }
        }
        let iocs = found.into_iter().map(|((kind, value), seen)| Ioc {
            chain,
            kind,
            value,
            first: seen.first,
            last: seen.last,
            events: seen.at.values().sum(),
        });
        self.iocs.extend(iocs);
        Ok(())
    }

    /// Counts the events of a place that were not read.
    fn count_unread(
        &self,
        chain: u32,
        place: Place,
        found: &mut BTreeMap<Indicator, Seen>,
    ) -> Result<()> {
        let chains = &self.truth.plan.chains;
        let step = &self.steps(chain)[usize::from(place.0)];
        let indices = unread(step).filter(|index| index % step.records == place.1);
        let mut events = indices.map(|index| event(chains, chain, place.0, index));
        loop {
            let some: Vec<_> = events.by_ref().take(EVENTS).collect();
            if some.is_empty() {
                return Ok(());
            }
            go_on(self.truth.progress, self.path)?;
            let (frame, batch) = render(self.truth, &self.schema, &some, self.path)?;
            for row in 0..some.len() {
                for indicator in of_event(self.truth, &frame, &batch, row) {
                    if let Some(seen) = found.get_mut(&indicator) {
                        *seen.at.entry(place).or_default() += 1;
                    }
                }
            }
        }
    }

    fn columns(&self, ids: &ArrayRef) -> Columns {
        let each = || self.iocs.iter();
        let exclusive = each().map(|i| Some(EXCLUSIVE.contains(&i.kind)));
        vec![
            ("attack_id", texts(ids, each().map(|i| i.chain as i32))),
            ("type", own(each().map(|i| i.kind))),
            ("value", own(each().map(|i| &i.value))),
            ("first_seen", times(each().map(|i| i.first))),
            ("last_seen", times(each().map(|i| i.last))),
            ("events", integers(each().map(|i| i.events as i64))),
            (
                "exclusive",
                Arc::new(BooleanArray::from_iter(exclusive)) as ArrayRef,
            ),
        ]
    }
}

/// `iocs`: the indicators of the chains that start on a date.
///
/// # Errors
/// A column violates the schema (a bug), or the run is stopped. `path` is for the message.
pub(super) fn iocs(truth: &Truth<'_>, date: u32, path: &Path) -> Result<Columns> {
    let mut finder = Finder {
        truth,
        schema: Schema::of(&truth.plan.config).with_columns(&LEAVES.map(String::from))?,
        path,
        iocs: Vec::new(),
    };
    each_chain(truth, date, path, |rendered, chain, rows| {
        finder.chain(&rendered, chain, rows)
    })?;
    Ok(finder.columns(&truth.ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_a_cut_round_has_one_event_more() {
        let step = PlacedStep {
            start: 0,
            span: 1,
            rounds: 4,
            records: 3,
            first_record: 0,
            companions: 0,
            pauses: 0,
            pause: 0,
            first: 0,
            events: 11,
            blocked: false,
        };
        let events = [0, 1, 2].map(|record| events_of(&step, record));
        assert_eq!(events, [4, 4, 3]);
        assert_eq!(unread(&step), 24..24);
        let long = PlacedStep {
            rounds: 40,
            events: 119,
            ..step
        };
        assert_eq!(unread(&long), 24..95);
        let read = (0..24).chain(95..119).filter(|index| index % 3 == 2);
        let unread = unread(&long).filter(|index| index % 3 == 2);
        assert_eq!(read.count() + unread.count(), events_of(&long, 2) as usize);
    }

    #[test]
    fn the_hash_is_found_among_others() {
        assert_eq!(sha256("SHA1=1,MD5=2,SHA256=3,IMPHASH=4"), Some("3"));
        assert_eq!(sha256("SHA1=1"), None);
    }
}

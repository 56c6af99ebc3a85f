//! What is counted of streams, and the figures of the counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::record::{Flow, PROGRAMS, Query, Record, Start, What};

const MILLISECOND: i64 = 1_000;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The system tick of Windows.
const TICK: i64 = 15_625;
/// Kinds that the tick stamps: the kernel reports them.
const TICKED: [i64; 11] = [2, 5, 7, 9, 10, 11, 12, 13, 17, 18, 23];
/// Kinds that the recorded hosts' changes of kind were counted in.
const COMMON: [i64; 7] = [1, 3, 5, 11, 12, 13, 22];
/// The greatest pid of the recorded hosts.
const GREATEST_PID: i64 = 26_616;
/// Starts of Windows' own programs whose builds are counted: more starts have more builds.
const BUILDS: usize = 20;
/// How long after a query a connection follows from it.
const FOLLOWS: i64 = 5 * SECOND;

/// How often something is so.
#[derive(Default, Clone, Copy)]
struct Share {
    so: u64,
    of: u64,
}

impl Share {
    fn count(&mut self, so: bool) {
        self.so += u64::from(so);
        self.of += 1;
    }

    fn value(self) -> (u64, Option<f64>) {
        (
            self.of,
            (self.of > 0).then(|| self.so as f64 / self.of as f64),
        )
    }
}

/// Number of values, and their median.
fn median(mut values: Vec<i64>) -> (u64, Option<f64>) {
    values.sort_unstable();
    let last = values.len().checked_sub(1);
    let middle = last.map(|last| (values[last / 2] + values[last.div_ceil(2)]) as f64 / 2.0);
    (values.len() as u64, middle)
}

/// Counts of streams.
#[derive(Default)]
pub struct Moves {
    same_millisecond: Share,
    kind_changes: Share,
    tick: Share,
    busiest: Share,
    newborns_act: Share,
    parents_born: Share,
    later_first: Share,
    births_close: Share,
    pid_high: Share,
    pid_falls: Share,
    pids: Vec<i64>,
    ordinal_next: Share,
    /// Microseconds, by program.
    lives: [Vec<i64>; PROGRAMS.len()],
    /// Distinct builds, added up, of so many streams.
    builds: Share,
    port_next: Share,
    query_first: Share,
    udp: Share,
    ipv6: Share,
    alias: Share,
    values: u64,
    keys_again: Share,
    values_same: Share,
    files_now: Share,
    files_old: Share,
    spellings: Share,
}

impl Moves {
    /// Counts one stream; its records are in the order of the log.
    pub fn read(&mut self, records: &[Record]) {
        self.neighbours(records);
        self.times(records);
        self.births(records);
        self.network(records);
        self.registry(records);
        self.files(records);
        self.spellings(records);
    }

    /// Reads the numbers of all processes that start on a host.
    pub fn number(&mut self, records: &[Record]) {
        let starts = records.iter().filter_map(|record| match &record.what {
            What::Start(start) => Some((record.time, record.place, start.ordinal)),
            _ => None,
        });
        let mut starts: Vec<_> = starts.collect();
        starts.sort_unstable();
        for pair in starts.windows(2) {
            let [(_, _, first), (_, _, second)] = pair else {
                continue;
            };
            self.ordinal_next.count(second.wrapping_sub(*first) == 1);
        }
    }

    fn neighbours(&mut self, records: &[Record]) {
        for pair in records.windows(2) {
            self.same_millisecond.count(pair[0].time == pair[1].time);
        }
        let mut kinds = records
            .iter()
            .map(|r| r.kind)
            .filter(|k| COMMON.contains(k));
        let mut last = kinds.next();
        for kind in kinds {
            self.kind_changes.count(last != Some(kind));
            last = Some(kind);
        }
    }

    fn times(&mut self, records: &[Record]) {
        let ticked = records.iter().filter(|r| TICKED.contains(&r.kind));
        let mut ticked: Vec<i64> = ticked.map(|r| r.time).collect();
        ticked.sort_unstable();
        for pair in ticked.windows(2) {
            let gap = pair[1] - pair[0];
            if (MILLISECOND..=200 * MILLISECOND).contains(&gap) {
                // Times are cut to milliseconds.
                let off = (gap % TICK).min(TICK - gap % TICK);
                self.tick.count(off <= MILLISECOND);
            }
        }
        let mut seconds: BTreeMap<i64, u64> = BTreeMap::new();
        for record in records {
            *seconds.entry(record.time.div_euclid(SECOND)).or_default() += 1;
        }
        let mut counts: Vec<u64> = seconds.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        self.busiest.so += counts.iter().take(counts.len().div_ceil(20)).sum::<u64>();
        self.busiest.of += records.len() as u64;
    }

    fn births(&mut self, records: &[Record]) {
        let starts = records.iter().filter_map(|record| match &record.what {
            What::Start(start) => Some((record, start)),
            _ => None,
        });
        let mut births: Vec<(&Record, &Start)> = starts.collect();
        births.sort_by_key(|(record, _)| (record.time, record.place));
        let born: HashSet<u64> = births.iter().map(|(record, _)| record.process).collect();
        let mut acted: HashSet<u64> = HashSet::new();
        let mut ends: HashMap<u64, i64> = HashMap::new();
        for record in records {
            if record.kind == 5 {
                let end = ends.entry(record.process).or_insert(record.time);
                *end = record.time.min(*end);
            } else if record.kind != 1 {
                acted.insert(record.process);
            }
        }
        for (record, start) in &births {
            self.newborns_act.count(acted.contains(&record.process));
            self.parents_born.count(born.contains(&start.parent));
            self.pid_high.count(start.pid > GREATEST_PID);
            self.pids.push(start.pid);
            if let (Some(program), Some(end)) = (start.program, ends.get(&record.process)) {
                self.lives[program].push(end - record.time);
            }
        }
        for pair in births.windows(2) {
            let [(before, first), (after, second)] = pair else {
                continue;
            };
            let died = (ends.get(&before.process), ends.get(&after.process));
            if let (Some(one), Some(other)) = died {
                self.later_first.count(one > other);
            }
            self.births_close
                .count(after.time - before.time < 100 * MILLISECOND);
            self.pid_falls.count(second.pid < first.pid);
        }
        let builds: Vec<u64> = births.iter().filter_map(|(_, start)| start.build).collect();
        if let Some(first) = builds.get(..BUILDS) {
            let distinct: HashSet<&u64> = first.iter().collect();
            self.builds.so += distinct.len() as u64;
            self.builds.of += 1;
        }
    }

    fn network(&mut self, records: &[Record]) {
        let mut queries: HashMap<u64, Vec<(i64, &Query)>> = HashMap::new();
        for record in records {
            if let What::Query(query) = &record.what {
                let mine = queries.entry(record.process).or_default();
                mine.push((record.time, query));
                if query.answered {
                    self.alias.count(query.alias);
                }
            }
        }
        let mut last: Option<i64> = None;
        for record in records {
            let What::Flow(flow) = &record.what else {
                continue;
            };
            self.udp.count(!flow.tcp);
            self.ipv6
                .count(flow.peer.is_some_and(|peer| peer.is_ipv6()));
            if let (
                Flow {
                    tcp: true,
                    initiated: true,
                    ..
                },
                Some(port),
            ) = (flow, flow.port)
            {
                if let Some(last) = last {
                    self.port_next.count((1..=3).contains(&(port - last)));
                }
                last = Some(port);
                if let (true, Some(peer)) = (flow.public, flow.peer) {
                    let asked = queries.get(&record.process).is_some_and(|queries| {
                        queries.iter().any(|(time, query)| {
                            (0..=FOLLOWS).contains(&(record.time - time))
                                && query.addresses.contains(&peer)
                        })
                    });
                    self.query_first.count(asked);
                }
            }
        }
    }

    fn registry(&mut self, records: &[Record]) {
        let mut keys = HashSet::new();
        let mut values: HashMap<u64, u64> = HashMap::new();
        for record in records {
            match record.what {
                What::Key { object, .. } => {
                    let is_new = keys.insert((record.process, object, record.time));
                    self.keys_again.count(!is_new);
                }
                What::Value { object, number, .. } => {
                    self.values += 1;
                    if let Some(number) = number
                        && let Some(before) = values.insert(object, number)
                    {
                        self.values_same.count(number == before);
                    }
                }
                _ => {}
            }
        }
    }

    fn files(&mut self, records: &[Record]) {
        for record in records {
            if let What::File {
                created: Some(created),
                ..
            } = record.what
            {
                let age = record.time - created;
                self.files_now.count(age.abs() <= MILLISECOND);
                self.files_old.count(age > DAY);
            }
        }
    }

    /// A kind that comes from the kernel repeats the path as it was launched.
    fn spellings(&mut self, records: &[Record]) {
        let mut seen: HashMap<u64, (HashSet<u64>, HashSet<i64>)> = HashMap::new();
        for record in records {
            let image = match &record.what {
                What::Start(start) => start.image,
                What::Key { image, .. } | What::Value { image, .. } | What::File { image, .. } => {
                    *image
                }
                _ => continue,
            };
            let (images, kinds) = seen.entry(record.process).or_default();
            images.insert(image);
            kinds.insert(record.kind);
        }
        for (images, kinds) in seen.values() {
            if kinds.len() > 1 {
                self.spellings.count(images.len() > 1);
            }
        }
    }

    /// The figures, by their names in `thresholds.toml`.
    pub fn values(self, values: &mut BTreeMap<&str, (u64, Option<f64>)>) {
        let shares = [
            ("stream.same_millisecond", self.same_millisecond),
            ("stream.tick", self.tick),
            ("stream.busiest", self.busiest),
            ("stream.newborns_act", self.newborns_act),
            ("stream.parents_born", self.parents_born),
            ("stream.later_first", self.later_first),
            ("stream.births_close", self.births_close),
            ("stream.pid_high", self.pid_high),
            ("stream.pid_falls", self.pid_falls),
            ("stream.ordinal_next", self.ordinal_next),
            ("stream.builds", self.builds),
            ("stream.port_next", self.port_next),
            ("stream.query_first", self.query_first),
            ("stream.udp", self.udp),
            ("stream.ipv6", self.ipv6),
            ("stream.cname", self.alias),
            ("stream.keys_again", self.keys_again),
            ("stream.values_same", self.values_same),
            ("stream.files_now", self.files_now),
            ("stream.files_old", self.files_old),
            ("stream.spellings", self.spellings),
        ];
        values.extend(shares.map(|(name, share)| (name, share.value())));
        // Recorded windows were compared in pages of 120 records, which have 119 neighbours.
        let (pairs, changes) = self.kind_changes.value();
        let changes = changes.map(|share| 119.0 * share);
        values.insert("stream.kind_changes", (pairs, changes));
        let keys = self.keys_again.of;
        let ratio = (self.values > 0).then(|| keys as f64 / self.values as f64);
        values.insert("stream.keys_by_values", (keys + self.values, ratio));
        values.insert("stream.pid_median", median(self.pids));
        const NAMES: [&str; PROGRAMS.len()] = [
            "stream.life_reg",
            "stream.life_cmd",
            "stream.life_conhost",
            "stream.life_dllhost",
        ];
        for (name, lives) in NAMES.into_iter().zip(self.lives) {
            let (rows, middle) = median(lives);
            values.insert(
                name,
                (rows, middle.map(|middle| middle / MILLISECOND as f64)),
            );
        }
    }
}

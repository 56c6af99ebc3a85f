//! Queries that follow files and processes from one event to later ones.

use std::collections::VecDeque;

use serde_json::json;

use super::count::{Last, Map, NULL, Set, Shown, Top, last};
use super::frame::{Frame, hash};
use super::{Evaluator, Facts, Table};

/// Longest time from a file's creation to its run, in microseconds.
const SOON: i64 = 600_000_000;

/// Hashes of a host and of a path.
type Place = (u64, u64);

/// A file that was written, with its texts.
struct Drop {
    host: Shown,
    path: Shown,
    /// Times of the last ten minutes, rising.
    times: VecDeque<i64>,
}

/// A process that ran a file soon after it was written.
struct Started {
    place: Place,
    run: i64,
    /// The first time that the file was written in the ten minutes before.
    drop: i64,
}

/// A file that was written, run, and connected out.
struct Found {
    host: Shown,
    path: Shown,
    drop: i64,
    run: i64,
    call: i64,
    peers: Set<u64>,
}

/// An event that a step of `q18` reads.
enum Act {
    Drop(Place, Shown, Shown),
    Run(Place, u64),
    /// Process and address.
    Call(u64, u64),
}

/// `q18`: files that were written, run within ten minutes, and then connected out.
#[derive(Default)]
pub(super) struct DropRunConnect {
    now: i64,
    /// Events of the time `now`. A file may be written, run and connect within one microsecond, so all
    /// of them are known before any counts.
    acts: Vec<Act>,
    drops: Map<Place, Drop>,
    /// By process.
    started: Map<u64, Vec<Started>>,
    /// Texts of the files that ran.
    ran: Map<Place, (Shown, Shown)>,
    found: Map<Place, Found>,
}

impl DropRunConnect {
    fn settle(&mut self) {
        let now = self.now;
        let mut acts = std::mem::take(&mut self.acts);
        for act in &mut acts {
            if let Act::Drop(place, host, path) = act {
                let drop = self.drops.entry(*place).or_insert_with(|| Drop {
                    host: host.take(),
                    path: path.take(),
                    times: VecDeque::new(),
                });
                drop.times.push_back(now);
            }
        }
        for act in &acts {
            let Act::Run(place, process) = act else {
                continue;
            };
            let Some(drop) = self.drops.get_mut(place) else {
                continue;
            };
            while drop.times.front().is_some_and(|&time| time < now - SOON) {
                drop.times.pop_front();
            }
            if let Some(&first) = drop.times.front() {
                let texts = || (drop.host.clone(), drop.path.clone());
                self.ran.entry(*place).or_insert_with(texts);
                self.started.entry(*process).or_default().push(Started {
                    place: *place,
                    run: now,
                    drop: first,
                });
            }
        }
        for act in &acts {
            let Act::Call(process, address) = act else {
                continue;
            };
            for started in self.started.get(process).into_iter().flatten() {
                let found = self.found.entry(started.place).or_insert_with(|| {
                    let (host, path) = self.ran.get(&started.place).cloned().unwrap_or_default();
                    Found {
                        host,
                        path,
                        drop: started.drop,
                        run: started.run,
                        call: now,
                        peers: Set::default(),
                    }
                });
                found.drop = found.drop.min(started.drop);
                found.run = found.run.min(started.run);
                if *address != NULL {
                    found.peers.insert(*address);
                }
            }
        }
        // The next acts reuse the memory.
        acts.clear();
        self.acts = acts;
    }

    fn act(&mut self, time: i64, act: Act) {
        if time != self.now {
            self.settle();
            self.now = time;
        }
        self.acts.push(act);
    }
}

impl Evaluator for DropRunConnect {
    fn add(&mut self, frame: &Frame) {
        let is_program = |path: &str| path.to_lowercase().ends_with(".exe");
        for row in frame.code.rows(|code| matches!(code, "1" | "3" | "11")) {
            let time = frame.times[row];
            let (host, process) = (frame.host.id(row), frame.process.id(row));
            match frame.code.text(row) {
                Some("11") => {
                    let path = frame.file.text(row);
                    if host != NULL && path.is_some_and(is_program) && frame.is_sysmon(row) {
                        let place = (host, frame.file.id(row));
                        let texts = (frame.host.shown(row), frame.file.shown(row));
                        self.act(time, Act::Drop(place, texts.0, texts.1));
                    }
                }
                Some("1") => {
                    let place = (host, frame.executable.id(row));
                    let is_known = host != NULL && place.1 != NULL && process != NULL;
                    if is_known && frame.is_sysmon(row) {
                        self.act(time, Act::Run(place, process));
                    }
                }
                _ => {
                    if process != NULL && frame.direction.text(row) == Some("outbound") {
                        let address = frame.destination_ip.id(row);
                        self.act(time, Act::Call(process, address));
                    }
                }
            }
        }
        let from = self.now - SOON;
        (self.drops).retain(|_, drop| drop.times.back().is_some_and(|&time| time >= from));
    }

    fn finish(mut self: Box<Self>, _: &Facts<'_>) -> Table {
        self.settle();
        let mut top = Top::new(100);
        for found in self.found.into_values() {
            top.add((found.drop, last(&found.host), last(&found.path)), || {
                vec![
                    json!(found.host),
                    json!(found.path),
                    json!(found.drop),
                    json!(found.run),
                    json!(found.call),
                    json!(found.peers.len()),
                ]
            });
        }
        top.rows_with_groups()
    }
}

/// The last generation of `q24`.
const GENERATIONS: i64 = 8;

/// `q24`: what a process started.
///
/// A process starts after its parent, so one pass in order of time finds the tree.
pub(super) struct ProcessTree {
    root: u64,
    /// By process: the generations of its rows in the tree.
    tree: Map<u64, Vec<i64>>,
    top: Top<(i64, i64, Last)>,
}

impl ProcessTree {
    pub fn new(root: &str) -> Self {
        ProcessTree {
            root: hash(root),
            tree: Map::default(),
            top: Top::all(),
        }
    }

    fn insert(&mut self, frame: &Frame, row: usize, generation: i64) {
        let process = frame.process.shown(row);
        let time = frame.times[row];
        self.tree
            .entry(frame.process.id(row))
            .or_default()
            .push(generation);
        self.top.add((generation, time, last(&process)), || {
            let name = json!(frame.process_name.text(row));
            vec![json!(generation), name, json!(process), json!(time)]
        });
    }
}

impl Evaluator for ProcessTree {
    fn add(&mut self, frame: &Frame) {
        // Starts, and how many rows of their parents they have followed.
        let mut starts: Vec<(usize, usize)> = frame
            .code
            .rows(|code| code == "1")
            .into_iter()
            .filter(|&row| frame.is_start(row))
            .map(|row| (row, 0))
            .collect();
        for &(row, _) in &starts {
            if frame.process.id(row) == self.root {
                self.insert(frame, row, 0);
            }
        }
        // Again until nothing changes: rows of the same time are in any order.
        let mut has_grown = !self.tree.is_empty();
        while std::mem::take(&mut has_grown) {
            for (row, followed) in &mut starts {
                let parent = frame.parent.id(*row);
                if parent == NULL {
                    continue;
                }
                let Some(generations) = self.tree.get(&parent) else {
                    continue;
                };
                let new: Vec<i64> = generations[*followed..].to_vec();
                *followed += new.len();
                for generation in new.into_iter().filter(|&g| g < GENERATIONS) {
                    self.insert(frame, *row, generation + 1);
                    has_grown = true;
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        self.top.rows()
    }
}

//! Queries over logons and users' actions, which look at what came before.

use std::cmp::Reverse;
use std::collections::VecDeque;

use serde_json::json;

use super::count::{Groups, Last, Pairs, Set, Shown, Top, last};
use super::frame::Frame;
use super::{Evaluator, Facts, Table};

const HOUR: i64 = 3_600_000_000;

/// The logons of a user on a host.
#[derive(Default)]
struct Logons {
    /// Times of failures of the last hour.
    failures: VecDeque<i64>,
    /// Time, failures and successes of the last logons, which may not be all of that time.
    open: (i64, u64, u64),
    /// Of successes after three failures: the most failures, the first time, and the number.
    hits: Option<(u64, i64, u64)>,
}

impl Logons {
    /// The window ends with the rows of the same time, whatever their order.
    fn settle(&mut self) {
        let (time, failed, succeeded) = std::mem::take(&mut self.open);
        while self
            .failures
            .front()
            .is_some_and(|&before| before < time - HOUR)
        {
            self.failures.pop_front();
        }
        self.failures.extend((0..failed).map(|_| time));
        let before = self.failures.len() as u64;
        if succeeded > 0 && before >= 3 {
            let hits = self.hits.get_or_insert((0, time, 0));
            hits.0 = hits.0.max(before);
            hits.2 += succeeded;
        }
    }
}

/// `q17`: logons right after many failures.
#[derive(Default)]
pub(super) struct BruteForce(Groups<2, Logons>);

impl Evaluator for BruteForce {
    fn add(&mut self, frame: &Frame) {
        let codes = ["4624", "4625", "user_login", "user_auth"];
        for row in frame.code.rows(|code| codes.contains(&code)) {
            if frame.user.is_null(row) {
                continue;
            }
            let ids = [frame.host.id(row), frame.user.id(row)];
            let logons = (self.0).at(ids, || [frame.host.shown(row), frame.user.shown(row)]);
            let time = frame.times[row];
            if logons.open.0 != time {
                logons.settle();
                logons.open.0 = time;
            }
            match frame.outcome.text(row) {
                Some("failure") => logons.open.1 += 1,
                Some("success") => logons.open.2 += 1,
                _ => {}
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host, user], mut logons) in self.0.into_groups() {
            logons.settle();
            if let Some((failures, first, successes)) = logons.hits {
                top.add((Reverse(failures), last(&host), last(&user)), || {
                    vec![
                        json!(host),
                        json!(user),
                        json!(failures),
                        json!(first),
                        json!(successes),
                    ]
                });
            }
        }
        top.rows_with_groups()
    }
}

/// `q19`: accounts that reached several hosts within one clock hour.
pub(super) struct LateralLogons {
    /// Where the open hour begins, Unix microseconds.
    hour: i64,
    users: Groups<1, [u64; 2]>,
    hosts: Pairs,
    top: Top<(Reverse<[u64; 2]>, Last, i64)>,
}

impl Default for LateralLogons {
    fn default() -> Self {
        LateralLogons {
            hour: 0,
            users: Groups::default(),
            hosts: Pairs::default(),
            top: Top::new(50),
        }
    }
}

impl LateralLogons {
    fn close(&mut self) {
        let hour = self.hour;
        for ([user], [hosts, logons]) in self.users.drain() {
            if hosts >= 2 {
                self.top
                    .add((Reverse([hosts, logons]), last(&user), hour), || {
                        vec![json!(user), json!(hour), json!(hosts), json!(logons)]
                    });
            }
        }
        self.hosts.clear();
    }
}

impl Evaluator for LateralLogons {
    fn add(&mut self, frame: &Frame) {
        for row in frame.code.rows(|code| code == "4624") {
            if !matches!(frame.logon_type.text(row), Some("3" | "10")) {
                continue;
            }
            let time = frame.times[row];
            if time - time % HOUR != self.hour {
                self.close();
                self.hour = time - time % HOUR;
            }
            let user = [frame.user.id(row)];
            let [hosts, logons] = self.users.at(user, || [frame.user.shown(row)]);
            *hosts += self.hosts.is_new(&user, frame.host.id(row));
            *logons += 1;
        }
    }

    fn finish(mut self: Box<Self>, _: &Facts<'_>) -> Table {
        self.close();
        self.top.rows_with_groups()
    }
}

/// `q20`: accounts that are on a host for the first time on a day.
pub(super) struct FirstSeen {
    /// Days since 1970.
    day: i32,
    before: Set<[u64; 2]>,
    today: Groups<2, ()>,
}

impl FirstSeen {
    pub fn new(day: i32) -> Self {
        FirstSeen {
            day,
            before: Set::default(),
            today: Groups::default(),
        }
    }
}

impl Evaluator for FirstSeen {
    fn add(&mut self, frame: &Frame) {
        if frame.day > self.day {
            return;
        }
        for row in 0..frame.rows {
            let ids = [frame.user.id(row), frame.host.id(row)];
            if frame.host.is_null(row) {
                continue;
            }
            match frame.day == self.day {
                true => {
                    let shown = || [frame.user.shown(row), frame.host.shown(row)];
                    self.today.at(ids, shown);
                }
                // A null equals nothing.
                false if !frame.user.is_null(row) => {
                    self.before.insert(ids);
                }
                false => {}
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(100);
        for (ids, [user, host]) in self.today.into_texts() {
            if !self.before.contains(&ids) {
                top.add((last(&user), last(&host)), || {
                    vec![json!(user), json!(host)]
                });
            }
        }
        top.rows_with_groups()
    }
}

/// The actions of a user since a break.
#[derive(Default)]
struct Stretch {
    first: i64,
    last: i64,
    actions: u64,
}

/// `q23`: stretches of activity without a break of half an hour.
pub(super) struct Sessions {
    users: Groups<1, Stretch>,
    top: Top<(Reverse<i64>, Last, i64)>,
}

const BREAK: i64 = 1_800_000_000;

impl Default for Sessions {
    fn default() -> Self {
        Sessions {
            users: Groups::default(),
            top: Top::new(50),
        }
    }
}

/// Adds a finished stretch to the results.
fn close(top: &mut Top<(Reverse<i64>, Last, i64)>, user: &Shown, stretch: &Stretch) {
    let length = stretch.last - stretch.first;
    top.add((Reverse(length), last(user), stretch.first), || {
        vec![
            json!(user),
            json!(stretch.first),
            json!(length),
            json!(stretch.actions),
        ]
    });
}

impl Evaluator for Sessions {
    fn add(&mut self, frame: &Frame) {
        for row in 0..frame.rows {
            if frame.email.is_null(row) || frame.kind.text(row) != Some("event") {
                continue;
            }
            let time = frame.times[row];
            let shown = || [frame.user.shown(row)];
            let stretch = self.users.at([frame.user.id(row)], shown);
            if stretch.actions > 0 && time - stretch.last > BREAK {
                close(&mut self.top, &frame.user.shown(row), stretch);
                stretch.actions = 0;
            }
            if stretch.actions == 0 {
                stretch.first = time;
            }
            stretch.last = time;
            stretch.actions += 1;
        }
    }

    fn finish(mut self: Box<Self>, _: &Facts<'_>) -> Table {
        for ([user], stretch) in self.users.into_groups() {
            close(&mut self.top, &user, &stretch);
        }
        self.top.rows_with_groups()
    }
}

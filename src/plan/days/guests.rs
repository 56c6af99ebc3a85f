//! The processes that others than scripts start on hosts that have scripts: chains, standalone alerts
//! and benign scenarios. They are guests of the scripts, which count them with their own.

use std::ops::Range;
use std::sync::OnceLock;

use super::Scripts;
use super::kept::Held;
use crate::catalog::Platform;
use crate::ids::HostId;
use crate::plan::calendar::Calendar;
use crate::plan::visits::{Turn, host_of_alert, runs_key};
use crate::plan::{Origin, Population};

/// A process that is a guest of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Guest {
    pub host: HostId,
    /// When its start is recorded, Unix microseconds.
    pub time: i64,
    pub whose: Whose,
}

/// Who starts a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// A standalone alert or a benign scenario.
    Other,
    /// Process `process` of a chain.
    Chain { chain: u32, process: u16 },
}

/// All guests of a date.
#[derive(Debug, Default)]
pub(super) struct Guests {
    /// Sorted.
    pub list: Vec<Guest>,
    /// The number of each since its host's boot.
    numbers: OnceLock<Vec<u32>>,
}

impl Held for Guests {
    fn size(&self) -> usize {
        self.list.len()
    }
}

impl Guests {
    /// Keeps the numbers that a pass over the date's scripts has found.
    pub fn set_numbers(&self, numbers: Vec<u32>) {
        // Another pass has found the same.
        let _ = self.numbers.set(numbers);
    }

    /// Those of a host, as indices of the list.
    pub fn range(&self, host: HostId) -> Range<usize> {
        let from = self.list.partition_point(|guest| guest.host < host);
        let count = self.list[from..].partition_point(|guest| guest.host == host);
        from..from + count
    }
}

impl Scripts {
    /// Whether rows of a population may start processes on Windows.
    pub(super) fn has_guests(&self, category: u32, population: &Population) -> bool {
        match population.origin {
            Origin::Alerts => self.days.world.detections.starts[category as usize].is_some(),
            Origin::Noise { scenario, variant } => {
                let scenario = &self.days.catalog.scenarios[usize::from(scenario)];
                let records = &scenario.variants[usize::from(variant)].records;
                records.iter().any(|record| {
                    record.telemetry.is_start()
                        && record.telemetry.platform() == Some(Platform::Windows)
                })
            }
            _ => false,
        }
    }

    /// The guests of a date.
    pub(super) fn make_guests(&self, calendar: &Calendar, date: u32) -> Guests {
        let mut list = self.of_chains[date as usize].clone();
        let window = calendar.midnight(date)..calendar.midnight(date + 1);
        for (category, population) in &self.populations[date as usize] {
            self.each_start(calendar, (date, *category, population), |host, time| {
                if self.has_script(host) && window.contains(&time) {
                    list.push(Guest {
                        host,
                        time,
                        whose: Whose::Other,
                    });
                }
            });
        }
        list.sort_unstable();
        Guests {
            list,
            numbers: OnceLock::new(),
        }
    }

    /// Calls `each` with the host and the time of each process start of a population.
    fn each_start(
        &self,
        calendar: &Calendar,
        (date, category, population): (u32, u32, &Population),
        mut each: impl FnMut(HostId, i64),
    ) {
        let (world, catalog) = (&*self.days.world, &self.days.catalog);
        let Some(law) = population.law(calendar, date, category) else {
            return;
        };
        let key = population.rows_key(self.rows_key, date, category);
        let mut stream = key.rows();
        match population.origin {
            Origin::Alerts => {
                let Some(starts) = world.detections.starts[category as usize] else {
                    return;
                };
                let starting = population.starts_key(date, category);
                let rows = (0..).map(|nth| starts.row(starting, nth));
                for row in rows.take_while(|&row| row < population.rows) {
                    let time = law.time(row);
                    let words = stream.row(row);
                    each(host_of_alert(world, Platform::Windows, time, words), time);
                }
            }
            Origin::Noise { scenario, variant } => {
                let scenario = &catalog.scenarios[usize::from(scenario)];
                let v = &scenario.variants[usize::from(variant)];
                let runs = runs_key(key);
                for row in 0..population.rows {
                    let draw = match v.sequence {
                        Some(_) => 0,
                        None => stream.row(row)[0],
                    };
                    let mut turn = Turn::new(v, runs, &law, (row, 0), draw);
                    if turn.record.telemetry.is_start() {
                        turn.time = law.time(row);
                        each(turn.host(world, v), turn.time);
                    }
                }
            }
            _ => {}
        }
    }

    /// The number since the boot of a process that is a guest of its host's script, whose start is
    /// recorded at `time`. `None` if it is not, or the host has no scripts.
    pub fn number_of_guest(
        &self,
        calendar: &Calendar,
        host: HostId,
        time: i64,
        whose: Whose,
    ) -> Option<u32> {
        if !self.has_script(host) {
            return None;
        }
        let date = calendar.date_of(time);
        if date as usize >= self.rows.len() {
            return None;
        }
        let guests = self.guests(calendar, date);
        let at = guests
            .list
            .binary_search(&Guest { host, time, whose })
            .ok()?;
        let numbers = guests
            .numbers
            .get_or_init(|| self.run_all(calendar, date, &guests, |_| {}));
        Some(numbers[at])
    }
}

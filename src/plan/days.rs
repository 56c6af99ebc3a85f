//! The scripts of days as a population of the plan: their rows in order of time, and how many of them
//! are before a time.

mod guests;
mod kept;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use guests::Whose;
use guests::{Guest, Guests};
use kept::{Held, Kept};

use super::Population;
use super::calendar::Calendar;
use super::chains::Chains;
use crate::day::{Days, Minutes, Script, Segment, UNCOUNTED};
use crate::ids::{AccountId, HostId};
use crate::random::Key;
use crate::world::Process;

/// Rows of a date's scripts by minute: the number before each minute, and at the end all.
pub type Counts = Vec<u64>;

/// Microseconds.
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1_440 * MINUTE;

/// The draw of a run's administrator.
const ADMINISTRATOR: u64 = 1 << 50;

/// What the scripts of a date share.
#[derive(Debug)]
struct Shared {
    law: Minutes,
    /// Rows of each host, in the order of hosts.
    budgets: Vec<u32>,
    /// By host: the number of the first resident of the session that begins on the date, 0 if none does.
    sessions: Vec<u32>,
    /// By host: the first number of a process on the next date.
    next: Vec<u32>,
}

/// The scripts of all dates.
#[derive(Debug)]
pub struct Scripts {
    pub days: Days,
    /// By date: rows of all hosts together.
    rows: Vec<u64>,
    counts: Vec<OnceLock<Counts>>,
    shared: Vec<OnceLock<Shared>>,
    /// Index of each host among those that have scripts, by host.
    places: Vec<u32>,
    /// By date: the processes that chains start on hosts that have scripts.
    of_chains: Vec<Vec<Guest>>,
    /// By date: categories and populations whose rows may start processes on such hosts.
    populations: Vec<Vec<(u32, Population)>>,
    /// The key of rows.
    rows_key: Key,
    guests: Kept<Guests>,
    slices: Kept<Slice>,
}

/// One host's rows of a date.
pub struct HostDay<'s> {
    pub host: HostId,
    pub script: &'s Script,
}

/// A run of a routine that has rows in a slice.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub host: HostId,
    /// The administrator who works on the host, if one does.
    pub admin: AccountId,
    /// Index into the catalog's routines.
    pub routine: u16,
    pub key: Key,
    /// Index of its first process in [`Slice::processes`].
    pub processes: u32,
}

/// A row of a script.
#[derive(Debug, Clone, Copy)]
pub struct ScriptRow {
    /// `@timestamp`, and the time that the record gives; Unix microseconds.
    pub time: i64,
    pub native: i64,
    /// Index into [`Slice::runs`].
    pub run: u32,
    /// Index into the routine's steps, and which of the step's repetitions.
    pub step: u8,
    pub round: u8,
    /// The host's own port of a TCP connection that it opens; 0 for all other rows.
    pub port: u16,
}

/// The rows of a part of a date, in order of time.
#[derive(Debug, Default)]
pub struct Rows {
    /// The number of the date's rows before them.
    pub before: u64,
    /// Slices, and their rows that are of the part.
    parts: Vec<(Arc<Slice>, Range<usize>)>,
}

impl Rows {
    /// Each row with its slice.
    pub fn iter(&self) -> impl Iterator<Item = (&Slice, &ScriptRow)> {
        let parts = self.parts.iter();
        parts.flat_map(|(slice, own)| slice.rows[own.clone()].iter().map(|row| (&**slice, row)))
    }

    /// A row by its ordinal among them, and its slice.
    pub fn get(&self, ordinal: u64) -> Option<(&Slice, &ScriptRow)> {
        let mut at = ordinal as usize;
        for (slice, own) in &self.parts {
            if at < own.len() {
                return Some((slice, &slice.rows[own.start + at]));
            }
            at -= own.len();
        }
        None
    }
}

impl Held for Slice {
    fn size(&self) -> usize {
        self.rows.len()
    }
}

/// The rows of all hosts in a slice of a date, in order of time.
#[derive(Debug, Default)]
pub struct Slice {
    /// The number of the date's rows before them.
    pub before: u64,
    pub rows: Vec<ScriptRow>,
    pub runs: Vec<Run>,
    /// The processes that the runs start; those that are not born have the default.
    pub processes: Vec<Process>,
}

impl Scripts {
    /// `rows`: by date. `rows_key`: the settings' key of rows.
    pub(super) fn new(
        days: Days,
        rows: Vec<u64>,
        calendar: &Calendar,
        chains: &Chains,
        rows_key: Key,
    ) -> Self {
        let mut places = vec![u32::MAX; days.world.hosts.len()];
        for (place, &host) in (0..).zip(days.hosts()) {
            places[host.index()] = place;
        }
        let mut of_chains = vec![Vec::new(); rows.len()];
        for birth in chains.births(&days.catalog) {
            let date = calendar.date_of(birth.time) as usize;
            if date < rows.len() && places[birth.host.index()] != u32::MAX {
                of_chains[date].push(Guest {
                    host: birth.host,
                    time: birth.time,
                    whose: Whose::Chain {
                        chain: birth.chain,
                        process: birth.process as u16,
                    },
                });
            }
        }
        Scripts {
            days,
            counts: rows.iter().map(|_| OnceLock::new()).collect(),
            shared: rows.iter().map(|_| OnceLock::new()).collect(),
            populations: vec![Vec::new(); rows.len()],
            rows,
            places,
            of_chains,
            rows_key,
            guests: Kept::new(kept::KEPT_GUESTS),
            slices: Kept::new(kept::KEPT_ROWS),
        }
    }

    /// Adds a population of a date, whose rows may start processes on hosts that have scripts. All are
    /// added before a script runs.
    pub(super) fn add(&mut self, date: u32, category: u32, population: &Population) {
        if self.has_guests(category, population) {
            self.populations[date as usize].push((category, *population));
        }
    }

    fn has_script(&self, host: HostId) -> bool {
        self.places[host.index()] != u32::MAX
    }

    fn guests(&self, calendar: &Calendar, date: u32) -> Arc<Guests> {
        self.guests
            .get((date, 0), || self.make_guests(calendar, date))
    }

    /// What a date's scripts share. Its numbers of processes follow those of the dates before it.
    fn shared(&self, calendar: &Calendar, date: u32) -> &Shared {
        let cell = &self.shared[date as usize];
        cell.get().unwrap_or_else(|| {
            for earlier in 0..date {
                self.shared[earlier as usize].get_or_init(|| self.make_shared(calendar, earlier));
            }
            cell.get_or_init(|| self.make_shared(calendar, date))
        })
    }

    fn make_shared(&self, calendar: &Calendar, date: u32) -> Shared {
        let mut shared = Shared {
            law: calendar.minutes(date, Key::root(0).child("days")),
            budgets: self.days.budgets(date, self.rows[date as usize]),
            sessions: Vec::new(),
            next: Vec::new(),
        };
        let guests = self.guests(calendar, date);
        let mut segments = Vec::new();
        for &host in self.days.hosts() {
            let of_host = &guests.list[guests.range(host)];
            let next = self.segments((host, date), &shared, of_host, &mut segments);
            let session = segments.iter().find_map(|segment| segment.session);
            shared.sessions.push(session.unwrap_or(0));
            shared.next.push(next);
        }
        shared
    }

    /// The segments of a host's date. Returns the first number of the next date.
    fn segments(
        &self,
        (host, date): (HostId, u32),
        shared: &Shared,
        guests: &[Guest],
        segments: &mut Vec<Segment>,
    ) -> u32 {
        let Shared { law, budgets, .. } = shared;
        let place = self.places[host.index()] as usize;
        let rows = budgets[place];
        let earlier = date
            .checked_sub(1)
            .and_then(|date| self.shared[date as usize].get());
        let next = match earlier {
            Some(earlier) => earlier.next[place],
            None => self.days.first_number(host, law, rows),
        };
        let before = |time| guests.partition_point(|guest| guest.time < time);
        self.days
            .segments(host, law, (rows, next), before, segments)
    }

    /// The date of the window that a time is in, or is next to.
    fn date_of(&self, calendar: &Calendar, time: i64) -> u32 {
        let days = (time - calendar.midnight(0)).div_euclid(DAY);
        days.clamp(0, self.rows.len() as i64 - 1) as u32
    }

    /// The number since the boot of a resident of a session that began at `start` (Unix seconds), after the
    /// boot had settled.
    pub fn number_in_session(
        &self,
        calendar: &Calendar,
        host: HostId,
        start: i64,
        resident: usize,
    ) -> u32 {
        let place = self.places[host.index()] as usize;
        let time = start * 1_000_000;
        let date = self.date_of(calendar, time);
        let shared = self.shared(calendar, date);
        if time < shared.law.midnight {
            let rows = shared.budgets[place];
            let days = &self.days;
            return days.before_window(host, &shared.law, rows, start, resident);
        }
        shared.sessions[place] + resident as u32
    }

    /// A number since the boot for a process that starts at `time` and is not counted with the others: one
    /// of the date's last numbers. `bits` tell apart what one host starts in one second. `None` if the host
    /// has no scripts.
    pub fn uncounted(
        &self,
        calendar: &Calendar,
        host: HostId,
        time: i64,
        bits: u32,
    ) -> Option<u32> {
        let place = self.places[host.index()];
        if place == u32::MAX {
            return None;
        }
        let date = self.date_of(calendar, time);
        let next = self.shared(calendar, date).next[place as usize];
        Some(next - UNCOUNTED + bits % UNCOUNTED)
    }

    /// Writes the script of a host's date, whose guests are given.
    fn run_script(
        &self,
        calendar: &Calendar,
        (host, date): (HostId, u32),
        guests: &[Guest],
        script: &mut Script,
    ) {
        let shared = self.shared(calendar, date);
        let rows = shared.budgets[self.places[host.index()] as usize];
        let mut segments = Vec::new();
        self.segments((host, date), shared, guests, &mut segments);
        let times: Vec<i64> = guests.iter().map(|guest| guest.time).collect();
        let days = &self.days;
        days.script((host, date), &shared.law, rows, (&segments, &times), script);
    }

    /// Calls `each` with the script of every host that has rows on a date, in the order of hosts.
    pub fn each(&self, calendar: &Calendar, date: u32, each: impl FnMut(HostDay<'_>)) {
        let guests = self.guests(calendar, date);
        let numbers = self.run_all(calendar, date, &guests, each);
        guests.set_numbers(numbers);
    }

    /// Runs the script of every host that has rows or guests on a date, and calls `each` with those that
    /// have rows. Returns the numbers of the guests, in their order.
    fn run_all(
        &self,
        calendar: &Calendar,
        date: u32,
        guests: &Guests,
        mut each: impl FnMut(HostDay<'_>),
    ) -> Vec<u32> {
        let budgets = &self.shared(calendar, date).budgets;
        let mut script = Script::default();
        let mut numbers = vec![0; guests.list.len()];
        for (&host, &rows) in self.days.hosts().iter().zip(budgets) {
            let own = guests.range(host);
            if rows == 0 && own.is_empty() {
                continue;
            }
            let of_host = &guests.list[own.clone()];
            self.run_script(calendar, (host, date), of_host, &mut script);
            numbers[own].copy_from_slice(&script.guests);
            if rows > 0 {
                each(HostDay {
                    host,
                    script: &script,
                });
            }
        }
        numbers
    }

    /// The rows of a date in `from..to`.
    pub fn rows(&self, calendar: &Calendar, date: u32, from: i64, to: i64) -> Rows {
        let mut found = Rows::default();
        let bounds = self.bounds(calendar, date);
        for (number, bound) in bounds.windows(2).enumerate() {
            if bound[1] <= from || to <= bound[0] {
                continue;
            }
            let make = || self.slice(calendar, date, bound[0], bound[1]);
            let slice = self.slices.get((date, number as u32), make);
            let until = |time| slice.rows.partition_point(|row| row.time < time);
            let own = until(from)..until(to);
            if found.parts.is_empty() {
                found.before = slice.before + own.start as u64;
            }
            found.parts.push((slice, own));
        }
        found
    }

    /// The times between which a date's slices are: whole minutes, from midnight to midnight.
    fn bounds(&self, calendar: &Calendar, date: u32) -> Vec<i64> {
        let midnight = calendar.midnight(date);
        let mut bounds = vec![midnight];
        let rows = self.rows[date as usize];
        let most = kept::slice_rows(rows);
        if rows > most {
            let counts = self.counts(calendar, date);
            let mut next = most;
            for (minute, pair) in (0..).zip(counts.windows(2)) {
                if pair[1] > next && minute > 0 {
                    bounds.push(midnight + minute * MINUTE);
                    next = pair[0] + most;
                }
            }
        }
        bounds.push(calendar.midnight(date + 1));
        bounds
    }

    /// The slice of a date in `from..to`.
    fn slice(&self, calendar: &Calendar, date: u32, from: i64, to: i64) -> Slice {
        let mut found = Slice::default();
        let mut kept: Vec<u32> = Vec::new();
        self.each(calendar, date, |day| {
            let steps = &day.script.steps;
            let first = steps.partition_point(|step| step.log < from);
            let until = steps.partition_point(|step| step.log < to);
            found.before += first as u64;
            kept.clear();
            kept.resize(day.script.episodes.len(), u32::MAX);
            for step in &steps[first..until] {
                let episode = step.episode as usize;
                if kept[episode] == u32::MAX {
                    kept[episode] = found.runs.len() as u32;
                    let run = self.run(&day, episode, &mut found.processes);
                    found.runs.push(run);
                }
                found.rows.push(ScriptRow {
                    time: step.log,
                    native: step.native,
                    run: kept[episode],
                    step: step.step,
                    round: step.round,
                    port: step.port,
                });
            }
        });
        // Stable: rows of one time keep the order of hosts.
        found.rows.sort_by_key(|row| row.time);
        found
    }

    /// A run, whose processes are added to `processes`.
    fn run(&self, day: &HostDay<'_>, episode: usize, processes: &mut Vec<Process>) -> Run {
        let (world, catalog) = (&self.days.world, &self.days.catalog);
        let episode = &day.script.episodes[episode];
        let routine = &catalog.routines[usize::from(episode.routine)];
        let first = processes.len();
        processes.resize(first + routine.born, Process::default());
        let host = &world.hosts[day.host];
        let admin = world.administrator(day.host, episode.key.at(ADMINISTRATOR));
        for (number, &start) in routine.starts.iter().enumerate() {
            let birth = day.script.births[episode.births as usize + number];
            if birth.time == 0 {
                continue;
            }
            let record = &routine.steps[start].record;
            let account =
                world
                    .accounts
                    .resolve(&record.account, host.platform, day.host, host.user, admin);
            let image = record.image.unwrap_or_default();
            processes[first + number] = world.born(
                day.host,
                birth.time,
                (birth.number, birth.turn),
                image,
                account,
            );
        }
        Run {
            host: day.host,
            admin,
            routine: episode.routine,
            key: episode.key,
            processes: first as u32,
        }
    }

    /// Rows of a date before each minute.
    pub fn counts(&self, calendar: &Calendar, date: u32) -> &Counts {
        self.counts[date as usize].get_or_init(|| {
            let law = &self.shared(calendar, date).law;
            let mut counts = vec![0u64; law.count() + 1];
            self.each(calendar, date, |day| {
                for step in &day.script.steps {
                    let minute = (step.log - law.midnight).div_euclid(MINUTE) as usize;
                    counts[minute.min(law.count() - 1) + 1] += 1;
                }
            });
            let mut sum = 0;
            for count in &mut counts {
                sum += *count;
                *count = sum;
            }
            counts
        })
    }

    /// Rows of a date before a time. Whole minutes are counted once for all; for other times the
    /// scripts run again.
    pub fn before(&self, calendar: &Calendar, date: u32, time: i64) -> u64 {
        let minutes = (time - calendar.midnight(date)).max(0);
        let counts = self.counts(calendar, date);
        match counts.get((minutes / MINUTE) as usize) {
            None => counts[counts.len() - 1],
            Some(&before) if minutes % MINUTE == 0 => before,
            Some(_) => {
                let mut before = 0;
                self.each(calendar, date, |day| {
                    before += day.script.steps.partition_point(|step| step.log < time) as u64;
                });
                before
            }
        }
    }
}

#[cfg(test)]
mod tests;

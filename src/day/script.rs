//! Runs routines: one host's day in one pass.

use super::clock::{BUFFERED, FLUSH, Minutes, WRITTEN, lag, phase_of, tick};
use super::ordinals::{Segment, segment_of};
use super::{Days, Mix};
use crate::catalog::{Lives, Routine};
use crate::ids::HostId;
use crate::kinds::Stamp;
use crate::random::{Key, below, chance, log_uniform};
use crate::world::processes::{BIRTH_UNITS, LONGEST_BIRTH};

/// One run of a routine.
#[derive(Debug, Clone, Copy)]
pub struct Episode {
    /// Index into the catalog's routines.
    pub routine: u16,
    pub key: Key,
    /// Index of its first process in the script's births.
    pub births: u32,
}

/// A process that an episode starts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Birth {
    /// Unix microseconds; 0 if it is not born.
    pub time: i64,
    /// When the last record that names it is in the log, at most.
    pub gone: i64,
    /// Its number since the boot.
    pub number: u32,
    /// The place of its pid in the host's cycle of pids.
    pub turn: u16,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// When the record is in the log, and the time that it gives; Unix microseconds.
    pub log: i64,
    pub native: i64,
    pub episode: u32,
    /// Index into the routine's steps.
    pub step: u8,
    /// Which of the step's repetitions.
    pub round: u8,
    /// The host's own port of a TCP connection that it opens; 0 for all other rows.
    pub port: u16,
}

/// A host's day. It is used again for the next host, so that it seldom asks for memory.
#[derive(Debug, Default)]
pub struct Script {
    /// In the order of the log.
    pub steps: Vec<Step>,
    pub episodes: Vec<Episode>,
    pub births: Vec<Birth>,
    /// The numbers since the boot of the guests, in their order.
    pub guests: Vec<u32>,
    /// Births of each segment of the date.
    counts: Vec<u32>,
    /// Of the routine that runs: when its processes were last named, and when they end.
    last: Vec<i64>,
    end: Vec<i64>,
    order: Vec<u32>,
    /// By turn of the cycle of pids: until when a process holds it.
    held: Vec<i64>,
}

impl Script {
    fn clear(&mut self) {
        self.steps.clear();
        self.episodes.clear();
        self.births.clear();
        self.guests.clear();
        self.counts.clear();
    }
}

/// Draws of an episode, by its number.
const TIME: u64 = 0;
const NEAR: u64 = 1;
const GAP: u64 = 2;
const ROUTINE: u64 = 3;
const SCENE: u64 = 4;
const SMALL: u64 = 5;
/// Draws of a step: of the episode's key, by step.
const AFTER: u64 = 0;
const CHANCE: u64 = 1;
const TIMES: u64 = 2;
const EACH: u64 = 3;
const LIVES: u64 = 4;
const LAG: u64 = 5;
/// Draws of a host's day.
const NETWORK: u64 = 1 << 40;
const WORKED: u64 = 1 << 41;
const LUNCH: u64 = 1 << 42;
const PORTS: u64 = 1 << 43;
const PIDS: u64 = 1 << 44;

/// Share of episodes that come soon after another, per million: what happens on a host has causes that
/// make several things happen.
const SOON: u32 = 520_000;
/// How soon, in microseconds.
const SOON_AFTER: (u64, u64) = (150_000, 240_000_000);
/// The latest that records of the network are in the log, after what they tell of.
const LATEST: i64 = BUFFERED + FLUSH + 100_000;
/// A pid is free this long after the last record of its process, in microseconds: records may be logged late.
const FREED: i64 = 5_000_000;
/// First and number of the ports that Windows gives to clients.
const DYNAMIC_PORTS: (u64, u64) = (49_152, 16_384);
/// Least time between two records of a host in its logs, and what is added to it, in microseconds.
const APART: (i64, u64) = (8_000, 3_000);
/// No step begins in the last seconds of a date, so that its record is of the same date.
const MARGIN: i64 = 3_000_000;
/// Seconds of a working day, least and most.
const WORK: (u64, u64) = (7 * 3600, 9 * 3600 + 1800);

/// A host's date: what all of its episodes share.
struct Today<'d> {
    host: HostId,
    key: Key,
    law: &'d Minutes,
    /// When the user is at work; Unix microseconds.
    work: (i64, i64),
    lunch: (i64, i64),
    /// When a boot of the date takes over; what runs before it does not outlive it.
    boot: i64,
    segments: &'d [Segment],
}

impl Today<'_> {
    fn at_work(&self, time: i64) -> bool {
        (self.work.0..self.work.1).contains(&time) && !(self.lunch.0..self.lunch.1).contains(&time)
    }
}

impl Days {
    /// Writes the script of a host's date: `rows` rows.
    ///
    /// `segments`: its [segments](Days::segments). `guests`: when processes of others start on the host,
    /// ascending. They are counted like its own.
    pub fn script(
        &self,
        (host, date): (HostId, u32),
        law: &Minutes,
        rows: u32,
        (segments, guests): (&[Segment], &[i64]),
        script: &mut Script,
    ) {
        script.clear();
        script.counts.resize(segments.len(), 0);
        let today = self.today((host, date), law, segments);
        let mixes = self.mixes(self.world.hosts[host].role);
        let (mut number, mut last) = (0u64, i64::MIN);
        let mut left = rows;
        while left > 0 {
            let key = today.key.with(number);
            number += 1;
            let time = match chance(key.at(NEAR), SOON) && last != i64::MIN {
                true => last + log_uniform(key.at(GAP), SOON_AFTER.0, SOON_AFTER.1) as i64,
                false => law.draw(key.at(TIME)),
            };
            last = time;
            let mix = &mixes[usize::from(today.at_work(time))];
            let Some(routine) = self.fitting(mix, key, left) else {
                // A catalog has a routine of one row for every host.
                break;
            };
            left -= self.run(&today, time, routine, key.with(SCENE), script);
            // Where no more processes may start, single records fill the rest.
            if number > 8 * u64::from(rows) + 64 {
                self.fill(&today, mix, left, key, script);
                break;
            }
        }
        self.settle(&today, guests, script);
    }

    fn today<'d>(
        &self,
        (host, date): (HostId, u32),
        law: &'d Minutes,
        segments: &'d [Segment],
    ) -> Today<'d> {
        let key = self.key_of(host, date);
        let second = 1_000_000;
        let end = law.end() / second - 1;
        let session = self.world.session(host, end).start * second;
        let worked = WORK.0 + key.below(WORKED, WORK.1 - WORK.0);
        let work = (session, session + worked as i64 * second);
        let noon = session + (3 * 3600 + key.below(LUNCH, 5400) as i64) * second;
        let lunch = (
            noon,
            noon + (1500 + key.below(LUNCH + 1, 2400) as i64) * second,
        );
        let boot = self.world.settled_boot(host, end).start * second;
        Today {
            host,
            key,
            law,
            work,
            lunch,
            boot: boot + crate::world::SETTLED * second,
            segments,
        }
    }

    /// A routine with at most `left` rows.
    fn fitting(&self, mix: &Mix, key: Key, left: u32) -> Option<u16> {
        let most = |at: u16| self.catalog.routines[usize::from(at)].most;
        let drawn = mix.routines[mix.alias.as_ref()?.draw(key.at(ROUTINE))];
        if most(drawn) <= left {
            return Some(drawn);
        }
        let count = mix.by_size.partition_point(|&at| most(at) <= left);
        let nth = below(key.at(SMALL), count.max(1) as u64) as usize;
        mix.by_size.get(..count)?.get(nth).copied()
    }

    /// Runs `rows` single records.
    fn fill(&self, today: &Today<'_>, mix: &Mix, rows: u32, key: Key, script: &mut Script) {
        let routines = &self.catalog.routines;
        let single = (mix.by_size.iter()).find(|&&at| routines[usize::from(at)].is_single());
        let Some(&single) = single else { return };
        let mut done = 0;
        let mut number = 0;
        while done < rows {
            let key = key.with(FILLING | number);
            number += 1;
            done += self.run(today, today.law.draw(key.at(TIME)), single, key, script);
        }
    }

    /// Runs a routine from `time` on. Returns the number of its rows, 0 if it cannot run then.
    fn run(&self, today: &Today<'_>, time: i64, number: u16, key: Key, script: &mut Script) -> u32 {
        let routine = &self.catalog.routines[usize::from(number)];
        let until = match time < today.boot {
            true => today.boot.min(today.law.end() - MARGIN),
            false => today.law.end() - MARGIN,
        };
        if !(today.law.midnight..until).contains(&time) {
            return 0;
        }
        let (first_row, first_birth) = (script.steps.len(), script.births.len());
        script
            .births
            .resize(first_birth + routine.born, Birth::default());
        script.last.clear();
        script.last.resize(routine.born, 0);
        script.end.clear();
        script.end.resize(routine.born, i64::MAX);
        let episode = script.episodes.len() as u32;
        let mut now = time;
        for (at, step) in routine.steps.iter().enumerate() {
            let draws = key.with(at as u64);
            let is_end = at >= routine.steps.len() - routine.ends;
            if let Some(actor) = step.actor()
                && script.births[first_birth + actor].time == 0
            {
                continue;
            }
            if is_end {
                now = self.end_of(routine, at, draws, first_birth, script);
                if now < until {
                    push(script, episode, at, 0, now);
                }
                continue;
            }
            if step.chance < 1000 && !chance(draws.at(CHANCE), u32::from(step.chance) * 1000) {
                continue;
            }
            now += between(draws.at(AFTER), step.after);
            let (from, to) = step.times;
            let times = from + below(draws.at(TIMES), u64::from(to - from) + 1) as u8;
            for round in 0..times {
                if round > 0 {
                    now += between(draws.at2(EACH, u64::from(round)), step.each);
                }
                if now >= until {
                    break;
                }
                if let Some(born) = step.record.starts {
                    let segment = segment_of(today.segments, now);
                    if script.counts[segment] >= today.segments[segment].most {
                        undo(today, first_birth, script);
                        script.births.truncate(first_birth);
                        script.steps.truncate(first_row);
                        return 0;
                    }
                    script.counts[segment] += 1;
                    script.births[first_birth + born].time = now;
                    script.last[born] = now;
                }
                // What is written late must be in the log before the process ends.
                let seen = match step.record.telemetry.kind().stamp {
                    Stamp::Late => now + LATEST,
                    _ => now,
                };
                let mut named = step.actor();
                while let Some(process) = named {
                    script.last[process] = script.last[process].max(seen);
                    named = routine.parents[process];
                }
                push(script, episode, at, round, now);
            }
        }
        for (birth, (&last, &end)) in
            (script.births[first_birth..].iter_mut()).zip(script.last.iter().zip(&script.end))
        {
            birth.gone = match end {
                i64::MAX => last,
                end => end.max(last),
            };
        }
        let rows = (script.steps.len() - first_row) as u32;
        script.episodes.push(Episode {
            routine: number,
            key,
            births: first_birth as u32,
        });
        rows
    }

    /// When the process of an end step ends.
    fn end_of(
        &self,
        routine: &Routine,
        at: usize,
        draws: Key,
        first: usize,
        script: &mut Script,
    ) -> i64 {
        let Some(process) = routine.steps[at].actor() else {
            return i64::MAX;
        };
        let born = script.births[first + process].time;
        let end = match routine.steps[at].lives {
            Some(Lives::For(from, to)) => {
                (born + between(draws.at(LIVES), (from, to))).max(script.last[process] + 1)
            }
            Some(Lives::Last(from, to)) => {
                script.last[process].max(born) + between(draws.at(LIVES), (from, to))
            }
            Some(Lives::With(other)) => script.end[other],
            None => i64::MAX,
        };
        let end = match end - born <= LONGEST_BIRTH {
            true => end,
            false => i64::MAX,
        };
        script.end[process] = end;
        // Its parent has seen it end.
        let mut named = routine.parents[process];
        while let Some(above) = named.filter(|_| end != i64::MAX) {
            script.last[above] = script.last[above].max(end);
            named = routine.parents[above];
        }
        end
    }

    /// Stamps the rows, sorts them as they are logged, and numbers the births.
    fn settle(&self, today: &Today<'_>, guests: &[i64], script: &mut Script) {
        let phase = phase_of(self.key.with(u64::from(today.host)));
        let Script {
            steps,
            episodes,
            births,
            order,
            held,
            guests: numbers,
            ..
        } = script;
        // Stable: rows of one time keep the order of episodes, and that of their steps.
        steps.sort_by_key(|step| step.native);
        let routines = &self.catalog.routines;
        let mut written = 0;
        let mut ports = today.key.below(PORTS, DYNAMIC_PORTS.1);
        for (at, row) in steps.iter_mut().enumerate() {
            let episode = &episodes[row.episode as usize];
            let step = &routines[usize::from(episode.routine)].steps[usize::from(row.step)];
            let telemetry = step.record.telemetry;
            let time = row.native;
            let bits = episode
                .key
                .with(u64::from(row.step))
                .at2(LAG, u64::from(row.round));
            if step.takes_port {
                // One counter for the host; programs without records take a port now and then.
                ports += 1 + u64::from(bits & 15 == 0) * (1 + (bits >> 8 & 1));
                row.port = (DYNAMIC_PORTS.0 + ports % DYNAMIC_PORTS.1) as u16;
            }
            // One thread of the sensor writes all kinds of the kernel, in their order.
            match telemetry.kind().stamp {
                Stamp::Precise => {
                    written = (written + 20).max(time + lag(telemetry, bits));
                    row.log = written;
                }
                Stamp::Tick => {
                    row.native = tick(phase, time);
                    written = (written + 20).max(time + lag(telemetry, bits));
                    row.log = written;
                }
                Stamp::Late => {
                    let batch = time.div_euclid(FLUSH) + 1;
                    let late = today.key.below(NETWORK | batch as u64 & 0xff_ffff, WRITTEN) as i64;
                    row.log = batch * FLUSH + BUFFERED + late + at as i64 % 64 * 7;
                }
                Stamp::Log => {
                    row.log = time + below(bits, 900) as i64;
                }
            }
        }
        steps.sort_unstable_by_key(|step| (step.log, step.episode, step.step, step.round));
        // Each record has a number of its own in its log, and numbers follow the clock.
        // Where a host has more records than fit so, they are closer.
        let fits = (today.law.end() - today.law.midnight) / (8 * steps.len() as i64 + 1);
        let mut before = i64::MIN;
        for row in steps.iter_mut() {
            let apart = APART.0 + (today.key.at(row.log as u64) % APART.1) as i64;
            row.log = row.log.max(before.saturating_add(apart.min(fits)));
            before = row.log;
        }
        // None is of the next date.
        let mut after = today.law.end();
        for row in steps.iter_mut().rev() {
            if row.log < after {
                break;
            }
            row.log = after - 1;
            after = row.log;
        }
        // The number of a process counts the births of its host.
        order.clear();
        order.extend((0..births.len() as u32).filter(|&at| births[at as usize].time != 0));
        order.sort_unstable_by_key(|&at| (births[at as usize].time, at));
        let (mut segment, mut number) = (usize::MAX, 0);
        // Numbers the guests up to a time.
        let mut count = |until: i64, segment: &mut usize, number: &mut u32| {
            while let Some(&time) = guests.get(numbers.len()).filter(|&&time| time <= until) {
                enter(today.segments, time, segment, number);
                numbers.push(*number);
                *number += 1;
            }
        };
        held.clear();
        held.resize(BIRTH_UNITS as usize, i64::MIN);
        let mut turn = today.key.below(PIDS, held.len() as u64) as usize;
        for &at in &*order {
            let birth = &mut births[at as usize];
            count(birth.time, &mut segment, &mut number);
            enter(today.segments, birth.time, &mut segment, &mut number);
            birth.number = number;
            number += 1;
            // A pid is given again when its last process is gone.
            for _ in 0..held.len() {
                turn = (turn + 1) % held.len();
                if held[turn] < birth.time - FREED {
                    break;
                }
            }
            held[turn] = birth.gone;
            birth.turn = turn as u16;
        }
        count(i64::MAX, &mut segment, &mut number);
    }
}

/// Goes on to the segment that a time is in, whose numbers begin anew.
fn enter(segments: &[Segment], time: i64, segment: &mut usize, number: &mut u32) {
    let own = segment_of(segments, time);
    if own != *segment {
        (*segment, *number) = (own, segments[own].first);
    }
}

/// Marks the draws of single records that fill a day.
const FILLING: u64 = 1 << 48;

/// Takes back the births of a routine that cannot run.
fn undo(today: &Today<'_>, first: usize, script: &mut Script) {
    for birth in &script.births[first..] {
        if birth.time != 0 {
            script.counts[segment_of(today.segments, birth.time)] -= 1;
        }
    }
}

fn push(script: &mut Script, episode: u32, step: usize, round: u8, time: i64) {
    script.steps.push(Step {
        log: time,
        native: time,
        episode,
        step: step as u8,
        round,
        port: 0,
    });
}

/// A log-uniform time of a range, in microseconds.
#[inline]
fn between(bits: u64, (from, to): (u64, u64)) -> i64 {
    match to {
        0 => 0,
        _ => log_uniform(bits, from.max(1), to.max(from + 1)) as i64,
    }
}

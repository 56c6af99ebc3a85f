//! Makes frames: what every population kind needs, looked up once.

use std::convert::Infallible;
use std::sync::Arc;

use super::merge::Order;
use super::owners::Owners;
use super::{FRAME_ROWS, Frame, alerts::AlertTables, life::LifeTables, record::Recipes};
use crate::catalog::{Call, Catalog};
use crate::grounding::Profile;
use crate::plan::{Origin, Partition, Plan, Population, RowGroup};
use crate::random::Key;
use crate::world::World;

/// TCP's number among [`Vocabulary::protocols`].
pub(super) const TCP: i32 = 0;

/// Words that rows refer to by number.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// Transport protocols, lower case.
    pub protocols: Vec<String>,
    /// Application protocols.
    pub applications: Vec<String>,
    /// Syscall names with their x86_64 numbers.
    pub syscalls: Vec<(String, u32)>,
    /// Audit rule keys.
    pub audit_keys: Vec<String>,
    /// Sysmon's integrity levels; 0 is `-`.
    pub integrity: Vec<String>,
    /// `labels.noise_type`: the scenarios, then process life.
    pub noise_types: Vec<String>,
    /// What clouds and services can be asked, each way once.
    pub calls: Vec<Call>,
}

impl Vocabulary {
    fn new(catalog: &Catalog, profile: &Profile) -> Self {
        let mut vocabulary = Vocabulary {
            protocols: ["tcp", "udp", "icmp"].map(String::from).to_vec(),
            applications: Vec::new(),
            syscalls: Vec::new(),
            audit_keys: ["network_accept", "exec", "network_connect"]
                .map(String::from)
                .to_vec(),
            integrity: ["-", "Low", "Medium", "High", "System", "AppContainer"]
                .map(String::from)
                .to_vec(),
            calls: Vec::new(),
            noise_types: catalog.scenarios.iter().map(|s| s.name.clone()).collect(),
        };
        vocabulary.noise_types.push("process_life".into());
        for name in ["connect", "accept4", "execve"] {
            vocabulary
                .syscalls
                .push((name.into(), syscall_number(name)));
        }
        let records = super::record::all_records(catalog);
        for record in records {
            if let Some(connection) = &record.connection {
                intern(&mut vocabulary.protocols, &connection.protocol);
                if let Some(application) = &connection.application {
                    intern(&mut vocabulary.applications, application);
                }
            }
            if let Some(name) = &record.syscall
                && !vocabulary.syscalls.iter().any(|s| s.0 == *name)
            {
                vocabulary
                    .syscalls
                    .push((name.clone(), syscall_number(name)));
            }
            if let Some(call) = &record.call
                && !vocabulary.calls.contains(call)
            {
                vocabulary.calls.push(call.clone());
            }
            if let Some(key) = &record.key {
                intern(&mut vocabulary.audit_keys, key);
            }
        }
        for tuple in &profile.tuples {
            intern(&mut vocabulary.protocols, &tuple.protocol);
            if let Some(application) = &tuple.application {
                intern(&mut vocabulary.applications, application);
            }
        }
        vocabulary
    }
}

fn intern(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|w| w == word) {
        list.push(word.to_string());
    }
}

/// Position of a word, [`NONE`](super::NONE) if it isn't there.
pub(super) fn position(list: &[String], word: Option<&str>) -> i32 {
    word.and_then(|word| list.iter().position(|w| w == word))
        .map_or(super::NONE, |i| i as i32)
}

/// x86_64 syscall numbers of the names that audit rules watch.
fn syscall_number(name: &str) -> u32 {
    match name {
        "read" => 0,
        "write" => 1,
        "open" => 2,
        "connect" => 42,
        "accept" => 43,
        "bind" => 49,
        "execve" => 59,
        "kill" => 62,
        "rename" => 82,
        "unlink" => 87,
        "chmod" => 90,
        "fchmod" => 91,
        "chown" => 92,
        "ptrace" => 101,
        "setuid" => 105,
        "setgid" => 106,
        "mount" => 165,
        "init_module" => 175,
        "openat" => 257,
        "unlinkat" => 263,
        "renameat" => 264,
        "fchmodat" => 268,
        "accept4" => 288,
        "finit_module" => 313,
        "execveat" => 322,
        _ => 257,
    }
}

/// Makes the frames of row groups. Shared by all threads; holds no state of a row.
#[derive(Debug)]
pub struct Maker {
    pub plan: Arc<Plan>,
    pub world: Arc<World>,
    pub catalog: Arc<Catalog>,
    pub vocabulary: Vocabulary,
    pub(super) key: Key,
    pub(super) owners: Owners,
    pub(super) recipes: Recipes,
    pub(super) alerts: AlertTables,
    pub(super) life: LifeTables,
}

impl Maker {
    /// Looks everything up that rows will need.
    pub fn new(
        plan: Arc<Plan>,
        world: Arc<World>,
        catalog: Arc<Catalog>,
        profile: &Profile,
    ) -> Self {
        let vocabulary = Vocabulary::new(&catalog, profile);
        Maker {
            key: Key::root(plan.config.seed).child("rows"),
            owners: Owners::new(&catalog),
            recipes: Recipes::new(&catalog, &vocabulary),
            alerts: AlertTables::new(&world, &catalog, profile, &vocabulary),
            life: LifeTables::new(&catalog, &world),
            vocabulary,
            plan,
            world,
            catalog,
        }
    }

    /// Key of a population's rows on a date.
    fn population_key(&self, date: u32, category: u32, population: &Population) -> Key {
        let name = population.key(category).at(0);
        self.key.with(u64::from(date)).with(name)
    }

    /// The frames of a row group, in order of time.
    pub fn frames(&self, partition: &Partition, group: &RowGroup, mut each: impl FnMut(Frame)) {
        let Ok(()) = self.try_frames(partition, group, |frame| {
            each(frame);
            Ok::<(), Infallible>(())
        });
    }

    /// The same, up to the first that `each` refuses.
    ///
    /// # Errors
    /// What `each` returns.
    pub fn try_frames<E>(
        &self,
        partition: &Partition,
        group: &RowGroup,
        mut each: impl FnMut(Frame) -> Result<(), E>,
    ) -> Result<(), E> {
        let order = Order::new(&self.plan, partition, group);
        let mut first = 0;
        while first < order.rows.len() {
            let last = (first + FRAME_ROWS).min(order.rows.len());
            each(self.frame(partition, group, &order, first..last))?;
            first = last;
        }
        Ok(())
    }

    /// One frame: rows `range` of an ordered row group.
    pub fn frame(
        &self,
        partition: &Partition,
        group: &RowGroup,
        order: &Order,
        range: std::ops::Range<usize>,
    ) -> Frame {
        let rows = &order.rows[range.clone()];
        let sequence = partition.sequence(group.first + range.start as u64);
        let mut frame = Frame::new(rows.len(), partition.category, sequence, self);
        for (slot, row) in frame.time.iter_mut().zip(rows) {
            *slot = row.time;
        }
        let mut counts = vec![0; partition.populations.len()];
        for row in rows {
            counts[usize::from(row.population)] += 1;
        }
        let mut of_population: Vec<_> = counts.into_iter().map(Vec::with_capacity).collect();
        for (at, row) in rows.iter().enumerate() {
            of_population[usize::from(row.population)].push(at);
        }
        for (p, population) in partition.populations.iter().enumerate() {
            let key = self.population_key(partition.date, partition.category, population);
            let mine = of_population[p].iter().map(|&at| (at, &rows[at]));
            let law = order.laws[p].as_ref();
            match (population.origin, law) {
                (Origin::Alerts, _) => {
                    let starts = population.starts_key(partition.date, partition.category);
                    self.fill_alerts(&mut frame, key, starts, mine);
                }
                (
                    Origin::Exits {
                        category, alerts, ..
                    },
                    Some(law),
                ) => {
                    let alerts = Population {
                        origin: Origin::Alerts,
                        rows: alerts,
                    };
                    let key = self.population_key(partition.date, category, &alerts);
                    self.fill_exits(&mut frame, key, category, law, mine);
                }
                (Origin::Noise { scenario, variant }, Some(law)) => {
                    self.fill_noise(&mut frame, key, scenario.into(), variant.into(), law, mine);
                }
                (Origin::Life { class }, Some(law)) => {
                    self.fill_life(&mut frame, key, class, law, false, mine);
                }
                (Origin::Ends { class, day, .. }, Some(law)) => {
                    let starts = Population {
                        origin: Origin::Life { class },
                        ..*population
                    };
                    let date = partition.date - u32::from(day);
                    let key = self.population_key(date, partition.category, &starts);
                    self.fill_life(&mut frame, key, class, law, true, mine);
                }
                (Origin::Chains, _) => self.fill_chains(&mut frame, &order.chain_events, mine),
                // Only chains are without a law.
                (_, None) => {}
            }
        }
        frame
    }
}

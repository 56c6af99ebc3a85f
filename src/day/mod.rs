//! A host's day as a script: which routines it runs, when each of their steps happens, and which
//! processes they start.
//!
//! The script of (host, date) is a pure function of its key and the number of its rows. It has
//! exactly that many rows, in the order of the host's logs. Routines are drawn by the host's role and
//! by whether its user is at work; their steps follow each other as the catalog says. No row is
//! rendered here.

mod budget;
mod clock;
mod ordinals;
mod script;

use std::sync::Arc;

use crate::catalog::{Catalog, HostClass, Routine, When};
use crate::ids::HostId;
use crate::random::{Alias, Key};
use crate::world::World;
use crate::world::hosts::{ROLES, Role};

pub use clock::{Minutes, lag};
pub use ordinals::{Segment, UNCOUNTED, segment_of};
pub use script::{Birth, Episode, Script, Step};

/// The routines of one role, for hosts whose user is at work, or not.
#[derive(Debug, Clone, Default)]
struct Mix {
    routines: Vec<u16>,
    alias: Option<Alias>,
    /// The routines by their most rows, least first: the last rows of a day are filled from its front.
    by_size: Vec<u16>,
    /// More births than are likely among 1,024 rows.
    births: u32,
}

impl Mix {
    fn new(catalog: &Catalog, role: Role, wanted: impl Fn(When) -> bool) -> Self {
        let fits = |routine: &Routine| runs_on(routine.hosts, role) && wanted(routine.when);
        let all = &catalog.routines;
        let routines: Vec<u16> = (0..all.len() as u16)
            .filter(|&at| fits(&all[usize::from(at)]))
            .collect();
        let weights: Vec<u64> = (routines.iter())
            .map(|&at| u64::from(all[usize::from(at)].weight))
            .collect();
        let mut by_size = routines.clone();
        by_size.sort_by_key(|&at| all[usize::from(at)].most);
        let sum = |of: &dyn Fn(&Routine) -> u64| -> u64 {
            let weighted =
                |&at: &u16| u64::from(all[usize::from(at)].weight) * of(&all[usize::from(at)]);
            routines.iter().map(weighted).sum()
        };
        // Half of the most rows is less than a run has on average.
        let births = 2_048 * sum(&|r| r.born as u64) / sum(&|r| r.most.into()).max(1);
        Mix {
            births: births as u32,
            alias: (!routines.is_empty()).then(|| Alias::new(&weights)),
            routines,
            by_size,
        }
    }
}

/// Whether Windows hosts of a role are of a class.
fn runs_on(class: HostClass, role: Role) -> bool {
    let own = match role {
        Role::Workstation => HostClass::Workstation,
        Role::DomainController => HostClass::DomainController,
        Role::BackupServer => HostClass::BackupServer,
        Role::JumpHost => HostClass::JumpHost,
        Role::MailServer => HostClass::MailServer,
        Role::DatabaseServer => HostClass::DatabaseServer,
        Role::FileServer => HostClass::FileServer,
        _ => HostClass::WindowsServer,
    };
    class.covers(own, crate::catalog::Platform::Windows)
}

/// Everything that scripts need.
#[derive(Debug)]
pub struct Days {
    pub world: Arc<World>,
    pub catalog: Arc<Catalog>,
    key: Key,
    /// By role: while no user is at work, and while one is.
    mixes: Vec<[Mix; 2]>,
}

fn index_of(role: Role) -> usize {
    ROLES.iter().position(|&known| known == role).unwrap_or(0)
}

impl Days {
    pub fn new(key: Key, world: Arc<World>, catalog: Arc<Catalog>) -> Self {
        let mixes = ROLES.map(|role| {
            [
                Mix::new(&catalog, role, |when| when != When::Session),
                Mix::new(&catalog, role, |when| when != When::Idle),
            ]
        });
        Days {
            world,
            catalog,
            key,
            mixes: mixes.to_vec(),
        }
    }

    /// The hosts that have scripts.
    pub fn hosts(&self) -> &[HostId] {
        self.world.class(HostClass::Windows)
    }

    /// The mixes of a role: while no user is at work, and while one is.
    fn mixes(&self, role: Role) -> &[Mix; 2] {
        &self.mixes[index_of(role)]
    }

    /// The last system tick of a host before a time, both in Unix microseconds.
    #[inline]
    pub fn tick(&self, host: HostId, time: i64) -> i64 {
        clock::tick(clock::phase_of(self.key.with(u64::from(host))), time)
    }

    fn key_of(&self, host: HostId, date: u32) -> Key {
        self.key.with(u64::from(host)).with(u64::from(date))
    }
}

//! Logon sessions: no two accounts of a host share a number, and numbers rise with time.

use std::collections::{BTreeMap, BTreeSet};

use fusiongen::Generator;
use fusiongen::catalog::Platform;
use fusiongen::ids::{AccountId, HostId};
use fusiongen::plan::Config;
use fusiongen::world::Boot;
use fusiongen::world::users::ROOT;
use fusiongen::world::{Purpose, Session, World};

fn made(events: u64, assets: u32) -> Generator {
    let config = Config {
        events,
        assets: Some(assets),
        days: 30,
        ..Config::default()
    };
    Generator::builder().config(config).build().unwrap()
}

/// Accounts that may log on to a host outside chains.
fn visitors(world: &World, host: HostId) -> BTreeSet<AccountId> {
    let accounts = &world.accounts;
    let administrators = (0..400).map(|i: u64| world.administrator(host, i << 55 | i << 9));
    let mut all: BTreeSet<AccountId> = administrators.collect();
    all.extend(accounts.services().iter());
    all.insert(world.hosts[host].user);
    match world.hosts[host].platform {
        Platform::Linux => drop(all.insert(ROOT)),
        Platform::Windows => {
            all.extend(accounts.users().iter().take(200));
            all.extend(world.hosts.ids().map(|h| accounts.machine(h)));
        }
    }
    all
}

fn visit(world: &World, host: HostId, boot: Boot, time: i64, account: AccountId) -> Session {
    world.logon(host, boot, time, account, Purpose::Visit)
}

#[test]
fn no_two_accounts_share_a_number() {
    for assets in [60, 3000] {
        let generator = made(10_000, assets);
        let world = generator.world();
        let step = (world.hosts.len() / 12).max(1);
        for host in world.hosts.ids().step_by(step) {
            let boot = world.boot(host, world.start + 86_400);
            let mut whose: BTreeMap<u64, AccountId> = BTreeMap::new();
            for second in (600..1200).step_by(7).chain((80_000..80_400).step_by(11)) {
                let time = boot.start + second;
                let desk = world.session(host, time);
                assert!(desk.start <= time && desk.start >= boot.start);
                let user = world.hosts[host].user;
                assert_eq!(*whose.entry(desk.id).or_insert(user), user);
                for account in visitors(world, host) {
                    let session = visit(world, host, boot, time, account);
                    assert!((boot.start..=time).contains(&session.start));
                    assert_eq!(
                        *whose.entry(session.id).or_insert(account),
                        account,
                        "{host:?}, {second} s after its boot"
                    );
                    let chain = Purpose::Chain {
                        slot: world.session_slot(host, boot, time),
                    };
                    let chain = world.logon(host, boot, time, account, chain);
                    assert!(
                        !whose.contains_key(&chain.id),
                        "a chain shares its session with ordinary life"
                    );
                }
            }
        }
    }
}

#[test]
fn numbers_rise_with_time_and_stay_small() {
    for assets in [60, 3000] {
        let generator = made(10_000, assets);
        let world = generator.world();
        let (mut linux, mut windows) = (0, 0);
        for (host, asset) in world.hosts.ids().zip(&world.hosts.all) {
            let boot = world.boot(host, world.start + 86_400);
            let account = asset.user;
            let at = |time: i64| visit(world, host, boot, time, account);
            let mut before = at(boot.start);
            let (least, most) = match asset.platform {
                Platform::Linux => (1..200, 1 << 24),
                Platform::Windows => (0x2_0000..0x10_0000, 1 << 32),
            };
            assert!(least.contains(&before.id), "{}", before.id);
            for day in 1..29 {
                let now = at(boot.start + day * 86_400);
                assert!(now.id > before.id && now.id < most, "{}", now.id);
                assert!(now.start > before.start);
                before = now;
            }
            match asset.platform {
                Platform::Linux => linux += 1,
                Platform::Windows => windows += 1,
            }
        }
        assert!(linux > 5 && windows > 20);
    }
}

#[test]
fn no_two_chains_share_a_slot_of_a_host() {
    let generator = made(400_000, 60);
    let (plan, world) = (generator.plan(), generator.world());
    let mut taken = BTreeSet::new();
    let mut shared = 0;
    for chain in &plan.chains.all {
        assert_eq!(chain.session_slots.len(), chain.hosts.len());
        let arrivals = chain.arrivals.iter().zip(&chain.session_slots);
        for (&host, (arrival, &slot)) in chain.hosts.iter().zip(arrivals) {
            let seconds = arrival.div_euclid(1_000_000);
            let boot = world.boot(host, seconds);
            assert!(slot >= world.session_slot(host, boot, seconds));
            assert!(
                taken.insert((host, boot.number, slot)),
                "{host:?}, slot {slot}"
            );
            shared += 1;
        }
        // The accounts of one chain have distinct sessions too.
        let host = chain.hosts[0];
        let boot = world.boot(host, chain.arrivals[0].div_euclid(1_000_000));
        let slot = chain.session_slots[0];
        let mut accounts = vec![chain.user, chain.admin, world.accounts.machine(host)];
        accounts.extend(world.accounts.services().iter());
        let ids: BTreeSet<u64> = accounts
            .iter()
            .map(|&a| {
                world
                    .logon(host, boot, boot.start, a, Purpose::Chain { slot })
                    .id
            })
            .collect();
        assert_eq!(ids.len(), accounts.len());
    }
    assert!(shared > 50, "{shared}");
}

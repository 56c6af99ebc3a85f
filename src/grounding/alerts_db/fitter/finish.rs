//! Builds the profile from the counts.
//!
//! Everything is sorted here, so that the order of maps does not matter. This module counts no
//! alerts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::rc::Rc;

use super::{ByteKey, Cell, CellKey, ClientPort, Fitter, Service, Sides};
use crate::grounding::alerts_db::reservoir::Reservoir;
use crate::grounding::alerts_db::tally::{Counted, Lost, Tally};
use crate::grounding::profile::{
    ByteTable, CLIENT_PORT_LIMIT, POOL_LIMIT, PROFILE_VERSION, Profile, SeverityScale, TUPLE_LIMIT,
    Tuple,
};
use crate::grounding::severity::{Hints, Severity, choose};

/// The rule for hours: minimum alerts per day, minimum number of such days, and the window in days.
const HOURS_ALERTS: u64 = 50;
const HOURS_DAYS: usize = 14;
const HOURS_WINDOW: i64 = 60;

/// Inputs of a fit besides the counts.
pub(in super::super) struct Finish<'a> {
    pub table: &'a str,
    pub hints: Hints,
    /// The scale that the user chose.
    pub scale: Option<SeverityScale>,
    /// The table has a time column that was not understood; another note says so.
    pub is_time_unread: bool,
}

impl Fitter {
    /// Number of alerts with a signature.
    pub(in super::super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of rows without a signature.
    pub(in super::super) fn unnamed(&self) -> u64 {
        self.unnamed
    }

    /// Whether any row has a protocol.
    pub(in super::super) fn has_protocol(&self) -> bool {
        self.seen.protocol
    }

    /// Builds the profile; [`Fitter::rows`] must not be 0.
    pub(in super::super) fn finish(mut self, how: Finish<'_>) -> Profile {
        self.spread_ports();
        self.cells.keep(TUPLE_LIMIT);
        let hours = self.hours();
        let mut missing = self.missing(&hours, how.is_time_unread);
        let (severity_scale, severity_reason) = self.scale(&how);
        let tuples = tuples(
            self.cells.take(),
            self.client_ports.take(),
            &self.techniques,
            severity_scale,
        );
        let scale = severity_scale.numbers();
        let odd: u64 = tuples
            .iter()
            .filter(|tuple| tuple.severity.is_some_and(|it| !scale.contains(&it)))
            .map(|tuple| tuple.count)
            .sum();
        if odd > 0 {
            missing.push(format!(
                "severity: {odd} alerts have a number that is not on the scale {} to {}, and get no severity word",
                scale.start(),
                scale.end()
            ));
        }
        let (external_clients, external_services) = split_external(&self.external);
        let [lost_clients, lost_services] = self.external.lost();
        let (internal_client_addresses, internal_clients) =
            ranked(&self.internal, |sides| sides.client);
        let (internal_service_addresses, internal_services) =
            ranked(&self.internal, |sides| sides.service);
        let mut profile = Profile {
            version: PROFILE_VERSION,
            rows: self.rows,
            table: how.table.to_string(),
            missing,
            severity_scale,
            severity_reason,
            unseen_clients_ppm: unseen_ppm(&external_clients, lost_clients),
            unseen_services_ppm: unseen_ppm(&external_services, lost_services),
            external_clients: named(external_clients),
            external_services: named(external_services),
            internal_clients,
            internal_services,
            internal_client_addresses,
            internal_service_addresses,
            multicast: named(self.groups.take().into_iter().collect()),
            bytes: byte_tables(self.bytes.take()),
            tuples,
            hours: hours.ok(),
        };
        profile.sort();
        profile
    }

    /// The scale that the user chose, or the one inferred from columns and values.
    fn scale(&self, how: &Finish<'_>) -> (SeverityScale, String) {
        let mut seen: BTreeMap<Severity, u64> = BTreeMap::new();
        for (key, cell) in self.cells.iter() {
            if let Some(severity) = key.combination.severity {
                *seen.entry(severity).or_default() += cell.count;
            }
        }
        match how.scale {
            Some(scale) => (scale, String::new()),
            None => choose(&how.hints, &seen),
        }
    }

    /// Alerts by hour, if a window has enough days with enough alerts: those of the window with the most
    /// such days, and the earliest of equals. Otherwise the maximum number of such days in a window.
    fn hours(&self) -> Result<Vec<u64>, usize> {
        let busy: Vec<i64> = self
            .days
            .iter()
            .filter(|(_, hours)| hours.iter().sum::<u64>() >= HOURS_ALERTS)
            .map(|(day, _)| *day)
            .collect();
        let mut best: Option<(usize, i64)> = None;
        let mut end = 0;
        for (start, &first) in busy.iter().enumerate() {
            while end < busy.len() && busy[end] - first < HOURS_WINDOW {
                end += 1;
            }
            if best.is_none_or(|(most, _)| end - start > most) {
                best = Some((end - start, first));
            }
        }
        let Some((_, first)) = best.filter(|(days, _)| *days >= HOURS_DAYS) else {
            return Err(best.map_or(0, |(days, _)| days));
        };
        let mut total = vec![0; 24];
        for hours in self.days.range(first..first + HOURS_WINDOW).map(|it| it.1) {
            for (sum, hour) in total.iter_mut().zip(hours) {
                *sum += hour;
            }
        }
        Ok(total)
    }

    /// Notes about what the database lacks, and what is used instead.
    fn missing(&self, hours: &Result<Vec<u64>, usize>, is_time_unread: bool) -> Vec<String> {
        let seen = &self.seen;
        let facts = [
            (
                seen.signature_id,
                "signature_id: no rule has an id of its own",
            ),
            (
                seen.category,
                "category: none, what gets none elsewhere is uncategorized",
            ),
            (
                seen.severity,
                "severity: none, what gets none elsewhere has no severity word",
            ),
            (
                seen.protocol,
                "protocol: guessed from the application and the service port, else tcp",
            ),
            (
                seen.application,
                "application protocol: none, services follow from ports alone",
            ),
            (
                seen.direction,
                "direction: unknown, the destination is taken for the server",
            ),
            (seen.action, "action: every alert counts as allowed"),
            (
                seen.client_address,
                "client addresses: no pool of clients, none are drawn from here",
            ),
            (
                seen.service_address,
                "server addresses: no pool of servers, none are drawn from here",
            ),
            (
                seen.client_port,
                "client ports: all are drawn from the client's ephemeral range",
            ),
            (seen.service_port, "service ports: none"),
            (
                seen.bytes,
                "bytes: no sizes of flows, the built-in ones are taken",
            ),
            (
                seen.time || is_time_unread,
                "timestamp: no hours of the day",
            ),
        ];
        let mut sentences: Vec<String> = facts
            .iter()
            .filter(|(known, _)| !known)
            .map(|(_, sentence)| sentence.to_string())
            .collect();
        if let (true, Err(days)) = (seen.time, hours) {
            sentences.push(format!(
                "hours of the day: {days} days within {HOURS_WINDOW} have {HOURS_ALERTS} alerts or \
                 more, {HOURS_DAYS} are needed"
            ));
        }
        let [tuples, _] = self.cells.lost();
        if tuples.count > 0 {
            sentences.push(format!(
                "tuples: only the {} most frequent are kept; {} of {} alerts were of rarer ones",
                self.cells.len(),
                tuples.count,
                self.rows
            ));
        }
        let pools = [&self.external, &self.internal].map(|pool| {
            let [clients, services] = pool.lost();
            clients.count + services.count
        });
        let sightings = pools[0] + pools[1] + self.groups.lost()[0].count;
        if sightings > 0 {
            sentences.push(format!(
                "addresses: too many different ones; {sightings} sightings of the rarest were left out"
            ));
        }
        sentences
    }
}

fn tuples(
    cells: HashMap<CellKey, Cell>,
    client_ports: HashMap<(u64, u16), ClientPort>,
    techniques: &HashMap<Rc<str>, BTreeSet<String>>,
    scale: SeverityScale,
) -> Vec<Tuple> {
    // A port that was dropped and then seen again may belong to no cell; such ports are never read.
    let mut ports: HashMap<u64, Vec<(u16, u64)>> = HashMap::new();
    for ((cell, port), seen) in client_ports {
        if seen.several {
            ports.entry(cell).or_default().push((port, seen.count));
        }
    }
    cells
        .into_iter()
        .map(
            |(
                CellKey {
                    combination,
                    service,
                },
                cell,
            )| {
                let mut client_ports = ports.remove(&cell.number).unwrap_or_default();
                client_ports.sort_by_key(|&(port, count)| (std::cmp::Reverse(count), port));
                client_ports.truncate(CLIENT_PORT_LIMIT);
                let techniques = techniques.get(&combination.signature);
                let text = |text: Rc<str>| text.to_string();
                Tuple {
                    techniques: techniques.into_iter().flatten().cloned().collect(),
                    signature: text(combination.signature),
                    signature_id: combination.signature_id,
                    category: combination.category.map(text),
                    severity: combination.severity.and_then(|it| scale.number(it)),
                    protocol: text(combination.protocol),
                    application: combination.application.map(text),
                    direction: combination.direction,
                    action: match combination.blocked {
                        true => "blocked".to_string(),
                        false => "allowed".to_string(),
                    },
                    service_port: match service {
                        Service::Port(port) => Some(port),
                        Service::None | Service::Spread => None,
                    },
                    spread_ports: service == Service::Spread,
                    count: cell.count,
                    ends: cell.ends,
                    client_ports,
                }
            },
        )
        .collect()
}

type Pool = Vec<(IpAddr, u64)>;

/// Assigns each public address, with all its occurrences, to the side where it was seen more often
/// (clients if equal).
fn split_external(external: &Tally<IpAddr, Sides>) -> (Pool, Pool) {
    let (mut clients, mut services) = (Vec::new(), Vec::new());
    for (&address, sides) in external.iter() {
        let pool = match sides.side() {
            0 => &mut clients,
            _ => &mut services,
        };
        pool.push((address, sides.count()));
    }
    (clients, services)
}

/// Good–Turing estimate of the chance that the next draw shows a new address: the share of draws
/// whose address was seen only once. In millionths.
fn unseen_ppm(pool: &Pool, lost: Lost) -> u32 {
    let draws: u128 = pool.iter().map(|&(_, count)| u128::from(count)).sum();
    let draws = draws + u128::from(lost.count);
    let singles = pool.iter().filter(|&&(_, count)| count == 1).count() as u128;
    let singles = singles + u128::from(lost.singles);
    (singles * 1_000_000).checked_div(draws).unwrap_or(0) as u32
}

/// Sorted by descending count, then by address; at most [`POOL_LIMIT`].
fn top_pool(mut pool: Pool) -> Pool {
    pool.sort_by_key(|&(address, count)| (std::cmp::Reverse(count), address));
    pool.truncate(POOL_LIMIT);
    pool
}

fn named(pool: Pool) -> Vec<(String, u64)> {
    top_pool(pool)
        .into_iter()
        .map(|(address, count)| (address.to_string(), count))
        .collect()
}

fn ranked(
    internal: &Tally<IpAddr, Sides>,
    side: impl Fn(&Sides) -> u64,
) -> (Vec<String>, Vec<u64>) {
    let pool: Pool = internal
        .iter()
        .map(|(&address, sides)| (address, side(sides)))
        .filter(|&(_, count)| count > 0)
        .collect();
    named(pool).into_iter().unzip()
}

fn byte_tables(reservoirs: HashMap<ByteKey, Reservoir>) -> Vec<ByteTable> {
    reservoirs
        .into_iter()
        .map(|((protocol, application), reservoir)| ByteTable {
            protocol: protocol.to_string(),
            application: application.map(|name| name.to_string()),
            pairs: reservoir.quantiles(),
        })
        .collect()
}

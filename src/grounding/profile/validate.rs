//! Validation of profiles.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::*;
use crate::grounding::alerts_db::value::is_technique;
use crate::grounding::shown;

impl Profile {
    /// Checks the invariants of the types, because a profile may have been edited:
    ///
    /// 1. There are tuples; counts are positive, and all sums are below 2⁶³.
    /// 2. Texts are not empty, not too long and free of control characters.
    /// 3. `ends` and client ports sum to at most `count`; ports are not 0; spread ports
    ///    and a service port exclude each other.
    /// 4. Addresses are valid, and each external one is in one pool only. There are as many addresses
    ///    as ranks, or none.
    /// 5. There are byte tables; each has 1 to 64 pairs in ascending order of their sum, each sum positive.
    /// 6. Hours are 24 counts, not all 0; shares are at most a million.
    ///
    /// # Errors
    /// [`Error::Input`] that names `path`, the first invalid place and a remedy.
    pub fn validate(&self, path: &Path) -> Result<()> {
        self.first_fault().map_or(Ok(()), |(place, problem)| {
            Err(Error::input(
                path,
                place,
                problem,
                "correct it there, or fit it again: fusiongen profile --alerts-db F -o profile.json",
            ))
        })
    }

    fn first_fault(&self) -> Option<(String, String)> {
        let at = |place: &str, problem: &str| Some((place.to_string(), problem.to_string()));
        if self.version != PROFILE_VERSION {
            return at("version", "is not the version of this program");
        }
        if !is_clean(&self.table) {
            return at("table", "is longer than 1 KiB or has control characters");
        }
        if !self.missing.iter().all(|sentence| is_clean(sentence)) {
            return at(
                "missing",
                "a sentence is longer than 1 KiB or has control characters",
            );
        }
        if !is_clean(&self.severity_reason) {
            return at(
                "severity_reason",
                "is longer than 1 KiB or has control characters",
            );
        }
        if self.tuples.is_empty() {
            return at("tuples", "there are no tuples, so there is nothing to draw");
        }
        let faulty = self
            .tuples
            .iter()
            .enumerate()
            .find_map(|(index, tuple)| tuple.fault().map(|problem| (index, problem)));
        if let Some((index, problem)) = faulty {
            let signature = shown(&self.tuples[index].signature);
            return at(&format!("tuple {} ({signature})", index + 1), problem);
        }
        if !is_countable(self.tuples.iter().map(|tuple| tuple.count)) {
            return at("tuples", "the counts sum to 2⁶³ or more");
        }
        let pools = [
            ("external_clients", &self.external_clients),
            ("external_services", &self.external_services),
            ("multicast", &self.multicast),
        ];
        for (name, pool) in pools {
            if let Some((address, _)) = pool.iter().find(|it| it.0.parse::<IpAddr>().is_err()) {
                return at(name, &format!("{} is not an address", shown(address)));
            }
            if pool.iter().any(|&(_, count)| count == 0) {
                return at(name, "a count is 0");
            }
            if !is_countable(pool.iter().map(|&(_, count)| count)) {
                return at(name, "the counts sum to 2⁶³ or more");
            }
        }
        let mut external = BTreeSet::new();
        for (address, _) in self.external_clients.iter().chain(&self.external_services) {
            if !external.insert(address) {
                return at(
                    "external_clients and external_services",
                    &format!("{address} is listed twice"),
                );
            }
        }
        let ranks = [
            (
                "internal_clients",
                &self.internal_clients,
                &self.internal_client_addresses,
            ),
            (
                "internal_services",
                &self.internal_services,
                &self.internal_service_addresses,
            ),
        ];
        for (name, counts, addresses) in ranks {
            if counts.contains(&0) {
                return at(name, "a count is 0");
            }
            if !is_countable(counts.iter().copied()) {
                return at(name, "the counts sum to 2⁶³ or more");
            }
            if !addresses.is_empty() && addresses.len() != counts.len() {
                return at(
                    name,
                    "the number of addresses differs from the number of ranks",
                );
            }
            if let Some(bad) = addresses.iter().find(|it| it.parse::<IpAddr>().is_err()) {
                return at(name, &format!("{} is not an address", shown(bad)));
            }
        }
        if self.unseen_clients_ppm.max(self.unseen_services_ppm) > 1_000_000 {
            return at(
                "unseen_clients_ppm or unseen_services_ppm",
                "is above a million",
            );
        }
        if self.bytes.is_empty() {
            return at(
                "bytes",
                "there are no byte tables, so flows would have no size",
            );
        }
        for table in &self.bytes {
            if let Some(problem) = table.fault() {
                let application = table.application.as_deref().unwrap_or("any application");
                return at(
                    &format!(
                        "bytes of {}, {}",
                        shown(&table.protocol),
                        shown(application)
                    ),
                    problem,
                );
            }
        }
        match &self.hours {
            Some(hours) if hours.len() != 24 => at("hours", "there must be 24"),
            Some(hours) if hours.iter().all(|&count| count == 0) => at("hours", "all are 0"),
            Some(hours) if !is_countable(hours.iter().copied()) => {
                at("hours", "the counts sum to 2⁶³ or more")
            }
            _ => None,
        }
    }
}

impl Tuple {
    fn fault(&self) -> Option<&'static str> {
        let ends = [
            self.ends.internal_internal,
            self.ends.internal_external,
            self.ends.external_internal,
            self.ends.external_external,
            self.ends.multicast,
        ];
        let faults = [
            (self.count == 0, "the count is 0"),
            (
                self.signature.is_empty() || !is_clean(&self.signature),
                "the signature is empty, longer than 1 KiB or has control characters",
            ),
            (
                !self.category.as_deref().is_none_or(is_clean),
                "the category is longer than 1 KiB or has control characters",
            ),
            (
                !is_word(&self.protocol) || !self.application.as_deref().is_none_or(is_word),
                "protocol and application must be short lower-case words",
            ),
            (
                self.action != "allowed" && self.action != "blocked",
                "the action must be `allowed` or `blocked`",
            ),
            (
                self.service_port == Some(0) || self.client_ports.iter().any(|it| it.0 == 0),
                "a port is 0",
            ),
            (
                self.spread_ports && self.service_port.is_some(),
                "a service port and spread_ports exclude each other",
            ),
            (
                !sums_to_at_most(&ends, self.count),
                "the ends sum to more than the count",
            ),
            (
                !sums_to_at_most(self.client_ports.iter().map(|(_, count)| count), self.count),
                "the client ports sum to more than the count",
            ),
            (
                !self.techniques.iter().all(|id| is_technique(id)),
                "a technique is not an ATT&CK id such as T1021.002",
            ),
        ];
        faults.iter().find(|(broken, _)| *broken).map(|it| it.1)
    }
}

impl Ends {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Ends) {
        self.internal_internal += other.internal_internal;
        self.internal_external += other.internal_external;
        self.external_internal += other.external_internal;
        self.external_external += other.external_external;
        self.multicast += other.multicast;
    }
}

impl ByteTable {
    fn fault(&self) -> Option<&'static str> {
        let sum = |&(up, down): &(u64, u64)| u128::from(up) + u128::from(down);
        let faults = [
            (
                !is_word(&self.protocol) || !self.application.as_deref().is_none_or(is_word),
                "protocol and application must be short lower-case words",
            ),
            (
                self.pairs.is_empty() || self.pairs.len() > PAIR_LIMIT,
                "there must be 1 to 64 pairs",
            ),
            (
                self.pairs.iter().any(|pair| pair == &(0, 0)),
                "a pair is 0 and 0",
            ),
            (
                self.pairs.iter().any(|pair| sum(pair) >= 1 << 63),
                "a pair sums to 2⁶³ or more",
            ),
            (
                !self.pairs.is_sorted_by_key(sum),
                "the pairs are not in ascending order of their sum",
            ),
        ];
        faults.iter().find(|(broken, _)| *broken).map(|it| it.1)
    }
}

fn is_clean(text: &str) -> bool {
    text.len() <= TEXT_LIMIT && !text.chars().any(char::is_control)
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
}

fn is_countable(counts: impl Iterator<Item = u64>) -> bool {
    counts.map(u128::from).sum::<u128>() < 1 << 63
}

fn sums_to_at_most<'a>(counts: impl IntoIterator<Item = &'a u64>, most: u64) -> bool {
    counts.into_iter().map(|&it| u128::from(it)).sum::<u128>() <= u128::from(most)
}

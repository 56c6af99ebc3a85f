//! Fills facts that a table lacks completely, from the built-in profile.
//!
//! A rule fires on the same ports, and belongs to the same category, wherever it runs.
//! So if a table has no column (or only nulls) for a fact, a tuple takes the fact from the related
//! built-in tuples: those with the same rule id, else the same signature, else the same category.
//! The tuple is split among them by their counts. Without related tuples, words in the rule name
//! identify the service (`ssh`, `nginx`); otherwise the tuple is unchanged. This module reads no
//! table.

use std::collections::BTreeMap;

use crate::grounding::profile::{Direction, Ends, Profile, TUPLE_LIMIT, Tuple};

/// Maximum parts of a split tuple: the most frequent services of its related tuples.
const PARTS: usize = 8;

/// Protocol, application, direction, port, and whether ports are spread.
type Service<'a> = (&'a str, Option<&'a str>, Direction, Option<u16>, bool);

/// Fills in a fitted profile, and lists that in [`Profile::missing`]. If the table names protocols
/// (`has_protocol`), tuples with another protocol are not related.
pub(super) fn complete(profile: &mut Profile, has_protocol: bool) {
    let built_in = Profile::embedded();
    let lacks = Lacks::of(profile);
    if lacks.nothing() {
        return;
    }
    let kin = Kin::of(&built_in);
    let (mut from_kin, mut by_words, mut alerts) = (0, 0, 0);
    let mut completed = Vec::with_capacity(profile.tuples.len());
    let mut room = TUPLE_LIMIT.saturating_sub(profile.tuples.len());
    for mut tuple in std::mem::take(&mut profile.tuples) {
        let donors: Vec<&Tuple> = kin
            .find(&tuple)
            .iter()
            .copied()
            .filter(|donor| !has_protocol || donor.protocol == tuple.protocol)
            .collect();
        alerts += tuple.count;
        if donors.is_empty() {
            if lacks.ports && name_service(&mut tuple, has_protocol) {
                by_words += tuple.count;
            }
            completed.push(tuple);
            continue;
        }
        from_kin += tuple.count;
        if lacks.category {
            tuple.category = most(&donors, |donor| donor.category.clone());
        }
        if lacks.severity && profile.severity_scale == built_in.severity_scale {
            tuple.severity = most(&donors, |donor| donor.severity);
        }
        if !lacks.ports {
            if lacks.ends {
                tuple.ends = ends(&donors, tuple.count);
            }
            completed.push(tuple);
            continue;
        }
        let parts = split(tuple, &donors, lacks, room);
        room = room.saturating_sub(parts.len() - 1);
        completed.extend(parts);
    }
    profile.tuples = completed;
    profile.sort();
    if from_kin > 0 {
        profile.missing.push(format!(
            "{}: taken from the built-in profile's same rule or category for {from_kin} of {alerts} alerts",
            lacks.names()
        ));
    }
    if by_words > 0 {
        profile.missing.push(format!(
            "services: named by words of the rule, such as ssh, for {by_words} of {alerts} alerts"
        ));
    }
}

/// Words in rule names, and the service that they identify: transport, application, port.
const SERVICES: [(&[&str], &str, &str, u16); 19] = [
    (&["ssh", "sshd", "openssh"], "tcp", "ssh", 22),
    (&["rdp", "mstsc", "terminal"], "tcp", "rdp", 3389),
    (&["smb", "cifs", "samba", "psexec"], "tcp", "smb", 445),
    (&["ftp", "vsftpd", "proftpd", "pureftpd"], "tcp", "ftp", 21),
    (&["telnet", "telnetd"], "tcp", "telnet", 23),
    (
        &["smtp", "postfix", "exim", "sendmail", "sasl"],
        "tcp",
        "smtp",
        25,
    ),
    (&["imap", "dovecot", "cyrus"], "tcp", "imap", 143),
    (&["pop3", "pop"], "tcp", "pop3", 110),
    (&["dns", "named", "bind", "dga"], "udp", "dns", 53),
    (&["snmp"], "udp", "snmp", 161),
    (&["ldap"], "tcp", "ldap", 389),
    (&["mysql", "mysqld", "mariadb"], "tcp", "mysql", 3306),
    (&["postgres", "postgresql", "pgsql"], "tcp", "pgsql", 5432),
    (&["mssql"], "tcp", "tds", 1433),
    (&["vnc"], "tcp", "rfb", 5900),
    (&["sip", "voip", "asterisk"], "udp", "sip", 5060),
    (&["winrm", "wsman"], "tcp", "http", 5985),
    (&["https", "tls", "ssl"], "tcp", "tls", 443),
    (
        &[
            "http",
            "nginx",
            "apache",
            "apache2",
            "httpd",
            "iis",
            "web",
            "wordpress",
            "wp",
            "url",
            "xss",
            "sqli",
            "sql",
            "php",
            "crawl",
            "crawler",
            "cve",
            "traversal",
            "admin",
            "useragent",
        ],
        "tcp",
        "http",
        80,
    ),
];

/// Gives a tuple without ports the service that its words identify. Transports from the table are kept.
fn name_service(tuple: &mut Tuple, has_protocol: bool) -> bool {
    let text = format!(
        "{} {}",
        tuple.signature,
        tuple.category.as_deref().unwrap_or("")
    );
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let named = SERVICES
        .iter()
        .find(|(names, ..)| words.iter().any(|word| names.contains(word)))
        .filter(|(_, protocol, ..)| !has_protocol || *protocol == tuple.protocol);
    // A detection without a flow comes from an endpoint and has no service.
    let Some((_, protocol, application, port)) = named.filter(|_| tuple.ends != Ends::default())
    else {
        return false;
    };
    tuple.protocol = protocol.to_string();
    tuple
        .application
        .get_or_insert_with(|| application.to_string());
    tuple.service_port = Some(*port);
    true
}

/// The facts that no tuple has.
#[derive(Debug, Clone, Copy)]
struct Lacks {
    category: bool,
    severity: bool,
    ports: bool,
    ends: bool,
    direction: bool,
}

impl Lacks {
    fn of(profile: &Profile) -> Self {
        let none = |has: fn(&Tuple) -> bool| !profile.tuples.iter().any(has);
        Lacks {
            category: none(|tuple| tuple.category.is_some()),
            severity: none(|tuple| tuple.severity.is_some()),
            ports: none(|tuple| tuple.service_port.is_some() || tuple.spread_ports),
            ends: none(|tuple| tuple.ends != Ends::default()),
            direction: none(|tuple| tuple.direction != Direction::Unknown),
        }
    }

    /// Missing directions alone do not matter: the destination is the server.
    fn nothing(self) -> bool {
        !(self.category || self.severity || self.ports || self.ends)
    }

    fn names(self) -> String {
        let names = [
            (self.category, "category"),
            (self.severity, "severity"),
            (self.ports, "services"),
            (self.ends, "sides of flows"),
        ];
        let names: Vec<&str> = names.iter().filter(|it| it.0).map(|it| it.1).collect();
        names.join(", ")
    }
}

/// The built-in tuples by rule id, signature and category.
struct Kin<'a> {
    by_id: BTreeMap<u64, Vec<&'a Tuple>>,
    by_signature: BTreeMap<String, Vec<&'a Tuple>>,
    by_category: BTreeMap<String, Vec<&'a Tuple>>,
}

impl<'a> Kin<'a> {
    fn of(profile: &'a Profile) -> Self {
        let mut kin = Kin {
            by_id: BTreeMap::new(),
            by_signature: BTreeMap::new(),
            by_category: BTreeMap::new(),
        };
        for tuple in &profile.tuples {
            if let Some(id) = tuple.signature_id {
                kin.by_id.entry(id).or_default().push(tuple);
            }
            let signature = tuple.signature.to_lowercase();
            kin.by_signature.entry(signature).or_default().push(tuple);
            if let Some(category) = &tuple.category {
                let category = category.to_lowercase();
                kin.by_category.entry(category).or_default().push(tuple);
            }
        }
        kin
    }

    fn find(&self, tuple: &Tuple) -> &[&'a Tuple] {
        let by_id = || self.by_id.get(&tuple.signature_id?);
        let by_signature = || self.by_signature.get(&tuple.signature.to_lowercase());
        let by_category = || {
            self.by_category
                .get(&tuple.category.as_ref()?.to_lowercase())
        };
        by_id()
            .or_else(by_signature)
            .or_else(by_category)
            .map_or(&[], Vec::as_slice)
    }
}

/// The most frequent value among the donors; of equally frequent ones the smallest.
fn most<T: Ord>(donors: &[&Tuple], value: impl Fn(&Tuple) -> Option<T>) -> Option<T> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for donor in donors {
        if let Some(value) = value(donor) {
            *counts.entry(value).or_default() += donor.count;
        }
    }
    let best = counts.values().max().copied()?;
    counts
        .into_iter()
        .find(|(_, count)| *count == best)
        .map(|it| it.0)
}

/// Splits a tuple into one per service of the donors, in proportion to their counts.
fn split(tuple: Tuple, donors: &[&Tuple], lacks: Lacks, room: usize) -> Vec<Tuple> {
    let mut services: BTreeMap<Service<'_>, Vec<&Tuple>> = BTreeMap::new();
    for &donor in donors {
        let service = (
            donor.protocol.as_str(),
            donor.application.as_deref(),
            donor.direction,
            donor.service_port,
            donor.spread_ports,
        );
        services.entry(service).or_default().push(donor);
    }
    let weight = |donors: &[&Tuple]| donors.iter().map(|it| u128::from(it.count)).sum::<u128>();
    let mut services: Vec<_> = services.into_iter().collect();
    services.sort_by_key(|(_, donors)| std::cmp::Reverse(weight(donors)));
    services.truncate(PARTS.min(room + 1));
    let total: u128 = services.iter().map(|(_, donors)| weight(donors)).sum();
    let (mut below, mut given) = (0, 0);
    let mut parts = Vec::with_capacity(services.len());
    for ((protocol, application, direction, service_port, spread_ports), donors) in services {
        below += weight(&donors);
        let upto = (u128::from(tuple.count) * below / total) as u64;
        let count = upto - given;
        given = upto;
        if count == 0 {
            continue;
        }
        parts.push(Tuple {
            protocol: protocol.to_string(),
            application: application
                .map(str::to_string)
                .or_else(|| tuple.application.clone()),
            direction: match lacks.direction {
                true => direction,
                false => tuple.direction,
            },
            service_port,
            spread_ports,
            count,
            ends: match lacks.ends {
                true => ends(&donors, count),
                false => share(&tuple.ends, count, tuple.count),
            },
            client_ports: Vec::new(),
            ..tuple.clone()
        });
    }
    parts
}

/// The donors' ends, scaled to a count.
fn ends(donors: &[&Tuple], count: u64) -> Ends {
    let mut sum = Ends::default();
    donors.iter().for_each(|donor| sum.add(&donor.ends));
    let all: u64 = donors.iter().map(|donor| donor.count).sum();
    share(&sum, count, all)
}

/// `ends · count / whole`, rounded down, but never all 0.
fn share(ends: &Ends, count: u64, whole: u64) -> Ends {
    let part = |end: u64| (u128::from(end) * u128::from(count) / u128::from(whole.max(1))) as u64;
    let mut shared = Ends {
        internal_internal: part(ends.internal_internal),
        internal_external: part(ends.internal_external),
        external_internal: part(ends.external_internal),
        external_external: part(ends.external_external),
        multicast: part(ends.multicast),
    };
    if shared == Ends::default() {
        let slots = [
            (ends.internal_internal, &mut shared.internal_internal),
            (ends.internal_external, &mut shared.internal_external),
            (ends.external_internal, &mut shared.external_internal),
            (ends.external_external, &mut shared.external_external),
            (ends.multicast, &mut shared.multicast),
        ];
        if let Some((1.., slot)) = slots.into_iter().max_by_key(|(end, _)| *end) {
            *slot = count;
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(signature: &str, category: Option<&str>, count: u64) -> Profile {
        let mut profile = Profile::embedded();
        profile.missing.clear();
        profile.tuples = vec![Tuple {
            signature: signature.to_string(),
            signature_id: None,
            category: category.map(str::to_string),
            severity: None,
            protocol: "tcp".to_string(),
            application: None,
            direction: Direction::Unknown,
            action: "allowed".to_string(),
            service_port: None,
            spread_ports: false,
            count,
            ends: Ends::default(),
            client_ports: Vec::new(),
            techniques: Vec::new(),
        }];
        profile
    }

    #[test]
    fn a_known_signature_brings_its_category_severity_and_services() {
        let built_in = Profile::embedded();
        let known = built_in
            .tuples
            .iter()
            .find(|it| it.service_port.is_some() && it.category.is_some())
            .expect("a tuple with a port");
        let mut profile = bare(&known.signature, None, 10_000);
        complete(&mut profile, false);
        profile.validate(std::path::Path::new("p")).expect("valid");
        assert_eq!(
            profile.tuples.iter().map(|it| it.count).sum::<u64>(),
            10_000
        );
        assert!(
            profile
                .tuples
                .iter()
                .all(|it| it.category == known.category)
        );
        assert!(profile.tuples.iter().all(|it| it.severity.is_some()));
        assert!(
            profile
                .tuples
                .iter()
                .any(|it| it.service_port == known.service_port)
        );
        assert!(profile.tuples.iter().all(|it| it.ends != Ends::default()));
        assert!(
            profile.missing[0].ends_with("for 10000 of 10000 alerts"),
            "{:?}",
            profile.missing
        );
    }

    #[test]
    fn a_category_is_the_next_best_and_a_stranger_stays() {
        let mut profile = bare("nobody knows it", Some("web application attack"), 1_000);
        complete(&mut profile, true);
        let web: u64 = profile
            .tuples
            .iter()
            .filter(|it| matches!(it.service_port, Some(80 | 443 | 8080)))
            .map(|it| it.count)
            .sum();
        assert!(web > 500, "{web}");
        assert!(
            profile.tuples.len() <= PARTS && profile.tuples.iter().all(|it| it.protocol == "tcp")
        );

        let mut stranger = bare("nobody knows it", Some("nor this"), 5);
        let before = stranger.clone();
        complete(&mut stranger, false);
        assert_eq!(stranger, before);
    }

    #[test]
    fn what_is_there_is_not_touched() {
        let mut profile = Profile::embedded();
        complete(&mut profile, true);
        assert_eq!(profile, Profile::embedded());
    }
}

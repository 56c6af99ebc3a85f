//! Protocols directly on IP: their names in alerts databases and profiles, and IANA's numbers.

/// IANA's number and the name, lower case.
const TRANSPORTS: &[(u8, &str)] = &[
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipip"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (88, "eigrp"),
    (89, "ospf"),
    (103, "pim"),
    (112, "vrrp"),
    (115, "l2tp"),
    (132, "sctp"),
    (136, "udplite"),
];

/// Prefix of the name of an unnamed number: `proto-253`.
const UNNAMED: &str = "proto-";

/// Protocols that have no ports.
pub fn is_portless(protocol: &str) -> bool {
    !matches!(protocol, "tcp" | "udp" | "sctp")
}

/// The name of an IANA number; `None` outside 0..=255.
pub fn name(number: i64) -> Option<String> {
    let number = u8::try_from(number).ok()?;
    let known = TRANSPORTS.iter().find(|(known, _)| *known == number);
    Some(known.map_or_else(|| format!("{UNNAMED}{number}"), |(_, name)| (*name).into()))
}

/// The IANA number of a name that [`name`] returns, or of another common name; `None` for other words.
pub fn number(name: &str) -> Option<u8> {
    let name = match name {
        "tcp6" => "tcp",
        "udp6" => "udp",
        "icmpv6" | "icmp6" => "ipv6-icmp",
        name => name,
    };
    match TRANSPORTS.iter().find(|(_, known)| *known == name) {
        Some((number, _)) => Some(*number),
        None => name.strip_prefix(UNNAMED)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_name_and_every_name_its_number() {
        for value in 0..=u8::MAX {
            let name = name(i64::from(value)).unwrap();
            assert_eq!(number(&name), Some(value), "{name}");
        }
        assert_eq!(name(132).as_deref(), Some("sctp"));
        assert_eq!(number("icmpv6"), Some(58));
        assert_eq!((name(256), name(-1)), (None, None));
        assert_eq!((number("http"), number("proto-256")), (None, None));
    }
}

//! Names that ntopng's interface shows for its numbers.

/// Name of a category of alerts (`alert_category` of `flow_alerts`).
pub(super) fn category(number: u64) -> Option<&'static str> {
    const NAMES: [&str; 7] = [
        "other",
        "security",
        "internals",
        "network",
        "system",
        "ids_ips",
        "active_monitoring",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|index| NAMES.get(index).copied())
}

/// Name of a kind of flow alert, for tables without ntopng's JSON record.
pub(super) fn flow_alert(id: u64) -> Option<&'static str> {
    Some(match id {
        11 => "longlived flow",
        12 => "low goodput ratio",
        13 => "blacklisted server contact",
        16 => "remote to remote flow",
        19 => "tcp packets issues",
        20 => "tcp connection refused",
        21 => "tcp severe connection issues",
        22 => "tls certificate expired",
        23 => "tls certificate mismatch",
        24 => "tls old protocol version",
        25 => "tls unsafe ciphers",
        26 => "udp unidirectional flow",
        27 => "web mining",
        28 => "tls certificate selfsigned",
        29 => "binary application transfer",
        30 => "known protocol on non standard port",
        32 => "unexpected dhcp server",
        33 => "unexpected dns server",
        34 => "unexpected smtp server",
        35 => "unexpected ntp server",
        36 => "zero tcp window",
        37 => "iec invalid transition",
        38 => "remote to local insecure protocol",
        39 => "possible xss in url",
        40 => "possible sql injection in url",
        41 => "possible rce injection in url",
        42 => "http suspicious user agent",
        43 => "http numeric ip host",
        44 => "http suspicious url",
        45 => "http suspicious header",
        46 => "tls not carrying https",
        47 => "suspicious dga domain",
        55 => "iec unexpected type id",
        56 => "tcp no data exchanged",
        57 => "remote access",
        58 => "lateral movement",
        59 => "periodicity changed",
        67 => "broadcast non udp traffic",
        74 => "iec invalid command transition",
        _ => return None,
    })
}

//! Parses the names of hosts in inventories.

use std::net::IpAddr;

/// NetBIOS names have at most 15 characters.
const NETBIOS: usize = 15;

/// A label of a domain name has at most 63.
const LABEL: usize = 63;

/// The note for a shortened name.
pub(super) const CUT: &str = "Windows name cut to 15 characters";

/// A name and its repair: note, problem, remedy.
pub(super) struct Host {
    pub hostname: String,
    pub repaired: Option<(&'static str, &'static str, &'static str)>,
}

const CHARACTER: (&str, &str) = (
    "has a character other than letters (A-Z), digits and hyphens",
    "write the NetBIOS name, such as WKS-002, without domain",
);

const LONG: (&str, &str) = (
    "is longer than 15 characters",
    "write the NetBIOS name, which has at most 15",
);

/// The host that a cell names; the error is the problem and a remedy.
pub(super) fn host(
    cell: &str,
    is_windows: bool,
) -> std::result::Result<Host, (&'static str, &'static str)> {
    let is_parting = |c: char| matches!(c, '|' | ';' | ',' | '\n' | '\r' | '\t');
    let mut parts = cell.split(is_parting).map(str::trim);
    let first = parts.find(|part| !part.is_empty()).unwrap_or_default();
    if first.parse::<IpAddr>().is_ok() {
        return Err(("is an address", "write the host's name"));
    }
    let bare = first.rsplit('\\').next().unwrap_or(first);
    let bare = bare.strip_suffix('$').unwrap_or(bare);
    let label = bare.split('.').next().unwrap_or(bare).trim();
    // `Ana's MacBook` has the hostname `Anas-MacBook`.
    let mut hostname: String = label.chars().filter(|c| !matches!(c, '\'' | '’')).collect();
    let is_spaced = hostname.contains(' ') || hostname.len() != label.len();
    if is_spaced {
        hostname = hostname.split_whitespace().collect::<Vec<_>>().join("-");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if hostname.is_empty() || !hostname.bytes().all(allowed) {
        return Err(CHARACTER);
    }
    if !hostname.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err(("has no letter or digit", "write the host's name"));
    }
    let with = |what, (problem, remedy)| Some((what, problem, remedy));
    if is_windows && hostname.len() > NETBIOS {
        hostname.truncate(NETBIOS);
        return Ok(Host {
            hostname,
            repaired: with(CUT, LONG),
        });
    }
    if hostname.len() > LABEL {
        return Err((
            "is longer than 63 characters",
            "write the first label of the host's name",
        ));
    }
    let repaired = match () {
        () if first != cell.trim() => with("first of several hostnames used", CHARACTER),
        () if label != first => with("domain removed from the hostname", CHARACTER),
        () if is_spaced => with("blanks in the hostname replaced by hyphens", CHARACTER),
        () => None,
    };
    Ok(Host { hostname, repaired })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(cell: &str, is_windows: bool) -> Option<(String, bool)> {
        let host = host(cell, is_windows).ok()?;
        Some((host.hostname, host.repaired.is_some()))
    }

    #[test]
    fn names_with_one_meaning_are_repaired() {
        for (cell, hostname) in [
            ("app01.corp.example", "app01"),
            ("app01.", "app01"),
            ("CORP\\WKS-1", "WKS-1"),
            ("WKS-1$", "WKS-1"),
            ("one|two", "one"),
            ("one.corp.example\ntwo", "one"),
            ("Ana's MacBook Pro", "Anas-MacBook-Pro"),
        ] {
            assert_eq!(
                name(cell, false),
                Some((hostname.to_string(), true)),
                "{cell}"
            );
        }
    }

    #[test]
    fn only_windows_names_are_cut() {
        let long = "prod-payments-api-eu-01";
        assert_eq!(name(long, false), Some((long.to_string(), false)));
        assert_eq!(
            name(long, true),
            Some(("prod-payments-a".to_string(), true))
        );
        assert_eq!(
            name("ktx_db_01", true),
            Some(("ktx_db_01".to_string(), false))
        );
        assert_eq!(name(&"x".repeat(64), false), None);
    }

    #[test]
    fn addresses_and_other_texts_are_no_names() {
        for cell in ["10.0.0.1", "fe80::1", "", "*", "BÜRO-1", "a/b", "-", "."] {
            assert_eq!(name(cell, false), None, "{cell}");
        }
    }
}

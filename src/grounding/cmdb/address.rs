//! Parses the addresses of hosts in inventories.

use std::net::{IpAddr, Ipv4Addr};

/// Problem and remedy.
type Refusal = (&'static str, &'static str);

/// An address, and the note of its repair.
pub(super) struct Found {
    pub address: IpAddr,
    pub repaired: Option<&'static str>,
}

/// One plain private IPv4 address.
pub(super) fn strict(cell: &str) -> Result<Ipv4Addr, Refusal> {
    let address = match cell.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => {
            return Err(("is IPv6", "give the host's private IPv4 address"));
        }
        Err(_) => {
            return Err((
                "is not an IPv4 address",
                "write one address such as 10.0.4.9, without prefix length or port",
            ));
        }
    };
    if !address.is_private() {
        return Err((
            "is not private",
            "give the host's inside address, in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
        ));
    }
    if is_edge(address) {
        return Err((
            "ends in 0 or 255, which are a network and a broadcast address",
            "give the host an address between",
        ));
    }
    Ok(address)
}

fn is_edge(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [.., 0 | 255])
}

/// A network in the inventory.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Net {
    base: u32,
    mask: u32,
}

impl Net {
    fn of(address: Ipv4Addr, prefix: u32) -> Net {
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let base = address.to_bits() & mask;
        Net { base, mask }
    }

    /// Whether the address is in the network, but is neither its first nor its last address.
    fn has_host(self, address: Ipv4Addr) -> bool {
        let bits = address.to_bits();
        let is_inside = bits & self.mask == self.base;
        let host = bits & !self.mask;
        // In a /31, both addresses are hosts.
        is_inside && (self.mask.leading_ones() >= 31 || (host != 0 && host != !self.mask))
    }
}

/// Networks with more than 256 addresses, from the file itself.
#[derive(Default)]
pub(super) struct Nets(Vec<Net>);

impl Nets {
    /// Maximum number of networks; more would add little.
    const MOST: usize = 4096;

    /// Adds the networks of an address cell and its mask.
    pub fn learn(&mut self, cell: &str, mask: Option<&str>) {
        if !cell.contains('/') && mask.is_none() {
            return;
        }
        for token in tokens(cell).filter_map(|text| Token::of(text, mask)) {
            let (IpAddr::V4(address), Some(prefix @ 8..24)) = (token.address, token.prefix) else {
                continue;
            };
            let net = Net::of(address, prefix);
            if self.0.len() < Self::MOST && !self.0.contains(&net) {
                self.0.push(net);
            }
        }
    }

    fn has_host(&self, address: Ipv4Addr) -> bool {
        self.0.iter().any(|net| net.has_host(address))
    }
}

/// One value of a cell.
struct Token {
    address: IpAddr,
    prefix: Option<u32>,
    /// The text is a range or a network, which means its first host.
    is_range: bool,
    is_bare: bool,
}

/// The values of a cell.
fn tokens(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(|c: char| matches!(c, ',' | ';' | '|') || c.is_whitespace())
        .filter(|text| !text.is_empty())
}

impl Token {
    fn of(text: &str, mask: Option<&str>) -> Option<Token> {
        let bare = text.trim_matches(|c| matches!(c, '"' | '\'' | '(' | ')' | '{' | '}'));
        let (rest, prefix) = match bare.split_once('/') {
            Some((rest, tail)) => (rest, prefix_of(tail)),
            None => (bare, None),
        };
        let (rest, is_range) = match rest.split_once('-') {
            Some((first, last)) if parsed(last).is_some() => (first, true),
            _ => (rest, false),
        };
        let address = parsed(rest)?;
        let by_column = || mask.and_then(|mask| column_prefix(mask, address));
        Some(Token {
            address,
            prefix: prefix.or_else(by_column),
            is_range,
            is_bare: text.parse::<IpAddr>().is_ok(),
        })
    }

    /// The address, if it can be a host's.
    fn host(&self, nets: &Nets) -> Option<IpAddr> {
        let IpAddr::V4(address) = self.address else {
            return is_usable(self.address).then_some(self.address);
        };
        let net = self.prefix.map(|prefix| Net::of(address, prefix));
        let is_base = net.is_some_and(|net| {
            net.base == address.to_bits() && net.mask.leading_ones() < 31 && !self.is_bare
        });
        let first = match is_base || (self.is_range && matches!(address.octets(), [.., 0])) {
            true => Ipv4Addr::from_bits(address.to_bits().checked_add(1)?),
            false => address,
        };
        let is_host = match net {
            Some(net) => net.has_host(first),
            None => !is_edge(first) || nets.has_host(first),
        };
        let host = IpAddr::V4(first);
        (is_host && is_usable(host)).then_some(host)
    }
}

/// Parses an address with additions of tools: brackets, a zone, a port.
fn parsed(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let inner = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, _)) => inner,
        None => text,
    };
    let inner = inner.split_once('%').map_or(inner, |(address, _)| address);
    let address: IpAddr = match inner.parse() {
        Ok(address) => address,
        Err(_) => {
            let (host, port) = inner.rsplit_once(':')?;
            port.parse::<u16>().ok()?;
            IpAddr::V4(host.parse().ok()?)
        }
    };
    Some(address.to_canonical())
}

/// Parses `24` or `255.255.255.0`.
fn prefix_of(text: &str) -> Option<u32> {
    let text = text.trim();
    if let Ok(mask) = text.parse::<Ipv4Addr>() {
        let bits = mask.to_bits();
        return (bits.leading_ones() == bits.count_ones()).then_some(bits.leading_ones());
    }
    text.parse().ok().filter(|prefix| *prefix <= 32)
}

/// Parses the prefix length in a mask column: also `/24` and `10.0.0.0/24`.
fn column_prefix(cell: &str, address: IpAddr) -> Option<u32> {
    let IpAddr::V4(address) = address else {
        return None;
    };
    tokens(cell).find_map(|text| match text.split_once('/') {
        Some((base, tail)) => {
            let prefix = prefix_of(tail)?;
            let of_address = Net::of(address, prefix);
            let is_own = base.is_empty()
                || base
                    .parse()
                    .is_ok_and(|base| Net::of(base, prefix) == of_address);
            is_own.then_some(prefix)
        }
        None => prefix_of(text),
    })
}

/// Whether an address is neither local to the host or link nor a group address.
fn is_usable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, ..] = v4.octets();
            first != 0 && first < 224 && !v4.is_loopback() && !v4.is_link_local()
        }
        IpAddr::V6(v6) => {
            !v6.is_loopback()
                && !v6.is_unspecified()
                && !v6.is_multicast()
                && !v6.is_unicast_link_local()
        }
    }
}

/// The best address in a host's cells. In the first cell with IPv4 addresses, this is the first
/// private one, else the first other one. IPv6 is used only if no cell has IPv4.
pub(super) fn best<'c>(
    cells: impl Iterator<Item = &'c str>,
    mask: Option<&str>,
    nets: &Nets,
) -> Option<Found> {
    let mut v6 = None;
    for cell in cells {
        let count = tokens(cell).count();
        let (mut private, mut public) = (None, None);
        for token in tokens(cell).filter_map(|text| Token::of(text, mask)) {
            let Some(address) = token.host(nets) else {
                continue;
            };
            let repaired = match () {
                () if count > 1 => Some("one of several addresses used"),
                () if token.is_range || address != token.address => {
                    Some("first host of a range used")
                }
                () if !token.is_bare => {
                    Some("prefix length, port or zone removed from the address")
                }
                () => None,
            };
            let place = match address {
                IpAddr::V4(v4) if v4.is_private() => &mut private,
                IpAddr::V4(_) => &mut public,
                IpAddr::V6(_) => &mut v6,
            };
            place.get_or_insert((address, repaired));
        }
        if let Some((address, repaired)) = private.or(public) {
            return Some(Found { address, repaired });
        }
    }
    v6.map(|(address, repaired)| Found { address, repaired })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(cell: &str) -> Option<String> {
        masked(cell, None)
    }

    fn masked(cell: &str, mask: Option<&str>) -> Option<String> {
        let found = best([cell].into_iter(), mask, &Nets::default())?;
        Some(found.address.to_string())
    }

    #[test]
    fn an_address_is_read_whatever_surrounds_it() {
        for (cell, address) in [
            ("10.60.0.10/24", "10.60.0.10"),
            ("10.60.0.10/255.255.255.0", "10.60.0.10"),
            ("10.60.0.10:3389", "10.60.0.10"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1/64", "2001:db8::1"),
            ("fd00::7%eth0", "fd00::7"),
            ("::ffff:10.0.0.4", "10.0.0.4"),
            ("10.31.200.0/24", "10.31.200.1"),
            ("10.31.0.0-10.31.0.9", "10.31.0.1"),
            ("10.31.0.5-10.31.0.9", "10.31.0.5"),
            ("203.0.113.17", "203.0.113.17"),
            ("100.64.3.9", "100.64.3.9"),
        ] {
            assert_eq!(one(cell).as_deref(), Some(address), "{cell}");
        }
    }

    #[test]
    fn a_list_gives_its_first_private_address() {
        for (cell, address) in [
            ("203.0.113.5, 10.45.1.13", "10.45.1.13"),
            ("192.168.40.20\nfe80::1", "192.168.40.20"),
            ("fe80::1;2001:db8::2", "2001:db8::2"),
            ("2001:db8::2|203.0.113.5", "203.0.113.5"),
            ("169.254.1.1 10.0.0.9", "10.0.0.9"),
            ("127.0.0.1|0.0.0.0|10.0.0.9", "10.0.0.9"),
        ] {
            assert_eq!(one(cell).as_deref(), Some(address), "{cell}");
        }
    }

    #[test]
    fn no_host_has_these_addresses() {
        for cell in [
            "127.0.0.1",
            "0.0.0.0",
            "169.254.1.1",
            "224.0.0.5",
            "255.255.255.255",
            "fe80::1",
            "::1",
            "ff02::1",
            "::",
            "10.0.0.255",
            "10.0.0.0",
            "10.0.3.255/22",
            "nowhere",
            "10.0.0",
            "DHCP",
        ] {
            assert_eq!(one(cell), None, "{cell}");
        }
    }

    #[test]
    fn an_edge_is_a_host_where_a_mask_says_so() {
        assert_eq!(one("10.47.0.255/22").as_deref(), Some("10.47.0.255"));
        for mask in ["255.255.252.0", "/22", "22", "10.47.0.0/22"] {
            let address = masked("10.47.0.255", Some(mask));
            assert_eq!(address.as_deref(), Some("10.47.0.255"), "{mask}");
        }
        assert_eq!(masked("10.47.0.255", Some("255.255.255.0")), None);
        assert_eq!(masked("10.47.0.255", Some("10.48.0.0/22")), None);
        let mut nets = Nets::default();
        nets.learn("10.47.0.12/22", None);
        let of_file = |cell| best([cell].into_iter(), None, &nets).map(|it| it.address.to_string());
        assert_eq!(of_file("10.47.0.255").as_deref(), Some("10.47.0.255"));
        assert_eq!(of_file("10.47.3.255"), None);
        assert_eq!(of_file("10.47.4.255"), None);
    }

    proptest! {
        #[test]
        fn any_cell_is_read_or_not(cell in "[0-9a-f.:/|, %\\[\\]-]{0,40}", mask in "[0-9./]{0,18}") {
            let mut nets = Nets::default();
            nets.learn(&cell, Some(&mask));
            if let Some(found) = best([&*cell].into_iter(), Some(&mask), &nets) {
                prop_assert!(is_usable(found.address));
            }
        }
    }
}

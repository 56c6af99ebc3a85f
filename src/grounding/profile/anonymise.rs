//! Anonymises a profile so that it can be shared: the same figures with made-up addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Profile;
use crate::grounding::alerts_db::template;

/// First octets of made-up public addresses; none of these blocks contains a special range.
const PUBLIC: [u8; 10] = [23, 45, 64, 78, 91, 104, 139, 151, 173, 188];

impl Profile {
    /// The same profile with other addresses; counts and shares are unchanged.
    ///
    /// 1. Each inside address becomes another of its block (10/8, 172.16/12, 192.168/16 …);
    ///    addresses of one /24 stay in one /24.
    /// 2. Each outside address becomes a made-up public one of its family.
    /// 3. Broadcast addresses, notes with samples from the table, and the table's name are removed.
    /// 4. In a signature that contains an address, addresses, numbers and times become `*`.
    ///
    /// Names of rules and categories remain, because a profile is useless without them.
    pub fn anonymised(mut self) -> Profile {
        let of_table = (self.internal_client_addresses.iter())
            .chain(&self.internal_service_addresses)
            .filter_map(|text| text.parse::<Ipv4Addr>().ok())
            .map(network_of)
            .collect();
        let mut inside = Inside {
            of_table,
            ..Inside::default()
        };
        for addresses in [
            &mut self.internal_client_addresses,
            &mut self.internal_service_addresses,
        ] {
            for text in addresses.iter_mut() {
                *text = match text.parse() {
                    Ok(address) => inside.other(address).to_string(),
                    Err(_) => "10.0.0.1".to_string(),
                };
            }
        }
        let pools = [&self.external_clients, &self.external_services];
        let taken: BTreeSet<String> = pools.into_iter().flatten().map(|it| it.0.clone()).collect();
        let mut number = 0;
        for pool in [&mut self.external_clients, &mut self.external_services] {
            for (text, _) in pool.iter_mut() {
                let is_v6 = text.contains(':');
                loop {
                    let other = outside(number, is_v6);
                    number += 1;
                    if let Some(other) = other.filter(|other| !taken.contains(other)) {
                        *text = other;
                        break;
                    }
                }
            }
        }
        self.multicast.retain(|(text, _)| {
            text.parse()
                .is_ok_and(|address: IpAddr| address.is_multicast())
        });
        self.missing
            .retain(|sentence| !sentence.contains("such as "));
        self.table = "alerts".to_string();
        for tuple in &mut self.tuples {
            if holds_an_address(&tuple.signature) {
                tuple.signature = template::of(&tuple.signature);
            }
        }
        self.sort();
        self
    }
}

fn holds_an_address(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':')))
        .map(|word| word.trim_matches(['.', ':']))
        .any(|word| {
            // `10.0.0.1:443` is an address too.
            let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
            [word, host]
                .iter()
                .any(|text| text.parse::<IpAddr>().is_ok())
        })
}

/// Made-up public address `number`; `None` if it would end in 0 or 255.
fn outside(number: u32, is_v6: bool) -> Option<String> {
    let blocks = PUBLIC.len() as u32;
    // An odd factor permutes all 24-bit numbers.
    let low = (number / blocks).wrapping_mul(0x9e_3779).wrapping_add(7) & 0xff_ffff;
    if is_v6 {
        let [_, a, b, c] = low.to_be_bytes();
        let group = |high, low| u16::from_be_bytes([high, low]);
        let address = Ipv6Addr::new(
            0x2a02,
            0x0a00 + (number % blocks) as u16,
            group(a, b),
            group(c, 1),
            0,
            0,
            0,
            1,
        );
        return Some(address.to_string());
    }
    let block = PUBLIC.get((number % blocks) as usize)?;
    let [_, a, b, c] = low.to_be_bytes();
    (!matches!(c, 0 | 255)).then(|| Ipv4Addr::new(*block, a, b, c).to_string())
}

fn network_of(address: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = address.octets();
    [a, b, c]
}

/// Replacements of inside addresses.
#[derive(Default)]
struct Inside {
    known: BTreeMap<IpAddr, IpAddr>,
    /// The /24 networks of the table, which are not used as replacements while others are free.
    of_table: BTreeSet<[u8; 3]>,
    /// By /24: its replacement, and the number of its hosts so far.
    networks: BTreeMap<[u8; 3], ([u8; 3], u32)>,
    /// By block: the number of its networks so far.
    blocks: BTreeMap<[u8; 2], u32>,
    others: u16,
}

impl Inside {
    fn other(&mut self, address: IpAddr) -> IpAddr {
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let made = match address {
            IpAddr::V4(address) => IpAddr::V4(self.v4(address)),
            IpAddr::V6(_) => {
                self.others = self.others.wrapping_add(1);
                IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, self.others))
            }
        };
        self.known.insert(address, made);
        made
    }

    fn v4(&mut self, address: Ipv4Addr) -> Ipv4Addr {
        let [a, b, _, _] = address.octets();
        // First two octets of the block, and its number of /24 networks.
        let (block, size): ([u8; 2], u32) = match (a, b) {
            (172, 16..=31) => ([172, 16], 1 << 12),
            (192, 168) => ([192, 168], 1 << 8),
            (100, 64..=127) => ([100, 64], 1 << 14),
            (127 | 169, _) => ([a, b], 1 << 8),
            _ => ([10, 0], 1 << 16),
        };
        let numbers = self.blocks.entry(block).or_default();
        let of_table = &self.of_table;
        let network = self.networks.entry(network_of(address));
        let (network, hosts) = network.or_insert_with(|| {
            let mut made = [0; 3];
            for _ in 0..size {
                *numbers += 1;
                let [_, _, high, low] = (*numbers % size).to_be_bytes();
                let [first, second] = block;
                made = [first, second.wrapping_add(high), low];
                if !of_table.contains(&made) {
                    break;
                }
            }
            (made, 0)
        });
        *hosts += 1;
        let [first, second, third] = *network;
        // A /24 has at most 254 hosts.
        Ipv4Addr::new(first, second, third, (1 + (*hosts - 1) % 254) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grounding::address::{AddressKind, is_special_purpose, kind};

    fn with_addresses() -> Profile {
        let mut profile = Profile::embedded();
        profile.external_clients = vec![("8.8.8.8".into(), 5), ("2606:4700::1111".into(), 2)];
        profile.external_services = vec![("1.1.1.1".into(), 9)];
        profile.internal_clients = vec![7, 5, 2, 1];
        profile.internal_client_addresses = ["10.1.2.3", "10.1.2.4", "172.20.0.9", "fd12::1"]
            .map(String::from)
            .to_vec();
        profile.internal_services = vec![4, 3];
        profile.internal_service_addresses = ["10.1.2.3", "192.168.7.7"].map(String::from).to_vec();
        profile.multicast.push(("10.1.2.255".into(), 3));
        profile.tuples[0].signature = "login from 8.8.8.8:22 failed 3 times".into();
        profile.missing = vec![
            "timestamp: not understood, such as 8.8.8.8".into(),
            "kept".into(),
        ];
        profile.table = "secret.csv".into();
        profile
    }

    #[test]
    fn no_address_of_the_table_stays_and_every_count_does() {
        let before = with_addresses();
        let after = before.clone().anonymised();
        after.validate(std::path::Path::new("p")).expect("valid");
        let text = after.to_json();
        for address in [
            "8.8.8.8",
            "2606:4700",
            "1.1.1.1",
            "10.1.2.",
            "172.20.0.9",
            "fd12::",
            "192.168.7.7",
            "secret",
        ] {
            assert!(!text.contains(address), "{address} is in the profile");
        }
        let counts = |pool: &[(String, u64)]| pool.iter().map(|it| it.1).collect::<Vec<_>>();
        assert_eq!(
            counts(&before.external_clients),
            counts(&after.external_clients)
        );
        assert_eq!(before.internal_clients, after.internal_clients);
        assert_eq!(after.missing, ["kept"]);
        assert!(
            after
                .tuples
                .iter()
                .any(|it| it.signature == "login from * failed * times")
        );
        assert_eq!(after, before.anonymised());
    }

    #[test]
    fn no_address_becomes_another_of_the_table() {
        let mut profile = Profile::embedded();
        profile.internal_clients = vec![1; 400];
        profile.internal_client_addresses = (0..400)
            .map(|i| format!("192.168.{}.{}", i % 100, 1 + i / 100))
            .collect();
        let before: BTreeSet<String> = profile.internal_client_addresses.iter().cloned().collect();
        let after = profile.anonymised().internal_client_addresses;
        assert!(after.iter().all(|address| !before.contains(address)));
        assert_eq!(after.iter().collect::<BTreeSet<_>>().len(), 400);
    }

    #[test]
    fn classes_and_networks_stay() {
        let after = with_addresses().anonymised();
        let of = |text: &String| text.parse::<IpAddr>().expect("an address");
        let [first, second, third, fourth] = &after.internal_client_addresses[..] else {
            panic!("four clients")
        };
        let network = |text: &str| text.rsplit_once('.').map(|it| it.0.to_string());
        assert_eq!(network(first), network(second));
        assert!(first != second && first.starts_with("10."));
        assert!(matches!(of(third), IpAddr::V4(v4) if v4.octets()[0] == 172 && v4.is_private()));
        assert!(of(fourth).is_ipv6());
        // A host is the same host on both sides.
        assert_eq!(&after.internal_service_addresses[0], first);
        for text in after
            .internal_client_addresses
            .iter()
            .chain(&after.internal_service_addresses)
        {
            assert_eq!(kind(of(text)), AddressKind::Internal, "{text}");
        }
        for (text, _) in after
            .external_clients
            .iter()
            .chain(&after.external_services)
        {
            assert!(!is_special_purpose(of(text)), "{text}");
        }
        assert!(of(&after.external_clients[1].0).is_ipv6());
    }

    #[test]
    fn made_up_public_addresses_are_different() {
        let mut seen = BTreeSet::new();
        let made: Vec<String> = (0..200_000)
            .filter_map(|number| outside(number, false))
            .collect();
        assert!(made.iter().all(|address| seen.insert(address.clone())));
        assert!(
            made.iter()
                .all(|it| it.parse().is_ok_and(|it: IpAddr| !is_special_purpose(it)))
        );
    }
}

//! Classifies addresses as internal, external or group addresses.
//!
//! One place decides, so that the fitted profile, the CMDB and the world agree. It knows address
//! blocks only: no owner, no country, no file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The class of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// RFC 1918, loopback, link-local, shared (100.64/10), unique local (fc00::/7), fe80::/10. Also the
    /// unspecified address, which a local host uses before it has an address.
    Internal,
    /// Everything else, including special-purpose ranges that look public.
    External,
    /// 224/4, ff00::/8, 255.255.255.255, and `x.x.x.255` in private ranges.
    Group,
}

/// Classifies an address. An IPv4-mapped IPv6 address counts as the IPv4 address.
///
/// ```
/// use fusiongen::grounding::address::{AddressKind, kind};
/// let kind_of = |text: &str| kind(text.parse().expect("an address"));
/// assert_eq!(kind_of("10.0.4.9"), AddressKind::Internal);
/// assert_eq!(kind_of("10.0.4.255"), AddressKind::Group);
/// assert_eq!(kind_of("198.51.100.255"), AddressKind::External);
/// ```
pub fn kind(address: IpAddr) -> AddressKind {
    match address.to_canonical() {
        IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() => AddressKind::Group,
        IpAddr::V4(v4) if is_internal_v4(v4) => {
            if v4.octets()[3] == 255 && !v4.is_loopback() {
                AddressKind::Group
            } else {
                AddressKind::Internal
            }
        }
        IpAddr::V6(v6) if v6.is_multicast() => AddressKind::Group,
        IpAddr::V6(v6) if is_internal_v6(v6) => AddressKind::Internal,
        _ => AddressKind::External,
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || inside_v4(address, [100, 64, 0, 0], 10)
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

/// Whether an address is in a block that no host on the public Internet uses (IANA's
/// special-purpose registries): private, documentation, benchmarking, multicast, reserved and the
/// like.
pub fn is_special_purpose(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => SPECIAL_V4
            .iter()
            .any(|&(network, bits)| inside_v4(v4, network, bits)),
        IpAddr::V6(v6) => SPECIAL_V6
            .iter()
            .any(|&(network, bits)| (u128::from(v6) ^ network) >> (128 - bits) == 0),
    }
}

fn inside_v4(address: Ipv4Addr, network: [u8; 4], bits: u32) -> bool {
    (u32::from(address) ^ u32::from(Ipv4Addr::from(network))) >> (32 - bits) == 0
}

const SPECIAL_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// All addresses outside 2000::/3, which alone is public unicast, and the special blocks within it.
const SPECIAL_V6: [(u128, u32); 11] = [
    (0, 3),
    (0x4000 << 112, 2),
    (0x8000 << 112, 1),
    (0x2001 << 112, 32),
    (0x2001_0002 << 96, 48),
    (0x2001_0010 << 96, 28),
    (0x2001_0020 << 96, 28),
    (0x2001_0030 << 96, 28),
    (0x2001_0db8 << 96, 32),
    (0x2002 << 112, 16),
    (0x3fff << 112, 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn kinds_follow_the_blocks() {
        let cases = [
            ("10.1.2.3", AddressKind::Internal),
            ("172.31.255.254", AddressKind::Internal),
            ("172.32.0.1", AddressKind::External),
            ("192.168.1.255", AddressKind::Group),
            ("127.0.0.1", AddressKind::Internal),
            ("169.254.3.4", AddressKind::Internal),
            ("100.64.0.1", AddressKind::Internal),
            ("100.128.0.1", AddressKind::External),
            ("0.0.0.0", AddressKind::Internal),
            ("8.8.8.255", AddressKind::External),
            ("198.51.100.42", AddressKind::External),
            ("240.0.0.1", AddressKind::External),
            ("255.255.255.255", AddressKind::Group),
            ("239.255.255.250", AddressKind::Group),
            ("::", AddressKind::Internal),
            ("::1", AddressKind::Internal),
            ("fe80::1", AddressKind::Internal),
            ("fd00::1", AddressKind::Internal),
            ("ff02::fb", AddressKind::Group),
            ("2606:4700::1111", AddressKind::External),
            ("::ffff:10.0.0.1", AddressKind::Internal),
        ];
        for (text, expected) in cases {
            assert_eq!(kind(address(text)), expected, "{text}");
        }
    }

    #[test]
    fn special_purpose_blocks_are_known() {
        for text in [
            "0.1.2.3",
            "10.0.0.1",
            "192.0.2.1",
            "198.19.0.1",
            "198.51.100.42",
            "203.0.113.9",
            "224.0.0.1",
            "250.1.1.1",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002::1",
            "64:ff9b::1",
        ] {
            assert!(is_special_purpose(address(text)), "{text}");
        }
        for text in [
            "8.8.8.8",
            "1.1.1.1",
            "100.128.0.1",
            "198.51.101.1",
            "2606:4700::1",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ] {
            assert!(!is_special_purpose(address(text)), "{text}");
        }
    }
}

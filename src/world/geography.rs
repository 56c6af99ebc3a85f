//! Country and autonomous system of every external address.
//!
//! The regional registry of a /8 is IANA's. Within it, a /16 always belongs to one country and
//! one operator. Operators and AS numbers are real, so country and AS are consistent with each
//! other. The owner of a /16 is made up, except for a few well-known ones.

use std::net::IpAddr;

use crate::random::{Draws, Key, choose, slots};

/// A country as ECS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    pub name: &'static str,
    pub continent: &'static str,
    /// Its operators.
    systems: &'static [AutonomousSystem],
}

/// An autonomous system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutonomousSystem {
    pub number: u32,
    pub organization: &'static str,
}

slots! {
    /// Draws of a network.
    enum PlaceSlot {
        Country = 0,
        Operator = 1,
    }
}

/// Location of an external address: an index into [`COUNTRIES`], and the autonomous system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub country: usize,
    pub system: AutonomousSystem,
}

const fn system(number: u32, organization: &'static str) -> AutonomousSystem {
    AutonomousSystem {
        number,
        organization,
    }
}

const fn country(
    code: &'static str,
    name: &'static str,
    continent: &'static str,
    systems: &'static [AutonomousSystem],
) -> Country {
    Country {
        code,
        name,
        continent,
        systems,
    }
}

const NORTH: &str = "North America";
const SOUTH: &str = "South America";

/// All countries, by registry.
#[rustfmt::skip]
pub const COUNTRIES: &[Country] = &[
    // ARIN
    country("US", "United States", NORTH, &[system(7018, "AT&T Services, Inc."), system(701, "Verizon Business"), system(7922, "Comcast Cable Communications, LLC"), system(16509, "Amazon.com, Inc."), system(8075, "Microsoft Corporation"), system(15169, "Google LLC"), system(14061, "DigitalOcean, LLC"), system(20473, "The Constant Company, LLC"), system(63949, "Akamai Connected Cloud"), system(20115, "Charter Communications LLC")]),
    country("CA", "Canada", NORTH, &[system(577, "Bell Canada"), system(812, "Rogers Communications Canada Inc."), system(16276, "OVH SAS"), system(852, "TELUS Communications Inc.")]),
    // RIPE NCC
    country("DE", "Germany", "Europe", &[system(3320, "Deutsche Telekom AG"), system(24940, "Hetzner Online GmbH"), system(51167, "Contabo GmbH"), system(8560, "IONOS SE"), system(3209, "Vodafone GmbH")]),
    country("GB", "United Kingdom", "Europe", &[system(2856, "British Telecommunications PLC"), system(5089, "Virgin Media Limited"), system(5607, "Sky UK Limited")]),
    country("FR", "France", "Europe", &[system(3215, "Orange S.A."), system(16276, "OVH SAS"), system(12876, "Scaleway S.a.s."), system(15557, "Societe Francaise Du Radiotelephone - SFR SA")]),
    country("NL", "Netherlands", "Europe", &[system(60781, "LeaseWeb Netherlands B.V."), system(1136, "KPN B.V."), system(49981, "WorldStream B.V."), system(202425, "IP Volume inc")]),
    country("RU", "Russia", "Europe", &[system(12389, "PJSC Rostelecom"), system(8402, "PJSC Vimpelcom"), system(49505, "JSC Selectel"), system(9123, "TimeWeb Ltd.")]),
    country("PL", "Poland", "Europe", &[system(5617, "Orange Polska Spolka Akcyjna"), system(12741, "Netia SA")]),
    country("IT", "Italy", "Europe", &[system(3269, "Telecom Italia S.p.A."), system(31034, "Aruba S.p.A.")]),
    country("ES", "Spain", "Europe", &[system(3352, "Telefonica De Espana S.a.u."), system(12479, "Orange Espagne SA")]),
    country("SE", "Sweden", "Europe", &[system(3301, "Telia Company AB"), system(39351, "31173 Services AB")]),
    country("RO", "Romania", "Europe", &[system(8708, "Digi Romania S.A."), system(9009, "M247 Europe SRL")]),
    country("UA", "Ukraine", "Europe", &[system(15895, "Kyivstar PJSC"), system(6849, "JSC Ukrtelecom")]),
    country("TR", "Türkiye", "Asia", &[system(9121, "Turk Telekom"), system(34984, "Superonline Iletisim Hizmetleri A.S.")]),
    // APNIC
    country("CN", "China", "Asia", &[system(4134, "Chinanet"), system(4837, "China Unicom China169 Backbone"), system(9808, "China Mobile Communications Group Co., Ltd."), system(37963, "Hangzhou Alibaba Advertising Co.,Ltd."), system(45090, "Shenzhen Tencent Computer Systems Company Limited")]),
    country("JP", "Japan", "Asia", &[system(2516, "KDDI Corporation"), system(4713, "NTT Communications Corporation"), system(17676, "SoftBank Corp.")]),
    country("KR", "South Korea", "Asia", &[system(4766, "Korea Telecom"), system(3786, "LG Dacom Corporation")]),
    country("IN", "India", "Asia", &[system(9829, "National Internet Backbone"), system(24560, "Bharti Airtel Ltd."), system(55836, "Reliance Jio Infocomm Limited")]),
    country("VN", "Vietnam", "Asia", &[system(7552, "Viettel Group"), system(45899, "VNPT Corp")]),
    country("SG", "Singapore", "Asia", &[system(4657, "StarHub Ltd"), system(132203, "Tencent Building, Kejizhongyi Avenue")]),
    country("AU", "Australia", "Oceania", &[system(1221, "Telstra Limited"), system(4804, "Microplex PTY LTD")]),
    country("TW", "Taiwan", "Asia", &[system(3462, "Data Communication Business Group")]),
    country("ID", "Indonesia", "Asia", &[system(7713, "PT Telekomunikasi Indonesia")]),
    // LACNIC
    country("BR", "Brazil", SOUTH, &[system(28573, "Claro NXT Telecomunicacoes Ltda"), system(18881, "TELEFONICA BRASIL S.A"), system(26599, "TELEFONICA BRASIL S.A")]),
    country("MX", "Mexico", NORTH, &[system(8151, "UNINET")]),
    country("AR", "Argentina", SOUTH, &[system(7303, "Telecom Argentina S.A."), system(22927, "Telefonica de Argentina")]),
    country("CL", "Chile", SOUTH, &[system(7418, "TELEFONICA CHILE S.A.")]),
    // AFRINIC
    country("ZA", "South Africa", "Africa", &[system(37457, "Telkom SA Ltd."), system(3741, "Dimension Data")]),
    country("EG", "Egypt", "Africa", &[system(8452, "TE Data")]),
    country("NG", "Nigeria", "Africa", &[system(29465, "MTN NIGERIA Communication limited")]),
    country("KE", "Kenya", "Africa", &[system(33771, "Safaricom Limited")]),
];

/// Countries of a registry with their shares of its address space, in percent.
type Registry = &'static [(usize, u64)];
const ARIN: Registry = &[(0, 93), (1, 7)];
#[rustfmt::skip]
const RIPE: Registry = &[(2, 21), (3, 16), (4, 15), (5, 11), (6, 10), (7, 5), (8, 7), (9, 5), (10, 3), (11, 2), (12, 2), (13, 3)];
#[rustfmt::skip]
const APNIC: Registry = &[(14, 44), (15, 20), (16, 13), (17, 6), (18, 3), (19, 2), (20, 6), (21, 4), (22, 2)];
const LACNIC: Registry = &[(23, 62), (24, 20), (25, 12), (26, 6)];
const AFRINIC: Registry = &[(27, 45), (28, 25), (29, 16), (30, 14)];

/// IANA's assignment of a /8.
fn registry(first: u8) -> Registry {
    match first {
        1 | 14 | 27 | 36 | 39 | 42 | 43 | 49 | 58..=61 | 101 | 103 | 106 | 110..=126 | 133 => APNIC,
        150 | 153 | 163 | 171 | 175 | 180 | 182 | 183 | 202 | 203 | 210 | 211 | 218..=223 => APNIC,
        2 | 5 | 31 | 37 | 46 | 51 | 53 | 57 | 62 | 77..=95 | 109 | 141 | 145 | 151 | 176 => RIPE,
        178 | 185 | 188 | 193..=195 | 212 | 213 | 217 => RIPE,
        177 | 179 | 181 | 186 | 187 | 189..=191 | 200 | 201 => LACNIC,
        41 | 102 | 105 | 154 | 196 | 197 => AFRINIC,
        _ => ARIN,
    }
}

/// Well-known prefixes.
#[rustfmt::skip]
const WELL_KNOWN: &[(&[u8], AutonomousSystem)] = &[
    (&[8, 8], system(15169, "Google LLC")), (&[142, 250], system(15169, "Google LLC")), (&[142, 251], system(15169, "Google LLC")), (&[172, 217], system(15169, "Google LLC")), (&[216, 58], system(15169, "Google LLC")), (&[34], system(396_982, "Google LLC")), (&[35], system(396_982, "Google LLC")),
    (&[1, 1, 1], system(13335, "Cloudflare, Inc.")), (&[1, 0, 0], system(13335, "Cloudflare, Inc.")), (&[104, 16], system(13335, "Cloudflare, Inc.")), (&[104, 17], system(13335, "Cloudflare, Inc.")), (&[104, 18], system(13335, "Cloudflare, Inc.")), (&[104, 21], system(13335, "Cloudflare, Inc.")), (&[172, 67], system(13335, "Cloudflare, Inc.")),
    (&[9, 9, 9], system(19281, "Quad9")), (&[208, 67], system(36692, "Cisco OpenDNS, LLC")),
    (&[3], system(16509, "Amazon.com, Inc.")), (&[18], system(16509, "Amazon.com, Inc.")), (&[52], system(16509, "Amazon.com, Inc.")), (&[54], system(14618, "Amazon.com, Inc.")),
    (&[13, 107], system(8068, "Microsoft Corporation")), (&[20], system(8075, "Microsoft Corporation")), (&[40], system(8075, "Microsoft Corporation")),
    (&[140, 82], system(36459, "GitHub, Inc.")), (&[185, 199], system(54113, "Fastly, Inc.")), (&[151, 101], system(54113, "Fastly, Inc.")), (&[17], system(714, "Apple Inc.")), (&[157, 240], system(32934, "Facebook, Inc.")),
];

/// The location of an external address; `None` if the text is not an address.
pub fn place(address: &str) -> Option<Place> {
    let ip: IpAddr = address.parse().ok()?;
    let (network, registry) = match ip {
        IpAddr::V4(v4) => {
            let octets = v4.octets();
            if let Some((_, system)) = WELL_KNOWN.iter().find(|(p, _)| octets.starts_with(p)) {
                return Some(Place {
                    country: 0,
                    system: *system,
                });
            }
            let network = u64::from(u16::from_be_bytes([octets[0], octets[1]]));
            (network, registry(octets[0]))
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            // IANA's blocks of 2000::/3: 2400 APNIC, 2600 ARIN, 2800 LACNIC, 2a00 RIPE, 2c00 AFRINIC.
            let registry = match segments[0] >> 8 {
                0x24 => APNIC,
                0x28 => LACNIC,
                0x2a => RIPE,
                0x2c => AFRINIC,
                _ => ARIN,
            };
            let network = 1 << 32 | u64::from(segments[0]) << 16 | u64::from(segments[1]);
            (network, registry)
        }
    };
    let key = Draws::new(Key::root(0x6e0).with(network));
    let mut share = key.below(PlaceSlot::Country, registry.iter().map(|c| c.1).sum());
    let country = registry
        .iter()
        .find(|(_, weight)| {
            let found = share < *weight;
            share = share.saturating_sub(*weight);
            found
        })
        .map_or(registry[0].0, |c| c.0);
    let systems = COUNTRIES[country].systems;
    Some(Place {
        country,
        system: *choose(systems, key.bits(PlaceSlot::Operator)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_one_country_and_operator() {
        let of = |text: &str| place(text).unwrap();
        assert_eq!(of("8.8.8.8").system.number, 15169);
        assert_eq!(of("61.177.1.1"), of("61.177.200.9"));
        let lacnic = COUNTRIES[of("177.10.2.3").country].code;
        assert!(["BR", "MX", "AR", "CL"].contains(&lacnic), "{lacnic}");
        assert!(place("fusionai.local").is_none());
        let all: std::collections::BTreeSet<&str> = (0..=255u32)
            .flat_map(|a| (0..64u32).map(move |b| format!("{a}.{b}.1.1")))
            .map(|text| COUNTRIES[of(&text).country].code)
            .collect();
        assert_eq!(all.len(), COUNTRIES.len(), "{all:?}");
    }

    #[test]
    fn registries_share_out_everything() {
        for registry in [ARIN, RIPE, APNIC, LACNIC, AFRINIC] {
            assert_eq!(registry.iter().map(|c| c.1).sum::<u64>(), 100);
            assert!(registry.iter().all(|c| !COUNTRIES[c.0].systems.is_empty()));
        }
    }
}

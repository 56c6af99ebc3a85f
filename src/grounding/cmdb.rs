//! Assets from a CMDB export, as CSV.
//!
//! Hostname, address and operating system are mandatory: an event without them is no
//! event of that host. It knows no users and no networks.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::csv_table::{Column, Source};
use crate::Result;

/// One host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub hostname: String,
    /// `Workstation`, `Server`, `Domain Controller`, …
    pub asset_type: Option<String>,
    /// `low`, `medium`, `high`, `critical`; another word of the CMDB stays, in lower case.
    pub criticality: Option<String>,
    pub location: Option<String>,
    pub ip_address: IpAddr,
    /// As the inventory words it; `None` where it says nothing.
    pub os: Option<String>,
    pub owner: Option<String>,
    pub department: Option<String>,
}

/// NetBIOS names have at most 15 characters.
const HOSTNAME_LIMIT: usize = 15;

const COLUMNS: [Column; 8] = [
    Column {
        name: "Hostname",
        aliases: &[
            "hostname",
            "host",
            "computername",
            "computer",
            "assetname",
            "devicename",
            "machinename",
            "servername",
            "name",
        ],
        mandatory: true,
    },
    Column {
        name: "IP_Address",
        aliases: &[
            "ipaddress",
            "ip",
            "ipv4address",
            "ipv4",
            "ipaddr",
            "hostip",
            "primaryip",
            "address",
        ],
        mandatory: true,
    },
    Column {
        name: "OS",
        aliases: &[
            "os",
            "operatingsystem",
            "osname",
            "operatingsystemname",
            "osversion",
            "platform",
        ],
        mandatory: true,
    },
    Column {
        name: "Asset_Type",
        aliases: &[
            "assettype",
            "type",
            "devicetype",
            "hosttype",
            "class",
            "role",
        ],
        mandatory: false,
    },
    Column {
        name: "Criticality",
        aliases: &[
            "criticality",
            "assetcriticality",
            "businesscriticality",
            "risk",
            "risklevel",
            "importance",
        ],
        mandatory: false,
    },
    Column {
        name: "Location",
        aliases: &["location", "site", "office", "building"],
        mandatory: false,
    },
    Column {
        name: "Owner",
        aliases: &[
            "owner",
            "assetowner",
            "ownername",
            "assignedto",
            "managedby",
        ],
        mandatory: false,
    },
    Column {
        name: "Department",
        aliases: &[
            "department",
            "dept",
            "assetdepartment",
            "departmentname",
            "businessunit",
        ],
        mandatory: false,
    },
];

/// Reads the hosts of a CSV file, in the file's order.
///
/// Columns are found by name without case and punctuation: `Hostname`, `Asset_Type`,
/// `Criticality`, `Location`, `IP_Address`, `OS`, `Owner`, `Department`, or usual
/// aliases (`host`, `name`, `ip`, `type`, `operating_system` …). A byte order mark,
/// CRLF, quotes and blank lines are fine.
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) with the line: a missing mandatory column
/// (names those that are there), a ragged line, a hostname that is no NetBIOS name, an
/// address that is no private IPv4 host, an empty operating system, a doubled hostname
/// or address (both lines are named), invalid UTF-8, control characters; also a missing
/// or empty file. [`Error::Io`](crate::Error::Io) if the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<Asset>> {
    let source = Source {
        path,
        flag: "--cmdb-assets",
    };
    let (mut hostnames, mut addresses) = (BTreeMap::new(), BTreeMap::new());
    let mut assets = Vec::new();
    for mut row in source.read(&COLUMNS)? {
        let hostname = source.required(&mut row, 0, COLUMNS[0].name)?;
        let address = source.required(&mut row, 1, COLUMNS[1].name)?;
        let os = source.required(&mut row, 2, COLUMNS[2].name)?;
        check_hostname(&hostname).map_err(|(problem, remedy)| {
            source.fault(
                row.line,
                format!("the hostname {} {problem}", super::shown(&hostname)),
                remedy,
            )
        })?;
        let ip_address = host_address(&address).map_err(|(problem, remedy)| {
            source.fault(
                row.line,
                format!("the address {} {problem}", super::shown(&address)),
                remedy,
            )
        })?;
        source.unique(&mut hostnames, "hostname", &hostname, row.line)?;
        source.unique(&mut addresses, "address", &ip_address.to_string(), row.line)?;
        assets.push(Asset {
            hostname,
            asset_type: row.take(3),
            criticality: row.take(4).map(|word| criticality(&word)),
            location: row.take(5),
            ip_address: IpAddr::V4(ip_address),
            os: Some(os),
            owner: row.take(6),
            department: row.take(7),
        });
    }
    Ok(assets)
}

/// Problem and remedy.
type Refusal = (&'static str, &'static str);

fn check_hostname(hostname: &str) -> std::result::Result<(), Refusal> {
    if !hostname
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err((
            "has a character that is no letter (A-Z), digit or hyphen",
            "write the NetBIOS name, such as WKS-002, without domain",
        ));
    }
    if hostname.len() > HOSTNAME_LIMIT {
        return Err((
            "is longer than 15 characters",
            "write the NetBIOS name, which has at most 15",
        ));
    }
    Ok(())
}

fn host_address(text: &str) -> std::result::Result<Ipv4Addr, Refusal> {
    let address = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => {
            return Err(("is IPv6", "give the host's private IPv4 address"));
        }
        Err(_) => {
            return Err((
                "is no IPv4 address",
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
    if matches!(address.octets()[3], 0 | 255) {
        return Err((
            "ends in 0 or 255, which are a network and a broadcast address",
            "give the host an address between",
        ));
    }
    Ok(address)
}

/// The four words of the seed where the CMDB means one of them.
fn criticality(word: &str) -> String {
    let lower = word.to_lowercase();
    match lower.as_str() {
        "minor" | "minimal" | "very low" => "low".to_string(),
        "moderate" | "normal" | "standard" => "medium".to_string(),
        "important" | "major" => "high".to_string(),
        "very high" | "mission critical" | "mission-critical" | "business critical"
        | "business-critical" => "critical".to_string(),
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn parse(content: &[u8]) -> Result<Vec<Asset>> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(content).expect("written");
        read(file.path())
    }

    fn refusal(content: &str) -> String {
        parse(content.as_bytes()).expect_err("refused").to_string()
    }

    #[test]
    fn our_own_sample_is_read() {
        let assets = read(&crate::grounding::test_data::sample("cmdb_assets.csv")).expect("assets");
        assert_eq!(assets.len(), 80);
        let of_type = |wanted: &str| {
            assets
                .iter()
                .filter(|asset| asset.asset_type.as_deref() == Some(wanted))
                .count()
        };
        assert_eq!(of_type("Domain Controller"), 2);
        assert!(of_type("Workstation") > 40);
    }

    #[test]
    fn names_of_columns_vary() {
        let content = "name;x,IP,Operating System,TYPE,Business_Criticality\n".replace(";x", "");
        let content = format!("{content}WKS-002,10.0.4.9,Windows 10 Pro,Workstation,Moderate\n");
        let assets = parse(content.as_bytes()).expect("assets");
        assert_eq!(
            assets,
            [Asset {
                hostname: "WKS-002".to_string(),
                asset_type: Some("Workstation".to_string()),
                criticality: Some("medium".to_string()),
                location: None,
                ip_address: Ipv4Addr::new(10, 0, 4, 9).into(),
                os: Some("Windows 10 Pro".to_string()),
                owner: None,
                department: None,
            }]
        );
    }

    #[test]
    fn refusals_name_line_and_remedy() {
        let cases: [(&str, &[&str]); 12] = [
            ("", &["the file is empty", "--cmdb-assets"]),
            (
                "Hostname,OS\nA,Windows\n",
                &["no column IP_Address", "Hostname, OS"],
            ),
            (
                "host,ip,os\nA,8.8.8.8,Windows\n",
                &["line 2", "is not private", "inside address"],
            ),
            (
                "host,ip,os\nA,fe80::1,Windows\n",
                &["line 2", "is IPv6", "IPv4"],
            ),
            ("host,ip,os\nA,10.0.0.1/24,Windows\n", &["no IPv4 address"]),
            ("host,ip,os\nA,10.0.0.255,Windows\n", &["broadcast"]),
            (
                "host,ip,os\nA-NAME-FAR-TOO-LONG,10.0.0.1,Windows\n",
                &["longer than 15"],
            ),
            (
                "host,ip,os\nwks_1.corp,10.0.0.1,Windows\n",
                &["no letter", "NetBIOS"],
            ),
            ("host,ip,os\nA,10.0.0.1,\n", &["OS is empty"]),
            (
                "host,ip,os\n\nA,10.0.0.1,W\n\na,10.0.0.2,W\n",
                &["line 5", "hostname a", "in line 3"],
            ),
            (
                "host,ip,os\r\nA,10.0.0.1,W\r\nB,10.0.0.1,W\r\n",
                &["line 3", "address 10.0.0.1", "in line 2"],
            ),
            ("host,ip,os\nA,10.0.0.1,W,extra\n", &["line 2", "4 fields"]),
        ];
        for (content, expected) in cases {
            let message = refusal(content);
            for part in expected {
                assert!(message.contains(part), "{part:?} is not in {message:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(content in "[\"a-c,0-9.\n\r-]{0,200}") {
            let _ = parse(content.as_bytes());
            let _ = parse(format!("host,ip,os\n{content}").as_bytes());
        }

        #[test]
        fn accepted_hosts_keep_the_promises(
            hosts in prop::collection::vec(("[A-Z0-9-]{1,17}", any::<u32>()), 1..6),
        ) {
            let mut content = "Hostname,IP_Address,OS\n".to_string();
            for (name, bits) in &hosts {
                let address = Ipv4Addr::from(bits % (1 << 24) + (10 << 24));
                content.push_str(&format!("{name},{address},Windows 11\n"));
            }
            if let Ok(assets) = parse(content.as_bytes()) {
                prop_assert_eq!(assets.len(), hosts.len());
                for asset in &assets {
                    prop_assert!(asset.hostname.len() <= 15 && matches!(asset.ip_address, IpAddr::V4(v4) if v4.is_private()));
                }
            }
        }
    }
}

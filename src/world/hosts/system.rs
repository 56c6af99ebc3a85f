//! Recognises operating systems in inventories: `Win 10`, `RHEL 8`, `Cisco IOS`.
//!
//! A text is read by whole words. The product's name and build decide; any other number in the
//! text (a year of support, 64-bit) is ignored.

use crate::catalog::Device;

/// The operating system that a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ParsedSystem {
    Windows {
        edition: Edition,
        /// File version of the binaries in the release.
        file_version: &'static str,
    },
    Linux,
    /// A system without telemetry.
    Silent(Device),
}

/// Edition of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    Client,
    Server,
    /// The text names no release: `Windows`.
    Unsaid,
}

/// Windows builds with their own binaries, ascending. Later builds of the same base (19045, 22631)
/// have the binaries of the base.
const BUILDS: [(u32, &str); 18] = [
    (6002, "6.0.6002.18005 (lh_sp2rtm.090410-1830)"),
    (7601, "6.1.7601.24545 (win7sp1_ldr_escrow.200102-1707)"),
    (9200, "6.2.9200.16384 (win8_rtm.120725-1247)"),
    (9600, "6.3.9600.17415 (winblue_r4.141028-1500)"),
    (10240, "10.0.10240.16384 (th1.150709-1700)"),
    (10586, "10.0.10586.0 (th2_release.151029-1700)"),
    (14393, "10.0.14393.4283 (rs1_release.210303-1802)"),
    (15063, "10.0.15063.0 (WinBuild.160101.0800)"),
    (16299, "10.0.16299.15 (WinBuild.160101.0800)"),
    (17134, "10.0.17134.1 (WinBuild.160101.0800)"),
    (17763, "10.0.17763.6054 (WinBuild.160101.0800)"),
    (18362, "10.0.18362.1 (WinBuild.160101.0800)"),
    (19041, "10.0.19041.4717 (WinBuild.160101.0800)"),
    (20348, "10.0.20348.2582 (WinBuild.160101.0800)"),
    (22000, "10.0.22000.1 (WinBuild.160101.0800)"),
    (22621, "10.0.22621.3880 (WinBuild.160101.0800)"),
    (26100, "10.0.26100.1301 (WinBuild.160101.0800)"),
    (u32::MAX, ""),
];

/// Releases named by year: servers, and long-term releases of clients.
const YEARS: [(&str, u32); 8] = [
    ("2008", 6002),
    ("2012", 9200),
    ("2016", 14393),
    ("2019", 17763),
    ("2021", 19041),
    ("2022", 20348),
    ("2024", 26100),
    ("2025", 26100),
];

/// Feature releases, with the build of Windows 10 and Server, and of Windows 11.
const FEATURES: [(&str, u32, u32); 19] = [
    ("1507", 10240, 22000),
    ("1511", 10586, 22000),
    ("1607", 14393, 22000),
    ("1703", 15063, 22000),
    ("1709", 16299, 22000),
    ("1803", 17134, 22000),
    ("1809", 17763, 22000),
    ("1903", 18362, 22000),
    ("1909", 18362, 22000),
    ("2004", 19041, 22000),
    ("20h1", 19041, 22000),
    ("20h2", 19041, 22000),
    ("2009", 19041, 22000),
    ("21h1", 19041, 22000),
    ("21h2", 19041, 22000),
    ("22h2", 19041, 22621),
    ("23h2", 25398, 22621),
    ("24h2", 26100, 26100),
    ("25h2", 26100, 26100),
];

/// Client releases by product number.
const CLIENTS: [(&str, u32); 6] = [
    ("11", 22621),
    ("10", 19041),
    ("8.1", 9600),
    ("8", 9200),
    ("7", 7601),
    ("vista", 6002),
];

/// Windows versions before Vista's event log, and those that are not for PCs.
const OLD_WINDOWS: [&str; 9] = [
    "xp", "2000", "2003", "95", "98", "me", "ce", "phone", "mobile",
];

const LINUX: [&str; 37] = [
    "linux",
    "gnu",
    "ubuntu",
    "kubuntu",
    "xubuntu",
    "debian",
    "redhat",
    "rhel",
    "centos",
    "rocky",
    "rockylinux",
    "alma",
    "almalinux",
    "suse",
    "sles",
    "sle",
    "opensuse",
    "fedora",
    "oraclelinux",
    "amazon",
    "amzn",
    "kali",
    "arch",
    "gentoo",
    "mint",
    "linuxmint",
    "raspbian",
    "photon",
    "alpine",
    "scientific",
    "coreos",
    "flatcar",
    "nixos",
    "manjaro",
    "slackware",
    "mageia",
    "archlinux",
];

/// Words for distributions, with `ID` in os-release and the family in Elastic's agents.
const DISTRIBUTIONS: [(&[&str], (&str, &str)); 19] = [
    (&["ubuntu", "kubuntu", "xubuntu"], ("ubuntu", "debian")),
    (&["kali"], ("kali", "debian")),
    (&["mint", "linuxmint"], ("linuxmint", "debian")),
    (&["raspbian"], ("raspbian", "debian")),
    (&["debian"], ("debian", "debian")),
    (&["centos"], ("centos", "redhat")),
    (&["rocky", "rockylinux"], ("rocky", "redhat")),
    (&["alma", "almalinux"], ("almalinux", "redhat")),
    (&["oracle", "oraclelinux"], ("ol", "redhat")),
    (&["amazon", "amzn"], ("amzn", "redhat")),
    (&["fedora"], ("fedora", "redhat")),
    (&["scientific"], ("scientific", "redhat")),
    (&["rhel", "redhat"], ("rhel", "redhat")),
    (&["tumbleweed"], ("opensuse-tumbleweed", "suse")),
    (&["opensuse"], ("opensuse-leap", "suse")),
    (&["suse", "sles", "sle"], ("sles", "suse")),
    (&["arch", "archlinux"], ("arch", "arch")),
    (&["manjaro"], ("manjaro", "arch")),
    (&["alpine"], ("alpine", "alpine")),
];

/// Words for systems without telemetry, with the kind of device.
const SILENT: [(Device, &[&str]); 4] = [
    (
        Device::NetworkDevice,
        &[
            "cisco",
            "nxos",
            "iosxe",
            "iosxr",
            "junos",
            "juniper",
            "fortios",
            "fortigate",
            "fortinet",
            "panos",
            "arubaos",
            "aruba",
            "procurve",
            "eos",
            "arista",
            "routeros",
            "mikrotik",
            "comware",
            "vrp",
            "tmos",
            "netscaler",
            "gaia",
            "sonicos",
            "sonicwall",
            "pfsense",
            "opnsense",
            "vyos",
            "edgeos",
            "ubiquiti",
            "unifi",
            "zyxel",
            "draytek",
            "extremexos",
            "exos",
            "dnos",
            "cumulus",
            "lancom",
            "lcos",
            "asa",
            "catos",
            "meraki",
        ],
    ),
    (
        Device::Printer,
        &[
            "printer",
            "jetdirect",
            "laserjet",
            "officejet",
            "lexmark",
            "kyocera",
            "xerox",
            "ricoh",
            "brother",
            "konica",
            "futuresmart",
        ],
    ),
    (
        Device::Hypervisor,
        &[
            "esxi",
            "esx",
            "vsphere",
            "xenserver",
            "xcp",
            "proxmox",
            "nutanix",
            "ahv",
            "acropolis",
        ],
    ),
    (
        Device::Other,
        &[
            "macos", "macosx", "osx", "mac", "macmdm", "darwin", "solaris", "sunos", "aix", "hpux",
            "freebsd", "openbsd", "netbsd", "ios", "ipados", "tvos", "watchos", "android",
            "chromeos", "chrome", "openvms", "qnx", "vxworks", "ontap", "truenas", "freenas",
            "onefs", "dsm", "qts", "tizen", "webos",
        ],
    ),
];

/// The words of a text in lower case: letters, digits and dots. A number attached to a word is a
/// separate word (`Win10`), except in `22H2`.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut all = Vec::new();
    for word in lower.split(|c: char| !c.is_alphanumeric() && c != '.') {
        let word = word.trim_matches('.');
        if word.is_empty() {
            continue;
        }
        if word == "r2" || FEATURES.iter().any(|f| f.0 == word) {
            all.push(word.to_string());
            continue;
        }
        let (word, second) = match word.strip_suffix("r2") {
            Some(rest) if rest.ends_with(|c: char| c.is_ascii_digit()) => (rest, true),
            _ => (word, false),
        };
        // `W2K16`, `2k8`.
        let year = (word.strip_prefix("w2k").or_else(|| word.strip_prefix("2k")))
            .and_then(|n| n.parse::<u32>().ok())
            .filter(|n| *n < 100);
        match year {
            Some(year) => all.extend(["windows".to_string(), (2000 + year).to_string()]),
            None => {
                let digits = word.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
                let (letters, number) = word.split_at(digits);
                if let Some(rest) = letters.strip_suffix("server").filter(|r| !r.is_empty()) {
                    all.extend([rest.to_string(), "server".to_string()]);
                } else if !letters.is_empty() {
                    all.push(letters.to_string());
                }
                if !number.is_empty() {
                    all.push(number.to_string());
                }
            }
        }
        if second {
            all.push("r2".into());
        }
    }
    all
}

/// The distribution that a Linux text names, and its family.
pub(super) fn distribution(text: &str) -> (&'static str, &'static str) {
    let words = words(text);
    let has = |word: &&str| words.iter().any(|w| w == word);
    let named = DISTRIBUTIONS.iter().find(|(of, _)| of.iter().any(has));
    let red_hat = words.windows(2).any(|w| w[0] == "red" && w[1] == "hat");
    match named {
        Some((_, distribution)) => *distribution,
        None if red_hat => ("rhel", "redhat"),
        None => ("linux", "linux"),
    }
}

/// Recognises an inventory's text. An unknown system is one without telemetry.
pub(super) fn system_of(text: &str) -> ParsedSystem {
    let words = words(text);
    let has = |word: &str| words.iter().any(|w| w == word);
    let follows = |a: &str, b: &str| words.windows(2).any(|w| w[0] == a && w[1] == b);
    if is_windows(&words) {
        return match OLD_WINDOWS.iter().any(|word| has(word)) {
            true => ParsedSystem::Silent(Device::Other),
            false => windows(&words),
        };
    }
    let phrases = [
        ("nx", "os", Device::NetworkDevice),
        ("pan", "os", Device::NetworkDevice),
        ("big", "ip", Device::NetworkDevice),
        ("f", "5", Device::NetworkDevice),
        ("hp", "ux", Device::Other),
        ("os", "x", Device::Other),
        ("z", "os", Device::Other),
    ];
    let phrase = phrases.iter().find(|(a, b, _)| follows(a, b)).map(|p| p.2);
    let word = SILENT
        .iter()
        .find(|(_, list)| list.iter().any(|word| has(word)))
        .map(|s| s.0);
    if let Some(silent) = phrase.or(word) {
        return ParsedSystem::Silent(silent);
    }
    match follows("red", "hat") || LINUX.iter().any(|word| has(word)) {
        true => ParsedSystem::Linux,
        false => ParsedSystem::Silent(Device::Other),
    }
}

fn is_windows(words: &[String]) -> bool {
    let named = |word: &String| {
        ["windows", "win", "mswin", "mswindows", "windowsnt"].contains(&word.as_str())
    };
    let first = |list: &[&str]| words.first().is_some_and(|w| list.contains(&w.as_str()));
    let second = |list: &[&str]| words.get(1).is_some_and(|w| list.contains(&w.as_str()));
    let year = words.iter().any(|w| YEARS.iter().any(|y| y.0 == w));
    words.iter().any(named)
        // `Server 2019`, `Microsoft Hyper-V Server 2019`, `WS2019`.
        || year && (words.iter().any(|w| w == "server") || first(&["ws", "w"]))
        // `W10`.
        || first(&["w"]) && second(&["7", "8", "8.1", "10", "11"])
}

/// The build number in a word: `19045`, `19045.2311`, `10.0.22631`, `6.1.7601`.
fn build_of(word: &str) -> Option<u32> {
    let parts: Vec<u32> = word.split('.').map_while(|p| p.parse().ok()).collect();
    let known = 6000..40_000;
    match parts.as_slice() {
        [6 | 10, 0..=4, build, ..] if known.contains(build) => Some(*build),
        [build] | [build, _] if known.contains(build) => Some(*build),
        _ => None,
    }
}

fn windows(words: &[String]) -> ParsedSystem {
    let has = |word: &str| words.iter().any(|w| w == word);
    let year = YEARS.iter().find(|(year, _)| has(year));
    let client = CLIENTS.iter().find(|(number, _)| has(number));
    let nt = [
        ("6.0", 6002),
        ("6.1", 7601),
        ("6.2", 9200),
        ("6.3", 9600),
        ("10.0", 19041),
    ];
    let nt = nt.iter().find(|(number, _)| has(number));
    let server = has("server")
        || has("datacenter")
        || has("ws")
        || year.is_some() && client.is_none() && !has("ltsc") && !has("ltsb");
    let feature = FEATURES.iter().find(|(word, _, _)| has(word));
    let build = words.iter().find_map(|w| build_of(w));
    let edition = match (server, client, build, nt, feature) {
        (true, ..) => Edition::Server,
        (false, None, None, None, None) => Edition::Unsaid,
        _ => Edition::Client,
    };
    let of_name = match (year, feature, client, nt) {
        (Some((_, 6002)), ..) if has("r2") => 7601,
        (Some((_, 9200)), ..) if has("r2") => 9600,
        (Some((_, build)), ..) => *build,
        (_, Some((_, ten, eleven)), ..) => match has("11") {
            true => *eleven,
            false => *ten,
        },
        (_, _, Some((_, build)), _) if !server => *build,
        (_, _, _, Some(("10.0", _))) if server => 17763,
        (_, _, _, Some((_, build))) => *build,
        _ if server => 17763,
        _ => 19041,
    };
    // A build is exact; the name is the fallback.
    let build = build.unwrap_or(of_name);
    let after = BUILDS.iter().position(|(first, _)| build < *first);
    let at = after.unwrap_or(BUILDS.len() - 1).saturating_sub(1);
    ParsedSystem::Windows {
        edition,
        file_version: BUILDS.get(at).map_or("-", |b| b.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> (&'static str, Edition) {
        match system_of(text) {
            ParsedSystem::Windows {
                edition,
                file_version,
            } => (file_version, edition),
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn windows_is_known_by_product_and_build() {
        use Edition::{Client, Server, Unsaid};
        let cases = [
            ("Win 10", "10.0.19041.", Client),
            ("Win10", "10.0.19041.", Client),
            ("W11", "10.0.22621.", Client),
            ("Windows NT 10.0 (19045)", "10.0.19041.", Client),
            ("Windows 10 Pro", "10.0.19041.4717 ", Client),
            ("Windows 10 Enterprise", "10.0.19041.4717 ", Client),
            ("Windows 11 Pro", "10.0.22621.3880 ", Client),
            (
                "Windows 10 Enterprise 22H2 (19045.2311)",
                "10.0.19041.",
                Client,
            ),
            ("Windows 10.0.22631", "10.0.22621.", Client),
            ("Windows 10 Pro (22631.11)", "10.0.22621.", Client),
            ("Windows 10 Enterprise LTSC 2019", "10.0.17763.", Client),
            ("Windows 10 1809", "10.0.17763.", Client),
            ("Windows 11 21H2", "10.0.22000.", Client),
            ("Windows 11 Pro 24H2", "10.0.26100.", Client),
            ("Windows 8.1 Pro", "6.3.9600.", Client),
            ("Windows 7 Professional", "6.1.7601.", Client),
            (
                "Windows 7 Professional Service Pack 1 (64-bit)",
                "6.1.7601.",
                Client,
            ),
            ("Microsoft Windows NT Workstation 6.1", "6.1.7601.", Client),
            ("Microsoft Windows NT Server 6.3", "6.3.9600.", Server),
            (
                "Microsoft Windows NT Advanced Server 10.0",
                "10.0.17763.",
                Server,
            ),
            ("Windows Server 2008", "6.0.6002.", Server),
            ("Windows Server 2008 R2 Enterprise", "6.1.7601.", Server),
            ("Server 2008R2", "6.1.7601.", Server),
            ("Windows Server 2012 Standard", "6.2.9200.", Server),
            ("Windows 2012 R2", "6.3.9600.", Server),
            ("W2K16", "10.0.14393.", Server),
            ("Win 2019", "10.0.17763.", Server),
            (
                "Microsoft Windows Server 2019 Standard",
                "10.0.17763.6054 ",
                Server,
            ),
            ("WindowsServer2022", "10.0.20348.2582 ", Server),
            (
                "Windows Server 2022 Datacenter: Azure Edition",
                "10.0.20348.",
                Server,
            ),
            ("Windows Server 2025 Datacenter", "10.0.26100.", Server),
            ("Microsoft® Windows® 10 Pro", "10.0.19041.", Client),
            ("Windows", "10.0.19041.", Unsaid),
        ];
        for (text, expected, edition) in cases {
            let found = version(text);
            assert!(found.0.starts_with(expected), "{text}: {found:?}");
            assert_eq!(found.1, edition, "{text}");
        }
    }

    #[test]
    fn distributions_are_linux() {
        for text in [
            "RHEL 8",
            "Red Hat Enterprise Linux 8.6",
            "SUSE",
            "SLES 15 SP4",
            "openSUSE Leap 15.5",
            "Ubuntu",
            "Ubuntu 22.04.3 LTS",
            "Debian GNU/Linux 12",
            "CentOS 7",
            "Rocky",
            "AlmaLinux",
            "Oracle Linux Server 8.9",
            "Amazon Linux 2",
            "Fedora",
            "Linux 5.15",
            "Debian 12",
            "SUSE Linux Enterprise Server 15",
            "Other 3.x Linux (64-bit)",
            "VMware Photon OS",
            "ubuntu2204",
            "centos7",
        ] {
            assert_eq!(system_of(text), ParsedSystem::Linux, "{text}");
        }
    }

    #[test]
    fn what_has_no_endpoint_telemetry_is_silent() {
        let cases = [
            ("Cisco IOS 15.2", Device::NetworkDevice),
            ("NX-OS", Device::NetworkDevice),
            ("Junos 21.4R3", Device::NetworkDevice),
            ("FortiOS 7.2", Device::NetworkDevice),
            ("PAN-OS 10.1", Device::NetworkDevice),
            ("ArubaOS", Device::NetworkDevice),
            ("Arista EOS", Device::NetworkDevice),
            ("HP LaserJet", Device::Printer),
            ("VMware ESXi 8", Device::Hypervisor),
            ("macOS 14.5", Device::Other),
            ("Mac OS X 10.11", Device::Other),
            ("Oracle Solaris 11.4", Device::Other),
            ("AIX 7.2", Device::Other),
            ("HP-UX", Device::Other),
            ("FreeBSD 14", Device::Other),
            ("iOS 17.2", Device::Other),
            ("Android 14", Device::Other),
            ("ChromeOS", Device::Other),
            ("Windows XP", Device::Other),
            ("Windows Server 2003", Device::Other),
            ("Darwin 11", Device::Other),
            ("Wintermute 11", Device::Other),
            ("", Device::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(system_of(text), ParsedSystem::Silent(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_some_system(text in ".{0,40}") {
            let _ = system_of(&text);
        }

        #[test]
        fn a_build_has_the_binaries_of_its_base(build in 6002u32..39_999) {
            let (version, _) = version(&format!("Windows ({build}.11)"));
            let base = version.split('.').nth(2).and_then(|b| b.parse::<u32>().ok());
            prop_assert!(base.is_some_and(|base| base <= build), "{} for {}", version, build);
            if build >= 22_000 {
                prop_assert!(base >= Some(22_000));
            }
        }
    }

    #[test]
    fn distributions_are_named_by_whole_words() {
        for (text, expected) in [
            ("Red Hat Enterprise Linux 9.4", ("rhel", "redhat")),
            ("RHEL 8", ("rhel", "redhat")),
            ("openSUSE Leap 15.5", ("opensuse-leap", "suse")),
            ("SUSE Linux Enterprise Server 15 SP5", ("sles", "suse")),
            ("AlmaLinux 9", ("almalinux", "redhat")),
            ("Rocky Linux 9.3", ("rocky", "redhat")),
            ("Ubuntu 22.04 LTS", ("ubuntu", "debian")),
            ("Debian GNU/Linux 12", ("debian", "debian")),
            ("Linux 5.15, 64-bit architecture", ("linux", "linux")),
        ] {
            assert_eq!(distribution(text), expected, "{text}");
        }
    }
}

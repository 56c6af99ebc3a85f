use std::io::Write;
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

fn table(content: &str, strict: bool) -> Result<Table<Asset>> {
    let mut file = tempfile::Builder::new()
        .prefix("assets")
        .suffix(".csv")
        .tempfile()
        .expect("a temporary file");
    file.write_all(content.as_bytes()).expect("written");
    read(file.path(), strict)
}

fn parse(content: &str) -> Vec<Asset> {
    table(content, false).expect("assets").rows
}

/// Name, address, system, kind, owner of each, with `-` for nothing.
fn brief(content: &str) -> Vec<String> {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_string());
    let one = |it: &Asset| {
        let parts = [or(&it.os), or(&it.asset_type), or(&it.owner)];
        format!("{} {} {}", it.hostname, it.ip_address, parts.join("/"))
    };
    parse(content).iter().map(one).collect()
}

#[test]
fn the_data_file_names_the_columns_in_order() {
    let vocabulary = Vocabulary::embedded("assets.toml", COLUMNS).expect("read");
    let name = |column| vocabulary.name(column).to_string();
    assert_eq!(name(column::HOSTNAME), "Hostname");
    assert_eq!(name(column::ADDRESS), "IP_Address");
    assert_eq!(name(column::NETMASK), "Netmask");
    assert_eq!(name(column::OS), "OS");
    assert_eq!(name(column::OS_VERSION), "OS_Version");
    assert_eq!(name(column::TYPE), "Asset_Type");
    assert_eq!(name(column::CRITICALITY), "Criticality");
    assert_eq!(name(column::LOCATION), "Location");
    assert_eq!(name(column::OWNER), "Owner");
    assert_eq!(name(column::DEPARTMENT), "Department");
    assert_eq!(name(column::STATUS), "Status");
    assert_eq!(vocabulary.columns.len(), 11);
    let is_kind = |word: &String| vocabulary.kinds.contains(word);
    assert!(vocabulary.devices.iter().all(is_kind));
}

#[test]
fn our_own_sample_is_read_without_a_note() {
    let sample = crate::grounding::test_data::sample("cmdb_assets.csv");
    for strict in [false, true] {
        let Table { rows, notes } = read(&sample, strict).expect("assets");
        assert_eq!(rows.len(), 80);
        assert!(notes.is_empty(), "{notes:?}");
        let of_type = |wanted: &str| {
            let is_one = |asset: &&Asset| asset.asset_type.as_deref() == Some(wanted);
            rows.iter().filter(is_one).count()
        };
        assert_eq!(of_type("Domain Controller"), 2);
        assert!(of_type("Workstation") > 40);
    }
}

#[test]
fn names_of_columns_vary() {
    let content = "name,IP,Operating System,TYPE,Business_Criticality\n\
                   WKS-002,10.0.4.9,Windows 10 Pro,Workstation,Moderate\n";
    assert_eq!(
        table(content, true).expect("assets").rows,
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
fn strict_refusals_name_line_and_remedy() {
    let cases: [(&str, &[&str]); 13] = [
        ("", &["the file is empty", "--cmdb-assets"]),
        (
            "Hostname,OS\nA,Windows\n",
            &["no column IP_Address", "Hostname, OS"],
        ),
        ("Hostname,IP_Address\nA,10.0.0.1\n", &["no column OS"]),
        (
            "host,ip,os\nA,8.8.8.8,Windows\n",
            &["line 2", "is not private", "inside address"],
        ),
        (
            "host,ip,os\nA,fe80::1,Windows\n",
            &["line 2", "is IPv6", "IPv4"],
        ),
        (
            "host,ip,os\nA,10.0.0.1/24,Windows\n",
            &["not an IPv4 address"],
        ),
        ("host,ip,os\nA,10.0.0.255,Windows\n", &["broadcast"]),
        (
            "host,ip,os\nA-NAME-FAR-TOO-LONG,10.0.0.1,Windows\n",
            &["longer than 15"],
        ),
        (
            "host,ip,os\nwks_1.corp,10.0.0.1,Windows\n",
            &["other than letters", "NetBIOS"],
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
        let message = table(content, true).expect_err("refused").to_string();
        for part in expected {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn odd_rows_are_repaired_or_left_out_with_one_note_each() {
    let content = "name,ip_address,os,sys_class_name\n\
                   one.corp.example,10.0.1.1,Linux,Server\n\
                   prod-payments-api-eu-01,10.0.1.2,Linux Ubuntu,Server\n\
                   db_01,10.0.1.3/24,Linux,Server\n\
                   TWO,\"198.51.100.7, 10.0.1.4\",Windows 2016,Server\n\
                   DMZ,203.0.113.17,Windows 2022,Server\n\
                   V6,2001:db8::17,Linux,Server\n\
                   NONE,,Windows 11,Computer\n\
                   SW,10.0.1.5,,IP Switch\n\
                   one,10.0.1.6,Linux,Server\n\
                   COPY,10.0.1.1,Linux,Server\n\
                   NAT,100.64.3.9,Linux,Server\n\
                   EDGE,10.9.0.255,Linux,Server\n\
                   A-WINDOWS-NAME-OF-21,10.0.1.7,Windows 11,Computer\n\
                   A-WINDOWS-NAME-OF-22,10.0.1.8,Windows 11,Computer\n\
                   10.0.1.9,10.0.1.9,Linux,Server\n";
    assert_eq!(
        brief(content),
        [
            "one 10.0.1.1 Linux/Server/-",
            "prod-payments-api-eu-01 10.0.1.2 Linux Ubuntu/Server/-",
            "db_01 10.0.1.3 Linux/Server/-",
            "TWO 10.0.1.4 Windows 2016/Server/-",
            "DMZ 203.0.113.17 Windows 2022/Server/-",
            "V6 2001:db8::17 Linux/Server/-",
            "SW 10.0.1.5 -/IP Switch/-",
            "NAT 100.64.3.9 Linux/Server/-",
            "A-WINDOWS-NAME- 10.0.1.7 Windows 11/Computer/-",
        ]
    );
    let notes = table(content, false).expect("assets").notes;
    assert_eq!(notes.len(), 2);
    for part in [
        "6 of 15 rows left out",
        "no address (1; line 8)",
        "duplicate hostname (1; line 10)",
        "duplicate address (1; line 11)",
        "no usable address (1; line 13)",
        "name equals another's after 15 characters (1; line 15)",
        "invalid hostname (1; line 16)",
    ] {
        assert!(notes[0].contains(part), "{part:?} is not in {notes:?}");
    }
    for part in [
        "4 of 15 rows repaired",
        "domain removed from the hostname (1; line 2)",
        "prefix length, port or zone removed from the address (1; line 4)",
        "one of several addresses used (1; line 5)",
        "Windows name cut to 15 characters (1; line 14)",
    ] {
        assert!(notes[1].contains(part), "{part:?} is not in {notes:?}");
    }
}

#[test]
fn the_column_whose_values_are_kinds_of_hosts_decides() {
    let content = "Name,Role,Type,IP Address,Platform\n\
                   a,Web server,ThinkSystem SR630,10.0.0.1/24,Ubuntu 22.04\n\
                   b,,PowerEdge R650,10.0.0.2/24,\n\
                   c,Core,Laptop,10.0.0.3/24,Windows 11\n\
                   d,Database server,PowerEdge R650,10.0.0.4/24,\n";
    assert_eq!(
        brief(content),
        [
            "a 10.0.0.1 Ubuntu 22.04/Web server/-",
            "b 10.0.0.2 -/-/-",
            "c 10.0.0.3 Windows 11/Core/-",
            "d 10.0.0.4 -/Database server/-",
        ]
    );
    let notes = table(content, false).expect("assets").notes;
    assert!(notes[0].contains("read from the column Role") && notes[0].contains("not from Type"));
}

#[test]
fn exports_of_usual_inventories_are_read() {
    let exports: [(&str, &str); 13] = [
        // Splunk.
        (
            "ip,mac,nt_host,dns,owner,priority,city,bunit,category\n\
             10.1.0.20|10.99.0.20,00:1b,KTX-1,ktx-1.x.org,ada@x.org,high,Kiel,it,server|windows\n",
            "KTX-1 10.1.0.20 -/server|windows/ada@x.org",
        ),
        (
            "ip,nt_host,dns,category\n10.1.0.21,,ktx-2.x.org,workstation\n",
            "ktx-2 10.1.0.21 -/workstation/-",
        ),
        // ServiceNow.
        (
            "name,host_name,fqdn,ip_address,os,os_version,sys_class_name,assigned_to,install_status\n\
             APP1,,app1.x.org,10.1.0.1,Windows,10.0.20348,Windows Server,Ada M,Installed\n",
            "APP1 10.1.0.1 Windows 10.0.20348/Windows Server/Ada M",
        ),
        // GLPI in three languages.
        (
            "\"Name\";\"Status\";\"Type\";\"Operating System - Name\";\"Network - IP\";\"Alternate username\";\"\"\n\
             \"PC1\";\"In use\";\"Laptop\";\"Windows 11\";\"10.1.0.2\nfe80::1\";\"ada\";\"\"\n",
            "PC1 10.1.0.2 Windows 11/Laptop/ada",
        ),
        (
            "Nom;Statut;Type;Système d'exploitation - Nom;Réseau - IP;Utilisateur;Lieu;\n\
             PC1;En service;Portable;Windows 11;10.1.0.2;ada;Lyon;\n",
            "PC1 10.1.0.2 Windows 11/Portable/ada",
        ),
        (
            "Name;Status;Typ;Betriebssystem - Name;Betriebssystem - Version;Netzwerk - IP;Benutzer;Standort\n\
             PC1;Aktiv;Notebook;Windows;11;10.1.0.2;ada;Kiel\n",
            "PC1 10.1.0.2 Windows 11/Notebook/ada",
        ),
        // Nautobot.
        (
            "name,status,device_role,device_type,primary_ip4,platform,site,tenant\n\
             r1,active,Router,ISR 4331,10.1.0.3/31,Cisco IOS,Kiel,ops\n",
            "r1 10.1.0.3 Cisco IOS/Router/-",
        ),
        // Lansweeper.
        (
            "AssetName,AssetTypename,IPAddress,OSname,Username,Department\nWS1,Windows,10.1.0.4,Win 10,CORP\\ada,IT\n",
            "WS1 10.1.0.4 Win 10/Windows/CORP\\ada",
        ),
        // Snipe-IT, with a column of addresses of the user's own.
        (
            "Asset Name,Asset Tag,Model,Category,Checked Out To,Location,IP\nLT1,100,XPS 13,Laptop,Ada M,Kiel,10.1.0.5\n",
            "LT1 10.1.0.5 -/Laptop/Ada M",
        ),
        // SCCM.
        (
            "Name0,Operating_System_Name_and0,IP_Addresses0,User_Name0\n\
             WS2,Microsoft Windows NT Workstation 10.0,\"fe80::2, 10.1.0.6\",ada\n",
            "WS2 10.1.0.6 Microsoft Windows NT Workstation 10.0/-/ada",
        ),
        // OCS.
        (
            "NAME,IPADDR,OSNAME,USERID\nws3,10.1.0.7,Windows 7,ada\n",
            "ws3 10.1.0.7 Windows 7/-/ada",
        ),
        // Intune.
        (
            "Device name,Primary user UPN,OS,OS version,Wi-Fi IPv4 Address\nLT-9,ada@x.org,Windows,10.0.22631.3007,10.1.0.8\n",
            "LT-9 10.1.0.8 Windows 10.0.22631.3007/-/ada@x.org",
        ),
        // Get-ADComputer.
        (
            "#TYPE ADComputer\n\"DNSHostName\",\"IPv4Address\",\"Name\",\"OperatingSystem\"\n\
             \"ws4.x.org\",\"10.1.0.9\",\"WS4\",\"Windows 11 Pro\"\n",
            "WS4 10.1.0.9 Windows 11 Pro/-/-",
        ),
    ];
    for (content, expected) in exports {
        assert_eq!(brief(content), [expected], "{content}");
    }
}

#[test]
fn hosts_no_longer_in_use_are_left_out() {
    let content = "name,ip,os,install_status,operational_status\n\
                   A,10.0.0.1,Windows 11,Installed,Operational\n\
                   B,10.0.0.2,Windows 11,Retired,Operational\n\
                   C,10.0.0.3,Windows 11,Installed,6\n";
    for strict in [false, true] {
        let Table { rows, notes } = table(content, strict).expect("assets");
        assert_eq!(rows.len(), 1);
        assert!(notes[0].ends_with("2 of 3 rows left out: no longer in use (2; lines 3, 4)"));
    }
}

#[test]
fn what_tools_write_for_nothing_is_nothing() {
    let content = "name,ip,os,owner,location,department\nA,10.0.0.1,N/A,-,(none),null\n";
    let assets = parse(content);
    assert_eq!(
        (
            &assets[0].os,
            &assets[0].owner,
            &assets[0].location,
            &assets[0].department
        ),
        (&None, &None, &None, &None)
    );
}

#[test]
fn an_edge_of_a_network_is_a_host_where_the_file_tells_a_wider_one() {
    let lone = "name,ip\nA,10.47.0.255\nB,10.47.0.9\n";
    assert_eq!(brief(lone), ["B 10.47.0.9 -/-/-"]);
    let masked = "name,ip,netmask\nA,10.47.0.255,255.255.252.0\n";
    assert_eq!(brief(masked), ["A 10.47.0.255 -/-/-"]);
    let by_others = "name,ip\nA,10.47.0.255\nB,10.47.0.9/22\n";
    assert_eq!(brief(by_others).len(), 2);
}

#[test]
fn a_file_that_leaves_no_host_is_an_error() {
    let message = table("name,ip\nA,\nB,127.0.0.1\n", false)
        .expect_err("refused")
        .to_string();
    for part in [
        "no row of 2 is a host",
        "no address (1; line 2)",
        "no usable address (1; line 3)",
        "export hosts in use",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(content in "[\"a-c,0-9.|/\n\r-]{0,200}", strict: bool) {
        let _ = table(&content, strict);
        let _ = table(&format!("host,ip,os\n{content}"), strict);
    }

    #[test]
    fn accepted_hosts_keep_the_promises(
        hosts in prop::collection::vec(("[A-Z0-9_.-]{1,17}", any::<u32>()), 1..6),
    ) {
        let mut content = "Hostname,IP_Address,OS\n".to_string();
        for (name, bits) in &hosts {
            let address = Ipv4Addr::from(*bits);
            content.push_str(&format!("{name},{address},Windows 11\n"));
        }
        for strict in [false, true] {
            let Ok(Table { rows, .. }) = table(&content, strict) else { continue };
            prop_assert!(!strict || rows.len() == hosts.len());
            for asset in &rows {
                prop_assert!(asset.hostname.len() <= 15 && !asset.hostname.contains('.'));
                let IpAddr::V4(v4) = asset.ip_address else { unreachable!() };
                prop_assert!(!v4.is_loopback() && !v4.is_multicast() && (!strict || v4.is_private()));
            }
        }
    }
}

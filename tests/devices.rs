//! Assets without endpoint telemetry, and disabled users, appear only in other records.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use fusiongen::Generator;
use fusiongen::catalog::Device;
use fusiongen::grounding::{alerts_db, cmdb, directory};
use fusiongen::plan::{Config, Grounding};
use tempfile::TempDir;

const ASSETS: &str = "\
name,ip,os,type,location,owner
PRN-HAM-01,10.1.9.20,HP FutureSmart 5,Printer,Hamburg,IT
PRN-BER-01,10.2.9.20,Lexmark MX,Printer,Berlin,IT
SW-01,10.1.9.1,Cisco IOS 15.2,Switch,Hamburg,IT
ESX-01,10.1.9.5,VMware ESXi 8.0.2,Hypervisor,Hamburg,IT
PC-1,10.1.1.1,Windows 11 Pro,Workstation,Hamburg,Ann Ash
PC-2,2001:db8::12,Windows 10 Pro,Workstation,Berlin,Bob Birch
LX-1,2001:db8::13,AlmaLinux 9,Server,Hamburg,IT
DC-1,10.1.2.1,Windows Server 2019,Domain Controller,Hamburg,IT
";
const USERS: &str = "\
SamAccountName,Name,Mail,Department,Enabled
aash,Ann Ash,ann.ash@x.org,Sales,True
bbirch,Bob Birch,bob@x.org,IT,True
ccedar,Carl Cedar,carl@x.org,IT,False
";
/// Alerts between a switch and a client, a client and a printer.
const ALERTS: &str = "\
timestamp,src_ip,src_port,dest_ip,dest_port,proto,alert_signature,alert_category,alert_severity
2024-09-02T10:00:00Z,10.1.9.1,40000,10.1.1.1,445,TCP,ET SCAN Behaviour,Misc activity,3
2024-09-02T10:00:01Z,10.1.9.1,40001,10.1.2.1,445,TCP,ET SCAN Behaviour,Misc activity,3
2024-09-02T10:00:02Z,10.1.1.1,50000,10.2.9.20,9100,TCP,ET POLICY Printer Language,Misc activity,3
2024-09-02T10:00:03Z,10.1.1.1,50001,10.2.9.20,9100,TCP,ET POLICY Printer Language,Misc activity,3
";

struct Rows(Vec<RecordBatch>);

impl Rows {
    /// A column of text by its path, `None` where it is null.
    fn texts(&self, path: &str) -> Vec<Option<String>> {
        let of_batch = |batch: &RecordBatch| -> Vec<Option<String>> {
            let mut names = path.split('.');
            let mut array = batch.column_by_name(names.next().unwrap()).unwrap().clone();
            let mut nulls = array.nulls().cloned();
            for name in names {
                array = array.as_struct().column_by_name(name).unwrap().clone();
                nulls = arrow_buffer::NullBuffer::union(nulls.as_ref(), array.nulls());
            }
            let texts = cast(&array, &DataType::Utf8).unwrap();
            let texts: &StringArray = texts.as_string();
            (0..texts.len())
                .map(|row| {
                    let there =
                        texts.is_valid(row) && nulls.as_ref().is_none_or(|n| n.is_valid(row));
                    there.then(|| texts.value(row).to_string())
                })
                .collect()
        };
        self.0.iter().flat_map(of_batch).collect()
    }
}

fn config() -> Config {
    Config {
        events: 90_000,
        days: 2,
        ..Config::default()
    }
}

fn grounded(place: &Path, alerts: bool) -> Grounding {
    let file = |name: &str, text: &str| {
        let path = place.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut grounding = common::grounding();
    grounding.assets = Some(cmdb::read(&file("assets.csv", ASSETS), false).unwrap().rows);
    grounding.users = Some(
        directory::read(&file("users.csv", USERS), false)
            .unwrap()
            .rows,
    );
    if alerts {
        grounding.profile = alerts_db::fit(&file("alerts.csv", ALERTS), None).unwrap();
    }
    grounding
}

fn corpus(alerts: bool) -> (TempDir, Rows) {
    let place = TempDir::new().unwrap();
    let out = place.path().join("out");
    let grounding = grounded(place.path(), alerts);
    common::write_grounded(config(), common::whole(2), &grounding, &out);
    let rows = Rows(common::batches(&out.join("events")));
    (place, rows)
}

#[test]
fn devices_are_ends_of_traffic_and_never_report() {
    let (_place, rows) = corpus(false);
    let hosts = rows.texts("host.name");
    let destinations = rows.texts("destination.ip");
    let directions = rows.texts("network.direction");
    let mut met: BTreeSet<(&str, &str)> = BTreeSet::new();
    let devices = ["10.1.9.20", "10.2.9.20", "10.1.9.1", "10.1.9.5"];
    for row in 0..hosts.len() {
        let host = hosts[row].as_deref().unwrap_or("");
        assert!(!["PRN-HAM-01", "PRN-BER-01", "SW-01", "ESX-01"].contains(&host));
        let Some(to) = destinations[row]
            .as_deref()
            .filter(|ip| devices.contains(ip))
        else {
            continue;
        };
        assert_eq!(
            directions[row].as_deref(),
            Some("internal"),
            "{host} to {to}"
        );
        met.insert((host, to));
    }
    // Each host prints at its site. The scanner and the backup server are missing from the CMDB and are added.
    for pair in [
        ("PC-1", "10.1.9.20"),
        ("PC-2", "10.2.9.20"),
        ("SCAN-01", "10.1.9.1"),
        ("BKP-01", "10.1.9.5"),
    ] {
        assert!(met.contains(&pair), "{pair:?} of {met:?}");
    }
    assert!(!met.contains(&("PC-1", "10.2.9.20")), "{met:?}");
}

#[test]
fn disabled_users_are_named_by_failed_logons_only() {
    let (_place, rows) = corpus(false);
    let users = rows.texts("user.name");
    let outcomes = rows.texts("event.outcome");
    let codes = rows.texts("event.code");
    let mut seen = BTreeSet::new();
    for row in (0..users.len()).filter(|&row| users[row].as_deref() == Some("ccedar")) {
        assert_eq!(outcomes[row].as_deref(), Some("failure"));
        seen.insert(codes[row].clone().unwrap());
    }
    assert_eq!(seen, BTreeSet::from(["4625".into(), "4776".into()]));
}

#[test]
fn an_inventory_without_devices_prints_nothing() {
    let place = TempDir::new().unwrap();
    let out = place.path().join("out");
    common::write(config(), common::whole(2), &out);
    let written = common::walk(&out.join("events"));
    let printing = |path: &&std::path::PathBuf| path.display().to_string().contains("printing");
    assert_eq!(written.iter().find(printing), None);
    let generator = Generator::builder().config(config()).build().unwrap();
    assert!(!generator.world().addresses.has(Device::Printer));
}

#[test]
fn alerts_of_a_device_are_reported_by_the_other_end() {
    let (_place, rows) = corpus(true);
    let hosts = rows.texts("host.name");
    let names = rows.texts("rule.name");
    let (from, to) = (rows.texts("source.ip"), rows.texts("destination.ip"));
    let (mut scans, mut prints) = (0, 0);
    for row in 0..hosts.len() {
        match names[row].as_deref() {
            Some("ET SCAN Behaviour") if from[row].as_deref() == Some("10.1.9.1") => {
                assert_ne!(to[row].as_deref(), Some("10.1.9.1"));
                scans += 1;
            }
            Some("ET POLICY Printer Language") if to[row].as_deref() == Some("10.2.9.20") => {
                prints += 1;
            }
            _ => {}
        }
    }
    assert!(scans > 100 && prints > 100, "{scans} {prints}");
}

#[test]
fn addresses_of_ipv6_are_written_as_such() {
    let (_place, rows) = corpus(false);
    let clients = rows.texts("winlog.event_data.IpAddress");
    assert!(clients.iter().flatten().any(|ip| ip == "2001:db8::12"));
    assert!(
        !clients
            .iter()
            .flatten()
            .any(|ip| ip.starts_with("::ffff:2001"))
    );
    let sockets = rows.texts("auditd.saddr");
    let of_ipv6 = |text: &&String| {
        text.len() == 56
            && text.starts_with("0A00")
            && text.contains("20010DB8000000000000000000000013")
    };
    assert!(sockets.iter().flatten().any(|text| of_ipv6(&text)));
    assert!(
        sockets
            .iter()
            .flatten()
            .all(|text| text.len() == 32 || of_ipv6(&text))
    );
}

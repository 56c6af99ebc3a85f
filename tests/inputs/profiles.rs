//! Saved profiles: equal to their database, invalid ones, and extreme values.

use std::path::Path;

use super::Place;
use super::databases::foreign;
use crate::common::{program, stderr};

#[test]
fn a_saved_profile_stands_for_its_database() {
    let place = Place::new();
    let path = place.database(&foreign()[0].1);
    let saved = place.path("p.json");
    let profiled = program()
        .args(["profile", "--alerts-db"])
        .arg(&path)
        .arg("-o")
        .arg(&saved)
        .output()
        .expect("run");
    assert!(profiled.status.success());
    let sample = |flag: &str, input: &Path, more: &[&str]| {
        let output = program()
            .args([
                "sample",
                "-n",
                "4",
                "--events",
                "3000",
                "--days",
                "1",
                "--category",
                "foreign",
            ])
            .args([flag.as_ref(), input.as_os_str()])
            .args(more)
            .output()
            .expect("run");
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let by_profile = sample("--profile", &saved, &[]);
    assert_eq!(sample("--alerts-db", &path, &[]), by_profile);
    // 2 is medium on both scales; 1 and 3 swap.
    assert!(by_profile.contains("\"severity\": \"medium\""));
    let profile = std::fs::read_to_string(&saved).expect("read");
    for (scale, number, word) in [
        ("suricata", 1, "high"),
        ("fusionai", 1, "low"),
        ("ntopng", 7, "critical"),
    ] {
        let numbered = profile.replace("\"severity\":2", &format!("\"severity\":{number}"));
        std::fs::write(&saved, numbered).expect("written");
        let text = sample("--profile", &saved, &["--severity-scale", scale]);
        assert!(
            text.contains(&format!("\"severity\": \"{word}\"")),
            "{scale}: {text}"
        );
    }
    let both = program()
        .args(["sample", "--alerts-db"])
        .arg(&path)
        .arg("--profile")
        .arg(&saved)
        .output()
        .expect("run");
    assert_eq!(both.status.code(), Some(2));
    assert!(stderr(&both).contains("cannot be used with"));
}

#[test]
fn profiles_that_are_no_good() {
    let place = Place::new();
    let flag = "--profile";
    let saved = place.path("p.json");
    let path = place.database(&foreign()[4].1);
    let output = program()
        .args(["profile", "--alerts-db"])
        .arg(&path)
        .arg("-o")
        .arg(&saved)
        .output()
        .expect("run");
    assert!(output.status.success());
    let json = std::fs::read_to_string(&saved).expect("read");
    let with = |old: &str, new: &str| {
        assert!(json.contains(old), "{old} is not in {json}");
        place.file("spoilt.json", json.replacen(old, new, 1))
    };
    place.refused(
        flag,
        &place.file("cut.json", &json[..json.len() / 2]),
        &["ends too early", "line "],
    );
    place.refused(flag, &place.file("empty.json", ""), &["ends too early"]);
    place.refused(flag, &place.file("text.json", "hello"), &["is not JSON"]);
    place.refused(
        flag,
        &place.file("utf8.json", b"{\"version\":1,\"table\":\"\xff\"}"),
        &["line 1"],
    );
    place.refused(
        flag,
        &with("\"version\":1", "\"version\":2"),
        &["version 2", "newer fusiongen"],
    );
    place.refused(
        flag,
        &with("\"version\":1", "\"version\":0"),
        &["old version 0"],
    );
    place.refused(flag, &with("\"version\":1,\n", ""), &["has no version"]);
    place.refused(
        flag,
        &with("\"rows\":", "\"wor\\nds\":"),
        &["is not a profile", "wor"],
    );
    place.refused(
        flag,
        &with("\"count\":75", "\"count\":0"),
        &["the count is 0"],
    );
    place.refused(
        flag,
        &with("\"count\":75", "\"count\":-1"),
        &["is not a profile"],
    );
    place.refused(
        flag,
        &with("\"count\":75", "\"count\":18446744073709551615"),
        &["2⁶³"],
    );
    place.refused(
        flag,
        &with("\"external_internal\":75", "\"external_internal\":76"),
        &["the ends sum"],
    );
    place.refused(
        flag,
        &with("\"service_port\":445", "\"service_port\":70000"),
        &["is not a profile"],
    );
    place.refused(
        flag,
        &with("\"Foreign\"", "\"a\\u0000b\""),
        &["control characters"],
    );
    place.refused(flag, &with("8.8.8.8", "8.8.8"), &["not an address"]);
}

/// The largest values of a valid profile must not overflow.
#[test]
fn extreme_profiles_generate() {
    use fusiongen::Generator;
    use fusiongen::grounding::Profile;
    use fusiongen::plan::Config;

    const MUCH: u64 = 1 << 61;
    type Change = fn(&mut Profile);
    let changes: [Change; 5] = [
        |p| {
            for tuple in &mut p.tuples {
                tuple.count = MUCH;
                tuple.ends.internal_external = MUCH / 2;
                tuple.ends.external_internal = MUCH / 2;
                tuple.ends.internal_internal = 0;
                tuple.ends.external_external = 0;
                tuple.ends.multicast = 0;
                tuple.client_ports = vec![(1, MUCH / 2), (65_535, MUCH / 2)];
                tuple.severity = Some(i64::MIN);
                tuple.signature_id = Some(u64::MAX);
            }
        },
        |p| {
            p.external_clients = vec![("8.8.8.8".into(), MUCH), ("2606:4700::1111".into(), MUCH)];
            p.external_services = vec![("9.9.9.9".into(), MUCH)];
            p.multicast = vec![("224.0.0.1".into(), MUCH)];
            p.internal_clients = vec![MUCH, MUCH];
            p.internal_client_addresses = vec!["10.0.0.1".into(), "fe80::1".into()];
            p.internal_services = vec![MUCH];
            p.internal_service_addresses = Vec::new();
            p.unseen_clients_ppm = 1_000_000;
            p.unseen_services_ppm = 0;
        },
        |p| {
            p.internal_clients.clear();
            p.internal_services.clear();
            p.internal_client_addresses.clear();
            p.internal_service_addresses.clear();
            p.multicast.clear();
        },
        |p| {
            p.bytes
                .iter_mut()
                .for_each(|table| table.pairs = vec![(MUCH, MUCH)])
        },
        |p| {
            p.hours = Some(
                (0..24)
                    .map(|hour| if hour == 7 { MUCH } else { 0 })
                    .collect(),
            )
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut profile = Profile::embedded();
        profile.tuples.truncate(3);
        change(&mut profile);
        profile
            .validate(Path::new("p.json"))
            .unwrap_or_else(|e| panic!("{number}: {e}"));
        let config = Config {
            events: 1_500,
            days: 1,
            assets: Some(260),
            ..Config::default()
        };
        let generator = Generator::builder().config(config).profile(profile);
        let generator = generator.build().unwrap();
        let mut rows = 0;
        for group in &generator.plan().row_groups {
            (generator.maker()).frames(group, |frame| rows += frame.len);
        }
        assert_eq!(rows, 1_500, "{number}");
    }
}

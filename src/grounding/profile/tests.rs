use super::*;
use std::net::IpAddr;

fn small() -> Profile {
    let mut profile = Profile::embedded();
    profile.tuples.truncate(3);
    profile
}

fn file(content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("profile.json");
    std::fs::write(&path, content).expect("written");
    (directory, path)
}

fn refusal(content: &str) -> String {
    let (_directory, path) = file(content);
    let error = Profile::read(&path).expect_err("refused");
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn the_embedded_profile_keeps_its_promises() {
    let profile = Profile::embedded();
    profile.validate(Path::new("default.json")).expect("valid");
    let text = include_str!("../../../data/profile/default.json");
    assert!(text.len() < 400_000);
    assert_eq!(profile.to_json(), text, "not as `Profile::write` writes it");
    let mut sorted = profile.clone();
    sorted.sort();
    assert_eq!(sorted, profile, "not in canonical order");
    assert_eq!(profile.clone().without_addresses(), profile);
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
}

#[test]
fn the_embedded_profile_has_no_address_but_multicast() {
    fn check(json: &serde_json::Value) {
        match json {
            serde_json::Value::String(text) => {
                let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != '.' && c != ':');
                for word in words.chain([text.as_str()]) {
                    if let Ok(address) = word.parse::<IpAddr>() {
                        assert!(address.is_multicast(), "{address} in {text}");
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(check),
            serde_json::Value::Object(fields) => fields.values().for_each(check),
            _ => {}
        }
    }
    check(&serde_json::to_value(Profile::embedded()).expect("JSON"));
}

#[test]
fn a_quarter_of_the_embedded_profile_is_the_endpoints_world() {
    let profile = Profile::embedded();
    let categories = [
        "psexec_lateral",
        "malicious_powershell_detect",
        "dga_dns",
        "ssh_bruteforce",
        "ssh_lateral",
        "privilege_escalation",
        "credential_access",
        "persistence_run_key",
        "malware_dropper",
        "data_exfiltration",
        "crypto_miner",
        "c2_beacon",
        "reconnaissance",
        "ssh_login_anomaly",
    ];
    let mut weight = 0;
    for category in categories {
        let tuples: Vec<&Tuple> = profile
            .tuples
            .iter()
            .filter(|tuple| tuple.category.as_deref() == Some(category))
            .collect();
        let signatures: std::collections::BTreeSet<&str> = tuples
            .iter()
            .map(|tuple| tuple.signature.as_str())
            .collect();
        assert!((2..=4).contains(&signatures.len()), "{category}");
        assert!(tuples.iter().all(|tuple| !tuple.techniques.is_empty()));
        weight += tuples.iter().map(|tuple| tuple.count).sum::<u64>();
    }
    let all: u64 = profile.tuples.iter().map(|tuple| tuple.count).sum();
    assert_eq!(all, profile.rows);
    let percent = weight * 100 / all;
    assert!((24..=26).contains(&percent), "{percent}%");
}

#[test]
fn what_is_written_is_read() {
    let profile = small();
    let (directory, path) = file("old");
    profile.write(&path).expect("written");
    assert_eq!(Profile::read(&path).expect("read"), profile);
    let left = std::fs::read_dir(directory.path()).expect("listed").count();
    assert_eq!(left, 1, "a temporary file is left");
    let mut shuffled = profile.clone();
    shuffled.tuples.reverse();
    shuffled.write(&path).expect("written");
    assert_eq!(Profile::read(&path).expect("read"), profile);
}

#[test]
fn a_failed_write_leaves_the_old_file_alone() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let absent = directory.path().join("absent/profile.json");
    assert_eq!(small().write(&absent).expect_err("refused").exit_code(), 3);
    assert_eq!(
        small()
            .write(Path::new("/"))
            .expect_err("refused")
            .exit_code(),
        2
    );
    assert_eq!(
        small()
            .write(directory.path())
            .expect_err("refused")
            .exit_code(),
        3
    );
}

#[test]
fn equal_profiles_have_equal_digests() {
    let profile = small();
    let mut other = profile.clone();
    assert_eq!(profile.digest(), other.digest());
    assert_eq!(profile.digest().len(), 64);
    other.tuples[0].count += 1;
    assert_ne!(profile.digest(), other.digest());
}

#[test]
fn unusable_files_are_refused_with_a_place() {
    let json = small().to_json();
    assert!(refusal("").contains("line 1"));
    let half = refusal(&json[..json.len() / 2]);
    assert!(
        half.contains("ends too early") && half.contains(", line "),
        "{half}"
    );
    assert!(refusal("not json").contains("is not JSON"));
    assert!(refusal("{}").contains("has no version"));
    assert!(refusal("[1]").contains("is not a profile"));
    assert!(refusal("{\"version\":99,\"new\":1}").contains("use a newer fusiongen"));
    assert!(refusal("{\"version\":0}").contains("old version 0"));
    let unknown = refusal(&json.replace("\"rows\":", "\"lines\":"));
    assert!(
        unknown.contains("lines") && unknown.contains("line 3"),
        "{unknown}"
    );
    let (_directory, path) = file(&format!("\u{feff}{json}"));
    assert!(Profile::read(&path).is_ok());
}

#[test]
fn broken_promises_are_refused_with_a_place() {
    type Break = fn(&mut Profile);
    let cases: [(Break, &str); 19] = [
        (|p| p.bytes.clear(), "no size"),
        (|p| p.table = "a\nb".into(), "table"),
        (|p| p.missing = vec!["\u{1b}[31m".into()], "missing"),
        (|p| p.tuples.clear(), "nothing to draw"),
        (|p| p.tuples[1].count = 0, "tuple 2"),
        (|p| p.tuples[0].signature.clear(), "the signature is empty"),
        (|p| p.tuples[0].protocol = "TCP".into(), "lower-case"),
        (
            |p| p.tuples[0].action = "maybe".into(),
            "`allowed` or `blocked`",
        ),
        (|p| p.tuples[0].ends.multicast = u64::MAX, "the ends sum"),
        (|p| p.tuples[0].service_port = Some(0), "a port is 0"),
        (
            |p| p.tuples[0].client_ports = vec![(1, u64::MAX)],
            "client ports sum",
        ),
        (|p| p.tuples[0].techniques = vec!["X".into()], "ATT&CK"),
        (|p| p.tuples[0].count = u64::MAX, "2⁶³"),
        (
            |p| p.external_clients = vec![("here".into(), 1)],
            "not an address",
        ),
        (
            |p| {
                p.external_clients = vec![("9.9.9.9".into(), 1)];
                p.external_services = p.external_clients.clone();
            },
            "listed twice",
        ),
        (
            |p| p.internal_client_addresses = vec!["10.0.0.1".into()],
            "differs from the number of ranks",
        ),
        (|p| p.bytes[0].pairs.clear(), "1 to 64 pairs"),
        (|p| p.bytes[0].pairs = vec![(2, 2), (1, 1)], "ascending"),
        (|p| p.hours = Some(vec![1; 23]), "there must be 24"),
    ];
    for (breaks, expected) in cases {
        let mut profile = small();
        breaks(&mut profile);
        let error = profile.validate(Path::new("p.json")).expect_err("refused");
        let message = error.to_string();
        assert!(
            message.contains(expected),
            "{expected:?} is not in {message:?}"
        );
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..400)) {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path = directory.path().join("p.json");
            std::fs::write(&path, content).expect("written");
            prop_assert_eq!(Profile::read(&path).expect_err("refused").exit_code(), 2);
        }

        #[test]
        fn a_damaged_profile_is_read_or_refused(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            length in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            let mut bytes = small().to_json().into_bytes();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if cut {
                bytes.truncate(length.index(bytes.len()));
            }
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path = directory.path().join("p.json");
            std::fs::write(&path, bytes).expect("written");
            match Profile::read(&path) {
                Ok(profile) => profile.validate(&path).expect("valid"),
                Err(error) => {
                    prop_assert_eq!(error.exit_code(), 2);
                    prop_assert_eq!(error.to_string().lines().count(), 2, "{}", error);
                }
            }
        }

        #[test]
        fn a_profile_with_slips_is_generated_from_or_refused(
            slips in prop::collection::vec(crate::slips::slip(), 1..3),
            tuples in 1..20usize,
        ) {
            let mut profile = Profile::embedded();
            profile.tuples.truncate(tuples);
            let mut text = profile.to_json();
            for slip in &slips {
                text = crate::slips::slipped(&text, slip);
            }
            let (_directory, path) = file(&text);
            match Profile::read(&path) {
                Ok(profile) => {
                    let catalog = crate::catalog::Catalog::embedded().expect("a catalog");
                    crate::slips::generate(&catalog, profile);
                }
                Err(error) => {
                    prop_assert_eq!(error.exit_code(), 2);
                    let message = error.to_string();
                    prop_assert_eq!(message.lines().count(), 2, "{}", message);
                    prop_assert!(message.len() < 2_000, "{} bytes", message.len());
                }
            }
        }
    }
}

#[test]
fn another_scale_reads_the_same_severities() {
    let mut profile = Profile::embedded();
    let before: Vec<Option<String>> = texts(&profile);
    profile.rescale(SeverityScale::Cvss);
    assert_eq!(texts(&profile), before);
    assert_eq!(profile.severity_scale, SeverityScale::Cvss);
    profile.rescale(SeverityScale::Suricata);
    assert_eq!(profile, Profile::embedded());
}

/// Severities as text, sorted.
fn texts(profile: &Profile) -> Vec<Option<String>> {
    let text = |tuple: &Tuple| tuple.severity.map(|it| profile.severity_scale.text(it));
    let mut texts: Vec<Option<String>> = profile.tuples.iter().map(text).collect();
    texts.sort();
    texts
}

//! What is counted, and what is kept of it.

use super::*;
use crate::grounding::profile::{Profile, SeverityScale};

fn alert(signature: &str) -> RawAlert {
    RawAlert {
        signature: Some(signature.to_string()),
        protocol: Some("tcp".to_string()),
        ..RawAlert::default()
    }
}

fn finish(fitter: Fitter) -> Profile {
    fitter.finish(Finish {
        table: "alerts",
        hints: Default::default(),
        scale: Some(SeverityScale::Suricata),
        is_time_unread: false,
    })
}

fn fit(alerts: &[RawAlert]) -> Profile {
    let mut fitter = Fitter::default();
    for alert in alerts {
        fitter.add(alert);
    }
    finish(fitter)
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

#[test]
fn an_alert_to_the_client_has_its_service_at_the_source() {
    let profile = fit(&[RawAlert {
        direction: Some(Direction::ToClient),
        source_address: address("8.8.8.8"),
        source_port: Some(443),
        destination_address: address("10.0.0.4"),
        destination_port: Some(50_000),
        ..alert("S")
    }]);
    assert_eq!(profile.tuples[0].service_port, Some(443));
    assert_eq!(profile.tuples[0].ends.internal_external, 1);
    assert_eq!(profile.internal_client_addresses, ["10.0.0.4"]);
    assert_eq!(profile.external_services, [("8.8.8.8".to_string(), 1)]);
    assert!(profile.external_clients.is_empty());
    assert_eq!(profile.unseen_services_ppm, 1_000_000);
}

#[test]
fn an_address_is_in_the_pool_of_its_commoner_side() {
    let flow = |from: &str, to: &str| RawAlert {
        source_address: address(from),
        destination_address: address(to),
        ..alert("S")
    };
    let profile = fit(&[
        flow("8.8.8.8", "10.0.0.4"),
        flow("8.8.8.8", "10.0.0.4"),
        flow("10.0.0.4", "8.8.8.8"),
        flow("9.9.9.9", "10.0.0.4"),
        flow("10.0.0.4", "224.0.0.251"),
    ]);
    assert_eq!(
        profile.external_clients,
        [("8.8.8.8".to_string(), 3), ("9.9.9.9".to_string(), 1)]
    );
    assert!(profile.external_services.is_empty());
    assert_eq!(profile.unseen_clients_ppm, 250_000);
    assert_eq!(profile.multicast, [("224.0.0.251".to_string(), 1)]);
    assert_eq!(profile.tuples[0].ends.multicast, 1);
}

#[test]
fn ports_beyond_the_limit_are_spread() {
    let mut alerts = Vec::new();
    for port in 1..=300u16 {
        for _ in 0..(if port <= 10 { 2 } else { 1 }) {
            alerts.push(RawAlert {
                destination_port: Some(port),
                ..alert("scan")
            });
        }
    }
    alerts.push(alert("scan"));
    let profile = fit(&alerts);
    assert_eq!(profile.tuples.len(), PORT_LIMIT + 2);
    let spread = profile
        .tuples
        .iter()
        .find(|tuple| tuple.spread_ports)
        .expect("a spread tuple");
    assert_eq!((spread.count, spread.service_port), (44, None));
    assert_eq!(profile.tuples.iter().map(|t| t.count).sum::<u64>(), 311);
    alerts.reverse();
    assert_eq!(profile, fit(&alerts));
}

#[test]
fn a_client_port_counts_when_several_hosts_use_it() {
    let flow = |from: &str, port: u16| RawAlert {
        source_address: address(from),
        source_port: Some(port),
        destination_address: address("10.0.0.1"),
        destination_port: Some(123),
        ..alert("ntp")
    };
    let profile = fit(&[
        flow("10.0.0.2", 123),
        flow("10.0.0.3", 123),
        flow("10.0.0.2", 1_055),
        flow("10.0.0.2", 1_055),
        flow("10.0.0.2", 50_000),
        flow("10.0.0.3", 50_000),
    ]);
    assert_eq!(profile.tuples[0].client_ports, [(123, 2)]);
}

#[test]
fn a_repeated_destination_of_to_client_alerts_is_kept() {
    let answer = |port: u16| RawAlert {
        source_address: address("10.0.0.1"),
        source_port: Some(445),
        destination_address: address("10.0.0.2"),
        destination_port: Some(port),
        direction: Some(Direction::ToClient),
        ..alert("smb")
    };
    let profile = fit(&[answer(48_768), answer(48_768), answer(50_000)]);
    assert_eq!(profile.tuples[0].service_port, Some(445));
    assert_eq!(profile.tuples[0].client_ports, [(48_768, 2)]);
}

#[test]
fn protocols_without_ports_have_none() {
    let profile = fit(&[RawAlert {
        protocol: Some("icmp".to_string()),
        destination_port: Some(8),
        ..alert("ping")
    }]);
    assert_eq!(profile.tuples[0].service_port, None);
}

#[test]
fn hours_need_enough_busy_days_close_together() {
    let days = |days: i64, apart: i64, each: i64| -> Vec<RawAlert> {
        (0..days * each)
            .map(|i| RawAlert {
                time: Some((i / each) * apart * 86_400 + (i % each) * 60),
                ..alert("S")
            })
            .collect()
    };
    let hours = fit(&days(14, 4, 50)).hours.expect("hours");
    assert_eq!(hours.len(), 24);
    assert_eq!(hours.iter().sum::<u64>(), 14 * 50);
    assert_eq!(hours[0], 14 * 50);
    assert_eq!(fit(&days(13, 4, 50)).hours, None);
    assert_eq!(fit(&days(14, 5, 50)).hours, None);
    assert_eq!(fit(&days(14, 4, 49)).hours, None);
}

/// A hundredth of the usual room.
const NARROW: Limits = Limits {
    cells: 400,
    text_bytes: 100_000,
    addresses: 500,
    groups: 50,
    client_ports: 300,
    byte_tables: 4,
};

#[test]
fn memory_is_bounded_and_the_frequent_survive() {
    let fit = || {
        let mut fitter = Fitter::within(NARROW);
        for i in 0..40_000u32 {
            fitter.add(&RawAlert {
                source_address: Some(std::net::Ipv4Addr::from(0x0800_0000 + i).into()),
                destination_address: Some(std::net::Ipv4Addr::from(0x0a00_0000 + i).into()),
                application: Some(format!("app{i}")),
                bytes_to_server: Some(u64::from(i) + 1),
                techniques: vec!["T1021".to_string()],
                ..alert(&format!("rare {i}"))
            });
            if i % 4 == 0 {
                fitter.add(&RawAlert {
                    source_address: address("9.9.9.9"),
                    destination_port: Some(445),
                    ..alert("common")
                });
            }
            assert!(fitter.cells.len() <= NARROW.cells);
            assert!(fitter.external.len() <= NARROW.addresses);
            assert!(fitter.bytes.len() <= NARROW.byte_tables);
            assert!(fitter.texts.known.len() <= 4 * NARROW.cells);
            assert!(fitter.techniques.len() <= NARROW.cells);
        }
        finish(fitter)
    };
    let profile = fit();
    profile.validate(std::path::Path::new("p")).expect("valid");
    assert_eq!(profile.rows, 50_000);
    let first = &profile.tuples[0];
    assert_eq!((first.signature.as_str(), first.count), ("common", 10_000));
    assert_eq!(profile.external_clients[0], ("9.9.9.9".to_string(), 10_000));
    // 40,000 of 50,000 sightings were of an address never seen before or after.
    assert_eq!(profile.unseen_clients_ppm, 800_000);
    let said = |start: &str| profile.missing.iter().any(|it| it.starts_with(start));
    assert!(said("tuples: only the") && said("addresses: too many"));
    assert_eq!(profile, fit());
}

#[test]
fn a_port_scan_is_spread_before_anything_is_dropped() {
    let mut fitter = Fitter::within(NARROW);
    for port in 1..=60_000u16 {
        fitter.add(&RawAlert {
            source_address: address("10.0.0.1"),
            destination_address: address("10.0.0.2"),
            destination_port: Some(port),
            ..alert("scan")
        });
    }
    let profile = finish(fitter);
    assert_eq!(profile.tuples.len(), PORT_LIMIT + 1);
    assert_eq!(
        profile.tuples.iter().map(|it| it.count).sum::<u64>(),
        60_000
    );
    assert!(profile.tuples[0].spread_ports);
    assert_eq!(
        profile.tuples[0].ends.internal_internal,
        profile.tuples[0].count
    );
    assert!(!profile.missing.iter().any(|it| it.starts_with("tuples")));
}

#[test]
fn long_texts_are_bounded_by_their_bytes() {
    let mut fitter = Fitter::within(NARROW);
    for i in 0..5_000 {
        fitter.add(&alert(&format!("{i:01000}")));
        assert!(fitter.texts.bytes <= NARROW.text_bytes + 2_000);
    }
    let profile = finish(fitter);
    assert!((20..=100).contains(&profile.tuples.len()));
}

#[test]
fn odd_severities_are_kept_and_said() {
    let with = |severity: i64| RawAlert {
        severity: Some(Severity::Tenths(severity * 10)),
        ..alert("S")
    };
    let profile = fit(&[with(-3), with(2), with(1 << 40)]);
    assert!(profile.tuples.iter().any(|it| it.severity == Some(1 << 40)));
    assert!(
        profile
            .missing
            .iter()
            .any(|it| it.starts_with("severity: 2 alerts"))
    );
}

#[test]
fn a_rule_keeps_the_first_sixteen_techniques_in_any_order() {
    let one = |id: usize| RawAlert {
        techniques: vec![format!("T1{id:03}")],
        ..alert("S")
    };
    let mut alerts: Vec<RawAlert> = (0..40).map(one).collect();
    let forward = fit(&alerts);
    alerts.reverse();
    assert_eq!(forward.tuples[0].techniques.len(), TECHNIQUE_LIMIT);
    assert_eq!(forward, fit(&alerts));
}

#[test]
fn one_end_outside_is_enough() {
    let from = |source: &str, host: Option<&str>| RawAlert {
        source_address: address(source),
        host_address: host.and_then(address),
        ..alert("S")
    };
    let to = |destination: &str| RawAlert {
        destination_address: address(destination),
        ..alert("S")
    };
    let profile = fit(&[
        from("8.8.8.8", None),
        from("8.8.4.4", Some("10.0.0.7")),
        to("9.9.9.9"),
        from("10.0.0.1", None),
        // The host is the source: of the other end nothing is known.
        from("10.0.0.7", Some("10.0.0.7")),
    ]);
    let ends = profile.tuples[0].ends;
    assert_eq!((ends.external_internal, ends.internal_external), (2, 1));
    assert_eq!((ends.internal_internal, profile.tuples[0].count), (0, 5));
    assert_eq!(profile.external_clients.len(), 2);
    assert_eq!(profile.internal_service_addresses, ["10.0.0.7"]);
}

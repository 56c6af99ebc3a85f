//! Audits of single rows: identity, numbers, outcome, platform, MITRE, labels.

use std::net::IpAddr;

use super::audits::{Audit as A, Tallies, shown};
use super::facts::Facts;
use super::fields::{EventRow, Field as F};
use crate::grounding::address::{AddressKind, kind};

/// Accounts of the operating system.
const SYSTEM: &[&str] = &["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "root"];

/// Runs every audit that needs no other row.
pub fn audit(facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
    identity(facts, row, tallies);
    ports(row, tallies);
    flow(facts, row, tallies);
    platform(row, tallies);
    mitre(facts, row, tallies);
    labels(row, tallies);
    if row.is_blocked()
        && let Some(outcome) = row.text(F::Outcome)
    {
        tallies.row(A::OutcomeBlocked, row, outcome == "failure", || {
            let action = shown(row.text(F::Action));
            (format!("'failure' for {action}"), shown(Some(outcome)))
        });
    }
}

fn identity(facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
    if let Some(name) = row.text(F::HostName) {
        let asset = facts.assets.get(name);
        let address = row.text(F::HostIp);
        let same = asset.is_some_and(|asset| {
            Some(asset.address.as_str()) == address
                && row.text(F::HostHostname) == Some(name)
                && row.text(F::OsName) == Some(asset.system.as_str())
                && row.text(F::Platform) == Some(asset.platform.as_str())
                && (row.ecs() || row.text(F::HostType) == Some(asset.kind.as_str()))
                && row.text(F::AssetLocation) == Some(asset.location.as_str())
                && row.text(F::AssetOwner) == Some(asset.owner.as_str())
                && row
                    .text(F::ComputerName)
                    .is_none_or(|c| c == name || c.split('.').next() == Some(name))
        });
        tallies.row(A::IdentityHost, row, same, || {
            let found = [
                F::HostHostname,
                F::HostIp,
                F::OsName,
                F::Platform,
                F::HostType,
                F::AssetLocation,
                F::AssetOwner,
                F::ComputerName,
            ]
            .map(|f| row.shown(f).unwrap_or_default());
            (
                asset.map_or_else(
                    || format!("'{name}' in entities/assets"),
                    |a| {
                        format!(
                            "{name}, {}, {}, {}, {}, {}, {}",
                            a.address, a.system, a.platform, a.kind, a.location, a.owner
                        )
                    },
                ),
                found.join(", "),
            )
        });
    }
    if let Some(user) = row.text(F::UserName)
        && (SYSTEM.contains(&user) || user.ends_with('$'))
    {
        let mail = row.text(F::UserEmail);
        tallies.row(A::IdentityMail, row, mail.is_none(), || {
            (format!("no e-mail for '{user}'"), shown(mail))
        });
    }
}

fn ports(row: &EventRow<'_>, tallies: &mut Tallies) {
    // Other protocols have none; Windows' filtering platform has ICMP's type and code instead.
    if !matches!(row.text(F::Protocol), Some("tcp" | "udp")) {
        return;
    }
    let fields = [
        F::SourcePort,
        F::DestinationPort,
        F::FlowSourcePort,
        F::FlowDestinationPort,
    ];
    let wrong = fields.into_iter().find(|field| {
        let port = row.integer(*field);
        port.is_some_and(|port| !(1..=65_535).contains(&port))
    });
    if wrong.is_some() || fields.into_iter().any(|field| row.has(field)) {
        tallies.row(A::NumbersPort, row, wrong.is_none(), || {
            (
                "1 to 65535".into(),
                shown(wrong.and_then(|field| row.shown(field))),
            )
        });
    }
}

/// Whether an address is the reporting host's: one that it has in the inventory, or one that only it can
/// use, of its link or its own.
pub(super) fn is_own(row: &EventRow<'_>, text: &str) -> bool {
    row.texts(F::HostIp).any(|ip| ip == text)
        || match text.parse() {
            Ok(IpAddr::V4(address)) => address.is_loopback(),
            Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unicast_link_local(),
            Err(_) => false,
        }
}

fn address(text: Option<&str>) -> Option<IpAddr> {
    text.and_then(|text| text.parse().ok())
}

fn flow(facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
    let (source_bytes, destination_bytes) = (
        row.integer(F::SourceBytes),
        row.integer(F::DestinationBytes),
    );
    if let (Some(source), Some(destination)) = (source_bytes, destination_bytes) {
        let sum = source.saturating_add(destination);
        let found = row.integer(F::Bytes);
        tallies.row(A::NumbersBytes, row, found == Some(sum), || {
            (sum.to_string(), format!("{found:?}"))
        });
    }
    let (Some(source_text), Some(destination_text)) =
        (row.text(F::SourceIp), row.text(F::DestinationIp))
    else {
        return;
    };
    let (Some(source), Some(destination)) =
        (address(Some(source_text)), address(Some(destination_text)))
    else {
        tallies.row(A::IdentityDirection, row, false, || {
            (
                "two IP addresses".into(),
                format!("{source_text} → {destination_text}"),
            )
        });
        return;
    };
    let inside =
        |address: IpAddr| kind(address) != AddressKind::External || facts.inside.contains(&address);
    let expected = match (inside(source), inside(destination)) {
        (true, true) => "internal",
        (true, false) => "outbound",
        (false, true) => "inbound",
        (false, false) => "external",
    };
    let direction = row.text(F::Direction);
    tallies.row(
        A::IdentityDirection,
        row,
        direction == Some(expected),
        || {
            (
                format!("'{expected}' for {source_text} → {destination_text}"),
                shown(direction),
            )
        },
    );
    if row.has(F::HostName) {
        let own = |end: &str| is_own(row, end);
        let right = match direction {
            Some("inbound") => own(destination_text),
            Some("outbound") => own(source_text),
            _ => own(source_text) || own(destination_text),
        };
        tallies.row(A::IdentityReporter, row, right, || {
            (
                format!("the host at an end of {source_text} → {destination_text}"),
                shown(row.shown(F::HostIp)),
            )
        });
    }
    let protocol = row.text(F::Protocol);
    let from_server = row.text(F::SensorDirection) == Some("to_client");
    if let Some(port) = row.integer(F::SourcePort)
        && matches!(protocol, Some("tcp" | "udp"))
        && !from_server
        // Both ends of multicast DNS have its port.
        && port != 5353
        && let Some(platform) = facts.platform_of.get(&source)
    {
        let range = match platform.as_str() {
            "windows" => 49_152..=65_535,
            _ => 32_768..=60_999,
        };
        tallies.row(A::NumbersClientPort, row, range.contains(&port), || {
            (format!("{range:?} on {platform}"), port.to_string())
        });
    }
}

fn platform(row: &EventRow<'_>, tallies: &mut Tallies) {
    let platform = row.text(F::Platform);
    let (winlog, audit) = (row.has(F::EventId), row.has(F::AuditType));
    let right = match platform {
        _ if row.is_sensor() => !winlog && !audit,
        Some("windows") => winlog && !audit,
        Some("linux") => !winlog && (audit || row.has(F::Message)),
        _ => !winlog && !audit && row.has(F::CloudPlatform) && !row.has(F::Message),
    };
    tallies.row(A::PlatformRecord, row, right, || {
        (
            format!(
                "the record of {}",
                shown(platform.or(row.text(F::CloudPlatform)))
            ),
            format!("winlog {winlog}, auditd {audit}"),
        )
    });
    for field in [F::Executable, F::ParentExecutable] {
        let Some(image) = row.text(field) else {
            continue;
        };
        let right = match platform {
            Some("windows") => is_windows_image(image),
            Some("linux") => image.starts_with('/'),
            _ => true,
        };
        tallies.row(A::PlatformImage, row, right, || {
            (format!("a path on {}", shown(platform)), shown(Some(image)))
        });
    }
}

/// Whether an image is `C:\…` or one of the kernel's names.
pub fn is_windows_image(image: &str) -> bool {
    let bytes = image.as_bytes();
    let rooted = bytes.len() > 3
        && bytes[0].is_ascii_uppercase()
        && bytes[1] == b':'
        && bytes[2] == b'\\'
        && !image.contains('/')
        && !image[2..].contains(r"\\");
    rooted
        || ["System", "Registry", "MemCompression", "<unknown process>"].contains(&image)
        || image.starts_with(r"\Device\")
}

fn mitre(facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
    let ids: Vec<&str> = row.texts(F::TechniqueId).collect();
    let subs: Vec<&str> = row.texts(F::SubtechniqueId).collect();
    if ids.is_empty() {
        return;
    }
    let names = row
        .texts(F::TechniqueName)
        .chain(row.texts(F::SubtechniqueName));
    let names: Vec<&str> = names.collect();
    let all: Vec<&str> = ids.iter().chain(&subs).copied().collect();
    let mut known = Vec::new();
    let mut right = all.len() == names.len();
    for (id, name) in all.iter().zip(&names) {
        match facts.techniques.get(*id) {
            Some(technique) => {
                right &= technique.name == *name;
                known.push(technique);
            }
            // The parent technique is listed with its sub-technique, which is in the table.
            None => {
                let child = |sub: &&str| sub.split('.').next() == Some(*id);
                right &= subs.iter().any(child) && !name.is_empty();
            }
        }
    }
    tallies.row(A::MitreTechnique, row, right, || {
        let real: Vec<String> = known
            .iter()
            .map(|t| format!("{} {}", t.id, t.name))
            .collect();
        (
            format!("techniques of ATT&CK v18.1: {}", real.join(", ")),
            format!("{} {}", all.join(", "), names.join(", ")),
        )
    });
    let tactics: Vec<(&str, &str)> = row
        .texts(F::TacticId)
        .zip(row.texts(F::TacticName))
        .collect();
    let belongs = |(id, name): &(&str, &str)| {
        known.iter().any(|t| {
            let pairs = t.tactic_ids.iter().zip(&t.tactics);
            pairs.into_iter().any(|(i, n)| i == id && n == name)
        })
    };
    let right = !tactics.is_empty() && tactics.iter().all(belongs);
    tallies.row(A::MitreTactic, row, right, || {
        let real: Vec<String> = known
            .iter()
            .flat_map(|t| t.tactic_ids.iter().zip(&t.tactics))
            .map(|(id, name)| format!("{id} {name}"))
            .collect();
        (format!("of {}", real.join(", ")), format!("{tactics:?}"))
    });
    let words: &[&str] = match row.text(F::Platform) {
        Some("windows") => &["Windows"],
        Some("linux") => &["Linux"],
        _ => super::cloud::attack_names(row.text(F::CloudDataset)),
    };
    let right = known.iter().all(|t| {
        let fits = |p: &String| words.contains(&p.as_str()) || p == "PRE";
        t.platforms.iter().any(fits)
    });
    tallies.row(A::MitrePlatform, row, right, || {
        let has: Vec<&String> = known.iter().flat_map(|t| &t.platforms).collect();
        (
            format!("{} or PRE", words.join(" or ")),
            format!("{} on {has:?}", all.join(", ")),
        )
    });
}

fn labels(row: &EventRow<'_>, tallies: &mut Tallies) {
    let Some(verdict) = row.text(F::Verdict) else {
        return;
    };
    let right = match (row.has(F::AttackId), row.flag(F::Noise)) {
        (true, noise) => matches!(verdict, "attack" | "attempt") && noise != Some(true),
        (false, Some(true)) => {
            ["benign", "benign_suspicious", "benign_trigger"].contains(&verdict)
                && row.has(F::NoiseType)
        }
        (false, _) => ["attempt", "benign_trigger"].contains(&verdict),
    };
    tallies.row(A::LabelsVerdict, row, right, || {
        (
            "attack or attempt in chains, benign in noise, attempt or benign_trigger in alerts"
                .into(),
            format!(
                "'{verdict}', attack.id {}, noise {:?}",
                shown(row.text(F::AttackId)),
                row.flag(F::Noise)
            ),
        )
    });
}

//! `fusiongen profile`: summarises an alerts database, and saves it as a profile.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::output::{refuse_replacing, refuse_unwritable};
use super::progress::Reading;
use super::settings::{scale, variable_of};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::grounding::profile::{Profile, SeverityScale, Summary, Tuple};
use crate::grounding::{alerts_db, shown};
use crate::world::Detections;

/// Arguments of `profile`.
#[derive(Debug, Args)]
pub struct Fit {
    /// Alerts to fit the profile to: SQLite, JSON lines such as eve.json (also .gz, .zst), CSV or
    /// Parquet
    #[arg(long, env = variable_of("alerts_db"), value_name = "FILE")]
    alerts_db: PathBuf,
    /// File to save the profile to, for --profile [default: only print the summary]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Scale of severity numbers [default: inferred from the database]
    #[arg(long, env = variable_of("severity_scale"), value_name = "SCALE", value_parser = scale())]
    severity_scale: Option<SeverityScale>,
    /// Replace addresses with made-up ones of the same kind, so that the profile can be shared
    #[arg(long)]
    anonymise: bool,
    /// Number of tuples and categories to print
    #[arg(long, default_value_t = 20, value_name = "N")]
    top: usize,
    /// No row counter
    #[arg(long)]
    no_progress: bool,
}

impl Fit {
    pub fn run(&self) -> Result<()> {
        if let Some(path) = &self.output {
            refuse_unwritable(path)?;
            refuse_replacing(path, &[self.alerts_db.as_path()])?;
        }
        let reading = Reading::new("alerts", self.no_progress);
        let fitted = alerts_db::fit_watched(&self.alerts_db, self.severity_scale, &mut |rows| {
            reading.at(rows)
        });
        reading.finish();
        let profile = match self.anonymise {
            true => fitted?.anonymised(),
            false => fitted?,
        };
        if let Some(path) = &self.output {
            profile.write(path)?;
        }
        let catalog = Catalog::embedded()?;
        let detections = Detections::new(&catalog, &profile);
        let mut text = report(&profile, &detections.unmapped, self.top);
        text.push_str(&holdings(&profile, self.anonymise));
        let from = self.alerts_db.display();
        let _ = match &self.output {
            Some(path) => {
                let path = path.display();
                writeln!(
                    text,
                    "\nsaved to {path}\nnext: fusiongen generate --profile {path}"
                )
            }
            None => writeln!(
                text,
                "\nnext: fusiongen profile --alerts-db {from} -o profile.json"
            ),
        };
        match std::io::stdout().lock().write_all(text.as_bytes()) {
            // A closed pipe is no error: the reader has seen enough.
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Error::io("stdout".as_ref(), "write", e))
            }
            _ => Ok(()),
        }
    }
}

/// A line about the names and addresses that a saved profile discloses.
fn holdings(profile: &Profile, is_anonymised: bool) -> String {
    let signatures: BTreeSet<&str> = (profile.tuples.iter())
        .map(|tuple| tuple.signature.as_str())
        .collect();
    let outside = profile.external_clients.len() + profile.external_services.len();
    let inside: BTreeSet<&String> = (profile.internal_client_addresses.iter())
        .chain(&profile.internal_service_addresses)
        .collect();
    let what = format!(
        "{} rule names, {outside} outside and {} inside addresses",
        signatures.len(),
        inside.len()
    );
    match is_anonymised {
        true => format!("\nContains {what}; the addresses are made up\n"),
        false => format!("\nContains {what}; --anonymise replaces the addresses\n"),
    }
}

/// The summary of a profile, as text.
fn report(profile: &Profile, unmapped: &[(String, u64)], top: usize) -> String {
    let summary = Summary::new(profile);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_report(&mut text, profile, &summary, unmapped, top);
    text
}

fn percent(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        _ => 100.0 * part as f64 / whole as f64,
    }
}

/// Text shortened to `width` characters.
fn cut(text: &str, width: usize) -> String {
    let text = shown(text);
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect(),
        false => text,
    }
}

fn port_of(tuple: &Tuple) -> String {
    let arrow = match tuple.direction {
        crate::grounding::Direction::ToClient => "←",
        crate::grounding::Direction::ToServer => "→",
        crate::grounding::Direction::Unknown => " ",
    };
    match (tuple.service_port, tuple.spread_ports) {
        (Some(port), _) => format!("{arrow}{port}"),
        (None, true) => format!("{arrow}*"),
        (None, false) => format!("{arrow}-"),
    }
}

fn write_report(
    text: &mut String,
    profile: &Profile,
    summary: &Summary,
    unmapped: &[(String, u64)],
    top: usize,
) -> std::fmt::Result {
    let (alerts, tuples) = (summary.alerts, profile.tuples.len());
    let scale = profile.severity_scale.description();
    writeln!(
        text,
        "{} alerts of table {}, severity scale {scale}",
        profile.rows,
        shown(&profile.table)
    )?;
    if !profile.severity_reason.is_empty() {
        writeln!(text, "{}", profile.severity_reason)?;
    }

    write_tuples(text, profile, alerts, top)?;
    write_variety(text, summary)?;

    writeln!(text, "\nSeen once")?;
    writeln!(
        text,
        "  tuples {} of {tuples} ({:.1}%), {:.1}% of alerts",
        summary.single_tuples,
        percent(summary.single_tuples as u64, tuples as u64),
        percent(summary.single_tuples as u64, alerts)
    )?;
    writeln!(
        text,
        "  chance that the next public address is new (Good-Turing): {:.1}% of clients, {:.1}% of servers",
        f64::from(profile.unseen_clients_ppm) / 10_000.0,
        f64::from(profile.unseen_services_ppm) / 10_000.0
    )?;

    write_flows(text, summary, alerts)?;
    write_hours(text, profile)?;
    write_techniques(text, summary, unmapped, top)?;

    match profile.missing.is_empty() {
        true => writeln!(text, "\nNothing was missing")?,
        false => writeln!(text, "\nMissing, and what is used instead")?,
    }
    for sentence in &profile.missing {
        writeln!(text, "  {sentence}")?;
    }
    Ok(())
}

/// The `top` most frequent tuples.
fn write_tuples(text: &mut String, profile: &Profile, alerts: u64, top: usize) -> std::fmt::Result {
    let tuples = profile.tuples.len();
    writeln!(
        text,
        "\nTop tuples ({} of {tuples}; → to server, ← to client, * rare ports)",
        top.min(tuples)
    )?;
    writeln!(
        text,
        "{:>9} {:>6} {:>6}  {:<50} {:<26} {:>4} {:<12} port",
        "alerts", "share", "sum", "signature", "category", "sev", "protocol"
    )?;
    let mut sum = 0;
    for tuple in profile.tuples.iter().take(top) {
        sum += tuple.count;
        writeln!(
            text,
            "{:>9} {:>5.1}% {:>5.1}%  {:<50} {:<26} {:>4} {:<12} {}{}",
            tuple.count,
            percent(tuple.count, alerts),
            percent(sum, alerts),
            cut(&tuple.signature, 50),
            cut(tuple.category.as_deref().unwrap_or("(none)"), 26),
            cut(
                &tuple
                    .severity
                    .map_or("-".to_string(), |it| profile.severity_scale.text(it)),
                4
            ),
            cut(
                &format!(
                    "{}/{}",
                    tuple.protocol,
                    tuple.application.as_deref().unwrap_or("-")
                ),
                12
            ),
            port_of(tuple),
            if tuple.action == "blocked" {
                " blocked"
            } else {
                ""
            },
        )?;
    }
    Ok(())
}

/// Number, entropy and most frequent values of each field.
fn write_variety(text: &mut String, summary: &Summary) -> std::fmt::Result {
    writeln!(
        text,
        "\nVariety (2^entropy: the number of equally frequent values with the same entropy)"
    )?;
    writeln!(
        text,
        "{:<18} {:>9} {:>8} {:>10} {:>9}  most frequent",
        "", "values", "entropy", "2^entropy", "once"
    )?;
    for fact in &summary.facts {
        let most: Vec<String> = match fact.fact {
            "tuple" | "internal clients" | "internal servers" => Vec::new(),
            _ => fact
                .values
                .iter()
                .take(3)
                .map(|(value, count)| {
                    format!("{} {:.1}%", cut(value, 28), percent(*count, fact.total()))
                })
                .collect(),
        };
        writeln!(
            text,
            "{:<18} {:>9} {:>8.2} {:>10.1} {:>8.1}%  {}",
            fact.fact,
            fact.values.len(),
            fact.entropy(),
            fact.entropy().exp2(),
            percent(fact.singletons() as u64, fact.values.len() as u64),
            most.join(", ")
        )?;
    }
    Ok(())
}

/// Ends and directions of the alerts' flows.
fn write_flows(text: &mut String, summary: &Summary, alerts: u64) -> std::fmt::Result {
    let ends = &summary.ends;
    writeln!(text, "\nFlows (client to server)")?;
    for (name, count) in [
        ("inside to inside", ends.internal_internal),
        ("inside to outside", ends.internal_external),
        ("outside to inside", ends.external_internal),
        ("outside to outside", ends.external_external),
        ("to a group", ends.multicast),
    ] {
        writeln!(
            text,
            "  {name:<20} {count:>9} {:>5.1}%",
            percent(count, alerts)
        )?;
    }
    let [to_server, to_client, unknown] = summary.directions;
    writeln!(
        text,
        "  fired on packets to the server {:.1}%, to the client {:.1}%, unknown {:.1}%; blocked {:.1}%",
        percent(to_server, alerts),
        percent(to_client, alerts),
        percent(unknown, alerts),
        percent(summary.blocked, alerts)
    )?;
    Ok(())
}

/// Alerts by hour of the day.
fn write_hours(text: &mut String, profile: &Profile) -> std::fmt::Result {
    match &profile.hours {
        Some(hours) => {
            let most = hours.iter().max().copied().unwrap_or(1).max(1);
            let all: u64 = hours.iter().sum();
            writeln!(text, "\nHours (UTC)")?;
            for (hour, &count) in hours.iter().enumerate() {
                let bar = "#".repeat((count as u128 * 40 / u128::from(most)) as usize);
                writeln!(
                    text,
                    "  {hour:02} {count:>9} {:>5.1}%  {bar}",
                    percent(count, all)
                )?;
            }
        }
        None => {
            let reason = profile
                .missing
                .iter()
                .find_map(|it| {
                    it.strip_prefix("hours of the day: ")
                        .or(it.strip_prefix("timestamp: "))
                })
                .unwrap_or("the profile has none");
            writeln!(
                text,
                "\nHours: none ({reason}); the calendar's own weights are used"
            )?;
        }
    }
    Ok(())
}

/// How alerts are mapped to ATT&CK, and the categories that are not.
fn write_techniques(
    text: &mut String,
    summary: &Summary,
    unmapped: &[(String, u64)],
    top: usize,
) -> std::fmt::Result {
    let alerts = summary.alerts;
    let lost: u64 = unmapped.iter().map(|(_, count)| count).sum();
    writeln!(
        text,
        "\nATT&CK: {:.1}% of alerts mapped by their rules' metadata, {:.1}% by keywords and categories, {:.1}% unmapped",
        percent(summary.with_techniques, alerts),
        percent(
            alerts.saturating_sub(summary.with_techniques + lost),
            alerts
        ),
        percent(lost, alerts)
    )?;
    if !unmapped.is_empty() {
        writeln!(
            text,
            "Categories with alerts that the catalog does not map (no threat.*)"
        )?;
    }
    for (category, count) in unmapped.iter().take(top) {
        writeln!(
            text,
            "  {count:>9} {:>5.1}%  {}",
            percent(*count, alerts),
            shown(category)
        )?;
    }
    if unmapped.len() > top {
        writeln!(text, "  … and {} more", unmapped.len() - top)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_has_every_section() {
        let mut profile = Profile::embedded();
        profile.missing = vec!["timestamp: no hours of the day".to_string()];
        let text = report(&profile, &[("odd\ncategory".to_string(), 3)], 5);
        for part in [
            "Top tuples (5 of",
            "entropy",
            "Seen once",
            "Good-Turing",
            "Hours: none (no hours of the day)",
            "odd\\ncategory",
            "Missing, and what is used instead",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let first = &profile.tuples[0];
        assert!(text.contains(&first.count.to_string()));
        profile.hours = Some((0..24).collect());
        let text = report(&profile, &[], 5);
        assert!(text.contains("Hours (UTC)") && text.contains("  23        23   8.3%  ####"));
    }
}

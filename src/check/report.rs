//! The report of a check, for people and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::audits::{Audit, Example, Tallies};
use super::facts::Facts;
use super::figures::{Figure, Status, Thresholds};

/// The outcome of one invariant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invariant {
    pub name: &'static str,
    pub what: &'static str,
    /// Number of rows, chains or processes tested.
    pub tried: u64,
    pub passed: u64,
    /// The share that must pass.
    pub rate: f64,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<Example>,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub fingerprint: String,
    pub events: u64,
    /// Share of hosts and chains in audits across rows; all of them up to 100M rows.
    pub sampled: f64,
    /// The profile that divergences are measured against.
    pub profile: &'static str,
    pub passed: bool,
    pub invariants: Vec<Invariant>,
    pub figures: Vec<Figure>,
}

impl Report {
    pub(super) fn new(
        facts: &Facts,
        thresholds: &Thresholds,
        tallies: &Tallies,
        figures: Vec<Figure>,
        given: bool,
    ) -> Self {
        let invariants: Vec<Invariant> = Audit::ALL
            .iter()
            .map(|&audit| {
                let tally = tallies.get(audit);
                let rate = thresholds.rates.get(audit.name()).copied().unwrap_or(1.0);
                // Revoked rows can leave an example although no row was tested.
                let right = match rate < 1.0 {
                    true => tally.passed as f64 >= rate * tally.tried as f64,
                    false => tally.passed == tally.tried,
                };
                Invariant {
                    name: audit.name(),
                    what: audit.what(),
                    tried: tally.tried,
                    passed: tally.passed,
                    rate,
                    status: match right {
                        true if tally.tried == 0 => Status::NotApplicable,
                        true => Status::Passed,
                        false => Status::Failed,
                    },
                    example: tally.example.clone(),
                }
            })
            .collect();
        let passed = invariants.iter().all(|i| i.status != Status::Failed)
            && figures.iter().all(|f| f.status != Status::Failed);
        Report {
            fingerprint: facts.plan.fingerprint.clone(),
            events: facts.manifest.events,
            sampled: facts.kept as f64 / 1e6,
            profile: if given { "given" } else { "embedded" },
            passed,
            invariants,
            figures,
        }
    }

    /// Number of failed invariants and figures.
    pub fn failed(&self) -> usize {
        let invariants = self.invariants.iter().map(|i| i.status);
        let figures = self.figures.iter().map(|f| f.status);
        invariants
            .chain(figures)
            .filter(|s| *s == Status::Failed)
            .count()
    }

    /// Names of the invariants that failed and of the figures outside their range.
    pub fn outside(&self) -> Vec<&str> {
        let is_outside = |status: Status| matches!(status, Status::Failed | Status::Warned);
        let invariants = self.invariants.iter().filter(|i| is_outside(i.status));
        let figures = self.figures.iter().filter(|f| is_outside(f.status));
        let names = invariants.map(|i| i.name);
        names.chain(figures.map(|f| f.name.as_str())).collect()
    }

    /// One line per audit; failures with an example.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "{} events, fingerprint {}",
            self.events, self.fingerprint
        )?;
        match self.sampled < 1.0 {
            true => writeln!(
                text,
                "across rows: a sample of {:.2}% of hosts, accounts and chains",
                100.0 * self.sampled
            )?,
            false => writeln!(text, "across rows: exact, every host and chain")?,
        }
        writeln!(text, "\n{:<24} {:>12} {:>9}", "invariant", "rows", "passed")?;
        for i in &self.invariants {
            let rate = match i.tried {
                0 => "-".into(),
                // Rounding must not hide a failure.
                n if i.passed == n => "100%".into(),
                n => format!("{:.4}%", (100.0 * i.passed as f64 / n as f64).min(99.9999)),
            };
            let (mark, needs) = match (i.status, i.rate < 1.0) {
                (Status::Failed, _) => ("FAILED", String::new()),
                (Status::Passed, true) => ("", format!("  (at least {}%)", 100.0 * i.rate)),
                _ => ("", String::new()),
            };
            writeln!(
                text,
                "{:<24} {:>12} {rate:>9}{needs} {mark}",
                i.name, i.tried
            )?;
            if i.status == Status::Failed {
                writeln!(text, "    must hold: {}", i.what)?;
                if let Some(e) = &i.example {
                    let event = e.sequence.map_or(String::new(), |s| format!(", event {s}"));
                    writeln!(text, "    {}{event}", e.file)?;
                    writeln!(text, "    expected {}", e.expected)?;
                    writeln!(text, "    found    {}", e.found)?;
                }
            }
        }
        writeln!(
            text,
            "\n{:<26} {:>12} {:>10}  range (divergence: {} profile)",
            "figure", "rows", "value", self.profile
        )?;
        let first = self
            .figures
            .iter()
            .position(|f| f.name.starts_with("stream."));
        for (nth, f) in self.figures.iter().enumerate() {
            if Some(nth) == first {
                writeln!(text, "from record to record of a host's own Sysmon stream:")?;
            }
            let value = f.value.map_or("-".into(), |v| format!("{v:.3}"));
            let mark = match f.status {
                Status::Passed | Status::NotApplicable => "",
                Status::Warned => "  outside",
                Status::Failed => "  FAILED",
            };
            let range = f.range.map_or(String::new(), |(low, high)| {
                let rounded = |v: f64| (v * 10_000.0).round() / 10_000.0;
                format!("  {} to {}{mark}", rounded(low), rounded(high))
            });
            writeln!(text, "{:<26} {:>12} {value:>10}{range}", f.name, f.rows)?;
        }
        let untried = |s: Status| s == Status::NotApplicable;
        let invariants = self.invariants.iter().filter(|i| untried(i.status));
        let figures = self.figures.iter().filter(|f| untried(f.status));
        let names: Vec<&str> = invariants
            .map(|i| i.name)
            .chain(figures.map(|f| f.name.as_str()))
            .collect();
        if !names.is_empty() {
            writeln!(text, "\nnot applicable: {}", names.join(", "))?;
        }
        let failed = self.failed();
        let warned = self
            .figures
            .iter()
            .filter(|f| f.status == Status::Warned)
            .count();
        writeln!(
            text,
            "\n{failed} failed, {warned} figures outside their range"
        )
    }
}

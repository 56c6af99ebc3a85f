//! An HTML page about runs of the suite: times of every query side by side, on a logarithmic scale.
//!
//! The first run is what the others are compared with. The page is a function of the records: no
//! clock, no path, no script, and nothing that it would have to load.

use std::path::Path;

use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::compare::{Comparison, Line, Verdict, differing, lines};
use super::record::{Outcome, Record, Status};
use super::suite::Query;
use crate::error::{Error, Result};
use crate::numbers::grouped;
use crate::report::page::{STYLE, environment, write};

const TEMPLATE: &str = include_str!("../../data/report/queries.html");

/// A run: its environment, and what became of its queries.
#[derive(Debug, Serialize)]
struct Run {
    number: usize,
    engine: String,
    version: String,
    threads: String,
    machine: String,
    tries: usize,
    fine: usize,
    wrong: usize,
    failed: usize,
    skipped: usize,
    /// Geometric mean of time ÷ time of the first run.
    mean: String,
    peak_bytes: u64,
    settings: Vec<String>,
}

/// A query in all runs.
#[derive(Debug, Serialize)]
struct Row {
    query: String,
    question: String,
    is_timed: bool,
    cells: Vec<Cell>,
}

/// A query in one run.
#[derive(Debug, Serialize)]
struct Cell {
    run: usize,
    /// The word of the verdict: empty if there is nothing to say.
    word: &'static str,
    remark: String,
    answer: String,
    rows: u64,
    cold: String,
    median: String,
    range: String,
    ratio: String,
    /// Places on the scale, in percent of its width.
    bar: Option<[String; 3]>,
}

/// Times from the least to the greatest power of ten around all of them.
struct Scale {
    first: i32,
    decades: i32,
}

impl Scale {
    fn of<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Self {
        let ranges = outcomes.filter_map(Outcome::range);
        let all = ranges.fold((f64::MAX, 0.0_f64), |(least, most), (l, m)| {
            (least.min(l), most.max(m))
        });
        // Below a tenth of a millisecond a time is the clock's noise.
        let (least, most) = match all.1 > 0.0 {
            true => (all.0.max(0.1), all.1.max(1.0)),
            false => (1.0, 10.0),
        };
        let first = least.log10().floor() as i32;
        let decades = (most.log10().ceil() as i32 - first).max(1);
        Scale { first, decades }
    }

    /// The place of a time, in percent.
    fn place(&self, ms: f64) -> f64 {
        let decade = ms.max(0.1).log10() - f64::from(self.first);
        (100.0 * decade / f64::from(self.decades)).clamp(0.0, 100.0)
    }

    /// Labels of the powers of ten, with their places.
    fn ticks(&self) -> Vec<(String, String)> {
        let powers = self.first..=self.first + self.decades;
        let tick = |power: i32| {
            let ms = 10_f64.powi(power);
            (shown(ms), format!("{:.2}", self.place(ms)))
        };
        powers.map(tick).collect()
    }
}

/// A time with three digits: `0.42 ms`, `12.3 ms`, `1.5 s`.
fn shown(ms: f64) -> String {
    match ms {
        ms if ms >= 99_950.0 => format!("{} s", grouped((ms / 1000.0).round() as u64)),
        ms if ms >= 9_995.0 => format!("{:.1} s", ms / 1000.0),
        ms if ms >= 999.5 => format!("{:.2} s", ms / 1000.0),
        ms if ms >= 99.95 => format!("{ms:.0} ms"),
        ms if ms >= 9.995 => format!("{ms:.1} ms"),
        ms => format!("{ms:.2} ms"),
    }
}

fn cell(run: usize, outcome: &Outcome, line: &Line, scale: &Scale) -> Cell {
    let word = match (outcome.status, line.verdict) {
        (Status::Failed, _) => "FAILED",
        (Status::Skipped, _) => "skipped",
        (_, Verdict::Fine) => "",
        (_, verdict) => verdict.word(),
    };
    let median = outcome.median();
    let range = outcome.range();
    Cell {
        run,
        word,
        remark: line.remark.clone(),
        answer: outcome.answer.clone(),
        rows: outcome.rows,
        cold: (outcome.samples.first()).map_or(String::new(), |sample| shown(sample.ms)),
        median: median.map_or(String::new(), shown),
        range: range.map_or(String::new(), |(least, most)| {
            format!("{} to {}", shown(least), shown(most))
        }),
        ratio: match run {
            1 => String::new(),
            _ => line.ratio().map_or(String::new(), |r| format!("{r:.2}")),
        },
        bar: median.zip(range).map(|(median, (least, most))| {
            [median, least, most].map(|ms| format!("{:.2}", scale.place(ms)))
        }),
    }
}

/// How bad a row is: what is worst comes first.
fn rank(row: &Row) -> usize {
    let words = ["WRONG", "FAILED", "SLOWER", "suspect"];
    let of = |cell: &Cell| words.iter().position(|word| *word == cell.word);
    let ranks = row.cells.iter().filter_map(of);
    // Suspect and slower are no reason to leave the order of the suite.
    ranks.min().filter(|&rank| rank < 2).unwrap_or(words.len())
}

fn run(
    number: usize,
    record: &Record,
    lines: Vec<Line>,
    limit: f64,
    timed: &dyn Fn(&str) -> bool,
) -> Run {
    let count = |status| record.with(status).count();
    let machine = &record.machine;
    Run {
        number,
        engine: record.about.engine.clone(),
        version: record.about.version.clone(),
        threads: (record.threads).map_or("its own choice".into(), |n| n.to_string()),
        machine: format!(
            "{}, {} {}",
            machine.shown(),
            machine.system,
            machine.architecture
        ),
        tries: record.tries,
        fine: count(Status::Fine),
        wrong: count(Status::Wrong),
        failed: count(Status::Failed),
        skipped: count(Status::Skipped),
        mean: match number {
            1 => "1".into(),
            _ => (Comparison::of(lines, limit, timed).mean)
                .map_or("none".into(), |mean| format!("{mean:.2}")),
        },
        peak_bytes: record.peak_kib.unwrap_or(0).saturating_mul(1024),
        settings: record.about.settings_shown(),
    }
}

/// Renders runs side by side. A query is slower than in the first run by the ratio `limit`.
///
/// # Errors
/// There is no record, or the template fails, which is a bug.
pub fn html(records: &[Record], queries: &[Query], limit: f64) -> Result<String> {
    let Some(first) = records.first() else {
        return Err(Error::setting(
            "RUN",
            "there is no run to show",
            "name files that `fusiongen queries run -o FILE` wrote",
        ));
    };
    let timed = |name: &str| queries.iter().any(|q| q.name == name && q.is_timed());
    let scale = Scale::of(records.iter().flat_map(|record| &record.queries));
    let mut warnings = Vec::new();
    let mut verdicts: Vec<Vec<Line>> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        for what in differing(first, record) {
            let number = at + 1;
            warnings.push(format!("Run {number} is of another {what} than run 1."));
        }
        verdicts.push(lines(first, record, limit, "run 1"));
    }
    // Queries of every run, in the order of their numbers.
    let mut names: Vec<&str> = records
        .iter()
        .flat_map(|r| &r.queries)
        .map(|o| o.query.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut rows: Vec<Row> = Vec::new();
    for name in names {
        let mut cells = Vec::new();
        for (at, (record, lines)) in records.iter().zip(&verdicts).enumerate() {
            let found = record
                .queries
                .iter()
                .zip(lines)
                .find(|(o, _)| o.query == name);
            if let Some((outcome, line)) = found {
                cells.push(cell(at + 1, outcome, line, &scale));
            }
        }
        let question = queries.iter().find(|query| query.name == name);
        rows.push(Row {
            query: name.to_string(),
            question: question.map_or(String::new(), |query| query.question.clone()),
            is_timed: timed(name),
            cells,
        });
    }
    rows.sort_by_key(rank);
    let runs: Vec<Run> = (records.iter().zip(verdicts).enumerate())
        .map(|(at, (record, lines))| run(at + 1, record, lines, limit, &timed))
        .collect();
    let rendered = || {
        let mut environment = environment();
        environment.add_template("queries.html", TEMPLATE)?;
        environment.get_template("queries.html")?.render(context! {
            created_by => &first.created_by,
            suite => &first.suite,
            fingerprint => &first.fingerprint,
            events => first.events,
            event_bytes => first.event_bytes,
            percent => format!("{:.0}", 100.0 * (limit - 1.0)),
            ticks => scale.ticks(),
            runs => Value::from(Serde(&runs)),
            rows => Value::from(Serde(&rows)),
            warnings => warnings,
            style => STYLE,
        })
    };
    rendered().map_err(|_: minijinja::Error| Error::Defect {
        path: Path::new("data/report/queries.html").to_path_buf(),
    })
}

/// Writes the page; returns its size in bytes.
///
/// # Errors
/// As [`html`], or the page cannot be written there.
pub fn write_page(records: &[Record], queries: &[Query], limit: f64, path: &Path) -> Result<u64> {
    write(&html(records, queries, limit)?, path)
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::record;
    use super::super::suite::suite;
    use super::*;

    #[test]
    fn places_are_powers_of_ten() {
        let records = [record(&[400.0, 20.0, 300.0], 1), record(&[2.0, 3.0], 1)];
        let scale = Scale::of(records.iter().flat_map(|record| &record.queries));
        let ticks = scale.ticks();
        let labels: Vec<&str> = ticks.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["1.00 ms", "10.0 ms", "100 ms", "1.00 s"]);
        assert_eq!(ticks[3].1, "100.00");
        assert!((scale.place(10.0) - 100.0 / 3.0).abs() < 1e-9);
        let nothing = Scale::of(record(&[], 1).queries.iter());
        assert_eq!(nothing.ticks().len(), 2);
    }

    #[test]
    fn wrong_answers_come_first_and_texts_are_escaped() {
        let mut first = record(&[9.0, 100.0], 1);
        first.queries[0].query = "q01_inventory".into();
        let mut more = first.queries[0].clone();
        more.query = "q02_time_chart".into();
        first.queries.push(more);
        let mut second = first.clone();
        second.queries[1].status = Status::Wrong;
        second.queries[1].problem = Some("<script>alert(1)</script>".into());
        second.queries[0].samples[1].ms = 200.0;
        let queries = suite().unwrap();
        let page = html(&[first.clone(), second.clone()], &queries, 1.1).unwrap();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(at(">q02_time_chart") < at(">q01_inventory"));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
        assert!(page.contains("SLOWER") && page.contains(">2.00<"));
        assert!(!page.contains("://"), "the page loads nothing");
        assert_eq!(page, html(&[first.clone(), second], &queries, 1.1).unwrap());
        let other = Record {
            fingerprint: "g".into(),
            ..first.clone()
        };
        let page = html(&[first, other], &queries, 1.1).unwrap();
        assert!(page.contains("Run 2 is of another corpus (fingerprint) than run 1."));
        assert_eq!(html(&[], &queries, 1.1).unwrap_err().exit_code(), 2);
    }
}

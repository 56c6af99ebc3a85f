//! Two runs of the suite compared: which queries are wrong, slower, or suspect.

use super::record::{KEPT_ROWS, Outcome, Record, Status};
use crate::error::{Error, Result};

/// Differences below this are noise of the clock.
const LEAST_MS: f64 = 10.0;

/// What a comparison finds about a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Fine,
    /// The median is slower, but the times overlap.
    Suspect,
    /// The fastest new time is slower than the slowest old one.
    Slower,
    Wrong,
}

impl Verdict {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "fine",
            Verdict::Suspect => "suspect",
            Verdict::Slower => "SLOWER",
            Verdict::Wrong => "WRONG",
        }
    }
}

/// One query of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub query: String,
    pub verdict: Verdict,
    pub old_ms: Option<f64>,
    pub new_ms: Option<f64>,
    pub remark: String,
}

/// Two runs compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub lines: Vec<Line>,
    /// Geometric mean of new time ÷ old time over the timed queries that are right in both.
    pub mean: Option<f64>,
    /// Ratio from which a query is slower: 1.1 by default.
    pub limit: f64,
}

impl Line {
    /// New time ÷ old time.
    pub fn ratio(&self) -> Option<f64> {
        match (self.old_ms, self.new_ms) {
            (Some(old), Some(new)) if old > 0.0 && new > 0.0 => Some(new / old),
            _ => None,
        }
    }
}

impl Comparison {
    /// Sums up lines. `timed` tells which queries count in the geometric mean.
    pub fn of(lines: Vec<Line>, limit: f64, timed: &dyn Fn(&str) -> bool) -> Self {
        let counted = lines
            .iter()
            .filter(|line| line.verdict != Verdict::Wrong && timed(&line.query));
        let logarithms: Vec<f64> = counted.filter_map(|l| Some(l.ratio()?.ln())).collect();
        let mean = (!logarithms.is_empty())
            .then(|| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp());
        Comparison { lines, mean, limit }
    }

    /// Queries with a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.lines
            .iter()
            .filter(|line| line.verdict == verdict)
            .count()
    }

    /// Whether the geometric mean is above the limit.
    pub fn is_slower_on_average(&self) -> bool {
        self.mean.is_some_and(|mean| mean > self.limit)
    }
}

/// Whether the new times of a query are slower than the old ones beyond doubt.
pub fn is_slower(old: &Outcome, new: &Outcome, limit: f64) -> bool {
    let (Some((_, old_most)), Some((new_least, _))) = (old.range(), new.range()) else {
        return false;
    };
    new_least > limit * old_most && new_least - old_most >= LEAST_MS
}

/// What keeps two runs from being compared.
pub(super) fn differing(old: &Record, new: &Record) -> impl Iterator<Item = &'static str> {
    let facts = [
        ("corpus (fingerprint)", old.fingerprint != new.fingerprint),
        ("suite", old.suite != new.suite),
        ("machine", old.machine != new.machine),
        ("number of threads", old.threads != new.threads),
    ];
    let differ = facts.into_iter().filter(|(_, differs)| *differs);
    differ.map(|(what, _)| what)
}

/// Refuses runs that cannot be compared, unless it is `force`d.
///
/// # Errors
/// The runs are of different corpora, suites, machines or numbers of threads.
pub fn comparable(old: &Record, new: &Record, force: bool) -> Result<()> {
    match differing(old, new).next().filter(|_| !force) {
        None => Ok(()),
        Some(what) => Err(Error::setting(
            "compare",
            format!("the baseline is of another {what}"),
            "measure the baseline again, or compare them with --force",
        )),
    }
}

/// Compares two runs. `timed` tells which queries count in the geometric mean.
///
/// # Errors
/// The runs are of different corpora, suites, machines or numbers of threads, and `force` is not set.
pub fn compare(
    old: &Record,
    new: &Record,
    limit: f64,
    force: bool,
    timed: &dyn Fn(&str) -> bool,
) -> Result<Comparison> {
    comparable(old, new, force)?;
    Ok(Comparison::of(
        lines(old, new, limit, "baseline"),
        limit,
        timed,
    ))
}

/// The verdicts about the queries of a run, compared with another one, whose name is `name`.
pub(super) fn lines(old: &Record, new: &Record, limit: f64, name: &str) -> Vec<Line> {
    let same_answers = old.fingerprint == new.fingerprint && old.suite == new.suite;
    // A query that is only in the baseline was not run, which is no verdict about it.
    let lines = new.queries.iter().map(|outcome| {
        let before = old.queries.iter().find(|o| o.query == outcome.query);
        line(before, outcome, limit, same_answers, name)
    });
    lines.collect()
}

/// Compares the outcomes of two engines that ran side by side; both must be right. `name` is the
/// first engine's.
pub fn against(one: &Outcome, other: &Outcome, limit: f64, name: &str) -> Line {
    let line = line(Some(one), other, limit, true, name);
    match one.status {
        Status::Wrong | Status::Failed => {
            let problem = one.problem.as_deref().unwrap_or_default();
            let of_other = match line.verdict {
                Verdict::Wrong => format!("; {}", line.remark),
                _ => String::new(),
            };
            Line {
                verdict: Verdict::Wrong,
                remark: format!("{name}: {problem}{of_other}"),
                ..line
            }
        }
        _ => line,
    }
}

/// The verdict about a query; `name` says what it is compared with.
fn line(
    before: Option<&Outcome>,
    now: &Outcome,
    limit: f64,
    same_answers: bool,
    name: &str,
) -> Line {
    let mut line = Line {
        query: now.query.clone(),
        verdict: Verdict::Fine,
        old_ms: before.and_then(Outcome::median),
        new_ms: now.median(),
        remark: String::new(),
    };
    let wrong = |line: Line, remark: String| Line {
        verdict: Verdict::Wrong,
        remark,
        ..line
    };
    match now.status {
        Status::Wrong => {
            let problem = now.problem.clone().unwrap_or_default();
            return wrong(line, format!("({}) {problem}", now.answer));
        }
        Status::Failed => return wrong(line, now.problem.clone().unwrap_or_default()),
        Status::Skipped => {
            line.remark = now.problem.clone().unwrap_or_default();
            return line;
        }
        Status::Fine => {}
    }
    let Some(before) = before else {
        line.remark = format!("{name}: not there");
        return line;
    };
    if before.status != Status::Fine {
        // The time of a wrong answer is no measure.
        line.old_ms = None;
        line.remark = format!("{name}: not right");
        return line;
    }
    if same_answers && before.checksum != now.checksum {
        let differs = match (&before.result, &now.result) {
            (Some(old), Some(new)) => super::record::difference(&now.columns, new, old),
            _ => None,
        };
        let differs = differs.unwrap_or_else(|| match now.rows == before.rows {
            false => format!("{} rows, expected {}", now.rows, before.rows),
            true => format!("the rows differ; more than {KEPT_ROWS} are not recorded"),
        });
        return wrong(line, format!("({name}) {differs}"));
    }
    if is_slower(before, now, limit) {
        line.verdict = Verdict::Slower;
    } else if let (Some(old), Some(new)) = (line.old_ms, line.new_ms)
        && new > limit * old
        && new - old >= LEAST_MS
    {
        line.verdict = Verdict::Suspect;
    }
    line
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::adapter::About;
    use super::super::record::{Machine, Sample, checksum};
    use super::*;

    pub fn record(times: &[f64], answer: i64) -> Record {
        let rows = vec![vec![json!(answer)]];
        Record {
            created_by: "test".into(),
            suite: "s".into(),
            fingerprint: "f".into(),
            events: 1,
            event_bytes: 1,
            machine: Machine::here(),
            threads: Some(2),
            tries: times.len(),
            about: About {
                engine: "e".into(),
                version: "1".into(),
                settings: Default::default(),
            },
            parameters: json!({}),
            peak_kib: None,
            queries: vec![Outcome {
                query: "q01".into(),
                answer: "none".into(),
                status: Status::Fine,
                problem: None,
                samples: times
                    .iter()
                    .map(|&ms| Sample { ms, cpu_ms: None })
                    .collect(),
                rows: 1,
                checksum: checksum(&rows),
                columns: vec!["n".into()],
                result: Some(rows),
            }],
        }
    }

    fn verdict(old: &Record, new: &Record) -> (Verdict, String) {
        let compared = compare(old, new, 1.1, false, &|_| true).unwrap();
        (compared.lines[0].verdict, compared.lines[0].remark.clone())
    }

    #[test]
    fn slower_needs_times_that_do_not_overlap() {
        let old = record(&[900.0, 100.0, 110.0, 105.0], 1);
        assert_eq!(
            verdict(&old, &record(&[100.0, 122.0, 130.0, 125.0], 1)).0,
            Verdict::Slower
        );
        assert_eq!(
            verdict(&old, &record(&[100.0, 108.0, 130.0, 125.0], 1)).0,
            Verdict::Suspect
        );
        assert_eq!(
            verdict(&old, &record(&[5000.0, 108.0, 110.0, 105.0], 1)).0,
            Verdict::Fine
        );
    }

    #[test]
    fn a_few_milliseconds_are_not_slower() {
        let old = record(&[9.0, 1.0, 1.0], 1);
        assert_eq!(verdict(&old, &record(&[9.0, 5.0, 5.0], 1)).0, Verdict::Fine);
    }

    #[test]
    fn another_answer_is_wrong_however_fast() {
        let (found, remark) = verdict(&record(&[9.0, 9.0], 12), &record(&[1.0, 1.0], 9));
        assert_eq!(found, Verdict::Wrong);
        assert_eq!(remark, "(baseline) row 1 col n: 9, expected 12");
    }

    #[test]
    fn an_engine_that_is_wrong_beside_another_is_named() {
        let (mut one, other) = (record(&[9.0, 9.0], 12), record(&[1.0, 1.0], 12));
        let line = |one: &Record| against(&one.queries[0], &other.queries[0], 1.1, "A");
        assert_eq!(line(&one).verdict, Verdict::Fine);
        assert_eq!(line(&one).ratio(), Some(1.0 / 9.0));
        one.queries[0].status = Status::Wrong;
        one.queries[0].problem = Some("empty".into());
        assert_eq!(line(&one).verdict, Verdict::Wrong);
        assert_eq!(line(&one).remark, "A: empty");
        let differs = against(&other.queries[0], &record(&[1.0], 13).queries[0], 1.1, "A");
        assert_eq!(differs.verdict, Verdict::Wrong);
        assert_eq!(differs.remark, "(A) row 1 col n: 13, expected 12");
    }

    #[test]
    fn another_corpus_is_refused_unless_forced() {
        let (old, new) = (
            record(&[1.0], 1),
            Record {
                fingerprint: "g".into(),
                ..record(&[1.0], 2)
            },
        );
        let error = compare(&old, &new, 1.1, false, &|_| true)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("fingerprint") && error.contains("--force"),
            "{error}"
        );
        let forced = compare(&old, &new, 1.1, true, &|_| true).unwrap();
        assert_eq!(
            forced.lines[0].verdict,
            Verdict::Fine,
            "answers of two corpora differ rightly"
        );
    }

    #[test]
    fn the_mean_is_geometric() {
        let compared = compare(
            &record(&[100.0], 1),
            &record(&[130.0], 1),
            1.1,
            false,
            &|_| true,
        )
        .unwrap();
        assert!((compared.mean.unwrap() - 1.3).abs() < 1e-9);
        assert!(compared.is_slower_on_average());
    }
}

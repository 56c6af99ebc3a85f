//! A recorded run in the format of [ClickBench](https://github.com/ClickHouse/ClickBench)'s results.

use serde::Serialize;

use super::record::{Outcome, Record, Status};
use crate::error::{Error, Result};
use crate::numbers::{counted, grouped};

/// Tries that the format has for each query.
const TRIES: usize = 3;

/// Facts about a run that its record does not have.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Date of the measurement, such as `2026-11-29`. A record has no date.
    pub date: Option<String>,
    /// Name of the machine, such as `c6a.4xlarge`; by default the record's processor.
    pub machine: Option<String>,
}

/// ClickBench's results. Times are in seconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClickBench {
    system: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    machine: String,
    cluster_size: u32,
    proprietary: &'static str,
    hardware: &'static str,
    tuned: &'static str,
    comment: String,
    tags: Vec<String>,
    /// Always 0: queries read the files in place.
    load_time: u32,
    data_size: u64,
    result: Vec<[Option<f64>; TRIES]>,
}

impl ClickBench {
    /// The results of a run. A query that failed or whose answer is wrong has no times.
    ///
    /// # Errors
    /// The run has fewer tries than the format.
    pub fn of(record: &Record, labels: Labels) -> Result<Self> {
        if record.tries < TRIES {
            return Err(Error::setting(
                "RUN",
                format!(
                    "tries of each query: {}, but ClickBench's format has {TRIES}",
                    record.tries
                ),
                "measure again with --tries 3",
            ));
        }
        let seconds = |outcome: &Outcome| {
            let mut times = [None; TRIES];
            if outcome.status == Status::Fine {
                for (time, sample) in times.iter_mut().zip(&outcome.samples) {
                    *time = Some(sample.ms.round() / 1000.0);
                }
            }
            times
        };
        let threads = record
            .threads
            .map_or("threads of its own choice".into(), |threads| {
                counted(threads as u64, "thread")
            });
        Ok(ClickBench {
            system: format!("{} {}", record.about.engine, record.about.version),
            date: labels.date,
            machine: labels.machine.unwrap_or_else(|| record.machine.shown()),
            cluster_size: 1,
            proprietary: "no",
            hardware: "cpu",
            tuned: "no",
            comment: format!(
                "{}, suite {}, corpus {} of {} events, {threads}; {}",
                record.created_by,
                record.suite,
                record.fingerprint,
                grouped(record.events),
                record.about.settings_shown().join(", ")
            ),
            tags: vec!["fusiongen".into(), "Parquet".into()],
            load_time: 0,
            data_size: record.event_bytes,
            result: record.queries.iter().map(seconds).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::record;
    use super::*;

    #[test]
    fn times_are_seconds_and_wrong_answers_have_none() {
        let mut run = record(&[1234.4, 20.0, 7.6, 1.0], 1);
        let mut wrong = run.queries[0].clone();
        wrong.status = Status::Wrong;
        run.queries.push(wrong);
        let labels = Labels {
            date: Some("2026-11-29".into()),
            machine: Some("c6a.4xlarge".into()),
        };
        let results = serde_json::to_value(ClickBench::of(&run, labels).unwrap()).unwrap();
        assert_eq!(
            results["result"],
            serde_json::json!([[1.234, 0.02, 0.008], [null, null, null]])
        );
        assert_eq!(results["date"], "2026-11-29");
        assert_eq!(results["machine"], "c6a.4xlarge");
        assert_eq!(results["data_size"], 1);
    }

    #[test]
    fn fewer_tries_than_the_format_has_are_refused() {
        let error = ClickBench::of(&record(&[1.0, 2.0], 1), Labels::default()).unwrap_err();
        assert!(error.to_string().contains("--tries 3"), "{error}");
    }
}

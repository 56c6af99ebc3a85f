//! Known answers of the queries over one corpus. They are derived, kept in files, and compared with
//! the results of engines.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::constructed::construct;
use super::parameters::Parameters;
use super::record::{KEPT_ROWS, ResultRows, checksum, difference};
use super::reference;
use super::source::{Generated, Source};
use super::suite::{Query, version};
use crate::corpus::PlanFile;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::plan::fingerprint::CREATED_BY;
use crate::progress::Progress;

/// Where a known answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known {
    /// From plan, truth and entities; no event is read.
    Constructed,
    /// From the events, by fusiongen's own program for the query.
    Reference,
    /// As `Reference`, and two engines gave the same answer.
    Agreed,
}

impl Known {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Known::Constructed => "constructed",
            Known::Reference => "reference",
            Known::Agreed => "agreed",
        }
    }
}

/// The known answer of one query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub answer: Known,
    /// Number of rows.
    pub rows: u64,
    /// BLAKE3 of the rows as lines of JSON.
    pub checksum: String,
    /// The rows, if there are at most `KEPT_ROWS`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<ResultRows>,
}

impl Answer {
    fn new(answer: Known, rows: ResultRows) -> Self {
        Answer {
            answer,
            rows: rows.len() as u64,
            checksum: checksum(&rows),
            result: (rows.len() <= KEPT_ROWS).then_some(rows),
        }
    }

    /// How a result with this checksum differs from the answer, as a sentence; `None` if it does not.
    pub fn difference(
        &self,
        columns: &[String],
        rows: &[Vec<Value>],
        checksum: &str,
    ) -> Option<String> {
        if checksum == self.checksum {
            return None;
        }
        let found = match &self.result {
            Some(expected) => difference(columns, rows, expected),
            None => (rows.len() as u64 != self.rows)
                .then(|| format!("{} rows, expected {}", rows.len(), self.rows)),
        };
        Some(found.unwrap_or_else(|| {
            let short = |sum: &str| sum.chars().take(12).collect::<String>();
            let (found, expected) = (short(checksum), short(&self.checksum));
            format!("the rows have checksum {found}, expected {expected}")
        }))
    }
}

/// Known answers of one corpus, by the number of the query; the contents of `answers.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    pub created_by: String,
    /// Version of the queries' texts.
    pub suite: String,
    /// Fingerprint of the corpus.
    pub fingerprint: String,
    pub events: u64,
    /// Values of the queries' parameters.
    pub parameters: Value,
    answers: BTreeMap<String, Answer>,
}

macro_rules! agreed {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../", $name))),)*]
    };
}

/// Names and texts of the files of answers on which two engines agreed. Their corpora have default
/// settings.
const AGREED: &[(&str, &str)] = agreed! {
    "data/queries/agreed/100k.json",
    "data/queries/agreed/1m.json",
    "data/queries/agreed/10m.json",
};

/// Remedy for a file that cannot be used.
const REMEDY: &str = "name a file that `fusiongen queries answers -o FILE` wrote";

impl Answers {
    /// Derives the constructed answers of these queries.
    ///
    /// # Errors
    /// The truth cannot be read.
    pub fn construct(
        source: &dyn Source,
        parameters: &Parameters,
        queries: &[Query],
    ) -> Result<Self> {
        let plan = source.plan();
        let mut answers = Answers {
            created_by: CREATED_BY.into(),
            suite: version(),
            fingerprint: plan.fingerprint.clone(),
            events: plan.config.events,
            parameters: serde_json::to_value(parameters).unwrap_or(Value::Null),
            answers: BTreeMap::new(),
        };
        let wanted = |number: &str| queries.iter().any(|query| query.number() == number);
        answers.extend(Known::Constructed, construct(source, parameters, &wanted)?);
        Ok(answers)
    }

    /// Derives the constructed answers of these queries, and from generated events the reference
    /// answers. The answers are the same for any number of threads.
    ///
    /// # Errors
    /// The truth or the events cannot be made, the threads cannot be started, or `progress` asked to
    /// stop.
    pub fn derive(
        generator: &Generator,
        queries: &[Query],
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let source = Generated(generator);
        let parameters = Parameters::choose(&source)?;
        let mut answers = Answers::construct(&source, &parameters, queries)?;
        let rows = reference::answers(generator, queries, &parameters, threads, progress)?;
        answers.extend(Known::Reference, rows);
        Ok(answers)
    }

    fn extend(&mut self, known: Known, rows: BTreeMap<&'static str, ResultRows>) {
        let rows = rows.into_iter();
        let answers = rows.map(|(number, rows)| (number.to_string(), Answer::new(known, rows)));
        self.answers.extend(answers);
    }

    /// Adds the embedded answers if there are some for this corpus: two engines agreed on them.
    ///
    /// # Errors
    /// An embedded file cannot be read, which is a defect.
    pub fn with_agreed(mut self) -> Result<Self> {
        for (name, text) in AGREED {
            let agreed = Answers::parse(text.as_bytes(), Path::new(name))?;
            if agreed.fingerprint != self.fingerprint || agreed.suite != self.suite {
                continue;
            }
            for (number, answer) in agreed.answers {
                let agreed = Answer {
                    answer: Known::Agreed,
                    ..answer
                };
                self.answers.entry(number).or_insert(agreed);
            }
        }
        Ok(self)
    }

    /// The same answers without their rows. A comparison needs only the checksums.
    pub fn without_results(mut self) -> Self {
        for answer in self.answers.values_mut() {
            answer.result = None;
        }
        self
    }

    /// The answer of a query.
    pub fn get(&self, number: &str) -> Option<&Answer> {
        self.answers.get(number)
    }

    /// All answers, by number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.answers
            .iter()
            .map(|(number, answer)| (number.as_str(), answer))
    }

    /// Reads a file of answers to the queries of this version over this corpus.
    ///
    /// # Errors
    /// The file is missing or has no answers, or they are those of another corpus or suite.
    pub fn read(path: &Path, plan: &PlanFile, parameters: &Parameters) -> Result<Self> {
        let text = std::fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::input(path, None, "there is no such file", REMEDY)
            }
            _ => Error::io(path, "read", e),
        })?;
        let answers = Answers::parse(&text, path)?;
        if answers.suite != version() {
            return Err(Error::input(
                path,
                "field suite".to_string(),
                format!(
                    "these are answers to the queries of suite {}, this version has suite {}",
                    answers.suite,
                    version()
                ),
                "make them again with `fusiongen queries answers`",
            ));
        }
        if answers.fingerprint != plan.fingerprint {
            return Err(Error::input(
                path,
                "field fingerprint".to_string(),
                format!(
                    "these are the answers of the corpus {}, this corpus is {}",
                    answers.fingerprint, plan.fingerprint
                ),
                "make them with `fusiongen queries answers` and the settings of this corpus",
            ));
        }
        if serde_json::to_value(parameters).ok().as_ref() != Some(&answers.parameters) {
            return Err(Error::input(
                path,
                "field parameters".to_string(),
                "these are answers for other values of the parameters",
                "make them again with `fusiongen queries answers`",
            ));
        }
        Ok(answers)
    }

    fn parse(text: &[u8], path: &Path) -> Result<Self> {
        serde_json::from_slice(text).map_err(|e| {
            Error::input(
                path,
                format!("line {}", e.line()),
                format!("these are no answers: {e}"),
                REMEDY,
            )
        })
    }
}

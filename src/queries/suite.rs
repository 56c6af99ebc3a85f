//! The queries. The head of each SQL text says what the query asks and where its answer comes from.

use std::fmt::Write as _;

use super::Engine;
use super::parameters::Parameters;
use crate::error::{Error, Result};
use crate::near::unknown;

macro_rules! texts {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../data/queries/", $name, ".sql"))),)*]
    };
}

/// Name and text of every query.
const TEXTS: &[(&str, &str)] = texts! {
    "q00_floor",
    "q01_inventory",
    "q02_time_chart",
    "q03_address_pivot",
    "q04_hash_needle",
    "q05_ioc_sweep",
    "q06_latest_alerts",
    "q07_severity_matrix",
    "q08_daily_cardinality",
    "q09_top_talkers",
    "q10_logon_failures",
    "q11_rare_programs",
    "q12_odd_children",
    "q13_encoded_commands",
    "q14_dns_fan_out",
    "q15_beacons",
    "q16_exfiltration",
    "q17_brute_force_success",
    "q18_drop_run_connect",
    "q19_lateral_logons",
    "q20_first_seen",
    "q21_port_scans",
    "q22_lsass_access",
    "q23_sessions",
    "q24_process_tree",
    "q25_attack_matrix",
    "q26_detection_score",
    "q27_truth_agrees",
    "q28_cloud_denials",
    "q29_host_risk",
    "q30_user_timeline",
    "q31_rule_score",
    "q32_process_lookup",
    "q33_event_lookup",
    "q34_wide_page",
    "q35_text_search",
    "q36_distinct_processes",
    "q37_top_rules",
    "q38_day_by_category",
    "q39_victims",
    "q40_chain_timeline",
    "q41_lookalikes",
    "q42_attack_days",
    "q43_playbook_reach",
    "q44_sampled_distinct",
};

/// What the right answer of a query is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// The plan, the truth and the entities hold the answer; no event is read.
    Constructed,
    /// Only the events hold the answer.
    Reference,
}

impl Provenance {
    /// The word in a query's head and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Provenance::Constructed => "constructed",
            Provenance::Reference => "reference",
        }
    }
}

/// One query of the suite.
#[derive(Debug, Clone)]
pub struct Query {
    /// `q18_drop_run_connect`
    pub name: &'static str,
    /// What an analyst asks.
    pub question: String,
    /// What the query demands of an engine.
    pub choke_point: String,
    pub provenance: Provenance,
    /// What the right answer is derived from, in words.
    pub source: String,
    /// Names of its parameters, in order of use.
    pub parameters: Vec<String>,
    /// The SQL without its head, with `{name}` for each parameter.
    pub sql: &'static str,
}

impl Query {
    /// Parses a text. The error names the part of the head that is missing or wrong.
    fn parse(name: &'static str, text: &'static str) -> std::result::Result<Self, String> {
        let body = text.lines().take_while(|line| line.starts_with("--"));
        let head: Vec<&str> = body.collect();
        let length: usize = head.iter().map(|line| line.len() + 1).sum();
        let sql = text.get(length..).unwrap_or("").trim();
        let field = |wanted: &str| {
            let start = format!("-- {wanted}: ");
            let at = head.iter().position(|line| line.starts_with(&start));
            let at = at.ok_or_else(|| format!("{name}: the head has no '{wanted}'"))?;
            let mut value = head[at][start.len()..].to_string();
            for more in head[at + 1..].iter().map_while(|l| l.strip_prefix("--   ")) {
                let _ = write!(value, " {more}");
            }
            Ok::<String, String>(value)
        };
        let provenance = match field("answer")?.as_str() {
            "constructed" => Provenance::Constructed,
            "reference" => Provenance::Reference,
            other => return Err(format!("{name}: unknown answer '{other}'")),
        };
        let parameters = placeholders(sql);
        let said = field("parameters")?;
        let expected = match parameters.is_empty() {
            true => "none".to_string(),
            false => parameters.join(", "),
        };
        if said != expected {
            return Err(format!(
                "{name}: the head has parameters '{said}', the SQL has '{expected}'"
            ));
        }
        Ok(Query {
            name,
            question: field("question")?,
            choke_point: field("choke point")?,
            provenance,
            source: field("source")?,
            parameters,
            sql,
        })
    }

    /// The number at the front of the name: `q18`.
    pub fn number(&self) -> &'static str {
        self.name.split('_').next().unwrap_or(self.name)
    }

    /// Whether the query counts in a geometric mean. `q00`, which reads no row, and the recursive
    /// `q24` do not.
    pub fn is_timed(&self) -> bool {
        !matches!(self.number(), "q00" | "q24")
    }

    /// The SQL, with each parameter replaced by its value as a literal of the engine.
    ///
    /// # Errors
    /// The corpus has no value for a parameter.
    pub fn fill(&self, parameters: &Parameters, engine: Engine) -> Result<String> {
        let mut sql = self.sql.to_string();
        for name in &self.parameters {
            let value = parameters.get(name).ok_or_else(|| {
                Error::setting(
                    self.name,
                    format!("the corpus has no value for the parameter '{name}'"),
                    "generate a corpus with more events and attacks",
                )
            })?;
            sql = sql.replace(&format!("{{{name}}}"), &engine.literal(value));
        }
        Ok(sql)
    }
}

/// The names in braces, in order of first use.
fn placeholders(sql: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in sql.split('{').skip(1) {
        let name = part.split('}').next().unwrap_or("");
        if !names.iter().any(|known| known == name) {
            names.push(name.to_string());
        }
    }
    names
}

/// All queries, in order of their numbers.
///
/// # Errors
/// The head of an embedded text is wrong, which is a defect; a test reads all of them.
pub fn suite() -> Result<Vec<Query>> {
    let parsed = TEXTS.iter().map(|(name, text)| Query::parse(name, text));
    parsed
        .collect::<std::result::Result<_, _>>()
        .map_err(|problem| Error::setting("queries", problem, "this is a bug in fusiongen"))
}

/// The queries with these names or numbers; all queries if none are given.
///
/// # Errors
/// The suite has no such query.
pub fn select(names: &[String]) -> Result<Vec<Query>> {
    let all = suite()?;
    for name in names {
        if !all.iter().any(|q| q.name == name || q.number() == name) {
            let known: Vec<&str> = all.iter().map(|q| q.name).collect();
            return Err(unknown("query", name, &known));
        }
    }
    let wanted =
        |q: &Query| names.is_empty() || names.iter().any(|n| n == q.name || n == q.number());
    Ok(all.into_iter().filter(wanted).collect())
}

/// The version of the suite: BLAKE3 of all texts. Results of different versions are not compared.
pub fn version() -> String {
    let mut hash = blake3::Hasher::new();
    for (name, text) in TEXTS {
        for part in [*name, *text] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().to_hex()[..16].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_a_whole_head() {
        let all = suite().unwrap();
        assert_eq!(all.len(), TEXTS.len());
        for query in all {
            assert!(query.question.ends_with(['?', '.']), "{}", query.name);
            assert!(!query.sql.starts_with("--"), "{}", query.name);
            assert!(!query.source.is_empty() && !query.choke_point.is_empty());
        }
    }

    #[test]
    fn every_file_is_in_the_suite() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/data/queries");
        let mut files: Vec<String> = (std::fs::read_dir(directory).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        files.sort();
        let names: Vec<String> = (TEXTS.iter().map(|(name, _)| format!("{name}.sql"))).collect();
        assert_eq!(files, names);
    }

    #[test]
    fn texts_keep_the_rules_of_the_dialect() {
        for query in suite().unwrap() {
            let (name, sql) = (query.name, query.sql.to_lowercase());
            for banned in [
                "\\",
                "\"",
                "`",
                "regexp_",
                "approx_",
                "qualify ",
                "asof ",
                "percentile",
                "avg(",
            ] {
                assert!(!sql.contains(banned), "{name} uses {banned}");
            }
            let rows =
                sql.contains("group by") || sql.contains("limit") || sql.contains("recursive");
            assert!(!rows || sql.contains("order by"), "{name} has no order");
            let limited = sql.contains("limit") && sql.contains("group by");
            assert!(
                !limited || sql.contains("over () as groups"),
                "{name} hides how many groups there are"
            );
        }
    }

    #[test]
    fn a_head_that_lies_is_refused() {
        let text = "-- question: Who?\n-- choke point: none\n-- parameters: day\n\
                    -- answer: reference\n-- source: the events\nSELECT {address}";
        let error = Query::parse("q99_test", text).unwrap_err();
        assert!(
            error.contains("'day'") && error.contains("'address'"),
            "{error}"
        );
    }

    #[test]
    fn numbers_and_names_select_and_typos_are_suggested() {
        let one = select(&["q18".into()]).unwrap();
        assert_eq!(one[0].name, "q18_drop_run_connect");
        let error = select(&["q18_drop_run_conect".into()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("q18_drop_run_connect"), "{error}");
    }
}

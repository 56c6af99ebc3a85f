//! Events and truth without files: streams and samples.

use fusiongen::Error;
use fusiongen::generator::{Page, Sampling, System};
use fusiongen::plan::TruthTable;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::OrRaise;
use crate::interrupt::{Interrupted, run};
use crate::plan::Plan;
use crate::selection::Selection;
use crate::stream::{Rows, Stream};

/// Events as Arrow record batches, without files, made when a consumer asks for them.
#[pyfunction]
#[pyo3(signature = (*, category=None, date=None, columns=None, partition_columns=false, threads=None, **settings))]
pub fn stream(
    py: Python<'_>,
    category: Option<String>,
    date: Option<Bound<'_, PyAny>>,
    columns: Option<Vec<String>>,
    partition_columns: bool,
    threads: Option<usize>,
    settings: Option<&Bound<'_, PyDict>>,
) -> PyResult<Stream> {
    let selection = Selection {
        category,
        date,
        shard: None,
        columns,
        partition_columns,
        threads,
    };
    selection.stream(py, Plan::from_keywords(py, settings)?.generator())
}

/// A few events as dicts, without the others.
#[pyfunction]
#[pyo3(signature = (n=None, *, category=None, platform=None, host=None, minutes=10, **settings))]
pub fn sample<'py>(
    py: Python<'py>,
    n: Option<usize>,
    category: Option<String>,
    platform: Option<&str>,
    host: Option<String>,
    minutes: u32,
    settings: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let system = match platform {
        None => None,
        Some("windows") => Some(System::Windows),
        Some("linux") => Some(System::Linux),
        Some("cloud") => Some(System::Cloud),
        Some("saas") => Some(System::Saas),
        Some(other) => {
            let problem = format!("'{other}' is not a platform");
            let remedy = "give windows, linux, cloud or saas";
            return Err(Error::setting("platform", problem, remedy)).or_raise(py);
        }
    };
    let generator = Plan::from_keywords(py, settings)?.generator();
    let what = Sampling {
        // A page is printed whole.
        number: n.unwrap_or(if host.is_some() { 1000 } else { 3 }),
        category,
        system,
        playbook: None,
        // The settings that choose attacks choose events, too.
        attacks: generator.plan().config.chooses_attacks(),
        page: host.map(|host| Page { host, minutes }),
    };
    let events = run(py, None, Interrupted::Forgotten, move |_| {
        generator.sample(&what)
    })?;
    let text = serde_json::to_string(&events.or_raise(py)?).unwrap_or_default();
    py.import("json")?.call_method1("loads", (text,))
}

/// A table of truth as Arrow record batches: chains, steps, edges, iocs, lookalikes or verdicts.
#[pyfunction]
#[pyo3(signature = (table, /, **settings))]
pub fn truth(
    py: Python<'_>,
    table: &str,
    settings: Option<&Bound<'_, PyDict>>,
) -> PyResult<Stream> {
    let known = TruthTable::ALL.iter().find(|known| known.name() == table);
    let Some(&table) = known else {
        let problem = format!("'{table}' is not a table of truth");
        let remedy = format!(
            "give one of {}",
            TruthTable::ALL.map(TruthTable::name).join(", ")
        );
        return Err(Error::setting("table", problem, remedy)).or_raise(py);
    };
    let generator = Plan::from_keywords(py, settings)?.generator();
    let stream = run(py, None, Interrupted::Forgotten, move |_| {
        Stream::new(generator, Rows::Truth(table))
    })?;
    stream.or_raise(py)
}

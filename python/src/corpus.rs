//! Corpora as files: generate, finish, check, report.

use std::path::PathBuf;

use fusiongen::check::{self as audits, Options};
use fusiongen::corpus::{Corpus, Manifest, to_json};
use fusiongen::grounding::{Profile, alerts_db};
use fusiongen::report::{ParquetCorpus, Report};
use fusiongen::run::{Part, Run};
use fusiongen::{Error, run as files};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::OrRaise;
use crate::interrupt::{Display, Interrupted, run};
use crate::plan::Plan;
use crate::settings::{count, threads};
use crate::summary::Summary;

/// Writes a corpus into the directory or URL `out`, or the files that it lacks.
#[pyfunction]
#[pyo3(signature = (out, *, overwrite=false, part=None, threads=None, progress=None, **settings))]
pub fn generate<'py>(
    py: Python<'py>,
    out: PathBuf,
    overwrite: bool,
    part: Option<&str>,
    threads: Option<usize>,
    progress: Option<Bound<'py, PyAny>>,
    settings: Option<&Bound<'py, PyDict>>,
) -> PyResult<Summary> {
    let part: Option<Part> = part
        .map(|text| {
            text.parse().map_err(|problem: String| {
                Error::setting("part", problem, "give one like 1/3, 2/3 or 3/3")
            })
        })
        .transpose()
        .or_raise(py)?;
    let run = Run {
        threads: self::threads(py, threads)?,
        overwrite,
        part,
    };
    let plan = Plan::from_keywords(py, settings)?;
    let generator = plan.generator();
    let display = Display::new(py, progress, generator.plan().config.events)?;
    let summary = display.run(py, Interrupted::Stops, move |watch| {
        generator.write(&Corpus::open(&out)?, run, watch)
    })?;
    summary.or_raise(py).map(Summary::from)
}

/// Checks that no file of a corpus is missing, and writes its manifest.
#[pyfunction]
#[pyo3(signature = (out, *, verify=true))]
pub fn finish(py: Python<'_>, out: PathBuf, verify: bool) -> PyResult<Summary> {
    let summary = run(py, None, Interrupted::Stops, move |watch| match verify {
        true => files::finish(&Corpus::open(&out)?, watch),
        false => files::finish_noted(&Corpus::open(&out)?, watch),
    })?;
    summary.or_raise(py).map(Summary::from)
}

/// Removes temporary files of killed runs from the directory of a corpus.
#[pyfunction]
pub fn sweep(py: Python<'_>, out: PathBuf) -> PyResult<()> {
    py.detach(|| Corpus::open(&out)?.tidy()).or_raise(py)
}

/// The outcome of the audits of a corpus.
#[pyclass(frozen, module = "fusiongen")]
pub struct CheckReport(audits::Report);

#[pymethods]
impl CheckReport {
    /// Whether all audits passed.
    #[getter]
    fn passed(&self) -> bool {
        self.0.passed
    }

    /// How many invariants and figures failed.
    #[getter]
    fn failed(&self) -> usize {
        self.0.failed()
    }

    #[getter]
    fn events(&self) -> u64 {
        self.0.events
    }

    #[getter]
    fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The report as JSON, as `fusiongen check --json` prints it.
    fn to_json(&self) -> String {
        String::from_utf8_lossy(&to_json(&self.0)).into_owned()
    }

    /// The report for people, as `fusiongen check` prints it.
    fn __str__(&self) -> String {
        self.0.text()
    }

    fn __repr__(&self) -> String {
        match self.0.failed() {
            0 => "<fusiongen.CheckReport: passed>".into(),
            failed => format!("<fusiongen.CheckReport: {failed} failed>"),
        }
    }
}

/// Audits a complete corpus.
#[pyfunction]
#[pyo3(signature = (out, *, alerts_db=None, profile=None, exact_events=None, progress=None))]
pub fn check<'py>(
    py: Python<'py>,
    out: PathBuf,
    alerts_db: Option<PathBuf>,
    profile: Option<PathBuf>,
    exact_events: Option<Bound<'py, PyAny>>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<CheckReport> {
    if alerts_db.is_some() && profile.is_some() {
        let problem = "cannot be given together with alerts_db";
        return Err(Error::setting("profile", problem, "give one of the two")).or_raise(py);
    }
    let exact_rows = match &exact_events {
        None => audits::EXACT_ROWS,
        Some(given) => count(py, "exact_events", given)?,
    };
    // The check reads the number of events again, with its errors.
    let (corpus, events) = run(py, None, Interrupted::Forgotten, move |_| {
        let corpus = Corpus::open(&out)?;
        let events = Manifest::read(&corpus).map_or(0, |manifest| manifest.events);
        Ok::<_, Error>((corpus, events))
    })?
    .or_raise(py)?;
    let display = Display::new(py, progress, events)?;
    let report = display.run(py, Interrupted::Stops, move |watch| {
        let profile = match (&alerts_db, &profile) {
            (Some(path), _) => Some(alerts_db::fit(path, None)?),
            (None, Some(path)) => Some(Profile::read(path)?),
            (None, None) => None,
        };
        let options = Options {
            profile: profile.as_ref(),
            exact_rows,
        };
        audits::check(&corpus, options, watch)
    })?;
    report.or_raise(py).map(CheckReport)
}

/// A file that is not as it was written.
#[pyclass(frozen, get_all, module = "fusiongen")]
pub struct Damage {
    /// Relative to the corpus.
    file: String,
    expected: String,
    found: String,
}

#[pymethods]
impl Damage {
    fn __repr__(&self) -> String {
        let Damage {
            file,
            expected,
            found,
        } = self;
        format!("<fusiongen.Damage: {file}: expected {expected}, found {found}>")
    }
}

/// The outcome of a comparison of files with the manifest.
#[pyclass(frozen, module = "fusiongen")]
pub struct Integrity(audits::Integrity);

#[pymethods]
impl Integrity {
    /// Whether all files are as they were written.
    #[getter]
    fn passed(&self) -> bool {
        self.0.damages.is_empty()
    }

    #[getter]
    fn files(&self) -> u64 {
        self.0.files
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    #[getter]
    fn damages(&self) -> Vec<Damage> {
        let damages = self.0.damages.iter().cloned();
        let damage = |damage: audits::Damage| Damage {
            file: damage.file,
            expected: damage.expected,
            found: damage.found,
        };
        damages.map(damage).collect()
    }

    fn __repr__(&self) -> String {
        format!(
            "<fusiongen.Integrity: {} files, {} damaged>",
            self.0.files,
            self.0.damages.len()
        )
    }
}

/// Compares the files of a complete corpus with its manifest, byte for byte.
#[pyfunction]
pub fn integrity(py: Python<'_>, out: PathBuf) -> PyResult<Integrity> {
    let found = run(py, None, Interrupted::Forgotten, move |_| {
        audits::integrity(&Corpus::open(&out)?)
    })?;
    found.or_raise(py).map(Integrity)
}

/// Writes an HTML report about a complete corpus, and returns its path.
#[pyfunction]
#[pyo3(signature = (out, output=None, *, chains=vec![], progress=None))]
pub fn report<'py>(
    py: Python<'py>,
    out: PathBuf,
    output: Option<PathBuf>,
    chains: Vec<String>,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<PathBuf> {
    let output = output.unwrap_or_else(|| "report.html".into());
    let source = run(py, None, Interrupted::Forgotten, move |_| {
        Corpus::open(&out).and_then(ParquetCorpus::open)
    })?
    .or_raise(py)?;
    source.refuse_inside(&output).or_raise(py)?;
    let display = Display::new(py, progress, source.events())?;
    let report = display.run(py, Interrupted::Forgotten, move |watch| {
        Report::new(&source, &chains, watch)
    })?;
    report
        .and_then(|report| report.write(&output))
        .or_raise(py)?;
    Ok(output)
}

//! Plans: what a corpus will hold, its files one by one, and events without files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use fusiongen::corpus::{PlanFile, to_json};
use fusiongen::{Corpus, Generator};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::OrRaise;
use crate::interrupt::{Interrupted, run};
use crate::planned::{Planned, restored};
use crate::selection::Selection;
use crate::settings::{count, threads, values};
use crate::shard::{Partition, Shard, shards, tasks};
use crate::stream::Stream;
use crate::summary::Summary;

/// What a corpus will hold: partitions, files and sizes. No event is generated for it.
///
/// A plan can be pickled. `write_shard` of all shards, in any processes and order, and then
/// `fusiongen.finish` make the corpus that `fusiongen.generate` makes.
#[pyclass(frozen, module = "fusiongen")]
pub struct Plan(Arc<Planned>);

/// Fingerprint and origin: the arguments of `_restore`.
type State<'p, 'py> = (&'p str, Bound<'py, PyBytes>);

impl Plan {
    /// Plans with the settings among keyword arguments, and logs the notes.
    ///
    /// # Errors
    /// A setting or an input cannot be used.
    pub fn from_keywords(py: Python<'_>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let settings = values(keywords)?;
        let planned = run(py, None, Interrupted::Forgotten, move |_| {
            Planned::new(&settings)
        })?;
        let planned = planned.or_raise(py)?;
        if !planned.notes.is_empty() {
            let logger = py
                .import("logging")?
                .call_method1("getLogger", ("fusiongen",))?;
            for note in &planned.notes {
                logger.call_method1("warning", ("%s", note))?;
            }
        }
        Ok(Plan(Arc::new(planned)))
    }

    pub fn generator(&self) -> Arc<Generator> {
        self.0.generator.clone()
    }

    fn file(&self) -> &PlanFile {
        self.0.generator.plan_file()
    }

    fn write(
        &self,
        py: Python<'_>,
        files: impl IntoIterator<Item = isize>,
        out: PathBuf,
        threads: usize,
    ) -> PyResult<Summary> {
        let planned = self.file().files().count();
        let index = |shard: isize| {
            let index = usize::try_from(shard).ok().filter(|index| *index < planned);
            index.ok_or_else(|| {
                PyIndexError::new_err(format!(
                    "there is no shard {shard}: give 0 to {}",
                    planned - 1
                ))
            })
        };
        let files = files.into_iter().map(index);
        let files: BTreeSet<usize> = files.collect::<PyResult<_>>()?;
        let threads = self::threads(py, Some(threads))?;
        let generator = self.generator();
        let summary = run(py, None, Interrupted::Stops, move |watch| {
            generator.write_files(&Corpus::open(&out)?, &files, threads, watch)
        })?;
        summary.or_raise(py).map(Summary::from)
    }
}

#[pymethods]
impl Plan {
    /// What the corpus follows from: settings, contents of inputs, format version.
    #[getter]
    fn fingerprint(&self) -> &str {
        self.0.fingerprint()
    }

    /// Number of events.
    #[getter]
    fn events(&self) -> u64 {
        self.file().composition.events
    }

    /// Estimated bytes of the events.
    #[getter]
    fn bytes(&self) -> u64 {
        let PlanFile { config, shards, .. } = self.file();
        let bytes = shards
            .iter()
            .map(|shard| config.estimated_bytes(shard.rows));
        bytes.sum()
    }

    /// Sentences about inputs and settings.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// Dates and categories with their rows.
    #[getter]
    fn partitions(&self) -> Vec<Partition> {
        let partitions = self.file().partitions.iter().map(|partition| Partition {
            date: partition.date.clone(),
            category: partition.category.clone(),
            rows: partition.rows,
        });
        partitions.collect()
    }

    /// All files of the corpus: events first, then truth, entities and the profile.
    #[getter]
    fn shards(&self) -> Vec<Shard> {
        shards(self.file())
    }

    /// All files in groups, one for each task of a scheduler. The files of a group are of one date
    /// and have about `rows` events.
    #[pyo3(signature = (rows=None))]
    fn tasks(&self, py: Python<'_>, rows: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Vec<Shard>>> {
        let rows = rows.map(|rows| count(py, "rows", rows)).transpose()?;
        Ok(tasks(self.file(), rows))
    }

    /// The text of the corpus's plan.json.
    fn to_json(&self) -> String {
        String::from_utf8_lossy(&to_json(self.file())).into_owned()
    }

    /// Makes the directory `out` ready for this corpus, before tasks write its files.
    #[pyo3(signature = (out, *, overwrite=false))]
    fn begin(&self, py: Python<'_>, out: PathBuf, overwrite: bool) -> PyResult<()> {
        let generator = self.generator();
        let begun = run(py, None, Interrupted::Stops, move |watch| {
            let corpus = Corpus::open(&out)?;
            let begin = || corpus.begin(generator.plan_file(), overwrite, overwrite);
            corpus.watched(watch, begin)
        })?;
        begun.or_raise(py).map(|_| ())
    }

    /// Writes one file of the corpus into the directory or URL `out`, unless it exists unchanged.
    #[pyo3(signature = (shard, out, *, threads=1))]
    fn write_shard(
        &self,
        py: Python<'_>,
        shard: isize,
        out: PathBuf,
        threads: usize,
    ) -> PyResult<Summary> {
        self.write(py, [shard], out, threads)
    }

    /// As `write_shard`, for several files.
    #[pyo3(signature = (shards, out, *, threads=1))]
    fn write_shards(
        &self,
        py: Python<'_>,
        shards: Vec<isize>,
        out: PathBuf,
        threads: usize,
    ) -> PyResult<Summary> {
        self.write(py, shards, out, threads)
    }

    /// Events as Arrow record batches, made when a consumer asks for them.
    #[pyo3(signature = (*, category=None, date=None, shard=None, columns=None, partition_columns=false, threads=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn stream(
        &self,
        py: Python<'_>,
        category: Option<String>,
        date: Option<Bound<'_, PyAny>>,
        shard: Option<usize>,
        columns: Option<Vec<String>>,
        partition_columns: bool,
        threads: Option<usize>,
    ) -> PyResult<Stream> {
        let selection = Selection {
            category,
            date,
            shard,
            columns,
            partition_columns,
            threads,
        };
        selection.stream(py, self.generator())
    }

    /// The origin identifies the plan to a process that has it already; the fingerprint guards it.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, State<'_, 'py>)> {
        let origin = self.0.origin().or_raise(py)?;
        let restore = py.get_type::<Plan>().getattr("_restore")?;
        Ok((restore, (self.fingerprint(), PyBytes::new(py, &origin))))
    }

    /// Makes the plan of a pickle, once in a process.
    #[staticmethod]
    fn _restore(py: Python<'_>, fingerprint: String, origin: Vec<u8>) -> PyResult<Self> {
        let planned = run(py, None, Interrupted::Forgotten, move |_| {
            restored(&fingerprint, &origin)
        })?;
        planned.or_raise(py).map(Plan)
    }

    fn __repr__(&self) -> String {
        let file = self.file();
        format!(
            "<fusiongen.Plan: {} events, {} partitions, {} files, fingerprint {}>",
            file.composition.events,
            file.partitions.len(),
            file.files().count(),
            file.fingerprint
        )
    }
}

/// Plans a corpus, and writes nothing.
#[pyfunction]
#[pyo3(signature = (**settings))]
pub fn plan(py: Python<'_>, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Plan> {
    Plan::from_keywords(py, settings)
}

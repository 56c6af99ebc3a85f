//! Arrow streams by the Arrow PyCapsule interface.

use std::sync::Arc;

use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_schema::SchemaRef;
use arrow_schema::ffi::FFI_ArrowSchema;
use fusiongen::{Generator, Select};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::errors::OrRaise;

/// Record batches for any Arrow consumer: pyarrow, Polars, DuckDB, DataFusion, pandas.
///
/// Each consumer starts at the first row. Batches are made by threads, a few ahead of the
/// consumer, so memory does not grow with the number of rows.
#[pyclass(frozen, module = "fusiongen")]
pub struct Stream {
    generator: Arc<Generator>,
    rows: Rows,
    schema: SchemaRef,
    num_rows: Option<u64>,
}

/// What a stream reads.
pub enum Rows {
    Events { select: Select, threads: usize },
    Truth(fusiongen::plan::TruthTable),
}

type Reader = Box<dyn RecordBatchReader + Send>;

impl Rows {
    /// A reader at the first row, and the number of rows if it is known.
    fn reader(&self, generator: &Arc<Generator>) -> fusiongen::Result<(Reader, Option<u64>)> {
        match self {
            Rows::Events { select, threads } => {
                let batches = generator.batches(select.clone())?;
                let rows = batches.rows();
                Ok((Box::new(batches.in_parallel(*threads)), Some(rows)))
            }
            Rows::Truth(table) => Ok((Box::new(generator.truth_batches(*table)?), None)),
        }
    }
}

impl Stream {
    /// # Errors
    /// The corpus has no such date, category, column or file.
    pub fn new(generator: Arc<Generator>, rows: Rows) -> fusiongen::Result<Self> {
        let (reader, num_rows) = rows.reader(&generator)?;
        Ok(Stream {
            schema: reader.schema(),
            generator,
            rows,
            num_rows,
        })
    }
}

#[pymethods]
impl Stream {
    /// The number of rows, from the plan; None for truth.
    #[getter]
    fn num_rows(&self) -> Option<u64> {
        self.num_rows
    }

    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    /// A C stream in a capsule, from the first row. A requested schema is not honoured, which
    /// the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let (reader, _) = py
            .detach(|| self.rows.reader(&self.generator))
            .or_raise(py)?;
        let stream = FFI_ArrowArrayStream::new(reader);
        // Dropping the content releases the stream, unless a consumer has moved it out.
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// The C schema in a capsule.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.schema.as_ref())
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    fn __repr__(&self) -> String {
        let columns = self.schema.fields().len();
        match self.num_rows {
            Some(rows) => format!("<fusiongen.Stream: {rows} rows, {columns} columns>"),
            None => format!("<fusiongen.Stream: {columns} columns>"),
        }
    }
}

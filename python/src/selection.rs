//! Which events a stream has.

use std::sync::Arc;

use chrono::NaiveDate;
use fusiongen::{Error, Generator, Select};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::{OrRaise, wrong_type};
use crate::interrupt::{Interrupted, run};
use crate::settings::{date, threads};
use crate::stream::{Rows, Stream};

/// Arguments that select events.
pub struct Selection<'py> {
    pub category: Option<String>,
    pub date: Option<Bound<'py, PyAny>>,
    pub shard: Option<usize>,
    pub columns: Option<Vec<String>>,
    pub partition_columns: bool,
    pub threads: Option<usize>,
}

impl Selection<'_> {
    /// A stream of a generator's events.
    ///
    /// # Errors
    /// The corpus has no such date, category, column or file.
    pub fn stream(&self, py: Python<'_>, generator: Arc<Generator>) -> PyResult<Stream> {
        let rows = Rows::Events {
            select: self.select(py)?,
            threads: threads(py, self.threads)?,
        };
        let stream = run(py, None, Interrupted::Forgotten, move |_| {
            Stream::new(generator, rows)
        })?;
        stream.or_raise(py)
    }

    fn select(&self, py: Python<'_>) -> PyResult<Select> {
        let mut select = Select::all();
        if let Some(category) = &self.category {
            select = select.category(category);
        }
        if let Some(given) = &self.date {
            let text = match given.cast::<PyString>() {
                Ok(text) => Some(text.to_cow()?.into_owned()),
                Err(_) => date(given)?,
            };
            let Some(text) = text else {
                return Err(wrong_type("date", given, "a datetime.date or a str"));
            };
            let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").map_err(|_| {
                let problem = format!("'{text}' is not a date");
                Error::setting("date", problem, "give one like 2024-08-12")
            });
            select = select.date(date.or_raise(py)?);
        }
        if let Some(shard) = self.shard {
            select = select.shard(shard);
        }
        if let Some(columns) = &self.columns {
            select = select.columns(columns);
        }
        if self.partition_columns {
            select = select.with_partition_columns();
        }
        Ok(select)
    }
}

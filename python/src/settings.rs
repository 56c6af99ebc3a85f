//! Keyword arguments as settings. Their names and types are those of [`SETTINGS`].

use std::ffi::OsString;
use std::path::PathBuf;

use fusiongen::Error;
use fusiongen::plan::parse::parse_count;
use fusiongen::settings::{Kind, SETTINGS, Setting, Values, find};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::errors::{OrRaise, wrong_type};

/// A setting that a Python program can ask about.
#[pyclass(frozen, get_all, module = "fusiongen._native")]
pub struct SettingInfo {
    name: String,
    help: String,
    default: Option<String>,
}

/// The settings that `generate`, `plan`, `stream`, `sample` and `truth` accept.
#[pyfunction]
pub fn settings() -> Vec<SettingInfo> {
    let info = |setting: &Setting| SettingInfo {
        name: setting.name.into(),
        help: crate::errors::without_flags(setting.help),
        default: setting.default.map(String::from),
    };
    SETTINGS.iter().map(info).collect()
}

/// What a setting takes, for a message.
fn takes(kind: Kind) -> &'static str {
    match kind {
        Kind::Number(_) => "an int or a str",
        Kind::Count => "an int, or a str such as \"10M\"",
        Kind::Decimal | Kind::Offset => "a float, an int or a str",
        Kind::Date => "a datetime.date, or a str such as \"2024-08-12\"",
        Kind::Text | Kind::Choice(_) => "a str",
        Kind::File | Kind::Directory => "a str or os.PathLike",
        Kind::Switch | Kind::Boolean => "a bool",
        Kind::Words => "a sequence of str, or a str with commas",
        Kind::Decimals => "a sequence of numbers, or a str with commas",
    }
}

/// A number as the command line takes it, without an exponent and to the last digit.
fn number(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if value.is_instance_of::<PyBool>() {
        return Ok(None);
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Some(value.extract::<f64>()?.to_string()));
    }
    // Also integers of other libraries.
    match value.call_method0("__index__") {
        Ok(number) => Ok(Some(number.str()?.to_cow()?.into_owned())),
        Err(_) => Ok(None),
    }
}

/// The text of a value; `None` if its type is wrong.
fn text(kind: Kind, value: &Bound<'_, PyAny>) -> PyResult<Option<OsString>> {
    if let Kind::File | Kind::Directory = kind {
        return Ok(value.extract::<PathBuf>().ok().map(OsString::from));
    }
    if let Kind::Switch | Kind::Boolean = kind
        && let Ok(truth) = value.cast::<PyBool>()
    {
        return Ok(Some(truth.is_true().to_string().into()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return match kind {
            Kind::Switch => Ok(None),
            _ => Ok(Some(text.to_cow()?.into_owned().into())),
        };
    }
    let text = match kind {
        Kind::Number(_) | Kind::Count if !value.is_instance_of::<PyFloat>() => number(value)?,
        Kind::Decimal | Kind::Offset => number(value)?,
        Kind::Date => date(value)?,
        // Of a dict, only the keys would be taken.
        Kind::Words | Kind::Decimals if !value.is_instance_of::<PyDict>() => {
            let Ok(items) = value.try_iter() else {
                return Ok(None);
            };
            let mut texts = Vec::new();
            for item in items {
                let item = item?;
                let text = match item.cast::<PyString>() {
                    Ok(text) => Some(text.to_cow()?.into_owned()),
                    Err(_) if matches!(kind, Kind::Decimals) => number(&item)?,
                    Err(_) => None,
                };
                let Some(text) = text else { return Ok(None) };
                texts.push(text);
            }
            Some(texts.join(","))
        }
        _ => None,
    };
    Ok(text.map(OsString::from))
}

/// The text of a `datetime.date`. A `datetime.datetime` has a time, which would be lost.
pub fn date(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let datetime = value.py().import("datetime")?;
    let is_date = value.is_instance(&datetime.getattr("date")?)?
        && !value.is_instance(&datetime.getattr("datetime")?)?;
    match is_date {
        true => value.call_method0("isoformat")?.extract().map(Some),
        false => Ok(None),
    }
}

/// The settings among keyword arguments; `None` is the same as no argument.
///
/// # Errors
/// `TypeError` for an unknown name or a wrong type.
pub fn values(keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Values> {
    let mut values = Values::default();
    let Some(keywords) = keywords else {
        return Ok(values);
    };
    let py = keywords.py();
    for (name, value) in keywords.iter() {
        let name: String = name.extract()?;
        let setting = find(&name).map_err(|error| {
            let Error::Setting { remedy, .. } = error else {
                return PyTypeError::new_err(name.clone());
            };
            PyTypeError::new_err(format!("there is no setting '{name}': {remedy}"))
        })?;
        if value.is_none() {
            continue;
        }
        match text(setting.kind, &value)? {
            Some(text) => values.set(&name, text).or_raise(py)?,
            None => return Err(wrong_type(&name, &value, takes(setting.kind))),
        }
    }
    values.validate().or_raise(py)?;
    Ok(values)
}

/// A count of an argument, such as `100M`.
///
/// # Errors
/// It is no whole number.
pub fn count(py: Python<'_>, name: &str, given: &Bound<'_, PyAny>) -> PyResult<u64> {
    if !given.is_instance_of::<PyString>() && !given.is_instance_of::<PyInt>() {
        return Err(wrong_type(name, given, "an int or a str"));
    }
    let count = parse_count(&given.str()?.to_cow()?)
        .map_err(|problem| Error::setting(name, problem, "give a whole number, such as 100M"));
    count.or_raise(py)
}

/// Threads of an argument; without one, the processors that the process may use.
///
/// # Errors
/// 0 threads.
pub fn threads(py: Python<'_>, threads: Option<usize>) -> PyResult<usize> {
    match threads {
        Some(0) => Err(Error::setting(
            "threads",
            "must be at least 1",
            "give 1 or more",
        )),
        Some(threads) => Ok(threads),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
    .or_raise(py)
}

//! Errors of fusiongen as Python exceptions.

use fusiongen::Error;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Flags of the command line as Python arguments: `--cmdb-assets` becomes `cmdb_assets`. Other dashes,
/// such as those within a file's name, stay.
pub fn without_flags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, flag) = rest.split_at(at);
        plain.push_str(before);
        let begins = before
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '-');
        let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
        let end = flag.find(|c| !is_name(c)).unwrap_or(flag.len());
        // A dash that ends a clause is not part of the name.
        let name = flag[..end].trim_end_matches('-');
        match name.strip_prefix("--") {
            Some(name) if begins && !name.is_empty() => plain.push_str(&name.replace('-', "_")),
            _ => plain.push_str(&flag[..name.len().max(2)]),
        }
        rest = &flag[name.len().max(2)..];
    }
    plain.push_str(rest);
    plain
}

/// An exception of `fusiongen._errors`.
fn exception(py: Python<'_>, name: &str, arguments: Vec<String>) -> PyErr {
    let made = || {
        let class = py.import("fusiongen._errors")?.getattr(name)?;
        class.call1(PyTuple::new(py, arguments)?)
    };
    match made() {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// The exception of an error.
pub fn python(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Setting {
            setting,
            problem,
            remedy,
        } => {
            let texts = [setting, problem, remedy].map(|text| without_flags(&text));
            exception(py, "SettingError", texts.into())
        }
        Error::Input {
            path,
            place,
            problem,
            remedy,
        } => {
            let place = place.map_or(String::new(), |place| format!(", {place}"));
            let problem = without_flags(&problem);
            let message = format!("{}{place}: {problem}", path.display());
            exception(py, "Error", vec![message, without_flags(&remedy)])
        }
        Error::Output {
            path,
            problem,
            remedy,
        }
        | Error::Store {
            path,
            problem,
            remedy,
            ..
        }
        | Error::Stopped {
            path,
            problem,
            remedy,
            ..
        } => {
            let message = format!("{}: {}", path.display(), without_flags(&problem));
            exception(py, "Error", vec![message, without_flags(&remedy)])
        }
        other => exception(py, "Error", vec![other.to_string()]),
    }
}

/// A value of a wrong type for an argument.
pub fn wrong_type(name: &str, value: &Bound<'_, PyAny>, takes: &str) -> PyErr {
    let found = value.get_type().name();
    let found = found.map_or("another type".into(), |name| name.to_string());
    PyTypeError::new_err(format!("{name} takes {takes}, not {found}"))
}

/// Makes a Python exception of the error of a result.
pub trait OrRaise<T> {
    /// # Errors
    /// The exception.
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for fusiongen::Result<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| python(py, error))
    }
}

//! fusiongen as a Python module: settings in, corpora, Arrow streams and plans out.
//!
//! `fusiongen/__init__.py` is the module that users import. It re-exports what is here; types of
//! arguments are in `_native.pyi` and `_settings.py`.

mod corpus;
mod errors;
mod events;
mod interrupt;
mod plan;
mod planned;
mod selection;
mod settings;
mod shard;
mod stream;
mod summary;

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line and returns its exit code. Help and wrong usage end the process.
#[pyfunction]
fn command_line(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| fusiongen::cli::main(arguments))
}

/// The compiled part of fusiongen.
#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::command_line;
    #[pymodule_export]
    use super::corpus::{
        CheckReport, Damage, Integrity, check, finish, generate, integrity, report, sweep,
    };
    #[pymodule_export]
    use super::events::{sample, stream, truth};
    #[pymodule_export]
    use super::plan::{Plan, plan};
    #[pymodule_export]
    use super::settings::settings;
    #[pymodule_export]
    use super::shard::{Partition, Shard};
    #[pymodule_export]
    use super::stream::Stream;
    #[pymodule_export]
    use super::summary::Summary;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

//! `fusiongen queries export` and `queries report`: a run for other tools, runs for people.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::output::{print, refuse_replacing, refuse_unwritable};
use crate::corpus::file::NewFile;
use crate::corpus::to_json;
use crate::error::Result;
use crate::numbers::{counted, sized};
use crate::queries::{ClickBench, Labels, Record, select, write_page};

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Clickbench,
}

/// Arguments of `queries export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Run, written by `queries run -o`
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Format of the results
    #[arg(long, value_name = "FORMAT", default_value = "clickbench")]
    format: Format,
    /// Date of the measurement
    #[arg(long, value_name = "DATE")]
    date: Option<chrono::NaiveDate>,
    /// Name of the machine, such as c6a.4xlarge [default: the processor]
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,
    /// File to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    /// Writes the results.
    ///
    /// # Errors
    /// The file is not a record, or the format cannot have it.
    pub fn run(&self) -> Result<()> {
        if let Some(output) = &self.output {
            refuse_unwritable(output)?;
            refuse_replacing(output, &[self.run.as_path()])?;
        }
        let record = Record::read(&self.run)?;
        let json = match self.format {
            Format::Clickbench => {
                let labels = Labels {
                    date: self.date.map(|date| date.to_string()),
                    machine: self.machine.clone(),
                };
                to_json(&ClickBench::of(&record, labels)?)
            }
        };
        match &self.output {
            Some(path) => NewFile::at(path.clone()).write(&json).map(|_| ()),
            None => print(&String::from_utf8_lossy(&json)),
        }
    }
}

/// Arguments of `queries report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Runs, written by `queries run -o`; the others are compared with the first
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Slowdown from which a query counts as slower
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = super::compare::percent)]
    threshold: f64,
    /// HTML file to write, which needs no network
    #[arg(short, long, value_name = "FILE", default_value = "queries.html")]
    output: PathBuf,
}

impl Report {
    /// Writes the page.
    ///
    /// # Errors
    /// A file is not a record, or the page cannot be written.
    pub fn run(&self) -> Result<()> {
        refuse_unwritable(&self.output)?;
        let runs: Vec<&Path> = self.runs.iter().map(PathBuf::as_path).collect();
        refuse_replacing(&self.output, &runs)?;
        let records = self.runs.iter().map(|path| Record::read(path));
        let records: Vec<Record> = records.collect::<Result<_>>()?;
        let limit = 1.0 + self.threshold / 100.0;
        let bytes = write_page(&records, &select(&[])?, limit, &self.output)?;
        let page = self.output.display();
        print(&format!(
            "{}\n{page}, {}\nnext: open {page} in a browser\n",
            counted(records.len() as u64, "run"),
            sized(bytes)
        ))
    }
}

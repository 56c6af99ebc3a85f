//! `fusiongen queries compare`: compares two recorded runs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::output::print;
use crate::error::{Error, Result};
use crate::queries::{Comparison, Line, Record, Verdict, compare, select};

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Wrong,
    Slower,
    Both,
}

/// How runs are judged.
#[derive(Debug, Args)]
pub struct Judge {
    /// Slowdown from which a query counts as slower
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = percent, requires = "reference")]
    threshold: f64,
    /// Exit with 1 if a query is wrong, slower, or either
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "both",
        requires = "reference"
    )]
    fail_on: FailOn,
    /// Compare runs of different corpora, suites, machines or numbers of threads
    #[arg(long, requires = "baseline")]
    pub force: bool,
}

/// `10%` or `10` as 10.
pub fn percent(text: &str) -> std::result::Result<f64, String> {
    let number: f64 =
        (text.trim_end_matches('%').parse()).map_err(|_| "give a percentage: 10%".to_string())?;
    match (0.0..=1000.0).contains(&number) {
        true => Ok(number),
        false => Err("give a percentage from 0% to 1000%".into()),
    }
}

impl Judge {
    /// Ratio from which a query is slower.
    pub fn limit(&self) -> f64 {
        1.0 + self.threshold / 100.0
    }
}

/// Arguments of `queries compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// Earlier run, written by `queries run -o`
    #[arg(value_name = "BASELINE", group = "reference")]
    baseline: PathBuf,
    /// Later run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    judge: Judge,
}

impl Compare {
    /// Prints the comparison.
    ///
    /// # Errors
    /// A query is wrong or slower, or the runs cannot be compared.
    pub fn run(&self) -> Result<()> {
        let (old, new) = (Record::read(&self.baseline)?, Record::read(&self.run)?);
        judged(&old, &new, &self.judge, &self.run)
    }
}

/// Prints a comparison. `path` is for the error.
///
/// # Errors
/// A query is wrong or slower.
pub fn judged(old: &Record, new: &Record, judge: &Judge, path: &Path) -> Result<()> {
    let compared = compare(old, new, judge.limit(), judge.force, &is_timed()?)?;
    let lines = compared.lines.iter().map(row).collect::<String>();
    print(&format!("{}{lines}", header("old ms", "new ms")))?;
    concluded(&compared, judge, path)
}

/// Tells which queries count in the geometric mean.
pub fn is_timed() -> Result<impl Fn(&str) -> bool> {
    let all = select(&[])?;
    Ok(move |name: &str| {
        all.iter()
            .any(|query| query.name == name && query.is_timed())
    })
}

/// The head of the table.
pub fn header(old: &str, new: &str) -> String {
    format!(
        "{:<24} {old:>9} {new:>9} {:>6}  verdict\n",
        "query", "ratio"
    )
}

/// One line of the table.
pub fn row(line: &Line) -> String {
    let time = |ms: Option<f64>| ms.map_or("-".into(), |ms| format!("{ms:.0}"));
    let ratio = line
        .ratio()
        .map_or("-".into(), |ratio| format!("{ratio:.2}"));
    let remark = line.remark.replace('\n', " ");
    let (old, new) = (time(line.old_ms), time(line.new_ms));
    let verdict = line.verdict.word();
    let query = &line.query;
    let text = format!("{query:<24} {old:>9} {new:>9} {ratio:>6}  {verdict} {remark}");
    format!("{}\n", text.trim_end())
}

/// Prints the sums of a comparison. `path` is for the error.
///
/// # Errors
/// A query is wrong or slower.
pub fn concluded(compared: &Comparison, judge: &Judge, path: &Path) -> Result<()> {
    let count = |verdict| compared.count(verdict);
    let (wrong, slower) = (count(Verdict::Wrong), count(Verdict::Slower));
    let mean = compared.mean.map_or(String::new(), |mean| {
        let word = match compared.is_slower_on_average() {
            true => ": SLOWER",
            false => "",
        };
        format!("; geometric mean of the ratios {mean:.2}{word}")
    });
    print(&format!(
        "{wrong} wrong, {slower} slower, {} suspect, {} fine{mean}\n",
        count(Verdict::Suspect),
        count(Verdict::Fine)
    ))?;
    let slower = slower + usize::from(compared.is_slower_on_average());
    let failed = match judge.fail_on {
        FailOn::Wrong => wrong,
        FailOn::Slower => slower,
        FailOn::Both => wrong + slower,
    };
    match failed {
        0 => Ok(()),
        failed => Err(Error::Check {
            path: path.to_path_buf(),
            failed,
        }),
    }
}

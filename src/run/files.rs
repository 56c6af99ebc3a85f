//! Some files of a corpus, by one of several processes.

use std::collections::BTreeSet;

use super::{Scope, Summary, Work};
use crate::columns::Tables;
use crate::corpus::{Corpus, PlanFile};
use crate::error::{Error, Result};
use crate::frame::Maker;
use crate::progress::{Progress, RESUME};
use crate::sink::format::FileFormat;
use crate::sink::{FormatTask, with_format};

/// The arguments of [`write_files`].
struct Files<'f> {
    corpus: &'f Corpus,
    plan_file: &'f PlanFile,
    maker: &'f Maker,
    tables: &'f Tables,
    files: &'f BTreeSet<usize>,
    threads: usize,
    progress: &'f dyn Progress,
}

/// Writes the files with these indices in the plan, unless they are there unchanged. Any number of
/// processes may write files of one corpus at once, even the same file: none removes a file, and
/// all write the same bytes. `plan_file` is the one of the maker's plan.
///
/// # Errors
/// The plan has no such file, the directory holds something else, I/O, or `progress` asked to stop.
pub fn write_files(
    corpus: &Corpus,
    plan_file: &PlanFile,
    maker: &Maker,
    tables: &Tables,
    files: &BTreeSet<usize>,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Summary> {
    let planned = plan_file.files().count();
    if let Some(file) = files.last().filter(|&&file| file >= planned) {
        return Err(Error::setting(
            "shard",
            format!("the corpus has no file {file}"),
            format!("give 0 to {}", planned.saturating_sub(1)),
        ));
    }
    let files = Files {
        corpus,
        plan_file,
        maker,
        tables,
        files,
        threads,
        progress,
    };
    corpus.watched(progress, || with_format(plan_file.config.format, files))
}

impl FormatTask for Files<'_> {
    type Output = Result<Summary>;

    fn run<F: FileFormat>(self) -> Result<Summary> {
        let work = Work {
            corpus: self.corpus,
            plan_file: self.plan_file,
            maker: self.maker,
            tables: self.tables,
            threads: self.threads,
            found: self.corpus.join(self.plan_file)?,
            wanted: self.files.iter().copied().collect(),
            scope: Scope::Files,
            remedy: RESUME,
            progress: self.progress,
        };
        work.run::<F>()
    }
}

//! The corpus whose facts a subcommand of `queries` prints: one on disk, or the settings of one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::engine::finished;
use crate::catalog::Catalog;
use crate::cli::settings::Settings;
use crate::cli::voice::Voice;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grounding::Profile;
use crate::plan::Grounding;
use crate::queries::{Files, Generated, Source};
use crate::settings::SETTINGS;

/// A corpus on disk, or the settings of one.
#[derive(Debug, Args)]
pub struct Facts {
    /// Directory of a finished corpus, instead of the settings below
    #[arg(long, value_name = "DIR", conflicts_with_all = names_of_settings())]
    pub corpus: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// A corpus on disk has its own settings.
fn names_of_settings() -> Vec<&'static str> {
    let settings = SETTINGS.iter().map(|setting| setting.name);
    settings.chain(["config"]).collect()
}

impl Facts {
    /// Calls `use_it` with the corpus's plan and truth.
    ///
    /// # Errors
    /// The corpus or the settings cannot be used, or the error of `use_it`.
    pub fn with<T>(&self, use_it: impl Fn(&dyn Source) -> Result<T>) -> Result<T> {
        match &self.corpus {
            Some(directory) => use_it(&Files::new(directory, finished(directory)?.0)),
            None => use_it(&Generated(&self.generator()?)),
        }
    }

    /// The files that are read besides a corpus.
    pub fn inputs(&self) -> Vec<PathBuf> {
        self.settings.inputs()
    }

    /// The generator of the corpus's events.
    ///
    /// # Errors
    /// The corpus or the settings cannot be used, or the corpus was made from files that it does not
    /// have.
    pub fn generator(&self) -> Result<Generator> {
        match &self.corpus {
            Some(directory) => generator_of(directory),
            None => self.settings.generator(Voice::default(), |config| config),
        }
    }
}

/// The generator that made a corpus. Its plan has the settings, and only digests of the inputs.
fn generator_of(directory: &Path) -> Result<Generator> {
    let (plan, _) = finished(directory)?;
    let grounding = Grounding {
        profile: Profile::embedded(),
        users: None,
        assets: None,
    };
    let generator = Generator::new(plan.config.clone(), grounding, Catalog::embedded()?)?;
    if generator.plan().fingerprint == plan.fingerprint {
        return Ok(generator);
    }
    let (there, here) = (&plan.inputs, &generator.plan().inputs);
    let inputs = [
        (
            "the alerts database or profile",
            &there.profile,
            &here.profile,
        ),
        ("the users", &there.users, &here.users),
        ("the assets", &there.assets, &here.assets),
        ("the catalog", &there.catalog, &here.catalog),
    ];
    let files: Vec<&str> = (inputs.into_iter())
        .filter(|(_, there, here)| there != here)
        .map(|(name, _, _)| name)
        .collect();
    Err(match files.as_slice() {
        [] => Error::input(
            directory,
            None,
            format!(
                "another version of fusiongen made this corpus: {}",
                plan.created_by
            ),
            "use that version",
        ),
        files => Error::input(
            directory,
            None,
            format!(
                "this corpus was made from files that it does not have: {}",
                files.join(", ")
            ),
            "give the settings and files that it was made with instead of --corpus, \
             or --constructed for the answers that need no events",
        ),
    })
}

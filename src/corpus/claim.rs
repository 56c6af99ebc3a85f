//! Whether a place may be used for a corpus, whatever kind of place it is.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::layout::Corpus;
use super::manifest::{Identity, PlanFile};
use crate::error::{Error, Result, shown};
use crate::plan::fingerprint::CREATED_BY;

/// Names that the root of a corpus may hold.
const OURS: [&str; 8] = [
    Corpus::PROFILE,
    Corpus::PLAN,
    "events",
    "truth",
    "entities",
    Corpus::MANIFEST,
    Corpus::SUCCESS,
    "journal",
];

/// What a place holds before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// This corpus, not finished.
    Unfinished,
    /// This corpus, complete.
    Complete,
}

/// The files that a manifest lists; any version can be read.
#[derive(Default, Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) files: Vec<ListedPath>,
    /// Those that the format added.
    #[serde(default)]
    pub(super) commit: Vec<ListedPath>,
}

/// A file in a list of `plan.json` or of the manifest.
#[derive(Deserialize)]
pub(super) struct ListedPath {
    pub(super) path: String,
}

/// Whether a name in the root is one of a corpus.
pub fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}

impl Corpus {
    pub(super) fn refuse(&self, problem: &str, remedy: &str) -> Error {
        Error::Output {
            path: self.root.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The error for a name in the root that is not ours.
    pub(super) fn refuse_foreign(&self, name: &str) -> Error {
        let place = self.kind();
        self.refuse(
            &format!("the {place} holds '{name}', which fusiongen did not write"),
            &format!("use an empty or new {place} as --out"),
        )
    }

    /// The error for a corpus that another version began: Parquet files name the version that wrote
    /// them.
    pub(crate) fn refuse_version(&self, created_by: &str) -> Error {
        self.refuse(
            &format!(
                "{} began this corpus, and {CREATED_BY} may write other bytes",
                shown(created_by)
            ),
            "complete it with that version, or write all of it again with --overwrite",
        )
    }

    /// Whether the existing corpus, which has this `plan.json`, is the one of this plan.
    ///
    /// # Errors
    /// It is another one or another version's, and must not be overwritten; or it is not known which
    /// one it is.
    pub(super) fn is_same(
        &self,
        existing: Option<&[u8]>,
        plan: &PlanFile,
        overwrite: bool,
    ) -> Result<bool> {
        let place = self.kind();
        let existing = existing.and_then(|text| serde_json::from_slice::<Identity>(text).ok());
        let Some(existing) = existing else {
            return Err(self.refuse(
                &format!(
                    "the {place} holds files but no readable plan.json that says which corpus they are"
                ),
                &format!("use an empty or new {place} as --out"),
            ));
        };
        let is_version = existing.created_by == plan.created_by;
        match existing.fingerprint == plan.fingerprint {
            true if is_version => Ok(true),
            _ if overwrite => Ok(false),
            true => Err(self.refuse_version(&existing.created_by)),
            false => Err(self.refuse(
                &format!(
                    "the {place} holds another corpus (fingerprint {}, this one would be {}): {}",
                    existing.fingerprint,
                    plan.fingerprint,
                    existing.difference(plan)
                ),
                "use another --out, or --overwrite to replace it",
            )),
        }
    }

    fn kind(&self) -> &'static str {
        match self.is_directory() {
            true => "directory",
            false => "prefix",
        }
    }

    /// What the manifest lists. A manifest that is missing or is not JSON lists nothing.
    ///
    /// # Errors
    /// The store fails.
    pub(super) fn listed(&self) -> Result<Listed> {
        let text = self.read_existing(Corpus::MANIFEST)?.unwrap_or_default();
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }

    /// Paths that the manifest lists as added by the format.
    ///
    /// # Errors
    /// The store fails.
    pub(super) fn committed(&self) -> Result<BTreeSet<String>> {
        let commit = self.listed()?.commit.into_iter();
        Ok(commit.map(|file| file.path).collect())
    }
}

//! Whether a place may be used for a corpus, whatever kind of place it is.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::layout::Corpus;
use super::manifest::{Identity, PlanFile};
use crate::error::{Error, Result};

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

/// The part of a manifest that lists the files of the format's commit.
#[derive(Default, Deserialize)]
struct Committed {
    #[serde(default)]
    commit: Vec<CommittedPath>,
}

#[derive(Deserialize)]
struct CommittedPath {
    path: String,
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

    /// Whether the existing corpus, which has this `plan.json`, is the one of this plan.
    ///
    /// # Errors
    /// It is another one, and must not be overwritten; or it is not known which one it is.
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
        let same = existing.fingerprint == plan.fingerprint;
        if !same && !overwrite {
            return Err(self.refuse(
                &format!(
                    "the {place} holds another corpus (fingerprint {}, this one would be {}): {}",
                    existing.fingerprint,
                    plan.fingerprint,
                    existing.difference(plan)
                ),
                "use another --out, or --overwrite to replace it",
            ));
        }
        Ok(same)
    }

    fn kind(&self) -> &'static str {
        match self.is_directory() {
            true => "directory",
            false => "prefix",
        }
    }

    /// Paths that the manifest lists as added by the format; any version can be read.
    ///
    /// # Errors
    /// The store fails.
    pub(super) fn committed(&self) -> Result<BTreeSet<String>> {
        let text = self.read_existing(Corpus::MANIFEST)?.unwrap_or_default();
        let manifest: Committed = serde_json::from_slice(&text).unwrap_or_default();
        Ok(manifest.commit.into_iter().map(|file| file.path).collect())
    }
}

//! The journal: an entry for each finished file, so that a corpus can be completed from its
//! directory alone.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::{Whole, digest};
use super::layout::Corpus;
use super::manifest::{FileEntry, Manifest, to_json};
use crate::error::{Error, Result};

impl FileEntry {
    /// Notes a finished file in the journal, unless another run has made the corpus whole
    /// meanwhile, and so removed the journal.
    ///
    /// # Errors
    /// I/O.
    pub fn note(&self, corpus: &Corpus, index: usize, fingerprint: &str) -> Result<()> {
        let entry = JournalEntry {
            fingerprint: fingerprint.into(),
            file: self.clone(),
        };
        // Not synced: what a crash takes from the journal is made again.
        let path = corpus.journal(index);
        let write = || {
            let mut file = Whole::create(&path)?;
            std::io::Write::write_all(&mut file, &to_json(&entry))
                .map_err(|e| Error::io(&path, "write", e))?;
            file.finish()
        };
        match write() {
            Err(_) if corpus.is_finished() => Ok(()),
            written => written.map(|_| ()),
        }
    }

    /// Whether the file exists with the size and digest that this entry has.
    fn stands(&self, root: &Path) -> bool {
        let path = root.join(&self.path);
        std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() == self.bytes)
            && digest(&path).is_ok_and(|digest| digest == self.blake3)
    }
}

/// `journal/<shard>.json`.
#[derive(Debug, Serialize, Deserialize)]
struct JournalEntry {
    fingerprint: String,
    #[serde(flatten)]
    file: FileEntry,
}

/// What earlier runs noted: in the journal, or in the manifest of a corpus that was whole.
#[derive(Debug)]
pub struct Notes<'n> {
    corpus: &'n Corpus,
    fingerprint: &'n str,
    whole: BTreeMap<String, FileEntry>,
}

impl<'n> Notes<'n> {
    /// The notes in a corpus's directory.
    pub fn read(corpus: &'n Corpus, fingerprint: &'n str) -> Self {
        let manifest = Manifest::read(corpus).ok();
        let files = manifest
            .filter(|manifest| manifest.fingerprint == fingerprint)
            .map_or(Vec::new(), |manifest| manifest.files);
        Notes {
            corpus,
            fingerprint,
            whole: files.into_iter().map(|f| (f.path.clone(), f)).collect(),
        }
    }

    /// The entry of file `index` at `path`, if the file exists and is unchanged.
    pub fn standing(&self, index: usize, path: &str) -> Option<FileEntry> {
        self.noted(index)
            .filter(|entry| entry.path == path)
            .or_else(|| self.whole.get(path).cloned())
            .filter(|entry| entry.stands(&self.corpus.root))
    }

    fn noted(&self, index: usize) -> Option<FileEntry> {
        let text = std::fs::read(self.corpus.journal(index)).ok()?;
        let entry: JournalEntry = serde_json::from_slice(&text).ok()?;
        (entry.fingerprint == self.fingerprint).then_some(entry.file)
    }
}

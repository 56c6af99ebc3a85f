//! The journal: one entry for each finished file. With it a later run, or `finish`, completes a
//! corpus from its files alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file::Written;
use super::layout::{Corpus, Size};
use super::manifest::{FileEntry, Manifest, to_json};
use super::objects::{Object, Objects};
use crate::error::{Error, Result};

/// Number of files up to which each is asked for; for more, all objects are listed.
const FEW: usize = 20;

impl FileEntry {
    /// Adds a finished file to the journal. If another run completed the corpus in the meantime, and
    /// so removed the journal, nothing is added: what this run adds afterwards, it removes.
    ///
    /// # Errors
    /// I/O.
    pub fn note(
        &self,
        corpus: &Corpus,
        index: usize,
        fingerprint: &str,
        tag: Option<&str>,
    ) -> Result<()> {
        let entry = to_json(&JournalEntry {
            fingerprint: fingerprint.into(),
            file: self.clone(),
            tag: tag.map(String::from),
        });
        let relative = Corpus::journal(index);
        let file = corpus.new_file(&relative);
        let write = || -> Result<Written> {
            let mut file = file.create()?;
            std::io::Write::write_all(&mut file, &entry)
                .map_err(|e| Error::io(file.path(), "write", e))?;
            // Not synced: a file whose entry is lost in a crash is written again.
            file.finish()
        };
        match write() {
            Err(_) if corpus.is_directory() && corpus.is_finished()? => Ok(()),
            Ok(_) if corpus.is_directory() && corpus.is_finished()? => corpus.clear_journal(),
            written => written.map(|_| ()),
        }
    }

    /// Whether the file exists with the size of this entry.
    fn is_of_size(&self, corpus: &Corpus) -> Result<bool> {
        Ok(corpus.size(&self.path)? == Size::Bytes(self.bytes))
    }

    fn has_digest(&self, corpus: &Corpus) -> Result<bool> {
        match corpus.digest(&self.path) {
            // A file that cannot be read is written again; a store may fail for a while.
            Err(_) if corpus.is_directory() => Ok(false),
            digest => Ok(digest? == self.blake3),
        }
    }

    /// Whether the file exists with the size and digest of this entry. It is read to find out.
    ///
    /// # Errors
    /// The store fails.
    pub fn is_intact(&self, corpus: &Corpus) -> Result<bool> {
        Ok(self.is_of_size(corpus)? && self.has_digest(corpus)?)
    }
}

/// `journal/000012.json`, by the file's index in the plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct JournalEntry {
    fingerprint: String,
    #[serde(flatten)]
    file: FileEntry,
    /// The object store's tag of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

/// Files that earlier runs recorded, in the journal or in the manifest.
#[derive(Debug)]
pub struct Notes<'n> {
    corpus: &'n Corpus,
    fingerprint: &'n str,
    /// Entries of the manifest, by path.
    manifest: BTreeMap<String, FileEntry>,
    /// What an object store holds.
    stored: Option<Stored>,
}

/// Objects and journal entries of the files that a run asks about, read together.
#[derive(Debug, Default)]
struct Stored {
    objects: BTreeMap<String, Object>,
    journal: BTreeMap<usize, Vec<u8>>,
}

impl<'n> Notes<'n> {
    /// Reads the records of the corpus with this fingerprint about `files`: index in the plan and
    /// path.
    ///
    /// # Errors
    /// The object store fails.
    pub fn read(corpus: &'n Corpus, fingerprint: &'n str, files: &[(usize, &str)]) -> Result<Self> {
        let manifest = corpus.read_existing(Corpus::MANIFEST)?;
        let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let entries = manifest
            .filter(|manifest| manifest.fingerprint == fingerprint)
            .map_or(Vec::new(), |manifest| manifest.files);
        let stored = corpus.objects().map(|objects| {
            Stored::read(objects, files).map_err(|e| Error::io(&corpus.root, "list", e))
        });
        Ok(Notes {
            corpus,
            fingerprint,
            manifest: entries.into_iter().map(|f| (f.path.clone(), f)).collect(),
            stored: stored.transpose()?,
        })
    }

    /// The entry of file `index` at `path`, if the file exists and is unchanged. An object with the
    /// size and the tag of its entry is unchanged; with another tag, or none, its contents decide.
    ///
    /// # Errors
    /// The store fails.
    pub fn intact(&self, index: usize, path: &str) -> Result<Option<FileEntry>> {
        let Some((entry, tag)) = self.entry(index, path) else {
            return Ok(None);
        };
        let is_kept = match &self.stored {
            None => entry.is_intact(self.corpus)?,
            Some(stored) => match stored.objects.get(path) {
                Some(object) if object.bytes == entry.bytes => {
                    tag.is_some() && object.tag == tag || entry.has_digest(self.corpus)?
                }
                _ => false,
            },
        };
        Ok(is_kept.then_some(entry))
    }

    /// The entry of file `index` at `path`, if the file exists with its size.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub fn of_size(&self, index: usize, path: &str) -> Result<Option<FileEntry>> {
        let Some((entry, _)) = self.entry(index, path) else {
            return Ok(None);
        };
        let is_kept = match &self.stored {
            None => entry.is_of_size(self.corpus)?,
            Some(stored) => {
                (stored.objects.get(path)).is_some_and(|object| object.bytes == entry.bytes)
            }
        };
        Ok(is_kept.then_some(entry))
    }

    /// What an earlier run recorded of a file; also the store's tag.
    fn entry(&self, index: usize, path: &str) -> Option<(FileEntry, Option<String>)> {
        let noted = self.noted(index).filter(|entry| entry.file.path == path);
        match noted {
            Some(noted) => Some((noted.file, noted.tag)),
            None => Some((self.manifest.get(path).cloned()?, None)),
        }
    }

    fn noted(&self, index: usize) -> Option<JournalEntry> {
        let text = match &self.stored {
            None => self.corpus.read(&Corpus::journal(index)).ok()?,
            Some(stored) => stored.journal.get(&index)?.clone(),
        };
        let entry: JournalEntry = serde_json::from_slice(&text).ok()?;
        (entry.fingerprint == self.fingerprint).then_some(entry)
    }
}

impl Stored {
    fn read(objects: &dyn Objects, files: &[(usize, &str)]) -> std::io::Result<Self> {
        let mut stored = Stored::default();
        let is_listed = files.len() > FEW;
        match is_listed {
            false => {
                for (_, path) in files {
                    let found = objects.find(path)?;
                    stored.objects.extend(found.map(|it| (it.path.clone(), it)));
                }
            }
            true => {
                let found = objects.list("")?;
                stored.objects = found.into_iter().map(|it| (it.path.clone(), it)).collect();
            }
        }
        // A file that does not exist needs no entry. A list of all objects has the journal's, too.
        let there = files.iter().filter(|(index, path)| {
            stored.objects.contains_key(*path)
                && (!is_listed || stored.objects.contains_key(&Corpus::journal(*index)))
        });
        let indices: Vec<usize> = there.map(|(index, _)| *index).collect();
        let paths: Vec<String> = indices
            .iter()
            .map(|&index| Corpus::journal(index))
            .collect();
        let entries = objects.read_all(&paths)?;
        let entries = indices.into_iter().zip(entries);
        stored.journal = entries
            .filter_map(|(index, text)| Some((index, text?)))
            .collect();
        Ok(stored)
    }
}

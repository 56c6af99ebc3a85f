//! Free space on the file system of a corpus, against what the corpus needs.

use std::path::{Path, PathBuf};

use super::summary::sized;
use super::voice::Voice;
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::run::Part;

/// A corpus takes at least the estimate divided by this. Alerts that are all alike take a third of it.
const AT_LEAST: u64 = 4;
/// Bytes up to which a run fills the disk, or ends, within seconds, so that nothing is gained.
const LITTLE: u64 = 256 << 20;

/// Free bytes; `None` for an object store, and where the operating system does not say.
pub fn free(corpus: &Corpus) -> Option<u64> {
    let nearest = |path: &Path| -> Option<PathBuf> {
        let absolute = std::path::absolute(path).ok()?;
        let there = absolute.ancestors().find(|path| path.exists())?;
        Some(there.to_path_buf())
    };
    let directory = corpus.is_directory().then(|| nearest(&corpus.root))??;
    fs4::available_space(directory).ok()
}

/// Estimated bytes of the event files that a run, or a part of it, still writes.
fn needed(corpus: &Corpus, generator: &Generator, part: Option<Part>) -> u64 {
    let config = &generator.plan().config;
    let shards = generator.plan_file().shards.iter().enumerate();
    let missing = shards.filter(|(file, shard)| {
        part.is_none_or(|part| part.holds(*file)) && !corpus.root.join(&shard.path).exists()
    });
    missing.map(|(_, s)| config.estimated_bytes(s.rows)).sum()
}

/// Says so if the corpus needs most of the free space.
///
/// # Errors
/// It cannot fit.
pub fn check(
    corpus: &Corpus,
    generator: &Generator,
    part: Option<Part>,
    voice: Voice,
) -> Result<()> {
    let needed = needed(corpus, generator, part);
    let Some(free) = free(corpus).filter(|_| needed >= LITTLE) else {
        return Ok(());
    };
    let said = format!(
        "about {} are needed, {} are free",
        sized(needed),
        sized(free)
    );
    if needed / AT_LEAST > free {
        let remedy = "free space, give another --out, or give fewer --events";
        return Err(Error::input(&corpus.root, None, said, remedy));
    }
    if needed > free / 2 {
        voice.note(said);
    }
    Ok(())
}

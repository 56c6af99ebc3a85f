//! Reads the catalog's files, resolves names to indices and refuses what cannot be made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::embedded;
use super::events::Tables;
use super::raw;
use super::record::{Platform, Telemetry, is_slug};
use super::source::{Source, Text};
use super::{Catalog, Category, Image, Names, Playbook, Signature, Technique, resident};
use crate::{Error, Result};

/// The category of process life; the world knows it by name.
pub const PROCESS_LIFE: &str = "process_activity";

/// A playbook lasts at most three days, rounds included.
pub(super) const LONGEST_PLAYBOOK: u64 = 3 * 86_400;

/// The files with a fixed name, in the order of the digest. Playbooks follow, by file name.
pub(super) const FILES: [&str; 8] = [
    "attack.toml",
    "categories.toml",
    "heuristics.toml",
    "images.toml",
    "residents.toml",
    "programs.toml",
    "noise.toml",
    "names.toml",
];

/// Folder of the playbooks.
pub(super) const PLAYBOOKS: &str = "playbooks";

/// The catalog's files before they are understood.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// In the order of [`FILES`].
    pub files: Vec<Source>,
    pub playbooks: Vec<Source>,
}

impl Catalog {
    /// The catalog that is part of the program.
    pub fn embedded() -> Result<Self> {
        Self::from_sources(&Sources::embedded())
    }

    /// A catalog from a directory laid out like `data/catalog`.
    pub fn read(dir: &Path) -> Result<Self> {
        Self::from_sources(&Sources::read(dir)?)
    }

    /// Understands the files. Later ones refer to earlier ones.
    #[expect(clippy::unreachable, reason = "sources are made of FILES")]
    pub(super) fn from_sources(sources: &Sources) -> Result<Self> {
        let [
            attack,
            categories,
            heuristics,
            images,
            residents,
            programs,
            noise,
            names,
        ] = sources.files.as_slice()
        else {
            unreachable!("sources always hold the files of FILES");
        };
        let techniques = techniques(attack)?;
        let categories = self::categories(categories, &techniques)?;
        let images = self::images(images)?;
        let residents = resident::residents(residents, &images)?;
        let tables = Tables {
            techniques: &techniques,
            categories: &categories,
            images: &images,
            residents: &residents,
        };
        let heuristics = tables.heuristics(heuristics)?;
        let programs = resident::programs(programs, &images, &residents)?;
        let scenarios = tables.scenarios(noise)?;
        let mut playbooks = Vec::new();
        for source in &sources.playbooks {
            let (playbook, name) = tables.playbook(source)?;
            if playbooks
                .iter()
                .any(|other: &Playbook| other.name == playbook.name)
            {
                return Err(source.error_at(
                    &name,
                    format!("another file's playbook is called {:?} too", playbook.name),
                    "give one of them another name",
                ));
            }
            tables.check_categories_are_shared(source, &playbook, &scenarios)?;
            playbooks.push(playbook);
        }
        let names = self::names(names)?;
        Ok(Catalog {
            digest: sources.digest(),
            techniques,
            categories,
            heuristics,
            images,
            residents,
            programs,
            scenarios,
            playbooks,
            names,
        })
    }
}

impl Sources {
    pub fn embedded() -> Self {
        let source = |(name, text): &(&str, &str)| Source {
            path: Path::new("data/catalog").join(name),
            text: (*text).to_owned(),
        };
        let (files, playbooks) = embedded::FILES.split_at(FILES.len());
        Sources {
            files: files.iter().map(source).collect(),
            playbooks: playbooks.iter().map(source).collect(),
        }
    }

    fn read(dir: &Path) -> Result<Self> {
        if !dir.is_dir() {
            return Err(Error::input(
                dir,
                None,
                "no such directory",
                "give --catalog a copy of data/catalog of the program's sources",
            ));
        }
        let file = |path: PathBuf| {
            let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Error::input(
                    &path,
                    None,
                    "a catalog has this file, and it is not there",
                    "copy data/catalog of the program's sources and change the copy",
                ),
                _ => Error::io(&path, "read", error),
            })?;
            let text = String::from_utf8(bytes).map_err(|error| {
                Error::input(
                    &path,
                    format!("byte {}", error.utf8_error().valid_up_to()),
                    "not UTF-8 text",
                    "save the file as UTF-8",
                )
            })?;
            Ok(Source { path, text })
        };
        let files = FILES
            .iter()
            .map(|name| file(dir.join(name)))
            .collect::<Result<Vec<_>>>()?;
        let folder = dir.join(PLAYBOOKS);
        let mut paths = Vec::new();
        let entries = std::fs::read_dir(&folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::input(
                &folder,
                None,
                "a catalog has this folder, and it is not there",
                "add it, with at least one NAME.toml",
            ),
            _ => Error::io(&folder, "list", error),
        })?;
        for entry in entries {
            let path = entry.map_err(|e| Error::io(&folder, "list", e))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                paths.push(path);
            }
        }
        // The order of a directory is not defined; that of names is.
        paths.sort();
        let playbooks = paths.into_iter().map(file).collect::<Result<Vec<_>>>()?;
        if playbooks.is_empty() {
            return Err(Error::input(
                &folder,
                None,
                "no playbook here",
                "add at least one NAME.toml",
            ));
        }
        Ok(Sources { files, playbooks })
    }

    /// BLAKE3 over every file's length and contents, in order; paths don't count.
    fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for source in self.files.iter().chain(&self.playbooks) {
            hasher.update(&(source.text.len() as u64).to_le_bytes());
            hasher.update(source.text.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

fn techniques(source: &Source) -> Result<Vec<Technique>> {
    let file: raw::AttackFile = source.parse()?;
    if file.version.get_ref() != "18.1" {
        return Err(source.error_at(
            &file.version,
            format!("ATT&CK {} instead of 18.1", file.version.get_ref()),
            "make the file anew with make_attack.py from ATT&CK 18.1",
        ));
    }
    source.unique("technique", file.technique.iter().map(|t| &t.id))?;
    for technique in &file.technique {
        if technique.tactics.is_empty() || technique.tactics.len() != technique.tactic_ids.len() {
            return Err(source.error_at(
                &technique.id,
                "`tactics` and `tactic_ids` are not one list side by side",
                "make the file anew with make_attack.py",
            ));
        }
    }
    Ok(file
        .technique
        .into_iter()
        .map(|raw| Technique {
            id: raw.id.into_inner(),
            name: raw.name.into_inner(),
            tactics: raw.tactics,
            tactic_ids: raw.tactic_ids,
            platforms: raw.platforms,
        })
        .collect())
}

/// Indices of a technique and of one of its tactics; the first one when none is named.
pub(super) fn technique(
    source: &Source,
    techniques: &[Technique],
    id: &Text,
    tactic: Option<&Text>,
) -> Result<(usize, usize)> {
    let Some(index) = techniques.iter().position(|t| t.id == *id.get_ref()) else {
        return Err(source.error_at(
            id,
            format!("unknown technique {:?}", id.get_ref()),
            "write an id of attack.toml; make_attack.py adds the techniques that are used",
        ));
    };
    let Some(tactic) = tactic else {
        return Ok((index, 0));
    };
    let tactics = &techniques[index].tactics;
    match tactics.iter().position(|known| known == tactic.get_ref()) {
        Some(position) => Ok((index, position)),
        None => Err(source.error_at(
            tactic,
            format!("{} is no tactic of {}", tactic.get_ref(), id.get_ref()),
            format!("write one of {}", tactics.join(", ")),
        )),
    }
}

/// The technique exists on a platform of one of these names, or comes before any host (PRE).
pub(super) fn check_platform(
    source: &Source,
    at: &Text,
    technique: &Technique,
    names: &[&str],
) -> Result<()> {
    let fits = |known: &String| names.contains(&known.as_str()) || known == "PRE";
    if technique.platforms.iter().any(fits) {
        return Ok(());
    }
    Err(source.error_at(
        at,
        format!("{} does not exist on {}", technique.id, names.join(" or ")),
        format!("ATT&CK has it on {}", technique.platforms.join(", ")),
    ))
}

fn categories(source: &Source, techniques: &[Technique]) -> Result<Vec<Category>> {
    let file: raw::CategoriesFile = source.parse()?;
    source.unique("category", file.category.iter().map(|c| &c.name))?;
    source.unique("classtype", file.classtype.iter().map(|c| &c.description))?;
    let signatures = || file.category.iter().flat_map(|c| &c.signatures);
    source.unique("signature", signatures().map(|s| &s.name))?;
    let mut ids = BTreeSet::new();
    for signature in signatures() {
        if !ids.insert(signature.id.get_ref()) {
            return Err(source.error_at(
                &signature.id,
                format!("signature id {} stands here twice", signature.id.get_ref()),
                "give the second another id",
            ));
        }
        if !(1..=4).contains(signature.severity.get_ref()) {
            return Err(source.error_at(
                &signature.severity,
                format!("severity {} does not exist", signature.severity.get_ref()),
                "write 1 low, 2 medium, 3 high or 4 critical",
            ));
        }
    }
    let mut categories = Vec::new();
    for raw in &file.category {
        let name = raw.name.get_ref();
        if !is_slug(name) {
            return Err(source.error_at(
                &raw.name,
                format!("{name:?} is no slug"),
                "write [a-z][a-z0-9_]*, at most 64 bytes: it names a directory",
            ));
        }
        let technique = match (&raw.technique, &raw.tactic) {
            (Some(id), tactic) => Some(technique(source, techniques, id, tactic.as_ref())?),
            (None, Some(tactic)) => {
                return Err(source.error_at(
                    tactic,
                    "a tactic without a technique",
                    "add `technique`, or take `tactic` out",
                ));
            }
            (None, None) => None,
        };
        categories.push(Category {
            name: name.clone(),
            signatures: raw
                .signatures
                .iter()
                .map(|raw| Signature {
                    id: *raw.id.get_ref(),
                    name: raw.name.get_ref().clone(),
                    severity: *raw.severity.get_ref(),
                })
                .collect(),
            technique: technique.map(|(index, _)| index),
            tactic: technique.map_or(0, |(_, tactic)| tactic),
            classtypes: Vec::new(),
        });
    }
    for classtype in &file.classtype {
        let Some(name) = &classtype.category else {
            continue;
        };
        let category = find_category(source, name, &categories)?;
        if categories[category].technique.is_none() {
            return Err(source.error_at(
                name,
                format!("{} has no technique to lend", name.get_ref()),
                "choose a category with a technique, or leave `category` out",
            ));
        }
        categories[category]
            .classtypes
            .push(classtype.description.get_ref().clone());
    }
    if !categories
        .iter()
        .any(|category| category.name == PROCESS_LIFE)
    {
        return Err(source.error(
            0,
            format!("no category {PROCESS_LIFE:?}"),
            "add it: process life is written there",
        ));
    }
    Ok(categories)
}

pub(super) fn find_category(
    source: &Source,
    name: &Text,
    categories: &[Category],
) -> Result<usize> {
    categories
        .iter()
        .position(|category| category.name == *name.get_ref())
        .ok_or_else(|| {
            source.error_at(
                name,
                format!("unknown category {:?}", name.get_ref()),
                "write a `name` of categories.toml, or add it there",
            )
        })
}

fn images(source: &Source) -> Result<Vec<Image>> {
    use super::program::FileVersion;
    let file: raw::ImagesFile = source.parse()?;
    let all = || {
        let windows = file.windows.iter().map(|image| (Platform::Windows, image));
        windows.chain(file.linux.iter().map(|image| (Platform::Linux, image)))
    };
    source.unique("image", all().map(|(_, image)| &image.key))?;
    let mut images = Vec::new();
    for (platform, raw) in all() {
        super::lookup::check_path(source, &raw.path, platform)?;
        let path = source.template(&raw.path)?;
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        images.push(Image {
            key: raw.key.get_ref().clone(),
            platform,
            path,
            file_version: match raw.version.as_ref().map(|v| v.get_ref().as_str()) {
                None => FileVersion::None,
                Some("windows") if platform == Platform::Windows => FileVersion::Windows,
                Some(version) => FileVersion::Fixed(version.to_owned()),
            },
            description: or_none(&raw.description),
            product: or_none(&raw.product),
            company: or_none(&raw.company),
            original_file_name: or_none(&raw.original),
        });
    }
    Ok(images)
}

/// A weight that counts.
pub(super) fn weight(source: &Source, weight: &Spanned<u32>) -> Result<u32> {
    match *weight.get_ref() {
        0 => Err(source.error_at(
            weight,
            "weight 0",
            "take the entry out, or give it a weight",
        )),
        weight => Ok(weight),
    }
}

fn names(source: &Source) -> Result<Names> {
    let raw: raw::NamesFile = source.parse()?;
    let (dns, netbios) = (raw.dns_domain.get_ref(), raw.netbios_domain.get_ref());
    if dns.eq_ignore_ascii_case(netbios) || netbios.len() > 15 || netbios.contains('.') {
        return Err(source.error_at(
            &raw.netbios_domain,
            format!("{netbios:?} cannot be the NetBIOS name of {dns}"),
            "write another name of at most 15 letters without a dot",
        ));
    }
    for name in raw.given.iter().chain(&raw.family) {
        let text = name.get_ref();
        let capital = text.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
        if !capital || !text.is_ascii() {
            return Err(source.error_at(
                name,
                format!("{text:?} is not a capitalised ASCII name"),
                "account names are made of it: write it without accents",
            ));
        }
    }
    let list = |texts: &[Text], what: &str| -> Result<Vec<String>> {
        source.unique(what, texts.iter())?;
        if texts.is_empty() {
            return Err(source.error(0, format!("no {what}"), "add at least one"));
        }
        Ok(texts.iter().map(|text| text.get_ref().clone()).collect())
    };
    for (what, weighted) in [
        ("departments", &raw.departments),
        ("sites", &raw.sites),
        ("top_level_domains", &raw.top_level_domains),
    ] {
        if weighted.is_empty() || weighted.iter().any(|(_, weight)| *weight == 0) {
            let at = source.text.find(what).unwrap_or(0);
            return Err(source.error(
                at,
                format!("{what} is empty or has a weight of 0"),
                "give every one a weight from 1 on",
            ));
        }
    }
    Ok(Names {
        given: list(&raw.given, "given name")?,
        family: list(&raw.family, "family name")?,
        domain_words: list(&raw.domain_words, "domain word")?,
        services: list(&raw.services, "service")?,
        documents: list(&raw.documents, "document")?,
        dns_domain: raw.dns_domain.into_inner(),
        netbios_domain: raw.netbios_domain.into_inner(),
        departments: raw.departments,
        sites: raw.sites,
        top_level_domains: raw.top_level_domains,
    })
}

impl Catalog {
    /// Index of a category by name.
    pub fn category(&self, name: &str) -> Option<usize> {
        self.categories
            .iter()
            .position(|category| category.name == name)
    }

    /// Index of a resident by key.
    pub fn resident(&self, key: &str) -> Option<usize> {
        self.residents
            .iter()
            .position(|resident| resident.key == key)
    }

    /// Index of an image by key.
    pub fn image(&self, key: &str) -> Option<usize> {
        self.images.iter().position(|image| image.key == key)
    }

    /// Categories whose rules look at endpoints: those with a technique and signatures of their own.
    pub fn endpoint_categories(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.categories.len()).filter(|&index| {
            let category = &self.categories[index];
            category.technique.is_some() && !category.signatures.is_empty()
        })
    }

    /// Index of the category whose technique another tool's category name means.
    pub fn classtype(&self, description: &str) -> Option<usize> {
        self.categories
            .iter()
            .position(|category| category.classtypes.iter().any(|known| known == description))
    }

    /// Every telemetry that some record uses.
    pub fn telemetry_in_use(&self) -> BTreeSet<&'static str> {
        let noise = self
            .scenarios
            .iter()
            .flat_map(|s| &s.variants)
            .flat_map(|v| &v.records);
        let chains = self
            .playbooks
            .iter()
            .flat_map(|p| &p.steps)
            .flat_map(|s| &s.records);
        let alerts = self.heuristics.iter().flat_map(|h| &h.records);
        noise
            .chain(chains)
            .chain(alerts)
            .map(|record| Telemetry::word(record.telemetry))
            .collect()
    }
}

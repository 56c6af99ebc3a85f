//! Reads the catalog's files, resolves names to indices, and rejects invalid entries.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::embedded;
use super::events::CatalogTables;
use super::lookup::{find_category, find_technique};
use super::raw;
use super::source::{Source, Text};
use super::words::is_slug;
use super::{Catalog, Category, Image, Names, Playbook, Signature, Technique, resident};
use crate::error::{Error, Result};
use crate::ids::ImageId;
use crate::kinds::{Platform, Telemetry};

/// The category of process life events. The code refers to it by name.
pub const PROCESS_LIFE: &str = "process_activity";

/// Files with a fixed name, in the order of the digest. Playbooks follow, sorted by file name.
pub(super) const FILES: [&str; 9] = [
    "attack.toml",
    "categories.toml",
    "heuristics.toml",
    "images.toml",
    "residents.toml",
    "programs.toml",
    "noise.toml",
    "routines.toml",
    "names.toml",
];

/// Folder that holds the playbooks.
pub(super) const PLAYBOOKS: &str = "playbooks";

/// The catalog's files as text.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// In the order of [`FILES`].
    pub files: Vec<Source>,
    pub playbooks: Vec<Source>,
}

impl Catalog {
    /// The catalog that is compiled into the program.
    pub fn embedded() -> Result<Self> {
        Self::from_sources(&Sources::embedded())
    }

    /// A catalog from a directory laid out like `data/catalog`.
    pub fn read(dir: &Path) -> Result<Self> {
        Self::from_sources(&Sources::read(dir)?)
    }

    /// Parses the files in order, because later ones refer to earlier ones.
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
            routines,
            names,
        ] = sources.files.as_slice()
        else {
            unreachable!("sources always hold the files of FILES");
        };
        let techniques = techniques(attack)?;
        let categories = self::categories(categories, &techniques)?;
        let images = self::images(images)?;
        let residents = resident::residents(residents, &images)?;
        let tables = CatalogTables {
            techniques: &techniques,
            categories: &categories,
            images: &images,
            residents: &residents,
        };
        let heuristics = tables.heuristics(heuristics)?;
        let programs = resident::programs(programs, &images, &residents)?;
        let scenarios = tables.scenarios(noise)?;
        let routines = tables.routines(routines)?;
        let mut playbooks = Vec::new();
        for source in &sources.playbooks {
            let (playbook, name) = tables.playbook(source)?;
            if playbooks
                .iter()
                .any(|other: &Playbook| other.name == playbook.name)
            {
                return Err(source.error_at(
                    &name,
                    format!("another file has a playbook named {:?} too", playbook.name),
                    "rename one of them",
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
            routines,
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
                "name a directory; a copy of data/catalog in the fusiongen sources is a good start",
            ));
        }
        let file = |path: PathBuf| {
            let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Error::input(
                    &path,
                    None,
                    "the catalog lacks this file",
                    "start from a copy of data/catalog in the fusiongen sources",
                ),
                _ => Error::io(&path, "read", error),
            })?;
            let text = String::from_utf8(bytes).map_err(|error| {
                Error::input(
                    &path,
                    format!("byte {}", error.utf8_error().valid_up_to()),
                    "the file is not UTF-8",
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
                "the catalog lacks this folder",
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
        // Directory order is undefined, so sort by name.
        paths.sort();
        let playbooks = paths.into_iter().map(file).collect::<Result<Vec<_>>>()?;
        if playbooks.is_empty() {
            return Err(Error::input(
                &folder,
                None,
                "the folder holds no playbook",
                "add at least one NAME.toml",
            ));
        }
        Ok(Sources { files, playbooks })
    }

    /// BLAKE3 over every file's length and contents, in order. Paths are not hashed.
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
            "regenerate the file with make_attack.py from ATT&CK 18.1",
        ));
    }
    source.unique("technique", file.technique.iter().map(|t| &t.id))?;
    for technique in &file.technique {
        if technique.tactics.is_empty() || technique.tactics.len() != technique.tactic_ids.len() {
            return Err(source.error_at(
                &technique.id,
                "`tactics` and `tactic_ids` are empty or differ in length",
                "regenerate the file with make_attack.py",
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
                format!("duplicate signature id {}", signature.id.get_ref()),
                "give the second one another id",
            ));
        }
        if !(1..=4).contains(signature.severity.get_ref()) {
            return Err(source.error_at(
                &signature.severity,
                format!("severity {} is out of range", signature.severity.get_ref()),
                "use 1 (low), 2 (medium), 3 (high) or 4 (critical)",
            ));
        }
    }
    let mut categories = Vec::new();
    for raw in &file.category {
        let name = raw.name.get_ref();
        if !is_slug(name) {
            return Err(source.error_at(
                &raw.name,
                format!("{name:?} is not a slug"),
                "use [a-z][a-z0-9_]*, at most 64 bytes; it names a directory",
            ));
        }
        let technique = match (&raw.technique, &raw.tactic) {
            (Some(id), tactic) => Some(find_technique(source, techniques, id, tactic.as_ref())?),
            (None, Some(tactic)) => {
                return Err(source.error_at(
                    tactic,
                    "a tactic without a technique",
                    "add `technique`, or remove `tactic`",
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
                format!("category {} has no technique", name.get_ref()),
                "choose a category with a technique, or omit `category`",
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
            "add it; the events of process life belong to it",
        ));
    }
    Ok(categories)
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

fn names(source: &Source) -> Result<Names> {
    let raw: raw::NamesFile = source.parse()?;
    let (dns, netbios) = (raw.dns_domain.get_ref(), raw.netbios_domain.get_ref());
    if dns.eq_ignore_ascii_case(netbios) || netbios.len() > 15 || netbios.contains('.') {
        return Err(source.error_at(
            &raw.netbios_domain,
            format!("{netbios:?} cannot be the NetBIOS name of {dns}"),
            "use another name: at most 15 characters, no dot",
        ));
    }
    for name in raw.given.iter().chain(&raw.family) {
        let text = name.get_ref();
        let capital = text.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
        if !capital || !text.is_ascii() {
            return Err(source.error_at(
                name,
                format!("{text:?} is not a capitalised ASCII name"),
                "write it without accents; account names are derived from it",
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
                "give each entry a weight of at least 1",
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

    /// An image by key.
    pub fn image(&self, key: &str) -> Option<ImageId> {
        let index = self.images.iter().position(|image| image.key == key)?;
        Some(ImageId::new(index))
    }

    /// Categories of endpoint detections: those with a technique and signatures of their own.
    pub fn endpoint_categories(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.categories.len()).filter(|&index| {
            let category = &self.categories[index];
            category.technique.is_some() && !category.signatures.is_empty()
        })
    }

    /// Index of the category that another tool's category name maps to.
    pub fn classtype(&self, description: &str) -> Option<usize> {
        self.categories
            .iter()
            .position(|category| category.classtypes.iter().any(|known| known == description))
    }

    /// The names of all telemetry that the records use.
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

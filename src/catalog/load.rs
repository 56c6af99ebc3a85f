//! Reads the catalog's files, resolves names to indices and refuses what cannot be made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::embedded;
use super::raw;
use super::record::{HostClass, Platform, Telemetry, Words, is_slug};
use super::records::{Records, Setting};
use super::source::{Source, Text};
use super::{
    Catalog, Category, Heuristic, Image, Names, Playbook, Resident, Scenario, Signature, Step,
    Technique, Variant, resident,
};
use crate::{Error, Result};

/// The category of process life; the world knows it by name.
pub const PROCESS_LIFE: &str = "process_activity";

/// A playbook lasts at most three days, rounds included.
const LONGEST_PLAYBOOK: u64 = 3 * 86_400;

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
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, "list", e))? {
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

/// What the rest refers to.
struct Tables<'a> {
    techniques: &'a [Technique],
    categories: &'a [Category],
    images: &'a [Image],
    residents: &'a [Resident],
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
fn technique(
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

/// The technique exists on that platform, or comes before any host (PRE).
fn check_platform(
    source: &Source,
    at: &Text,
    technique: &Technique,
    platform: Platform,
) -> Result<()> {
    let fits = |known: &String| known == platform.attack_name() || known == "PRE";
    if technique.platforms.iter().any(fits) {
        return Ok(());
    }
    Err(source.error_at(
        at,
        format!(
            "{} does not exist on {}",
            technique.id,
            platform.attack_name()
        ),
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

fn find_category(source: &Source, name: &Text, categories: &[Category]) -> Result<usize> {
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
        super::records::check_path(source, &raw.path, platform)?;
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

impl Tables<'_> {
    fn heuristics(&self, source: &Source) -> Result<Vec<Heuristic>> {
        let file: raw::HeuristicsFile = source.parse()?;
        source.unique("heuristic", file.heuristic.iter().map(|h| &h.name))?;
        let mut heuristics = Vec::new();
        for raw in &file.heuristic {
            for keyword in &raw.keywords {
                let word = keyword.get_ref();
                let fits =
                    |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"$_.-".contains(&b);
                if word.is_empty() || !word.bytes().all(fits) {
                    return Err(source.error_at(
                        keyword,
                        format!("{word:?} can never be found as a word"),
                        "write lower-case letters, digits and $ _ . - only",
                    ));
                }
            }
            if raw.keywords.is_empty() {
                return Err(source.error_at(
                    &raw.name,
                    "no keyword",
                    "add one, or take the rule out",
                ));
            }
            let in_signature = match raw.of.get_ref().as_str() {
                "signature" => true,
                "category" => false,
                _ => {
                    return Err(source.error_at(
                        &raw.of,
                        format!("keywords of {:?}", raw.of.get_ref()),
                        "write signature or category",
                    ));
                }
            };
            let found = raw
                .technique
                .as_ref()
                .map(|id| technique(source, self.techniques, id, raw.tactic.as_ref()))
                .transpose()?;
            let platform = raw.platform.as_ref().map(|p| source.word(p)).transpose()?;
            if let (Some((index, _)), Some(platform)) = (found, platform) {
                check_platform(source, &raw.name, &self.techniques[index], platform)?;
            }
            let mut records = Vec::new();
            for record in &raw.record {
                // Each stands alone: none follows from another.
                let resolved = Records::new(
                    source,
                    self.images,
                    self.residents,
                    Setting::Alert(platform),
                )
                .resolve(record, None)?;
                if let Some((index, _)) = found {
                    let platform = resolved.telemetry.platform();
                    check_platform(source, &record.telemetry, &self.techniques[index], platform)?;
                }
                records.push(resolved);
            }
            heuristics.push(Heuristic {
                name: raw.name.get_ref().clone(),
                keywords: raw.keywords.iter().map(|k| k.get_ref().clone()).collect(),
                in_signature,
                technique: found.map(|(index, _)| index),
                tactic: found.map_or(0, |(_, tactic)| tactic),
                platform,
                records,
            });
        }
        Ok(heuristics)
    }

    fn scenarios(&self, source: &Source) -> Result<Vec<Scenario>> {
        let file: raw::NoiseFile = source.parse()?;
        source.unique("scenario", file.scenario.iter().map(|s| &s.name))?;
        let mut scenarios = Vec::new();
        for raw in &file.scenario {
            scenarios.push(Scenario {
                name: raw.name.get_ref().clone(),
                weight: weight(source, &raw.weight)?,
                variants: raw
                    .variant
                    .iter()
                    .map(|variant| self.variant(source, variant))
                    .collect::<Result<_>>()?,
            });
        }
        Ok(scenarios)
    }

    fn variant(&self, source: &Source, raw: &raw::Variant) -> Result<Variant> {
        use super::scenario::Verdict;
        let category = find_category(source, &raw.category, self.categories)?;
        let hosts = class_of_one_platform(source, &raw.hosts)?;
        let verdict: Verdict = source.word(&raw.verdict)?;
        let triggers = verdict == Verdict::BenignTrigger;
        if let Some(record) = raw.record.iter().find(|record| record.alert != triggers) {
            return Err(source.error_at(
                &record.telemetry,
                format!(
                    "a record {} alert in a variant whose verdict is {}",
                    if record.alert { "with" } else { "without" },
                    raw.verdict.get_ref()
                ),
                "benign_trigger rows are all alerts, others never are; make two variants",
            ));
        }
        if raw.record.is_empty() || raw.reason.get_ref().is_empty() {
            return Err(source.error_at(
                &raw.category,
                "a variant without a record or a reason",
                "say what it leaves behind, and why an analyst would close it",
            ));
        }
        let mut records = Vec::new();
        for record in &raw.record {
            let resolved = Records::new(source, self.images, self.residents, Setting::Row(hosts))
                .resolve(record, Some(&self.categories[category]))?;
            if resolved.alert
                && let Some(index) = self.categories[category].technique
            {
                let platform = resolved.telemetry.platform();
                check_platform(source, &record.telemetry, &self.techniques[index], platform)?;
            }
            records.push(resolved);
        }
        Ok(Variant {
            category,
            weight: weight(source, &raw.weight)?,
            hosts,
            visit: source.word(&raw.visit)?,
            verdict,
            records,
            reason: raw.reason.get_ref().clone(),
        })
    }

    /// A playbook, and its name with its place.
    fn playbook(&self, source: &Source) -> Result<(Playbook, Text)> {
        let raw: raw::PlaybookFile = source.parse()?;
        if !is_slug(raw.name.get_ref()) {
            return Err(source.error_at(
                &raw.name,
                format!("{:?} is no slug", raw.name.get_ref()),
                "write [a-z][a-z0-9_]*, at most 64 bytes",
            ));
        }
        let hosts = raw
            .hosts
            .iter()
            .map(|class| class_of_one_platform(source, class))
            .collect::<Result<Vec<_>>>()?;
        if hosts.is_empty() || raw.step.is_empty() {
            return Err(source.error_at(
                &raw.name,
                "a playbook without hosts or steps",
                "name the victim's class in `hosts` and add at least one [[step]]",
            ));
        }
        let mut records = Records::new(source, self.images, self.residents, Setting::Chain(&hosts));
        let mut steps: Vec<Step> = Vec::new();
        let mut span = 0;
        for raw in &raw.step {
            let step = self.step(source, raw, &mut records)?;
            span += u64::from(step.delay[1])
                + u64::from(step.rounds[1]) * u64::from(step.round_seconds);
            if span > LONGEST_PLAYBOOK {
                return Err(source.error_at(
                    &raw.delay,
                    format!("the playbook may last {span} s up to here"),
                    format!("shorten delays or rounds: a chain ends within {LONGEST_PLAYBOOK} s"),
                ));
            }
            steps.push(step);
        }
        let processes = records.processes();
        let playbook = Playbook {
            name: raw.name.get_ref().clone(),
            weight: weight(source, &raw.weight)?,
            hosts,
            steps,
            processes,
        };
        Ok((playbook, raw.name))
    }

    fn step(&self, source: &Source, raw: &raw::Step, records: &mut Records) -> Result<Step> {
        let category = find_category(source, &raw.category, self.categories)?;
        let (index, tactic) =
            technique(source, self.techniques, &raw.technique, Some(&raw.tactic))?;
        let mut resolved = Vec::new();
        for record in &raw.record {
            let made = records.resolve(record, Some(&self.categories[category]))?;
            if made.alert {
                let platform = made.telemetry.platform();
                check_platform(source, &raw.technique, &self.techniques[index], platform)?;
            }
            resolved.push(made);
        }
        if !resolved.iter().any(|record| record.alert) {
            return Err(source.error_at(
                &raw.category,
                "a step in which no rule fires",
                "add alert = true to the record that a detection sees",
            ));
        }
        let rounds = match &raw.rounds {
            Some(rounds) => source.range(rounds, "rounds")?,
            None => [1, 1],
        };
        if let Some(at) = raw.rounds.as_ref().filter(|_| rounds[0] == 0) {
            return Err(source.error_at(
                at,
                "a step that may have no round",
                "write 1 or more; `blocked` says how often a step fails",
            ));
        }
        if (rounds[1] > 1 || raw.scales)
            && let Some(position) = resolved.iter().position(|record| record.starts.is_some())
        {
            return Err(source.error_at(
                &raw.record[position].telemetry,
                "a process that would start in every round",
                "start it in a step of its own before, and name it here with started:LABEL",
            ));
        }
        let blocked = raw.blocked.as_ref().map_or(0, |blocked| *blocked.get_ref());
        if let Some(at) = raw.blocked.as_ref().filter(|_| blocked > 1000) {
            return Err(source.error_at(
                at,
                "more than all are blocked",
                "write per mille, 0 to 1000",
            ));
        }
        Ok(Step {
            stage: raw.tactic.get_ref().clone(),
            category,
            technique: index,
            tactic,
            delay: source.range(&raw.delay, "delay")?,
            records: resolved,
            rounds,
            scales: raw.scales,
            round_seconds: raw.round_seconds.unwrap_or(1),
            blocked,
        })
    }

    /// No category is a chain's alone: else the directory would be the label.
    fn check_categories_are_shared(
        &self,
        source: &Source,
        playbook: &Playbook,
        scenarios: &[Scenario],
    ) -> Result<()> {
        let in_noise: BTreeSet<usize> = scenarios
            .iter()
            .flat_map(|scenario| &scenario.variants)
            .map(|variant| variant.category)
            .collect();
        for step in &playbook.steps {
            if !in_noise.contains(&step.category) {
                let name = &self.categories[step.category].name;
                let at = source.text.find(&format!("\"{name}\"")).unwrap_or(0);
                return Err(source.error(
                    at,
                    format!("category {name} is used here but by no variant of noise.toml"),
                    "add a benign variant of that category, or choose another category",
                ));
            }
        }
        Ok(())
    }
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

/// Rows need a host whose platform is known before it is drawn.
fn class_of_one_platform(source: &Source, word: &Text) -> Result<HostClass> {
    let class: HostClass = source.word(word)?;
    if class.platform().is_some() {
        return Ok(class);
    }
    let known: Vec<&str> = HostClass::WORDS
        .iter()
        .filter(|(_, class)| class.platform().is_some())
        .map(|(word, _)| *word)
        .collect();
    Err(source.error_at(
        word,
        format!(
            "hosts of class {} can be of either platform",
            word.get_ref()
        ),
        format!("write one of {}", known.join(", ")),
    ))
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

//! Tables that only ECS needs: classes of records, locations of addresses, single hashes.

use arrow_array::{Array, ArrayRef, StringArray};

use super::by_name::{self, PROGRAMS, SYSCALLS, find};
use crate::catalog::{AuditLog, Call};
use crate::columns::cloud;
use crate::columns::shared::{SharedTexts, optional};
use crate::columns::words::Lexicon;
use crate::columns::{View, table};
use crate::frame::{Maker, NONE};
use crate::kinds::{KINDS, Kinds, Meaning, Platform, Provider, SENSOR, Telemetry, field, has};
use crate::paths::file_name;
use crate::random::Key;
use crate::world::geography::{self, COUNTRIES};

/// The ECS classification of a record, as keys into the tables.
#[derive(Debug, Clone)]
pub struct RecordClass {
    pub provider: Provider,
    /// Key of `event.module` and of `event.dataset`.
    pub module: i32,
    /// Key of `event.provider`.
    pub name: i32,
    pub category: Vec<i32>,
    pub types: Vec<i32>,
    pub action: i32,
    /// Whether the record has a flow: both ends, protocol, bytes.
    pub has_flow: bool,
    /// Whether the record names the client's address.
    pub has_client: bool,
}

/// The hashes of Sysmon's `Hashes`.
pub const HASHES: [&str; 4] = ["MD5", "SHA1", "SHA256", "IMPHASH"];

/// Tables of the ECS columns.
#[derive(Debug)]
pub struct EcsTables {
    /// Values of `event.category` and `event.type`.
    pub categories: ArrayRef,
    pub types: ArrayRef,
    /// Keys of `intrusion_detection`, `allowed` and `denied` in those tables.
    pub intrusion: i32,
    pub allowed: i32,
    pub denied: i32,
    pub actions: ArrayRef,
    /// Keys of `allowed` and `blocked` in `actions`.
    pub sensor_actions: [i32; 2],
    pub modules: ArrayRef,
    pub datasets: ArrayRef,
    pub providers: ArrayRef,
    classes: Classes,
    /// `event.severity` by rule; `None` if the rule's severity is unknown.
    pub severity: Vec<Option<i64>>,

    /// By host.
    pub is_linux: Vec<bool>,
    pub host_id: ArrayRef,
    pub os_platform: SharedTexts,
    pub os_family: SharedTexts,
    pub os_version: SharedTexts,
    pub os_kernel: SharedTexts,
    pub sensor_name: SharedTexts,

    /// Security identifiers of all accounts, then their Linux uids.
    pub user_id: ArrayRef,
    pub accounts: i32,
    pub user_domain: (Vec<i32>, ArrayRef),

    /// By address.
    pub country: Vec<i32>,
    pub country_code: ArrayRef,
    pub country_name: ArrayRef,
    pub continent: ArrayRef,
    pub system_number: Vec<i64>,
    pub system_name: (Vec<i32>, ArrayRef),

    /// By application of the vocabulary.
    pub application: (Vec<i32>, ArrayRef),
    /// Key of `dns` in `application`.
    pub dns: i32,

    /// By image × operating system: MD5, SHA1, SHA256, IMPHASH.
    pub hashes: [ArrayRef; 4],
    /// The four tables, concatenated.
    pub all_hashes: ArrayRef,
    pub file_version: (Vec<i32>, ArrayRef),
    /// By image; −1 where the version resource has `-`.
    pub description: (Vec<i32>, ArrayRef),
    pub product: (Vec<i32>, ArrayRef),
    pub company: (Vec<i32>, ArrayRef),
    pub original_file_name: (Vec<i32>, ArrayRef),

    /// By technique: the technique, or the parent of a sub-technique; and the sub-technique.
    pub technique: Vec<i32>,
    pub is_subtechnique: Vec<bool>,
}

/// The first two numbers of a file version: `6.1` in `6.1.7601.24545 (…)`.
fn kernel_version(file_version: &str) -> &str {
    let second = file_version.match_indices('.').nth(1);
    second.map_or(file_version, |(end, _)| &file_version[..end])
}

/// The risk score of a severity in Elastic's detection engine.
fn severity(word: &str) -> i64 {
    match word {
        "informational" | "low" => 21,
        "medium" => 47,
        "high" => 73,
        _ => 99,
    }
}

/// One hash of `SHA1=…,MD5=…`.
pub(super) fn hash_part<'t>(hashes: &'t str, name: &str) -> Option<&'t str> {
    hashes
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// The version in a name: `22.04` in `Ubuntu 22.04 LTS`.
fn version_word(name: &str) -> Option<&str> {
    name.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// The machine id of a host.
fn machine_id(key: Key, platform: Platform) -> String {
    match platform {
        Platform::Linux => format!("{:016x}{:016x}", key.at(0), key.at(1)),
        Platform::Windows => key.guid(),
    }
}

/// An application protocol; `None` for Suricata's names of unrecognised ones.
fn application(name: &str) -> Option<&str> {
    match name {
        "failed" | "template" | "template-rust" | "unknown" => None,
        "ftp-data" => Some("ftp"),
        name => Some(name),
    }
}

/// Classes of records.
#[derive(Debug)]
struct Classes {
    /// By kind, if the kind alone decides.
    of_kind: Vec<Option<RecordClass>>,
    /// By system call of the vocabulary.
    of_syscall: Vec<RecordClass>,
    any_syscall: RecordClass,
    /// By image of the process that writes a syslog line.
    of_program: Vec<RecordClass>,
    any_program: RecordClass,
    /// By call of the vocabulary.
    of_call: Vec<RecordClass>,
    sensor: RecordClass,
}

/// Values of the `event.*` fields that classes refer to.
#[derive(Default)]
struct EventLexicons {
    categories: Lexicon,
    types: Lexicon,
    actions: Lexicon,
    /// `event.provider`.
    providers: Lexicon,
}

/// Kinds whose records have a DNS query but no flow.
const QUERIES: Kinds = field("QueryName");
/// Network kinds whose records have no flow.
const WITHOUT_FLOW: Kinds = QUERIES | field("ShareName");

impl EventLexicons {
    fn class(&mut self, provider: Provider, number: Option<u8>, meaning: &Meaning) -> RecordClass {
        let is_network = meaning.category.contains(&"network");
        let is_of = |kinds| number.is_some_and(|kind| has(kinds, kind));
        let has_flow = is_network && !is_of(WITHOUT_FLOW);
        let (categories, types) = (&mut self.categories, &mut self.types);
        RecordClass {
            provider,
            module: provider as i32,
            name: provider
                .name()
                .map_or(NONE, |name| self.providers.key(name)),
            category: meaning.category.iter().map(|w| categories.key(w)).collect(),
            types: meaning.types.iter().map(|w| types.key(w)).collect(),
            action: self.actions.key(meaning.action),
            has_flow,
            has_client: has_flow
                || meaning.category.contains(&"authentication")
                || is_network && !is_of(QUERIES),
        }
    }

    /// The class of a call to a cloud or a service.
    fn class_of_call(&mut self, call: &Call) -> RecordClass {
        let meaning = cloud::meaning_of(call);
        let log = AuditLog::ALL.iter().position(|log| *log == call.log);
        // The keys of audit logs follow those of the providers with a module.
        let log = (Provider::Service as usize + log.unwrap_or(0)) as i32;
        let (categories, types) = (&mut self.categories, &mut self.types);
        RecordClass {
            provider: Provider::Service,
            module: log,
            name: self.providers.key(&cloud::event_source(call)),
            category: meaning.category.iter().map(|w| categories.key(w)).collect(),
            types: meaning.types.iter().map(|w| types.key(w)).collect(),
            action: self.actions.key(&call.operation),
            has_flow: false,
            has_client: true,
        }
    }
}

impl Classes {
    fn new(maker: &Maker, words: &mut EventLexicons) -> Self {
        let named = |words: &mut EventLexicons, named: &by_name::Named| {
            words.class(named.provider, None, &named.meaning)
        };
        let of_kind = KINDS
            .iter()
            .map(|kind| {
                let number = kind.telemetry as u8;
                let ecs = kind.ecs.as_ref()?;
                Some(words.class(kind.provider, Some(number), ecs))
            })
            .collect();
        let programs: Vec<RecordClass> = PROGRAMS.iter().map(|p| named(words, p)).collect();
        let sensor = named(words, &by_name::SENSOR);
        let syscalls: Vec<RecordClass> = SYSCALLS.iter().map(|s| named(words, s)).collect();
        let of_call = maker.vocabulary.calls.iter();
        let images = maker.catalog.images.iter();
        Classes {
            of_kind,
            of_syscall: (maker.vocabulary.syscalls.iter())
                .map(|s| syscalls[find(SYSCALLS, &s.0)].clone())
                .collect(),
            any_syscall: syscalls[SYSCALLS.len() - 1].clone(),
            of_program: images
                .map(|image| file_name(image.path.as_literal().unwrap_or_default()))
                .map(|program| programs[find(PROGRAMS, program)].clone())
                .collect(),
            any_program: programs[PROGRAMS.len() - 1].clone(),
            of_call: of_call.map(|call| words.class_of_call(call)).collect(),
            sensor,
        }
    }
}

impl EcsTables {
    /// Builds all tables.
    pub fn new(maker: &Maker, shared: &crate::columns::Tables) -> Self {
        let (world, catalog) = (&maker.world, &maker.catalog);
        let (hosts, systems) = (&world.hosts.all, &world.hosts.systems);
        let mut words = EventLexicons::default();
        let classes = Classes::new(maker, &mut words);
        let intrusion = words.categories.key("intrusion_detection");
        let (allowed, denied) = (words.types.key("allowed"), words.types.key("denied"));
        let sensor_actions = ["allowed", "blocked"].map(|action| words.actions.key(action));
        let present = |text: &'_ str| -> Option<String> {
            (text != "-" && !text.is_empty()).then(|| text.to_string())
        };
        let by_image = |field: &dyn Fn(&crate::catalog::Image) -> &str| {
            let texts: Vec<Option<String>> =
                catalog.images.iter().map(|i| present(field(i))).collect();
            optional(texts.iter().map(Option::as_deref))
        };
        let texts_of = |array: &ArrayRef| -> Vec<String> {
            let texts = array.as_any().downcast_ref::<StringArray>();
            texts.map_or_else(Vec::new, |t| {
                t.iter().map(|t| t.unwrap_or_default().into()).collect()
            })
        };
        let known_hashes = texts_of(&shared.hashes);
        let lower = |name: &str| -> Vec<String> {
            known_hashes
                .iter()
                .map(|h| hash_part(h, name).unwrap_or_default().to_lowercase())
                .collect()
        };
        let hashes = HASHES.map(lower);
        let versions = texts_of(&shared.file_version);
        let places: Vec<Option<geography::Place>> = world
            .addresses
            .texts
            .iter()
            .enumerate()
            .map(|(a, text)| match world.addresses.is_inside(a as u32) {
                true => None,
                false => geography::place(text),
            })
            .collect();
        let accounts = &world.accounts.all;
        let mut user_ids: Vec<String> = accounts.iter().map(|a| a.sid.clone()).collect();
        user_ids.extend(accounts.iter().map(|a| a.uid.to_string()));
        let os = |h: &crate::world::Host| &systems[h.os as usize];
        let parents: Vec<Option<usize>> = catalog
            .techniques
            .iter()
            .map(|t| {
                let (parent, _) = t.id.split_once('.')?;
                catalog.techniques.iter().position(|p| p.id == parent)
            })
            .collect();
        let sensor_names: Vec<String> = hosts
            .iter()
            .map(|h| {
                format!(
                    "ids-{}",
                    h.inventory.location.to_lowercase().replace(' ', "-")
                )
            })
            .collect();
        let mut application_words: Vec<Option<&str>> = maker
            .vocabulary
            .applications
            .iter()
            .map(|a| application(a))
            .collect();
        application_words.push(Some("dns"));
        let application = optional(application_words.into_iter());
        let providers = &Provider::ALL[..Provider::Service as usize];
        EcsTables {
            categories: words.categories.table(),
            types: words.types.table(),
            intrusion,
            allowed,
            denied,
            actions: words.actions.table(),
            sensor_actions,
            modules: table(
                (providers.iter().map(|provider| provider.module()))
                    .chain(AuditLog::ALL.map(AuditLog::module)),
            ),
            datasets: table(
                (providers.iter().map(|provider| provider.dataset()))
                    .chain(AuditLog::ALL.map(AuditLog::dataset)),
            ),
            providers: words.providers.table(),
            classes,
            severity: world
                .detections
                .all
                .iter()
                .map(|d| d.severity_word.map(severity))
                .collect(),
            is_linux: hosts
                .iter()
                .map(|h| h.platform == Platform::Linux)
                .collect(),
            host_id: table(
                world
                    .hosts
                    .ids()
                    .zip(hosts)
                    .map(|(h, host)| machine_id(world.host_key(h).child("machine"), host.platform)),
            ),
            os_platform: SharedTexts::new(hosts.iter().map(|h| Some(os(h).distribution.0))),
            os_family: SharedTexts::new(hosts.iter().map(|h| Some(os(h).distribution.1))),
            os_version: SharedTexts::new(hosts.iter().map(|h| match h.platform {
                Platform::Windows => Some(kernel_version(os(h).file_version)),
                Platform::Linux => version_word(&os(h).name),
            })),
            os_kernel: SharedTexts::new(
                hosts
                    .iter()
                    .map(|h| (h.platform == Platform::Windows).then_some(os(h).file_version)),
            ),
            sensor_name: SharedTexts::new(sensor_names.iter().map(|name| Some(name.as_str()))),
            user_id: table(&user_ids),
            accounts: accounts.len() as i32,
            user_domain: optional(
                accounts
                    .iter()
                    .map(|a| a.qualified.split_once('\\').map(|(domain, _)| domain)),
            ),
            country: places
                .iter()
                .map(|p| p.map_or(NONE, |p| p.country as i32))
                .collect(),
            country_code: table(COUNTRIES.iter().map(|c| c.code)),
            country_name: table(COUNTRIES.iter().map(|c| c.name)),
            continent: table(COUNTRIES.iter().map(|c| c.continent)),
            system_number: places
                .iter()
                .map(|p| p.map_or(0, |p| i64::from(p.system.number)))
                .collect(),
            system_name: optional(places.iter().map(|p| p.map(|p| p.system.organization))),
            dns: *application.0.last().unwrap_or(&NONE),
            application,
            all_hashes: table(hashes.iter().flatten()),
            hashes: hashes.map(|h| table(&h)),
            file_version: optional(
                versions
                    .iter()
                    .map(|v| (v != "-" && !v.is_empty()).then_some(v.as_str())),
            ),
            description: by_image(&|i| &i.description),
            product: by_image(&|i| &i.product),
            company: by_image(&|i| &i.company),
            original_file_name: by_image(&|i| &i.original_file_name),
            technique: parents
                .iter()
                .enumerate()
                .map(|(t, parent)| parent.unwrap_or(t) as i32)
                .collect(),
            is_subtechnique: parents.iter().map(Option::is_some).collect(),
        }
    }

    /// The class of a row.
    #[inline]
    pub fn class(&self, v: &View<'_>, row: usize) -> &RecordClass {
        let (f, classes) = (v.frame, &self.classes);
        if v.is(row, SENSOR) {
            return &classes.sensor;
        }
        let telemetry = f.telemetry[row];
        if let Some(class) = &classes.of_kind[telemetry as usize] {
            return class;
        }
        // A negative index means none.
        match telemetry {
            Telemetry::Syscall => usize::try_from(f.syscall[row])
                .map_or(&classes.any_syscall, |call| &classes.of_syscall[call]),
            Telemetry::Syslog => f.process.image[row]
                .get()
                .map_or(&classes.any_program, |image| {
                    &classes.of_program[image.index()]
                }),
            _ => &classes.of_call[f.calls.get(row).map_or(0, |call| call.call as usize)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_hashes_and_names() {
        let hashes = "SHA1=AB,MD5=CD,SHA256=EF,IMPHASH=01";
        assert_eq!(hash_part(hashes, "MD5"), Some("CD"));
        assert_eq!(hash_part(hashes, "SHA1"), Some("AB"));
        assert_eq!(hash_part("MD5=CD", "SHA256"), None);
        assert_eq!(version_word("Ubuntu 22.04 LTS"), Some("22.04"));
    }
}

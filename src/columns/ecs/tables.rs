//! Tables that only ECS needs: categorisation by kind of record, places of addresses, parts of hashes.

use arrow::array::{Array, ArrayRef, StringArray};

use super::records::{self, PROVIDERS, Provider, RECORDS, Record, SYSCALLS};
use crate::catalog::{AuditLog, Call, Platform, Telemetry};
use crate::columns::shared::Shared;
use crate::columns::tables::{file_name, optional};
use crate::columns::{View, base, cloud, table};
use crate::frame::{Maker, NONE};
use crate::random::Key;
use crate::world::geography::{self, COUNTRIES};

/// A [`Record`] as keys into the tables.
#[derive(Debug, Clone)]
pub struct Class {
    pub provider: Provider,
    /// Keys of `event.module`, `event.dataset` and `event.provider`.
    pub module: i32,
    pub dataset: i32,
    pub name: i32,
    pub category: Vec<i32>,
    pub types: Vec<i32>,
    pub action: i32,
    /// The record speaks of a flow: both ends, protocol, bytes.
    pub has_flow: bool,
    /// The record names who came from where.
    pub has_client: bool,
}

/// A hash of `Hashes`, as ECS wants it.
pub const HASHES: [&str; 4] = ["MD5", "SHA1", "SHA256", "IMPHASH"];

/// All tables of this room.
#[derive(Debug)]
pub struct Tables {
    /// Words of `event.category` and `event.type`.
    pub categories: ArrayRef,
    pub types: ArrayRef,
    /// Keys of `intrusion_detection`, `allowed` and `denied` there.
    pub intrusion: i32,
    pub allowed: i32,
    pub denied: i32,
    /// Actions; the last two are `allowed` and `blocked`.
    pub actions: ArrayRef,
    pub modules: ArrayRef,
    pub datasets: ArrayRef,
    pub providers: ArrayRef,
    classes: Vec<Class>,
    of_telemetry: Vec<usize>,
    of_syscall: Vec<usize>,
    /// By image of the process that writes a syslog line.
    of_program: Vec<usize>,
    /// By call of the vocabulary.
    of_call: usize,
    sensor: usize,
    /// `winlog.task` by telemetry.
    pub tasks: (Vec<i32>, ArrayRef),
    /// `event.severity` by rule; none where its number has no meaning.
    pub severity: Vec<Option<i64>>,

    /// By host.
    pub is_linux: Vec<bool>,
    pub host_id: ArrayRef,
    pub os_platform: Shared,
    pub os_family: Shared,
    pub os_version: Shared,
    pub os_kernel: Shared,
    pub sensor_name: Shared,

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
    /// Key of `dns` there.
    pub dns: i32,

    /// By image × operating system: MD5, SHA1, SHA256, IMPHASH.
    pub hashes: [ArrayRef; 4],
    /// The four, one after the other.
    pub all_hashes: ArrayRef,
    pub file_version: (Vec<i32>, ArrayRef),
    /// By image; `-` is none.
    pub description: (Vec<i32>, ArrayRef),
    pub product: (Vec<i32>, ArrayRef),
    pub company: (Vec<i32>, ArrayRef),
    pub original_file_name: (Vec<i32>, ArrayRef),

    /// By technique: the technique itself or the one above it, and the sub-technique.
    pub technique: Vec<i32>,
    pub is_subtechnique: Vec<bool>,
}

/// Position of a word in a growing list.
fn intern(list: &mut Vec<&'static str>, word: &'static str) -> i32 {
    let at = list.iter().position(|w| *w == word).unwrap_or_else(|| {
        list.push(word);
        list.len() - 1
    });
    at as i32
}

/// What calls of clouds and services add to the tables.
struct Services {
    /// `event.provider`: the records' providers, then event sources.
    names: Vec<String>,
    operations: Vec<String>,
}

impl Services {
    /// What a call is. Its action counts from the first operation.
    fn class(
        &mut self,
        call: &Call,
        categories: &mut Vec<&'static str>,
        types: &mut Vec<&'static str>,
    ) -> Class {
        let meaning = cloud::meaning_of(call);
        let log = AuditLog::ALL.iter().position(|log| *log == call.log);
        let log = (PROVIDERS.len() + log.unwrap_or(0)) as i32;
        Class {
            provider: Provider::Service,
            module: log,
            dataset: log,
            name: position(&mut self.names, &cloud::event_source(call)),
            category: meaning
                .category
                .iter()
                .map(|w| intern(categories, w))
                .collect(),
            types: meaning.types.iter().map(|w| intern(types, w)).collect(),
            action: position(&mut self.operations, &call.operation),
            has_flow: false,
            has_client: true,
        }
    }
}

/// Position of a text in a growing list.
fn position(list: &mut Vec<String>, text: &str) -> i32 {
    let at = list.iter().position(|t| t == text).unwrap_or_else(|| {
        list.push(text.to_string());
        list.len() - 1
    });
    at as i32
}

/// Elastic's scale of severities: its detection engine's and its endpoint's.
/// The first two numbers of a file version: `6.1` of `6.1.7601.24545 (…)`.
fn kernel_version(file_version: &str) -> &str {
    let second = file_version.match_indices('.').nth(1);
    second.map_or(file_version, |(end, _)| &file_version[..end])
}

fn severity(word: &str) -> i64 {
    match word {
        "informational" | "low" => 21,
        "medium" => 47,
        "high" => 73,
        _ => 99,
    }
}

/// A hash out of `SHA1=…,MD5=…`.
pub(super) fn hash_part<'t>(hashes: &'t str, name: &str) -> Option<&'t str> {
    hashes
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// The version in a name: `22.04` of `Ubuntu 22.04 LTS`.
fn version_word(name: &str) -> Option<&str> {
    name.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
}

/// A GUID of a host's own, as the agent reads it from the machine.
fn machine_id(key: Key, platform: Platform) -> String {
    match platform {
        Platform::Linux => format!("{:016x}{:016x}", key.at(0), key.at(1)),
        Platform::Windows => key.guid(),
    }
}

/// `winlog.task`, the category a provider's manifest names for an event id.
#[rustfmt::skip]
const TASKS: &[(&str, &str)] = &[
    ("1", "Process Create (rule: ProcessCreate)"), ("2", "File creation time changed (rule: FileCreateTime)"),
    ("3", "Network connection detected (rule: NetworkConnect)"), ("4", "Sysmon service state changed"),
    ("5", "Process terminated (rule: ProcessTerminate)"), ("6", "Driver loaded (rule: DriverLoad)"),
    ("7", "Image loaded (rule: ImageLoad)"), ("8", "CreateRemoteThread detected (rule: CreateRemoteThread)"),
    ("9", "RawAccessRead detected (rule: RawAccessRead)"), ("10", "Process accessed (rule: ProcessAccess)"),
    ("11", "File created (rule: FileCreate)"), ("12", "Registry object added or deleted (rule: RegistryEvent)"),
    ("13", "Registry value set (rule: RegistryEvent)"), ("14", "Registry object renamed (rule: RegistryEvent)"),
    ("15", "File stream created (rule: FileCreateStreamHash)"), ("16", "Sysmon config state changed"),
    ("17", "Pipe Created (rule: PipeEvent)"), ("18", "Pipe Connected (rule: PipeEvent)"),
    ("19", "WmiEventFilter activity detected (rule: WmiEvent)"), ("20", "WmiEventConsumer activity detected (rule: WmiEvent)"),
    ("21", "WmiEventConsumerToFilter activity detected (rule: WmiEvent)"), ("22", "Dns query (rule: DnsQuery)"),
    ("23", "File Delete archived (rule: FileDelete)"), ("24", "Clipboard changed (rule: ClipboardChange)"),
    ("25", "Process Tampering (rule: ProcessTampering)"), ("26", "File Delete logged (rule: FileDeleteDetected)"),
    ("1102", "Log clear"), ("4104", "Execute a Remote Command"),
    ("4624", "Logon"), ("4625", "Logon"), ("4634", "Logoff"), ("4648", "Logon"), ("4656", "File System"), ("4663", "File System"),
    ("4672", "Special Logon"), ("4688", "Process Creation"), ("4689", "Process Termination"), ("4697", "Security System Extension"),
    ("4698", "Other Object Access Events"), ("4702", "Other Object Access Events"), ("4720", "User Account Management"),
    ("4728", "Security Group Management"), ("4732", "Security Group Management"), ("4768", "Kerberos Authentication Service"),
    ("4769", "Kerberos Service Ticket Operations"), ("4771", "Kerberos Authentication Service"), ("4776", "Credential Validation"),
    ("5140", "File Share"), ("5145", "Detailed File Share"), ("5156", "Filtering Platform Connection"), ("5157", "Filtering Platform Connection"),
];

/// Suricata's words for an application that it did not recognise are none.
fn application(name: &str) -> Option<&str> {
    match name {
        "failed" | "template" | "template-rust" | "unknown" => None,
        "ftp-data" => Some("ftp"),
        name => Some(name),
    }
}

impl Tables {
    /// Builds all tables.
    pub fn new(maker: &Maker, shared: &super::super::Tables) -> Self {
        let (world, catalog) = (&maker.world, &maker.catalog);
        let (hosts, systems) = (&world.hosts.all, &world.hosts.systems);
        let (mut categories, mut types, mut actions) = (Vec::new(), Vec::new(), Vec::new());
        let providers = optional(PROVIDERS.iter().map(|p| p.name()));
        let mut class = |record: &Record| {
            let is_network = record.category.contains(&"network");
            let has_flow = is_network && !["22", "5140", "5145"].contains(&record.code);
            let words = |list: &mut Vec<&'static str>, words: &[&'static str]| {
                words.iter().map(|w| intern(list, w)).collect()
            };
            let mut kinds: Vec<i32> = words(&mut types, record.types);
            if record.provider == Provider::Sensor {
                // The alert's own type is all there is.
                kinds.clear();
            }
            Class {
                provider: record.provider,
                module: record.provider as i32,
                dataset: record.provider as i32,
                name: providers.0[record.provider as usize],
                category: words(&mut categories, record.category),
                types: kinds,
                action: intern(&mut actions, record.action),
                has_flow,
                has_client: has_flow
                    || record.category.contains(&"authentication")
                    || is_network && record.code != "22",
            }
        };
        let mut classes: Vec<Class> = RECORDS.iter().map(&mut class).collect();
        classes.extend(SYSCALLS.iter().map(&mut class));
        let mut services = Services {
            names: PROVIDERS
                .iter()
                .filter_map(|p| p.name().map(String::from))
                .collect(),
            operations: Vec::new(),
        };
        let of_call = classes.len();
        for call in &maker.vocabulary.calls {
            classes.push(services.class(call, &mut categories, &mut types));
        }
        let intrusion = intern(&mut categories, "intrusion_detection");
        let (allowed, denied) = (intern(&mut types, "allowed"), intern(&mut types, "denied"));
        // Operations stand before the sensor's two.
        let known = actions.len() as i32;
        for class in &mut classes[of_call..] {
            class.action += known;
        }
        let mut actions: Vec<String> = actions.iter().map(|a| (*a).to_string()).collect();
        actions.extend(services.operations);
        actions.extend(["allowed", "blocked"].map(String::from));
        let codes: Vec<&str> = base::CODES.split('|').collect();
        let task = |code: &&str| TASKS.iter().find(|t| t.0 == *code).map(|t| t.1);
        let images: Vec<&str> = catalog
            .images
            .iter()
            .map(|i| i.path.as_literal().unwrap_or_default())
            .collect();
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
        let program = |path: &&str| records::syslog(file_name(path));
        Tables {
            categories: table(&categories),
            types: table(&types),
            intrusion,
            allowed,
            denied,
            actions: table(&actions),
            modules: table(
                PROVIDERS
                    .map(Provider::module)
                    .into_iter()
                    .chain(AuditLog::ALL.map(AuditLog::module)),
            ),
            datasets: table(
                PROVIDERS
                    .map(Provider::dataset)
                    .into_iter()
                    .chain(AuditLog::ALL.map(AuditLog::dataset)),
            ),
            providers: table(&services.names),
            of_call,
            of_telemetry: codes.iter().map(|code| records::native(code)).collect(),
            of_syscall: maker
                .vocabulary
                .syscalls
                .iter()
                .map(|s| RECORDS.len() + records::syscall(&s.0))
                .collect(),
            of_program: images.iter().map(program).collect(),
            sensor: records::any(Provider::Sensor),
            classes,
            tasks: optional(codes.iter().map(task)),
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
            host_id: table(hosts.iter().enumerate().map(|(h, host)| {
                machine_id(world.host_key(h as u32).child("machine"), host.platform)
            })),
            os_platform: Shared::new(hosts.iter().map(|h| Some(os(h).distribution.0))),
            os_family: Shared::new(hosts.iter().map(|h| Some(os(h).distribution.1))),
            os_version: Shared::new(hosts.iter().map(|h| match h.platform {
                Platform::Windows => Some(kernel_version(os(h).file_version)),
                Platform::Linux => version_word(&os(h).name),
            })),
            os_kernel: Shared::new(
                hosts
                    .iter()
                    .map(|h| (h.platform == Platform::Windows).then_some(os(h).file_version)),
            ),
            sensor_name: Shared::new(sensor_names.iter().map(|name| Some(name.as_str()))),
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

    /// What row `row` is.
    #[inline]
    pub fn class(&self, v: &View<'_>, row: usize) -> &Class {
        let f = v.frame;
        let at = if v.is(row, crate::columns::SENSOR) {
            self.sensor
        } else {
            match f.telemetry[row] {
                Telemetry::Syscall => usize::try_from(f.syscall[row])
                    .map_or(self.classes.len() - 1, |s| self.of_syscall[s]),
                Telemetry::Syslog => usize::try_from(f.process.image[row])
                    .map_or_else(|_| records::any(Provider::Syslog), |i| self.of_program[i]),
                Telemetry::CloudAudit | Telemetry::SaasAudit => {
                    let call = f.calls.get(row).map_or(0, |c| c.call as usize);
                    self.of_call + call
                }
                telemetry => self.of_telemetry[telemetry as usize],
            }
        };
        &self.classes[at]
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

    #[test]
    fn tasks_are_of_codes_that_have_a_record() {
        for (code, _) in TASKS {
            assert_eq!(RECORDS[records::native(code)].code, *code);
        }
    }
}

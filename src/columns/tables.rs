//! Tables of strings that are known before the first row.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, new_null_array};
use arrow_schema::DataType;

use super::meaning::Meanings;
use super::shared::{SharedTexts, optional};
use super::windows::Filters;
use super::{cloud, ecs, table};
use crate::catalog::template::Piece;
use crate::catalog::{Catalog, FileVersion, Image};
use crate::frame::{FRAME_ROWS, Maker};
use crate::grounding::protocol;
use crate::ids::ImageId;
use crate::kinds::{KINDS, Platform, Writer};
use crate::paths::{comm, file_name};

/// All tables of the columns.
#[derive(Debug)]
pub struct Tables {
    /// Nulls for a whole frame; columns take a slice.
    pub no_texts: ArrayRef,
    pub no_own_texts: ArrayRef,
    pub no_integers: ArrayRef,

    pub host_name: ArrayRef,
    /// Fully qualified, as Windows writes `Computer`.
    pub computer_name: ArrayRef,
    pub host_type: SharedTexts,
    pub os_name: SharedTexts,
    pub platform: SharedTexts,
    pub risk: SharedTexts,
    pub owner: ArrayRef,
    pub location: SharedTexts,
    /// By host: index of its location tag.
    pub location_tag: Vec<i32>,
    pub department: SharedTexts,

    /// The Kerberos realm: the domain in upper case.
    pub realm: String,
    pub account_name: ArrayRef,
    pub account_domain: SharedTexts,
    pub account_email: SharedTexts,
    pub account_department: SharedTexts,
    pub account_full_name: SharedTexts,
    pub account_qualified: ArrayRef,
    pub account_sid: ArrayRef,

    pub address: ArrayRef,
    /// By address.
    pub is_ipv6: Vec<bool>,
    pub protocol: ArrayRef,
    /// IANA number, by protocol.
    pub iana_number: (Vec<i32>, ArrayRef),
    pub application: ArrayRef,

    pub rule_name: ArrayRef,
    pub rule_id: SharedTexts,
    pub rule_category: SharedTexts,
    pub rule_severity: SharedTexts,
    /// Severity of each rule, in words.
    pub severity_word: SharedTexts,
    /// `threat.framework` of rules that have a technique.
    pub framework: SharedTexts,
    pub category: ArrayRef,

    /// Technique of each rule, −1 for none. A rule has a tactic if it has a technique.
    pub technique_of_rule: Vec<i32>,
    pub technique_id: ArrayRef,
    pub technique_name: ArrayRef,
    /// Tactic of each rule, and their names and ids.
    pub tactic_of_rule: Vec<i32>,
    pub tactic_name: ArrayRef,
    pub tactic_id: ArrayRef,

    pub image_path: ArrayRef,
    pub image_name: ArrayRef,
    /// The image's name, cut to the 15 characters that the kernel keeps.
    pub image_comm: ArrayRef,
    pub description: ArrayRef,
    pub product: ArrayRef,
    pub company: ArrayRef,
    pub original_file_name: ArrayRef,
    /// By image × operating system.
    pub file_version: ArrayRef,
    /// Paths of images as their files have them, then as they are launched.
    pub image_spellings: ArrayRef,
    pub hashes: ArrayRef,
    /// Windows images by their file name in lower case.
    pub image_of_name: BTreeMap<String, ImageId>,
    /// NT device path in lower case, as in Security 5156.
    pub device_path: ArrayRef,
    pub resident_command: ArrayRef,

    pub tags: ArrayRef,
    pub stage: ArrayRef,
    /// Index of each playbook's first stage in `stage`.
    pub stage_first: Vec<i32>,
    pub playbook: ArrayRef,
    pub chain_id: ArrayRef,

    pub integrity: ArrayRef,
    pub syscall: ArrayRef,
    pub audit_key: ArrayRef,
    /// By kind of record: `auditd.type`.
    pub audit_type: ArrayRef,
    pub noise_type: ArrayRef,
    pub cloud: cloud::CloudTables,
    pub filters: Filters,
    pub meanings: Meanings,
    /// By kind of record: the resident that writes it.
    pub writers: Vec<Option<usize>>,
    ecs: OnceLock<ecs::EcsTables>,
}

/// The path of an image as command lines spell it: `C:\Windows\system32\svchost.exe`. What has no path in
/// any command line is found in `system32`.
fn launched(catalog: &Catalog, image: &Image, path: &str) -> String {
    let own = |other: ImageId| catalog.images[other.index()].key == image.key;
    let residents = catalog.residents.iter().filter(|r| own(r.image));
    let records = catalog
        .routines
        .iter()
        .flat_map(|r| &r.steps)
        .map(|s| &s.record);
    let started = records.filter(|r| r.image.is_some_and(own));
    let commands = residents
        .map(|r| Some(&r.command))
        .chain(started.map(|r| r.command.as_ref()));
    let spelled = commands.flatten().find_map(|command| {
        let Some(Piece::Literal(text)) = command.pieces.first() else {
            return None;
        };
        let text = text.strip_prefix('"').unwrap_or(text);
        let spelled = text.get(..path.len())?;
        spelled
            .eq_ignore_ascii_case(path)
            .then(|| spelled.to_owned())
    });
    spelled.unwrap_or_else(|| path.replacen(r"C:\Windows\System32\", r"C:\Windows\system32\", 1))
}

impl Tables {
    /// Builds all tables. Memory is proportional to hosts, accounts and addresses.
    pub fn new(maker: &Maker) -> Self {
        let (world, catalog) = (&maker.world, &maker.catalog);
        let hosts = &world.hosts.all;
        let accounts = &world.accounts.all;
        let rules = &world.detections.all;
        let systems = &world.hosts.systems;
        let text = |f: &dyn Fn(&crate::world::Host) -> String| table(hosts.iter().map(f));
        let paths: Vec<String> = catalog
            .images
            .iter()
            .map(|i| i.path.as_literal().unwrap_or_default().to_string())
            .collect();
        let mut tactics: Vec<(&str, &str)> = Vec::new();
        let tactic_of_rule = rules
            .iter()
            .map(|rule| match rule.technique {
                None => -1,
                Some((technique, tactic)) => {
                    let t = &catalog.techniques[technique];
                    let entry = (t.tactics[tactic].as_str(), t.tactic_ids[tactic].as_str());
                    let at = tactics.iter().position(|&e| e == entry).unwrap_or_else(|| {
                        tactics.push(entry);
                        tactics.len() - 1
                    });
                    at as i32
                }
            })
            .collect();
        let mut stage_first = Vec::new();
        let mut stages = Vec::new();
        for playbook in &catalog.playbooks {
            stage_first.push(stages.len() as i32);
            stages.extend(playbook.steps.iter().map(|s| s.stage.as_str()));
        }
        let location = SharedTexts::new(hosts.iter().map(|h| Some(h.inventory.location.as_str())));
        let locations: Vec<String> = hosts
            .iter()
            .map(|host| host.inventory.location.to_lowercase())
            .collect();
        let (location_tag, locations) = optional(locations.iter().map(|tag| Some(tag.as_str())));
        let mut tags: Vec<&str> = vec!["fusionai"];
        tags.extend(super::base::SEVERITY_TAGS);
        tags.extend(locations.as_string::<i32>().iter().flatten());
        tags.extend(world.detections.categories.iter().map(String::as_str));
        let iana_numbers: Vec<Option<String>> = maker
            .vocabulary
            .protocols
            .iter()
            .map(|name| Some(protocol::number(name)?.to_string()))
            .collect();
        Tables {
            no_texts: new_null_array(&super::text_type(), FRAME_ROWS),
            no_own_texts: new_null_array(&DataType::Utf8, FRAME_ROWS),
            no_integers: new_null_array(&DataType::Int64, FRAME_ROWS),
            host_name: text(&|h| h.inventory.name.clone()),
            computer_name: text(&|h| match h.platform {
                Platform::Windows => format!("{}.{}", h.inventory.name, world.domain.dns),
                Platform::Linux => h.inventory.name.clone(),
            }),
            host_type: SharedTexts::new(
                hosts.iter().map(|h| Some(h.inventory.asset_type.as_str())),
            ),
            os_name: SharedTexts::new(
                hosts
                    .iter()
                    .map(|h| Some(systems[h.os as usize].name.as_str())),
            ),
            platform: SharedTexts::new(hosts.iter().map(|h| match h.platform {
                Platform::Windows => Some("windows"),
                Platform::Linux => Some("linux"),
            })),
            risk: SharedTexts::new(hosts.iter().map(|h| Some(h.inventory.criticality.as_str()))),
            owner: text(&|h| h.inventory.owner.clone()),
            location,
            location_tag,
            department: SharedTexts::new(
                hosts.iter().map(|h| Some(h.inventory.department.as_str())),
            ),
            realm: world.domain.dns.to_uppercase(),
            account_name: table(accounts.iter().map(|a| &a.name)),
            account_domain: SharedTexts::new(accounts.iter().map(|a| a.domain.as_deref())),
            account_email: SharedTexts::new(accounts.iter().map(|a| a.email.as_deref())),
            account_department: SharedTexts::new(accounts.iter().map(|a| a.department.as_deref())),
            account_full_name: SharedTexts::new(accounts.iter().map(|a| a.full_name.as_deref())),
            account_qualified: table(accounts.iter().map(|a| &a.qualified)),
            account_sid: table(accounts.iter().map(|a| &a.sid)),
            address: table(world.addresses.texts.iter()),
            is_ipv6: world
                .addresses
                .texts
                .iter()
                .map(|t| t.contains(':'))
                .collect(),
            protocol: table(&maker.vocabulary.protocols),
            iana_number: optional(iana_numbers.iter().map(Option::as_deref)),
            application: table(&maker.vocabulary.applications),
            rule_name: table(rules.iter().map(|r| &r.name)),
            rule_id: SharedTexts::new(rules.iter().map(|r| r.id.as_deref())),
            rule_category: SharedTexts::new(rules.iter().map(|r| r.raw_category.as_deref())),
            rule_severity: SharedTexts::new(rules.iter().map(|r| r.severity.as_deref())),
            severity_word: SharedTexts::new(rules.iter().map(|r| r.severity_word)),
            framework: SharedTexts::new(
                rules
                    .iter()
                    .map(|r| r.technique.map(|_| super::threat::FRAMEWORK)),
            ),
            category: table(&world.detections.categories),
            technique_id: table(catalog.techniques.iter().map(|t| &t.id)),
            technique_name: table(catalog.techniques.iter().map(|t| &t.name)),
            technique_of_rule: rules
                .iter()
                .map(|rule| rule.technique.map_or(-1, |(technique, _)| technique as i32))
                .collect(),
            tactic_of_rule,
            tactic_name: table(tactics.iter().map(|t| t.0)),
            tactic_id: table(tactics.iter().map(|t| t.1)),
            image_comm: table(paths.iter().map(|p| comm(p))),
            image_name: table(paths.iter().map(|p| file_name(p))),
            device_path: table(paths.iter().map(|p| match p.strip_prefix("C:") {
                Some(rest) => format!("\\device\\harddiskvolume3{}", rest.to_lowercase()),
                None => p.clone(),
            })),
            image_spellings: table(
                (paths.iter().cloned()).chain(
                    catalog
                        .images
                        .iter()
                        .zip(&paths)
                        .map(|(i, p)| launched(catalog, i, p)),
                ),
            ),
            image_path: table(&paths),
            description: table(catalog.images.iter().map(|i| &i.description)),
            product: table(catalog.images.iter().map(|i| &i.product)),
            company: table(catalog.images.iter().map(|i| &i.company)),
            original_file_name: table(catalog.images.iter().map(|i| &i.original_file_name)),
            file_version: table(catalog.images.iter().flat_map(|i| {
                systems.iter().map(move |s| match &i.file_version {
                    FileVersion::Windows => s.version_of(&i.key),
                    FileVersion::Fixed(text) => text.clone(),
                    FileVersion::None => "-".to_string(),
                })
            })),
            image_of_name: (catalog.images.iter().enumerate())
                .filter(|(_, image)| image.platform == Platform::Windows)
                .filter_map(|(at, image)| {
                    Some((
                        file_name(image.path.as_literal()?).to_lowercase(),
                        ImageId::new(at),
                    ))
                })
                .collect(),
            hashes: table(catalog.images.iter().flat_map(|i| {
                systems.iter().map(move |s| {
                    // Equal image and version means an equal file, and so an equal hash.
                    let version = match &i.file_version {
                        FileVersion::Windows => s.version_of(&i.key),
                        FileVersion::Fixed(text) => text.clone(),
                        FileVersion::None => "-".to_owned(),
                    };
                    let image = crate::random::Key::root(0x4a5e).child(&i.key);
                    // Half of the files import the same functions in all revisions of a build.
                    let base = version.rsplit_once('.').map_or("", |(base, _)| base);
                    let imports = match image.below(0, 2) {
                        0 => image.child(base),
                        _ => image.child(&version),
                    };
                    crate::frame::file_hashes_with(image.child(&version), imports)
                })
            })),
            resident_command: table(
                catalog
                    .residents
                    .iter()
                    .map(|r| r.command.as_literal().unwrap_or_default()),
            ),
            tags: table(&tags),
            stage: table(&stages),
            stage_first,
            playbook: table(catalog.playbooks.iter().map(|p| &p.name)),
            chain_id: table(
                (0..maker.plan.chains.all.len()).map(|c| maker.plan.chains.id(c as u32)),
            ),
            integrity: table(&maker.vocabulary.integrity),
            syscall: table(maker.vocabulary.syscalls.iter().map(|s| &s.0)),
            audit_type: table(KINDS.iter().map(|kind| kind.code.to_uppercase())),
            audit_key: table(&maker.vocabulary.audit_keys),
            noise_type: table(&maker.vocabulary.noise_types),
            cloud: cloud::CloudTables::new(maker),
            filters: Filters::new(world),
            meanings: Meanings::new(maker),
            writers: KINDS
                .iter()
                .map(|kind| match kind.writer {
                    Writer::Resident(key) => catalog.resident(key),
                    _ => None,
                })
                .collect(),
            ecs: OnceLock::new(),
        }
    }

    /// The tables of the ECS columns, built on first use.
    pub fn ecs(&self, maker: &Maker) -> &ecs::EcsTables {
        self.ecs.get_or_init(|| ecs::EcsTables::new(maker, self))
    }
}

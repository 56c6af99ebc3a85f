//! Tables of texts known before the first row.

use std::sync::OnceLock;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;

use super::shared::Shared;
use super::windows::Filters;
use super::{cloud, ecs, table};
use crate::catalog::{FileVersion, Platform};
use crate::frame::{FRAME_ROWS, Maker};
use crate::grounding::protocol;

/// All tables.
#[derive(Debug)]
pub struct Tables {
    /// Nulls for a whole frame, of which columns take a slice.
    pub no_texts: ArrayRef,
    pub no_own_texts: ArrayRef,
    pub no_integers: ArrayRef,

    pub host_name: ArrayRef,
    /// Fully qualified, as Windows writes `Computer`.
    pub computer_name: ArrayRef,
    pub host_type: Shared,
    pub os_name: Shared,
    pub platform: Shared,
    pub risk: Shared,
    pub owner: ArrayRef,
    pub location: Shared,
    /// By host: which of the locations among the tags.
    pub location_tag: Vec<i32>,
    pub department: Shared,

    pub account_name: ArrayRef,
    pub account_domain: Shared,
    pub account_email: Shared,
    pub account_department: Shared,
    pub account_full_name: Shared,
    pub account_qualified: ArrayRef,
    pub account_sid: ArrayRef,

    pub address: ArrayRef,
    /// By address.
    pub is_ipv6: Vec<bool>,
    pub protocol: ArrayRef,
    /// IANA's number by protocol.
    pub iana_number: (Vec<i32>, ArrayRef),
    pub application: ArrayRef,

    pub rule_name: ArrayRef,
    pub rule_id: Shared,
    pub rule_category: Shared,
    pub rule_severity: Shared,
    /// Severity words, and each rule's.
    pub severity_word: Shared,
    /// Of rules that have a technique.
    pub framework: Shared,
    pub category: ArrayRef,

    /// Technique of each rule, -1 without; it has a tactic where it has one.
    pub technique_of_rule: Vec<i32>,
    pub technique_id: ArrayRef,
    pub technique_name: ArrayRef,
    /// Tactic of each rule, and their names and ids.
    pub tactic_of_rule: Vec<i32>,
    pub tactic_name: ArrayRef,
    pub tactic_id: ArrayRef,

    pub image_path: ArrayRef,
    pub image_name: ArrayRef,
    /// Fifteen characters of it, as the kernel keeps them.
    pub image_comm: ArrayRef,
    pub description: ArrayRef,
    pub product: ArrayRef,
    pub company: ArrayRef,
    pub original_file_name: ArrayRef,
    /// By image × operating system.
    pub file_version: ArrayRef,
    pub hashes: ArrayRef,
    /// NT device path, lower case, as Security 5156 has it.
    pub device_path: ArrayRef,
    pub resident_command: ArrayRef,

    pub tags: ArrayRef,
    pub stage: ArrayRef,
    /// First stage of each playbook in `stage`.
    pub stage_first: Vec<i32>,
    pub playbook: ArrayRef,
    pub chain_id: ArrayRef,

    pub integrity: ArrayRef,
    pub syscall: ArrayRef,
    pub audit_key: ArrayRef,
    pub noise_type: ArrayRef,
    pub cloud: cloud::Tables,
    pub filters: Filters,
    pub words: Words,
    ecs: OnceLock<ecs::Tables>,
}

/// Small fixed vocabularies.
#[derive(Debug)]
pub struct Words {
    fixed: Vec<(&'static str, ArrayRef)>,
}

impl Words {
    /// The table of a `|`-separated list; every list that columns use is here once.
    pub fn get(&self, list: &'static str) -> ArrayRef {
        match self
            .fixed
            .iter()
            .find(|(name, _)| std::ptr::eq(*name, list) || *name == list)
        {
            Some((_, table)) => table.clone(),
            None => table(list.split('|')),
        }
    }
}

/// Optional texts: keys, with −1 for none, and the table.
pub(super) fn optional<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> (Vec<i32>, ArrayRef) {
    let Shared { of, values, .. } = Shared::new(texts);
    (of, values)
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// What the kernel keeps of an executable's name.
pub(super) fn comm(path: &str) -> &str {
    let name = file_name(path);
    let end = name.char_indices().nth(15).map_or(name.len(), |(at, _)| at);
    &name[..end]
}

impl Tables {
    /// Builds all tables. Costs memory in proportion to hosts, accounts and addresses.
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
        let location = Shared::new(hosts.iter().map(|h| Some(h.inventory.location.as_str())));
        let mut locations: Vec<String> = Vec::new();
        let location_tag = hosts
            .iter()
            .map(|host| {
                let tag = host.inventory.location.to_lowercase();
                let at = locations.iter().position(|known| *known == tag);
                at.unwrap_or_else(|| {
                    locations.push(tag);
                    locations.len() - 1
                }) as i32
            })
            .collect();
        let mut tags: Vec<String> = vec!["fusionai".into()];
        tags.extend(super::base::SEVERITY_TAGS.map(String::from));
        tags.extend(locations);
        tags.extend(world.detections.categories.iter().cloned());
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
            host_type: Shared::new(hosts.iter().map(|h| Some(h.inventory.asset_type.as_str()))),
            os_name: Shared::new(
                hosts
                    .iter()
                    .map(|h| Some(systems[h.os as usize].name.as_str())),
            ),
            platform: Shared::new(hosts.iter().map(|h| match h.platform {
                Platform::Windows => Some("windows"),
                Platform::Linux => Some("linux"),
            })),
            risk: Shared::new(hosts.iter().map(|h| Some(h.inventory.criticality.as_str()))),
            owner: text(&|h| h.inventory.owner.clone()),
            location,
            location_tag,
            department: Shared::new(hosts.iter().map(|h| Some(h.inventory.department.as_str()))),
            account_name: table(accounts.iter().map(|a| &a.name)),
            account_domain: Shared::new(accounts.iter().map(|a| a.domain.as_deref())),
            account_email: Shared::new(accounts.iter().map(|a| a.email.as_deref())),
            account_department: Shared::new(accounts.iter().map(|a| a.department.as_deref())),
            account_full_name: Shared::new(accounts.iter().map(|a| a.full_name.as_deref())),
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
            rule_id: Shared::new(rules.iter().map(|r| r.id.as_deref())),
            rule_category: Shared::new(rules.iter().map(|r| r.raw_category.as_deref())),
            rule_severity: Shared::new(rules.iter().map(|r| r.severity.as_deref())),
            severity_word: Shared::new(rules.iter().map(|r| r.severity_word)),
            framework: Shared::new(
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
            image_path: table(&paths),
            description: table(catalog.images.iter().map(|i| &i.description)),
            product: table(catalog.images.iter().map(|i| &i.product)),
            company: table(catalog.images.iter().map(|i| &i.company)),
            original_file_name: table(catalog.images.iter().map(|i| &i.original_file_name)),
            file_version: table(catalog.images.iter().flat_map(|i| {
                systems.iter().map(move |s| match &i.file_version {
                    FileVersion::Windows => s.file_version.to_string(),
                    FileVersion::Fixed(text) => text.clone(),
                    FileVersion::None => "-".to_string(),
                })
            })),
            hashes: table(catalog.images.iter().flat_map(|i| {
                systems.iter().map(move |s| {
                    // The same file has the same hash: by image and version.
                    let version = match &i.file_version {
                        FileVersion::Windows => s.file_version,
                        FileVersion::Fixed(text) => text.as_str(),
                        FileVersion::None => "-",
                    };
                    let key = crate::random::Key::root(0x4a5e)
                        .child(&i.key)
                        .child(version);
                    crate::frame::file_hashes(key)
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
            audit_key: table(&maker.vocabulary.audit_keys),
            noise_type: table(&maker.vocabulary.noise_types),
            cloud: cloud::Tables::new(maker),
            filters: Filters::new(world),
            words: Words::default(),
            ecs: OnceLock::new(),
        }
    }

    /// What only ECS asks for, built when it first does.
    pub fn ecs(&self, maker: &Maker) -> &ecs::Tables {
        self.ecs.get_or_init(|| ecs::Tables::new(maker, self))
    }
}

impl Default for Words {
    fn default() -> Self {
        use super::{
            base, ecs, enrichment, linux, network, process, security, sysmon, threat, windows,
        };
        let lists = [
            base::WORDS,
            cloud::WORDS,
            enrichment::WORDS,
            linux::WORDS,
            network::WORDS,
            process::WORDS,
            security::WORDS,
            sysmon::WORDS,
            threat::WORDS,
            windows::WORDS,
            ecs::event::WORDS,
            ecs::identity::WORDS,
            ecs::network::WORDS,
            ecs::process::WORDS,
            ecs::winlog::WORDS,
        ];
        Words {
            fixed: lists
                .concat()
                .into_iter()
                .map(|list| (list, table(list.split('|'))))
                .collect(),
        }
    }
}

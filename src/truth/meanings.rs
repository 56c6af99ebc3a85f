//! The meaning of each column of the truth and entity tables.
//!
//! `tests/schema_docs.rs` generates `docs/schema.md` from it.

/// The meaning of a column, by the table's directory or file without its extension: `truth/steps`,
/// `entities/users`.
pub fn meaning(table: &str, column: &str) -> Option<&'static str> {
    let of_table = MEANINGS.iter().find(|(name, _)| *name == table);
    let (_, columns) = of_table?;
    let found = columns.iter().find(|(name, _)| *name == column);
    found.map(|(_, meaning)| *meaning)
}

/// Number of columns of a table.
pub fn columns(table: &str) -> usize {
    let of_table = MEANINGS.iter().find(|(name, _)| *name == table);
    of_table.map_or(0, |(_, columns)| columns.len())
}

#[rustfmt::skip]
const MEANINGS: &[(&str, &[(&str, &str)])] = &[
    ("truth/chains", &[
        ("attack_id", "the attack; `attack.id` of its events"),
        ("playbook", "name of the playbook in the catalog"),
        ("start", "time of its first event"),
        ("end", "time of its last event"),
        ("hosts", "names of the hosts that report it, separated by commas"),
        ("users", "accounts that act, separated by commas"),
        ("steps", "steps that it reached"),
        ("events", "number of its events"),
        ("stop_reason", "why it ended: `completed`, `blocked`, …"),
    ]),
    ("truth/steps", &[
        ("attack_id", "the attack"),
        ("step", "number of the step, from 1"),
        ("sequence", "number of the event in the attack, from 1"),
        ("event_sequence", "`event.sequence` of the event"),
        ("event_date", "partition of the event"),
        ("event_category", "partition of the event"),
        ("technique", "ATT&CK technique of the step; the rule of an alert may name another one"),
        ("tactic", "ATT&CK tactic of the step"),
        ("host", "the reporting host; null where a cloud or a service reports"),
        ("user", "the account that acts"),
        ("outcome", "`success` or `failure`"),
        ("time", "`@timestamp` of the event"),
        ("rule", "the rule that fired; null if the event is no alert"),
        ("process_entity_id", "`process.entity_id` of the process that the event starts; null in other events and on Linux"),
        ("parent_entity_id", "`process.parent.entity_id` of that process"),
    ]),
    ("truth/edges", &[
        ("attack_id", "the attack"),
        ("from_step", "the earlier step"),
        ("to_step", "the later step"),
        ("pivot_type", "what both have: `process`, `logon_id`, `ip`, `file`, …"),
        ("pivot_value", "its value"),
        ("from_sequence", "number of the earlier event in the attack"),
        ("to_sequence", "number of the later event in the attack"),
    ]),
    ("truth/iocs", &[
        ("attack_id", "the attack"),
        ("type", "`ip`, `domain`, `url`, `file`, `sha256`, `access_key`, …"),
        ("value", "the indicator"),
        ("first_seen", "time of the first event with it"),
        ("last_seen", "time of the last event with it"),
        ("events", "number of the attack's events that show it: a hash in starts of its program, a URL in alerts, a domain in alerts and in lookups that an attacker's address answers"),
        ("exclusive", "whether it is made for this attack, so that no other attack and no benign event has it: hashes and URLs"),
    ]),
    ("truth/lookalikes", &[
        ("event_sequence", "`event.sequence` of the event"),
        ("event_date", "partition of the event"),
        ("event_category", "partition of the event"),
        ("technique", "ATT&CK technique that it resembles"),
        ("tactic", "tactic of that technique"),
        ("scenario", "the benign scenario; `labels.noise_type`"),
        ("verdict", "`benign_trigger` or `benign_suspicious`"),
        ("reason", "why it is benign"),
    ]),
    ("truth/verdicts", &[
        ("event_sequence", "`event.sequence` of the event; events that are not listed are `benign`"),
        ("event_date", "partition of the event"),
        ("event_category", "partition of the event"),
        ("verdict", "`attack`, `attempt`, `benign_trigger` or `benign_suspicious`"),
        ("noise_type", "the benign scenario; null for attacks and alerts of the database"),
    ]),
    ("entities/assets", &[
        ("hostname", "name of the host"),
        ("ip", "its address"),
        ("asset_type", "kind of asset, as in the inventory"),
        ("role", "what it does: `workstation`, `domain_controller`, …"),
        ("os", "operating system"),
        ("platform", "`windows` or `linux`; null for assets without telemetry"),
        ("criticality", "`low` to `critical`"),
        ("location", "site"),
        ("department", "department of its owner"),
        ("owner", "owner, as in the inventory"),
        ("user", "the account that uses it most; null for assets without telemetry"),
        ("sid", "SID of the machine account; Windows only"),
        ("telemetry", "whether it reports events"),
        ("source", "`inventory` (`--cmdb-assets`) or `generated`"),
        ("inventory_type", "asset type, as the inventory writes it"),
        ("inventory_os", "operating system, as the inventory writes it"),
        ("inventory_location", "location, as the inventory writes it"),
        ("inventory_department", "department, as the inventory writes it"),
        ("inventory_owner", "owner, as the inventory writes it"),
    ]),
    ("entities/users", &[
        ("username", "name of the account"),
        ("kind", "`built_in`, `user`, `admin`, `service`, `machine` or `disabled`"),
        ("domain", "its DNS domain, or `NT AUTHORITY`"),
        ("display_name", "name of the person"),
        ("email", "mailbox"),
        ("department", "department of the person"),
        ("sid", "SID; null for accounts of Linux only"),
        ("uid", "uid on Linux"),
        ("home_host", "the workstation that it uses"),
    ]),
];

//! The Elastic Common Schema 9.4 as Elastic's ingest pipelines produce it, and the native records.
//!
//! This file declares the leaves of ECS. `winlog.event_data`, `auditd`, `fusionai`, `labels` and
//! `attack` come from the list of the `fusionai` schema, so that a native field is declared once.
//! All of `winlog.event_data` is text.

use super::fusionai;
use super::leaf::{Kind, Leaf, Role, always, integer, of, own, text, texts};
use crate::columns::ecs::{event, identity as ecs_identity, process as ecs_process};
use crate::columns::ecs::{network as ecs_network, related, threat as ecs_threat, winlog};
use crate::columns::{base, cloud, identity, network, process, threat, windows};

#[rustfmt::skip]
const LEAVES: &[Leaf] = &[
    always("@timestamp", Kind::Time, base::timestamp).sorted(),
    always("ecs.version", Kind::Text, event::version),
    always("event.kind", Kind::Text, base::event_kind),
    always("event.category", Kind::Texts, event::category),
    always("event.type", Kind::Texts, event::kind_of_change),
    integer("event.severity", event::severity),
    always("event.action", Kind::Text, event::action),
    always("event.outcome", Kind::Text, event::outcome),
    always("event.module", Kind::Text, event::module),
    always("event.dataset", Kind::Text, event::dataset),
    text("event.code", event::code),
    text("event.provider", event::provider),
    always("event.created", Kind::Time, event::created),
    always("event.ingested", Kind::Time, event::ingested),
    always("event.sequence", Kind::Integer, base::event_sequence).rising(),
    text("message", base::message),
    text("observer.name", event::observer_name),
    text("observer.type", event::observer_type),
    text("observer.vendor", event::observer_vendor),
    text("observer.product", event::observer_product),
    text("source.ip", ecs_network::source_ip),
    integer("source.port", ecs_network::source_port),
    integer("source.bytes", ecs_network::source_bytes),
    text("source.geo.continent_name", ecs_network::source_continent),
    text("source.geo.country_iso_code", ecs_network::source_country_code),
    text("source.geo.country_name", ecs_network::source_country_name),
    integer("source.as.number", ecs_network::source_system_number),
    text("source.as.organization.name", ecs_network::source_system_name),
    text("destination.ip", ecs_network::destination_ip),
    integer("destination.port", ecs_network::destination_port),
    integer("destination.bytes", ecs_network::destination_bytes),
    text("destination.geo.continent_name", ecs_network::destination_continent),
    text("destination.geo.country_iso_code", ecs_network::destination_country_code),
    text("destination.geo.country_name", ecs_network::destination_country_name),
    integer("destination.as.number", ecs_network::destination_system_number),
    text("destination.as.organization.name", ecs_network::destination_system_name),
    text("network.transport", ecs_network::transport),
    text("network.iana_number", ecs_network::iana_number),
    text("network.type", ecs_network::kind),
    text("network.protocol", ecs_network::protocol),
    text("network.direction", ecs_network::direction),
    integer("network.bytes", ecs_network::bytes),
    always("user.name", Kind::Text, identity::user_name),
    always("user.id", Kind::Text, ecs_identity::user_id),
    text("user.domain", ecs_identity::user_domain),
    text("user.email", identity::user_email),
    text("user.full_name", identity::user_full_name),
    text("host.name", identity::host_name),
    text("host.hostname", identity::host_name),
    text("host.id", ecs_identity::host_id),
    text("host.type", identity::host_type),
    texts("host.ip", identity::host_ip),
    text("host.architecture", ecs_identity::architecture),
    text("host.os.name", identity::os_name),
    text("host.os.type", identity::os_platform),
    text("host.os.platform", ecs_identity::os_platform),
    text("host.os.family", ecs_identity::os_family),
    text("host.os.version", ecs_identity::os_version),
    text("host.os.kernel", ecs_identity::os_kernel),
    text("host.risk.static_level", identity::risk),
    text("cloud.provider", cloud::provider),
    text("cloud.account.id", cloud::account),
    text("cloud.region", cloud::region),
    text("cloud.service.name", cloud::service),
    text("user_agent.original", cloud::user_agent),
    text("user_agent.name", cloud::user_agent_name),
    integer("process.pid", process::process_pid),
    own("process.entity_id", ecs_process::entity_id),
    text("process.name", process::process_name),
    text("process.executable", process::executable),
    text("process.command_line", process::command_line),
    of("process.args", Kind::OwnTexts, ecs_process::args),
    integer("process.args_count", ecs_process::args_count),
    text("process.working_directory", process::working_directory),
    text("process.hash.md5", ecs_process::md5),
    text("process.hash.sha1", ecs_process::sha1),
    text("process.hash.sha256", ecs_process::sha256),
    text("process.pe.imphash", ecs_process::imphash),
    text("process.pe.original_file_name", ecs_process::original_file_name),
    text("process.pe.file_version", ecs_process::file_version),
    text("process.pe.description", ecs_process::description),
    text("process.pe.product", ecs_process::product),
    text("process.pe.company", ecs_process::company),
    integer("process.parent.pid", process::parent_pid),
    own("process.parent.entity_id", ecs_process::parent_entity_id),
    text("process.parent.name", process::parent_name),
    text("process.parent.executable", process::parent_executable),
    text("process.parent.command_line", process::parent_command_line),
    of("process.parent.args", Kind::OwnTexts, ecs_process::parent_args),
    integer("process.parent.args_count", ecs_process::parent_args_count),
    text("dns.question.name", network::question_name),
    text("dns.question.type", network::question_type),
    text("dns.question.registered_domain", ecs_network::registered_domain),
    text("dns.question.subdomain", ecs_network::subdomain),
    text("dns.question.top_level_domain", ecs_network::top_level_domain),
    text("dns.response_code", network::response_code),
    of("dns.answers", Kind::Answers, ecs_network::dns_answers),
    texts("dns.resolved_ip", ecs_network::resolved_ip),
    text("sysmon.dns.status", ecs_network::dns_status),
    text("url.full", network::url),
    text("url.scheme", ecs_network::url_scheme),
    text("url.domain", network::url_domain),
    text("url.path", ecs_network::url_path),
    text("file.path", process::file_path),
    text("file.directory", ecs_process::file_directory),
    text("file.name", process::file_base_name),
    text("file.extension", process::file_extension),
    own("file.hash.md5", ecs_process::file_md5),
    own("file.hash.sha1", ecs_process::file_sha1),
    own("file.hash.sha256", ecs_process::file_sha256),
    text("registry.path", process::registry_path),
    text("registry.hive", ecs_process::registry_hive),
    text("registry.key", process::registry_key),
    text("registry.value", process::registry_value),
    text("registry.data.type", ecs_process::registry_data_type),
    of("registry.data.strings", Kind::OwnTexts, ecs_process::registry_data_strings),
    text("threat.framework", threat::framework),
    texts("threat.tactic.id", threat::tactic_id),
    texts("threat.tactic.name", threat::tactic_name),
    texts("threat.technique.id", ecs_threat::technique_id),
    texts("threat.technique.name", ecs_threat::technique_name),
    texts("threat.technique.subtechnique.id", ecs_threat::subtechnique_id),
    texts("threat.technique.subtechnique.name", ecs_threat::subtechnique_name),
    text("rule.name", threat::rule_name),
    text("rule.category", threat::rule_category),
    text("rule.id", threat::rule_id),
    always("related.ip", Kind::Texts, related::ip),
    always("related.user", Kind::Texts, related::user),
    texts("related.hosts", related::hosts),
    texts("related.hash", ecs_process::related_hash),
    text("log.level", event::log_level),
    integer("log.syslog.facility.code", event::facility_code),
    text("log.syslog.facility.name", event::facility_name),
    integer("log.syslog.severity.code", event::severity_code),
    text("log.syslog.severity.name", event::severity_name),
    integer("log.syslog.priority", event::priority),
    text("log.syslog.appname", event::program),
    of("log.syslog.procid", Kind::Decimal, event::program_pid),
    text("winlog.api", winlog::api),
    text("winlog.channel", windows::channel),
    text("winlog.provider_name", windows::provider_name),
    text("winlog.provider_guid", windows::provider_guid),
    text("winlog.computer_name", identity::computer_name),
    text("winlog.event_id", winlog::event_id),
    of("winlog.record_id", Kind::Decimal, windows::record_id),
    integer("winlog.version", windows::version),
    text("winlog.task", winlog::task),
    text("winlog.opcode", windows::opcode),
    texts("winlog.keywords", winlog::keywords),
    integer("winlog.process.pid", windows::service_pid),
    integer("winlog.process.thread.id", windows::thread_id),
    own("winlog.logon.id", winlog::logon_id),
    text("winlog.logon.type", winlog::logon_type),
];

/// Leaves that replace the leaf of the same path in the `fusionai` schema.
const REPLACED: &[Leaf] = &[own("winlog.event_data.ProcessId", winlog::process_id)];

/// Leaves that the `fusionai` schema has under a name that ECS lacks.
const MOVED: &[Leaf] = &[text("fusionai.user_department", identity::user_department)];

/// Prefixes of the paths that are taken from the `fusionai` schema.
const SHARED: &[&str] = &[
    "winlog.event_data.",
    "auditd.",
    "fusionai.",
    "tags",
    "labels.",
    "attack.",
];

/// A leaf of the `fusionai` schema as ECS has it.
fn shared(leaf: &Leaf) -> Leaf {
    if let Some(own) = REPLACED.iter().find(|own| own.path == leaf.path) {
        return *own;
    }
    let is_native = leaf.path.starts_with("winlog.event_data.");
    let kind = match leaf.kind {
        Kind::Integer if is_native && leaf.role == Role::Hexadecimal => Kind::Hexadecimal,
        Kind::Integer if is_native => Kind::Decimal,
        kind => kind,
    };
    Leaf { kind, ..*leaf }
}

/// Every leaf, in the order of the document.
pub(super) fn leaves() -> Vec<Leaf> {
    let taken = SHARED.iter().flat_map(|prefix| {
        fusionai::LEAVES
            .iter()
            .filter(move |leaf| leaf.path.starts_with(prefix))
            .map(shared)
    });
    LEAVES
        .iter()
        .copied()
        .chain(taken)
        .chain(MOVED.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_data_is_text() {
        for leaf in leaves() {
            if leaf.path.starts_with("winlog.event_data.") {
                let text = [Kind::Text, Kind::OwnText, Kind::Decimal, Kind::Hexadecimal];
                assert!(text.contains(&leaf.kind), "{}", leaf.path);
            }
        }
    }

    #[test]
    fn replaced_leaves_exist_in_the_other_schema() {
        for leaf in REPLACED {
            assert!(fusionai::LEAVES.iter().any(|l| l.path == leaf.path));
        }
        assert_eq!(
            leaves()
                .iter()
                .filter(|l| l.path.ends_with(".ProcessId"))
                .count(),
            1
        );
    }
}

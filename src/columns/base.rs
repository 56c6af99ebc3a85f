//! What every row has: time, event, message, tags, labels.

use arrow::array::{Int64Array, TimestampMicrosecondArray};

use super::cloud::{HOSTS, SERVICES};
use super::{ALL, Column, Kinds, View, holds, kinds};
use crate::catalog::Telemetry as T;

/// In the order of [`T`].
pub(super) const CODES: &str = "1|3|5|11|13|22|4624|5156|5157|2|4|6|7|8|10|12|15|16|17|18|19|20|21|23|25|26|4625|4634|4648|4656|4663|4672|4688|4697|4698|4702|4720|4728|4732|4768|4769|4771|4776|5140|5145|1102|7045|4104|4689|user_login|user_cmd|syscall|execve|cred_acq|path|cwd|proctitle|sockaddr|add_user|user_chauthtok|service_start|user_auth|user_acct|login|user_start|user_end|cred_disp|cred_refr";
/// What a sensor did, then the kinds in their order.
pub(super) const ACTIONS: &str = "allowed|blocked|process_started|connection_logged|process_ended|file_created|registry_value_set|dns_query|logged_in|connection_permitted|connection_blocked|file_time_changed|sensor_state_changed|driver_loaded|image_loaded|remote_thread_created|process_accessed|registry_key_changed|stream_created|sensor_config_changed|pipe_created|pipe_connected|wmi_filter_registered|wmi_consumer_registered|wmi_consumer_bound|file_deleted|process_tampered|file_deleted|logon_failed|logged_out|logged_in_explicit|handle_requested|object_accessed|privileges_assigned|process_started|service_installed|scheduled_task_created|scheduled_task_updated|user_created|group_member_added|group_member_added|ticket_requested|service_ticket_requested|preauthentication_failed|credential_validated|share_accessed|share_object_checked|log_cleared|service_created|script_block_logged|process_ended|login|ran_command|syscall|executed|acquired_credentials|opened_file|syscall|syscall|syscall|added_user_account|changed_password|started_service|authenticated|was_authorized|changed_login_id|started_session|ended_session|disposed_credentials|refreshed_credentials|logged";
const KINDS: &str = "alert|event";
pub(super) const OUTCOMES: &str = "success|failure";
pub(super) const PROVIDERS: &str = "Microsoft-Windows-Sysmon|Microsoft-Windows-Security-Auditing|auditd|syslog|Microsoft-Windows-Eventlog|Service Control Manager|Microsoft-Windows-PowerShell";
const DATASETS: &str = "fusionai.alerts|fusionai.events";
const VERDICTS: &str = "attack|attempt|benign_trigger|benign_suspicious|benign";
pub(super) const CATEGORY_OR_ALERT: &str = "security|process|network|process|file|registry|network|authentication|network|network|file|process|driver|library|process|process|registry|file|configuration|file|file|configuration|configuration|configuration|file|process|file|authentication|authentication|authentication|file|file|iam|process|configuration|configuration|configuration|iam|iam|iam|authentication|authentication|authentication|authentication|file|file|configuration|configuration|process|process|authentication|process|process|process|authentication|file|process|process|network|iam|iam|process|authentication|authentication|authentication|session|session|authentication|authentication|host|web|email";
pub(super) const TYPE_OR_ALERT: &str = "alert|start|connection|end|creation|change|info|start|allowed|denied|change|info|start|start|change|access|change|creation|change|creation|access|creation|creation|creation|deletion|change|deletion|start|end|start|access|access|admin|start|creation|creation|change|creation|change|change|start|start|start|start|access|access|change|creation|info|end|start|start|info|start|info|info|info|info|info|creation|change|start|start|info|start|start|end|info|info|info|info|info";
const ENVIRONMENT: &str = "production";
const SOURCE: &str = "fusionai_generator";
const DATA_SOURCE: &str = "real_fusion_ai";

pub(super) const WORDS: &[&str] = &[
    CODES,
    ACTIONS,
    KINDS,
    OUTCOMES,
    PROVIDERS,
    DATASETS,
    VERDICTS,
    CATEGORY_OR_ALERT,
    TYPE_OR_ALERT,
    ENVIRONMENT,
    SOURCE,
    DATA_SOURCE,
];

/// Records whose provider numbers no kinds.
pub(super) const UNCODED: Kinds = kinds(&[T::Syslog]) | SERVICES;

/// Whether a rule fired.
#[inline]
pub(super) fn is_alert(v: &View<'_>, row: usize) -> bool {
    v.frame.rule[row] >= 0
}

/// 0 for alerts, 1 for events.
#[inline]
fn is_event(v: &View<'_>, row: usize) -> i32 {
    i32::from(!is_alert(v, row))
}

/// `@timestamp`, microseconds UTC.
pub fn timestamp(v: &View<'_>) -> Column {
    Column::of(TimestampMicrosecondArray::from(v.frame.time.clone()).with_timezone("UTC"))
}

/// `security` for alerts, else what the record is about.
pub fn event_category(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(CATEGORY_OR_ALERT), |r| {
        match (is_alert(v, r), v.frame.calls.get(r)) {
            (true, _) => 0,
            (false, Some(call)) => v.tables.cloud.category[call.call as usize],
            (false, None) => 1 + v.frame.telemetry[r] as i32,
        }
    })
}

/// `alert`, else the kind of change.
pub fn event_type(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(TYPE_OR_ALERT), |r| {
        match (is_alert(v, r), v.frame.calls.get(r)) {
            (true, _) => 0,
            (false, Some(call)) => v.tables.cloud.kind[call.call as usize],
            (false, None) => 1 + v.frame.telemetry[r] as i32,
        }
    })
}

/// `alert` where a rule fired, else `event`.
pub fn event_kind(v: &View<'_>) -> Column {
    v.texts_by(ALL, &v.tables.words.get(KINDS), is_event)
}

/// The rule's severity as a word; null for events.
pub fn event_severity(v: &View<'_>) -> Column {
    v.by_rule(&v.tables.severity_word)
}

/// What the sensor did with an alert, `allowed` or `blocked`; else what happened.
pub fn event_action(v: &View<'_>) -> Column {
    v.texts(&v.tables.cloud.actions, |r| {
        match (is_alert(v, r), v.frame.blocked[r], v.frame.calls.get(r)) {
            (true, false, _) => 0,
            (true, true, _) => 1,
            (false, _, Some(call)) => v.tables.cloud.action[call.call as usize],
            (false, _, None) => 2 + v.frame.telemetry[r] as i32,
        }
    })
}

/// Whether what the record tells of failed; blocked is failure.
pub(super) fn is_failure(v: &View<'_>, row: usize) -> bool {
    !v.frame.success[row] || v.frame.blocked[row] || v.frame.telemetry[row].is_failure()
}

/// `success` or `failure`.
pub fn event_outcome(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(OUTCOMES), |r| {
        i32::from(is_failure(v, r))
    })
}

/// The category's slug.
pub fn event_module(v: &View<'_>) -> Column {
    v.texts_by(ALL, &v.tables.category, |v, _| v.frame.category as i32)
}

/// `fusionai.alerts` or `fusionai.events`.
pub fn event_dataset(v: &View<'_>) -> Column {
    v.texts_by(ALL, &v.tables.words.get(DATASETS), is_event)
}

/// The native event id, or the audit record type in lower case; null for syslog, clouds and services.
pub fn event_code(v: &View<'_>) -> Column {
    v.texts_by_kind(!UNCODED, &v.tables.words.get(CODES), |kind| kind as i32)
}

/// Who wrote the native record.
pub fn event_provider(v: &View<'_>) -> Column {
    let t = &v.tables.cloud;
    let of_host = |kind: T| match kind {
        T::LogCleared => 4,
        T::ServiceCreated => 5,
        T::ScriptBlock => 6,
        _ if holds(super::SYSMON, kind) => 0,
        _ if holds(super::SECURITY, kind) => 1,
        _ if holds(super::AUDIT, kind) => 2,
        _ => 3,
    };
    if v.present & SERVICES == 0 {
        return v.texts_by_kind(ALL, &t.providers, of_host);
    }
    v.texts(&t.providers, |r| match v.frame.calls.get(r) {
        Some(call) => t.provider[call.call as usize],
        None => of_host(v.frame.telemetry[r]),
    })
}

/// The partition's index above [`ORDINAL_BITS`](crate::plan::ORDINAL_BITS) of the ordinal in it;
/// unique in the corpus.
pub fn event_sequence(v: &View<'_>) -> Column {
    let first = v.frame.first_sequence;
    Column::of(Int64Array::from_iter_values(first..first + v.len() as i64))
}

/// Syslog text.
pub fn message(v: &View<'_>) -> Column {
    v.own(kinds(&[T::Syslog]), &v.frame.message, None)
}

/// Words of severity among the tags.
pub(super) const SEVERITY_TAGS: [&str; 5] = ["low", "medium", "high", "critical", "informational"];

/// Category, severity, product, location.
pub fn tags(v: &View<'_>) -> Column {
    // Table: product, severities, locations, categories.
    let first_location = 1 + SEVERITY_TAGS.len() as i32;
    let category =
        v.tables.tags.len() as i32 - v.tables.category.len() as i32 + v.frame.category as i32;
    let severity = &v.tables.severity_word;
    let word_tag: Vec<i32> = severity
        .values
        .as_any()
        .downcast_ref::<arrow::array::StringArray>()
        .map(|words| {
            words
                .iter()
                .map(|w| {
                    1 + SEVERITY_TAGS
                        .iter()
                        .position(|o| Some(*o) == w)
                        .unwrap_or(0) as i32
                })
                .collect()
        })
        .unwrap_or_default();
    let location = &v.tables.location_tag;
    v.lists(&v.tables.tags, |r, keys| {
        keys.push(category);
        if let Ok(rule) = usize::try_from(v.frame.rule[r]) {
            let word = usize::try_from(severity.of[rule]).ok();
            keys.extend(word.and_then(|word| word_tag.get(word)));
        }
        keys.push(0);
        if v.is(r, HOSTS) {
            keys.push(first_location + location[v.frame.host[r] as usize]);
        }
    })
}

/// `labels.env`.
pub fn label_environment(v: &View<'_>) -> Column {
    v.constant(ALL, &v.tables.words.get(ENVIRONMENT))
}

/// `labels.source`.
pub fn label_source(v: &View<'_>) -> Column {
    v.constant(ALL, &v.tables.words.get(SOURCE))
}

/// `labels.data_source`.
pub fn label_data_source(v: &View<'_>) -> Column {
    v.constant(ALL, &v.tables.words.get(DATA_SOURCE))
}

/// What an analyst should conclude.
pub fn label_verdict(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(VERDICTS), |r| v.frame.verdict[r] as i32)
}

/// The benign scenario of a noise row.
pub fn label_noise_type(v: &View<'_>) -> Column {
    v.texts(&v.tables.noise_type, |r| v.frame.noise[r])
}

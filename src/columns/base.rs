//! Columns of every row: time, event, message, tags, labels.

use arrow_array::{Int64Array, TimestampMicrosecondArray};

use super::meaning;
use super::words::WordTable;
use super::{Column, View};
use crate::catalog::scenario::Verdict;
use crate::kinds::{ALL, HOSTS, Kinds, Provider, SERVICES, of};

static KINDS: WordTable = WordTable::new(&["alert", "event"]);
pub(super) static OUTCOMES: WordTable = WordTable::new(&["success", "failure"]);
static DATASETS: WordTable = WordTable::new(&["fusionai.alerts", "fusionai.events"]);
static VERDICTS: WordTable = WordTable::new(&Verdict::WORDS);
static ENVIRONMENT: WordTable = WordTable::new(&["production"]);
static SOURCE: WordTable = WordTable::new(&["fusionai_generator"]);
static DATA_SOURCE: WordTable = WordTable::new(&["real_fusion_ai"]);

/// Records without an event code.
pub(super) const UNCODED: Kinds = of(Provider::Syslog) | SERVICES;

/// Whether a rule fired.
#[inline]
pub(super) fn is_alert(v: &View<'_>, row: usize) -> bool {
    v.frame.rule[row].is_some()
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

/// `security` for alerts, otherwise the category of the record.
pub fn event_category(v: &View<'_>) -> Column {
    let category = &v.tables.meanings.category;
    v.texts(&category.table, |r| match is_alert(v, r) {
        true => 0,
        false => category.key(v.frame, r),
    })
}

/// `alert`, otherwise the type of the record.
pub fn event_type(v: &View<'_>) -> Column {
    let change = &v.tables.meanings.change;
    v.texts(&change.table, |r| match is_alert(v, r) {
        true => 0,
        false => change.key(v.frame, r),
    })
}

/// `alert` if a rule fired, otherwise `event`.
pub fn event_kind(v: &View<'_>) -> Column {
    v.texts_by(ALL, KINDS.table(), is_event)
}

/// The rule's severity as a word; null for events.
pub fn event_severity(v: &View<'_>) -> Column {
    v.by_rule(&v.tables.severity_word)
}

/// `allowed` or `blocked` for alerts, otherwise the action of the record.
pub fn event_action(v: &View<'_>) -> Column {
    let action = &v.tables.meanings.action;
    v.texts(&action.table, |r| match is_alert(v, r) {
        true => i32::from(v.frame.blocked[r]),
        false => action.key(v.frame, r),
    })
}

/// Whether the recorded action failed. A blocked action is a failure.
pub(super) fn is_failure(v: &View<'_>, row: usize) -> bool {
    !v.frame.success[row] || v.frame.blocked[row] || v.frame.telemetry[row].is_failure()
}

/// `success` or `failure`.
pub fn event_outcome(v: &View<'_>) -> Column {
    v.texts(OUTCOMES.table(), |r| i32::from(is_failure(v, r)))
}

/// The category's slug.
pub fn event_module(v: &View<'_>) -> Column {
    v.texts_by(ALL, &v.tables.category, |v, r| v.frame.category[r] as i32)
}

/// `fusionai.alerts` or `fusionai.events`.
pub fn event_dataset(v: &View<'_>) -> Column {
    v.texts_by(ALL, DATASETS.table(), is_event)
}

/// The native event id, or the audit record type in lower case; null for syslog, clouds and services.
pub fn event_code(v: &View<'_>) -> Column {
    v.texts_by_kind(!UNCODED, |kind| kind.code)
}

/// The provider of the native record.
pub fn event_provider(v: &View<'_>) -> Column {
    if v.present & SERVICES == 0 {
        return v.texts_by_kind(ALL, meaning::provider);
    }
    let provider = &v.tables.meanings.provider;
    v.texts(&provider.table, |r| provider.key(v.frame, r))
}

/// Unique in the corpus: the partition's index in the high bits, and the ordinal in the low
/// [`ORDINAL_BITS`](crate::plan::ORDINAL_BITS).
pub fn event_sequence(v: &View<'_>) -> Column {
    Column::of(Int64Array::from(v.frame.sequence.clone()))
}

/// The syslog line.
pub fn message(v: &View<'_>) -> Column {
    v.own(const { of(Provider::Syslog) }, &v.frame.message, None)
}

/// Severities, as tags.
pub(super) const SEVERITY_TAGS: [&str; 5] = ["low", "medium", "high", "critical", "informational"];

/// Category, severity, product, location.
pub fn tags(v: &View<'_>) -> Column {
    // Table: product, severities, locations, categories.
    let first_location = 1 + SEVERITY_TAGS.len() as i32;
    let first_category = v.tables.tags.len() as i32 - v.tables.category.len() as i32;
    let severity = &v.tables.severity_word;
    let word_tag: Vec<i32> = severity
        .values
        .as_any()
        .downcast_ref::<arrow_array::StringArray>()
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
        keys.push(first_category + v.frame.category[r] as i32);
        if let Some(rule) = v.frame.rule[r].get() {
            let word = usize::try_from(severity.of[rule.index()]).ok();
            if let Some(tag) = word.and_then(|word| word_tag.get(word)) {
                keys.push(*tag);
            }
        }
        keys.push(0);
        if v.is(r, HOSTS) {
            keys.push(first_location + location[v.frame.host[r].index()]);
        }
    })
}

/// `labels.env`.
pub fn label_environment(v: &View<'_>) -> Column {
    v.constant(ALL, ENVIRONMENT.table())
}

/// `labels.source`.
pub fn label_source(v: &View<'_>) -> Column {
    v.constant(ALL, SOURCE.table())
}

/// `labels.data_source`.
pub fn label_data_source(v: &View<'_>) -> Column {
    v.constant(ALL, DATA_SOURCE.table())
}

/// The verdict that an analyst should reach.
pub fn label_verdict(v: &View<'_>) -> Column {
    v.texts(VERDICTS.table(), |r| v.frame.verdict[r] as i32)
}

/// The benign scenario of a noise row.
pub fn label_noise_type(v: &View<'_>) -> Column {
    v.texts(&v.tables.noise_type, |r| v.frame.noise[r])
}

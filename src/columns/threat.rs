//! Rules, ATT&CK and the chains' labels.

use super::keyed::Entry;
use super::words::WordTable;
use super::{Column, View};
use crate::plan::chains::Stop;

pub(super) const FRAMEWORK: &str = "MITRE ATT&CK";
static STOPS: WordTable = WordTable::new(Stop::WORDS);

/// Key of a per-rule table, −1 for events.
#[inline]
fn rule_key(v: &View<'_>, keys: &[i32], row: usize) -> i32 {
    v.frame.rule[row]
        .get()
        .map_or(-1, |rule| keys[rule.index()])
}

/// Key of the technique of a row's rule, −1 for none.
#[inline]
fn technique_key(v: &View<'_>, row: usize) -> i32 {
    rule_key(v, &v.tables.technique_of_rule, row)
}

/// Key of the tactic of a row's rule, −1 for none.
#[inline]
fn tactic_key(v: &View<'_>, row: usize) -> i32 {
    rule_key(v, &v.tables.tactic_of_rule, row)
}

/// The technique of a row's rule, as an index into the catalog.
#[inline]
pub(super) fn technique(v: &View<'_>, row: usize) -> Option<usize> {
    usize::try_from(technique_key(v, row)).ok()
}

/// `rule.name`, `fusionai.signature`.
pub fn rule_name(v: &View<'_>) -> Column {
    v.by_entry(Entry::Rule, &v.tables.rule_name)
}
/// `rule.id`.
pub fn rule_id(v: &View<'_>) -> Column {
    v.by_rule(&v.tables.rule_id)
}
/// `rule.category`, as the alerts database spells it.
pub fn rule_category(v: &View<'_>) -> Column {
    v.by_rule(&v.tables.rule_category)
}
/// `fusionai.severity`: the number in the alerts database, as a string.
pub fn severity_number(v: &View<'_>) -> Column {
    v.by_rule(&v.tables.rule_severity)
}
/// `fusionai.category`: the slug.
pub fn category(v: &View<'_>) -> Column {
    super::base::event_module(v)
}
/// `fusionai.noise`.
pub fn is_noise(v: &View<'_>) -> Column {
    v.booleans(|r| v.frame.noise[r] >= 0)
}

/// `threat.framework`.
pub fn framework(v: &View<'_>) -> Column {
    v.by_rule(&v.tables.framework)
}
/// `threat.technique.id`.
pub fn technique_id(v: &View<'_>) -> Column {
    v.lists_of_one(&v.tables.technique_id, technique_key)
}
/// `threat.technique.name`: ATT&CK's name.
pub fn technique_name(v: &View<'_>) -> Column {
    v.lists_of_one(&v.tables.technique_name, technique_key)
}
/// `threat.tactic.id`.
pub fn tactic_id(v: &View<'_>) -> Column {
    v.lists_of_one(&v.tables.tactic_id, tactic_key)
}
/// `threat.tactic.name`.
pub fn tactic_name(v: &View<'_>) -> Column {
    v.lists_of_one(&v.tables.tactic_name, tactic_key)
}

fn playbook(v: &View<'_>, row: usize) -> Option<usize> {
    let chain = usize::try_from(v.frame.chain[row]).ok()?;
    Some(v.maker.plan.chains.all[chain].playbook as usize)
}

/// `attack.id`.
pub fn attack_id(v: &View<'_>) -> Column {
    if v.is_without_chains() {
        return v.null_texts();
    }
    v.texts(&v.tables.chain_id, |r| v.frame.chain[r])
}
/// `attack.playbook`.
pub fn attack_playbook(v: &View<'_>) -> Column {
    if v.is_without_chains() {
        return v.null_texts();
    }
    v.texts(&v.tables.playbook, |r| {
        playbook(v, r).map_or(-1, |p| p as i32)
    })
}
/// `attack.stage`: the tactic of the step.
pub fn attack_stage(v: &View<'_>) -> Column {
    if v.is_without_chains() {
        return v.null_texts();
    }
    v.texts(&v.tables.stage, |r| {
        playbook(v, r).map_or(-1, |p| {
            v.tables.stage_first[p] + i32::from(v.frame.step[r]) - 1
        })
    })
}
/// `attack.step`, from 1.
pub fn attack_step(v: &View<'_>) -> Column {
    if v.is_without_chains() {
        return v.null_integers();
    }
    v.integers(super::ALL, |r| {
        (v.frame.chain[r] >= 0).then(|| i64::from(v.frame.step[r]))
    })
}
/// `attack.sequence`: 1..n over the chain's events, sorted by time.
pub fn attack_sequence(v: &View<'_>) -> Column {
    if v.is_without_chains() {
        return v.null_integers();
    }
    v.integers(super::ALL, |r| {
        (v.frame.chain[r] >= 0).then(|| i64::from(v.frame.attack_sequence[r]))
    })
}
/// `attack.stop_reason`.
pub fn stop_reason(v: &View<'_>) -> Column {
    if v.is_without_chains() {
        return v.null_texts();
    }
    v.texts(STOPS.table(), |r| {
        usize::try_from(v.frame.chain[r]).map_or(-1, |c| v.maker.plan.chains.all[c].stop as i32)
    })
}

//! `threat.technique.*`, with sub-techniques in fields of their own.

use arrow_array::ArrayRef;

use crate::columns::threat::technique;
use crate::columns::{Column, View};

fn techniques(v: &View<'_>, values: &ArrayRef) -> Column {
    let t = v.tables.ecs(v.maker);
    v.lists(values, |r, keys| {
        keys.extend(technique(v, r).map(|at| t.technique[at]));
    })
}

fn subtechniques(v: &View<'_>, values: &ArrayRef) -> Column {
    let t = v.tables.ecs(v.maker);
    v.lists(values, |r, keys| {
        let sub = technique(v, r).filter(|&at| t.is_subtechnique[at]);
        keys.extend(sub.map(|at| at as i32));
    })
}

/// `threat.technique.id`.
pub fn technique_id(v: &View<'_>) -> Column {
    techniques(v, &v.tables.technique_id)
}
/// `threat.technique.name`.
pub fn technique_name(v: &View<'_>) -> Column {
    techniques(v, &v.tables.technique_name)
}
/// `threat.technique.subtechnique.id`.
pub fn subtechnique_id(v: &View<'_>) -> Column {
    subtechniques(v, &v.tables.technique_id)
}
/// `threat.technique.subtechnique.name`.
pub fn subtechnique_name(v: &View<'_>) -> Column {
    subtechniques(v, &v.tables.technique_name)
}

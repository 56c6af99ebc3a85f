//! Entities: the world's hosts and accounts, as a CMDB and a directory would list them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use super::file::Written;
use super::truth::write_table;
use crate::catalog::Platform;
use crate::error::Result;
use crate::plan::Plan;
use crate::world::{AccountKind, World};

fn texts<'t>(values: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

/// Writes `entities/assets.parquet`: every host.
///
/// # Errors
/// I/O.
pub fn write_assets(plan: &Plan, world: &World, path: &Path) -> Result<(u64, Written)> {
    let hosts = &world.hosts;
    let each = || hosts.all.iter();
    let machine = |h: usize| &world.accounts[world.accounts.machine(h as u32)];
    let windows = |h: usize| hosts.all[h].platform == Platform::Windows;
    let columns = vec![
        (
            "hostname",
            texts(each().map(|h| Some(h.inventory.name.as_str()))),
        ),
        (
            "ip",
            Arc::new(StringArray::from_iter(
                each().map(|h| Some(h.inventory.ip.to_string())),
            )) as ArrayRef,
        ),
        (
            "asset_type",
            texts(each().map(|h| Some(h.inventory.asset_type.as_str()))),
        ),
        ("role", texts(each().map(|h| Some(h.role.word())))),
        (
            "os",
            texts((0..hosts.len() as u32).map(|h| Some(hosts.system(h).name.as_str()))),
        ),
        (
            "platform",
            texts((0..hosts.len()).map(|h| Some(if windows(h) { "windows" } else { "linux" }))),
        ),
        (
            "criticality",
            texts(each().map(|h| Some(h.inventory.criticality.as_str()))),
        ),
        (
            "location",
            texts(each().map(|h| Some(h.inventory.location.as_str()))),
        ),
        (
            "department",
            texts(each().map(|h| Some(h.inventory.department.as_str()))),
        ),
        (
            "owner",
            texts(each().map(|h| Some(h.inventory.owner.as_str()))),
        ),
        (
            "user",
            texts(each().map(|h| Some(world.accounts[h.user].name.as_str()))),
        ),
        (
            "sid",
            texts((0..hosts.len()).map(|h| windows(h).then(|| machine(h).sid.as_str()))),
        ),
    ];
    write_table(plan, path, columns)
}

/// Writes `entities/users.parquet`: every account that acts, of people, services and machines.
///
/// # Errors
/// I/O.
pub fn write_users(plan: &Plan, world: &World, path: &Path) -> Result<(u64, Written)> {
    let each = || world.accounts.all.iter();
    let kind = |kind: AccountKind| match kind {
        AccountKind::BuiltIn => "built_in",
        AccountKind::User => "user",
        AccountKind::Admin => "admin",
        AccountKind::Service => "service",
        AccountKind::Machine => "machine",
    };
    let columns = vec![
        ("username", texts(each().map(|a| Some(a.name.as_str())))),
        ("kind", texts(each().map(|a| Some(kind(a.kind))))),
        ("domain", texts(each().map(|a| a.domain.as_deref()))),
        (
            "display_name",
            texts(each().map(|a| a.full_name.as_deref())),
        ),
        ("email", texts(each().map(|a| a.email.as_deref()))),
        ("department", texts(each().map(|a| a.department.as_deref()))),
        (
            "sid",
            texts(each().map(|a| (!a.sid.is_empty()).then_some(a.sid.as_str()))),
        ),
        (
            "uid",
            Arc::new(Int64Array::from_iter_values(
                each().map(|a| i64::from(a.uid)),
            )) as ArrayRef,
        ),
        (
            "home_host",
            texts(each().map(|a| a.home.map(|h| world.hosts[h].inventory.name.as_str()))),
        ),
    ];
    write_table(plan, path, columns)
}

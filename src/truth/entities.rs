//! Entities: the world's hosts and accounts, as in a CMDB and a directory.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};

use super::{Columns, batch_of, write_table};
use crate::catalog::Platform;
use crate::corpus::file::{NewFile, Written};
use crate::error::Result;
use crate::ids::HostId;
use crate::plan::Plan;
use crate::world::hosts::Said;
use crate::world::{AccountKind, Hosts, Inventory, World};

fn texts<'t>(values: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    Arc::new(StringArray::from_iter(values))
}

/// Values for reporting hosts, and nulls for the other assets.
fn of_reporting(hosts: &Hosts, values: Vec<Option<&str>>) -> ArrayRef {
    let nothing = hosts.silent.iter().map(|_| None);
    texts(values.into_iter().chain(nothing))
}

/// Writes `entities/assets.parquet`.
///
/// # Errors
/// I/O.
pub fn write_assets(plan: &Plan, world: &World, file: &NewFile<'_>) -> Result<(u64, Written)> {
    write_table(plan, file, asset_columns(world))
}

/// The rows of `entities/assets.parquet`.
///
/// # Errors
/// A required column holds a null, which is a defect.
pub fn assets(world: &World) -> Result<RecordBatch> {
    batch_of(asset_columns(world), Path::new("assets"))
}

/// Every host, then the assets without telemetry, which have no platform and no user. `inventory_*`
/// are the input's words, null if the input has none.
fn asset_columns(world: &World) -> Columns {
    let hosts = &world.hosts;
    let reporting = hosts.ids();
    let inventories = || {
        let silent = hosts.silent.iter().map(|asset| &asset.inventory);
        hosts.all.iter().map(|h| &*h.inventory).chain(silent)
    };
    let of_inventory = |text: for<'i> fn(&'i Inventory) -> &'i str| {
        texts(inventories().map(|inventory| Some(text(inventory))))
    };
    let said = |text: for<'s> fn(&'s Said) -> Option<&'s str>| {
        texts(inventories().map(|inventory| inventory.said.as_deref().and_then(text)))
    };
    let windows = |h: HostId| hosts[h].platform == Platform::Windows;
    vec![
        ("hostname", of_inventory(|i| &i.name)),
        (
            "ip",
            Arc::new(StringArray::from_iter(
                inventories().map(|i| Some(i.ip.to_string())),
            )) as ArrayRef,
        ),
        ("asset_type", of_inventory(|i| &i.asset_type)),
        (
            "role",
            texts(
                (hosts.all.iter().map(|h| Some(h.role.word())))
                    .chain(hosts.silent.iter().map(|asset| Some(asset.kind.word()))),
            ),
        ),
        (
            "os",
            texts(
                (reporting
                    .clone()
                    .map(|h| Some(hosts.system(h).name.as_str())))
                .chain(
                    hosts
                        .silent
                        .iter()
                        .map(|asset| asset.inventory.said.as_deref()?.os.as_deref()),
                ),
            ),
        ),
        (
            "platform",
            of_reporting(
                hosts,
                (reporting.clone())
                    .map(|h| Some(if windows(h) { "windows" } else { "linux" }))
                    .collect(),
            ),
        ),
        ("criticality", of_inventory(|i| &i.criticality)),
        ("location", of_inventory(|i| &i.location)),
        ("department", of_inventory(|i| &i.department)),
        ("owner", of_inventory(|i| &i.owner)),
        (
            "user",
            of_reporting(
                hosts,
                (hosts.all.iter())
                    .map(|h| Some(world.accounts[h.user].name.as_str()))
                    .collect(),
            ),
        ),
        (
            "sid",
            of_reporting(
                hosts,
                (reporting.clone())
                    .map(|h| {
                        let machine = &world.accounts[world.accounts.machine(h)];
                        windows(h).then_some(machine.sid.as_str())
                    })
                    .collect(),
            ),
        ),
        (
            "telemetry",
            Arc::new(BooleanArray::from_iter(
                (reporting.clone().map(|_| Some(true)))
                    .chain(hosts.silent.iter().map(|_| Some(false))),
            )) as ArrayRef,
        ),
        (
            "source",
            texts(inventories().map(|inventory| {
                Some(match inventory.said {
                    Some(_) => "inventory",
                    None => "generated",
                })
            })),
        ),
        ("inventory_type", said(|s| s.asset_type.as_deref())),
        ("inventory_os", said(|s| s.os.as_deref())),
        ("inventory_location", said(|s| s.location.as_deref())),
        ("inventory_department", said(|s| s.department.as_deref())),
        ("inventory_owner", said(|s| s.owner.as_deref())),
    ]
}

/// Writes `entities/users.parquet`: every account of people, services and machines.
///
/// # Errors
/// I/O.
pub fn write_users(plan: &Plan, world: &World, file: &NewFile<'_>) -> Result<(u64, Written)> {
    let each = || world.accounts.all.iter();
    let kind = |kind: AccountKind| match kind {
        AccountKind::BuiltIn => "built_in",
        AccountKind::User => "user",
        AccountKind::Admin => "admin",
        AccountKind::Service => "service",
        AccountKind::Machine => "machine",
        AccountKind::Disabled => "disabled",
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
    write_table(plan, file, columns)
}

//! `host.*`, `user.*` and the asset's fields.

use arrow_array::ListArray;
use arrow_buffer::{OffsetBuffer, ScalarBuffer};

use super::keyed::Entry;
use super::{Column, View, list_item};
use crate::kinds::{HOSTS, SERVICES, WINDOWS};

/// `host.name`, `host.hostname`.
pub fn host_name(v: &View<'_>) -> Column {
    v.by_entry(Entry::Host, &v.tables.host_name)
}
/// `winlog.computer_name`.
pub fn computer_name(v: &View<'_>) -> Column {
    v.texts_of(WINDOWS, &v.tables.computer_name, |r| v.frame.host[r].key())
}
/// `host.ip`, a list of one.
pub fn host_ip(v: &View<'_>) -> Column {
    if v.present & SERVICES != 0 {
        return v.lists(&v.tables.address, |r, keys| {
            if v.is(r, HOSTS) {
                keys.push(v.frame.host[r].key());
            }
        });
    }
    // Every row of this frame has a host, so the items share the host's key buffer.
    let items = v.by_entry(Entry::Host, &v.tables.address).into_array();
    let offsets: ScalarBuffer<i32> = (0..=v.len() as i32).collect::<Vec<_>>().into();
    Column::of(ListArray::new(
        list_item(),
        OffsetBuffer::new(offsets),
        items,
        None,
    ))
}
/// `host.type`.
pub fn host_type(v: &View<'_>) -> Column {
    v.by_host(&v.tables.host_type)
}
/// `host.os.name`.
pub fn os_name(v: &View<'_>) -> Column {
    v.by_host(&v.tables.os_name)
}
/// `host.os.platform`.
pub fn os_platform(v: &View<'_>) -> Column {
    v.by_host(&v.tables.platform)
}
/// `host.risk.static_level`.
pub fn risk(v: &View<'_>) -> Column {
    v.by_host(&v.tables.risk)
}
/// `fusionai.asset_owner`.
pub fn asset_owner(v: &View<'_>) -> Column {
    v.by_entry(Entry::Host, &v.tables.owner)
}
/// `fusionai.asset_location`.
pub fn asset_location(v: &View<'_>) -> Column {
    v.by_host(&v.tables.location)
}
/// `fusionai.asset_department`.
pub fn asset_department(v: &View<'_>) -> Column {
    v.by_host(&v.tables.department)
}
/// `user.name`.
pub fn user_name(v: &View<'_>) -> Column {
    v.by_entry(Entry::User, &v.tables.account_name)
}
/// `user.domain`.
pub fn user_domain(v: &View<'_>) -> Column {
    v.by_user(&v.tables.account_domain)
}
/// `user.email`; only people have one.
pub fn user_email(v: &View<'_>) -> Column {
    v.by_user(&v.tables.account_email)
}
/// `user.department`.
pub fn user_department(v: &View<'_>) -> Column {
    v.by_user(&v.tables.account_department)
}
/// `user.full_name`.
pub fn user_full_name(v: &View<'_>) -> Column {
    v.by_user(&v.tables.account_full_name)
}

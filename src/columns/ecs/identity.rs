//! Fields of `host.*` and `user.*` that the `fusionai` schema does not have.

use super::EcsTables;
use crate::columns::cloud::principal;
use crate::columns::words::WordTable;
use crate::columns::{Column, View};
use crate::frame::NONE;
use crate::kinds::{HOSTS, SERVICES};

static ARCHITECTURE: WordTable = WordTable::new(&["x86_64"]);

fn tables<'v>(v: &'v View<'_>) -> &'v EcsTables {
    v.tables.ecs(v.maker)
}

/// `host.id`: the machine id.
pub fn host_id(v: &View<'_>) -> Column {
    v.texts_of(HOSTS, &tables(v).host_id, |r| v.frame.host[r].key())
}
/// `host.architecture`.
pub fn architecture(v: &View<'_>) -> Column {
    v.constant(HOSTS, ARCHITECTURE.table())
}
/// `host.os.platform`: `windows`, or the distribution: `ubuntu`, `rhel`.
pub fn os_platform(v: &View<'_>) -> Column {
    v.by_host(&tables(v).os_platform)
}
/// `host.os.family`: `windows`, `debian`, `redhat`.
pub fn os_family(v: &View<'_>) -> Column {
    v.by_host(&tables(v).os_family)
}
/// `host.os.version`.
pub fn os_version(v: &View<'_>) -> Column {
    v.by_host(&tables(v).os_version)
}
/// `host.os.kernel`: the build of Windows.
pub fn os_kernel(v: &View<'_>) -> Column {
    v.by_host(&tables(v).os_kernel)
}
/// `user.id`: the SID on Windows, the uid on Linux, the principal id in a cloud.
pub fn user_id(v: &View<'_>) -> Column {
    let t = tables(v);
    let known = |r: usize| {
        let linux = t.is_linux[v.frame.host[r].index()];
        v.frame.user[r].key() + if linux { t.accounts } else { 0 }
    };
    v.blend(HOSTS, &t.user_id, known, SERVICES, |r, out| {
        out.extend_from_slice(principal(v, r).unwrap_or_default().as_bytes());
    })
}
/// `user.domain`: the NetBIOS name, as Windows writes it; none on Linux.
pub fn user_domain(v: &View<'_>) -> Column {
    let t = tables(v);
    let (keys, values) = &t.user_domain;
    v.texts_of(HOSTS, values, |r| {
        match t.is_linux[v.frame.host[r].index()] {
            true => NONE,
            false => keys[v.frame.user[r].index()],
        }
    })
}

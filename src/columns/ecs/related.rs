//! `related.*`: values that an analyst pivots on, from all fields of the event.

use super::network::{destination, source};
use crate::columns::network::DNS;
use crate::columns::{Column, View, own_values};
use crate::frame::NONE;
use crate::kinds::HOSTS;

/// Key of the reporting host; records of clouds have none.
fn host(v: &View<'_>, row: usize) -> i32 {
    match v.is(row, HOSTS) {
        true => v.frame.host[row].key(),
        false => NONE,
    }
}

/// `related.ip`: both ends, the host's address, and the address that a name resolved to.
pub fn ip(v: &View<'_>) -> Column {
    let t = v.tables.ecs(v.maker);
    v.lists(&v.tables.address, |r, keys| {
        let first = keys.len();
        let answer = if v.is(r, DNS) {
            v.frame.answer[r]
        } else {
            NONE
        };
        let seen = [source(v, t, r), destination(v, t, r), host(v, r), answer];
        for address in seen {
            if address != NONE && !keys[first..].contains(&address) {
                keys.push(address);
            }
        }
    })
}

/// `related.user`.
pub fn user(v: &View<'_>) -> Column {
    v.lists(&v.tables.account_name, |r, keys| {
        keys.push(v.frame.user[r].key())
    })
}

/// `related.hosts`: the host's name, and the name of a DNS query.
pub fn hosts(v: &View<'_>) -> Column {
    let hosts = v.tables.host_name.len() as i32;
    let values = match v.present & DNS {
        0 => v.tables.host_name.clone(),
        _ => own_values(&v.frame.query, Some(&v.tables.host_name), |text| text),
    };
    v.lists(&values, |r, keys| {
        keys.extend(Some(host(v, r)).filter(|host| *host != NONE));
        if v.is(r, DNS) && v.frame.query.key(r) != NONE {
            keys.push(hosts + v.frame.query.key(r));
        }
    })
}

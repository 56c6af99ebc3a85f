//! Fills catalog templates.

use super::scene::{Scene, SceneSlot as Slot};
use super::words::*;
use super::{NONE, TextColumn};
use crate::catalog::{Catalog, Names, Placeholder, Platform, Purpose, Template, template::Piece};
use crate::ids::{AccountId, HostId};
use crate::random::Key;
use crate::world::{AccountKind, World};

/// The benign service that a scene talks to.
pub(super) fn service(names: &Names, scene: &Scene<'_>) -> u32 {
    // The lesser of two uniform draws: popularity falls with rank.
    let n = names.services.len() as u64;
    let draw = |slot| scene.key.below(slot, n);
    draw(Slot::ServiceRank).min(draw(Slot::OtherServiceRank)) as u32
}

/// Fills templates for one scene.
pub(super) struct Texts<'m, 's> {
    world: &'m World,
    names: &'m Names,
    scene: &'s Scene<'s>,
    host: HostId,
    account: AccountId,
    pub source: i32,
    pub destination: i32,
    pub client_port: i32,
    pub pid: u32,
    /// Unix microseconds.
    pub time: i64,
}

impl<'m, 's> Texts<'m, 's> {
    /// Texts of a scene whose actor is `account` on `host`.
    pub fn new(
        (world, catalog): (&'m World, &'m Catalog),
        scene: &'s Scene<'s>,
        host: HostId,
        account: AccountId,
    ) -> Self {
        Texts {
            world,
            names: &catalog.names,
            scene,
            host,
            account,
            source: NONE,
            destination: NONE,
            client_port: NONE,
            pid: 0,
            time: 0,
        }
    }

    /// The text of a template.
    pub fn text(&self, template: &Template) -> String {
        let mut text = String::new();
        self.render(template, &mut text);
        text
    }

    /// Adds the text of a template to a column; returns its key.
    pub fn add(&self, column: &mut TextColumn, template: &Template) -> i32 {
        column.write(|out| self.render(template, out))
    }

    /// Sets a row of a column to the text of a template.
    pub fn set(&self, column: &mut TextColumn, row: usize, template: &Template) {
        let key = self.add(column, template);
        column.set_key(row, key);
    }

    /// Appends the text of a template.
    fn render(&self, template: &Template, out: &mut String) {
        let mut encoded_from = out.len();
        for piece in &template.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(Placeholder::EncodedStart) => encoded_from = out.len(),
                Piece::Value(Placeholder::EncodedEnd) => {
                    let script = out.split_off(encoded_from);
                    push_base64_utf16(out, &script);
                }
                Piece::Choice { words, salt } => {
                    let at = self.scene.key.key().below(*salt, words.len() as u64);
                    out.push_str(&words[at as usize]);
                }
                Piece::Value(placeholder) => self.value(*placeholder, out),
            }
        }
    }

    fn host_at(&self, k: u8) -> HostId {
        self.scene.hosts[(k as usize).min(self.scene.hosts.len() - 1)]
    }

    fn push_address(&self, address: i32, out: &mut String) {
        match self.world.addresses.texts.get(address as usize) {
            Some(text) if address >= 0 => out.push_str(text),
            _ => out.push('-'),
        }
    }

    /// Appends `n` letters of a set, each from a draw of its own.
    fn letters(key: Key, n: u8, set: &[u8], out: &mut String) {
        for i in 0..u64::from(n) {
            // Point hashes of neighbours differ by even steps, so each letter has a key of its own.
            out.push(set[key.with(i).below(0, set.len() as u64) as usize] as char);
        }
    }

    fn value(&self, placeholder: Placeholder, out: &mut String) {
        let world = self.world;
        let names = self.names;
        let key = self.scene.key;
        let adversary = self.scene.adversary;
        let account = &world.accounts[self.account];
        match placeholder {
            Placeholder::User => {
                // Built-in accounts have no profile of their own worth a path.
                let actor = if account.kind == AccountKind::BuiltIn
                    && world.hosts[self.host].platform == Platform::Windows
                {
                    &world.accounts[self.scene.user].name
                } else {
                    &account.name
                };
                out.push_str(actor);
            }
            Placeholder::Email => {
                let victim = &world.accounts[self.scene.user];
                match &victim.email {
                    Some(email) => out.push_str(email),
                    None => {
                        out.push_str(&victim.name);
                        out.push('@');
                        out.push_str(&world.domain.dns);
                    }
                }
            }
            Placeholder::Domain => out.push_str(&world.domain.dns),
            Placeholder::Netbios => out.push_str(&world.domain.netbios),
            Placeholder::Host => out.push_str(&world.hosts[self.host].inventory.name),
            Placeholder::HostIp => {
                self.push_address(world.addresses.of_host(self.host) as i32, out)
            }
            Placeholder::ChainHost(k) => out.push_str(&world.hosts[self.host_at(k)].inventory.name),
            Placeholder::ChainHostIp(k) => {
                self.push_address(world.addresses.of_host(self.host_at(k)) as i32, out)
            }
            Placeholder::Sid => out.push_str(&account.sid),
            Placeholder::Uid => push_number(out, u64::from(account.uid)),
            Placeholder::SourceIp => self.push_address(self.source, out),
            Placeholder::DestinationIp => self.push_address(self.destination, out),
            Placeholder::SourcePort => push_number(out, self.client_port.max(0) as u64),
            Placeholder::C2Ip => self.push_address(
                world.addresses.adversary(adversary, Purpose::C2) as i32,
                out,
            ),
            Placeholder::DownloadIp => {
                self.push_address(
                    world.addresses.adversary(adversary, Purpose::Download) as i32,
                    out,
                );
            }
            Placeholder::ExfilIp => {
                self.push_address(
                    world.addresses.adversary(adversary, Purpose::Exfil) as i32,
                    out,
                );
            }
            Placeholder::ScanIp => self.push_address(
                world.addresses.adversary(adversary, Purpose::Scan) as i32,
                out,
            ),
            Placeholder::C2Domain => world.adversaries.domain(adversary, Purpose::C2, out),
            Placeholder::DownloadDomain => {
                world.adversaries.domain(adversary, Purpose::Download, out)
            }
            Placeholder::ExfilDomain => world.adversaries.domain(adversary, Purpose::Exfil, out),
            Placeholder::Dga => {
                let bits = key
                    .part(Slot::GeneratedDomain)
                    .at(u64::from(self.scene.round));
                world.adversaries.generated(adversary, bits, out);
            }
            Placeholder::Service => {
                out.push_str(&names.services[service(names, self.scene) as usize])
            }
            Placeholder::Cdn => {
                Self::letters(
                    key.nth(Slot::CdnLabel, 13),
                    13,
                    b"0123456789abcdefghijklmnopqrstuvwxyz",
                    out,
                );
                out.push_str(
                    [
                        ".cloudfront.net",
                        ".azureedge.net",
                        ".akamaiedge.net",
                        ".fastly-edge.com",
                    ][key.below(Slot::CdnDomain, 4) as usize],
                );
            }
            Placeholder::Payload => {
                out.push_str(
                    PAYLOADS[key.below(Slot::PayloadStem, PAYLOADS.len() as u64) as usize],
                );
                if key.below(Slot::PayloadIsNumbered, 2) == 0 {
                    push_number(out, 1 + key.below(Slot::PayloadNumber, 99));
                }
            }
            Placeholder::Document => {
                out.push_str(
                    &names.documents
                        [key.below(Slot::Document, names.documents.len() as u64) as usize],
                );
            }
            Placeholder::Folder => {
                // `document` takes another word of the same list.
                let n = names.documents.len() as u64;
                let document = key.below(Slot::Document, n);
                let folder = (document + 1 + key.apart(Slot::Folder, (n - 1).max(1))) % n;
                out.push_str(&names.documents[folder as usize]);
            }
            Placeholder::Found(n) => {
                let key = key.nth(Slot::Found, n);
                push_found(key.with(u64::from(self.scene.round)), &names.documents, out);
            }
            Placeholder::FoundIn(n) => {
                let round = match n {
                    0..=4 => self.scene.round / 7,
                    _ => self.scene.round,
                };
                let key = key.nth(Slot::FoundIn, n);
                push_folders(key.with(u64::from(round)), &names.documents, out);
            }
            Placeholder::Principal => {
                let count = PRINCIPALS.len() as u64;
                let round = u64::from(self.scene.round);
                let nth = key.apart(Slot::Principal, count) + round * 7;
                out.push_str("svc_");
                out.push_str(PRINCIPALS[(nth % count) as usize]);
                if round >= count {
                    push_number(out, round / count + 1);
                }
            }
            Placeholder::Newcomer => {
                let key = key.part(Slot::Newcomer);
                let name = |list: &[String], at| {
                    list[key.with(at).below(0, list.len() as u64) as usize].to_lowercase()
                };
                out.push_str(&name(&names.given, 0));
                out.push('.');
                out.push_str(&name(&names.family, 1));
            }
            Placeholder::Admin => out.push_str(&world.accounts[self.scene.admin].name),
            Placeholder::Task => {
                out.push_str(TASKS[key.below(Slot::TaskStem, 16) as usize]);
                out.push_str(
                    ["Service", "Agent", "Helper", "Task", "Host", "Manager"]
                        [key.below(Slot::TaskEnd, 6) as usize],
                );
            }
            Placeholder::Hex(n) => Self::letters(key.nth(Slot::Hex, n), n, HEX, out),
            Placeholder::Letters(n) => Self::letters(
                key.nth(Slot::Letters, n),
                n,
                b"abcdefghijklmnopqrstuvwxyz",
                out,
            ),
            Placeholder::Digits(n) => {
                // The first digit of a number isn't 0.
                let first = key.nth(Slot::Digits, n).below(u64::MAX, 9);
                out.push(char::from(b'1' + first as u8));
                let others = n - 1;
                Self::letters(key.nth(Slot::Digits, others), others, b"0123456789", out);
            }
            Placeholder::Guid => {
                let from = out.len();
                for (i, n) in [8u8, 4, 4, 4, 12].into_iter().enumerate() {
                    if i > 0 {
                        out.push('-');
                    }
                    let group = Slot::Guid as u64 + ((i as u64) << 8);
                    let key = key.key().with(group | u64::from(n));
                    // Version 4 (RFC 9562): random but for two digits.
                    match i {
                        2 => out.push('4'),
                        3 => Self::letters(key, 1, b"89ab", out),
                        _ => Self::letters(key, 1, HEX, out),
                    }
                    Self::letters(key.with(u64::from(n)), n - 1, HEX, out);
                }
                if world.hosts[self.host].platform == Platform::Windows {
                    out[from..].make_ascii_uppercase();
                }
            }
            Placeholder::Organization => {
                out.push_str(&world.domain.netbios.to_lowercase());
            }
            Placeholder::AccountId => {
                let home = world.cloud.home(&world.accounts, self.account);
                out.push_str(world.cloud.account_id(home));
            }
            Placeholder::AccessKey => out.push_str(&world.cloud.access_key(self.account)),
            Placeholder::Pid => push_number(out, u64::from(self.pid)),
            Placeholder::LogTime => push_log_time(out, self.time),
            Placeholder::LogMinute => push_log_minute(out, self.time),
            Placeholder::UnixTime => push_hex(out, (self.time / 1_000_000) as u64, 8),
            Placeholder::FileTime => {
                let time = file_time(self.time);
                out.push_str("0x");
                push_hex(out, time >> 32, 8);
                out.push_str("-0x");
                push_hex(out, time & u64::from(u32::MAX), 8);
            }
            Placeholder::FileTimeDigits => {
                let from = out.len();
                push_hex(out, file_time(self.time), 16);
                out[from..].make_ascii_uppercase();
            }
            Placeholder::Round => push_number(out, u64::from(self.scene.round) + 1),
            Placeholder::EncodedStart | Placeholder::EncodedEnd => {}
        }
    }
}

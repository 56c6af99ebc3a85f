//! Texts: templates filled in.

use chrono::{Datelike, Timelike};

use super::TextColumn;
use super::maker::Maker;
use super::record::Scene;
use crate::catalog::{Placeholder, Platform, Purpose, Template, template::Piece};
use crate::numbers::decimal;
use crate::random::{Key, below};

/// Fills templates for one scene.
pub struct Texts<'m, 's> {
    maker: &'m Maker,
    scene: &'m Scene<'s>,
    host: u32,
    account: u32,
    pub source: i32,
    pub destination: i32,
    pub client_port: i32,
    pub pid: u32,
    /// Unix microseconds.
    pub time: i64,
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Stems that droppers give their files: near misses of well-known names.
const PAYLOADS: [&str; 24] = [
    "svchelper",
    "winupdate",
    "onedrivesync",
    "teamsupdate",
    "chromeupd",
    "adobearm",
    "javaupd",
    "msofficehelper",
    "driverhost",
    "netcfgsvc",
    "audiosrv",
    "printspool",
    "wmiadapter",
    "taskrunner",
    "sysmonitor",
    "edgeupdater",
    "invoice_viewer",
    "docrender",
    "pdfconv",
    "zoomhelper",
    "vpnagent",
    "certsync",
    "timesvc",
    "cachemgr",
];
/// Halves of service and task names.
const TASKS: [&str; 16] = [
    "Update",
    "Sync",
    "Telemetry",
    "Maintenance",
    "Health",
    "Inventory",
    "Cache",
    "License",
    "Audio",
    "Display",
    "Network",
    "Print",
    "Report",
    "Backup",
    "Index",
    "Policy",
];

/// The benign service that a scene talks to.
pub fn service(maker: &Maker, scene: &Scene<'_>) -> u32 {
    // Popularity falls with rank: the lesser of two uniform draws, squared into the list.
    let n = maker.catalog.names.services.len() as u64;
    let (a, b) = (scene.key.below(0x5e1, n), scene.key.below(0x5e2, n));
    a.min(b) as u32
}

/// The hexadecimal digits of each byte, the low one first.
const DIGITS: [[u8; 2]; 256] = {
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [
            HEX[byte & 15].to_ascii_uppercase(),
            HEX[byte >> 4].to_ascii_uppercase(),
        ];
        byte += 1;
    }
    digits
};

/// Sysmon's `Hashes` of an executable that isn't part of Windows, from its key.
pub fn hashes(key: Key) -> String {
    let mut text = String::with_capacity(170);
    for (i, (name, length)) in [("SHA1", 40), ("MD5", 32), ("SHA256", 64), ("IMPHASH", 32)]
        .into_iter()
        .enumerate()
    {
        if i > 0 {
            text.push(',');
        }
        text.push_str(name);
        text.push('=');
        let key = key.with(i as u64);
        let mut digits = [0; 64];
        for (word, part) in digits[..length].chunks_mut(16).enumerate() {
            let bytes = key.at(word as u64).to_le_bytes();
            for (pair, byte) in part.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
                *pair = DIGITS[usize::from(byte)];
            }
        }
        text.push_str(std::str::from_utf8(&digits[..length]).unwrap_or_default());
    }
    text
}

impl<'m, 's> Texts<'m, 's> {
    pub fn new(maker: &'m Maker, scene: &'m Scene<'s>, host: u32, account: u32) -> Self {
        Texts {
            maker,
            scene,
            host,
            account,
            source: super::NONE,
            destination: super::NONE,
            client_port: super::NONE,
            pid: 0,
            time: 0,
        }
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
                    let at = self.scene.key.below(*salt, words.len() as u64);
                    out.push_str(&words[at as usize]);
                }
                Piece::Value(placeholder) => self.value(*placeholder, out),
            }
        }
    }

    fn host_at(&self, k: u8) -> u32 {
        self.scene.hosts[(k as usize).min(self.scene.hosts.len() - 1)]
    }

    fn push_address(&self, address: i32, out: &mut String) {
        match self.maker.world.addresses.texts.get(address as usize) {
            Some(text) if address >= 0 => out.push_str(text),
            _ => out.push('-'),
        }
    }

    fn digits(&self, salt: u64, n: u8, set: &[u8], out: &mut String) {
        let key = self.scene.key.with(salt << 8 | u64::from(n));
        for i in 0..u64::from(n) {
            // Neighbouring point hashes step evenly; a key of its own makes each letter independent.
            out.push(set[key.with(i).below(0, set.len() as u64) as usize] as char);
        }
    }

    fn value(&self, placeholder: Placeholder, out: &mut String) {
        let world = &self.maker.world;
        let names = &self.maker.catalog.names;
        let key = self.scene.key;
        let adversary = self.scene.adversary;
        let account = &world.accounts[self.account];
        match placeholder {
            Placeholder::User => {
                // Built-in accounts have no profile of their own worth a path.
                let actor = if account.kind == crate::world::AccountKind::BuiltIn
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
            Placeholder::HostIp => self.push_address(self.host as i32, out),
            Placeholder::ChainHost(k) => out.push_str(&world.hosts[self.host_at(k)].inventory.name),
            Placeholder::ChainHostIp(k) => self.push_address(self.host_at(k) as i32, out),
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
                let bits = key.at2(0xd6a, u64::from(self.scene.round));
                world.adversaries.generated(adversary, bits, out);
            }
            Placeholder::Service => {
                out.push_str(&names.services[service(self.maker, self.scene) as usize])
            }
            Placeholder::Cdn => {
                self.digits(0xcd, 13, b"0123456789abcdefghijklmnopqrstuvwxyz", out);
                out.push_str(
                    [
                        ".cloudfront.net",
                        ".azureedge.net",
                        ".akamaiedge.net",
                        ".fastly-edge.com",
                    ][key.below(0xcd0, 4) as usize],
                );
            }
            Placeholder::Payload => {
                out.push_str(PAYLOADS[key.below(0xba1, PAYLOADS.len() as u64) as usize]);
                if key.below(0xba2, 2) == 0 {
                    push_number(out, 1 + key.below(0xba3, 99));
                }
            }
            Placeholder::Document => {
                out.push_str(
                    &names.documents[key.below(0xd0c, names.documents.len() as u64) as usize],
                );
            }
            Placeholder::Folder => {
                // The document's is the word at `document`: this one stands elsewhere in the list.
                let n = names.documents.len() as u64;
                let document = key.below(0xd0c, n);
                let folder = (document + 1 + key.with(0xf01d).below(0, (n - 1).max(1))) % n;
                out.push_str(&names.documents[folder as usize]);
            }
            Placeholder::Found(n) => {
                let key = key.with(0xf0d << 8 | u64::from(n));
                push_found(key.with(u64::from(self.scene.round)), &names.documents, out);
            }
            Placeholder::FoundIn(n) => {
                let round = match n {
                    0..=4 => self.scene.round / 7,
                    _ => self.scene.round,
                };
                let key = key.with(0xf1d << 8 | u64::from(n));
                push_folders(key.with(u64::from(round)), &names.documents, out);
            }
            Placeholder::Principal => {
                let count = PRINCIPALS.len() as u64;
                let round = u64::from(self.scene.round);
                let nth = key.with(0x5b4).below(0, count) + round * 7;
                out.push_str("svc_");
                out.push_str(PRINCIPALS[(nth % count) as usize]);
                if round >= count {
                    push_number(out, round / count + 1);
                }
            }
            Placeholder::Newcomer => {
                let key = key.with(0x0e3c);
                let name = |list: &[String], at| {
                    list[key.with(at).below(0, list.len() as u64) as usize].to_lowercase()
                };
                out.push_str(&name(&names.given, 0));
                out.push('.');
                out.push_str(&name(&names.family, 1));
            }
            Placeholder::Admin => out.push_str(&world.accounts[self.scene.admin].name),
            Placeholder::Task => {
                out.push_str(TASKS[key.below(0x7a5, 16) as usize]);
                out.push_str(
                    ["Service", "Agent", "Helper", "Task", "Host", "Manager"]
                        [key.below(0x7a6, 6) as usize],
                );
            }
            Placeholder::Hex(n) => self.digits(0x4e, n, HEX, out),
            Placeholder::Letters(n) => self.digits(0x1e, n, b"abcdefghijklmnopqrstuvwxyz", out),
            Placeholder::Digits(n) => {
                // A number: its first digit isn't 0.
                let first = self
                    .scene
                    .key
                    .with(0xd1 << 8 | u64::from(n))
                    .below(u64::MAX, 9);
                out.push(char::from(b'1' + first as u8));
                self.digits(0xd1, n - 1, b"0123456789", out);
            }
            Placeholder::Guid => {
                for (i, n) in [8u8, 4, 4, 4, 12].into_iter().enumerate() {
                    if i > 0 {
                        out.push('-');
                    }
                    self.digits(0x60d0 + i as u64, n, HEX, out);
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
            Placeholder::Round => push_number(out, u64::from(self.scene.round) + 1),
            Placeholder::EncodedStart | Placeholder::EncodedEnd => {}
        }
    }
}

/// What services with accounts of their own are for. Their number has no factor 7, by which rounds
/// step through them.
const PRINCIPALS: [&str; 30] = [
    "sql",
    "sqlrep",
    "sqlagent",
    "ssrs",
    "sharepoint",
    "spfarm",
    "erp",
    "erpdb",
    "crm",
    "iis",
    "webapp",
    "adfs",
    "scom",
    "sccm",
    "wsus",
    "backup",
    "exchange",
    "print",
    "scan",
    "tableau",
    "jira",
    "confluence",
    "jenkins",
    "gitlab",
    "vpn",
    "citrix",
    "vcenter",
    "oracle",
    "mdm",
    "fax",
];
/// Departments, as the folders of a share name them.
const DEPARTMENTS: [&str; 8] = [
    "Finance",
    "HR",
    "Sales",
    "Projects",
    "Engineering",
    "Legal",
    "Marketing",
    "Operations",
];
/// What people keep on a share, by how much of it there is.
const EXTENSIONS: [&str; 16] = [
    "docx", "docx", "docx", "docx", "xlsx", "xlsx", "xlsx", "xlsx", "pdf", "pdf", "pdf", "pptx",
    "pptx", "jpg", "csv", "txt",
];

/// Appends a file's name as people give them.
fn push_found(key: Key, words: &[String], out: &mut String) {
    let word = |n| &words[key.with(n).below(0, words.len() as u64) as usize];
    out.push_str(word(0));
    match key.with(2).below(0, 8) {
        0 | 1 => {
            out.push('_');
            out.push_str(word(1));
        }
        2 | 3 => {
            out.push(' ');
            out.push_str(word(1));
            out.push_str([" final", " v2", " v3", " draft"][key.with(3).below(0, 4) as usize]);
        }
        4 | 5 => {
            out.push('_');
            push_number(out, 2018 + key.with(4).below(0, 7));
            out.push('-');
            push_number(out, 10 + key.with(5).below(0, 3));
            out.push('_');
            out.push_str(word(1));
        }
        _ => {
            out.push('-');
            push_number(out, 100 + key.with(6).below(0, 9_900));
        }
    }
    out.push('.');
    out.push_str(EXTENSIONS[key.with(7).below(0, EXTENSIONS.len() as u64) as usize]);
}

/// Appends the folders of a share that lead to a file.
fn push_folders(key: Key, words: &[String], out: &mut String) {
    out.push_str(DEPARTMENTS[key.with(0).below(0, DEPARTMENTS.len() as u64) as usize]);
    let depth = key.with(1).below(0, 4);
    if depth & 1 == 1 {
        out.push('\\');
        push_number(out, 2019 + key.with(2).below(0, 6));
    }
    if depth > 0 {
        out.push('\\');
        out.push_str(&words[key.with(3).below(0, words.len() as u64) as usize]);
    }
}

/// Appends a decimal number.
pub fn push_number(out: &mut String, number: u64) {
    out.push_str(std::str::from_utf8(decimal(number, &mut [0; 20])).unwrap_or_default());
}

/// Appends base64 of the text's UTF-16LE bytes, as PowerShell's -EncodedCommand takes it.
fn push_base64_utf16(out: &mut String, text: &str) {
    const SET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |a: u8, b: u8, c: u8| {
        let word = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
        [18, 12, 6, 0].map(|place| SET[(word >> place & 63) as usize])
    };
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend(text.encode_utf16().map(u16::to_le_bytes));
    let bytes = bytes.into_flattened();
    let (whole, rest) = bytes.as_chunks::<3>();
    let mut encoded: Vec<[u8; 4]> = whole.iter().map(|&[a, b, c]| digits(a, b, c)).collect();
    match *rest {
        [a, b] => {
            let [first, second, third, _] = digits(a, b, 0);
            encoded.push([first, second, third, b'=']);
        }
        [a] => {
            let [first, second, ..] = digits(a, 0, 0);
            encoded.push([first, second, b'=', b'=']);
        }
        _ => {}
    }
    out.push_str(std::str::from_utf8(encoded.as_flattened()).unwrap_or_default());
}

/// Appends a decimal number of at least so many digits.
pub fn push_padded(out: &mut String, number: u64, digits: u32) {
    for place in (1..digits).rev() {
        if number < 10u64.pow(place) {
            out.push('0');
        }
    }
    push_number(out, number);
}

/// Appends a time as web servers log it: `12/Aug/2024:10:21:44 +0000`.
pub fn push_log_time(out: &mut String, time: i64) {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let time = chrono::DateTime::from_timestamp_micros(time).unwrap_or_default();
    push_padded(out, time.day().into(), 2);
    out.push('/');
    out.push_str(MONTHS[time.month0() as usize]);
    out.push('/');
    push_padded(out, time.year().max(0) as u64, 4);
    for part in [time.hour(), time.minute(), time.second()] {
        out.push(':');
        push_padded(out, part.into(), 2);
    }
    out.push_str(" +0000");
}

/// Uniform choice from a list.
pub fn choose<T>(list: &[T], bits: u64) -> &T {
    &list[below(bits, list.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_commands_are_base64_of_utf16() {
        let mut out = String::new();
        push_base64_utf16(&mut out, "whoami");
        assert_eq!(out, "dwBoAG8AYQBtAGkA");
        out.clear();
        push_base64_utf16(&mut out, "dir");
        assert_eq!(out, "ZABpAHIA");
        out.clear();
        push_base64_utf16(&mut out, "a");
        assert_eq!(out, "YQA=");
    }

    #[test]
    fn files_that_are_found_differ() {
        let words: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
        let mut names = std::collections::BTreeSet::new();
        for round in 0..1000 {
            let mut name = String::new();
            push_found(Key::root(1).with(round), &words, &mut name);
            names.insert(name);
        }
        assert!(names.len() > 970, "{}", names.len());
    }

    #[test]
    fn hashes_have_their_lengths() {
        let text = hashes(Key::root(1));
        let lengths: Vec<(&str, usize)> = text
            .split(',')
            .map(|h| h.split_once('=').map_or(("", 0), |(n, v)| (n, v.len())))
            .collect();
        assert_eq!(
            lengths,
            [("SHA1", 40), ("MD5", 32), ("SHA256", 64), ("IMPHASH", 32)]
        );
    }
}

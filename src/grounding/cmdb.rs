//! Hosts from an inventory's export, as CSV.
//!
//! Name and address are mandatory: without an address a host has no traffic. Values with a single
//! possible meaning are repaired; rows without one are left out and counted. This module knows no
//! users and no networks.

mod address;
mod name;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::csv_table::{CsvRow, CsvSource, CsvTable, RowAudit, Vocabulary, one_line};
use super::{Table, shown};
use crate::error::{Error, Result};
use address::Nets;

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    pub hostname: String,
    /// `Workstation`, `Server`, `Domain Controller`, …
    pub asset_type: Option<String>,
    /// `low`, `medium`, `high`, `critical`; any other word of the CMDB in lower case.
    pub criticality: Option<String>,
    pub location: Option<String>,
    pub ip_address: IpAddr,
    /// The inventory's text.
    pub os: Option<String>,
    pub owner: Option<String>,
    pub department: Option<String>,
}

/// The names of the columns and their aliases.
const COLUMNS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/data/grounding/assets.toml"
));

/// Indices of the columns in `assets.toml`; a test compares them.
mod column {
    pub const HOSTNAME: usize = 0;
    pub const ADDRESS: usize = 1;
    pub const NETMASK: usize = 2;
    pub const OS: usize = 3;
    pub const OS_VERSION: usize = 4;
    pub const TYPE: usize = 5;
    pub const CRITICALITY: usize = 6;
    pub const LOCATION: usize = 7;
    pub const OWNER: usize = 8;
    pub const DEPARTMENT: usize = 9;
    pub const STATUS: usize = 10;
}

/// Reads the hosts of a CSV file, in file order.
///
/// Columns are found by the names in `data/grounding/assets.toml`. Hosts no longer in use are left
/// out. Unusable rows are left out too, or are errors if `strict`; notes count both.
///
/// # Errors
/// [`Error::Input`]: no column for name or address (the error lists the columns), an unclosed
/// quote, a missing or empty file, or no host left; if `strict`, the first row that would be left
/// out or repaired, with its line. [`Error::Io`] if the file cannot be read.
pub fn read(path: &Path, strict: bool) -> Result<Table<Asset>> {
    let vocabulary = Vocabulary::embedded("data/grounding/assets.toml", COLUMNS)?;
    let source = CsvSource {
        path,
        flag: "--cmdb-assets",
    };
    let mandatory: &[usize] = match strict {
        true => &[column::HOSTNAME, column::ADDRESS, column::OS],
        false => &[column::HOSTNAME, column::ADDRESS],
    };
    let mut audit = RowAudit::new(source, strict);
    let sheet = CsvTable::open(source, &vocabulary, mandatory, strict, &mut audit)?;
    let survey = Survey::of(&sheet, source, &vocabulary)?;
    audit.notes.extend(survey.note.clone());
    let mut reader = Reader {
        sheet: &sheet,
        vocabulary: &vocabulary,
        survey: &survey,
        strict,
        hostnames: BTreeMap::new(),
        addresses: BTreeMap::new(),
    };
    let mut assets = Vec::new();
    sheet.rows(strict, &mut audit, |row, audit| {
        assets.extend(reader.asset(row, audit)?);
        Ok(())
    })?;
    if assets.is_empty() {
        return Err(Error::input(
            path,
            None,
            format!(
                "no row of {} is a host; left out: {}",
                audit.rows,
                audit.reasons()
            ),
            "export hosts in use with their names and addresses",
        ));
    }
    Ok(Table {
        rows: assets,
        notes: audit.into_notes(),
    })
}

/// Facts that need the whole file.
struct Survey {
    /// The index of the column with the kind of a host.
    kind: Option<usize>,
    /// Networks wider than 256 addresses.
    nets: Nets,
    note: Option<String>,
}

impl Survey {
    fn of(sheet: &CsvTable<'_>, source: CsvSource<'_>, vocabulary: &Vocabulary) -> Result<Survey> {
        let places = sheet.places(column::TYPE);
        let mut known = vec![0_u64; places.len()];
        let mut nets = Nets::default();
        let mut scratch = RowAudit::new(source, false);
        sheet.rows(false, &mut scratch, |row, _| {
            for (count, place) in known.iter_mut().zip(places) {
                let cell = row.at(*place).unwrap_or_default();
                *count += u64::from(words::has(cell, &vocabulary.kinds));
            }
            for cell in row.all(column::ADDRESS) {
                nets.learn(cell, row.raw(column::NETMASK));
            }
            Ok(())
        })?;
        let most = known.iter().copied().max().unwrap_or(0);
        let best = known.iter().position(|count| *count == most);
        let kind = best.and_then(|at| places.get(at)).copied();
        let note = match (kind, places.first()) {
            (Some(kind), Some(first)) if kind != *first => Some(format!(
                "the kind of a host is read from the column {}, because its values are kinds of hosts, and not from {}",
                shown(sheet.heading(kind)),
                shown(sheet.heading(*first))
            )),
            _ => None,
        };
        Ok(Survey { kind, nets, note })
    }
}

struct Reader<'a> {
    sheet: &'a CsvTable<'a>,
    vocabulary: &'a Vocabulary,
    survey: &'a Survey,
    strict: bool,
    hostnames: BTreeMap<String, u64>,
    addresses: BTreeMap<String, u64>,
}

impl Reader<'_> {
    /// The host of a row; `None` if the row is left out.
    fn asset(&mut self, row: &CsvRow<'_>, audit: &mut RowAudit<'_>) -> Result<Option<Asset>> {
        if self.is_retired(row) {
            audit.not_meant(row.line, "no longer in use");
            return Ok(None);
        }
        let asset_type = self.kind(row);
        let os = words::system(row.text(column::OS), row.text(column::OS_VERSION));
        let is_windows = words::is_windows(
            os.as_deref(),
            asset_type.as_deref().unwrap_or_default(),
            &self.vocabulary.devices,
        );
        let Some(hostname) = self.hostname(row, is_windows, audit)? else {
            return Ok(None);
        };
        let Some(ip_address) = self.address(row, audit)? else {
            return Ok(None);
        };
        if self.strict && os.is_none() {
            audit.leave_out(
                row.line,
                "no operating system",
                "OS is empty",
                "fill in OS, or remove the line",
            )?;
        }
        let address = ip_address.to_string();
        if !audit.is_new(
            &self.hostnames,
            ("hostname", "duplicate hostname"),
            &hostname,
            row.line,
        )? || !audit.is_new(
            &self.addresses,
            ("address", "duplicate address"),
            &address,
            row.line,
        )? {
            return Ok(None);
        }
        self.hostnames.insert(hostname.to_lowercase(), row.line);
        self.addresses.insert(address, row.line);
        let kept = |column| row.text(column).filter(|text| !words::is_placeholder(text));
        Ok(Some(Asset {
            hostname,
            asset_type,
            criticality: self.criticality(row),
            location: kept(column::LOCATION),
            ip_address,
            os,
            owner: kept(column::OWNER),
            department: kept(column::DEPARTMENT),
        }))
    }

    fn is_retired(&self, row: &CsvRow<'_>) -> bool {
        self.sheet.places(column::STATUS).iter().any(|place| {
            let heading = self.sheet.heading(*place);
            let cell = row.at(*place).unwrap_or_default();
            words::is_retired(heading, cell, &self.vocabulary.retired)
        })
    }

    /// The kind in the file: from the chosen column, else a known kind from another column.
    fn kind(&self, row: &CsvRow<'_>) -> Option<String> {
        let is_said = |cell: &&str| !words::is_placeholder(cell);
        let first = self
            .survey
            .kind
            .and_then(|place| row.at(place))
            .filter(is_said);
        let is_known = |cell: &&str| words::has(cell, &self.vocabulary.kinds);
        first
            .or_else(|| row.all(column::TYPE).find(is_known))
            .map(one_line)
    }

    fn criticality(&self, row: &CsvRow<'_>) -> Option<String> {
        let mut places = self.sheet.places(column::CRITICALITY).iter();
        let (place, cell) = places.find_map(|place| Some((*place, row.at(*place)?)))?;
        (!words::is_placeholder(cell))
            .then(|| words::criticality(self.sheet.heading(place), &one_line(cell)))
    }

    fn hostname(
        &self,
        row: &CsvRow<'_>,
        is_windows: bool,
        audit: &mut RowAudit<'_>,
    ) -> Result<Option<String>> {
        let mut refusal = None;
        for cell in row.all(column::HOSTNAME) {
            match name::host(cell, is_windows) {
                Ok(name::Host { hostname, repaired }) => {
                    let Some((what, problem, remedy)) = repaired else {
                        return Ok(Some(hostname));
                    };
                    let is_cut = what == name::CUT;
                    if is_cut && self.hostnames.contains_key(&hostname.to_lowercase()) {
                        audit.leave_out(
                            row.line,
                            "name equals another's after 15 characters",
                            format!("the hostname {} {problem}", shown(cell)),
                            remedy,
                        )?;
                        return Ok(None);
                    }
                    audit.repair(
                        row.line,
                        what,
                        format!("the hostname {} {problem}", shown(cell)),
                        remedy,
                    )?;
                    return Ok(Some(hostname));
                }
                Err((problem, remedy)) => {
                    refusal = refusal.or(Some((cell, problem, remedy)));
                }
            }
        }
        let (reason, problem, remedy) = match refusal {
            None => (
                "no hostname",
                "Hostname is empty".to_string(),
                "fill in Hostname, or remove the line",
            ),
            Some((cell, problem, remedy)) => (
                "invalid hostname",
                format!("the hostname {} {problem}", shown(cell)),
                remedy,
            ),
        };
        audit.leave_out(row.line, reason, problem, remedy)?;
        Ok(None)
    }

    fn address(&self, row: &CsvRow<'_>, audit: &mut RowAudit<'_>) -> Result<Option<IpAddr>> {
        let cells = || row.all(column::ADDRESS);
        let Some(first) = cells().next() else {
            audit.leave_out(
                row.line,
                "no address",
                "IP_Address is empty",
                "fill in IP_Address, or remove the line",
            )?;
            return Ok(None);
        };
        if self.strict {
            // The expected form is one plain private IPv4 address.
            return match address::strict(first) {
                Ok(address) => Ok(Some(IpAddr::V4(address))),
                Err((problem, remedy)) => Err(audit.refusal(
                    row.line,
                    format!("the address {} {problem}", shown(first)),
                    remedy,
                )),
            };
        }
        let mask = row.raw(column::NETMASK);
        let Some(found) = address::best(cells(), mask, &self.survey.nets) else {
            audit.leave_out(
                row.line,
                "no usable address",
                format!("the address {} cannot be a host address", shown(first)),
                "write one address such as 10.0.4.9",
            )?;
            return Ok(None);
        };
        if let Some(what) = found.repaired {
            audit.repair(row.line, what, "", "")?;
        }
        Ok(Some(found.address))
    }
}

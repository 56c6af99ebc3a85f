//! Fits a [`Profile`] to a table of alerts.
//!
//! The file is foreign: its table and columns are recognised by name and content, and its cells
//! are converted as far as possible. This module knows nothing of what will be generated.
//!
//! ```text
//! file ─► sheet (rows of cells) ─► columns (which column is what) ─► RawAlert ─► Fitter ─► Profile
//! ```
//!
//! A new file format only needs another way to make rows of cells.

mod columns;
mod fallback;
mod fitter;
mod ntopng;
mod raw_alert;
mod reservoir;
mod sheet;
mod tally;
pub(in crate::grounding) mod template;
mod time;
pub(in crate::grounding) mod value;

use std::path::Path;

use self::columns::{AlertField, Candidates, Columns, Layout, TRIED, Trial};
use self::fitter::{Finish, Fitter};
use self::raw_alert::RawAlert;
use self::sheet::{FLAG, Sheet};
use self::value::Value;
use super::profile::{Profile, SeverityScale};
use crate::error::{Error, Result};

/// Number of rows between two progress reports.
const REPORT: u64 = 65_536;

/// Fits a profile to the alerts in a file: SQLite, JSON lines, CSV or Parquet.
///
/// In SQLite it looks for a table or view `alerts`, `suri_events`, `flow_alerts` or `events`
/// (EveBox: the records in `source` with an alert). Only a signature is mandatory. A
/// column is chosen by its name and its values in the first 20,000 rows. Anything else that is
/// missing (or null in every row) is listed in [`Profile::missing`] and replaced:
///
/// | missing | used instead |
/// | --- | --- |
/// | signature id, application | `None` |
/// | category, severity, service ports, ends of flows, in the whole table | those of the same rule or category in the built-in profile, else `None` |
/// | protocol | by application and service port (DNS is udp …), else `tcp` |
/// | direction | [`Direction::Unknown`](super::Direction): the destination is the server |
/// | action | `allowed` |
/// | one address, the other being outside | the other end is inside |
/// | both addresses, or one with the other inside | the row is not counted in the tuple's ends, so these may sum to less than its count |
/// | a client port | `None` |
/// | signature, in `flow_alerts` only | ntopng's name of the check or of `alert_id`, else `flow alert N` |
/// | bytes | no pair from this row; if the table has none, those of the built-in profile |
/// | time | the row is not counted in the hours |
///
/// A column such as `raw_json` with Suricata's own record fills gaps and supplies the
/// rule's ATT&CK techniques. Control characters are removed from text, which is cut to 1 KiB.
/// A cell over 1 MiB counts as null.
///
/// The same rows give the same profile in any order, as long as the first 20,000 rows choose the
/// same columns, and there are at most 65,536 different tuples, 2¹⁸ client ports and 2¹⁹ addresses
/// per side. Memory is bounded (about 400 MiB at worst): beyond those numbers the rarest are left
/// out, and `missing` says so.
///
/// The database is opened read-only. If it is in WAL mode and has a log that no process has
/// open, SQLite leaves its index (`-shm`) next to it; the log itself is not changed.
///
/// `severity_scale` overrides the scale, which is otherwise inferred from columns and values;
/// [`Profile::severity_reason`] gives the reason.
///
/// # Errors
/// [`Error::Input`] with the place and a remedy: no such file, an unknown format, no
/// known table, no signature column, no rows, no row with a signature, a damaged
/// or locked database. [`Error::Io`] if the file cannot be read.
pub fn fit(path: &Path, severity_scale: Option<SeverityScale>) -> Result<Profile> {
    fit_watched(path, severity_scale, &mut |_| ())
}

/// Like [`fit`], and calls `progress` from time to time with the number of rows read.
///
/// # Errors
/// As [`fit`].
pub fn fit_watched(
    path: &Path,
    severity_scale: Option<SeverityScale>,
    progress: &mut dyn FnMut(u64),
) -> Result<Profile> {
    let sheet = Sheet::open(path)?;
    let columns = choose_columns(&sheet)?;
    let layout = columns.layout();
    let (wanted, places) = columns.plan();
    let mut fitter = Fitter::default();
    let (mut read, mut records) = (0u64, false);
    sheet.visit(&wanted, &mut |cells| {
        read += 1;
        if read.is_multiple_of(REPORT) {
            progress(read);
        }
        let mut alert = RawAlert::default();
        for &(field, place) in &places {
            let cell = cells.get(place).unwrap_or(&Value::Null);
            records = records
                || field == AlertField::RawJson
                    && layout == Layout::Plain
                    && matches!(cell, Value::Text(text) if text.contains("\"alert\""));
            alert.set(field, cell, layout);
        }
        if columns.is_varied {
            alert.make_template();
        }
        fitter.add(&alert);
        true
    })?;
    if fitter.rows() == 0 {
        return Err(no_alerts(&sheet, read));
    }
    let (unnamed, has_protocol) = (fitter.unnamed(), fitter.has_protocol());
    let mut profile = fitter.finish(Finish {
        table: &sheet.name,
        hints: columns.hints(records || layout == Layout::Records),
        scale: severity_scale,
        is_time_unread: columns.notes.iter().any(|it| it.starts_with("timestamp: ")),
    });
    if profile.bytes.is_empty() {
        // The built-in profile supplies what the table lacks.
        profile.bytes = Profile::embedded().bytes;
    }
    fallback::complete(&mut profile, has_protocol);
    match layout {
        Layout::Records if unnamed > 0 => profile.missing.push(format!(
            "records: {unnamed} of {read} are other events than alerts, or longer than 1 MiB, and \
             were left out"
        )),
        _ if unnamed > 0 => profile.missing.push(format!(
            "signature: {unnamed} of {read} rows have none, or one longer than 1 MiB, and were left out"
        )),
        _ => {}
    }
    profile.missing.extend(columns.notes);
    let is_numbered = |signature: &str| signature.starts_with("flow alert ");
    if layout == Layout::Numbered && profile.tuples.iter().any(|it| is_numbered(&it.signature)) {
        profile.missing.push(
            "signature: some alerts have a number that is not known, they read `flow alert N`"
                .to_string(),
        );
    }
    Ok(profile)
}

/// Recognises the columns by their names and the first rows.
fn choose_columns(sheet: &Sheet) -> Result<Columns> {
    let candidates = Candidates::locate(&sheet.columns, sheet.layout);
    if !candidates.has_signature() {
        return Err(sheet.lacks_a_signature());
    }
    let mut trial = Trial::new(candidates);
    let wanted = trial.wanted().to_vec();
    let mut left = TRIED;
    sheet.visit(&wanted, &mut |cells| {
        trial.read(cells);
        left -= 1;
        left > 0
    })?;
    Ok(trial.choose())
}

fn no_alerts(sheet: &Sheet, read: u64) -> Error {
    let (problem, remedy) = match read {
        0 => (
            "the table is empty".to_string(),
            format!(
                "give {FLAG} a table with alerts, or leave it out: a default profile is built in"
            ),
        ),
        _ => (
            format!("none of its {read} rows is an alert with a signature"),
            "fill the signature column: every alert needs the name of the rule that fired"
                .to_string(),
        ),
    };
    Error::input(&sheet.path, Some(sheet.place.clone()), problem, remedy)
}

#[cfg(all(test, feature = "alerts-db"))]
mod tests;

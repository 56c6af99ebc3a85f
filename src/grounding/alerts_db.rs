//! Learns a [`Profile`] from a database of alerts.
//!
//! The database belongs to somebody else: it is opened read-only and never written,
//! its tables and columns are found by name, and its cells are read as whatever they
//! can be. It knows nothing of what will be generated.
//!
//! ```text
//! table ─► columns (which column is what) ─► value (one cell) ─► RawAlert ─► Fitter ─► Profile
//! ```
//!
//! A further layout is one more way to make a `RawAlert` of a row; the fit stays as it is.

mod columns;
mod fallback;
mod fitter;
mod raw_alert;
mod reservoir;
mod tally;
pub(in crate::grounding) mod value;

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use self::columns::{Columns, Field, Layout};
use self::fitter::Fitter;
use self::raw_alert::RawAlert;
use self::value::Value;
use super::profile::{Profile, SeverityScale};
use crate::{Error, Result};

/// Names of tables (or views) that hold alerts, the best first.
const TABLES: [(&str, Layout); 4] = [
    ("alerts", Layout::Plain),
    ("suri_events", Layout::Plain),
    ("flow_alerts", Layout::Numbered),
    ("events", Layout::Records),
];

/// A longer cell is read as if it were null: no alert's text is that long.
const CELL_LIMIT: usize = 1 << 20;

/// Rows between two reports of progress.
const REPORT: u64 = 65_536;

const FLAG: &str = "--alerts-db";

/// Fits a profile to the alerts in an SQLite database.
///
/// Looks for a table or view `alerts`, `suri_events`, `flow_alerts` or `events` (EveBox:
/// the records in `source` that hold an alert); only a signature is mandatory. What else
/// is missing (or null in every row) is named in [`Profile::missing`] and falls back:
///
/// | missing | stands in |
/// | --- | --- |
/// | signature id, application | `None` |
/// | category, severity, service ports, ends of flows, in the whole table | those of the built-in profile's same rule or category, else `None` |
/// | protocol | by application and service port (DNS is udp …), else `tcp` |
/// | direction | [`Direction::Unknown`](super::Direction): the destination is the server |
/// | action | `allowed` |
/// | an address | the row counts nowhere in the tuple's ends, so these may sum to less than its count |
/// | a client port | `None` |
/// | signature, in `flow_alerts` only | `flow alert N` by `alert_id` |
/// | bytes | no pair from this row; without any, the built-in profile's |
/// | time | the row counts for no hour |
///
/// A column `raw_json` (or alike) with Suricata's own record fills gaps and gives the
/// rule's ATT&CK techniques. Text is cleaned of control characters and bounded to 1 KiB.
/// A cell over 1 MiB counts as null.
///
/// The same rows give the same profile in any order, as long as no more than 65,536
/// tuples, 2¹⁸ client ports and 2¹⁹ addresses a side differ. Memory is bounded (about
/// 400 MiB at the very worst): beyond those numbers the rarest are left out, which
/// `missing` says.
///
/// The database is opened read-only. Beside one in WAL mode with a log that nobody has
/// open, SQLite leaves its index (`-shm`); the log itself is not touched.
///
/// `severity_scale` overrides the scale, which otherwise is Suricata's where the
/// database has Suricata's columns (`signature_id`, `app_proto`, or JSON records with
/// an `alert`), ntopng's in `flow_alerts`, else the seed's.
///
/// # Errors
/// [`Error::Input`] with the place and a remedy: no such file, no SQLite database, no
/// known table, no column with a signature, no rows, no row with a signature, a damaged
/// or locked database. [`Error::Io`] if the file cannot be read.
pub fn fit(path: &Path, severity_scale: Option<SeverityScale>) -> Result<Profile> {
    fit_watched(path, severity_scale, &mut |_| ())
}

/// [`fit`], telling `progress` now and then how many rows are read.
///
/// # Errors
/// As [`fit`].
pub fn fit_watched(
    path: &Path,
    severity_scale: Option<SeverityScale>,
    progress: &mut dyn FnMut(u64),
) -> Result<Profile> {
    let connection = open(path)?;
    let (table, columns) = find_table(&connection, path)?;
    let failed = |source: rusqlite::Error| sql_error(path, Some(format!("table {table}")), source);
    let scale = match severity_scale {
        Some(scale) => scale,
        None => scale_of(&connection, &table, &columns).map_err(failed)?,
    };

    let fields: Vec<(Field, &str)> = columns.fields().collect();
    let list: Vec<String> = fields
        .iter()
        .map(|(_, name)| {
            let name = quoted(name);
            format!("CASE WHEN octet_length({name}) <= {CELL_LIMIT} THEN {name} END")
        })
        .collect();
    let sql = format!("SELECT {} FROM {}", list.join(", "), quoted(&table));
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;

    let mut fitter = Fitter::default();
    let mut read: u64 = 0;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(source) => {
                let place = format!("table {table}, row {}", read + 1);
                return Err(sql_error(path, Some(place), source));
            }
        };
        read += 1;
        if read.is_multiple_of(REPORT) {
            progress(read);
        }
        let mut alert = RawAlert::default();
        for (index, (field, _)) in fields.iter().enumerate() {
            let cell = row.get_ref(index).map_err(failed)?;
            alert.set(*field, &Value::from(cell), scale);
        }
        fitter.add(&alert);
    }
    if fitter.rows() == 0 {
        let place = Some(format!("table {table}"));
        return Err(match read {
            0 => Error::input(
                path,
                place,
                "the table is empty",
                format!(
                    "give {FLAG} a database with alerts, or leave it out: a default profile is built in"
                ),
            ),
            _ => Error::input(
                path,
                place,
                format!("none of its {read} rows is an alert with a signature"),
                "fill the signature column: every alert needs the name of the rule that fired",
            ),
        });
    }
    let (unnamed, has_protocol) = (fitter.unnamed(), fitter.has_protocol());
    let mut profile = fitter.finish(&table, scale);
    if profile.bytes.is_empty() {
        // What the database doesn't say, the built-in profile does.
        profile.bytes = Profile::embedded().bytes;
    }
    fallback::complete(&mut profile, has_protocol);
    match columns.layout() {
        Layout::Records if unnamed > 0 => profile.missing.push(format!(
            "records: {unnamed} of {read} are other events than alerts, or longer than 1 MiB, and \
             were left out"
        )),
        _ if unnamed > 0 => profile.missing.push(format!(
            "signature: {unnamed} of {read} rows have none, or one longer than 1 MiB, and were left out"
        )),
        _ => {}
    }
    if columns.layout() == Layout::Numbered && !columns.has(Field::Signature) {
        profile.missing.push(
            "signature: the table has numbers of alerts only, signatures read `flow alert N`"
                .to_string(),
        );
    }
    Ok(profile)
}

/// Opens the database so that nothing in it or beside it changes.
fn open(path: &Path) -> Result<Connection> {
    super::require_file(path, FLAG)?;
    let header = header(path)?;
    if !header.starts_with(b"SQLite format 3\0") {
        let problem = if header.is_empty() {
            "the file is empty"
        } else {
            "is not an SQLite 3 database"
        };
        return Err(Error::input(
            path,
            None,
            problem,
            format!("give {FLAG} an SQLite file with a table `alerts`"),
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let uri = uri(path, is_settled_wal(path, &header));
    let prepare = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(uri, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        // Views and their functions come from outside.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    prepare().map_err(|source| sql_error(path, None, source))
}

/// The first 100 bytes, or as many as there are.
fn header(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut header = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut header))
        .map_err(|source| Error::io(path, "read", source))?;
    Ok(header)
}

/// Whether the database is in WAL mode with nothing waiting in its log. SQLite would
/// then still make `-wal` and `-shm` files beside it (and fail where it may not), so
/// such a file is opened as immutable. One with a log must be opened the usual way.
fn is_settled_wal(path: &Path, header: &[u8]) -> bool {
    const WAL_MODE: u8 = 2;
    let mut log = path.as_os_str().to_os_string();
    log.push("-wal");
    header.get(19) == Some(&WAL_MODE)
        && std::fs::metadata(log).map_or(true, |found| found.len() == 0)
}

/// A `file:` URI of a path, every unusual byte percent-encoded.
fn uri(path: &Path, immutable: bool) -> String {
    let mut uri = String::from(if path.is_absolute() {
        "file://"
    } else {
        "file:"
    });
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri.push_str(if immutable {
        "?mode=ro&immutable=1"
    } else {
        "?mode=ro"
    });
    uri
}

/// The table with alerts and what its columns mean.
fn find_table(connection: &Connection, path: &Path) -> Result<(String, Columns)> {
    let names = table_names(connection).map_err(|source| sql_error(path, None, source))?;
    let candidates = TABLES.iter().filter_map(|(known, layout)| {
        let found = names.iter().find(|name| name.eq_ignore_ascii_case(known));
        found.map(|table| (table, *layout))
    });
    let mut lacking = None;
    for (table, layout) in candidates {
        let written = column_names(connection, table)
            .map_err(|source| sql_error(path, Some(format!("table {table}")), source))?;
        let columns = Columns::locate(&written, layout);
        if columns.has_signature() {
            return Ok((table.clone(), columns));
        }
        lacking.get_or_insert((table, written));
    }
    Err(match lacking {
        Some((table, written)) => Error::input(
            path,
            Some(format!("table {table}")),
            format!(
                "no column holds the signature; its columns are {}",
                listed(&written)
            ),
            "name the column with the rule's name `signature`, or make a view `alerts` that does",
        ),
        None => Error::input(
            path,
            None,
            format!(
                "none of the tables {} is there; the database has {}",
                TABLES.map(|(name, _)| name).join(", "),
                listed(&names)
            ),
            "make a table or view `alerts` with at least a column `signature`",
        ),
    })
}

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?
        .query_map([], |row| Ok(lossy(row.get_ref(0)?)))?
        .collect()
}

/// The names of a table's columns, the generated ones too. One that is not UTF-8 is no
/// name that we know (and must not reach `Statement::column_names`, which panics on it).
fn column_names(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let names: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid")?
        .query_map([table], |row| Ok(lossy(row.get_ref(0)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(names
        .into_iter()
        .filter(|name| !name.contains('\u{fffd}'))
        .collect())
}

/// A name as it is, save for what is not UTF-8.
fn lossy(cell: rusqlite::types::ValueRef<'_>) -> String {
    cell.as_bytes()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default()
}

/// The severity scale that the columns speak for.
fn scale_of(
    connection: &Connection,
    table: &str,
    columns: &Columns,
) -> rusqlite::Result<SeverityScale> {
    if columns.layout() == Layout::Numbered {
        return Ok(SeverityScale::Ntopng);
    }
    let named = |field: Field, names: &[&str]| {
        columns
            .name(field)
            .is_some_and(|name| names.iter().any(|it| name.eq_ignore_ascii_case(it)))
    };
    if named(Field::SignatureId, &["signature_id"]) || named(Field::Application, &["app_proto"]) {
        return Ok(SeverityScale::Suricata);
    }
    if let Some(json) = columns.name(Field::RawJson) {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {} WHERE instr({}, '\"alert\"') > 0)",
            quoted(table),
            quoted(json)
        );
        if connection.query_row(&sql, [], |row| row.get(0))? {
            return Ok(SeverityScale::Suricata);
        }
    }
    Ok(SeverityScale::Fusionai)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names for a message.
fn listed(names: &[String]) -> String {
    match names {
        [] => "no tables at all".to_string(),
        _ => super::shown_list(names),
    }
}

fn sql_error(path: &Path, place: Option<String>, source: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let remedy = match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the database: stop it, or give a copy"
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "it has unfinished transactions beside it (-journal or -wal): open and close it with \
             the program that wrote it, then try again"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: restore it, or save what is left with `sqlite3 F .recover`"
        }
        _ => "see that `sqlite3 -readonly` can read the table",
    };
    let message = super::shown_up_to(300, &source.to_string());
    Error::input(path, place, format!("SQLite says: {message}"), remedy)
}

#[cfg(test)]
mod tests;

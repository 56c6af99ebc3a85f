//! A table of a foreign SQLite database. It is opened read-only and never written; tables and
//! columns are found by name.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Each, Sheet, SheetFormat};
use crate::error::{Error, Result};
use crate::grounding::alerts_db::columns::{Candidates, Layout};
use crate::grounding::alerts_db::value::Value;
use crate::grounding::shown_list;

/// Names of tables (or views) with alerts, best first.
const TABLES: [(&str, Layout); 4] = [
    ("alerts", Layout::Plain),
    ("suri_events", Layout::Plain),
    ("flow_alerts", Layout::Numbered),
    ("events", Layout::Records),
];

/// Maximum length of a cell in bytes. A longer one counts as null, because no alert's text is that long.
const CELL_LIMIT: usize = 1 << 20;

impl<'a> From<ValueRef<'a>> for Value<'a> {
    fn from(cell: ValueRef<'a>) -> Self {
        match cell {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                Value::Text(String::from_utf8_lossy(bytes))
            }
        }
    }
}

/// Finds the table with alerts. `header` is the beginning of the file.
pub(super) fn open(path: &Path, header: &[u8]) -> Result<Sheet> {
    let connection = connect(path, header)?;
    let names = table_names(&connection).map_err(|source| sql_error(path, None, source))?;
    let candidates = TABLES.iter().filter_map(|(known, layout)| {
        let found = names.iter().find(|name| name.eq_ignore_ascii_case(known));
        found.map(|table| (table, *layout))
    });
    let mut lacking = None;
    let mut chosen = None;
    for (table, layout) in candidates {
        let columns = column_names(&connection, table)
            .map_err(|source| sql_error(path, Some(format!("table {table}")), source))?;
        if Candidates::locate(&columns, layout).has_signature() {
            chosen = Some((table.clone(), columns, layout));
            break;
        }
        lacking.get_or_insert((table.clone(), columns, layout));
    }
    // The caller reports a table without a signature.
    if let Some((name, columns, layout)) = chosen.or(lacking) {
        return Ok(Sheet {
            path: path.to_path_buf(),
            place: format!("table {name}"),
            name,
            columns,
            layout,
            origin: SheetFormat::Sqlite(connection),
        });
    }
    Err(Error::input(
        path,
        None,
        format!(
            "the database has none of the tables {}; it has {}",
            TABLES.map(|(name, _)| name).join(", "),
            match names.as_slice() {
                [] => "no tables at all".to_string(),
                _ => shown_list(&names),
            }
        ),
        "make a table or view `alerts` with at least a column `signature`",
    ))
}

/// Reads the wanted columns of every row.
pub(super) fn visit(
    sheet: &Sheet,
    connection: &Connection,
    wanted: &[usize],
    each: Each<'_>,
) -> Result<()> {
    let path = &sheet.path;
    let failed = |source: rusqlite::Error| sql_error(path, Some(sheet.place.clone()), source);
    let list: Vec<String> = wanted
        .iter()
        .filter_map(|&column| sheet.columns.get(column))
        .map(|name| {
            let name = quoted(name);
            format!("CASE WHEN octet_length({name}) <= {CELL_LIMIT} THEN {name} END")
        })
        .collect();
    let sql = format!("SELECT {} FROM {}", list.join(", "), quoted(&sheet.name));
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut read = 0u64;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(source) => {
                let place = format!("{}, row {}", sheet.place, read + 1);
                return Err(sql_error(path, Some(place), source));
            }
        };
        read += 1;
        let mut cells = Vec::with_capacity(list.len());
        for index in 0..list.len() {
            cells.push(Value::from(row.get_ref(index).map_err(failed)?));
        }
        if !each(&cells) {
            return Ok(());
        }
    }
}

/// Opens the database so that neither it nor the files next to it change.
fn connect(path: &Path, header: &[u8]) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let uri = uri(path, is_settled_wal(path, header));
    let prepare = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(uri, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        // Views and the functions in them are untrusted.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    prepare().map_err(|source| sql_error(path, None, source))
}

/// Whether the database is in WAL mode with an empty log. SQLite would still create `-wal` and
/// `-shm` files next to it (and fail in a read-only directory), so such a file is opened as
/// immutable. A database with a log must be opened normally.
fn is_settled_wal(path: &Path, header: &[u8]) -> bool {
    const WAL_MODE: u8 = 2;
    let mut log = path.as_os_str().to_os_string();
    log.push("-wal");
    header.get(19) == Some(&WAL_MODE)
        && std::fs::metadata(log).map_or(true, |found| found.len() == 0)
}

/// The `file:` URI of a path, with unusual bytes percent-encoded.
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

fn table_names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )?
        .query_map([], |row| Ok(lossy(row.get_ref(0)?)))?
        .collect()
}

/// The names of a table's columns, including generated ones. A name that is not UTF-8 is not a known
/// name, and must not reach `Statement::column_names`, which panics on it.
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

/// A name, with invalid UTF-8 replaced.
fn lossy(cell: rusqlite::types::ValueRef<'_>) -> String {
    cell.as_bytes()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn sql_error(path: &Path, place: Option<String>, source: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let remedy = match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has locked the database: stop it, or give a copy"
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "it has unfinished transactions beside it (-journal or -wal): open and close it with \
             the program that wrote it, then try again"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: restore it, or recover the rest with `sqlite3 F .recover`"
        }
        _ => "check that `sqlite3 -readonly` can read the table",
    };
    let message = crate::grounding::shown_up_to(300, &source.to_string());
    Error::input(path, place, format!("SQLite says: {message}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_utf_8_is_replaced() {
        let broken = Value::from(ValueRef::Text(b"ab\xff"));
        assert_eq!(broken.text().as_deref(), Some("ab\u{fffd}"));
    }
}

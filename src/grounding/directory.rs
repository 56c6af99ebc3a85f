//! Accounts of people from a directory's export, as CSV.
//!
//! Only the account name is mandatory. Accounts that are not people are left out and counted;
//! disabled ones are kept and marked. This module knows no hosts.

mod export;
mod people;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::csv_table::{CsvRow, CsvSource, CsvTable, RowAudit, Vocabulary, one_line};
use super::{Table, shown};
use crate::error::{Error, Result};

/// One account in the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// sAMAccountName, as in the file.
    pub username: String,
    pub department: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// The directory marks the account as disabled.
    pub disabled: bool,
}

/// Maximum length of a username in characters. AD allows 20 for people; other directories allow more.
const USERNAME_LIMIT: usize = 64;

/// Characters that AD does not allow in a sAMAccountName.
const FORBIDDEN: &str = "\"/\\[]:;|=,+*?<>@";

/// The names of the columns and their aliases.
const COLUMNS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/data/grounding/users.toml"
));

/// Indices of the columns in `users.toml`; a test compares them.
mod column {
    pub const USERNAME: usize = 0;
    pub const DEPARTMENT: usize = 1;
    pub const DISPLAY_NAME: usize = 2;
    pub const EMAIL: usize = 3;
    pub const UPN: usize = 4;
    pub const FIRST_NAME: usize = 5;
    pub const LAST_NAME: usize = 6;
    pub const ENABLED: usize = 7;
    pub const DISABLED: usize = 8;
    pub const ACCOUNT_CONTROL: usize = 9;
    pub const STATUS: usize = 10;
    pub const OBJECT_CLASS: usize = 11;
    pub const OBJECT_CATEGORY: usize = 12;
    pub const ACCOUNT_TYPE: usize = 13;
    pub const USER_TYPE: usize = 14;
    pub const SID: usize = 15;
}

/// Reads the accounts of a CSV file, in file order.
///
/// Columns are found by the names in `data/grounding/users.toml`. Groups, computers,
/// contacts, guests, built-in and service accounts are left out; disabled accounts are
/// marked. Unusable rows are left out too, or are errors if `strict`; notes count both.
///
/// # Errors
/// [`Error::Input`]: no username column (the error lists the columns), an unclosed quote,
/// a missing or empty file, or no enabled account left; if `strict`, the first row that would be
/// left out or repaired, with its line. [`Error::Io`] if the file cannot be read.
pub fn read(path: &Path, strict: bool) -> Result<Table<User>> {
    let vocabulary = Vocabulary::embedded("data/grounding/users.toml", COLUMNS)?;
    let source = CsvSource {
        path,
        flag: "--ad-users",
    };
    let mut audit = RowAudit::new(source, strict);
    let mandatory = [column::USERNAME];
    let sheet = CsvTable::open(source, &vocabulary, &mandatory, strict, &mut audit)?;
    let mut seen = BTreeMap::new();
    let mut users: Vec<User> = Vec::new();
    sheet.rows(strict, &mut audit, |row, audit| {
        if let Some(user) = user(row, &sheet, audit)?
            && audit.is_new(
                &seen,
                ("username", "duplicate username"),
                &user.username,
                row.line,
            )?
        {
            seen.insert(user.username.to_lowercase(), row.line);
            users.push(user);
        }
        Ok(())
    })?;
    let disabled = users.iter().filter(|user| user.disabled).count();
    if disabled == users.len() {
        return Err(nobody(path, disabled, &audit));
    }
    if disabled > 0 {
        audit.notes.push(format!(
            "{disabled} of {} users are disabled; they are kept, but only failed logons name them",
            users.len()
        ));
    }
    Ok(Table {
        rows: users,
        notes: audit.into_notes(),
    })
}

fn nobody(path: &Path, disabled: usize, audit: &RowAudit<'_>) -> Error {
    let reasons = match audit.reasons() {
        none if none.is_empty() => String::new(),
        some => format!("; left out: {some}"),
    };
    let problem = match disabled {
        0 => format!("no row of {} is a user{reasons}", audit.rows),
        _ => format!("all {disabled} users are disabled{reasons}"),
    };
    Error::input(
        path,
        None,
        problem,
        "export the accounts of people who may log on, with their account names",
    )
}

/// The account of a row; `None` if the row is left out.
fn user(row: &CsvRow<'_>, sheet: &CsvTable<'_>, audit: &mut RowAudit<'_>) -> Result<Option<User>> {
    let first_name = name(row, column::FIRST_NAME);
    let last_name = name(row, column::LAST_NAME);
    let mut email = plain(row, column::EMAIL).map(|mails| first_of(&mails).to_string());
    let login = plain(row, column::USERNAME).unwrap_or_default();
    let upn = plain(row, column::UPN);
    let facts = people::Facts {
        login: &login,
        upn: upn.as_deref().unwrap_or_default(),
        is_named: first_name.is_some() || email.is_some(),
    };
    if let Some(reason) = people::no_person(row, &facts) {
        audit.not_meant(row.line, reason);
        return Ok(None);
    }
    if login.is_empty() {
        audit.leave_out(
            row.line,
            "no username",
            "Username is empty",
            "fill in Username, or remove the line",
        )?;
        return Ok(None);
    }
    // A principal name is a mail address by design; in other columns that form is unexpected.
    let by_upn = !by_account(row, sheet);
    let account = account(&login);
    if account != login {
        if !by_upn {
            let bad = login.chars().find(|it| FORBIDDEN.contains(*it));
            let (problem, remedy) = forbidden(&login, bad.unwrap_or(' '));
            let what = match login.contains('|') {
                true => "one of several usernames used",
                false => "domain removed from the username",
            };
            audit.repair(row.line, what, problem, remedy)?;
        }
        if login.contains('@') && !login.contains('|') {
            email = email.or_else(|| Some(login.clone()));
        }
    }
    if account.is_empty() {
        audit.leave_out(
            row.line,
            "no username",
            format!("the username {} names no account", shown(&login)),
            "write the bare account name",
        )?;
        return Ok(None);
    }
    if let Some(bad) = account.chars().find(|it| FORBIDDEN.contains(*it)) {
        let (problem, remedy) = forbidden(account, bad);
        audit.leave_out(row.line, "invalid username", problem, remedy)?;
        return Ok(None);
    }
    if account.chars().count() > USERNAME_LIMIT {
        audit.leave_out(
            row.line,
            "invalid username",
            format!("the username is longer than {USERNAME_LIMIT} characters"),
            "write the account name, not a distinguished name",
        )?;
        return Ok(None);
    }
    let joined = match (first_name, last_name) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (first, last) => first.or(last),
    };
    Ok(Some(User {
        username: account.to_string(),
        department: name(row, column::DEPARTMENT),
        display_name: name(row, column::DISPLAY_NAME).or(joined),
        email: email.or_else(|| upn.filter(|upn| upn.contains('@') && by_upn)),
        disabled: people::is_disabled(row),
    }))
}

/// Whether the username comes from a column other than the principal name.
fn by_account(row: &CsvRow<'_>, sheet: &CsvTable<'_>) -> bool {
    let names = sheet.places(column::USERNAME).iter();
    let used = names.copied().find(|place| row.at(*place).is_some());
    used.is_some_and(|place| !sheet.places(column::UPN).contains(&place))
}

fn forbidden(username: &str, bad: char) -> (String, &'static str) {
    (
        format!(
            "the username {} contains `{bad}`, which account names must not",
            shown(username)
        ),
        "write the bare account name, without domain or mail address",
    )
}

/// The account in `DOMAIN\account`, in `account@domain`, or in a list such as
/// `account|account@domain`.
fn account(login: &str) -> &str {
    let mut parts = login.split('|').map(str::trim).filter(|it| !it.is_empty());
    let first = parts.next().unwrap_or(login);
    let bare = std::iter::once(first)
        .chain(parts)
        .find(|part| !part.contains('@'));
    let part = bare.unwrap_or(first);
    let part = match part.split_once('\\') {
        Some((domain, account)) if !domain.is_empty() => account,
        _ => part,
    };
    part.split_once('@')
        .map_or(part, |(account, _)| account)
        .trim()
}

/// The first of the values in a cell.
fn first_of(values: &str) -> &str {
    let mut parts = values.split(['|', ';', ',']).map(str::trim);
    parts.find(|part| !part.is_empty()).unwrap_or(values)
}

/// Decodes a cell that the export encoded.
fn plain(row: &CsvRow<'_>, column: usize) -> Option<String> {
    let cell = row.raw(column)?;
    Some(export::decoded(cell).map_or_else(|| one_line(cell), |text| one_line(&text)))
}

/// Like [`plain`], for columns in which bare base64 text can only be an encoded name.
fn name(row: &CsvRow<'_>, column: usize) -> Option<String> {
    let cell = plain(row, column)?;
    Some(export::decoded_name(&cell).unwrap_or(cell))
}

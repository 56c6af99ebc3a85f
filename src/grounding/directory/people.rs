//! Decides which accounts are people, and which may log on.

use super::column;
use crate::grounding::csv_table::{CsvRow, plain_name, plain_words};

/// Facts about a row that indicate a person.
pub(super) struct Facts<'a> {
    pub login: &'a str,
    pub upn: &'a str,
    /// The row has a given name or a mail address.
    pub is_named: bool,
}

/// Normalised names of built-in accounts, in the languages of Windows setups.
const BUILT_IN: [&str; 18] = [
    "administrator",
    "administrateur",
    "administrador",
    "amministratore",
    "guest",
    "gast",
    "invite",
    "invitado",
    "ospite",
    "krbtgt",
    "defaultaccount",
    "defaultuser0",
    "wdagutilityaccount",
    "support388945a0",
    "homegroupuser",
    "helpassistant",
    "exchangeonlineapplicationaccount",
    "krbtgtazuread",
];

/// Prefixes of accounts that products create; an id follows.
const MAILBOXES: [&str; 6] = [
    "healthmailbox",
    "systemmailbox",
    "discoverysearchmailbox",
    "federatedemail.",
    "migration.",
    "extest_",
];
const PRODUCTS: [&str; 5] = ["sm_", "msol_", "aad_", "iusr_", "iwam_"];

const SERVICE: [&str; 9] = [
    "svc-", "svc_", "svc.", "sa-", "sa_", "srv-", "srv_", "service-", "service_",
];

/// The reason why a row is not a person; `None` for a person.
pub(super) fn no_person(row: &CsvRow<'_>, facts: &Facts<'_>) -> Option<&'static str> {
    let login = super::account(facts.login).to_lowercase();
    by_class(row)
        .or_else(|| {
            let is_guest = [facts.login, facts.upn]
                .iter()
                .any(|name| name.to_lowercase().contains("#ext#"));
            let user_type = row.raw(column::USER_TYPE).map(plain_name);
            let is_guest = is_guest || user_type.is_some_and(|it| it == "guest" || it == "gast");
            is_guest.then_some("guest of another organisation")
        })
        .or_else(|| {
            let is_machine = login.ends_with('$') || login.starts_with('$');
            is_machine.then_some("computer or service account, by the `$` of its name")
        })
        .or_else(|| is_built_in(row, &login).then_some("built-in account"))
        .or_else(|| {
            let starts = |list: &[&str]| list.iter().any(|it| login.starts_with(it));
            let tail = login.split_once('_').map_or("", |it| it.1);
            let is_id = tail.len() >= 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit());
            match () {
                () if starts(&MAILBOXES) => Some("system mailbox"),
                () if starts(&PRODUCTS) && (is_id || !facts.is_named) => Some("product account"),
                () if starts(&SERVICE) && !facts.is_named => Some("service account"),
                () => None,
            }
        })
}

/// Checks object class and category.
fn by_class(row: &CsvRow<'_>) -> Option<&'static str> {
    let class = row.raw(column::OBJECT_CLASS).unwrap_or_default();
    // In `CN=Group,CN=Schema,…`, the first part is the category.
    let category = row.raw(column::OBJECT_CATEGORY).unwrap_or_default();
    let category = category.split(',').next().unwrap_or_default();
    let category = category.split_once('=').map_or(category, |it| it.1);
    let mut words: Vec<String> = plain_words(class).collect();
    words.push(plain_name(category));
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let account_type = row.raw(column::ACCOUNT_TYPE).and_then(number);
    if has(&["groupofnames", "groupofuniquenames"])
        || words.iter().any(|word| word.ends_with("group"))
        || matches!(
            account_type,
            Some(0x1000_0000 | 0x1000_0001 | 0x2000_0000 | 0x2000_0001)
        )
    {
        return Some("group");
    }
    // The classes of `msDS-GroupManagedServiceAccount` include computer.
    if words.iter().any(|word| word.ends_with("serviceaccount")) {
        return Some("service account");
    }
    if has(&["computer", "device"]) || account_type == Some(0x3000_0001) {
        return Some("computer");
    }
    if has(&["contact", "mailcontact"]) {
        return Some("contact");
    }
    let others = [
        "organizationalunit",
        "container",
        "builtindomain",
        "domaindns",
        "foreignsecurityprincipal",
        "trusteddomain",
        "serviceprincipal",
        "printqueue",
        "volume",
        "grouppolicycontainer",
    ];
    // Interdomain trusts have accounts too.
    (has(&others) || account_type == Some(0x3000_0002)).then_some("object that is not an account")
}

fn is_built_in(row: &CsvRow<'_>, login: &str) -> bool {
    let plain = plain_name(login);
    let replica = login.strip_prefix("krbtgt_");
    let by_name = BUILT_IN.contains(&plain.as_str())
        || replica.is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    // RIDs below 1000 of a domain are built in.
    let sid = row.raw(column::SID).unwrap_or_default();
    let rid = match sid.to_uppercase().starts_with("S-1-5-21-") {
        true => sid.rsplit('-').next().and_then(|rid| rid.parse().ok()),
        false => None,
    };
    by_name || rid.is_some_and(|rid: u32| rid < 1000)
}

/// Whether the directory marks the account as disabled.
pub(super) fn is_disabled(row: &CsvRow<'_>) -> bool {
    const ACCOUNT_DISABLED: u64 = 2;
    let word = |column| row.raw(column).map(plain_name).unwrap_or_default();
    let is_no = |word: &str| {
        [
            "false", "0", "no", "n", "disabled", "inactive", "falsch", "nein", "faux", "non",
        ]
        .contains(&word)
    };
    let is_yes = |word: &str| {
        [
            "true", "1", "yes", "y", "disabled", "wahr", "ja", "vrai", "oui",
        ]
        .contains(&word)
    };
    let control = row.raw(column::ACCOUNT_CONTROL).unwrap_or_default();
    let by_control = match number(control) {
        Some(flags) => flags & ACCOUNT_DISABLED != 0,
        None => plain_words(control).any(|word| {
            matches!(
                word.as_str(),
                "accountdisable" | "accountdisabled" | "disabled"
            )
        }),
    };
    let status = [
        "deactivated",
        "deprovisioned",
        "suspended",
        "disabled",
        "inactive",
        "terminated",
        "staged",
        "archived",
        "deleted",
        "blocked",
        "deaktiviert",
        "gesperrt",
        "desactive",
    ];
    is_no(&word(column::ENABLED))
        || is_yes(&word(column::DISABLED))
        || by_control
        || status.contains(&word(column::STATUS).as_str())
}

/// Parses a decimal or `0x` number.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    match hex {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

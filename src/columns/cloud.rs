//! Records of clouds and services: `cloud.*`, `user_agent.*` and `fusionai.cloud.*`.
//!
//! Their rows have no host, so columns that depend on the host are null.

use arrow_array::ArrayRef;

use super::shared::optional;
use super::words::WordTable;
use super::{Column, View, table};
use crate::catalog::{AGENTS, AuditLog, Call, Credential};
use crate::frame::{CallRow, Maker, NONE};
use crate::kinds::{Kinds, SERVICES, Telemetry as T, kinds};
use crate::random::Key;
use crate::world::cloud::{ACCOUNTS, GLOBAL_REGION, REGIONS};

static PLATFORMS: WordTable = WordTable::new(&["cloud", "saas"]);

/// The ECS categories and types of a call. The `fusionai` schema uses the first category and the
/// last type.
pub struct CallMeaning {
    pub category: &'static [&'static str],
    pub types: &'static [&'static str],
}

const fn meaning(category: &'static [&'static str], types: &'static [&'static str]) -> CallMeaning {
    CallMeaning { category, types }
}

/// Meanings of calls by log and prefix of the operation; the first match wins. They follow Elastic's
/// integrations; where those have none, the nearest that ECS allows.
#[rustfmt::skip]
const MEANINGS: &[(AuditLog, &str, CallMeaning)] = &[
    (AuditLog::CloudTrail, "ConsoleLogin", meaning(&["authentication"], &["info"])),
    (AuditLog::CloudTrail, "AssumeRole", meaning(&["authentication"], &["info"])),
    (AuditLog::CloudTrail, "GetCallerIdentity", meaning(&["authentication"], &["info"])),
    (AuditLog::CloudTrail, "GetSessionToken", meaning(&["authentication"], &["info"])),
    (AuditLog::CloudTrail, "CreateUser", meaning(&["iam"], &["user", "creation"])),
    (AuditLog::CloudTrail, "CreateAccessKey", meaning(&["iam"], &["user", "change"])),
    (AuditLog::CloudTrail, "DeleteAccessKey", meaning(&["iam"], &["user", "change"])),
    (AuditLog::CloudTrail, "UpdateAccessKey", meaning(&["iam"], &["user", "change"])),
    (AuditLog::CloudTrail, "CreateLoginProfile", meaning(&["iam"], &["user", "change"])),
    (AuditLog::CloudTrail, "Attach", meaning(&["iam"], &["user", "change"])),
    (AuditLog::CloudTrail, "PutUserPolicy", meaning(&["iam"], &["user", "change"])),
    (AuditLog::CloudTrail, "ListUsers", meaning(&["iam"], &["user", "info"])),
    (AuditLog::CloudTrail, "ListAttachedUserPolicies", meaning(&["iam"], &["user", "info"])),
    (AuditLog::CloudTrail, "GetAccountAuthorizationDetails", meaning(&["iam"], &["info"])),
    (AuditLog::CloudTrail, "GetObject", meaning(&["file"], &["access"])),
    (AuditLog::CloudTrail, "PutObject", meaning(&["file"], &["creation"])),
    (AuditLog::CloudTrail, "DeleteObject", meaning(&["file"], &["deletion"])),
    (AuditLog::CloudTrail, "List", meaning(&["configuration"], &["access"])),
    (AuditLog::CloudTrail, "Describe", meaning(&["configuration"], &["access"])),
    (AuditLog::CloudTrail, "Get", meaning(&["configuration"], &["access"])),
    (AuditLog::CloudTrail, "Create", meaning(&["configuration"], &["creation"])),
    (AuditLog::CloudTrail, "Run", meaning(&["configuration"], &["creation"])),
    (AuditLog::CloudTrail, "Delete", meaning(&["configuration"], &["deletion"])),
    (AuditLog::CloudTrail, "Stop", meaning(&["configuration"], &["change"])),
    (AuditLog::CloudTrail, "", meaning(&["configuration"], &["change"])),
    (AuditLog::SignIns, "", meaning(&["authentication"], &["info"])),
    (AuditLog::Office365, "UserLog", meaning(&["authentication"], &["start"])),
    (AuditLog::Office365, "FileDeleted", meaning(&["file"], &["deletion"])),
    (AuditLog::Office365, "FileUploaded", meaning(&["file"], &["creation"])),
    (AuditLog::Office365, "FileModified", meaning(&["file"], &["change"])),
    (AuditLog::Office365, "File", meaning(&["file"], &["access"])),
    (AuditLog::Office365, "MailItemsAccessed", meaning(&["email"], &["info"])),
    (AuditLog::Office365, "Send", meaning(&["email"], &["info"])),
    (AuditLog::Office365, "Consent", meaning(&["iam", "configuration"], &["admin", "change"])),
    (AuditLog::Office365, "Add", meaning(&["iam"], &["admin", "change"])),
    (AuditLog::Office365, "", meaning(&["configuration"], &["change"])),
    (AuditLog::GitHub, "git.clone", meaning(&["file"], &["access"])),
    (AuditLog::GitHub, "git.fetch", meaning(&["file"], &["access"])),
    (AuditLog::GitHub, "git.push", meaning(&["file"], &["change"])),
    (AuditLog::GitHub, "personal_access_token", meaning(&["iam", "configuration"], &["admin", "change"])),
    (AuditLog::GitHub, "", meaning(&["configuration"], &["change"])),
];

/// The meaning of a call.
pub fn meaning_of(call: &Call) -> &'static CallMeaning {
    let found = MEANINGS
        .iter()
        .find(|(log, start, _)| *log == call.log && call.operation.starts_with(start));
    // The last entry of each log has an empty prefix, so a match is always found.
    found.map_or(&MEANINGS[0].2, |(_, _, meaning)| meaning)
}

/// The provider's error code for a call that a policy denied.
fn denied(log: AuditLog) -> &'static str {
    match log {
        AuditLog::CloudTrail => "AccessDenied",
        // Blocked by Conditional Access.
        AuditLog::SignIns => "53003",
        AuditLog::Office365 => "UnauthorizedAccess",
        AuditLog::GitHub => "denied",
    }
}

/// Services that record all calls in a single region.
const GLOBAL: &[&str] = &["iam", "organizations", "signin", "sso"];

/// Tables indexed by call of the vocabulary. Negative keys are null.
#[derive(Debug)]
pub struct CloudTables {
    operation: (Vec<i32>, ArrayRef),
    source: (Vec<i32>, ArrayRef),
    cloud: (Vec<i32>, ArrayRef),
    service: (Vec<i32>, ArrayRef),
    dataset: (Vec<i32>, ArrayRef),
    organization: (Vec<i32>, ArrayRef),
    identity: (Vec<i32>, ArrayRef),
    read_only: (Vec<i32>, ArrayRef),
    /// Error codes: the calls' own, and those of denied calls.
    errors: ArrayRef,
    error: Vec<i32>,
    denied: Vec<i32>,
    regions: ArrayRef,
    accounts: ArrayRef,
    agent: ArrayRef,
    agent_name: (Vec<i32>, ArrayRef),
    /// Cloud account of each account of the directory.
    home: Vec<u8>,
}

/// The name of a call's event source.
pub fn event_source(call: &Call) -> String {
    match call.log {
        AuditLog::CloudTrail => format!("{}.amazonaws.com", call.service),
        AuditLog::SignIns => "Microsoft.aadiam".into(),
        AuditLog::Office365 => call.service.clone(),
        AuditLog::GitHub => "github.com".into(),
    }
}

/// The identity type of a call's credential.
fn identity(call: &Call) -> Option<&'static str> {
    match (call.log, call.credential) {
        (AuditLog::CloudTrail, Credential::Role) => Some("AssumedRole"),
        (AuditLog::CloudTrail, _) => Some("IAMUser"),
        (AuditLog::SignIns, _) => Some("Member"),
        (AuditLog::Office365, _) => Some("Regular"),
        (AuditLog::GitHub, Credential::Token) => Some("Personal access token (classic)"),
        (AuditLog::GitHub, _) => Some("User"),
    }
}

/// CloudTrail's `readOnly`.
fn read_only(call: &Call) -> Option<&'static str> {
    let reads = ["Get", "List", "Describe", "Head", "Lookup"];
    (call.log == AuditLog::CloudTrail).then(|| {
        match reads.iter().any(|verb| call.operation.starts_with(verb)) {
            true => "true",
            false => "false",
        }
    })
}

impl CloudTables {
    pub(super) fn new(maker: &Maker) -> Self {
        let (world, calls) = (&maker.world, &maker.vocabulary.calls);
        let of = |text: &dyn Fn(&Call) -> Option<String>| {
            let texts: Vec<Option<String>> = calls.iter().map(text).collect();
            optional(texts.iter().map(Option::as_deref))
        };
        let policies = calls.iter().map(|c| Some(denied(c.log)));
        let own = calls.iter().map(|c| c.error.as_deref());
        let (codes, errors) = optional(own.chain(policies));
        let tenant = world.cloud.session_id(u64::MAX);
        let handle = world.domain.netbios.to_lowercase();
        CloudTables {
            operation: of(&|c| Some(c.operation.clone())),
            source: of(&|c| Some(event_source(c))),
            cloud: of(&|c| c.log.provider().map(String::from)),
            service: of(&|c| c.log.provider().map(|_| c.service.clone())),
            dataset: of(&|c| Some(c.log.dataset().into())),
            organization: of(&|c| match c.log {
                AuditLog::CloudTrail => None,
                AuditLog::GitHub => Some(handle.clone()),
                _ => Some(tenant.clone()),
            }),
            identity: of(&|c| identity(c).map(String::from)),
            read_only: of(&|c| read_only(c).map(String::from)),
            errors,
            error: codes[..calls.len()].to_vec(),
            denied: codes[calls.len()..].to_vec(),
            regions: table(REGIONS),
            accounts: table((0..ACCOUNTS).map(|a| world.cloud.account_id(a))),
            agent: table(AGENTS.iter().map(|a| a.original)),
            agent_name: optional(AGENTS.iter().map(|a| Some(a.name))),
            home: (world.accounts.ids())
                .map(|a| world.cloud.home(&world.accounts, a) as u8)
                .collect(),
        }
    }
}

fn call<'v>(v: &'v View<'_>, row: &CallRow) -> &'v Call {
    &v.maker.vocabulary.calls[row.call as usize]
}

/// A column of strings that depend on the call only.
fn of_call(v: &View<'_>, (keys, values): &(Vec<i32>, ArrayRef)) -> Column {
    v.texts_of(SERVICES, values, |r| {
        v.frame.calls.get(r).map_or(NONE, |c| keys[c.call as usize])
    })
}

/// A column of strings that differ by caller or event.
fn own(
    v: &View<'_>,
    kinds: Kinds,
    mut write: impl FnMut(usize, &CallRow, &Call) -> Option<String>,
) -> Column {
    v.plain(kinds, 36, |r, out| {
        let text = v
            .frame
            .calls
            .get(r)
            .and_then(|row| write(r, row, call(v, row)));
        if let Some(text) = &text {
            out.extend_from_slice(text.as_bytes());
        }
        text.is_some()
    })
}

const CLOUD: Kinds = kinds(&[T::CloudAudit]);
const SAAS: Kinds = kinds(&[T::SaasAudit]);

/// `cloud.provider`.
pub fn provider(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.cloud)
}
/// `cloud.service.name`.
pub fn service(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.service)
}
/// `cloud.account.id`.
pub fn account(v: &View<'_>) -> Column {
    let t = &v.tables.cloud;
    v.texts_of(CLOUD, &t.accounts, |r| {
        i32::from(t.home[v.frame.user[r].index()])
    })
}
/// `cloud.region`.
pub fn region(v: &View<'_>) -> Column {
    let t = &v.tables.cloud;
    let global = REGIONS.iter().position(|region| *region == GLOBAL_REGION);
    let global = global.map_or(0, |at| at as i32);
    v.texts_of(CLOUD, &t.regions, |r| {
        let is_global =
            (v.frame.calls.get(r)).is_some_and(|c| GLOBAL.contains(&call(v, c).service.as_str()));
        match is_global {
            true => global,
            false => i32::from(t.home[v.frame.user[r].index()]),
        }
    })
}
/// `user_agent.original`.
pub fn user_agent(v: &View<'_>) -> Column {
    v.texts_of(SERVICES, &v.tables.cloud.agent, |r| {
        v.frame.calls.get(r).map_or(NONE, |c| c.agent as i32)
    })
}
/// `user_agent.name`.
pub fn user_agent_name(v: &View<'_>) -> Column {
    let (keys, values) = &v.tables.cloud.agent_name;
    v.texts_of(SERVICES, values, |r| {
        v.frame
            .calls
            .get(r)
            .map_or(NONE, |c| keys[c.agent as usize])
    })
}

/// `fusionai.cloud.platform`: `cloud` or `saas`.
pub fn platform(v: &View<'_>) -> Column {
    v.texts_of(SERVICES, PLATFORMS.table(), |r| {
        i32::from(v.frame.telemetry[r] == T::SaasAudit)
    })
}
/// `fusionai.cloud.dataset`: the log.
pub fn dataset(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.dataset)
}
/// `fusionai.cloud.organization`: the tenant, or GitHub's organisation.
pub fn organization(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.organization)
}
/// `fusionai.cloud.event_source`.
pub fn event_source_name(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.source)
}
/// `fusionai.cloud.event_name`: the operation.
pub fn event_name(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.operation)
}
/// `fusionai.cloud.read_only`.
pub fn is_read_only(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.read_only)
}
/// `fusionai.cloud.identity_type`.
pub fn identity_type(v: &View<'_>) -> Column {
    of_call(v, &v.tables.cloud.identity)
}
/// `fusionai.cloud.error_code`: the call's own, or that of a denied call.
pub fn error_code(v: &View<'_>) -> Column {
    let t = &v.tables.cloud;
    v.texts_of(SERVICES, &t.errors, |r| match v.frame.calls.get(r) {
        Some(c) if v.frame.blocked[r] => t.denied[c.call as usize],
        Some(c) => t.error[c.call as usize],
        None => NONE,
    })
}
/// `fusionai.cloud.request_parameters`: as JSON.
pub fn request_parameters(v: &View<'_>) -> Column {
    v.own(SERVICES, &v.frame.request, None)
}

/// A GUID that is unique to the event.
fn event_guid(v: &View<'_>, row: usize, salt: u64) -> String {
    Key::root(v.frame.salt[row]).with(salt).guid()
}

/// `fusionai.cloud.event_id`.
pub fn event_id(v: &View<'_>) -> Column {
    own(v, SERVICES, |r, _, _| Some(event_guid(v, r, 1)))
}
/// `fusionai.cloud.request_id`.
pub fn request_id(v: &View<'_>) -> Column {
    own(v, CLOUD, |r, _, _| Some(event_guid(v, r, 2)))
}
/// The caller's id at the provider, if it knows the caller: `AIDA…`, `AROA…:session`, an object id.
pub fn principal(v: &View<'_>, row: usize) -> Option<String> {
    let c = v.frame.calls.get(row)?;
    let (cloud, accounts) = (&v.maker.world.cloud, &v.maker.world.accounts);
    let account = v.frame.user[row];
    let called = call(v, c);
    Some(match (called.log, called.credential) {
        (AuditLog::CloudTrail, Credential::Role) => {
            let (role, session) = cloud.role(accounts, account);
            let home = cloud.home(accounts, account);
            format!("{}:{session}", cloud.role_id(home, &role))
        }
        (AuditLog::CloudTrail, _) => cloud.user_id(account),
        (AuditLog::GitHub, _) => {
            let digits = Key::root(0x617).with(account.into()).below(0, 90_000_000);
            (10_000_000 + digits).to_string()
        }
        _ => cloud.object_id(account),
    })
}
/// `fusionai.cloud.principal_id`.
pub fn principal_id(v: &View<'_>) -> Column {
    own(v, SERVICES, |r, _, _| principal(v, r))
}
/// `fusionai.cloud.arn`.
pub fn arn(v: &View<'_>) -> Column {
    let (cloud, accounts) = (&v.maker.world.cloud, &v.maker.world.accounts);
    own(v, CLOUD, |r, _, called| {
        let account = v.frame.user[r];
        let id = cloud.account_id(cloud.home(accounts, account));
        Some(match called.credential {
            Credential::Role => {
                let (role, session) = cloud.role(accounts, account);
                format!("arn:aws:sts::{id}:assumed-role/{role}/{session}")
            }
            _ => format!("arn:aws:iam::{id}:user/{}", accounts[account].name),
        })
    })
}
/// `fusionai.cloud.access_key_id`: `AKIA…` of a user, `ASIA…` of a session.
pub fn access_key_id(v: &View<'_>) -> Column {
    let cloud = &v.maker.world.cloud;
    own(v, CLOUD, |r, row, called| match called.credential {
        Credential::Key => Some(cloud.access_key(v.frame.user[r])),
        // A console login has no key yet.
        _ if called.operation == "ConsoleLogin" => None,
        _ => Some(cloud.session_key(row.session)),
    })
}
/// `fusionai.cloud.session_start`: the time at which the session's credentials were issued.
pub fn session_start(v: &View<'_>) -> Column {
    own(v, CLOUD, |_, row, called| {
        (called.credential == Credential::Role).then(|| {
            let time = chrono::DateTime::from_timestamp(row.session_start, 0);
            time.map(|t| t.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        })?
    })
}
/// `fusionai.cloud.session_id`: the session of a signed-in person.
pub fn session_id(v: &View<'_>) -> Column {
    let cloud = &v.maker.world.cloud;
    own(v, SAAS, |_, row, called| {
        (called.credential == Credential::Session && called.log != AuditLog::GitHub)
            .then(|| cloud.session_id(row.session))
    })
}
/// `fusionai.cloud.hashed_token`: the hash of the token.
pub fn hashed_token(v: &View<'_>) -> Column {
    let cloud = &v.maker.world.cloud;
    own(v, SAAS, |r, _, called| {
        (called.credential == Credential::Token).then(|| cloud.hashed_token(v.frame.user[r]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_log_has_a_meaning_for_any_operation() {
        for log in AuditLog::ALL {
            assert!(
                MEANINGS
                    .iter()
                    .any(|(l, start, _)| *l == log && start.is_empty())
            );
        }
    }
}

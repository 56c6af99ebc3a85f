//! `winlog.*`: the envelope and one struct of event data.
//!
//! Field names, order and formats follow real Sysmon 15 and Security records. In `fusionai`,
//! process ids, ports and Security's hexadecimal ids are integers; all other leaves are strings.

mod envelope;
mod logon;
mod network;
mod objects;
mod process;

pub use envelope::*;
pub use logon::*;
pub use network::*;
pub use objects::*;
pub use process::*;

use super::words::WordTable;
use crate::kinds::{Block, Kinds, Provider, Telemetry as T, block, field, given, kinds};

/// By provider: keywords of a success and of a failure.
static KEYWORDS: WordTable = {
    const ALL: [&str; 2 * Provider::ALL.len()] = {
        let mut words = [""; 2 * Provider::ALL.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Provider::ALL[at / 2].keywords()[at % 2];
            at += 1;
        }
        words
    };
    WordTable::new(&ALL)
};
static DASH: WordTable = WordTable::new(&["-"]);
const EMPTY_GUID: &str = "{00000000-0000-0000-0000-000000000000}";
pub(super) static BOOLEANS: WordTable = WordTable::new(&["false", "true"]);
static FILTER_DIRECTIONS: WordTable = WordTable::new(&["%%14593", "%%14592"]);
static LAYERS: WordTable = WordTable::new(&["%%14611", "%%14610", "%%14597"]);
static LAYER_IDS: WordTable = WordTable::new(&["48", "44", "13"]);
static EVENT_TYPES: WordTable = WordTable::new(&[
    "SetValue",
    "CreatePipe",
    "ConnectPipe",
    "WmiFilterEvent",
    "WmiConsumerEvent",
    "WmiBindingEvent",
]);
const NULL_SID: &str = "S-1-0-0";
static SESSIONS: WordTable = WordTable::new(&["0", "1", "2", "3"]);
static STATUSES: WordTable = WordTable::new(&["0", "9003", "9501"]);
static LOGON_PROCESSES: WordTable =
    WordTable::new(&["Kerberos", "NtLmSsp ", "User32 ", "Advapi  ", "Negotiat"]);
static PACKAGES: WordTable = WordTable::new(&["Kerberos", "NTLM", "Negotiate"]);
static IMPERSONATION: WordTable = WordTable::new(&["%%1833", "%%1840"]);
const NO: &str = "%%1843";
const YES: &str = "%%1842";
static LOGON_TYPES: WordTable =
    WordTable::new(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
static PORT_NAMES: WordTable = WordTable::new(&[
    "-",
    "domain",
    "microsoft-ds",
    "ms-wbt-server",
    "netbios-ssn",
    "https",
    "http",
    "ldap",
    "kerberos",
    "epmap",
    "ntp",
    "ssdp",
    "llmnr",
]);

const CREATE: Kinds = kinds(&[T::ProcessCreation]);
const CONNECT: Kinds = field("Initiated");
const FILE: Kinds = field("TargetFilename");
const NEW_FILE: Kinds = field("CreationUtcTime") & !SET_BACK;
const SET_BACK: Kinds = field("PreviousCreationUtcTime");
pub(super) const HASHED_FILE: Kinds = field("Hashes") & block(Block::File);
const CLIPBOARD: Kinds = field("ClientInfo");
const LOADED: Kinds = kinds(&[T::ImageLoaded]);
const REGISTRY: Kinds = field("TargetObject");
const REGISTRY_SET: Kinds = field("Details");
/// Records whose EventType the catalog gives.
const GIVEN_TYPE: Kinds = field("EventType") & given("EventType");
const TYPED: Kinds = field("EventType") & !GIVEN_TYPE;
const DNS: Kinds = field("QueryName");
const LOGON: Kinds = kinds(&[T::Logon]);
const LOGON_FAILED: Kinds = kinds(&[T::LogonFailed]);
const LOGONS: Kinds = field("LogonProcessName");
const LOGOFF: Kinds = kinds(&[T::Logoff]);
const EXPLICIT: Kinds = kinds(&[T::ExplicitLogon]);
const CREATED: Kinds = kinds(&[T::ProcessCreated]);
const CLIENTS: Kinds = field("ClientProcessId");
const SERVICE_TICKET: Kinds = kinds(&[T::ServiceTicket]);
/// Records whose subject is the row's account in its session.
pub(super) const SUBJECT: Kinds = field("SubjectUserSid") & !LOGONS;
/// Records whose target is the account that the record names, or the row's account.
const NAMED_TARGET: Kinds = field("TargetUserName") & !(LOGON | LOGOFF);
const TARGET_DOMAIN: Kinds = field("TargetDomainName");
const CLIENT: Kinds = field("IpAddress");
const KERBEROS: Kinds = field("TicketOptions");
const OWNED: Kinds = field("ProcessName") & !LOGONS;

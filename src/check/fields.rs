//! The leaves that audits read, under one name for both schemas.
//!
//! This module knows paths and array types, but not which values are right.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{Fields as ArrowFields, Schema};
use parquet::arrow::ProjectionMask;
use parquet::schema::types::SchemaDescriptor;

use crate::schema::leaf;

/// Declares the leaves: name, path in `fusionai`, and path in `ecs` if it differs.
macro_rules! fields {
    ($($name:ident $path:literal $($ecs:literal)?,)*) => {
        /// A leaf that audits read.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Field { $($name,)* }

        impl Field {
            /// All leaves, in order.
            pub const ALL: &'static [Field] = &[$(Field::$name,)*];

            /// The paths in the two schemas.
            fn paths(self) -> (&'static str, Option<&'static str>) {
                match self { $(Field::$name => ($path, [$($ecs,)? ""].into_iter().find(|p| !p.is_empty())),)* }
            }
        }
    };
}

fields! {
    Time "@timestamp",
    // Used by no audit, but distinguishes the schemas.
    SchemaVersion "ecs.version",
    Kind "event.kind",
    Severity "fusionai.severity",
    SeverityWord "event.severity",
    Action "event.action",
    Outcome "event.outcome",
    Module "event.module" "fusionai.category",
    Sequence "event.sequence",
    Types "event.type",
    Observer "observer.name",
    SourceIp "source.ip",
    SourcePort "source.port",
    SourceBytes "source.bytes",
    DestinationIp "destination.ip",
    DestinationPort "destination.port",
    DestinationBytes "destination.bytes",
    Protocol "network.protocol" "network.transport",
    Bytes "network.bytes",
    Direction "network.direction",
    UserName "user.name",
    UserDomain "user.domain",
    UserEmail "user.email",
    UserDepartment "user.department" "fusionai.user_department",
    UserFullName "user.full_name",
    HostName "host.name",
    HostHostname "host.hostname",
    HostType "host.type",
    HostIp "host.ip",
    OsName "host.os.name",
    Platform "host.os.platform" "host.os.type",
    Pid "process.pid",
    EntityId "process.entity_id",
    Executable "process.executable",
    CommandLine "process.command_line",
    ParentPid "process.parent.pid",
    ParentEntityId "process.parent.entity_id",
    ParentExecutable "process.parent.executable",
    QuestionName "dns.question.name",
    ResolvedIp "dns.resolved_ip",
    UrlDomain "url.domain",
    FilePath "file.path",
    TechniqueId "threat.technique.id",
    TechniqueName "threat.technique.name",
    SubtechniqueId "threat.technique.subtechnique.id",
    SubtechniqueName "threat.technique.subtechnique.name",
    TacticId "threat.tactic.id",
    TacticName "threat.tactic.name",
    RuleName "rule.name",
    RuleCategory "rule.category",
    Category "fusionai.category",
    SensorDirection "fusionai.direction",
    AssetOwner "fusionai.asset_owner",
    AssetLocation "fusionai.asset_location",
    Noise "fusionai.noise",
    Channel "winlog.channel",
    Provider "winlog.provider_name",
    ProviderGuid "winlog.provider_guid",
    ComputerName "winlog.computer_name",
    EventId "winlog.event_id",
    Version "winlog.version",
    Task "winlog.task",
    Keywords "winlog.keywords",
    RecordId "winlog.record_id",
    ServicePid "winlog.process.pid",
    EventType "winlog.event_data.EventType",
    UtcTime "winlog.event_data.UtcTime",
    ProcessGuid "winlog.event_data.ProcessGuid",
    ProcessId "winlog.event_data.ProcessId",
    Image "winlog.event_data.Image",
    FileVersion "winlog.event_data.FileVersion",
    OriginalFileName "winlog.event_data.OriginalFileName",
    User "winlog.event_data.User",
    SourceUser "winlog.event_data.SourceUser",
    LogonGuid "winlog.event_data.LogonGuid",
    LogonId "winlog.event_data.LogonId",
    IntegrityLevel "winlog.event_data.IntegrityLevel",
    Hashes "winlog.event_data.Hashes",
    ParentProcessGuid "winlog.event_data.ParentProcessGuid",
    ParentProcessId "winlog.event_data.ParentProcessId",
    ParentImage "winlog.event_data.ParentImage",
    ParentUser "winlog.event_data.ParentUser",
    SourceImage "winlog.event_data.SourceImage",
    TargetImage "winlog.event_data.TargetImage",
    TargetUser "winlog.event_data.TargetUser",
    FlowProtocol "winlog.event_data.Protocol",
    Initiated "winlog.event_data.Initiated",
    FlowSourceIp "winlog.event_data.SourceIp",
    FlowSourcePort "winlog.event_data.SourcePort",
    FlowDestinationIp "winlog.event_data.DestinationIp",
    FlowDestinationPort "winlog.event_data.DestinationPort",
    TargetObject "winlog.event_data.TargetObject",
    Details "winlog.event_data.Details",
    CreationTime "winlog.event_data.CreationUtcTime",
    QueryResults "winlog.event_data.QueryResults",
    SourceProcessGuid "winlog.event_data.SourceProcessGUID",
    SourceProcessId "winlog.event_data.SourceProcessId",
    TargetProcessGuid "winlog.event_data.TargetProcessGUID",
    TargetProcessId "winlog.event_data.TargetProcessId",
    SubjectUserSid "winlog.event_data.SubjectUserSid",
    SubjectUserName "winlog.event_data.SubjectUserName",
    SubjectLogonId "winlog.event_data.SubjectLogonId",
    TargetUserSid "winlog.event_data.TargetUserSid",
    TargetUserName "winlog.event_data.TargetUserName",
    TargetLogonId "winlog.event_data.TargetLogonId",
    LogonType "winlog.event_data.LogonType",
    Status "winlog.event_data.Status",
    SubStatus "winlog.event_data.SubStatus",
    AuditType "auditd.type",
    AuditPid "auditd.pid",
    AuditUid "auditd.uid",
    AuditSuccess "auditd.success",
    AuditResult "auditd.res",
    AuditAccount "auditd.acct",
    AuditId "auditd.id",
    AuditSession "auditd.ses",
    AuditLogin "auditd.auid",
    AuditSyscall "auditd.syscall",
    AuditSerial "auditd.sequence",
    AuditExe "auditd.exe",
    Message "message",
    CloudPlatform "fusionai.cloud.platform",
    CloudProvider "cloud.provider",
    CloudAccount "cloud.account.id",
    CloudDataset "fusionai.cloud.dataset",
    CloudOperation "fusionai.cloud.event_name",
    CloudError "fusionai.cloud.error_code",
    CloudIdentity "fusionai.cloud.identity_type",
    CloudPrincipal "fusionai.cloud.principal_id",
    CloudArn "fusionai.cloud.arn",
    AccessKey "fusionai.cloud.access_key_id",
    CloudSession "fusionai.cloud.session_id",
    HashedToken "fusionai.cloud.hashed_token",
    UserAgent "user_agent.original",
    Verdict "labels.verdict",
    NoiseType "labels.noise_type",
    AttackId "attack.id",
    Step "attack.step",
    AttackSequence "attack.sequence",
    StopReason "attack.stop_reason",
}

const EVENT_DATA: &str = "winlog.event_data";

fn is_ecs(schema: &Schema) -> bool {
    schema.column_with_name("ecs").is_some()
}

impl Field {
    /// The path in a schema.
    pub fn path(self, ecs: bool) -> &'static str {
        match self.paths() {
            (_, Some(path)) if ecs => path,
            (path, _) => path,
        }
    }
}

/// The leaves of a file to read: those of the audits, and all of `event_data`.
pub fn mask(arrow: &Schema, parquet: &SchemaDescriptor) -> ProjectionMask {
    let ecs = is_ecs(arrow);
    let paths: Vec<&str> = Field::ALL.iter().map(|f| f.path(ecs)).collect();
    let wanted = parquet.columns().iter().enumerate().filter(|(_, column)| {
        let parts = column.path().parts();
        let path = parts.join(".");
        path.starts_with(EVENT_DATA)
            || paths.iter().any(|p| {
                path == *p
                    || path
                        .strip_prefix(*p)
                        .is_some_and(|r| r.starts_with(".list."))
            })
    });
    ProjectionMask::leaves(parquet, wanted.map(|(i, _)| i))
}

enum LeafArray<'b> {
    Text(&'b StringArray),
    Integer(&'b Int64Array),
    Time(&'b TimestampMicrosecondArray),
    Boolean(&'b BooleanArray),
    Texts(&'b ListArray, &'b StringArray),
    Nothing,
}

/// Inlined, unlike the trait's.
fn is_valid(array: &impl Array, index: usize) -> bool {
    array.nulls().is_none_or(|nulls| nulls.is_valid(index))
}

impl<'b> LeafArray<'b> {
    fn new(array: Option<&'b ArrayRef>) -> Self {
        let Some(array) = array else {
            return LeafArray::Nothing;
        };
        let any = array.as_any();
        if let Some(array) = any.downcast_ref() {
            LeafArray::Text(array)
        } else if let Some(array) = any.downcast_ref() {
            LeafArray::Integer(array)
        } else if let Some(array) = any.downcast_ref() {
            LeafArray::Time(array)
        } else if let Some(array) = any.downcast_ref() {
            LeafArray::Boolean(array)
        } else if let Some(list) = any.downcast_ref::<ListArray>()
            && let Some(items) = list.values().as_any().downcast_ref()
        {
            LeafArray::Texts(list, items)
        } else {
            LeafArray::Nothing
        }
    }
}

/// A batch's leaves by [`Field`].
pub struct EventBatch<'b> {
    pub len: usize,
    pub ecs: bool,
    columns: Vec<LeafArray<'b>>,
    /// All leaves of `event_data`.
    event_data: Vec<(&'b str, Option<&'b NullBuffer>)>,
    /// The leaves of each kind of record, by event id; names are compared once per batch.
    expected: RefCell<BTreeMap<i64, Vec<bool>>>,
}

impl<'b> EventBatch<'b> {
    /// Finds the leaves of a batch.
    pub fn new(batch: &'b RecordBatch) -> Self {
        let schema = batch.schema_ref();
        let ecs = is_ecs(schema);
        let data = leaf(batch, EVENT_DATA).and_then(|a| a.as_struct_opt());
        let event_data = data.map_or(Vec::new(), |data| {
            let fields: &'b ArrowFields = data.fields();
            fields
                .iter()
                .map(|f| f.name().as_str())
                .zip(data.columns().iter().map(|a| a.nulls()))
                .collect()
        });
        EventBatch {
            len: batch.num_rows(),
            ecs,
            columns: Field::ALL
                .iter()
                .map(|f| LeafArray::new(leaf(batch, f.path(ecs))))
                .collect(),
            event_data,
            expected: RefCell::default(),
        }
    }

    /// One row.
    pub fn row(&self, index: usize) -> EventRow<'_> {
        EventRow { rows: self, index }
    }
}

const AUDIT_FAILURE: &str = "Audit Failure";

/// Windows' names for the bits of a record's keywords.
fn keywords(hexadecimal: &str) -> impl Iterator<Item = &'static str> {
    const BITS: [(u64, &str); 3] = [
        (1 << 52, AUDIT_FAILURE),
        (1 << 53, "Audit Success"),
        (1 << 55, "Classic"),
    ];
    let digits = hexadecimal.strip_prefix("0x").unwrap_or("");
    let bits = u64::from_str_radix(digits, 16).unwrap_or(0);
    BITS.into_iter()
        .filter(move |(bit, _)| bits & bit != 0)
        .map(|(_, name)| name)
}

/// One row of a batch.
#[derive(Clone, Copy)]
pub struct EventRow<'r> {
    rows: &'r EventBatch<'r>,
    index: usize,
}

/// Parses a decimal number, or a hexadecimal one with `0x`.
pub fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|n| n as i64),
        None => text.parse().ok(),
    }
}

impl<'r> EventRow<'r> {
    /// Whether the schema is `ecs`.
    pub fn ecs(&self) -> bool {
        self.rows.ecs
    }

    /// A text; for a list, its first item.
    pub fn text(&self, field: Field) -> Option<&'r str> {
        match &self.rows.columns[field as usize] {
            LeafArray::Text(array) => is_valid(*array, self.index).then(|| array.value(self.index)),
            LeafArray::Texts(..) => self.texts(field).next(),
            _ => None,
        }
    }

    /// The items of a list; for a text, the text itself.
    pub fn texts(&self, field: Field) -> impl Iterator<Item = &'r str> + use<'r> {
        let (items, range) = match &self.rows.columns[field as usize] {
            LeafArray::Texts(list, items) if is_valid(*list, self.index) => {
                let offsets = list.value_offsets();
                let range = offsets[self.index] as usize..offsets[self.index + 1] as usize;
                (Some(*items), range)
            }
            LeafArray::Text(array) if is_valid(*array, self.index) => {
                (Some(*array), self.index..self.index + 1)
            }
            _ => (None, 0..0),
        };
        range.filter_map(move |i| items.filter(|a| is_valid(*a, i)).map(|a| a.value(i)))
    }

    /// A number, stored as a number or as text.
    pub fn integer(&self, field: Field) -> Option<i64> {
        match &self.rows.columns[field as usize] {
            LeafArray::Integer(array) => {
                is_valid(*array, self.index).then(|| array.value(self.index))
            }
            LeafArray::Time(array) => is_valid(*array, self.index).then(|| array.value(self.index)),
            LeafArray::Text(array) if is_valid(*array, self.index) => {
                number(array.value(self.index))
            }
            _ => None,
        }
    }

    /// A Boolean.
    pub fn flag(&self, field: Field) -> Option<bool> {
        match &self.rows.columns[field as usize] {
            LeafArray::Boolean(array) => {
                is_valid(*array, self.index).then(|| array.value(self.index))
            }
            _ => None,
        }
    }

    /// Whether there is a value.
    pub fn has(&self, field: Field) -> bool {
        match &self.rows.columns[field as usize] {
            LeafArray::Text(array) => is_valid(*array, self.index),
            LeafArray::Integer(array) => is_valid(*array, self.index),
            LeafArray::Time(array) => is_valid(*array, self.index),
            LeafArray::Boolean(array) => is_valid(*array, self.index),
            LeafArray::Texts(..) => self.texts(field).next().is_some(),
            LeafArray::Nothing => false,
        }
    }

    /// A value as text, for keys and messages.
    pub fn shown(&self, field: Field) -> Option<Cow<'r, str>> {
        match &self.rows.columns[field as usize] {
            LeafArray::Text(_) => self.text(field).map(Cow::Borrowed),
            LeafArray::Integer(_) | LeafArray::Time(_) => {
                self.integer(field).map(|n| Cow::Owned(n.to_string()))
            }
            LeafArray::Boolean(_) => self.flag(field).map(|b| Cow::Owned(b.to_string())),
            LeafArray::Texts(..) => {
                let texts: Vec<&str> = self.texts(field).collect();
                (!texts.is_empty()).then(|| Cow::Owned(texts.join(",")))
            }
            LeafArray::Nothing => None,
        }
    }

    /// Whether the row is a network sensor's document, which in ECS has no host record.
    pub fn is_sensor(&self) -> bool {
        self.ecs() && self.has(Field::Observer)
    }

    /// Whether a host does this by itself or for its user, as the labels say: neither an alert, nor a benign
    /// scenario, nor a chain.
    pub fn is_own_life(&self) -> bool {
        self.text(Field::NoiseType) == Some("process_life")
    }

    /// Whether the event was blocked or denied, by the action and, in ECS, the type.
    pub fn is_blocked(&self) -> bool {
        let action = self.text(Field::Action);
        action.is_some_and(|action| ["blocked", "denied"].contains(&action))
            || self.ecs() && self.texts(Field::Types).any(|kind| kind == "denied")
    }

    /// Whether the record has this task: a number, or in ECS its name.
    pub fn is_task(&self, number: i64, name: Option<&str>) -> bool {
        match self.ecs() {
            true => self.text(Field::Task) == name,
            false => self.integer(Field::Task) == Some(number),
        }
    }

    /// Whether the record has these keywords: hexadecimal, or in ECS the names of the bits.
    pub fn is_keywords(&self, known: &str) -> bool {
        match self.ecs() {
            true => self.texts(Field::Keywords).eq(keywords(known)),
            false => self.text(Field::Keywords) == Some(known),
        }
    }

    /// Whether the record's keywords mean that an audited action failed.
    pub fn is_failed_audit(&self) -> bool {
        let failure = |word| word == AUDIT_FAILURE || keywords(word).any(|w| w == AUDIT_FAILURE);
        self.texts(Field::Keywords).any(failure)
    }

    /// Whether exactly the leaves of this kind of record have a value in `event_data`.
    pub fn has_exactly(&self, id: i64, fields: &[String]) -> bool {
        let leaves = &self.rows.event_data;
        let mut known = self.rows.expected.borrow_mut();
        let expected = known.entry(id).or_insert_with(|| {
            let names = leaves.iter().map(|(name, _)| name);
            names.map(|n| fields.iter().any(|f| f == n)).collect()
        });
        let mut there = 0;
        leaves.iter().zip(expected).all(|((_, nulls), expected)| {
            let has = nulls.is_none_or(|n| n.is_valid(self.index));
            there += usize::from(has);
            has == *expected
        }) && there == fields.len()
    }

    /// Names of the leaves of `event_data` that have a value.
    pub fn event_data(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        let index = self.index;
        let leaves = &self.rows.event_data;
        leaves
            .iter()
            .filter(move |(_, nulls)| nulls.is_none_or(|n| n.is_valid(index)))
            .map(|(name, _)| *name)
    }
}

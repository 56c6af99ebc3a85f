//! The audits by name, and their results.
//!
//! An audit counts rows tested and rows passed, and keeps its first failure.

use serde::Serialize;

use super::fields::{EventRow, Field};

/// Declares the audits: name and invariant.
macro_rules! audits {
    ($($id:ident $name:literal $what:literal,)*) => {
        /// One invariant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Audit { $(#[doc = $what] $id,)* }

        impl Audit {
            /// All audits, in the order of the report.
            pub const ALL: &'static [Audit] = &[$(Audit::$id,)*];

            /// `identity.host`…
            pub fn name(self) -> &'static str {
                match self { $(Audit::$id => $name,)* }
            }

            /// The invariant, as a sentence.
            pub fn what(self) -> &'static str {
                match self { $(Audit::$id => $what,)* }
            }
        }
    };
}

audits! {
    IdentityHost "identity.host" "a host has one address, system, type, owner and location, as in entities/assets",
    IdentityUser "identity.user" "an account has one domain, e-mail, department and full name",
    IdentitySid "identity.sid" "an account has one SID",
    IdentityReporter "identity.reporter" "the reporting host is an end of its flow: the destination of inbound, the source of outbound",
    IdentityInitiated "identity.initiated" "Initiated is true iff the host's address is SourceIp",
    IdentityDirection "identity.direction" "network.direction matches the addresses",
    IdentityAccount "identity.account" "user.name is the account in event_data",
    IdentityMail "identity.mail" "system and machine accounts have no e-mail",
    NumbersSequence "numbers.sequence" "event.sequence is unique: its partition's index, then dense ordinals",
    NumbersBytes "numbers.bytes" "network.bytes = source.bytes + destination.bytes",
    NumbersClientPort "numbers.client_port" "an internal client's port is in its system's ephemeral range",
    NumbersPort "numbers.port" "ports of TCP and UDP are 1 to 65535",
    NumbersPid "numbers.pid" "Windows pids are multiples of 4, and 0 in Sysmon only without a process",
    NumbersLivePid "numbers.live_pid" "no two live processes of a host share a pid",
    NumbersFlow "numbers.flow" "the record's 5-tuple is the event's",
    OutcomeBlocked "outcome.blocked" "blocked and denied events have outcome failure",
    PlatformRecord "platform.record" "a Windows row has winlog and no auditd, a Linux row the reverse, others neither",
    PlatformImage "platform.image" "images are paths of the row's platform",
    SysmonEnvelope "sysmon.envelope" "provider, channel, version, task and keywords of the event id",
    SysmonFields "sysmon.fields" "exactly the fields of the event id",
    SysmonFormats "sysmon.formats" "values are formatted as Sysmon formats them",
    SysmonGuidPrefix "sysmon.guid_prefix" "all GUIDs of a host have the same prefix",
    SysmonGuidTime "sysmon.guid_time" "a GUID contains the start of its process",
    SysmonGuid "sysmon.guid" "a GUID has one host, pid, image, user and start",
    SysmonParent "sysmon.parent" "a parent is on the same host, and not younger than its child",
    SysmonLogonGuid "sysmon.logon_guid" "a LogonGuid ends with the LogonId, and has the prefix of the host's GUIDs",
    SysmonLogonId "sysmon.logon_id" "a LogonId is one session in a boot",
    SysmonHashes "sysmon.hashes" "a version of an image has one hash, and a hash belongs to one image",
    SecurityEnvelope "security.envelope" "provider, channel, version, task and keywords of the event id",
    SecurityFields "security.fields" "exactly the fields of the event id",
    SecurityFormats "security.formats" "SIDs, logon types and statuses are real ones",
    SecurityLogonId "security.logon_id" "a TargetLogonId belongs to one account of a host",
    TimeWindow "time.window" "@timestamp is on the partition's date, and sorted",
    TimeLag "time.lag" "UtcTime precedes @timestamp by at most the event id's maximum",
    TimeStart "time.start" "no event before its process starts",
    TimeEnd "time.end" "no event after its process ends",
    TimeKnown "time.known" "a process that started and ended in the window has a start event",
    TimeLogged "time.logged" "in the log of a host's own life, event 1 is a process's first record and event 5 its last",
    TimeRecordId "time.record_id" "record ids never decrease with time",
    AuditdResult "auditd.result" "res is success or failed, and matches the outcome",
    AuditdAccount "auditd.account" "acct on failed logins, id on successful ones",
    AuditdFields "auditd.fields" "the fields of the record type",
    AuditdSession "auditd.session" "a session belongs to one account, and ends after it starts",
    AuditdLogin "auditd.login" "a login's records follow PAM's order within seconds and have one pid; before LOGIN they have no session, then the login's own",
    AuditdEvent "auditd.event" "records of one audit event share its time and serial",
    CloudRow "cloud.row" "a row of a cloud or service log has an account, a client and an address, and no host, process or flow",
    CloudAccount "cloud.account" "account ids have twelve digits, match those in resource names, and a user has one",
    CloudKey "cloud.key" "a user's key is AKIA and never changes; a session's key is ASIA and belongs to one principal",
    CloudPrincipal "cloud.principal" "a user has one principal per kind of identity, which no other user has",
    CloudOutcome "cloud.outcome" "a call has an error code if and only if it failed",
    MitreTechnique "mitre.technique" "techniques and their names are in ATT&CK",
    MitreTactic "mitre.tactic" "tactics belong to the technique, and their ids are in ATT&CK",
    MitrePlatform "mitre.platform" "a technique's platforms include the row's, or PRE",
    LabelsVerdict "labels.verdict" "the verdict matches chain, noise and outcome",
    ChainsDense "chains.dense" "attack.sequence is 1..n, sorted by time and step; steps are 1..m",
    ChainsMove "chains.move" "a complete chain has two hosts or more if its playbook moves",
    ChainsSteps "chains.steps" "truth/steps and the events match, in both directions",
    ChainsTruth "chains.truth" "truth/chains has every chain with its events, hosts and times",
    ChainsCause "chains.cause" "every step after the first is linked to an earlier one by a value in both events",
    ChainsTell "chains.tell" "no address range, port range, pid class or hash format appears only in chains",
    GroundingRule "grounding.rule" "rule, category and severity of a standalone alert are in the profile",
    GroundingSeverity "grounding.severity" "event.severity is the severity's word on the profile's scale",
    GroundingEnds "grounding.ends" "the ends of an alert are inside or outside as the profile has them for its rule",
    GroundingScale "grounding.scale" "the profile's severities are on its scale (99%)",
    GroundingNames "grounding.names" "the profile's rules have names, not a sentence for each alert",
    GroundingAsset "grounding.asset" "owner, department, location and type of an asset are the inventory's",
    GroundingOwner "grounding.owner" "a workstation's user is its owner, if the owner is in the directory",
    GroundingRole "grounding.role" "a role matches type and system; domain controllers run Windows",
    GroundingPlatform "grounding.platform" "a platform matches the inventory's operating system",
    TableFiles "table.files" "the table lists each event file of the manifest once, with its partition, rows and bytes",
    CompositionCounts "composition.counts" "the numbers of chain and noise rows are those in the manifest",
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Path relative to the corpus.
    pub file: String,
    /// `event.sequence`, if the failure is of one event.
    pub sequence: Option<i64>,
    pub expected: String,
    pub found: String,
}

/// The result of one audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditResult {
    pub tried: u64,
    pub passed: u64,
    pub example: Option<Example>,
}

/// The results of all audits for some files.
#[derive(Debug, Clone)]
pub struct Tallies {
    all: Vec<AuditResult>,
    file: String,
}

/// A value for a message.
pub fn shown(value: Option<impl AsRef<str>>) -> String {
    match value {
        Some(text) => format!("'{}'", crate::grounding::shown(text.as_ref())),
        None => "nothing".into(),
    }
}

impl Tallies {
    /// Empty results; failures will name `file`.
    pub fn of(file: &str) -> Self {
        Tallies {
            all: vec![AuditResult::default(); Audit::ALL.len()],
            file: file.into(),
        }
    }

    /// Records one row; `words` returns the expected and the found value of a failure.
    pub fn row(
        &mut self,
        audit: Audit,
        row: &EventRow<'_>,
        passed: bool,
        words: impl FnOnce() -> (String, String),
    ) {
        let sequence = || row.integer(Field::Sequence);
        self.tried(audit, passed, || {
            let (expected, found) = words();
            (sequence(), expected, found)
        });
    }

    /// Records one test in this file.
    pub fn tried(
        &mut self,
        audit: Audit,
        passed: bool,
        words: impl FnOnce() -> (Option<i64>, String, String),
    ) {
        let tally = &mut self.all[audit as usize];
        tally.tried += 1;
        if passed {
            tally.passed += 1;
        } else if tally.example.is_none() {
            let (sequence, expected, found) = words();
            tally.example = Some(Example {
                file: self.file.clone(),
                sequence,
                expected,
                found,
            });
        }
    }

    /// Turns rows that passed in their file into failures, because they contradict another file.
    pub fn revoke(
        &mut self,
        audit: Audit,
        rows: u64,
        sequence: i64,
        words: impl FnOnce() -> (String, String),
    ) {
        let tally = &mut self.all[audit as usize];
        tally.passed = tally.passed.saturating_sub(rows);
        if tally.example.is_none() {
            let (expected, found) = words();
            tally.example = Some(Example {
                file: self.file.clone(),
                sequence: Some(sequence),
                expected,
                found,
            });
        }
    }

    /// Adds the results of later files.
    pub fn add(&mut self, other: Tallies) {
        for (mine, theirs) in self.all.iter_mut().zip(other.all) {
            mine.tried += theirs.tried;
            mine.passed += theirs.passed;
            if mine.example.is_none() {
                mine.example = theirs.example;
            }
        }
    }

    /// The result of an audit.
    pub fn get(&self, audit: Audit) -> &AuditResult {
        &self.all[audit as usize]
    }
}

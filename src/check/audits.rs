//! The audits by name, and what each found.
//!
//! An audit counts what it tried and what passed, and keeps its first failure.

use serde::Serialize;

use super::fields::{Field, Row};

/// Declares the audits: name, what must hold.
macro_rules! audits {
    ($($id:ident $name:literal $what:literal,)*) => {
        /// One invariant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Audit { $(#[doc = $what] $id,)* }

        impl Audit {
            /// Every audit, in the order of the report.
            pub const ALL: &'static [Audit] = &[$(Audit::$id,)*];

            /// `identity.host`…
            pub fn name(self) -> &'static str {
                match self { $(Audit::$id => $name,)* }
            }

            /// What must hold.
            pub fn what(self) -> &'static str {
                match self { $(Audit::$id => $what,)* }
            }
        }
    };
}

audits! {
    IdentityHost "identity.host" "a host has one address, system, type, owner and place, those of entities/assets",
    IdentityUser "identity.user" "an account has one domain, e-mail, department and full name",
    IdentitySid "identity.sid" "an account has one SID",
    IdentityReporter "identity.reporter" "the reporting host is an end of its flow: the destination of inbound, the source of outbound",
    IdentityInitiated "identity.initiated" "Initiated is true iff the host's address is SourceIp",
    IdentityDirection "identity.direction" "network.direction fits the addresses",
    IdentityAccount "identity.account" "user.name is the account in event_data",
    IdentityMail "identity.mail" "system and machine accounts have no e-mail",
    NumbersSequence "numbers.sequence" "event.sequence is unique: its partition's index, then dense ordinals",
    NumbersBytes "numbers.bytes" "network.bytes = source.bytes + destination.bytes",
    NumbersClientPort "numbers.client_port" "an internal client's port is in its system's ephemeral range",
    NumbersPid "numbers.pid" "Windows pids are multiples of 4",
    NumbersLivePid "numbers.live_pid" "no two live processes of a host share a pid",
    NumbersFlow "numbers.flow" "the record's 5-tuple is the event's",
    OutcomeBlocked "outcome.blocked" "what was blocked or denied failed",
    PlatformRecord "platform.record" "a Windows row has winlog and no auditd, a Linux row the reverse, others neither",
    PlatformImage "platform.image" "images are paths of the row's platform",
    SysmonEnvelope "sysmon.envelope" "provider, channel, version, task and keywords of the event id",
    SysmonFields "sysmon.fields" "exactly the fields of the event id",
    SysmonFormats "sysmon.formats" "texts are written as Sysmon writes them",
    SysmonGuidPrefix "sysmon.guid_prefix" "all GUIDs of a host begin alike",
    SysmonGuidTime "sysmon.guid_time" "the process start is in its GUID",
    SysmonGuid "sysmon.guid" "a GUID is one host, pid, image, user and start",
    SysmonParent "sysmon.parent" "a parent is on the same host, and not younger",
    SysmonLogonGuid "sysmon.logon_guid" "a LogonGuid ends with the LogonId, and begins as the host's GUIDs",
    SysmonLogonId "sysmon.logon_id" "a LogonId is one session in a boot",
    SysmonHashes "sysmon.hashes" "an image in one version has one hash, and a hash one image",
    SecurityEnvelope "security.envelope" "provider, channel, version, task and keywords of the event id",
    SecurityFields "security.fields" "exactly the fields of the event id",
    SecurityFormats "security.formats" "SIDs, logon types and statuses are real ones",
    SecurityLogonId "security.logon_id" "a TargetLogonId is one account's on a host",
    TimeWindow "time.window" "@timestamp lies on the partition's date, and is in order",
    TimeLag "time.lag" "UtcTime precedes @timestamp by what the event id takes",
    TimeStart "time.start" "no event before its process starts",
    TimeEnd "time.end" "no event after its process ends",
    TimeKnown "time.known" "a process that began and ended in the window has its start here",
    TimeRecordId "time.record_id" "record ids never fall with time",
    AuditdResult "auditd.result" "res is success or failed, and agrees with the outcome",
    AuditdAccount "auditd.account" "acct on failed logins, id on successful ones",
    AuditdFields "auditd.fields" "the fields of the record type",
    AuditdSession "auditd.session" "a session is one account's, and ends after it starts",
    AuditdLogin "auditd.login" "a login's records follow PAM's order within seconds, by one pid, in no session before LOGIN and in its own after",
    AuditdEvent "auditd.event" "records of one audit event share its time and serial",
    CloudRow "cloud.row" "a row of a cloud's or service's log has an account, a client and an address, and neither host, process nor flow",
    CloudAccount "cloud.account" "account ids have twelve digits, are one a user, and are the ones in the names of resources",
    CloudKey "cloud.key" "a user's key is AKIA and theirs for ever, a session's is ASIA and one principal's",
    CloudPrincipal "cloud.principal" "a user has one principal a kind of identity, and it is nobody else's",
    CloudOutcome "cloud.outcome" "a call has an error code exactly where it failed",
    MitreTechnique "mitre.technique" "techniques are ATT&CK's, with its names",
    MitreTactic "mitre.tactic" "tactics belong to the technique, with ATT&CK's ids",
    MitrePlatform "mitre.platform" "a technique's platforms include the row's, or PRE",
    LabelsVerdict "labels.verdict" "the verdict fits chain, noise and outcome",
    ChainsDense "chains.dense" "attack.sequence is 1..n, in order of time and of step; steps are 1..m",
    ChainsMove "chains.move" "a whole chain touches two hosts where its playbook moves",
    ChainsSteps "chains.steps" "truth/steps agrees with the events, both ways",
    ChainsTruth "chains.truth" "truth/chains has every chain with its events, hosts and times",
    ChainsCause "chains.cause" "every step after the first hangs on an earlier one, by what stands in both events",
    ChainsTell "chains.tell" "no address range, port range, pid class or hash shape is a chain's alone",
    GroundingRule "grounding.rule" "a standalone alert's rule, category and severity are one of the profile's",
    GroundingSeverity "grounding.severity" "event.severity is what the severity means on the profile's scale",
    GroundingEnds "grounding.ends" "an alert's ends are where the profile has its rule's",
    GroundingScale "grounding.scale" "the profile's severities are on its scale (99%)",
    GroundingNames "grounding.names" "the profile's rules have names, not a sentence for each alert",
    GroundingAsset "grounding.asset" "an asset's owner, department, place and type are what the inventory said",
    GroundingOwner "grounding.owner" "a workstation's user is its owner, where the directory knows them",
    GroundingRole "grounding.role" "a role contradicts neither type nor system; domain controllers are Windows",
    GroundingPlatform "grounding.platform" "a platform is that of the system that the inventory names",
    CompositionCounts "composition.counts" "rows of chains and of noise are the manifest's",
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Relative to the corpus.
    pub file: String,
    /// `event.sequence`, where it is one event's.
    pub sequence: Option<i64>,
    pub expected: String,
    pub found: String,
}

/// What one audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub tried: u64,
    pub passed: u64,
    pub example: Option<Example>,
}

/// What all audits found in some files.
#[derive(Debug, Clone)]
pub struct Tallies {
    all: Vec<Tally>,
    file: String,
}

/// A value as a message shows it.
pub fn shown(value: Option<impl AsRef<str>>) -> String {
    match value {
        Some(text) => format!("'{}'", crate::grounding::shown(text.as_ref())),
        None => "nothing".into(),
    }
}

impl Tallies {
    /// Nothing tried yet; failures will be in `file`.
    pub fn of(file: &str) -> Self {
        Tallies {
            all: vec![Tally::default(); Audit::ALL.len()],
            file: file.into(),
        }
    }

    /// One row tried; `words` are what was expected and found.
    pub fn row(
        &mut self,
        audit: Audit,
        row: &Row<'_>,
        passed: bool,
        words: impl FnOnce() -> (String, String),
    ) {
        let sequence = || row.integer(Field::Sequence);
        self.tried(audit, passed, || {
            let (expected, found) = words();
            (sequence(), expected, found)
        });
    }

    /// One thing tried in this file.
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

    /// Rows that passed in their file, and disagree with another.
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

    /// Adds what was found in later files.
    pub fn add(&mut self, other: Tallies) {
        for (mine, theirs) in self.all.iter_mut().zip(other.all) {
            mine.tried += theirs.tried;
            mine.passed += theirs.passed;
            if mine.example.is_none() {
                mine.example = theirs.example;
            }
        }
    }

    /// What an audit found.
    pub fn get(&self, audit: Audit) -> &Tally {
        &self.all[audit as usize]
    }
}

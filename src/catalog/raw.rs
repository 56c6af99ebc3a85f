//! The entries of the catalog files as in TOML: names are not resolved, texts are not compiled.

use serde::Deserialize;
use toml::Spanned;

use super::source::Text;

/// Declares raw entries. An unknown key is an error.
macro_rules! entries {
    ($($(#[$attribute:meta])* $name:ident { $($(#[$field_attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name { $($(#[$field_attribute])* pub $field: $type,)* }
    )*};
}

entries! {
    /// `attack.toml`
    AttackFile {
        version: Text,
        technique: Vec<Technique>,
    }

    Technique {
        id: Text,
        name: Text,
        tactics: Vec<String>,
        tactic_ids: Vec<String>,
        platforms: Vec<String>,
    }

    /// `categories.toml`
    CategoriesFile {
        category: Vec<Category>,
        #[serde(default)]
        classtype: Vec<Classtype>,
    }

    Category {
        name: Text,
        technique: Option<Text>,
        tactic: Option<Text>,
        #[serde(default)]
        signatures: Vec<Signature>,
    }

    Signature {
        id: Spanned<u64>,
        name: Text,
        severity: Spanned<u8>,
    }

    /// Another tool's category name. Without `category` it implies no technique.
    Classtype {
        description: Text,
        category: Option<Text>,
    }

    /// `heuristics.toml`
    HeuristicsFile {
        heuristic: Vec<Heuristic>,
    }

    Heuristic {
        name: Text,
        keywords: Vec<Text>,
        of: Text,
        technique: Option<Text>,
        tactic: Option<Text>,
        platform: Option<Text>,
        #[serde(default)]
        record: Vec<Record>,
    }

    /// `images.toml`
    ImagesFile {
        windows: Vec<Image>,
        linux: Vec<Image>,
    }

    Image {
        key: Text,
        path: Text,
        version: Option<Text>,
        description: Option<String>,
        product: Option<String>,
        company: Option<String>,
        original: Option<String>,
    }

    /// `residents.toml`
    ResidentsFile {
        resident: Vec<Resident>,
    }

    Resident {
        key: Text,
        image: Text,
        scope: Text,
        hosts: Text,
        account: Text,
        command: Text,
        parent: Option<Text>,
        delay: Spanned<u32>,
        #[serde(default)]
        connects: Vec<u16>,
    }

    /// `programs.toml`
    ProgramsFile {
        program: Vec<Program>,
    }

    Program {
        image: Text,
        hosts: Text,
        lifetime: Text,
        account: Text,
        parent: Text,
        weight: Spanned<u32>,
        commands: Vec<Text>,
        directory: Text,
        integrity: Option<Text>,
        #[serde(default)]
        connects: Vec<u16>,
    }

    /// `noise.toml`
    NoiseFile {
        scenario: Vec<Scenario>,
    }

    Scenario {
        name: Text,
        weight: Spanned<u32>,
        variant: Vec<Variant>,
    }

    Variant {
        category: Text,
        weight: Spanned<u32>,
        hosts: Text,
        visit: Text,
        verdict: Text,
        reason: Text,
        sequence: Option<Spanned<bool>>,
        people: Option<bool>,
        record: Vec<Record>,
    }

    /// `routines/*.toml`
    RoutinesFile {
        routine: Vec<Routine>,
    }

    Routine {
        name: Text,
        hosts: Text,
        when: Text,
        weight: Spanned<u32>,
        record: Vec<Record>,
    }

    /// `playbooks/*.toml`
    PlaybookFile {
        name: Text,
        weight: Spanned<u32>,
        hosts: Vec<Text>,
        #[serde(default)]
        step: Vec<Step>,
    }

    Step {
        category: Text,
        technique: Text,
        tactic: Text,
        delay: Spanned<[u32; 2]>,
        rounds: Option<Spanned<[u32; 2]>>,
        round_seconds: Option<u32>,
        #[serde(default)]
        scales: bool,
        #[serde(default)]
        blocked: Option<Spanned<u16>>,
        #[serde(default)]
        record: Vec<Record>,
        #[serde(default)]
        alternative: Vec<Alternative>,
    }

    /// An alternative of a step.
    Alternative {
        weight: Option<Spanned<u32>>,
        record: Vec<Record>,
    }

    Record {
        telemetry: Text,
        call: Option<Call>,
        request: Option<Text>,
        on: Option<Spanned<usize>>,
        #[serde(default)]
        alert: bool,
        signature: Option<Text>,
        account: Option<Text>,
        starts: Option<Text>,
        process: Option<Text>,
        image: Option<Text>,
        command: Option<Text>,
        directory: Option<Text>,
        integrity: Option<Text>,
        file: Option<Text>,
        target: Option<Text>,
        #[serde(default)]
        data: std::collections::BTreeMap<String, Text>,
        registry: Option<Text>,
        details: Option<Text>,
        query: Option<Text>,
        answer: Option<Text>,
        query_status: Option<Spanned<u32>>,
        resolves: Option<Spanned<u16>>,
        url: Option<Text>,
        message: Option<Text>,
        facility: Option<Spanned<u8>>,
        severity: Option<Spanned<u8>>,
        syscall: Option<Text>,
        key: Option<Text>,
        logon_type: Option<Spanned<u8>>,
        success: Option<Spanned<bool>>,
        connection: Option<Connection>,
        after: Option<Text>,
        times: Option<Spanned<[u8; 2]>>,
        each: Option<Text>,
        chance: Option<Spanned<u16>>,
        lives: Option<Text>,
    }

    /// The call that a record of a cloud or a service reports.
    Call {
        log: Text,
        service: Text,
        operation: Text,
        credential: Text,
        agent: Text,
        from: Text,
        error: Option<Text>,
    }

    Connection {
        from: Text,
        to: Text,
        protocol: Text,
        application: Option<String>,
        #[serde(default)]
        ports: Vec<Spanned<u16>>,
        out: Spanned<[u64; 2]>,
        back: Spanned<[u64; 2]>,
    }

    /// `names.toml`
    NamesFile {
        dns_domain: Text,
        netbios_domain: Text,
        given: Vec<Text>,
        family: Vec<Text>,
        departments: Vec<(String, u32)>,
        sites: Vec<(String, u32)>,
        domain_words: Vec<Text>,
        top_level_domains: Vec<(String, u32)>,
        services: Vec<Text>,
        documents: Vec<Text>,
    }
}

//! Texts with placeholders: `C:\Users\{user}\AppData\Local\Temp\{payload}.exe`.

/// What a placeholder stands for. Where a value is drawn, it is drawn once per
/// chain (or row, for noise) and name, so that a file written is the file run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// Account name of the actor; on Windows also the profile folder. `{user}`
    User,
    /// The victim's full e-mail address. `{email}`
    Email,
    /// DNS and NetBIOS domain. `{domain}` `{netbios}`
    Domain,
    Netbios,
    /// The reporting host's name and address. `{host}` `{host_ip}`
    Host,
    HostIp,
    /// The chain's k-th host: name and address. `{host:1}` `{host_ip:1}`. In noise, 1 is the peer.
    ChainHost(u8),
    ChainHostIp(u8),
    /// The actor's SID and uid. `{sid}` `{uid}`
    Sid,
    Uid,
    /// Source and destination address and client port of the record's connection. `{source_ip}` `{destination_ip}` `{source_port}`
    SourceIp,
    DestinationIp,
    SourcePort,
    /// The adversary's address and domain by purpose. `{c2_ip}` `{c2_domain}` `{download_ip}` `{download_domain}` `{exfil_ip}` `{exfil_domain}` `{scan_ip}`
    C2Ip,
    C2Domain,
    DownloadIp,
    DownloadDomain,
    ExfilIp,
    ExfilDomain,
    ScanIp,
    /// A generated domain, another in every round. `{dga}`
    Dga,
    /// A benign Internet host name; `{cdn}` one whose label looks random.
    Service,
    Cdn,
    /// A plausible file stem of the chain or row. `{payload}` `{document}`
    Payload,
    Document,
    /// A service or task name of the chain. `{task}`
    Task,
    /// n lower-case hex digits, letters, or decimal digits, drawn per chain or row. `{hex:8}` `{letters:6}` `{digits:4}`
    Hex(u8),
    Letters(u8),
    Digits(u8),
    /// A GUID without braces. `{guid}`
    Guid,
    /// The acting process's id. `{pid}`
    Pid,
    /// The round, from 1. `{round}`
    Round,
    /// The text between `{encoded}` and `{/encoded}`, as base64 of UTF-16LE: PowerShell's -EncodedCommand.
    EncodedStart,
    EncodedEnd,
}

/// A compiled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub pieces: Vec<Piece>,
}

/// Part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Value(Placeholder),
}

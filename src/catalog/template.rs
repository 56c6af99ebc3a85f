//! Texts with placeholders: `C:\Users\{user}\AppData\Local\Temp\{payload}.exe`.

/// A placeholder. A random value is drawn once per name and chain (noise: per row), so that the
/// file that is written is also the file that is run.
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
    /// A generated domain, new in every round. `{dga}`
    Dga,
    /// A benign Internet host name; `{cdn}` has a label that looks random.
    Service,
    Cdn,
    /// A plausible file stem of the chain or row. `{payload}` `{document}`
    Payload,
    Document,
    /// A folder's name; never the same word as the document. `{folder}`
    Folder,
    /// The n-th file that a round finds, new in every round, and its folder. Files of several rounds
    /// share a folder; from 5 on, each has its own. `{found:1}` `{found_in:1}`
    Found(u8),
    FoundIn(u8),
    /// The account of a service with a principal name, new in every round. `{principal}`
    Principal,
    /// The account name of a new employee, `given.family`. `{newcomer}`
    Newcomer,
    /// The name of the administrator's account. `{admin}`
    Admin,
    /// A service or task name of the chain. `{task}`
    Task,
    /// n lower-case hex digits, letters, or a decimal number of n digits, drawn per chain or row. `{hex:8}` `{letters:6}` `{digits:4}`
    Hex(u8),
    Letters(u8),
    Digits(u8),
    /// A GUID without braces. `{guid}`
    Guid,
    /// The organisation as clouds and services know it, in lower case. `{organization}`
    Organization,
    /// The actor's cloud account, twelve digits, and long-term access key. `{account_id}` `{access_key}`
    AccountId,
    AccessKey,
    /// The acting process's id. `{pid}`
    Pid,
    /// The record's time as web servers log it. `{log_time}`
    LogTime,
    /// The record's date and minute in names of logs: `2026-08-15.0937`. `{log_minute}`
    LogMinute,
    /// The record's time in Unix seconds, eight hex digits, as registry values have it. `{unix_time}`
    UnixTime,
    /// The record's time as a FILETIME (units of 100 ns since 1601): a QWORD as Sysmon prints it,
    /// `0x01daeca1-0x6dfc6c00`, or sixteen hex digits as Office keeps it. `{file_time}` `{file_time_digits}`
    FileTime,
    FileTimeDigits,
    /// The round of a chain's step, or the repetition of a routine's, from 1. `{round}`
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

/// The random salt of a choice. It depends on the words only, so that equal choices in a chain draw
/// the same word.
pub fn salt_of<'w>(words: impl Iterator<Item = &'w str>) -> u64 {
    words.flat_map(str::bytes).fold(0x811c_9dc5, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    Value(Placeholder),
    /// One of several words, drawn once per chain or row: `{-o|--output}`. The same words draw alike.
    Choice {
        words: Vec<String>,
        /// Salt of the draw; see [`salt_of`].
        salt: u64,
    },
}

/// Why a text is not a valid template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Byte offset in the text.
    pub at: usize,
    pub problem: String,
    pub remedy: String,
}

/// Placeholders without an argument, with their names.
const SIMPLE: &[(&str, Placeholder)] = &[
    ("user", Placeholder::User),
    ("email", Placeholder::Email),
    ("domain", Placeholder::Domain),
    ("netbios", Placeholder::Netbios),
    ("host", Placeholder::Host),
    ("host_ip", Placeholder::HostIp),
    ("sid", Placeholder::Sid),
    ("uid", Placeholder::Uid),
    ("source_ip", Placeholder::SourceIp),
    ("destination_ip", Placeholder::DestinationIp),
    ("source_port", Placeholder::SourcePort),
    ("c2_ip", Placeholder::C2Ip),
    ("c2_domain", Placeholder::C2Domain),
    ("download_ip", Placeholder::DownloadIp),
    ("download_domain", Placeholder::DownloadDomain),
    ("exfil_ip", Placeholder::ExfilIp),
    ("exfil_domain", Placeholder::ExfilDomain),
    ("scan_ip", Placeholder::ScanIp),
    ("dga", Placeholder::Dga),
    ("service", Placeholder::Service),
    ("cdn", Placeholder::Cdn),
    ("payload", Placeholder::Payload),
    ("document", Placeholder::Document),
    ("folder", Placeholder::Folder),
    ("newcomer", Placeholder::Newcomer),
    ("principal", Placeholder::Principal),
    ("admin", Placeholder::Admin),
    ("task", Placeholder::Task),
    ("guid", Placeholder::Guid),
    ("organization", Placeholder::Organization),
    ("account_id", Placeholder::AccountId),
    ("access_key", Placeholder::AccessKey),
    ("pid", Placeholder::Pid),
    ("log_time", Placeholder::LogTime),
    ("log_minute", Placeholder::LogMinute),
    ("unix_time", Placeholder::UnixTime),
    ("file_time", Placeholder::FileTime),
    ("file_time_digits", Placeholder::FileTimeDigits),
    ("round", Placeholder::Round),
    ("encoded", Placeholder::EncodedStart),
    ("/encoded", Placeholder::EncodedEnd),
];

/// Placeholders with a number after the colon: name, constructor, maximum of the number.
type NumberedPlaceholder = (&'static str, fn(u8) -> Placeholder, u8);
const COUNTED: &[NumberedPlaceholder] = &[
    ("host", Placeholder::ChainHost, 9),
    ("host_ip", Placeholder::ChainHostIp, 9),
    ("found", Placeholder::Found, 9),
    ("found_in", Placeholder::FoundIn, 9),
    ("hex", Placeholder::Hex, 64),
    ("letters", Placeholder::Letters, 64),
    ("digits", Placeholder::Digits, 18),
];

impl Placeholder {
    /// Parses the text between the braces.
    fn parse(name: &str) -> Result<Self, (String, String)> {
        if let Some((_, found)) = SIMPLE.iter().find(|(known, _)| *known == name) {
            return Ok(*found);
        }
        let (word, argument) = name.split_once(':').unwrap_or((name, ""));
        let Some((_, make, greatest)) = COUNTED.iter().find(|(known, ..)| *known == word) else {
            let mut known: Vec<String> = SIMPLE
                .iter()
                .map(|(known, _)| format!("{{{known}}}"))
                .collect();
            known.extend(COUNTED.iter().map(|(known, ..)| format!("{{{known}:N}}")));
            return Err((
                format!("unknown placeholder {{{name}}}"),
                format!(
                    "write a literal brace twice; the placeholders are {}",
                    known.join(" ")
                ),
            ));
        };
        match argument.parse::<u8>() {
            Ok(n) if (1..=*greatest).contains(&n) => Ok(make(n)),
            // Host 0 of a chain is the victim.
            Ok(0) if word.starts_with("host") => Ok(make(0)),
            _ => Err((
                format!(
                    "placeholder {{{name}}} needs a number from 1 to {greatest} after the colon"
                ),
                format!("use e.g. {{{word}:{}}}", (*greatest).min(8)),
            )),
        }
    }

    /// Whether only chains have it: the adversary, the rounds.
    pub fn is_of_a_chain(self) -> bool {
        use Placeholder::*;
        matches!(
            self,
            C2Ip | C2Domain | DownloadIp | DownloadDomain | ExfilIp | ExfilDomain | ScanIp
        )
    }
}

impl Template {
    /// Compiles a text. `{{` and `}}` are literal braces.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let error = |at, problem: &str, remedy: &str| TemplateError {
            at,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        };
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut encoded_since = None;
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let at = text.len() - rest.len() + brace;
            literal.push_str(&rest[..brace]);
            rest = &rest[brace..];
            if let Some(after) = rest.strip_prefix("{{") {
                literal.push('{');
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix("}}") {
                literal.push('}');
                rest = after;
                continue;
            }
            if rest.starts_with('}') {
                return Err(error(
                    at,
                    "a closing brace without an opening one",
                    "write a literal brace twice: }}",
                ));
            }
            let Some(end) = rest.find('}') else {
                return Err(error(
                    at,
                    "an opening brace without a closing one",
                    "write a literal brace twice: {{",
                ));
            };
            if rest[1..end].contains('|') {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let words = rest[1..end].split('|');
                pieces.push(Piece::Choice {
                    salt: salt_of(words.clone()),
                    words: words.map(str::to_owned).collect(),
                });
                rest = &rest[end + 1..];
                continue;
            }
            let placeholder =
                Placeholder::parse(&rest[1..end]).map_err(|(problem, remedy)| TemplateError {
                    at,
                    problem,
                    remedy,
                })?;
            match placeholder {
                Placeholder::EncodedStart if encoded_since.is_some() => {
                    return Err(error(
                        at,
                        "{encoded} inside {encoded}",
                        "close the first with {/encoded}",
                    ));
                }
                Placeholder::EncodedStart => encoded_since = Some(at),
                Placeholder::EncodedEnd if encoded_since.take().is_none() => {
                    return Err(error(
                        at,
                        "{/encoded} without {encoded}",
                        "add {encoded} before it",
                    ));
                }
                _ => {}
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Value(placeholder));
            rest = &rest[end + 1..];
        }
        if let Some(at) = encoded_since {
            return Err(error(
                at,
                "{encoded} without {/encoded}",
                "add {/encoded} after it",
            ));
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Template { pieces })
    }

    /// A text without placeholders.
    pub fn literal(text: &str) -> Self {
        let pieces = if text.is_empty() {
            Vec::new()
        } else {
            vec![Piece::Literal(text.to_owned())]
        };
        Template { pieces }
    }

    /// The text, if it has no placeholder.
    #[inline]
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> + '_ {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(placeholder) => Some(*placeholder),
            Piece::Literal(_) | Piece::Choice { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_placeholders_alternate() {
        let template = Template::parse(r"C:\Users\{user}\{payload}.exe").unwrap();
        assert_eq!(
            template.pieces,
            [
                Piece::Literal(r"C:\Users\".into()),
                Piece::Value(Placeholder::User),
                Piece::Literal(r"\".into()),
                Piece::Value(Placeholder::Payload),
                Piece::Literal(".exe".into()),
            ]
        );
        assert_eq!(Template::parse("").unwrap(), Template::literal(""));
    }

    #[test]
    fn doubled_braces_are_literal() {
        assert_eq!(
            Template::parse("gps | % {{ $_.Id }}").unwrap().as_literal(),
            Some("gps | % { $_.Id }")
        );
        assert_eq!(
            Template::parse("{{{guid}}}").unwrap().pieces,
            [
                Piece::Literal("{".into()),
                Piece::Value(Placeholder::Guid),
                Piece::Literal("}".into()),
            ]
        );
    }

    #[test]
    fn numbers_after_the_colon() {
        let all = Template::parse("{host:1}{host_ip:0}{hex:8}{letters:6}{digits:4}").unwrap();
        assert_eq!(
            all.placeholders().collect::<Vec<_>>(),
            [
                Placeholder::ChainHost(1),
                Placeholder::ChainHostIp(0),
                Placeholder::Hex(8),
                Placeholder::Letters(6),
                Placeholder::Digits(4),
            ]
        );
        for wrong in ["{hex}", "{hex:0}", "{hex:65}", "{digits:x}", "{digits:19}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        for (text, at, problem) in [
            ("ab{nobody}", 2, "unknown placeholder {nobody}"),
            ("ab}", 2, "closing brace"),
            ("a{user", 1, "opening brace"),
            ("x{encoded}y", 1, "{encoded} without {/encoded}"),
            ("x{/encoded}", 1, "{/encoded} without {encoded}"),
            (
                "{encoded}{encoded}{/encoded}",
                9,
                "{encoded} inside {encoded}",
            ),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.problem.contains(problem), "{text}: {}", error.problem);
            assert!(!error.remedy.is_empty());
        }
    }
}

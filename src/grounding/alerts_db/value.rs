//! Converts a cell of unknown content to the type that a field needs.
//!
//! Real databases store numbers as text, text as blobs, lists as JSON. Every conversion here
//! returns `None` for nonsense; none fails. This module knows no columns and no tables.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use super::time::{self, whole};
use crate::grounding::profile::{Direction, TEXT_LIMIT};
use crate::grounding::protocol;
use crate::grounding::severity::{Severity, Word};

/// The content of a cell, from SQLite or JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Invalid UTF-8 is already replaced.
    Text(Cow<'a, str>),
}

impl<'a> From<&'a serde_json::Value> for Value<'a> {
    fn from(json: &'a serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::String(text) => Value::Text(Cow::Borrowed(text)),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::Integer(whole),
                (None, Some(real)) => Value::Real(real),
                (None, None) => Value::Null,
            },
            Json::Array(items) => {
                let texts: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
                Value::Text(match texts.as_slice() {
                    [only] => Cow::Borrowed(only),
                    texts => Cow::Owned(format!("[{}]", texts.join(","))),
                })
            }
            Json::Null | Json::Bool(_) | Json::Object(_) => Value::Null,
        }
    }
}

impl Value<'_> {
    /// Display text: control characters become spaces, ends are trimmed, at most
    /// [`TEXT_LIMIT`] bytes. Empty text is `Some("")`.
    pub(super) fn text(&self) -> Option<String> {
        let raw: Cow<'_, str> = match self {
            Value::Null => return None,
            Value::Integer(number) => Cow::Owned(number.to_string()),
            Value::Real(number) => Cow::Owned(number.to_string()),
            Value::Text(text) => Cow::Borrowed(text),
        };
        let mut clean = String::with_capacity(raw.len().min(TEXT_LIMIT));
        for character in raw.trim_matches(is_blank).chars() {
            let character = if character.is_control() {
                ' '
            } else {
                character
            };
            if clean.len() + character.len_utf8() > TEXT_LIMIT {
                break;
            }
            clean.push(character);
        }
        clean.truncate(clean.trim_end().len());
        Some(clean)
    }

    /// [`Value::text`], but `None` for empty text.
    pub(super) fn name(&self) -> Option<String> {
        self.text().filter(|text| !text.is_empty())
    }

    /// An integer, also from text or from a float without fraction.
    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Value::Null => None,
            Value::Integer(number) => Some(*number),
            Value::Real(number) => whole(*number),
            Value::Text(text) => {
                let text = text.trim();
                text.parse()
                    .ok()
                    .or_else(|| text.parse().ok().and_then(whole))
            }
        }
    }

    /// A non-negative integer.
    pub(super) fn unsigned(&self) -> Option<u64> {
        self.integer().and_then(|number| u64::try_from(number).ok())
    }

    /// Bytes of one direction of a flow; more than a flow can have (1 PiB) is rejected.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.unsigned().filter(|bytes| *bytes <= 1 << 50)
    }

    /// A port from 1 to 65535.
    pub(super) fn port(&self) -> Option<u16> {
        self.integer()
            .and_then(|number| u16::try_from(number).ok())
            .filter(|port| *port != 0)
    }

    /// An address: text (brackets, a zone or a prefix length are dropped) or IPv4 as a number.
    pub(super) fn address(&self) -> Option<IpAddr> {
        match self {
            Value::Text(text) => {
                let bare = text.trim().trim_start_matches('[');
                let end = bare.find(['%', '/', ']']).unwrap_or(bare.len());
                let address: IpAddr = bare[..end].parse().ok()?;
                Some(address.to_canonical())
            }
            Value::Integer(number) => u32::try_from(*number)
                .ok()
                .filter(|bits| *bits != 0)
                .map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
            Value::Null | Value::Real(_) => None,
        }
    }

    /// Seconds since 1970 UTC ([`super::time`]).
    pub(super) fn time(&self) -> Option<i64> {
        match self {
            Value::Null => None,
            Value::Integer(number) => time::of_integer(*number),
            Value::Real(number) => time::of_real(*number),
            Value::Text(text) => time::of_text(text),
        }
    }

    /// Whether the cell is a JSON object.
    pub(super) fn is_json(&self) -> bool {
        matches!(self, Value::Text(text) if text.trim_start().starts_with('{'))
    }

    /// Transport and application from a protocol cell: a name, an IANA number, a list
    /// (`tcp,smb`) or a JSON-like list (`["tcp", "smb"]`). The first transport is used; the
    /// first other word is the application.
    pub(super) fn protocols(&self) -> (Option<String>, Option<String>) {
        let text = match self {
            Value::Text(text) => text.as_ref(),
            Value::Integer(_) | Value::Real(_) => {
                return (self.integer().and_then(protocol::name), None);
            }
            Value::Null => return (None, None),
        };
        let (mut transport, mut application) = (None, None);
        let words = text
            .split(|c: char| c.is_whitespace() || ",;|/+[]{}()\"'".contains(c))
            .filter(|word| !word.is_empty());
        for word in words.take(16) {
            match transport_name(word) {
                Some(name) => transport = transport.or(Some(name)),
                None => application = application.or_else(|| application_name(word)),
            }
        }
        (transport, application)
    }

    /// An application protocol: a name, or a known nDPI number.
    pub(super) fn application(&self) -> Option<String> {
        match self {
            Value::Text(text) => match text.trim().parse() {
                Ok(number) => ndpi_application(number),
                Err(_) => application_name(text),
            },
            Value::Integer(number) => ndpi_application(*number),
            Value::Null | Value::Real(_) => None,
        }
    }

    /// The direction of the packet.
    pub(super) fn direction(&self) -> Option<Direction> {
        let Value::Text(text) = self else { return None };
        match letters(text).as_str() {
            "toserver" | "clienttoserver" | "c2s" => Some(Direction::ToServer),
            "toclient" | "servertoclient" | "s2c" => Some(Direction::ToClient),
            _ => None,
        }
    }

    /// Whether the sensor blocked it.
    pub(super) fn blocked(&self) -> Option<bool> {
        let Value::Text(text) = self else { return None };
        match letters(text).as_str() {
            "blocked" | "block" | "drop" | "dropped" | "reject" | "rejected" | "deny"
            | "denied" | "prevented" | "quarantined" | "reset" | "wouldblock" => Some(true),
            "" => None,
            _ => Some(false),
        }
    }

    /// A severity: a number in tenths, or a word. A second decimal is rounded down.
    pub(super) fn severity(&self) -> Option<Severity> {
        const MOST: i64 = 1 << 40;
        if let Some(number) = self.integer() {
            return (number.abs() < MOST).then(|| Severity::Tenths(number * 10));
        }
        let real = match self {
            Value::Real(real) => Some(*real),
            Value::Text(text) => text.trim().parse::<f64>().ok(),
            Value::Null | Value::Integer(_) => None,
        };
        match (real, self) {
            // Exact for one decimal, and scores have no more.
            (Some(real), _) if real.abs() < MOST as f64 => {
                Some(Severity::Tenths((real * 10.0 + 1e-6).floor() as i64))
            }
            (None, Value::Text(text)) => Word::parse(text).map(Severity::Word),
            _ => None,
        }
    }

    /// A category: a name, or the last and most specific of a list (`["syslog", "sshd"]`).
    pub(super) fn category(&self) -> Option<String> {
        let text = self.text()?;
        if !(text.starts_with('[') && text.ends_with(']')) {
            return Some(text);
        }
        let last = text
            .trim_matches(['[', ']'])
            .split(',')
            .map(|item| item.trim().trim_matches(['"', '\'']).trim())
            .rfind(|item| !item.is_empty())?;
        Some(last.to_string())
    }

    /// ATT&CK technique ids in a list.
    pub(super) fn techniques(&self) -> Vec<String> {
        let Value::Text(text) = self else {
            return Vec::new();
        };
        text.split([',', ' ', ';', '|', '[', ']', '"', '\''])
            .map(|id| id.trim().to_ascii_uppercase())
            .filter(|id| is_technique(id))
            .collect()
    }
}

/// Whether a text is an ATT&CK technique id: `T1021` or `T1021.002`.
pub(in crate::grounding) fn is_technique(id: &str) -> bool {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match id.strip_prefix('T').map(|rest| rest.split_once('.')) {
        Some(Some((technique, sub))) => digits(technique, 4) && digits(sub, 3),
        Some(None) => digits(&id[1..], 4),
        None => false,
    }
}

fn is_blank(character: char) -> bool {
    character.is_control() || character.is_whitespace()
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(32)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// The name of a transport (anything directly on IP), or `None` for another word.
fn transport_name(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let number = protocol::number(&lower).map_or_else(
        // Suricata writes a protocol without a name as `PROTO:004` or as a bare number.
        || {
            let number = lower.trim_start_matches("proto").trim_matches([':', '-']);
            number.parse().ok()
        },
        |number| Some(i64::from(number)),
    );
    protocol::name(number?)
}

/// The lower-case name of an application protocol, or `None` for words without meaning.
fn application_name(word: &str) -> Option<String> {
    let name: String = word
        .trim()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .take(64)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match name.as_str() {
        "" | "-" | "unknown" | "none" | "null" | "any" | "ip" | "n.a" | "na" => None,
        _ => Some(name),
    }
}

/// nDPI's numbers of protocols that rules commonly name.
fn ndpi_application(number: i64) -> Option<String> {
    let name = match number {
        1 => "ftp",
        2 => "pop3",
        3 => "smtp",
        4 => "imap",
        5 => "dns",
        7 => "http",
        9 => "ntp",
        14 => "snmp",
        16 | 41 => "smb",
        18 => "dhcp",
        88 => "rdp",
        91 => "tls",
        92 => "ssh",
        96 => "tftp",
        100 => "sip",
        188 => "quic",
        _ => return None,
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    #[test]
    fn protocols_are_names_numbers_or_lists() {
        let both = |transport: &str, application: Option<&str>| {
            (Some(transport.to_string()), application.map(str::to_string))
        };
        assert_eq!(text("TCP").protocols(), both("tcp", None));
        assert_eq!(
            text(r#"["tcp","smb"]"#).protocols(),
            both("tcp", Some("smb"))
        );
        assert_eq!(text("['smb', 'TCP']").protocols(), both("tcp", Some("smb")));
        assert_eq!(text("tcp,smb").protocols(), both("tcp", Some("smb")));
        assert_eq!(text("udp/dns").protocols(), both("udp", Some("dns")));
        assert_eq!(text("17").protocols(), both("udp", None));
        assert_eq!(text("PROTO:132").protocols(), both("sctp", None));
        assert_eq!(text("IPv6-ICMP").protocols(), both("ipv6-icmp", None));
        assert_eq!(Value::Integer(58).protocols(), both("ipv6-icmp", None));
        assert_eq!(Value::Integer(200).protocols(), both("proto-200", None));
        assert_eq!(Value::Integer(-4).protocols(), (None, None));
        assert_eq!(text("smb").protocols(), (None, Some("smb".to_string())));
        assert_eq!(text("[]").protocols(), (None, None));
    }

    #[test]
    fn ports_and_numbers_are_checked() {
        assert_eq!(text(" 445 ").port(), Some(445));
        assert_eq!(Value::Real(22.0).port(), Some(22));
        for bad in [
            Value::Integer(0),
            Value::Integer(65_536),
            Value::Integer(-1),
            Value::Real(1.5),
            Value::Real(f64::NAN),
            text("http"),
        ] {
            assert_eq!(bad.port(), None, "{bad:?}");
        }
    }

    #[test]
    fn signatures_are_bounded_and_clean() {
        assert_eq!(
            text(" a\u{1b}[31m\nb\u{0}").text().as_deref(),
            Some("a [31m b")
        );
        let long = "é".repeat(5_000);
        assert_eq!(text(&long).text().map(|t| t.len()), Some(TEXT_LIMIT));
    }

    #[test]
    fn severities_are_numbers_decimals_or_words() {
        assert_eq!(text("High").severity(), Some(Severity::Word(Word::High)));
        assert_eq!(text(" 4 ").severity(), Some(Severity::Tenths(40)));
        assert_eq!(text("7.5").severity(), Some(Severity::Tenths(75)));
        assert_eq!(Value::Real(8.8).severity(), Some(Severity::Tenths(88)));
        assert_eq!(Value::Real(f64::NAN).severity(), None);
        assert_eq!(Value::Integer(i64::MAX).severity(), None);
        assert_eq!(text("?").severity(), None);
    }

    #[test]
    fn the_last_of_a_list_is_the_category() {
        let list = r#"["syslog","authentication_failed"]"#;
        assert_eq!(
            text(list).category().as_deref(),
            Some("authentication_failed")
        );
        assert_eq!(
            text("Misc, other").category().as_deref(),
            Some("Misc, other")
        );
        assert_eq!(text("[]").category(), None);
        assert_eq!(text("").category().as_deref(), Some(""));
    }

    #[test]
    fn techniques_have_their_shape() {
        assert!(is_technique("T1021") && is_technique("T1021.002"));
        for bad in [
            "", "T", "T102", "T1021.", "T1021.02", "TA0001", "t1021", "Té021",
        ] {
            assert!(!is_technique(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_reader(raw in any::<String>()) {
            let value = text(&raw);
            let _ = (value.integer(), value.port(), value.address(), value.time());
            let _ = (value.protocols(), value.application(), value.direction());
            let _ = (value.blocked(), value.severity(), value.techniques(), value.category());
            if let Some(name) = value.name() {
                prop_assert!(name.len() <= TEXT_LIMIT);
                prop_assert!(!name.chars().any(char::is_control));
            }
        }

        #[test]
        fn no_number_breaks_a_reader(whole in any::<i64>(), real in any::<f64>()) {
            for value in [Value::Integer(whole), Value::Real(real)] {
                let _ = (value.integer(), value.port(), value.address(), value.time());
                let _ = (value.protocols(), value.application(), value.unsigned());
            }
        }
    }
}

//! Queries that search texts or rare records, and group what they find.

use std::cmp::Reverse;

use serde_json::json;

use super::count::{Groups, NULL, Pairs, Shown, Span, Top, last};
use super::frame::{Frame, hash};
use super::{Evaluator, Facts, Table};

/// Symbols of base64 for 3 characters of UTF-16.
const BLOCK: usize = 8;
/// Symbols that `q13` decodes, for 60 characters, and those in which commands are alike.
const SYMBOLS: usize = 160;
const ALIKE: usize = 64;

/// The value of a symbol of base64; `None` for padding and all else.
fn digit(symbol: char) -> Option<u64> {
    let of = |first: char, from: u64| Some(u64::from(symbol) - u64::from(first) + from);
    match symbol {
        'A'..='Z' => of('A', 0),
        'a'..='z' => of('a', 26),
        '0'..='9' => of('0', 52),
        '+' => Some(62),
        '/' => Some(63),
        _ => None,
    }
}

/// The text in base64 of UTF-16LE: `?` for each character that is not printable ASCII, and none if there
/// is no character.
fn decoded(code: &str) -> Option<String> {
    let digits: Vec<Option<u64>> = code.chars().map(digit).collect();
    let mut text = String::new();
    for block in digits.chunks(BLOCK) {
        // 48 bits, and those of them that no symbol gives.
        let (mut bits, mut missing) = (0u64, 0u64);
        for at in 0..BLOCK {
            let digit = block.get(at).copied().flatten();
            bits = bits << 6 | digit.unwrap_or(0);
            missing = missing << 6 | if digit.is_none() { 63 } else { 0 };
        }
        // The symbol with the last bits of each character.
        for (character, last) in [2, 5, 7].into_iter().enumerate() {
            if block.get(last).copied().flatten().is_none() {
                continue;
            }
            let of_character = |bits: u64| (bits >> (32 - 16 * character)) as u16;
            let unit = of_character(bits).swap_bytes();
            let ascii = u8::try_from(unit)
                .ok()
                .filter(|code| (32..127).contains(code));
            let known = ascii.filter(|_| of_character(missing) == 0);
            text.push(known.map_or('?', char::from));
        }
    }
    Some(text).filter(|text| !text.is_empty())
}

/// The start of the word after PowerShell's option for encoded commands: `-enc`, `-EncodedCommand`.
fn code(command: &str, lowered: &str) -> Option<Box<str>> {
    let at = lowered.find(" -enc")?;
    // Small letters may have other lengths in bytes than capitals.
    let before = lowered[..at].chars().count() + 1;
    let (start, _) = command.char_indices().nth(before)?;
    let word = command[start..].split(' ').nth(1)?.chars();
    let code: String = word.take(SYMBOLS).collect();
    Some(code.into_boxed_str()).filter(|code| !code.is_empty())
}

/// Commands of a host and a user that begin alike.
#[derive(Default)]
struct Commands {
    least_code: Shown,
    /// Commands, different encoded ones, those in a hidden window, and those that download.
    counts: [u64; 4],
    span: Span,
}

/// `q13`: encoded, hidden or downloading PowerShell by host, user and start of the encoded command.
#[derive(Default)]
pub(super) struct EncodedCommands {
    groups: Groups<3, Commands>,
    codes: Pairs,
}

impl Evaluator for EncodedCommands {
    fn add(&mut self, frame: &Frame) {
        let is_asked = |command: &str| command.to_lowercase().contains("powershell");
        for row in frame.command_line.rows(is_asked) {
            if !matches!(frame.code.text(row), Some("1" | "4688")) {
                continue;
            }
            let command = frame.command_line.text(row).unwrap_or_default();
            let lowered = command.to_lowercase();
            let found = [" -enc", " hidden", "http"].map(|word| lowered.contains(word));
            if !found.contains(&true) {
                continue;
            }
            let code = code(command, &lowered);
            let start: Option<String> = (code.as_deref()).map(|c| c.chars().take(ALIKE).collect());
            let id = start.as_deref().map_or(NULL, hash);
            let ids = [frame.host.id(row), frame.user.id(row), id];
            let start = start.map(String::into_boxed_str);
            let shown = || [frame.host.shown(row), frame.user.shown(row), start];
            let group = self.groups.at(ids, shown);
            let code_id = code.as_deref().map_or(NULL, hash);
            let is_new = self.codes.is_new(&ids, code_id);
            let counts = [1, is_new, u64::from(found[1]), u64::from(found[2])];
            for (sum, count) in group.counts.iter_mut().zip(counts) {
                *sum += count;
            }
            group.span.add(frame.times[row]);
            let is_least =
                |code: &str| group.least_code.as_deref().is_none_or(|least| code < least);
            if code.as_deref().is_some_and(is_least) {
                group.least_code = code;
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host, user, start], group) in self.groups.into_groups() {
            let key = (
                Reverse(group.counts[0]),
                last(&host),
                last(&user),
                last(&start),
            );
            top.add(key, || {
                let text = group.least_code.as_deref().and_then(decoded);
                let mut row = vec![json!(host), json!(user), json!(text)];
                row.extend(group.counts.map(|count| json!(count)));
                row.push(json!(group.span.first));
                row
            });
        }
        top.rows_with_groups()
    }
}

/// `q14`: names that hosts look up.
#[derive(Default)]
pub(super) struct DnsFanOut {
    hosts: Groups<1, [u64; 3]>,
    names: Pairs,
    missing: Pairs,
}

impl Evaluator for DnsFanOut {
    fn add(&mut self, frame: &Frame) {
        for row in 0..frame.rows {
            let name = frame.question.id(row);
            if frame.question.is_null(row) {
                continue;
            }
            let host = [frame.host.id(row)];
            let [lookups, names, missing] = self.hosts.at(host, || [frame.host.shown(row)]);
            *lookups += 1;
            *names += self.names.is_new(&host, name);
            if frame.response.text(row) == Some("NXDOMAIN") {
                *missing += self.missing.is_new(&host, name);
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host], [lookups, names, missing]) in self.hosts.into_groups() {
            top.add((Reverse(missing), Reverse(lookups), last(&host)), || {
                vec![json!(host), json!(lookups), json!(names), json!(missing)]
            });
        }
        top.rows_with_groups()
    }
}

/// `q22`: programs that open lsass.
#[derive(Default)]
pub(super) struct LsassAccess {
    programs: Groups<2, (u64, u64, Span)>,
    hosts: Pairs,
}

impl Evaluator for LsassAccess {
    fn add(&mut self, frame: &Frame) {
        for row in frame.code.rows(|code| code == "10") {
            let target = frame.target_image.text(row);
            if !target.is_some_and(|image| image.to_lowercase().ends_with("lsass.exe")) {
                continue;
            }
            let (image, access) = (&frame.source_image, &frame.access);
            let ids = [image.id(row), access.id(row)];
            let shown = || [image.shown(row), access.shown(row)];
            let (accesses, hosts, span) = self.programs.at(ids, shown);
            *accesses += 1;
            *hosts += self.hosts.is_new(&ids, frame.host.id(row));
            span.add(frame.times[row]);
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([image, access], (accesses, hosts, span)) in self.programs.into_groups() {
            top.add((hosts, accesses, last(&image), last(&access)), || {
                vec![
                    json!(image),
                    json!(access),
                    json!(accesses),
                    json!(hosts),
                    json!(span.first),
                ]
            });
        }
        top.rows_with_groups()
    }
}

/// `q28`: refused calls of clouds and services.
#[derive(Default)]
pub(super) struct CloudDenials {
    users: Groups<2, [u64; 4]>,
    operations: Pairs,
    addresses: Pairs,
}

impl Evaluator for CloudDenials {
    fn add(&mut self, frame: &Frame) {
        for row in frame.operation.rows(|_| true) {
            let ids = [frame.dataset.id(row), frame.user.id(row)];
            let shown = || [frame.dataset.shown(row), frame.user.shown(row)];
            let [calls, refused, operations, addresses] = self.users.at(ids, shown);
            *calls += 1;
            if frame.failed(row) {
                *refused += 1;
                *operations += self.operations.is_new(&ids, frame.operation.id(row));
            }
            *addresses += self.addresses.is_new(&ids, frame.source_ip.id(row));
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([dataset, user], counts) in self.users.into_groups() {
            let [calls, refused, ..] = counts;
            let key = (
                Reverse(refused),
                Reverse(calls),
                last(&dataset),
                last(&user),
            );
            top.add(key, || {
                let texts = [json!(dataset), json!(user)];
                texts
                    .into_iter()
                    .chain(counts.map(|count| json!(count)))
                    .collect()
            });
        }
        top.rows_with_groups()
    }
}

/// `q35`: hosts that log POST requests.
#[derive(Default)]
pub(super) struct TextSearch(Groups<1, (u64, Span)>);

impl Evaluator for TextSearch {
    fn add(&mut self, frame: &Frame) {
        for row in frame.message.rows(|message| message.contains("POST ")) {
            let (lines, span) = (self.0).at([frame.host.id(row)], || [frame.host.shown(row)]);
            *lines += 1;
            span.add(frame.times[row]);
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host], (lines, span)) in self.0.into_groups() {
            top.add((Reverse(lines), last(&host)), || {
                vec![
                    json!(host),
                    json!(lines),
                    json!(span.first),
                    json!(span.last),
                ]
            });
        }
        top.rows_with_groups()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn code_of(text: &str) -> String {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        STANDARD.encode(bytes)
    }

    #[test]
    fn commands_are_decoded() {
        let printable: String = (32..127).map(char::from).collect();
        for length in 0..=printable.len() {
            let text = &printable[..length];
            let expected = (length > 0).then(|| text.to_string());
            assert_eq!(decoded(&code_of(text)), expected);
        }
        let decoded = |code: &str| decoded(code).unwrap_or_default();
        assert_eq!(decoded(&code_of("a\tü日\u{7f}\0b")), "a?????b");
        // Neither ends of texts nor damaged symbols stop it.
        assert_eq!(decoded("QQ"), "");
        assert_eq!(decoded("QQA"), "A");
        assert_eq!(decoded("QQA="), "A");
        assert_eq!(decoded("QQ!BC"), "");
        assert_eq!(decoded("Q!BCDEFG"), "???");
        assert_eq!(decoded("====AGMA"), "?c");
        assert_eq!(decoded("utf8"), "?");
    }

    #[test]
    fn the_word_after_the_option_is_the_code() {
        let of = |command: &str| code(command, &command.to_lowercase());
        let some = |text: &str| Some(Box::from(text));
        assert_eq!(of("powershell -NoP -enc QQA= -x"), some("QQA="));
        assert_eq!(of("POWERSHELL -EncodedCommand QQA="), some("QQA="));
        assert_eq!(of("powershell Ü -ENC QQA="), some("QQA="));
        assert_eq!(of("powershell -enc"), None);
        assert_eq!(of("powershell -enc  x"), None);
        assert_eq!(of("powershell -w hidden"), None);
        let long = code_of(&"x".repeat(61));
        let code = of(&format!("powershell -enc {long}")).unwrap();
        assert_eq!(decoded(&code), Some("x".repeat(60)));
    }
}

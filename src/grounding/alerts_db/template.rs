//! Turns a sentence about one alert into a template.

/// Replaces addresses, numbers and times by `*`. Words that begin with a letter (`CVE-2021-44228`,
/// `sha256`) and paths remain. Adjacent stars become one.
pub(in crate::grounding) fn of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if is_inner(first) {
            rest.find(|c| !is_inner(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        let trimmed = token.trim_end_matches(['.', ':', ',']);
        let tail = token.get(trimmed.len()..).unwrap_or("");
        let is_value = trimmed
            .trim_start_matches(['+', '-', ':'])
            .starts_with(|c: char| c.is_ascii_digit())
            || trimmed.parse::<std::net::IpAddr>().is_ok()
            || is_hexadecimal(trimmed);
        if !is_value {
            out.push_str(token);
            continue;
        }
        if !out.trim_end().ends_with('*') {
            out.push('*');
        } else {
            out.truncate(out.trim_end().len());
        }
        out.push_str(tail);
    }
    out
}

/// A character of a number, an address, a time or a word.
fn is_inner(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ':' | '/' | '-' | '_' | '+')
}

/// A hash or identifier: 16 hexadecimal digits or more, with or without hyphens.
fn is_hexadecimal(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    digits >= 16 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_of_one_kind_have_one_template() {
        for (texts, template) in [
            (
                [
                    "Ip 198.51.100.1 performed 'x/ssh-bf' (9 events over 76.98s) at 2025-03-03 00:19:02.22 +0000 UTC",
                    "Ip fe80::1 performed 'x/ssh-bf' (12 events over 1s) at 2024-01-01 10:00:00.1 +0000 UTC",
                ],
                "Ip * performed 'x/ssh-bf' (* events over *) at * UTC",
            ),
            (
                [
                    "CVE-2021-44228 tried on port 8080.",
                    "CVE-2021-44228 tried on port 443.",
                ],
                "CVE-2021-44228 tried on port *.",
            ),
            (
                [
                    "file d41d8cd98f00b204e9800998ecf8427e from 10.0.0.1:443",
                    "file 0cc175b9c0f1b6a831c399e269772661 from 10.0.0.2:80",
                ],
                "file * from *",
            ),
        ] {
            for text in texts {
                assert_eq!(of(text), template);
            }
        }
    }
}

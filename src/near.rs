//! Suggestions for mistyped names.

use crate::error::{Error, Result};

/// Least similarity (Jaro-Winkler, 0 to 1) of a name that is suggested.
const NEAR: f64 = 0.75;
/// Maximum number of suggestions.
const MOST: usize = 3;

/// The known names most similar to `name`, best first; empty if none is similar enough.
pub fn nearest<'n>(name: &str, known: &[&'n str]) -> Vec<&'n str> {
    let (name, last) = (name.to_lowercase(), last_part(name));
    let mut scored: Vec<(f64, &str)> = known
        .iter()
        .map(|&k| {
            let lower = k.to_lowercase();
            let whole = strsim::jaro_winkler(&name, &lower);
            // `image` suggests `winlog.event_data.Image`.
            let tail = if lower == name || last_part(&lower) == last {
                0.95
            } else {
                0.0
            };
            (whole.max(tail), k)
        })
        .filter(|(score, _)| *score >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(MOST).map(|(_, k)| k).collect()
}

fn last_part(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_lowercase()
}

/// `did you mean days?`, or `otherwise` if no known name is similar.
pub fn or_near(name: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(name, known).as_slice() {
        [] => otherwise.to_string(),
        near => format!("did you mean {}?", near.join(" or ")),
    }
}

/// The index of `name` in `known`.
///
/// # Errors
/// `name` is not in `known`. The error names `what`, the flag or setting.
pub fn index_of(what: &str, name: &str, known: &[&str]) -> Result<usize> {
    let found = known.iter().position(|k| *k == name);
    found.ok_or_else(|| unknown(what, name, known))
}

/// The error for an unknown name. Its remedy lists similar names, or all known names if there are few.
pub fn unknown(flag: &str, name: &str, known: &[&str]) -> Error {
    let all = match known.len() {
        0..=60 => format!("give one of {}", known.join(", ")),
        n => format!("give one of the {n} known names"),
    };
    let remedy = or_near(name, known, &all);
    Error::setting(flag, format!("'{name}' is not known"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_get_suggestions_and_unrelated_names_none() {
        let known = [
            "events",
            "days",
            "winlog.event_data.Image",
            "attack_chain_ratio",
        ];
        assert_eq!(nearest("evnets", &known), ["events"]);
        assert_eq!(nearest("image", &known)[0], "winlog.event_data.Image");
        assert_eq!(nearest("attack_ratio", &known), ["attack_chain_ratio"]);
        assert!(nearest("zzz", &known).is_empty());
    }
}

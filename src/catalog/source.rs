//! A catalog file, and errors with a position in it.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::record::AccountRef;
use super::template::Template;
use super::words::TomlWord;
use crate::error::shown_up_to;
use crate::error::{Error, Result};

/// A string with its position in the file.
pub(super) type Text = Spanned<String>;

/// Maximum bytes of each part of a message.
const MESSAGE: usize = 800;

/// One file of the catalog, as read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The path it was read from; `data/catalog/…` for an embedded file.
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// Parses the TOML text into raw entries.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(&self.text).map_err(|error| {
            let message = error.message().trim_end();
            let remedy = if message.contains("unknown field") {
                "remove the key, or use one of those expected"
            } else if message.contains("missing field") {
                "add that key to the entry"
            } else {
                "correct the value; docs/catalog.md describes the files"
            };
            self.error(error.span().map_or(0, |span| span.start), message, remedy)
        })
    }

    /// The comment at the head of the file, as one line.
    pub fn heading(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix('#'));
        comment.map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// An error at a byte offset.
    pub fn error(&self, at: usize, problem: impl Into<String>, remedy: impl Into<String>) -> Error {
        // They quote the file, so they can be of any length.
        let bounded = |text: String| shown_up_to(MESSAGE, &text);
        Error::input(
            &self.path,
            bounded(self.place(at)),
            bounded(problem.into()),
            bounded(remedy.into()),
        )
    }

    /// An error at the position of a value.
    pub fn error_at<T>(
        &self,
        text: &Spanned<T>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        self.error(text.span().start, problem, remedy)
    }

    /// `line 12, [[step]] 3, [[step.record]] 2`: the line, and the entries around it.
    fn place(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.matches('\n').count();
        // Enclosing entries, innermost last: header, its number so far, name.
        let mut entries: Vec<(&str, usize, Option<&str>)> = Vec::new();
        let mut finished: Vec<(&str, usize)> = Vec::new();
        for (number, text) in self.text.lines().enumerate() {
            if let Some(header) = text
                .trim_start()
                .strip_prefix("[[")
                .and_then(|t| t.split("]]").next())
            {
                if number > line {
                    break;
                }
                while let Some(&(open, count, _)) = entries.last()
                    && !is_inside(header, open)
                {
                    entries.pop();
                    if open == header {
                        finished.push((open, count));
                    }
                }
                finished.retain(|(closed, _)| !is_inside(closed, header) || *closed == header);
                let count = finished
                    .iter()
                    .position(|(closed, _)| *closed == header)
                    .map_or(0, |i| finished.swap_remove(i).1);
                entries.push((header, count + 1, None));
            } else if let Some((_, _, name)) = entries.last_mut()
                && name.is_none()
            {
                *name = named(text);
            }
        }
        let mut place = format!("line {}", line + 1);
        for (header, count, name) in &entries {
            place.push_str(&format!(", [[{header}]] {count}"));
            if let Some(name) = name {
                place.push_str(&format!(" ({name})"));
            }
        }
        if let Some(entry) = self.text.lines().nth(line)
            && let Some(inside) = entry.trim_start().strip_prefix("{ ")
            && let Some(name) = named(inside)
        {
            place.push_str(&format!(" ({name})"));
        }
        place
    }

    /// Parses a word of a closed set.
    pub fn word<T: TomlWord>(&self, word: &Text) -> Result<T> {
        T::from_word(word.get_ref()).map_err(|expected| {
            self.error_at(
                word,
                format!("unknown {} {:?}", T::WHAT, word.get_ref()),
                format!("use {expected}"),
            )
        })
    }

    /// Compiles a template.
    pub fn template(&self, text: &Text) -> Result<Template> {
        Template::parse(text.get_ref()).map_err(|error| {
            self.error_at(
                text,
                format!(
                    "{} (at byte {} of {:?})",
                    error.problem,
                    error.at,
                    text.get_ref()
                ),
                error.remedy,
            )
        })
    }

    /// Parses an account.
    pub fn account(&self, word: &Text) -> Result<AccountRef> {
        AccountRef::parse(word.get_ref()).map_err(|expected| {
            self.error_at(
                word,
                format!("unknown account {:?}", word.get_ref()),
                format!("use {expected}"),
            )
        })
    }

    /// Checks that a range's lower end comes first.
    pub fn range<T: PartialOrd + std::fmt::Display + Copy>(
        &self,
        range: &Spanned<[T; 2]>,
        what: &str,
    ) -> Result<[T; 2]> {
        let [low, high] = *range.get_ref();
        if low > high {
            return Err(self.error_at(
                range,
                format!("{what}: {low} is more than {high}"),
                "put the lower number first",
            ));
        }
        Ok([low, high])
    }

    /// Checks that no name occurs twice.
    pub fn unique<'t>(&self, what: &str, names: impl Iterator<Item = &'t Text>) -> Result<()> {
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if !seen.insert(name.get_ref()) {
                return Err(self.error_at(
                    name,
                    format!("duplicate {what} {:?}", name.get_ref()),
                    "rename or remove the second one",
                ));
            }
        }
        Ok(())
    }
}

/// Whether entries `inner` are nested in entries `outer`.
fn is_inside(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// The value of a line `name = "…"`, `key = "…"` or `id = "…"`.
fn named(line: &str) -> Option<&str> {
    let (key, value) = line.split_once('=')?;
    if !matches!(key.trim(), "name" | "key" | "id") {
        return None;
    }
    value.trim_start().strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_the_line_and_the_entries_around_it() {
        let source = Source {
            path: "x.toml".into(),
            text:
                "[[a]]\nname = \"one\"\n  [[a.r]]\n  x = 1\n[[a.r]]\nx = 2\n[[a]]\n[[a.r]]\nx = 3\n\
                   list = [\n  { key = \"k\", y = 1 },\n]\n"
                    .into(),
        };
        let place = |needle: &str| source.place(source.text.find(needle).unwrap());
        assert_eq!(place("x = 1"), "line 4, [[a]] 1 (one), [[a.r]] 1");
        assert_eq!(place("x = 2"), "line 6, [[a]] 1 (one), [[a.r]] 2");
        assert_eq!(place("x = 3"), "line 9, [[a]] 2, [[a.r]] 1");
        assert_eq!(place("y = 1"), "line 11, [[a]] 2, [[a.r]] 1 (k)");
    }
}

//! Command lines split into arguments, as in EXECVE records.

use super::EXECVE;
use crate::columns::View;
use crate::columns::process::command_of;

/// The arguments of a command line, with the shell's rules for quotes.
pub(in crate::columns) fn arguments(
    command: &str,
) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    use std::borrow::Cow;
    let mut rest = command.trim_start();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut quote = None;
        let mut end = rest.len();
        let mut quoted = false;
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (None, '\'' | '"') => {
                    quote = Some(c);
                    quoted = true;
                }
                (Some(q), c) if q == c => quote = None,
                (None, c) if c.is_whitespace() => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (word, tail) = rest.split_at(end);
        rest = tail.trim_start();
        Some(if quoted {
            let outer = word
                .chars()
                .find(|c| matches!(c, '\'' | '"'))
                .unwrap_or('"');
            Cow::Owned(word.replace(outer, ""))
        } else {
            Cow::Borrowed(word)
        })
    })
}

/// The arguments of the frame's EXECVE records.
pub(in crate::columns) struct Arguments {
    text: Vec<u8>,
    /// End offset of each argument in `text`, after a leading 0.
    ends: Vec<usize>,
    /// Per row, index of its first argument, and a last element for the end.
    first: Vec<usize>,
}

impl Arguments {
    fn new(v: &View<'_>) -> Self {
        let mut made = Arguments {
            text: Vec::new(),
            ends: vec![0],
            first: Vec::with_capacity(v.len() + 1),
        };
        for row in 0..v.len() {
            made.first.push(made.ends.len() - 1);
            if v.is(row, EXECVE) {
                for argument in arguments(command_of(v, &v.frame.process, row)) {
                    made.text.extend_from_slice(argument.as_bytes());
                    made.ends.push(made.text.len());
                }
            }
        }
        made.first.push(made.ends.len() - 1);
        made
    }

    pub(super) fn of<'v>(v: &'v View<'_>) -> &'v Self {
        v.cache.arguments.get_or_init(|| Arguments::new(v))
    }

    pub(super) fn count(&self, row: usize) -> usize {
        self.first[row + 1] - self.first[row]
    }

    pub(super) fn get(&self, row: usize, nth: usize) -> Option<&[u8]> {
        (nth < self.count(row)).then(|| {
            let at = self.first[row] + nth;
            &self.text[self.ends[at]..self.ends[at + 1]]
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn arguments_are_split_as_a_shell_does() {
        let split = |c: &'static str| {
            super::arguments(c)
                .map(|a| a.into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(split("ls -la  /tmp"), ["ls", "-la", "/tmp"]);
        assert_eq!(split("sh -c 'curl x | sh'"), ["sh", "-c", "curl x | sh"]);
        assert_eq!(split(""), Vec::<String>::new());
    }
}

//! `fusiongen._settings` of the Python module has the table of settings as types.
//!
//! UPDATE_DOCS=1 cargo test --test python_settings rewrites it.

use std::fmt::Write;

use fusiongen::settings::{Kind, SETTINGS, Setting};

const HEAD: &str = r#""""Types of the settings, for type checkers and editors.

Made from `src/settings/table.rs` by `UPDATE_DOCS=1 cargo test --test python_settings`; a test keeps it equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from os import PathLike
from typing import Literal, TypedDict


class Settings(TypedDict, total=False):
    """The settings of a corpus. All are optional, and ``None`` is the default."""
"#;

/// The Python type of a value.
fn python_type(setting: &Setting) -> String {
    match setting.kind {
        Kind::Number(_) | Kind::Count => "int | str".into(),
        Kind::Decimal | Kind::Offset => "float | str".into(),
        Kind::Date => "date | str".into(),
        Kind::Text => "str".into(),
        Kind::Choice(words) => {
            let words: Vec<String> = words().iter().map(|(w, _)| format!("\"{w}\"")).collect();
            format!("Literal[{}]", words.join(", "))
        }
        Kind::File | Kind::Directory => "str | PathLike[str]".into(),
        Kind::Switch | Kind::Boolean => "bool".into(),
        Kind::Words => "Sequence[str] | str".into(),
        Kind::Decimals => "Sequence[float | str] | str".into(),
    }
}

/// The help of a setting as a sentence about arguments instead of flags.
fn sentence(setting: &Setting) -> String {
    let mut help = setting.help.to_string();
    for other in SETTINGS {
        let flag = format!("--{}", other.name.replace('_', "-"));
        help = help.replace(&flag, &format!("``{}``", other.name));
    }
    let mut letters = help.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let help: String = first.into_iter().chain(letters).collect();
    match setting.default {
        Some(default) => format!("{help} [default: {default}]."),
        None => format!("{help}."),
    }
}

#[test]
fn the_types_are_the_table() {
    let mut text = HEAD.to_string();
    for setting in SETTINGS {
        let Setting { name, .. } = setting;
        let of = python_type(setting);
        write!(
            text,
            "\n    {name}: {of} | None\n    \"\"\"{}\"\"\"\n",
            sentence(setting)
        )
        .unwrap();
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("python/python/fusiongen/_settings.py");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "_settings.py is not the table; run UPDATE_DOCS=1 cargo test --test python_settings"
    );
}

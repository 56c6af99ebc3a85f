//! Where a setting's value comes from: flag, environment, configuration file, default.
//!
//! clap knows flags, variables and defaults. This module puts the file between the last
//! two: what only the file gives is added to the command line, and parsed like it. So a
//! new flag is a key of the file without a word here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Result};
use crate::near::or_near;

/// Arguments that no file may give: the file itself, and what is not about a corpus.
const NOT_IN_A_FILE: [&str; 3] = ["config", "help", "version"];

/// How the user named each setting, by its flag.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The error, with the setting as the user named it: `DB_PATH`, `days in corpus.toml, line 3`.
    pub fn rename(&self, error: Error) -> Error {
        match error {
            Error::Setting {
                setting,
                problem,
                remedy,
            } => Error::Setting {
                setting: self.0.get(&setting).cloned().unwrap_or(setting),
                problem,
                remedy,
            },
            other => other,
        }
    }
}

/// One key of the file, as a command-line argument.
struct Key<'c> {
    arg: &'c Arg,
    /// As written, with its line.
    name: String,
    line: usize,
    /// `--days=3`; nothing for a switch that is off.
    argument: Option<OsString>,
}

/// Parses the arguments, with `--config`'s file behind them.
///
/// # Errors
/// A file or a value of it, or a variable, that cannot be used. Wrong usage of the
/// command line is printed and ends the process, as clap has it.
pub fn parse(command: Command, arguments: Vec<OsString>) -> Result<(ArgMatches, Names)> {
    let mut command = without_excluded_variables(command, &arguments);
    command.build();
    let parse = |arguments: &[OsString]| command.clone().try_get_matches_from(arguments);
    let given = match parse(&arguments) {
        Ok(matches) => matches,
        Err(error) => return Err(variable_error(&command, &error).unwrap_or_else(|| error.exit())),
    };
    let Some((name, matches)) = given.subcommand() else {
        return Ok((given, Names::default()));
    };
    let Some(subcommand) = command.find_subcommand(name) else {
        return Ok((given, Names::default()));
    };
    let mut names = Names::default();
    for arg in subcommand.get_arguments() {
        match (source(matches, arg), arg.get_env()) {
            (Some(ValueSource::EnvVariable), Some(variable)) => {
                let variable = variable.to_string_lossy().into_owned();
                names.0.insert(flag(arg), variable);
            }
            (Some(ValueSource::CommandLine), Some(variable)) if arg.is_hide_set() => {
                return Err(Error::setting(
                    flag(arg),
                    "this is no flag",
                    format!(
                        "set {} in the environment, or {} in the file of --config",
                        variable.to_string_lossy(),
                        arg.get_id()
                    ),
                ));
            }
            // A library error names the flag; where there is none, the variable.
            (_, Some(variable)) if arg.is_hide_set() => {
                let variable = variable.to_string_lossy().into_owned();
                names.0.insert(flag(arg), variable);
            }
            _ => {}
        }
    }
    let path = match matches.try_get_one::<PathBuf>("config") {
        Ok(Some(path)) => path.clone(),
        _ => return Ok((given, names)),
    };
    let text = read(&path)?;
    // Another subcommand's keys may stand in the file: one file serves them all.
    let known = command.find_subcommand("generate").unwrap_or(subcommand);
    let mut added = Vec::new();
    for key in keys(&path, &text, known)? {
        let stronger = |arg: &Arg| is_explicit(source(matches, arg));
        let here = subcommand
            .get_arguments()
            .find(|a| a.get_id() == key.arg.get_id());
        let Some(arg) = here else { continue };
        // A flag or variable wins over its own key, and over a key that it excludes.
        let excluded = subcommand
            .get_arguments()
            .any(|other| stronger(other) && exclude_each_other(subcommand, arg, other));
        if stronger(arg) || excluded {
            continue;
        }
        let place = format!("{} in {}, line {}", key.name, path.display(), key.line);
        names.0.insert(flag(arg), place);
        added.push(key);
    }
    // The subcommand is the first argument: the program has no global ones.
    let mut all = arguments;
    let extra = added.iter().filter_map(|key| key.argument.clone());
    all.splice(2..2, extra.collect::<Vec<_>>());
    match parse(&all) {
        Ok(matches) => Ok((matches, names)),
        Err(error) => Err(file_error(&path, &added, &error)),
    }
}

/// Takes the variables off the arguments that a given flag excludes: clap would call the two
/// a conflict, but a flag wins over a variable.
fn without_excluded_variables(command: Command, arguments: &[OsString]) -> Command {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // A command that is built can't be changed any more.
    let mut built = command.clone();
    built.build();
    let Some(subcommand) = words.get(1).and_then(|name| built.find_subcommand(name)) else {
        return command;
    };
    let given = |arg: &Arg| {
        let flag = flag(arg);
        words.iter().skip(2).any(|word| flag_of(word) == flag)
    };
    let excluded: Vec<clap::Id> = subcommand
        .get_arguments()
        .filter(|arg| arg.get_env().is_some() && !given(arg))
        .filter(|arg| {
            let mut flags = subcommand.get_arguments().filter(|other| given(other));
            flags.any(|other| exclude_each_other(subcommand, arg, other))
        })
        .map(|arg| arg.get_id().clone())
        .collect();
    let name = subcommand.get_name().to_string();
    command.mut_subcommand(name, |subcommand| {
        excluded.into_iter().fold(subcommand, |subcommand, id| {
            subcommand.mut_arg(id, |arg| arg.env(Resettable::Reset))
        })
    })
}

fn exclude_each_other(subcommand: &Command, a: &Arg, b: &Arg) -> bool {
    let excludes = |a: &Arg, b: &Arg| {
        let found = subcommand.get_arg_conflicts_with(a);
        found.iter().any(|c| c.get_id() == b.get_id())
    };
    excludes(a, b) || excludes(b, a)
}

fn flag(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("--{long}"),
        None => arg.get_id().to_string(),
    }
}

fn source(matches: &ArgMatches, arg: &Arg) -> Option<ValueSource> {
    let id = arg.get_id().as_str();
    // Help and version are no arguments of the matches.
    let there = matches.ids().any(|known| known == id);
    there.then(|| matches.value_source(id)).flatten()
}

fn is_explicit(source: Option<ValueSource>) -> bool {
    matches!(
        source,
        Some(ValueSource::CommandLine | ValueSource::EnvVariable)
    )
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|e| {
        Error::input(
            path,
            None,
            format!("the configuration file cannot be read: {e}"),
            "give --config a TOML file",
        )
    })?;
    String::from_utf8(bytes).map_err(|e| {
        let line = 1 + e.as_bytes()[..e.utf8_error().valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        Error::input(
            path,
            format!("line {line}"),
            "this is not UTF-8 text",
            "give --config a TOML file in UTF-8",
        )
    })
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
}

/// A key without regard to case and to `-` or `_`.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// The file's keys in its order. A key is a flag's name, or its variable's.
fn keys<'c>(path: &Path, text: &str, command: &'c Command) -> Result<Vec<Key<'c>>> {
    let table = DeTable::parse(text).map_err(|e| {
        let place = e.span().map(|s| format!("line {}", line_of(text, s.start)));
        Error::input(
            path,
            place,
            format!("this is not TOML: {}", e.message()),
            "write settings as `days = 7`",
        )
    })?;
    let args: Vec<&Arg> = command
        .get_arguments()
        .filter(|a| a.get_long().is_some() && !NOT_IN_A_FILE.contains(&a.get_id().as_str()))
        .collect();
    let mut written: Vec<(&Spanned<_>, &Spanned<DeValue<'_>>)> = table.get_ref().iter().collect();
    written.sort_by_key(|(key, _)| key.span().start);
    let mut keys: Vec<Key<'c>> = Vec::new();
    for (key, value) in written {
        let (name, line) = (key.get_ref().to_string(), line_of(text, key.span().start));
        let place = || format!("line {line}");
        let named = |arg: &&&Arg| {
            let variable = arg.get_env().map(|v| plain(&v.to_string_lossy()));
            arg.get_id() == plain(&name).as_str() || variable.as_deref() == Some(&plain(&name))
        };
        let Some(arg) = args.iter().find(named) else {
            let known: Vec<&str> = args.iter().map(|a| a.get_id().as_str()).collect();
            return Err(Error::input(
                path,
                place(),
                format!("there is no setting '{name}'"),
                or_near(
                    &plain(&name),
                    &known,
                    "see `fusiongen generate --help`: a key is a flag without its dashes, with _ for -",
                ),
            ));
        };
        if let Some(twice) = keys.iter().find(|k| k.arg.get_id() == arg.get_id()) {
            return Err(Error::input(
                path,
                place(),
                format!("'{name}' stands in line {} already", twice.line),
                "keep one of the two",
            ));
        }
        let argument = argument(arg, value.get_ref()).map_err(|(problem, remedy)| {
            Error::input(path, place(), format!("'{name}' {problem}"), remedy)
        })?;
        keys.push(Key {
            arg,
            name,
            line,
            argument,
        });
    }
    Ok(keys)
}

/// The command-line form of a value; for a wrong type, what is wrong with it and the remedy.
fn argument(
    arg: &Arg,
    value: &DeValue<'_>,
) -> std::result::Result<Option<OsString>, (String, String)> {
    let flag = flag(arg);
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return match value {
            DeValue::Boolean(true) => Ok(Some(flag.into())),
            DeValue::Boolean(false) => Ok(None),
            other => Err((
                format!("is {}", type_name(other)),
                "give true or false".into(),
            )),
        };
    }
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_string()),
        // As written: no digit passes through floating point.
        DeValue::Float(number) => Some(number.as_str().to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Boolean(truth) if takes_truth(arg) => Some(truth.to_string()),
        _ => None,
    };
    let text = match (value, arg.get_value_delimiter()) {
        (DeValue::Array(items), Some(delimiter)) => items
            .iter()
            .map(|item| one(item.get_ref()))
            .collect::<Option<Vec<String>>>()
            .map(|items| items.join(&delimiter.to_string())),
        (value, _) => one(value),
    };
    let Some(text) = text else {
        let takes = match arg.get_value_delimiter() {
            Some(_) => "give a list, such as [1, 2], or its values in one text",
            None => "give one value, as the flag takes it",
        };
        return Err((format!("is {}", type_name(value)), takes.into()));
    };
    Ok(Some(format!("{flag}={text}").into()))
}

fn takes_truth(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == std::any::TypeId::of::<bool>()
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number that is not decimal",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list that does not fit",
        DeValue::Table(_) => "a table",
    }
}

/// What clap says of a value: (argument as in `--days <N>`, value, problem with the values it takes).
fn about_value(error: &clap::Error) -> Option<(String, String, String)> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if !matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
    ) {
        return None;
    }
    let value = text(ContextKind::InvalidValue)?;
    let problem = match (
        std::error::Error::source(error),
        error.get(ContextKind::ValidValue),
    ) {
        (Some(reason), _) => format!("'{value}' cannot be used: {reason}"),
        (None, Some(ContextValue::Strings(known))) if !known.is_empty() => {
            format!("'{value}' is none of {}", known.join(", "))
        }
        _ => format!("'{value}' cannot be used"),
    };
    Some((text(ContextKind::InvalidArg)?, value, problem))
}

/// The flag of what clap writes as `--days <N>` or `--noise-seasonality[=<BOOL>]`.
fn flag_of(shown: &str) -> &str {
    shown.split([' ', '=', '[']).next().unwrap_or(shown)
}

/// A value that came from the environment is the variable's mistake, not the flag's.
fn variable_error(command: &Command, error: &clap::Error) -> Option<Error> {
    let (shown, value, problem) = about_value(error)?;
    let variable = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter(|arg| flag(arg) == flag_of(&shown))
        .filter_map(Arg::get_env)
        .find(|name| std::env::var(name).is_ok_and(|v| v == value || v.contains(&value)))?;
    // The same value as a flag is the flag's.
    let flagged = std::env::args().any(|a| flag_of(&a) == flag_of(&shown));
    (!flagged).then(|| {
        Error::setting(
            variable.to_string_lossy(),
            problem,
            format!("set it to what {shown} takes, or unset it"),
        )
    })
}

/// What clap says of arguments that the file gave.
fn file_error(path: &Path, added: &[Key<'_>], error: &clap::Error) -> Error {
    if let Some((shown, _, problem)) = about_value(error)
        && let Some(key) = added.iter().find(|k| flag(k.arg) == flag_of(&shown))
    {
        return Error::input(
            path,
            format!("line {}, {}", key.line, key.name),
            problem,
            format!("give what {shown} takes; `fusiongen generate --help` says it"),
        );
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Error::input(
        path,
        None,
        first.strip_prefix("error: ").unwrap_or(first),
        "change the file: a key stands for the flag of its name",
    )
}

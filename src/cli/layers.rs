//! Where a setting's value comes from: flag, environment, configuration file, default.
//!
//! clap knows flags, variables and defaults. This module adds the file between the last two: a
//! setting that only the file gives is added to the command line and parsed with it. So every new
//! flag is a key of the file without a change here.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::settings::SETTINGS;

/// Arguments that a file cannot set: the file itself, and those that are not about a corpus.
const NOT_IN_A_FILE: [&str; 3] = ["config", "help", "version"];

/// The user's name for each setting (variable, or key with file and line), by its flag.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Where the file gives the setting of a flag: `days in corpus.toml, line 3`.
    pub fn place(&self, flag: &str) -> Option<&str> {
        self.0.get(flag).map(String::as_str)
    }

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

/// Parses the arguments and, below them in priority, the `--config` file.
///
/// # Errors
/// A file, a value in it, or a variable that cannot be used. clap prints wrong usage of the
/// command line and ends the process.
pub fn parse(command: Command, arguments: Vec<OsString>) -> Result<(ArgMatches, Names)> {
    let mut command = without_excluded_variables(command, &arguments);
    command.build();
    let parse = |arguments: &[OsString]| command.clone().try_get_matches_from(arguments);
    let given = match parse(&arguments) {
        Ok(matches) => matches,
        Err(error) => {
            let variable = variable_error(&command, &arguments, &error);
            return Err(variable.unwrap_or_else(|| error.exit()));
        }
    };
    let Some((depth, subcommand, matches)) = innermost(&command, &given) else {
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
                    "this setting is not a flag",
                    format!(
                        "set {} in the environment, or {} in the --config file",
                        variable.to_string_lossy(),
                        arg.get_id()
                    ),
                ));
            }
            // Library errors name the flag. These settings have none, so errors name the variable.
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
    // One file serves all subcommands, so it may have keys of another one.
    let others = command.get_subcommands().flat_map(Command::get_arguments);
    let known: Vec<&Arg> = subcommand.get_arguments().chain(others).collect();
    let mut added = Vec::new();
    for key in keys(&path, &text, &known)? {
        let stronger = |arg: &Arg| is_explicit(source(matches, arg));
        let here = subcommand
            .get_arguments()
            .find(|a| a.get_id() == key.arg.get_id());
        let Some(arg) = here else { continue };
        // A flag or variable overrides its own key, and any key that it excludes.
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
    // The subcommands are the first arguments, because the program has no global flags.
    let mut all = arguments;
    let extra = added.iter().filter_map(|key| key.argument.clone());
    all.splice(depth + 1..depth + 1, extra.collect::<Vec<_>>());
    match parse(&all) {
        Ok(matches) => Ok((matches, names)),
        Err(error) => Err(file_error(&path, &added, &error)),
    }
}

/// The subcommand that was given, at any depth: `generate`, or `params` of `queries`.
fn innermost<'c>(
    command: &'c Command,
    given: &'c ArgMatches,
) -> Option<(usize, &'c Command, &'c ArgMatches)> {
    let (name, matches) = given.subcommand()?;
    let subcommand = command.find_subcommand(name)?;
    match innermost(subcommand, matches) {
        Some((depth, subcommand, matches)) => Some((depth + 1, subcommand, matches)),
        None => Some((1, subcommand, matches)),
    }
}

/// Removes the variables of arguments that a given flag excludes. clap would report a conflict,
/// but a flag overrides a variable.
fn without_excluded_variables(command: Command, arguments: &[OsString]) -> Command {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // A built command cannot be changed any more.
    let mut built = command.clone();
    built.build();
    let mut subcommand = &built;
    let mut names = Vec::new();
    for word in words.iter().skip(1) {
        let Some(inner) = subcommand.find_subcommand(word) else {
            break;
        };
        names.push(inner.get_name().to_string());
        subcommand = inner;
    }
    if names.is_empty() {
        return command;
    }
    let given = |arg: &Arg| {
        let flag = flag(arg);
        let mut words = words.iter().skip(1 + names.len());
        words.any(|word| flag_of(word) == flag)
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
    without_variables(command, &names, &excluded)
}

/// The command, with the variables of these arguments removed from the subcommand with these names.
fn without_variables(command: Command, names: &[String], excluded: &[clap::Id]) -> Command {
    match names.split_first() {
        Some((name, rest)) => {
            command.mut_subcommand(name, |inner| without_variables(inner, rest, excluded))
        }
        None => excluded.iter().fold(command, |command, id| {
            command.mut_arg(id.clone(), |arg| arg.env(Resettable::Reset))
        }),
    }
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
    // Help and version are not in the matches.
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

/// Normalises a key: lower case, with `_` for `-`.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// The keys of the file, in file order. A key is the name of a flag or of its variable.
fn keys<'c>(path: &Path, text: &str, known: &[&'c Arg]) -> Result<Vec<Key<'c>>> {
    let table = DeTable::parse(text).map_err(|e| {
        let place = e.span().map(|s| format!("line {}", line_of(text, s.start)));
        Error::input(
            path,
            place,
            format!("this is not TOML: {}", e.message()),
            "write settings as `days = 7`",
        )
    })?;
    let args: Vec<&Arg> = (known.iter().copied())
        .filter(|a| a.get_long().is_some() && !NOT_IN_A_FILE.contains(&a.get_id().as_str()))
        .collect();
    let mut written: Vec<(&Spanned<_>, &Spanned<DeValue<'_>>)> = table.get_ref().iter().collect();
    written.sort_by_key(|(key, _)| key.span().start);
    let mut keys: Vec<Key<'c>> = Vec::new();
    for (key, value) in written {
        let (name, line) = (key.get_ref().to_string(), line_of(text, key.span().start));
        let place = || format!("line {line}");
        let named = |arg: &&&Arg| {
            let (id, key) = (arg.get_id().as_str(), plain(&name));
            let setting = SETTINGS.iter().find(|setting| setting.name == id);
            let variables = setting.into_iter().flat_map(|setting| {
                let other = setting.variable.map(String::from);
                other.into_iter().chain([setting.own_variable()])
            });
            id == key || variables.map(|v| plain(&v)).any(|v| v == key)
        };
        let Some(arg) = args.iter().find(named) else {
            let known: BTreeSet<&str> = args.iter().map(|a| a.get_id().as_str()).collect();
            let known: Vec<&str> = known.into_iter().collect();
            return Err(Error::input(
                path,
                place(),
                format!("there is no setting '{name}'"),
                or_near(
                    &plain(&name),
                    &known,
                    "see `fusiongen generate --help`: a key is a flag without the leading dashes, with _ for -",
                ),
            ));
        };
        if let Some(twice) = keys.iter().find(|k| k.arg.get_id() == arg.get_id()) {
            return Err(Error::input(
                path,
                place(),
                format!("'{name}' is already set in line {}", twice.line),
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

/// The command-line form of a value. The error for a wrong type is the problem and the remedy.
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
            Some(_) => "give a list, such as [1, 2], or its values in one string",
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

/// The flag in clap's notation `--days <N>` or `--noise-seasonality[=<BOOL>]`.
fn flag_of(shown: &str) -> &str {
    shown.split([' ', '=', '[']).next().unwrap_or(shown)
}

/// The error that names the variable, if the bad value came from the environment.
fn variable_error(command: &Command, arguments: &[OsString], error: &clap::Error) -> Option<Error> {
    let (shown, value, problem) = about_value(error)?;
    let variable = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter(|arg| flag(arg) == flag_of(&shown))
        .filter_map(Arg::get_env)
        .find(|name| std::env::var(name).is_ok_and(|v| v == value || v.contains(&value)))?;
    // If the flag was given too, the value is the flag's.
    let mut words = arguments.iter().map(|word| word.to_string_lossy());
    let flagged = words.any(|word| flag_of(&word) == flag_of(&shown));
    (!flagged).then(|| {
        Error::setting(
            variable.to_string_lossy(),
            problem,
            format!("set it to a value that {shown} accepts, or unset it"),
        )
    })
}

/// clap's error about a setting from the file, with the file, line and key.
fn file_error(path: &Path, added: &[Key<'_>], error: &clap::Error) -> Error {
    if let Some((shown, _, problem)) = about_value(error)
        && let Some(key) = added.iter().find(|k| flag(k.arg) == flag_of(&shown))
    {
        return Error::input(
            path,
            format!("line {}, {}", key.line, key.name),
            problem,
            format!("give a value that {shown} accepts; see `fusiongen generate --help`"),
        );
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Error::input(
        path,
        None,
        first.strip_prefix("error: ").unwrap_or(first),
        "change the file: each key sets the flag of the same name",
    )
}

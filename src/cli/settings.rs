//! The settings of a corpus as flags, environment variables and keys of the configuration file.
//!
//! A flag overrides its environment variable, which overrides the configuration file (`layers.rs`),
//! which overrides the preset, which overrides the default (`Values`). The flags are made from the table of
//! [settings](crate::settings), so a new setting needs no change here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{
    BoolishValueParser, PossibleValue, PossibleValuesParser, RangedU64ValueParser,
    TypedValueParser, ValueParser,
};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::layers::Names;
use super::voice::Voice;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::grounding::SeverityScale;
use crate::plan::{Config, Grounding};
use crate::settings::{self, Kind, SETTINGS, Section, Setting, Values, Word};

/// The settings of a command.
#[derive(Debug, Clone)]
pub struct Settings {
    values: Values,
    /// What the environment gives: `SEED=7`.
    environment: Vec<String>,
    /// The variable that gives a setting; `None` for a flag or a key of the file.
    givers: BTreeMap<&'static str, Option<String>>,
    /// The configuration file.
    file: Option<PathBuf>,
}

/// The settings of a command that writes no files. Those of files are no flags, and are ignored in the
/// environment and in the configuration file.
#[derive(Debug, Clone)]
pub struct EventSettings(pub Settings);

/// Whether no event depends on a setting.
pub fn is_of_files(setting: &Setting) -> bool {
    setting.section == Section::Files && setting.name != "schema"
}

/// Section of `--help` for the configuration file and for how a command runs.
const RUN: &str = "Run";

fn heading(section: Section) -> &'static str {
    match section {
        Section::Size => "Size and time",
        Section::Grounding => "Grounding",
        Section::Composition | Section::Hours => "Composition",
        Section::Files => "Files",
    }
}

/// Accepts the words of severity scales.
pub fn scale() -> impl TypedValueParser<Value = SeverityScale> {
    one_of(&settings::scales()).try_map(|word| settings::scale(&word))
}

/// Accepts one of several words.
fn one_of(words: &[Word]) -> PossibleValuesParser {
    let values = words
        .iter()
        .map(|&(word, help)| PossibleValue::new(word).help(help));
    PossibleValuesParser::new(values)
}

/// The environment variable that is read: the one without the prefix if only that one is set.
fn variable(setting: &Setting) -> String {
    let own = setting.own_variable();
    let is_set = |name: &str| std::env::var_os(name).is_some();
    match setting.variable {
        Some(other) if is_set(other) && !is_set(&own) => other.to_string(),
        _ => own,
    }
}

/// The environment variable of a setting, by its name.
pub fn variable_of(name: &str) -> String {
    settings::find(name).map_or(String::new(), variable)
}

/// The flag of a setting, by its name: `--attack-chain-ratio`.
fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

/// The argument of a setting.
fn argument(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.name)
        .long(setting.name.replace('_', "-"))
        .help(setting.help)
        .help_heading(heading(setting.section))
        .hide(setting.section == Section::Hours);
    let arg = arg.env(variable(setting));
    let arg = match setting.default {
        Some(default) => arg.default_value(default),
        None => arg,
    };
    let arg = match setting.excludes {
        Some(other) => arg.conflicts_with(other),
        None => arg,
    };
    if let Kind::Switch = setting.kind {
        let parser = BoolishValueParser::new();
        return arg.action(ArgAction::SetTrue).value_parser(parser);
    }
    let arg = arg.value_name(setting.value);
    match setting.kind {
        Kind::Number(most) => arg.value_parser(RangedU64ValueParser::<u64>::new().range(0..=most)),
        Kind::Count | Kind::Date | Kind::Text => arg,
        Kind::Decimal | Kind::Offset => arg.allow_hyphen_values(true),
        Kind::Choice(words) => arg.value_parser(one_of(&words())),
        Kind::File | Kind::Directory => arg.value_parser(ValueParser::path_buf()),
        Kind::Boolean => arg
            .value_parser(BoolishValueParser::new())
            .num_args(0..=1)
            .default_missing_value("true")
            .require_equals(true),
        Kind::Words => arg.action(ArgAction::Append).value_delimiter(','),
        Kind::Decimals => arg
            .action(ArgAction::Append)
            .value_delimiter(',')
            .allow_hyphen_values(true),
        Kind::Switch => arg,
    }
}

/// The flag of the configuration file.
fn config() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(ValueParser::path_buf())
        .help_heading(RUN)
        .help(
            "TOML file with settings; a key is a flag's name with _ for -. \
             Flags and environment variables override it",
        )
}

impl Args for EventSettings {
    fn augment_args(command: Command) -> Command {
        let of_events = SETTINGS.iter().filter(|setting| !is_of_files(setting));
        command.args(of_events.map(argument)).arg(config())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for EventSettings {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut settings = Settings::from_arg_matches(matches)?;
        // A preset has values of files for the commands that write some.
        for setting in SETTINGS.iter().filter(|setting| is_of_files(setting)) {
            settings.values.remove(setting.name);
        }
        Ok(EventSettings(settings))
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.iter().map(argument)).arg(config())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let unknown = |e: Error| clap::Error::raw(ErrorKind::UnknownArgument, e);
        let mut values = Values::default();
        let (mut environment, mut givers) = (Vec::new(), BTreeMap::new());
        for setting in SETTINGS {
            // A command may have some of the settings only.
            let Ok(Some(raw)) = matches.try_get_raw(setting.name) else {
                continue;
            };
            let words: Vec<&std::ffi::OsStr> = raw.collect();
            let text = words.join(&OsString::from(","));
            match matches.value_source(setting.name) {
                Some(ValueSource::DefaultValue) => continue,
                Some(ValueSource::EnvVariable) => {
                    let variable = variable(setting);
                    environment.push(format!("{variable}={}", text.to_string_lossy()));
                    givers.insert(setting.name, Some(variable.clone()));
                    // The systems that share these variables reduce shares that are too large.
                    if setting.variable == Some(&variable) {
                        values.reduce(setting.name).map_err(unknown)?;
                    }
                }
                _ => drop(givers.insert(setting.name, None)),
            }
            values.set(setting.name, text).map_err(unknown)?;
        }
        let file = matches.try_get_one::<PathBuf>("config");
        Ok(Settings {
            values,
            environment,
            givers,
            file: file.ok().flatten().cloned(),
        })
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Renames an error's setting to its flag.
pub(super) fn flagged(error: Error) -> Error {
    match error {
        Error::Setting {
            setting,
            problem,
            remedy,
        } if !setting.starts_with("--") => Error::Setting {
            setting: flag(&setting),
            problem,
            remedy,
        },
        other => other,
    }
}

impl Settings {
    /// Whether a setting was given by flag, environment or file.
    pub fn is_given(&self, name: &str) -> bool {
        self.values.is_given(name)
    }

    /// The files that are read, with the configuration file and those of the catalog's directory.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.file.iter().cloned().collect();
        for setting in SETTINGS {
            match (setting.kind, self.values.path(setting.name)) {
                (Kind::File, Some(path)) => files.push(path.to_path_buf()),
                (Kind::Directory, Some(path)) => files.extend(files_below(path, 1)),
                _ => {}
            }
        }
        files
    }

    /// Prints each setting that has a value, and where the value comes from, if verbose.
    pub fn tell(&self, config: &Config, names: &Names, voice: Voice) {
        if voice.is_verbose() {
            let idle = |setting: &&Setting| !self.values.is_idle(setting.name);
            for setting in SETTINGS.iter().filter(idle) {
                if let Some(text) = self.used(setting.name, config) {
                    let origin = self.origin(setting.name, names);
                    voice.more(format_args!("{} = {text}  ({origin})", setting.name));
                }
            }
        }
    }

    /// The value of a setting, as text. A share may have given way to another one.
    fn used(&self, name: &str, config: &Config) -> Option<String> {
        match name {
            "attack_chain_ratio" => Some(config.attack_chain_ratio.to_string()),
            "noise_ratio" => Some(config.noise_ratio.to_string()),
            "compression" => Some(config.compression.to_string()),
            _ => self.values.path(name).map(|it| it.display().to_string()),
        }
    }

    /// Who gave a setting.
    fn origin(&self, name: &str, names: &Names) -> String {
        let has_preset = |(of, _): &(&str, &str)| *of == name;
        match self.givers.get(name) {
            Some(Some(variable)) => format!("{variable} in the environment"),
            Some(None) => names.place(&flag(name)).unwrap_or("flag").to_string(),
            None if self.values.is_given(name) => "this command".into(),
            None if self.values.of_preset().iter().any(has_preset) => "preset".into(),
            None => "default".into(),
        }
    }

    /// Removes settings that have no effect with `command`. A note names each one that was given.
    pub fn remove_idle<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
        command: &str,
        voice: Voice,
    ) {
        for name in names {
            if self.values.remove(name) {
                voice.note(format_args!("{} has no effect with {command}", flag(name)));
            }
        }
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// There is no such setting.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        self.values.set(name, text)
    }

    /// Parses and validates the settings.
    ///
    /// # Errors
    /// The first invalid value, with its flag.
    pub fn config(&self, voice: Voice) -> Result<Config> {
        if !self.environment.is_empty() {
            let given = self.environment.join(", ");
            voice.note(format_args!("from the environment: {given}"));
        }
        let config = self.values.config().map_err(flagged)?;
        let used = |(name, text): (&str, &str)| {
            let used = self.used(name, &config);
            format!("{name}={}", used.as_deref().unwrap_or(text))
        };
        let of_preset = self.values.of_preset().into_iter();
        let of_preset: Vec<String> = of_preset.map(used).collect();
        if !of_preset.is_empty() {
            let given = of_preset.join(", ");
            voice.note(format_args!("from the preset: {given}"));
        }
        Ok(config)
    }

    /// The generator of the corpus of these settings, except that `change` changes the configuration.
    ///
    /// # Errors
    /// A setting or an input cannot be used; the setting's flag.
    pub fn generator(
        &self,
        voice: Voice,
        change: impl FnOnce(Config) -> Config,
    ) -> Result<Generator> {
        let config = change(self.config(voice)?);
        let grounding = self.grounding(voice)?;
        Generator::new(config, grounding, self.catalog()?).map_err(flagged)
    }

    /// Reads every input, and prints notes about them.
    ///
    /// # Errors
    /// The first file that cannot be used, with the reason.
    pub fn grounding(&self, voice: Voice) -> Result<Grounding> {
        let mut notes = Vec::new();
        let grounding = self.values.grounding(&mut notes);
        for note in notes {
            voice.note(note);
        }
        grounding.map_err(flagged)
    }

    /// Reads the catalog from its directory, or returns the built-in one.
    ///
    /// # Errors
    /// The first mistake in a file, with its place and a remedy.
    pub fn catalog(&self) -> Result<Catalog> {
        self.values.catalog()
    }
}

/// The files of a directory and of so many levels below it. One that cannot be read has none; the
/// catalog's reader says why.
fn files_below(directory: &Path, levels: u32) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let below = entries.flat_map(|entry| match (entry.file_type(), levels) {
        (Ok(kind), 1..) if kind.is_dir() => files_below(&entry.path(), levels - 1),
        _ => vec![entry.path()],
    });
    below.collect()
}

/// The part of `--help` about settings that are not flags.
pub fn hours_help() -> String {
    let lines = SETTINGS
        .iter()
        .filter(|s| s.section == Section::Hours)
        .map(|setting| {
            let default = setting.default.map_or(String::new(), |d| format!(" [{d}]"));
            format!("\n  {:<21} {}{default}", setting.name, setting.help)
        });
    let title = "Keys of the --config file, or environment variables in upper case with the prefix \
                 FUSIONGEN_:";
    let others: Vec<&str> = (SETTINGS.iter().filter(|s| s.section != Section::Hours))
        .filter_map(|setting| setting.variable)
        .collect();
    let without = format!(
        "\n\nThe variables {}, and those of these keys, are also read without the prefix.",
        others.join(", ")
    );
    (std::iter::once(title.to_string()).chain(lines))
        .chain([without])
        .collect()
}

//! `fusiongen sample`: prints a few events as formatted JSON, without generating a corpus.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::generate::generator;
use super::layers::Names;
use super::output;
use super::settings::{EventSettings, flagged};
use super::stream::unsplit;
use super::voice::Voice;
use crate::error::{Error, Result};
use crate::generator::{Page, Sampling, System};

/// The platform that recorded an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    Windows,
    Linux,
    Cloud,
    Saas,
}

/// Help of the settings that choose attacks, which also choose the events that are printed.
const PLAYBOOK: &str = "Run only these playbooks and, without --host, print only their events, step by step; \
                        `fusiongen list playbooks` prints the names";
const TECHNIQUE: &str = "Run only playbooks with a step of one of these ATT&CK techniques and, without --host, print \
                         only their events, step by step";

/// Arguments of `sample`.
#[derive(Debug, Args)]
#[command(mut_arg("playbook", |arg| arg.help(PLAYBOOK)))]
#[command(mut_arg("technique", |arg| arg.help(TECHNIQUE)))]
pub struct Sample {
    #[command(flatten)]
    settings: EventSettings,
    /// Number of events to print
    #[arg(
        short = 'n',
        default_value_t = 3,
        default_value_if("host", clap::builder::ArgPredicate::IsPresent, "1000"),
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
        help_heading = "Choice"
    )]
    number: u64,
    /// Only this category
    #[arg(long, value_name = "CATEGORY", help_heading = "Choice")]
    category: Option<String>,
    /// Only events from this platform
    #[arg(long, help_heading = "Choice")]
    platform: Option<Family>,
    /// A page of this host's events: a line for each, in the order of its logs
    ///
    /// The page begins at ten o'clock by local time on the first working day.
    #[arg(long, value_name = "HOST", help_heading = "Choice")]
    host: Option<String>,
    /// Length of the page of --host
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        requires = "host",
        value_parser = clap::value_parser!(u32).range(1..=1440),
        help_heading = "Choice"
    )]
    minutes: u32,
    #[command(flatten, next_help_heading = "Run")]
    voice: Voice,
}

impl From<Family> for System {
    fn from(family: Family) -> Self {
        match family {
            Family::Windows => System::Windows,
            Family::Linux => System::Linux,
            Family::Cloud => System::Cloud,
            Family::Saas => System::Saas,
        }
    }
}

impl Sample {
    pub fn run(&self, names: &Names) -> Result<()> {
        let (settings, voice) = (&self.settings.0, self.voice);
        let config = settings.config(voice)?;
        settings.tell(&config, names, voice);
        let generator = generator(settings, unsplit(config), true, voice)?;
        let wanted = Sampling {
            number: usize::try_from(self.number).unwrap_or(usize::MAX),
            category: self.category.clone(),
            system: self.platform.map(System::from),
            playbook: None,
            attacks: generator.plan().config.chooses_attacks(),
            page: self.host.as_ref().map(|host| Page {
                host: host.clone(),
                minutes: self.minutes,
            }),
        };
        let events = voice.timed("made the events", || generator.sample(&wanted));
        let events = events.map_err(flagged)?;
        if events.is_empty() {
            return Err(Error::setting(
                "sample",
                "no event of this corpus matches",
                match self.host {
                    Some(_) => "give more --minutes or --events, or another --host",
                    None => {
                        "omit --category, --platform, --playbook or --technique, or give more --events"
                    }
                },
            ));
        }
        if self.host.is_some() {
            let lines: Vec<String> = events.iter().map(line).collect();
            return output::print(&(lines.join("\n") + "\n"));
        }
        let texts: Vec<String> = (events.iter())
            .map(|event| serde_json::to_string_pretty(event).unwrap_or_default())
            .collect();
        output::print(&(texts.join("\n") + "\n"))
    }
}

/// What a record is about: the first of these that it has, each with its second half.
const SUBJECTS: [(&str, &str); 14] = [
    ("/winlog/event_data/CommandLine", ""),
    (
        "/winlog/event_data/TargetObject",
        "/winlog/event_data/Details",
    ),
    ("/winlog/event_data/TargetFilename", ""),
    ("/winlog/event_data/ImageLoaded", ""),
    (
        "/winlog/event_data/QueryName",
        "/winlog/event_data/QueryResults",
    ),
    (
        "/winlog/event_data/DestinationIp",
        "/winlog/event_data/DestinationPort",
    ),
    ("/winlog/event_data/PipeName", ""),
    (
        "/winlog/event_data/TargetImage",
        "/winlog/event_data/GrantedAccess",
    ),
    (
        "/winlog/event_data/TargetUserName",
        "/winlog/event_data/LogonType",
    ),
    ("/process/command_line", ""),
    ("/message", ""),
    ("/file/path", ""),
    ("/destination/ip", "/destination/port"),
    ("/rule/name", ""),
];

/// An event as a line: when, what kind, which process, and what it is about.
fn line(event: &Map<String, Value>) -> String {
    let event = Value::Object(event.clone());
    let text = |path: &str| match event.pointer(path) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let native = text("/winlog/event_data/UtcTime").map(|utc| utc.replacen(' ', "T", 1));
    let time = native.or_else(|| text("/@timestamp")).unwrap_or_default();
    let time = time
        .split('T')
        .nth(1)
        .unwrap_or(&time)
        .trim_end_matches('Z');
    let code = text("/event/code").or_else(|| text("/auditd/type"));
    let process = text("/process/name").unwrap_or_default();
    let pid = text("/process/pid").unwrap_or_default();
    let subject = SUBJECTS.iter().find_map(|(first, second)| {
        let first = text(first)?;
        let second = text(second).filter(|_| !second.is_empty());
        Some(second.map_or(first.clone(), |second| format!("{first} = {second}")))
    });
    let mark = text("/rule/name").map_or(String::new(), |rule| format!("  [{rule}]"));
    format!(
        "{time:<15} {:>6} {pid:>6} {process:<24} {}{mark}",
        code.unwrap_or_default(),
        subject.unwrap_or_default(),
    )
}

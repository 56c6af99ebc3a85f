//! `fusiongen sample`: prints a few events as formatted JSON, without generating a corpus.

use clap::{Args, ValueEnum};

use super::output;
use super::settings::{EventSettings, flagged};
use super::stream::unsplit;
use crate::error::{Error, Result};
use crate::generator::{Generator, Sampling, System};

/// The platform that recorded an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    Windows,
    Linux,
    Cloud,
    Saas,
}

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub struct Sample {
    #[command(flatten)]
    settings: EventSettings,
    /// Number of events to print
    #[arg(
        short = 'n',
        default_value_t = 3,
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
    /// Only attacks with this playbook, step by step
    #[arg(long, value_name = "PLAYBOOK", help_heading = "Choice")]
    playbook: Option<String>,
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
    pub fn run(&self) -> Result<()> {
        let settings = &self.settings.0;
        let config = unsplit(settings.config()?);
        let grounding = settings.grounding()?;
        let generator = Generator::new(config, grounding, settings.catalog()?);
        let wanted = Sampling {
            number: usize::try_from(self.number).unwrap_or(usize::MAX),
            category: self.category.clone(),
            system: self.platform.map(System::from),
            playbook: self.playbook.clone(),
        };
        let events = generator.sample(&wanted).map_err(flagged)?;
        if events.is_empty() {
            return Err(Error::setting(
                "sample",
                "no event of this corpus matches",
                "omit --category, --platform or --playbook, or give more --events",
            ));
        }
        let texts: Vec<String> = (events.iter())
            .map(|event| serde_json::to_string_pretty(event).unwrap_or_default())
            .collect();
        output::print(&(texts.join("\n") + "\n"))
    }
}

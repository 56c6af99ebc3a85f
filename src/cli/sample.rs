//! `fusiongen sample`: a few events, at once, as pretty JSON.

use clap::{Args, ValueEnum};

use super::output;
use super::settings::{Settings, flagged};
use crate::error::{Error, Result};
use crate::generator::{Generator, Sampling, System};
use crate::plan::Config;

/// Where an event was recorded.
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
    settings: Settings,
    /// Events to print
    #[arg(
        short = 'n',
        default_value_t = 3,
        value_name = "N",
        help_heading = "Choice"
    )]
    number: usize,
    /// Only this category
    #[arg(long, value_name = "CATEGORY", help_heading = "Choice")]
    category: Option<String>,
    /// Only events of this platform
    #[arg(long, help_heading = "Choice")]
    platform: Option<Family>,
    /// Only attacks of this playbook, step by step
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
        // Cuts change no row, and a plan without them is made at once.
        let config = Config {
            row_group_rows: u64::MAX,
            shard_rows: u64::MAX,
            ..self.settings.config()?
        };
        let grounding = self.settings.grounding()?;
        let generator = Generator::new(config, grounding, self.settings.catalog()?);
        let wanted = Sampling {
            number: self.number,
            category: self.category.clone(),
            system: self.platform.map(System::from),
            playbook: self.playbook.clone(),
        };
        let events = generator.sample(&wanted).map_err(flagged)?;
        if events.is_empty() && self.number > 0 {
            return Err(Error::setting(
                "sample",
                "no event of this corpus was found that fits",
                "take --category, --platform or --playbook off, or give more --events",
            ));
        }
        let texts: Vec<String> = (events.iter())
            .map(|event| serde_json::to_string_pretty(event).unwrap_or_default())
            .collect();
        output::print(&(texts.join("\n") + "\n"))
    }
}

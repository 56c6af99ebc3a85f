//! Settings and inputs of a generator.

use chrono::NaiveDate;

use super::Generator;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::grounding::{Asset, Profile, User};
use crate::plan::config::{Labels, SchemaName};
use crate::plan::{Config, Grounding};
use crate::settings::Values;
use crate::world::hosts::reporting;

/// Collects the settings and inputs of a [`Generator`]; each has a default.
#[derive(Debug, Clone, Default)]
#[must_use = "a builder makes nothing before `build`"]
pub struct Builder {
    config: Config,
    profile: Option<Profile>,
    users: Option<Vec<User>>,
    assets: Option<Vec<Asset>>,
    catalog: Option<Catalog>,
    /// A preset that does not exist.
    unknown: Option<String>,
}

impl Builder {
    /// Sets all settings at once. The methods named after a setting change one of them.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sets all settings at once, to those of a preset: `seed`, `soc`, `detections` or `stress`
    /// (`docs/choosing.md`). Methods that follow change one of them.
    ///
    /// ```
    /// use fusiongen::Generator;
    ///
    /// let generator = Generator::builder().preset("soc").events(5_000).days(1).build()?;
    /// let config = &generator.plan().config;
    /// assert_eq!((config.events, config.noise_ratio.to_string()), (5_000, "0.94".into()));
    ///
    /// let unknown = Generator::builder().preset("sock").build().unwrap_err();
    /// assert!(unknown.to_string().contains("did you mean soc"));
    /// # Ok::<(), fusiongen::Error>(())
    /// ```
    pub fn preset(mut self, name: &str) -> Self {
        match preset(name) {
            Ok(config) => {
                self.config = config;
                self.unknown = None;
            }
            // `build` returns the error.
            Err(_) => self.unknown = Some(name.into()),
        }
        self
    }

    /// Number of events. Default: 1,000,000.
    pub fn events(mut self, events: u64) -> Self {
        self.config.events = events;
        self
    }

    /// Length of the window in days. Default: 7.
    pub fn days(mut self, days: u32) -> Self {
        self.config.days = days;
        self
    }

    /// First day of the window, UTC. Default: 2024-08-12.
    pub fn start(mut self, date: NaiveDate) -> Self {
        self.config.start = date;
        self
    }

    /// Seed of all random choices. Default: 42.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Schema of the events. Default: `fusionai`.
    pub fn schema(mut self, schema: SchemaName) -> Self {
        self.config.schema = schema;
        self
    }

    /// Whether events have labels. Default: they have.
    pub fn labels(mut self, labels: Labels) -> Self {
        self.config.labels = labels;
        self
    }

    /// The profile that alerts are drawn from. Default: the embedded profile.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Users of a directory. Default: made-up people.
    pub fn users(mut self, users: Vec<User>) -> Self {
        self.users = Some(users);
        self
    }

    /// Assets of an inventory. Default: a made-up fleet.
    pub fn assets(mut self, assets: Vec<Asset>) -> Self {
        self.assets = Some(assets);
        self
    }

    /// Profile, users and assets at once.
    pub fn grounding(mut self, grounding: Grounding) -> Self {
        self.profile = Some(grounding.profile);
        self.users = grounding.users;
        self.assets = grounding.assets;
        self
    }

    /// Playbooks, noise and programs. Default: the embedded catalog.
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Validates the settings and builds the world and the plan.
    ///
    /// # Errors
    /// There is no such preset; a setting is out of range, or chooses what the catalog does not have; all users are disabled, no
    /// asset reports events, or the embedded catalog cannot be read.
    pub fn build(self) -> Result<Generator> {
        if let Some(name) = &self.unknown {
            preset(name)?;
        }
        self.config.validate()?;
        let nobody = |users: &Vec<User>| users.iter().all(|user| user.disabled);
        if self.users.as_ref().is_some_and(nobody) {
            return Err(Error::setting(
                "users",
                "none of the users is active",
                "give at least one user who is not disabled, or omit `users`",
            ));
        }
        if (self.assets.as_ref()).is_some_and(|assets| reporting(assets) == 0) {
            return Err(Error::setting(
                "assets",
                "none of the assets runs Windows or Linux, so no host could report events",
                "give at least one workstation or server, or omit `assets`",
            ));
        }
        let grounding = Grounding {
            profile: self.profile.unwrap_or_else(Profile::embedded),
            users: self.users,
            assets: self.assets,
        };
        let catalog = match self.catalog {
            Some(catalog) => catalog,
            None => Catalog::embedded()?,
        };
        Generator::new(self.config, grounding, catalog)
    }
}

/// The settings of a preset.
fn preset(name: &str) -> Result<Config> {
    let mut values = Values::default();
    values.set("preset", name)?;
    values.config()
}

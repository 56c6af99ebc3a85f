//! A generator and what it was made from, so that another process makes the same one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use fusiongen::corpus::to_json;
use fusiongen::grounding::{Asset, Profile, User};
use fusiongen::plan::fingerprint::CREATED_BY;
use fusiongen::plan::{Config, Grounding};
use fusiongen::settings::Values;
use fusiongen::{Error, Generator, Result};
use serde::{Deserialize, Serialize};

use crate::errors::without_flags;

/// Number of plans that a process keeps: those of a join of two corpora.
const KEPT: usize = 2;
/// Level of zstd for users and hosts.
const LEVEL: i32 = 3;

/// A plan, and the origin that it was made from. Plans with another table have the same fingerprint.
type Restored = (Vec<u8>, Arc<Planned>);

/// The plans that this process has restored, the last used one last.
static RESTORED: Mutex<Vec<Restored>> = Mutex::new(Vec::new());

/// A generator, and its inputs.
pub struct Planned {
    pub generator: Arc<Generator>,
    grounding: Grounding,
    /// The directory of the catalog.
    catalog: Option<PathBuf>,
    /// Sentences about inputs and settings.
    pub notes: Vec<String>,
}

/// What a plan is made from. Another process makes the same plan from it, without the files of
/// alerts, users and hosts.
#[derive(Serialize, Deserialize)]
struct Origin {
    /// The version that made the plan. Parquet files name the version that wrote them.
    created_by: String,
    config: Config,
    /// `None` for the built-in one.
    profile: Option<Profile>,
    users: Option<Vec<User>>,
    assets: Option<Vec<Asset>>,
    /// The directory of the catalog, which must be there.
    catalog: Option<PathBuf>,
    notes: Vec<String>,
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    let problem = format!("this is not the plan of this version: {error}");
    Error::setting("plan", problem, "use the same version in all processes")
}

impl Planned {
    /// # Errors
    /// A setting or an input cannot be used.
    pub fn new(settings: &Values) -> Result<Self> {
        let mut notes = Vec::new();
        let config = settings.config()?;
        let grounding = settings.grounding(&mut notes)?;
        let builder = Generator::builder()
            .config(config)
            .grounding(grounding.clone())
            .catalog(settings.catalog()?);
        let generator = builder.build()?;
        notes.extend(generator.plan().notices.iter().cloned());
        Ok(Planned {
            generator: Arc::new(generator),
            grounding,
            catalog: settings.path("catalog").map(Path::to_path_buf),
            notes: notes.iter().map(|note| without_flags(note)).collect(),
        })
    }

    pub fn fingerprint(&self) -> &str {
        &self.generator.plan().fingerprint
    }

    /// What the plan is made from, for [`restored`]: some hundred bytes, and users, hosts and
    /// profile if they were given.
    ///
    /// # Errors
    /// Compression.
    pub fn origin(&self) -> Result<Vec<u8>> {
        let profile = &self.grounding.profile;
        let origin = Origin {
            created_by: CREATED_BY.into(),
            config: self.generator.plan().config.clone(),
            profile: (*profile != Profile::embedded()).then(|| profile.clone()),
            users: self.grounding.users.clone(),
            assets: self.grounding.assets.clone(),
            catalog: self.catalog.clone(),
            notes: self.notes.clone(),
        };
        zstd::encode_all(&to_json(&origin)[..], LEVEL).map_err(unreadable)
    }

    fn from_origin(origin: &[u8]) -> Result<Self> {
        let text = zstd::decode_all(origin).map_err(unreadable)?;
        let origin: Origin = serde_json::from_slice(&text).map_err(unreadable)?;
        if origin.created_by != CREATED_BY {
            let made_by = origin.created_by;
            return Err(Error::setting(
                "plan",
                format!("{made_by} made it, and {CREATED_BY} may write other bytes"),
                "use the same version of fusiongen in all processes",
            ));
        }
        let mut settings = Values::default();
        if let Some(directory) = &origin.catalog {
            settings.set("catalog", directory)?;
        }
        let grounding = Grounding {
            profile: origin.profile.unwrap_or_else(Profile::embedded),
            users: origin.users,
            assets: origin.assets,
        };
        let generator = Generator::builder()
            .config(origin.config)
            .grounding(grounding.clone())
            .catalog(settings.catalog()?)
            .build()?;
        Ok(Planned {
            generator: Arc::new(generator),
            grounding,
            catalog: origin.catalog,
            notes: origin.notes,
        })
    }
}

/// The plan of an origin, which must have this fingerprint. A process makes it once, however many
/// tasks it gets, and however many of its threads ask at the same time.
///
/// # Errors
/// The plan would be another one here, another version made it, or its catalog cannot be read.
pub fn restored(fingerprint: &str, origin: &[u8]) -> Result<Arc<Planned>> {
    // Held while a plan is made, so that other threads wait for it.
    let mut restored = RESTORED.lock().unwrap_or_else(PoisonError::into_inner);
    let at = restored.iter().position(|(of, _)| of == origin);
    let planned = match at {
        Some(at) => restored.remove(at).1,
        None => {
            let surplus = (restored.len() + 1).saturating_sub(KEPT);
            restored.drain(..surplus);
            Arc::new(Planned::from_origin(origin)?)
        }
    };
    let found = planned.fingerprint();
    if found != fingerprint {
        return Err(Error::setting(
            "plan",
            format!("its fingerprint is {fingerprint}, but it would be {found} here"),
            "use the same version of fusiongen and the same catalog in all processes",
        ));
    }
    restored.push((origin.to_vec(), planned.clone()));
    Ok(planned)
}

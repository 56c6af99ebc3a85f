//! The inputs that settings name, read.

use super::Values;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::grounding::{Profile, SeverityScale, Table, alerts_db, cmdb, directory};
use crate::plan::Grounding;
use crate::world::hosts::reporting;

/// Moves a table's notes to `notes` and returns its rows.
fn rows<T>(table: Table<T>, notes: &mut Vec<String>) -> Vec<T> {
    notes.extend(table.notes);
    table.rows
}

impl Values {
    /// Reads every input. Notes about them are sentences for the user.
    ///
    /// # Errors
    /// The first file that cannot be used, with the reason.
    pub fn grounding(&self, notes: &mut Vec<String>) -> Result<Grounding> {
        self.validate()?;
        let scale: Option<SeverityScale> = self.word("severity_scale")?;
        let strict = self.is_on("strict")?;
        if scale.is_some() && self.path("alerts_db").or(self.path("profile")).is_none() {
            return Err(Error::setting(
                "severity_scale",
                "says how severities of alerts are read, but no alerts are given",
                "give an alerts database or a profile, or omit it",
            ));
        }
        let mut profile = match (self.path("alerts_db"), self.path("profile")) {
            (Some(path), _) => alerts_db::fit(path, scale)?,
            (None, Some(path)) => Profile::read(path)?,
            (None, None) => Profile::embedded(),
        };
        if let Some(scale) = scale.filter(|scale| *scale != profile.severity_scale) {
            profile.rescale(scale);
        }
        let reason = std::iter::once(&profile.severity_reason).filter(|it| !it.is_empty());
        notes.extend(reason.chain(&profile.missing).cloned());
        let users = self.path("ad_users");
        let users = users
            .map(|path| directory::read(path, strict))
            .transpose()?;
        let path = self.path("cmdb_assets");
        let assets = path.map(|path| cmdb::read(path, strict)).transpose()?;
        if let (Some(path), Some(assets)) = (path, &assets)
            && reporting(&assets.rows) == 0
        {
            return Err(Error::input(
                path,
                None,
                "none of the assets runs Windows or Linux, so no host could report events",
                "add at least one workstation or server, or omit --cmdb-assets",
            ));
        }
        Ok(Grounding {
            profile,
            users: users.map(|table| rows(table, notes)),
            assets: assets.map(|table| rows(table, notes)),
        })
    }

    /// Reads the catalog from its directory, or returns the built-in one.
    ///
    /// # Errors
    /// The first mistake in a file, with its place and a remedy.
    pub fn catalog(&self) -> Result<Catalog> {
        match self.path("catalog") {
            Some(dir) => Catalog::read(dir),
            None => Catalog::embedded(),
        }
    }
}

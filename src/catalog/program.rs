//! Executables, and the processes that run them.

use super::place::HostClass;
use super::record::AccountRef;
use super::template::Template;
use crate::ids::ImageId;
use crate::kinds::Platform;

/// An executable file with its version resource (Windows) or its `comm` (Linux).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Short key that other catalog files use: `powershell`.
    pub key: String,
    pub platform: Platform,
    /// Full path; contains `{user}` for per-user installs.
    pub path: Template,
    /// Sysmon's version resource fields; `-` where the file has none.
    pub file_version: FileVersion,
    pub description: String,
    pub product: String,
    pub company: String,
    pub original_file_name: String,
}

/// The file version of an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileVersion {
    /// Ships with Windows: the build of the host's operating system.
    Windows,
    /// A separate product: this version.
    Fixed(String),
    /// No version resource: `-`.
    None,
}

/// How long a resident lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// From boot to boot.
    Boot,
    /// From an interactive logon to the next.
    Session,
}

/// A process that runs all the time: one per host and boot, or per host and logon.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Key that records and programs refer to: `dnscache`, `explorer`.
    pub key: String,
    pub image: ImageId,
    pub scope: Scope,
    pub platform: Platform,
    /// Hosts it runs on.
    pub hosts: HostClass,
    pub account: AccountRef,
    pub command: Template,
    /// Index of the parent resident; always an earlier one.
    pub parent: Option<usize>,
    /// Started this many seconds after boot or logon; at most 500, not less than its parent's.
    pub delay: u32,
    /// Service ports that it opens connections to; Linux.
    pub connects: Vec<u16>,
    /// Whether it is the sensor, which has no records of its own activity.
    pub is_sensor: bool,
}

/// Lifetime class of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// 1–120 s.
    Seconds,
    /// 2–50 min.
    Minutes,
    /// 1–7 h.
    Hours,
}

/// A program of ordinary process life.
#[derive(Debug, Clone)]
pub struct Program {
    pub image: ImageId,
    pub platform: Platform,
    pub hosts: HostClass,
    pub lifetime: Lifetime,
    pub account: AccountRef,
    /// The resident that starts it: index into `Catalog::residents`.
    pub parent: usize,
    pub weight: u32,
    /// Command lines; one is drawn per start.
    pub commands: Vec<Template>,
    /// Working directory.
    pub directory: Template,
    /// Service ports that it opens connections to; Linux.
    pub connects: Vec<u16>,
}

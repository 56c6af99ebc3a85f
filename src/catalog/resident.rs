//! Resolves residents and programs: the processes of ordinary life.

use super::lookup::{check_integrity, find_image, find_resident, weight};
use super::place::HostClass;
use super::program::{Image, Lifetime, Program, Resident, Scope};
use super::raw;
use super::source::{Source, Text};
use super::template::{Placeholder, Template};
use super::words::TomlWord;
use crate::error::Result;
use crate::kinds::Platform;

/// Maximum number of residents: each reserves some process ids on every host.
pub const MOST_RESIDENTS: usize = 96;

/// Maximum delay of a resident's start after boot or logon, in seconds, on a machine of usual pace.
const LATEST_START: u32 = 390;

/// Residents that the code refers to by key.
const NEEDED: [&str; 9] = [
    "system", "services", "lsass", "dnscache", "sysmon", "explorer", "systemd", "sshd", "bash",
];

impl TomlWord for Scope {
    const WHAT: &'static str = "scope";
    const WORDS: &'static [(&'static str, Self)] =
        &[("boot", Scope::Boot), ("session", Scope::Session)];
}

impl TomlWord for Lifetime {
    const WHAT: &'static str = "lifetime";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("seconds", Lifetime::Seconds),
        ("minutes", Lifetime::Minutes),
        ("hours", Lifetime::Hours),
    ];
}

impl TomlWord for super::scenario::Visit {
    const WHAT: &'static str = "visit";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("round_robin", Self::RoundRobin),
        ("active", Self::Active),
        ("any", Self::Any),
    ];
}

impl TomlWord for super::scenario::Verdict {
    const WHAT: &'static str = "benign verdict";
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::BenignTrigger.word(), Self::BenignTrigger),
        (Self::BenignSuspicious.word(), Self::BenignSuspicious),
        (Self::Benign.word(), Self::Benign),
    ];
}

/// The platform of a host class; if it has both platforms, that of the image.
fn platform(source: &Source, image: &Text, hosts: HostClass, images: &[Image]) -> Result<Platform> {
    let known = images.iter().find(|known| known.key == *image.get_ref());
    let platform = hosts
        .platform()
        .or(known.map(|image| image.platform))
        .unwrap_or(Platform::Windows);
    find_image(source, image, platform, images)?;
    Ok(platform)
}

/// Compiles a text of a process outside chains and connections.
fn plain(source: &Source, text: &Text) -> Result<Template> {
    let template = source.template(text)?;
    let stray = template.placeholders().any(|placeholder| {
        placeholder.is_of_a_chain()
            || matches!(
                placeholder,
                Placeholder::ChainHost(_)
                    | Placeholder::ChainHostIp(_)
                    | Placeholder::SourceIp
                    | Placeholder::DestinationIp
                    | Placeholder::SourcePort
            )
    });
    if stray {
        return Err(source.error_at(
            text,
            format!(
                "a placeholder that only chains or connections have: {:?}",
                text.get_ref()
            ),
            "remove it; residents and programs have neither",
        ));
    }
    Ok(template)
}

pub(super) fn residents(source: &Source, images: &[Image]) -> Result<Vec<Resident>> {
    let file: raw::ResidentsFile = source.parse()?;
    source.unique("resident", file.resident.iter().map(|r| &r.key))?;
    if let Some(raw) = file.resident.get(MOST_RESIDENTS) {
        return Err(source.error_at(
            &raw.key,
            format!("the file has {} residents", file.resident.len()),
            format!("make some of them programs; the maximum is {MOST_RESIDENTS}"),
        ));
    }
    let mut residents: Vec<Resident> = Vec::new();
    for raw in &file.resident {
        let hosts: HostClass = source.word(&raw.hosts)?;
        let platform = platform(source, &raw.image, hosts, images)?;
        let scope: Scope = source.word(&raw.scope)?;
        let delay = *raw.delay.get_ref();
        let parent = match &raw.parent {
            None => None,
            Some(key) => {
                let later = file
                    .resident
                    .iter()
                    .any(|other| other.key.get_ref() == key.get_ref());
                if later
                    && !residents
                        .iter()
                        .any(|earlier| earlier.key == *key.get_ref())
                {
                    return Err(source.error_at(
                        key,
                        format!("parent {} is not defined above its child", key.get_ref()),
                        "move the parent up; a cycle of parents is not allowed",
                    ));
                }
                Some(find_resident(source, key, key.get_ref(), &residents)?)
            }
        };
        if delay > LATEST_START {
            return Err(source.error_at(
                &raw.delay,
                format!("the delay is {delay} s"),
                format!("use at most {LATEST_START}"),
            ));
        }
        if let (Some(index), Some(key)) = (parent, &raw.parent) {
            let parent = &residents[index];
            if parent.platform != platform || !parent.hosts.covers(hosts, platform) {
                return Err(source.error_at(
                    key,
                    format!(
                        "{} does not run on every host of {}",
                        parent.key,
                        raw.hosts.get_ref()
                    ),
                    "choose a parent that does",
                ));
            }
            if scope == Scope::Boot && parent.scope == Scope::Session {
                return Err(source.error_at(
                    key,
                    format!(
                        "parent {} ends with the session, but its child runs until shutdown",
                        parent.key
                    ),
                    "choose a parent with scope boot",
                ));
            }
            if scope == parent.scope && delay < parent.delay {
                return Err(source.error_at(
                    &raw.delay,
                    format!(
                        "the resident starts before its parent {} ({} s)",
                        parent.key, parent.delay
                    ),
                    "use a delay of at least the parent's",
                ));
            }
        }
        residents.push(Resident {
            key: raw.key.get_ref().clone(),
            image: find_image(source, &raw.image, platform, images)?,
            scope,
            platform,
            hosts,
            account: source.account(&raw.account)?,
            command: plain(source, &raw.command)?,
            parent,
            delay,
            connects: raw.connects.clone(),
            is_sensor: raw.key.get_ref() == "sysmon",
        });
    }
    check_needed(source, &file, &residents)?;
    Ok(residents)
}

/// Checks that the kernel comes first and that no resident in [`NEEDED`] is missing.
fn check_needed(source: &Source, file: &raw::ResidentsFile, residents: &[Resident]) -> Result<()> {
    if let Some(missing) = NEEDED
        .iter()
        .find(|key| !residents.iter().any(|resident| resident.key == **key))
    {
        return Err(source.error(
            0,
            format!("no resident {missing:?}"),
            "add it; connections, logons and sessions refer to it",
        ));
    }
    let first_linux = residents
        .iter()
        .position(|resident| resident.platform == Platform::Linux);
    for (key, index) in [("system", Some(0)), ("systemd", first_linux)] {
        if let Some(index) = index
            && residents[index].key != key
        {
            return Err(source.error_at(
                &file.resident[index].key,
                format!("{key:?} must come before this resident"),
                format!("make {key:?} the first of its platform; it has the first process id"),
            ));
        }
    }
    Ok(())
}

pub(super) fn programs(
    source: &Source,
    images: &[Image],
    residents: &[Resident],
) -> Result<Vec<Program>> {
    let file: raw::ProgramsFile = source.parse()?;
    let mut programs = Vec::new();
    for raw in &file.program {
        let hosts: HostClass = source.word(&raw.hosts)?;
        let platform = platform(source, &raw.image, hosts, images)?;
        if platform != Platform::Linux {
            return Err(source.error_at(
                &raw.image,
                "programs are for Linux",
                "write a routine in routines.toml: it says what the program does and when it ends",
            ));
        }
        let parent = find_resident(source, &raw.parent, raw.parent.get_ref(), residents)?;
        let runs = residents[parent].platform == platform
            && residents[parent].hosts.covers(hosts, platform);
        if !runs {
            return Err(source.error_at(
                &raw.parent,
                format!("{} does not run on every host of {}", raw.parent, raw.hosts),
                "choose a parent that does, or fewer hosts",
            ));
        }
        if raw.commands.is_empty() {
            return Err(source.error_at(
                &raw.image,
                "the program has no command line",
                "add one to `commands`",
            ));
        }
        let account = source.account(&raw.account)?;
        check_integrity(source, raw.integrity.as_ref(), platform)?;
        programs.push(Program {
            image: find_image(source, &raw.image, platform, images)?,
            platform,
            hosts,
            lifetime: source.word(&raw.lifetime)?,
            account,
            parent,
            weight: weight(source, &raw.weight)?,
            commands: raw
                .commands
                .iter()
                .map(|command| plain(source, command))
                .collect::<Result<_>>()?,
            directory: plain(source, &raw.directory)?,
            connects: raw.connects.clone(),
        });
    }
    for lifetime in Lifetime::WORDS.iter().map(|(_, lifetime)| *lifetime) {
        if !programs.iter().any(|program| program.lifetime == lifetime) {
            return Err(source.error(
                0,
                format!("no program of lifetime {lifetime:?}"),
                "add one; each lifetime is a population of its own",
            ));
        }
    }
    Ok(programs)
}

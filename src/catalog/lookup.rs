//! Lookup of names across the catalog's files, and checks of single values.

use toml::Spanned;

use super::attack::Technique;
use super::category::Category;
use super::program::{Image, Resident};
use super::record::{AccountRef, INTEGRITY_LEVELS};
use super::source::{Source, Text};
use super::template::Template;
use crate::error::Result;
use crate::ids::ImageId;
use crate::kinds::Platform;

/// Indices of a technique and one of its tactics, by default the first.
pub(super) fn find_technique(
    source: &Source,
    techniques: &[Technique],
    id: &Text,
    tactic: Option<&Text>,
) -> Result<(usize, usize)> {
    let Some(index) = techniques.iter().position(|t| t.id == *id.get_ref()) else {
        return Err(source.error_at(
            id,
            format!("unknown technique {:?}", id.get_ref()),
            "use an id from attack.toml; make_attack.py adds the techniques that the catalog uses",
        ));
    };
    let Some(tactic) = tactic else {
        return Ok((index, 0));
    };
    let tactics = &techniques[index].tactics;
    match tactics.iter().position(|known| known == tactic.get_ref()) {
        Some(position) => Ok((index, position)),
        None => Err(source.error_at(
            tactic,
            format!("{} is not a tactic of {}", tactic.get_ref(), id.get_ref()),
            format!("use one of {}", tactics.join(", ")),
        )),
    }
}

/// Checks that the technique exists on one of these ATT&CK platforms, or precedes any host (PRE).
pub(super) fn check_platform(
    source: &Source,
    at: &Text,
    technique: &Technique,
    names: &[&str],
) -> Result<()> {
    let fits = |known: &String| names.contains(&known.as_str()) || known == "PRE";
    if technique.platforms.iter().any(fits) {
        return Ok(());
    }
    Err(source.error_at(
        at,
        format!("{} does not exist on {}", technique.id, names.join(" or ")),
        format!("ATT&CK lists {}", technique.platforms.join(", ")),
    ))
}

/// Index of the category of this name.
pub(super) fn find_category(
    source: &Source,
    name: &Text,
    categories: &[Category],
) -> Result<usize> {
    categories
        .iter()
        .position(|category| category.name == *name.get_ref())
        .ok_or_else(|| {
            source.error_at(
                name,
                format!("unknown category {:?}", name.get_ref()),
                "use a `name` from categories.toml, or add one there",
            )
        })
}

/// A weight, which must not be 0: something has to be drawn from the list.
pub(super) fn weight(source: &Source, weight: &Spanned<u32>) -> Result<u32> {
    match *weight.get_ref() {
        0 => Err(source.error_at(
            weight,
            "the weight is 0",
            "remove the entry, or give it a weight of at least 1",
        )),
        weight => Ok(weight),
    }
}

/// Index of the resident with this key.
pub(super) fn find_resident(
    source: &Source,
    at: &Text,
    key: &str,
    residents: &[Resident],
) -> Result<usize> {
    residents
        .iter()
        .position(|resident| resident.key == key)
        .ok_or_else(|| {
            source.error_at(
                at,
                format!("unknown resident {key:?}"),
                "use the key of a resident in residents.toml, or add one there",
            )
        })
}

/// The image with this key, which must belong to the platform.
pub(super) fn find_image(
    source: &Source,
    key: &Text,
    platform: Platform,
    images: &[Image],
) -> Result<ImageId> {
    let Some(index) = images.iter().position(|image| image.key == *key.get_ref()) else {
        return Err(source.error_at(
            key,
            format!("unknown image {:?}", key.get_ref()),
            "use the key of an image in images.toml, or add one there",
        ));
    };
    if images[index].platform != platform {
        return Err(source.error_at(
            key,
            format!("image {:?} belongs to the other platform", key.get_ref()),
            format!(
                "choose an image under `{}`",
                platform.attack_name().to_lowercase()
            ),
        ));
    }
    Ok(ImageId::new(index))
}

/// Checks a path of the platform: `C:\…`, `\\server\…` or `/…`. The path of the Windows kernel is
/// literally `System`.
pub(super) fn check_path(source: &Source, text: &Text, platform: Platform) -> Result<()> {
    let path = text.get_ref();
    let fits = match platform {
        Platform::Windows => {
            path == "System"
                || path.starts_with(r"\\")
                || (path.get(1..3) == Some(r":\") && path.as_bytes()[0].is_ascii_uppercase())
        }
        Platform::Linux => path.starts_with('/'),
    };
    if fits {
        return Ok(());
    }
    Err(source.error_at(
        text,
        format!("{path:?} is not a full path"),
        r"use C:\… on Windows, /… on Linux",
    ))
}

/// Checks a Sysmon integrity level, which only Windows has.
pub(super) fn check_integrity(
    source: &Source,
    word: Option<&Text>,
    platform: Platform,
) -> Result<()> {
    let Some(word) = word else { return Ok(()) };
    if platform == Platform::Windows && INTEGRITY_LEVELS.contains(&word.get_ref().as_str()) {
        return Ok(());
    }
    Err(source.error_at(
        word,
        format!("unknown integrity level {:?}", word.get_ref()),
        format!(
            "use one of {} on Windows; omit it on Linux",
            INTEGRITY_LEVELS.join(", ")
        ),
    ))
}

/// The default integrity level of an account's processes.
pub(super) fn default_integrity(platform: Platform, account: &AccountRef) -> &'static str {
    match (platform, account) {
        (Platform::Linux, _) => "-",
        (_, AccountRef::User) => "Medium",
        (_, AccountRef::Admin | AccountRef::Service(_)) => "High",
        _ => "System",
    }
}

/// The default working directory of an account's processes.
pub(super) fn default_directory(platform: Platform, account: &AccountRef) -> Template {
    let text = match (platform, account) {
        (Platform::Windows, AccountRef::User | AccountRef::Admin) => r"C:\Users\{user}\",
        (Platform::Windows, _) => r"C:\Windows\system32\",
        (Platform::Linux, AccountRef::User | AccountRef::Admin) => "/home/{user}",
        (Platform::Linux, _) => "/",
    };
    Template::parse(text).unwrap_or_else(|_| Template::literal(text))
}

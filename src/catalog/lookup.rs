//! References between the catalog's files, and the forms of single values.

use super::program::{Image, Resident};
use super::record::{Account, Platform};
use super::source::{Source, Text};
use super::template::Template;
use crate::Result;

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
                "write the key of a resident of residents.toml, or add it there",
            )
        })
}

/// Index of the image with this key, if it is of that platform.
pub(super) fn find_image(
    source: &Source,
    key: &Text,
    platform: Platform,
    images: &[Image],
) -> Result<usize> {
    let Some(index) = images.iter().position(|image| image.key == *key.get_ref()) else {
        return Err(source.error_at(
            key,
            format!("unknown image {:?}", key.get_ref()),
            "write the key of an image of images.toml, or add it there",
        ));
    };
    if images[index].platform != platform {
        return Err(source.error_at(
            key,
            format!("image {:?} is of the other platform", key.get_ref()),
            format!(
                "choose an image under `{}`",
                platform.attack_name().to_lowercase()
            ),
        ));
    }
    Ok(index)
}

/// A path of that platform: `C:\…`, `\\server\…` or `/…`; the kernel's is literally `System`.
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
        r"write C:\… on Windows, /… on Linux",
    ))
}

/// Sysmon's integrity levels on Windows, `-` on Linux.
pub(super) fn check_integrity(
    source: &Source,
    word: Option<&Text>,
    platform: Platform,
) -> Result<()> {
    let Some(word) = word else { return Ok(()) };
    let known = ["Low", "Medium", "High", "System", "AppContainer"];
    if platform == Platform::Windows && known.contains(&word.get_ref().as_str()) {
        return Ok(());
    }
    Err(source.error_at(
        word,
        format!("unknown integrity level {:?}", word.get_ref()),
        format!(
            "write one of {} on Windows, nothing on Linux",
            known.join(", ")
        ),
    ))
}

/// The integrity level an account's processes start with.
pub(super) fn default_integrity(platform: Platform, account: &Account) -> &'static str {
    match (platform, account) {
        (Platform::Linux, _) => "-",
        (_, Account::User) => "Medium",
        (_, Account::Admin | Account::Service(_)) => "High",
        _ => "System",
    }
}

/// Where an account's processes start.
pub(super) fn default_directory(platform: Platform, account: &Account) -> Template {
    let text = match (platform, account) {
        (Platform::Windows, Account::User | Account::Admin) => r"C:\Users\{user}\",
        (Platform::Windows, _) => r"C:\Windows\system32\",
        (Platform::Linux, Account::User | Account::Admin) => "/home/{user}",
        (Platform::Linux, _) => "/",
    };
    Template::parse(text).unwrap_or_else(|_| Template::literal(text))
}

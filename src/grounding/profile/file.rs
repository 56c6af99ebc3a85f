//! The profile as a file: the embedded one, reading, writing, its digest.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use super::*;

const EMBEDDED: &str = include_str!("../../../data/profile/default.json");

const FLAG: &str = "--profile";

/// Remedy for an invalid profile.
const FIT_AGAIN: &str = "fit it again: fusiongen profile --alerts-db F -o profile.json";

impl Profile {
    /// The built-in default: figures of real alerts and of endpoint detections, without
    /// addresses except multicast (`data/profile/README.md`).
    #[expect(clippy::expect_used, reason = "our own file, which a test reads")]
    pub fn embedded() -> Profile {
        serde_json::from_str(EMBEDDED).expect("data/profile/default.json is a profile")
    }

    /// Reads a profile from a JSON file, validates it and sorts it into canonical order.
    ///
    /// # Errors
    /// [`Error::Input`] for a missing file, broken or truncated JSON (with the line),
    /// another version, or content that [`Profile::validate`] refuses; [`Error::Io`]
    /// if the file cannot be read.
    pub fn read(path: &Path) -> Result<Profile> {
        Profile::parse(path, &crate::grounding::read_file(path, FLAG)?)
    }

    /// As [`read`](Profile::read), from the contents of the file.
    ///
    /// # Errors
    /// As `read`.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Profile> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        check_version(path, bytes)?;
        let mut profile: Profile =
            serde_json::from_slice(bytes).map_err(|source| json_error(path, &source))?;
        profile.validate(path)?;
        profile.sort();
        Ok(profile)
    }

    /// Writes the profile as JSON, one tuple per line. The file appears complete or not at all: it is
    /// written under another name in the same directory, then renamed.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Output`] if the path names no file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let temporary = temporary_name(path)?;
        let written = File::create(&temporary)
            .map_err(|source| Error::io(path, "create", source))
            .and_then(|mut file| {
                file.write_all(self.to_json().as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|source| Error::io(path, "write", source))
            })
            .and_then(|()| {
                fs::rename(&temporary, path).map_err(|source| Error::io(path, "rename", source))
            });
        if written.is_err() {
            // Report the first error.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// The JSON that [`Profile::write`] writes.
    pub fn to_json(&self) -> String {
        let Profile {
            version,
            rows,
            table,
            missing,
            severity_scale,
            severity_reason,
            tuples,
            external_clients,
            external_services,
            unseen_clients_ppm,
            unseen_services_ppm,
            internal_clients,
            internal_services,
            internal_client_addresses,
            internal_service_addresses,
            multicast,
            bytes,
            hours,
        } = self;
        let fields = [
            ("version", compact(version)),
            ("rows", compact(rows)),
            ("table", compact(table)),
            ("missing", compact(missing)),
            ("severity_scale", compact(severity_scale)),
            ("severity_reason", compact(severity_reason)),
            ("tuples", lines(tuples)),
            ("external_clients", compact(external_clients)),
            ("external_services", compact(external_services)),
            ("unseen_clients_ppm", compact(unseen_clients_ppm)),
            ("unseen_services_ppm", compact(unseen_services_ppm)),
            ("internal_clients", compact(internal_clients)),
            ("internal_services", compact(internal_services)),
            (
                "internal_client_addresses",
                compact(internal_client_addresses),
            ),
            (
                "internal_service_addresses",
                compact(internal_service_addresses),
            ),
            ("multicast", compact(multicast)),
            ("bytes", lines(bytes)),
            ("hours", compact(hours)),
        ];
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{\n{}\n}}\n", fields.join(",\n"))
    }

    /// BLAKE3 of the profile's canonical JSON (compact, fields in the order of the
    /// type), as 64 hexadecimal digits. Equal profiles have equal digests, whatever their source.
    pub fn digest(&self) -> String {
        blake3::hash(compact(self).as_bytes()).to_hex().to_string()
    }

    /// The same figures without addresses. Internal pools keep their counts by rank, external pools and
    /// broadcast addresses are removed, and multicast groups, which are public knowledge, remain.
    pub fn without_addresses(mut self) -> Profile {
        self.external_clients.clear();
        self.external_services.clear();
        self.internal_client_addresses.clear();
        self.internal_service_addresses.clear();
        self.multicast.retain(|(address, _)| {
            address
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_multicast())
        });
        self
    }

    /// Changes the severity scale: each severity is converted from its original value.
    pub fn rescale(&mut self, scale: SeverityScale) {
        let old = self.severity_scale;
        for tuple in &mut self.tuples {
            tuple.severity = tuple
                .severity
                .and_then(|number| scale.number(old.severity(number)?));
        }
        self.severity_scale = scale;
        self.severity_reason.clear();
        self.sort();
    }

    /// Sorts into canonical order: tuples by descending count, then by their other fields; byte
    /// tables by protocol and application.
    pub(in crate::grounding) fn sort(&mut self) {
        self.tuples.sort_by(|one, two| {
            let key = |tuple: &Tuple| (tuple.direction, tuple.service_port, tuple.spread_ports);
            two.count
                .cmp(&one.count)
                .then_with(|| one.signature.cmp(&two.signature))
                .then_with(|| one.signature_id.cmp(&two.signature_id))
                .then_with(|| one.category.cmp(&two.category))
                .then_with(|| one.severity.cmp(&two.severity))
                .then_with(|| one.protocol.cmp(&two.protocol))
                .then_with(|| one.application.cmp(&two.application))
                .then_with(|| one.action.cmp(&two.action))
                .then_with(|| key(one).cmp(&key(two)))
                .then_with(|| one.ends.cmp(&two.ends))
                .then_with(|| one.client_ports.cmp(&two.client_ports))
        });
        self.bytes.sort_by(|one, two| {
            (&one.protocol, &one.application).cmp(&(&two.protocol, &two.application))
        });
    }
}

/// Compact JSON. It cannot fail, because all keys are strings.
#[expect(clippy::expect_used, reason = "plain JSON cannot fail")]
fn compact<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a profile's fields are plain JSON")
}

/// A JSON array with one item per line.
fn lines<T: Serialize>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(compact).collect();
    match items.is_empty() {
        true => "[]".to_string(),
        false => format!("[\n{}\n]", items.join(",\n")),
    }
}

fn temporary_name(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::Output {
            path: path.to_path_buf(),
            problem: "names no file".to_string(),
            remedy: "give -o the path of the file to write, such as profile.json".to_string(),
        });
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.inprogress", std::process::id()));
    Ok(path.with_file_name(hidden))
}

/// Refuses other versions before the rest is parsed, because their fields may differ.
fn check_version(path: &Path, bytes: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    struct Head {
        version: Option<u64>,
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|source| json_error(path, &source))?;
    let (problem, remedy) = match head.version {
        Some(version) if version == u64::from(PROFILE_VERSION) => return Ok(()),
        Some(version) if version > u64::from(PROFILE_VERSION) => (
            format!(
                "is a profile of version {version}; this program knows up to {PROFILE_VERSION}"
            ),
            format!("use a newer fusiongen, or {FIT_AGAIN}"),
        ),
        Some(version) => (
            format!(
                "is a profile of the old version {version}; this program needs {PROFILE_VERSION}"
            ),
            FIT_AGAIN.to_string(),
        ),
        None => (
            "has no version, so it is not a profile".to_string(),
            format!("give {FLAG} a file that `fusiongen profile` wrote"),
        ),
    };
    Err(Error::input(path, "version".to_string(), problem, remedy))
}

fn json_error(path: &Path, source: &serde_json::Error) -> Error {
    let place = format!("line {}", source.line());
    let message = crate::grounding::shown_up_to(300, &source.to_string());
    let problem = if source.is_eof() {
        format!("the JSON ends too early: {message}")
    } else if source.is_data() {
        format!("is not a profile: {message}")
    } else {
        format!("is not JSON: {message}")
    };
    Error::input(path, place, problem, FIT_AGAIN)
}

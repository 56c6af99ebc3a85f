//! The catalog that is compiled into the program.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::Catalog;
use crate::error::{Error, Result};

/// A file of `data/catalog` by name.
macro_rules! embed {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/catalog/", $name)),
        )
    };
}

/// Name and contents: the fixed files in the digest's order, then the playbooks by name.
pub(super) const FILES: &[(&str, &str)] = &[
    embed!("attack.toml"),
    embed!("categories.toml"),
    embed!("heuristics.toml"),
    embed!("images.toml"),
    embed!("residents.toml"),
    embed!("programs.toml"),
    embed!("noise.toml"),
    embed!("routines.toml"),
    embed!("names.toml"),
    embed!("playbooks/c2_nuance.toml"),
    embed!("playbooks/cloud_cli_abuse.toml"),
    embed!("playbooks/cloud_key_abuse.toml"),
    embed!("playbooks/data_staging_exfiltration.toml"),
    embed!("playbooks/defence_evasion.toml"),
    embed!("playbooks/extended_ransomware.toml"),
    embed!("playbooks/insider_misuse.toml"),
    embed!("playbooks/kerberoasting.toml"),
    embed!("playbooks/kerberos_golden_ticket.toml"),
    embed!("playbooks/linux_crypto_miner.toml"),
    embed!("playbooks/phishing_initial_access.toml"),
    embed!("playbooks/powershell_dropper_dga.toml"),
    embed!("playbooks/psexec_lateral_movement.toml"),
    embed!("playbooks/ransomware_encryption.toml"),
    embed!("playbooks/rdp_scheduled_task.toml"),
    embed!("playbooks/saas_account_takeover.toml"),
    embed!("playbooks/smb_data_wiper.toml"),
    embed!("playbooks/sql_injection_exfiltration.toml"),
    embed!("playbooks/ssh_bruteforce_exfiltration.toml"),
    embed!("playbooks/supply_chain_abuse.toml"),
    embed!("playbooks/vpn_phishing.toml"),
    embed!("playbooks/web_shell_intrusion.toml"),
    embed!("playbooks/wmi_winrm_lateral_movement.toml"),
];

impl Catalog {
    /// Writes the files of the embedded catalog into a directory, for a change of one's own. Returns
    /// their number. The directory is read by [`Catalog::read`], with the same digest.
    ///
    /// # Errors
    /// One of the files exists, or I/O. Nothing is written if one exists.
    pub fn export(to: &Path) -> Result<usize> {
        let exists = |path: &Path| Error::Output {
            path: path.to_path_buf(),
            problem: "exists, and is not replaced".into(),
            remedy: "name another directory, or move the file away".into(),
        };
        let paths = || FILES.iter().map(|(name, _)| to.join(name));
        if let Some(there) = paths().find(|path| path.symlink_metadata().is_ok()) {
            return Err(exists(&there));
        }
        for (path, (_, text)) in paths().zip(FILES) {
            let folder = path.parent().unwrap_or(to);
            std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create", e))?;
            let file = OpenOptions::new().write(true).create_new(true).open(&path);
            let mut file = file.map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => exists(&path),
                _ => Error::io(&path, "create", error),
            })?;
            let written = file.write_all(text.as_bytes());
            written.map_err(|e| Error::io(&path, "write", e))?;
        }
        Ok(FILES.len())
    }
}

//! The catalog that is compiled into the program.

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

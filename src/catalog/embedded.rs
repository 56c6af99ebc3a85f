//! The catalog that is part of the program.

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
    embed!("names.toml"),
    embed!("playbooks/linux_crypto_miner.toml"),
    embed!("playbooks/powershell_dropper_dga.toml"),
    embed!("playbooks/psexec_lateral_movement.toml"),
    embed!("playbooks/ssh_bruteforce_exfiltration.toml"),
];

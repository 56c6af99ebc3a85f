//! What not every world has may be named in noise only.

use super::mistakes::refuses;

#[test]
fn only_noise_meets_devices() {
    refuses(
        "data_staging_exfiltration.toml",
        "to = \"class:windows\"",
        "to = \"device:printer\"",
        "only noise meets devices",
    );
    refuses(
        "heuristics.toml",
        "from = \"class:scanner\"",
        "from = \"device:network_device\"",
        "only noise meets devices",
    );
    refuses(
        "noise.toml",
        "to = \"device:printer\"",
        "to = \"device:toaster\"",
        "one of network_device, printer, hypervisor, other",
    );
}

#[test]
fn only_noise_names_disabled_users() {
    refuses(
        "kerberoasting.toml",
        "account = \"other_user\"",
        "account = \"disabled_user\"",
        "only noise names disabled users",
    );
}

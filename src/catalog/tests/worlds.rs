//! Devices and disabled users do not exist in every world, so only noise may name them.

use super::mistakes::refuses;

#[test]
fn only_noise_meets_devices() {
    refuses(
        "data_staging_exfiltration.toml",
        "to = \"class:windows\"",
        "to = \"device:printer\"",
        "devices are allowed in noise only",
    );
    refuses(
        "heuristics.toml",
        "from = \"class:scanner\"",
        "from = \"device:network_device\"",
        "devices are allowed in noise only",
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
        "disabled_user is allowed in noise only",
    );
}

# Sourced: how scripts install what a machine lacks.

# Installs Debian packages, as root or through a sudo that asks no password.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local as=()
    if [[ $(id -u) -ne 0 ]]; then
        sudo -n true 2>/dev/null || return 1
        as=(sudo -n)
    fi
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

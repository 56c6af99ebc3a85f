#!/usr/bin/env bash
# Runs all tests: the crate's own, the Python module's, then those in which other engines read a
# corpus back.
#
#   tests/run.sh [pytest arguments]      for example: tests/run.sh -k duckdb
#
# FUSIONGEN_TEST_PROFILE   cargo profile of the crate's own tests (dev)
# FUSIONGEN                a binary to test instead of target/release/fusiongen
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=.venv
readonly requirements=tests/interop/requirements.txt
readonly without_dependencies=tests/interop/requirements-no-deps.txt
profile=${FUSIONGEN_TEST_PROFILE:-dev}

say() { printf '\n== %s\n' "$*"; }
die() {
    printf 'tests/run.sh: %s\n' "$*" >&2
    exit 1
}

source tests/apt_install.sh

python_ready() {
    command -v python3 >/dev/null || die "python3 is not on PATH; install Python 3.11 or later"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$(python3 --version) is too old; the pinned packages need Python 3.11 or later"

    local wanted
    wanted=$(python3 --version && cat "$requirements" "$without_dependencies")
    if [[ -x $venv/bin/python && -f $venv/.installed && $(<"$venv/.installed") == "$wanted" ]]; then
        say "Python packages: $venv is up to date"
        return
    fi
    say "Python packages: making $venv"
    rm -rf "$venv"
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install python3-venv || die "python3 has no venv module and it could not be installed; install the package python3-venv"
    fi
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps -r "$without_dependencies"
    printf '%s\n' "$wanted" >"$venv/.installed"
}

# True where the java that Spark will find is one it runs on.
java_ready() {
    local java version
    if [[ -n ${JAVA_HOME:-} ]]; then
        java=$JAVA_HOME/bin/java
    else
        java=java
    fi
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1) || return 1
    [[ -n $version && $version -ge 17 ]]
}

spark_ready() {
    if ! java_ready; then
        say "Java for Spark: none of version 17 or later found, installing one"
        apt_install openjdk-17-jre-headless || apt_install default-jre-headless || true
        java_ready || die "Spark needs a Java runtime of version 17 or later and none could be installed; put one on PATH or set JAVA_HOME"
    fi
    say "Java for Spark: found"
}

# The report's page is opened in a browser; without one those tests are skipped, and say so.
browser_ready() {
    if ! command -v chromium chromium-browser google-chrome >/dev/null; then
        say "Browser for the report: none found, installing Chromium"
        apt_install chromium fonts-dejavu-core || true
    fi
    if command -v chromium chromium-browser google-chrome >/dev/null; then
        say "Browser for the report: found"
    else
        say "Browser for the report: none could be installed; its tests will be skipped"
    fi
}

# Recipes of docs/streams.md use them; without one its recipes are skipped, and say so.
recipes_ready() {
    local missing=()
    for tool in curl jq kcat; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if [[ ${#missing[@]} -gt 0 ]]; then
        say "Tools of recipes: installing ${missing[*]}"
        apt_install "${missing[@]}" || say "Tools of recipes: not installed; their tests will be skipped"
    fi
}

command -v cargo >/dev/null || die "cargo is not on PATH; install Rust from https://rustup.rs"

python_ready
spark_ready
browser_ready
recipes_ready

say "cargo test, profile $profile"
cargo test --workspace --profile "$profile" </dev/null

say "Python module, profile $profile"
python/test.sh

if [[ -z ${FUSIONGEN:-} ]]; then
    say "cargo build --release"
    cargo build --release </dev/null
fi

# Two at a time, because most of them wait for one thread of an engine.
say "Other engines read corpora back"
"$venv/bin/python" -m pytest -c tests/interop/pytest.ini tests/interop -n 2 --dist loadfile "$@" </dev/null

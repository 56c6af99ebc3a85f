#!/usr/bin/env bash
# Builds the wheel, installs it and tests it. tests/run.sh makes the environment.
#
#   python/test.sh [pytest arguments]
#
# FUSIONGEN_TEST_PROFILE   cargo profile of the wheel (dev, which shares crates with cargo test)
# FUSIONGEN_TEST_VENV      Python environment (.venv)
# FUSIONGEN                the program to compare with (target/debug/fusiongen, else the wheel's)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=${FUSIONGEN_TEST_VENV:-.venv}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
readonly target wheels=$target/wheels
profile=${FUSIONGEN_TEST_PROFILE:-dev}

# Corpora of the module are compared with those of the program that cargo test has built.
if [[ -z ${FUSIONGEN:-} && -x $target/debug/fusiongen ]]; then
    export FUSIONGEN=$target/debug/fusiongen
fi

rm -rf "$wheels"
"$venv/bin/maturin" build --manifest-path python/Cargo.toml --profile "$profile" --locked --out "$wheels"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-index --no-deps \
    --force-reinstall "$wheels"/fusiongen-*.whl
"$venv/bin/python" -m pytest -c python/pyproject.toml python/tests "$@" </dev/null

"""The command ``fusiongen`` of the wheel behaves as the program does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

import fusiongen
from conftest import COMMAND, FLAGS


def run(*arguments, **options):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, **options)


def test_exit_codes_and_streams(tmp_path):
    assert run("--version").stdout == f"fusiongen {fusiongen.__version__}\n"
    assert run("plan", *FLAGS).returncode == 0
    wrong = run("plan", "--days", "0")
    assert wrong.returncode == 2 and wrong.stdout == ""
    assert wrong.stderr.startswith("error: --days:")
    assert run("plan", "--evnets", "1").returncode == 2
    assert run("check", tmp_path / "absent").returncode == 2
    module = [sys.executable, "-m", "fusiongen", "--version"]
    output = subprocess.run(module, capture_output=True, text=True, check=True)
    assert output.stdout == run("--version").stdout


def test_errors_name_variables(monkeypatch):
    monkeypatch.setenv("SEED", "x")
    assert run("plan").stderr.startswith("error: SEED: 'x' cannot be used")


def test_a_closed_pipe_is_success():
    command = f"'{COMMAND}' sample {' '.join(FLAGS)} -n 2000"
    shell = ["bash", "-c", f"set -o pipefail; {command} | head -n 1"]
    output = subprocess.run(shell, capture_output=True, text=True)
    assert (output.returncode, output.stdout, output.stderr) == (0, "{\n", "")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run(sent, tmp_path):
    out = tmp_path / "corpus"
    arguments = ["generate", "--events", "5M", "--no-progress", "--out", out]
    process = subprocess.Popen([COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    while not out.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + sent, errors
    assert "run the same command again" in errors
    assert not (out / "_SUCCESS").exists()


def test_ctrl_c_ends_what_writes_nothing():
    arguments = ["sample", "--events", "1M", "-n", "200000"]
    process = subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL)
    # After the imports, in the program itself.
    time.sleep(1)
    assert process.poll() is None, "the sample is too small for this test"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == -signal.SIGINT

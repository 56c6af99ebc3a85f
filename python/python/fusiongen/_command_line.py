"""The command ``fusiongen``: the program of the Rust crate, in the library of the wheel."""

from __future__ import annotations

import signal
import sys

from fusiongen._native import command_line


def main() -> None:
    """Runs the program with the arguments of the process, and ends the process."""
    # Python's handler would only note the signal, and run once the program has returned.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(command_line(["fusiongen", *sys.argv[1:]]))

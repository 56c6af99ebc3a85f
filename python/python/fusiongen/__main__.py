"""``python -m fusiongen`` is the command ``fusiongen``."""

from fusiongen._command_line import main

main()

"""The exceptions of fusiongen."""

from __future__ import annotations


class Error(Exception):
    """Something went wrong: ``message`` is what and where, ``remedy`` what to do about it."""

    message: str
    remedy: str | None

    def __init__(self, message: str, remedy: str | None = None) -> None:
        # All arguments, so that an error can be pickled.
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message if self.remedy is None else f"{self.message}\n  {self.remedy}"


class SettingError(Error, ValueError):
    """A setting or an argument has a value that cannot be used; ``setting`` is its name."""

    setting: str
    problem: str

    def __init__(self, setting: str, problem: str, remedy: str) -> None:
        super().__init__(f"{setting}: {problem}", remedy)
        self.args = (setting, problem, remedy)
        self.setting = setting
        self.problem = problem

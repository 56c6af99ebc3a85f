"""Progress of long calls, in terminals and notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

#: A function that is called with the rows that are done and the total.
Callback = Callable[[int, int], object]


class Display(Protocol):
    """Shows progress until it is closed."""

    def update(self, done: int) -> None: ...

    def close(self) -> None: ...


class _Called:
    """Calls a function of the user whenever there is progress."""

    def __init__(self, callback: Callback, total: int) -> None:
        self._callback = callback
        self._total = total
        self._done = -1

    def update(self, done: int) -> None:
        if done != self._done:
            self._done = done
            self._callback(done, self._total)

    def close(self) -> None:
        pass


class _Clock:
    """Text about progress: events, events per second, time to go."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._began = time.monotonic()

    def text(self, done: int) -> str:
        seconds = time.monotonic() - self._began
        rate = done / seconds if seconds > 0 else 0.0
        left = f"{(self.total - done) / rate:,.0f} s to go" if rate > 0 else ""
        return f"{done:,}/{self.total:,} events  {rate:,.0f}/s  {left}".rstrip()


class _Terminal:
    """A bar in one line of stderr."""

    WIDTH = 30

    def __init__(self, total: int) -> None:
        self._clock = _Clock(total)
        self._length = 0

    def update(self, done: int) -> None:
        full = self.WIDTH * min(done, self._clock.total) // max(self._clock.total, 1)
        text = f"{'█' * full}{'░' * (self.WIDTH - full)} {self._clock.text(done)}"
        # Spaces cover the rest of a longer line before.
        _write(f"\r{text:<{self._length}}")
        self._length = len(text)

    def close(self) -> None:
        _write(f"\r{'':<{self._length}}\r")


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, UnicodeError, ValueError):
        # A run does not fail because nobody can see its bar.
        pass


class _Notebook:
    """A bar below the cell of a notebook."""

    def __init__(self, total: int) -> None:
        from IPython import display  # type: ignore[import-not-found, unused-ignore]

        self._html: Any = display.HTML
        self._clock = _Clock(total)
        self._handle: Any = display.display(self._page(0), display_id=True)

    def _page(self, done: int) -> Any:
        bar = f'<progress value="{done}" max="{self._clock.total}"></progress>'
        return self._html(f"{bar} {self._clock.text(done)}")

    def update(self, done: int) -> None:
        self._handle.update(self._page(done))

    def close(self) -> None:
        self._handle.update(self._html(""))


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def display(progress: bool | Callback | None, total: int) -> Display | None:
    """The display that the argument ``progress`` asks for.

    ``None`` is a bar in a terminal or a notebook, and nothing elsewhere.
    """
    if callable(progress):
        return _Called(progress, total)
    if progress not in (None, True, False):
        raise TypeError("progress takes a bool, None, or a function of two numbers")
    if progress is False:
        return None
    if _in_notebook():
        return _Notebook(total)
    if progress or (sys.stderr is not None and sys.stderr.isatty()):
        return _Terminal(total)
    return None

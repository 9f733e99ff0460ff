"""The parts of an output that one block gave: few stay in memory, the others wait on disk.

A rule that matches every event, or many rules that match one, make much more output than there was
input. Only the main process writes, in the order of the input; until then parts stand here.
"""

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tocsin.alerts.model import Alert
from tocsin.outputs.base import Output

ALERTS = 500
"""How many alerts make a part; results do not depend on it."""
IN_MEMORY = 16
"""How many parts of a block stay in memory."""


class Parts:
    """Collects alerts as parts, and gives the parts back, once; goes between processes."""

    def __init__(self, output: Output, folder: Path | None = None) -> None:
        """Take an output; `folder` is where parts wait, if not the system's for such files."""
        self._output: Output | None = output
        self._folder = folder
        self._alerts: list[Alert] = []
        self._parts: list[Any] = []
        self._file: Path | None = None

    def add(self, alert: Alert) -> None:
        """Take the next alert."""
        self._alerts.append(alert)
        if len(self._alerts) >= ALERTS:
            self.flush()

    def flush(self) -> None:
        """Make a part of the alerts that were added last."""
        if not self._alerts or self._output is None:
            return
        part = self._output.part(self._alerts)
        self._alerts = []
        if len(self._parts) < IN_MEMORY:
            self._parts.append(part)
        else:
            self._spill(part)

    def take(self) -> Iterator[Any]:
        """Yield the parts that are made, and forget them."""
        yield from self
        self._parts, self._file = [], None

    def _spill(self, part: Any) -> None:
        if self._file is None:
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                self._file = Path(file.name)
        with self._file.open("ab") as file:
            pickle.dump(part, file)

    def __iter__(self) -> Iterator[Any]:
        """Yield the parts in order; what waited on disk is gone afterwards."""
        yield from self._parts
        if self._file is None:
            return
        try:
            with self._file.open("rb") as file:
                end = self._file.stat().st_size
                while file.tell() < end:
                    yield pickle.load(file)
        finally:
            self._file.unlink()

    def __reduce__(self) -> tuple[Any, tuple[Sequence[Any], Path | None]]:
        """Go to the main process without the output and its state."""
        return _restore, (self._parts, self._file)


def _restore(parts: list[Any], file: Path | None) -> Parts:
    found = Parts.__new__(Parts)
    found._output, found._folder, found._alerts = None, None, []
    found._parts, found._file = parts, file
    return found

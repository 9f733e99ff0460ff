"""Quarantine: what could not be read, kept with its place and reason."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import orjson


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that holds no readable record. `start` is all of it, or the first 64 KiB."""

    source: str
    line: int
    offset: int | None
    reason: str
    start: str
    length: int


class Quarantine:
    """Counts what is refused and, if there is a stream, keeps it as one JSON object per line."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, Quarantined] = {}

    def add(self, items: Iterable[Quarantined]) -> None:
        """Take what was refused, in order."""
        for item in items:
            self.count += 1
            kind = item.reason.split(":", 1)[0]
            self.reasons[kind] += 1
            self.examples.setdefault(kind, item)
            if self._stream:
                self._stream.write(orjson.dumps(_record(item), option=orjson.OPT_APPEND_NEWLINE))


def _record(item: Quarantined) -> dict[str, object]:
    return {
        "schema": 1,
        "source": item.source,
        "line": item.line,
        "offset": item.offset,
        "length": item.length,
        "reason": item.reason,
        "raw": item.start,
    }

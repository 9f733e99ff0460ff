"""Events that a user gives by hand: a file, one line of it, standard input, or alerts of ours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tocsin.errors import InputError, RecordError
from tocsin.jsontext import Json, Number, read
from tocsin.logs.formats.blocks import Unreadable
from tocsin.logs.formats.open import NoLog, open_sources, shown

_LINE = re.compile(r"(?P<path>.+):(?P<line>[0-9]+)", re.DOTALL)
_AT_ONCE = 1000
"""Records that are read in one go: a user who wants one line waits for no whole block."""


@dataclass(frozen=True, slots=True)
class AlertContext:
    """What an alert says of how its event was matched."""

    rule: str
    log_type: str | None
    bridge: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """One record and its place; without `record`, `problem` says why there is none."""

    source: str
    line: int
    record: dict[str, Json] | None
    problem: str = ""
    alert: AlertContext | None = None

    @property
    def place(self) -> str:
        """Return the file and line."""
        return f"{self.source}:{self.line}"


def read_given(argument: str) -> Iterator[Given]:
    """Yield the records that an argument names: `FILE`, `FILE:LINE` or `-`.

    Of a line that is an alert of ours, its events are yielded, with what the alert says of them.
    Raises `InputError` if there is no such file or line.
    """
    path, line = _split(argument)
    found = False
    for given in read_records(path):
        if line is not None and given.line > line:
            break
        if line in (None, given.line):
            found = True
            yield from _events_of(given)
    if not found:
        what = "holds no records" if line is None else f"holds no record on line {line}"
        raise InputError(f"{shown(path)}: {what}")


def _split(argument: str) -> tuple[Path, int | None]:
    """Split off a line number, unless the whole is a file."""
    match = _LINE.fullmatch(argument)
    if match is None or Path(argument).exists():
        return Path(argument), None
    return Path(match["path"]), int(match["line"])


def read_records(path: Path) -> Iterator[Given]:
    """Yield the records of a file, and what could not be read; raises `InputError` for no log."""
    for source in open_sources(path):
        if isinstance(source, NoLog):
            raise InputError(str(source))
        for batch in source.batches(_AT_ONCE):
            if isinstance(batch, Unreadable):
                yield Given(source.name, batch.line, None, batch.reason)
                continue
            for text, line in zip(batch.texts(), batch.lines.tolist(), strict=True):
                yield _read(text, source.name, line)


def _read(text: str, source: str, line: int) -> Given:
    try:
        return Given(source, line, read(text).value)
    except RecordError as error:
        return Given(source, line, None, str(error))


def _events_of(given: Given) -> Iterator[Given]:
    """Yield the events of an alert, or what was given if it is none."""
    record = given.record or {}
    rule, events = record.get("rule"), record.get("events")
    ours = record.get("schema") == Number("1") and "matched" in record
    if not (ours and isinstance(rule, dict) and isinstance(events, list) and rule.get("id")):
        yield given
        return
    context = record.get("context")
    bridge = context.get("bridge") if isinstance(context, dict) else None
    for event in events:
        if isinstance(event, dict) and isinstance(raw := event.get("raw"), dict):
            alert = AlertContext(str(rule["id"]), _text(event.get("log_type")), _text(bridge))
            yield Given(_place(event, given), _line(event, given), raw, alert=alert)


def _place(event: dict[str, Json], given: Given) -> str:
    return _text(event.get("source")) or given.source


def _line(event: dict[str, Json], given: Given) -> int:
    line = event.get("line")
    number = line.value() if isinstance(line, Number) else None
    return number if isinstance(number, int) else given.line


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None

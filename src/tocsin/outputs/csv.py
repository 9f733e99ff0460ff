"""One row per alert, for spreadsheets and for programs that read no JSON.

RFC 4180: commas, CRLF, texts in quotes, and a header, which is there without alerts as well. Texts
are written on one line, control characters as escapes, and so that no spreadsheet takes them for a
formula (https://owasp.org/www-community/attacks/CSV_Injection).
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import BinaryIO, TypeAlias

from tocsin.alerts.attack import attack_names
from tocsin.alerts.model import Alert
from tocsin.alerts.run import RunInfo
from tocsin.printable import printable
from tocsin.times import format_time

Cell: TypeAlias = str | int | Iterable[str] | None

SEPARATOR = "; "
"""Stands between the values of a cell that holds several."""

_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")
"""How a text starts that a spreadsheet may calculate; some take wide signs and skip blanks."""


def _time(when: datetime | None) -> str:
    return format_time(when) if when else ""


def _entities(kind: str) -> Callable[[Alert], Cell]:
    return lambda alert: [value for one, value in alert.entities if one == kind]


COLUMNS: Mapping[str, Callable[[Alert], Cell]] = {
    "time": lambda alert: _time(alert.time),
    "first": lambda alert: _time(alert.first),
    "last": lambda alert: _time(alert.last),
    "count": lambda alert: alert.count,
    "severity": lambda alert: alert.severity.value,
    "risk_score": lambda alert: alert.risk_score,
    "title": lambda alert: alert.title,
    "reason": lambda alert: alert.reason,
    "rule_id": lambda alert: alert.rule.id,
    "rule_name": lambda alert: alert.rule.name,
    "rule_ecosystem": lambda alert: alert.rule.ecosystem,
    "rule_kind": lambda alert: alert.rule.kind,
    "rule_pack": lambda alert: alert.rule.pack,
    "rule_path": lambda alert: alert.rule.path,
    "rule_author": lambda alert: alert.rule.author,
    "rule_license": lambda alert: alert.rule.license,
    "rule_tags": lambda alert: alert.rule.tags,
    "attack": lambda alert: [name.id for name in attack_names(alert.rule.attack)],
    "attack_names": lambda alert: [name.full for name in attack_names(alert.rule.attack)],
    "alert_id": lambda alert: alert.id,
    "user": _entities("user"),
    "address": _entities("address"),
    "host": _entities("host"),
    "application": _entities("application"),
    "resource": _entities("resource"),
    "tenant": _entities("tenant"),
    "log_type": lambda alert: alert.event.log_type,
    "source": lambda alert: alert.event.source,
    "line": lambda alert: alert.event.line,
    "event_id": lambda alert: alert.event.id,
    "events_total": lambda alert: alert.count,
    "context": lambda alert: [f"{key} {value}" for key, value in alert.notes()],
    "guide": lambda alert: alert.guide,
}
"""What each column holds; `docs/records.md` describes them."""


class CsvOutput:
    """Writes a header, and each alert as one row."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self._header = rows([list(COLUMNS)])

    def __reduce__(self) -> tuple[type["CsvOutput"], tuple[()]]:
        """Go to a worker process without the stream; only the main process writes."""
        return CsvOutput, ()

    def part(self, alerts: Sequence[Alert]) -> bytes:
        """Write the rows of one block."""
        return rows([cell(read(alert)) for read in COLUMNS.values()] for alert in alerts)

    def add(self, part: bytes) -> None:
        """Write rows, under the header."""
        if self._stream:
            self._stream.write(self._header + part)
            self._header = b""

    def finish(self, run: RunInfo) -> None:  # noqa: ARG002 - a row is an alert, nothing else
        """Write the header if there was nothing under it."""
        self.add(b"")
        if self._stream:
            self._stream.flush()


def rows(cells: Iterable[Sequence[str | int]]) -> bytes:
    """Write rows: texts in quotes, numbers as they are."""
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows(cells)
    return text.getvalue().encode()


def cell(value: Cell) -> str | int:
    """Return what stands in a cell; each of several values is made harmless by itself."""
    if value is None or isinstance(value, int):
        return "" if value is None else value
    if isinstance(value, str):
        return harmless(value)
    return SEPARATOR.join(map(harmless, value))


def harmless(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would calculate; write control characters out."""
    return ("'" if _FORMULA.match(text) else "") + printable(text)

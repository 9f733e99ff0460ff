"""The Python API: load rules, scan logs in any form they are at hand, explain one event.

`import tocsin` gives these names; `docs/python.md` shows them at work.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson
import pyarrow as pa

from tocsin.alerts.export.ecs import to_ecs
from tocsin.alerts.export.ocsf import to_ocsf
from tocsin.alerts.model import Alert, to_record
from tocsin.engine.explain import Explanation
from tocsin.engine.explain import explain as explain_one
from tocsin.errors import RecordError, UsageError
from tocsin.jsontext import read
from tocsin.logs.logtype import LogType
from tocsin.outputs.ndjson import RecordMaker
from tocsin.outputs.objects import ObjectsOutput, to_arrow
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.load import LoadOptions
from tocsin.rules.model import Rule, RuleSet
from tocsin.rules.select import parse_where
from tocsin.run.confirm import Python
from tocsin.run.in_memory import GIVEN, given_blocks, record_text
from tocsin.run.log_types import choose_log_types
from tocsin.run.quarantine import Quarantine, Quarantined
from tocsin.run.scan import ScanOptions, ScanSummary, scan_blocks
from tocsin.run.scan import scan as scan_files
from tocsin.run.work import Window
from tocsin.sandbox.process import Options
from tocsin.times import Clock, parse_time, read_zone

StrPath: TypeAlias = str | PathLike[str]
Logs: TypeAlias = StrPath | Sequence[StrPath] | Mapping[str, Any] | Iterable[Any] | object
"""Files and folders; or records: dicts, JSON texts, an Arrow table, a pandas or polars frame."""

_RECORDS: Mapping[str, RecordMaker] = {"ndjson": to_record, "ecs": to_ecs, "ocsf": to_ocsf}
"""The forms of results that are an object for each alert."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found: its alerts in the order of the input, and what it saw."""

    alerts: tuple[Alert, ...]
    summary: ScanSummary
    unreadable: tuple[Quarantined, ...]
    """What could not be read, each with its place and the reason."""

    def __iter__(self) -> Iterator[Alert]:
        """Yield the alerts."""
        return iter(self.alerts)

    def __len__(self) -> int:
        """Return how many alerts there are."""
        return len(self.alerts)

    def records(self, form: Literal["ndjson", "ecs", "ocsf"] = "ndjson") -> list[dict[str, Any]]:
        """Return the alerts as `tocsin scan -f FORM` writes them (`docs/records.md`).

        Raises `UsageError` for another form.
        """
        if form not in _RECORDS:
            raise UsageError(f"no form {form!r}; known: {', '.join(_RECORDS)}")
        make = _RECORDS[form]
        return [orjson.loads(orjson.dumps(make(alert))) for alert in self.alerts]

    def to_arrow(self) -> pa.Table:
        """Return the alerts as a table, one row each; the event's text is the column `raw`."""
        return to_arrow(self.alerts)


def load_rules(
    *paths: StrPath,
    where: str = "",
    pipelines: Sequence[StrPath] = (),
    placeholders: StrPath | None = None,
) -> RuleSet:
    """Load rule files and folders; a rule that cannot run is there too, with its reasons.

    `where` chooses as `--where` does. Raises `UsageError` if a path does not exist or
    holds no rule.
    """
    if not paths:
        raise UsageError("load_rules needs at least one file or folder")
    options = LoadOptions(tuple(map(Path, pipelines)), Path(placeholders) if placeholders else None)
    loaded = load_rules_cached(list(map(Path, paths)), options)
    chosen = parse_where(where) if where else None
    rules = loaded.rules if chosen is None else tuple(filter(chosen, loaded.rules))
    return RuleSet(rules, loaded.skipped, loaded.parts)


def scan(
    logs: Logs,
    rules: RuleSet | Iterable[Rule],
    *,
    log_type: str | None = None,
    bridges: Sequence[str] = (),
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    tz: str = "UTC",
    workers: int = 1,
    geoip: Sequence[StrPath] = (),
    indicators: Sequence[StrPath] = (),
    history: Sequence[StrPath] = (),
    cold_start: Literal["count", "alert"] = "count",
    include_disabled: bool = False,
    allow_python: bool = False,
) -> ScanResult:
    """Run rules on logs; the options are those of `tocsin scan`.

    Rules of Panther that are Python run if they are allowed to, with the helpers of the `RuleSet`.

    Logs are paths of files and folders, or records: a dict, dicts, JSON texts, an Arrow table or
    reader, a pandas or polars frame. A null cell of a table is a key that its row does not have.
    Files that cannot be read are named in the summary; raises `UsageError` if the call is wrong.
    """
    zone = read_zone(tz)
    if zone is None:
        raise UsageError(f"tz {tz!r} is no time zone; write an IANA name or an offset as +02:00")
    options = ScanOptions(
        tuple(
            rule
            for rule in rules
            if rule.inputs
            and (rule.enabled or include_disabled)
            and (allow_python or not rule.confirm)
        ),
        choose_log_types(log_type),
        tuple(bridges),
        Window(_moment("since", since), _moment("until", until)),
        workers,
        clock=Clock(zone),
        geoip=tuple(map(Path, geoip)),
        indicators=tuple(map(Path, indicators)),
        history=tuple(map(Path, history)),
        alert_cold=cold_start == "alert",
        python=_python(rules, workers) if allow_python else None,
    )
    output, quarantine = ObjectsOutput(), _Kept()
    paths = _paths(logs)
    if paths is None:
        summary = scan_blocks(GIVEN, given_blocks(logs), options, output, quarantine)
    else:
        summary = scan_files(paths, options, output, quarantine)
    return ScanResult(tuple(output.alerts), summary, tuple(quarantine.items))


def _python(rules: RuleSet | Iterable[Rule], workers: int) -> Python:
    parts = rules.parts if isinstance(rules, RuleSet) else ()
    return Python(parts, Options(workers=workers))


def explain(
    rule: Rule,
    event: Mapping[str, Any] | str | bytes,
    *,
    log_type: str | None = None,
    bridges: Sequence[str] = (),
) -> Explanation:
    """Say why a rule does or does not match one event, a dict or its JSON text.

    The result's verdict is that of `scan`; its tree says what each predicate asked and found.
    Raises `UsageError` if the event is no object.
    """
    try:
        record = read(record_text(event)).value
    except RecordError as error:
        raise UsageError(f"the event cannot be read: {error}") from None
    return explain_one(rule, record, choose_log_types(log_type), tuple(bridges))


class _Kept(Quarantine):
    """A quarantine in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Quarantined] = []

    def add(self, items: Iterable[Quarantined]) -> None:
        """Keep what was refused, and count it."""
        found = list(items)
        self.items += found
        super().add(found)


def log_types() -> tuple[LogType, ...]:
    """Return the log types that records are recognised as, in order of priority."""
    return choose_log_types(None)


def _paths(logs: Logs) -> list[Path] | None:
    """Return the paths that logs are given as; None if they are records."""
    if isinstance(logs, str | PathLike):
        return [Path(logs)]
    if isinstance(logs, list | tuple) and logs and all(isinstance(one, PathLike) for one in logs):
        return [Path(one) for one in logs]
    return None


def _moment(name: str, value: datetime | str | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value.astimezone(UTC) if value else None
    found = parse_time(value)
    if found is None:
        raise UsageError(f"{name} {value!r} is no time; write 2026-01-31 or 2026-01-31T12:00:00Z")
    return found

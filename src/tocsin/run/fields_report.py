"""The fields of log files beside what rules want of them: for people, and as a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.alerts.model import SCHEMA, plain
from tocsin.condition.functions import Scalar
from tocsin.condition.tree import fields
from tocsin.logs.logtype import LogType
from tocsin.rules.model import Rule
from tocsin.run.fields import FieldFacts, FieldSurvey, ShapeFields
from tocsin.run.survey import Surveyed, Visitor, survey
from tocsin.run.wanted import Arrivals, NeverSeen, UsedPaths


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of the events of a shape."""

    path: tuple[str, ...]
    facts: FieldFacts
    share: float
    """Of the events that were looked at, how many carry it: 0 to 1."""
    rules: int | None
    """How many rules read it; None if no rules were given."""

    @property
    def name(self) -> str:
        """Return the keys with dots between them."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class ShapeReport:
    """The events of one shape, and their fields; most frequent ones first."""

    log_type: str | None
    shape: str | None
    events: int
    looked_at: int
    fields: tuple[FieldRow, ...]
    not_kept: int


@dataclass(frozen=True, slots=True)
class FieldsReport:
    """What logs carry, and what rules want that they do not."""

    surveyed: Surveyed
    every: int
    shapes: tuple[ShapeReport, ...]
    rules: Sequence[Rule] | None
    never_seen: tuple[NeverSeen, ...]
    searching: int
    """How many rules search whole events for keywords, beside or instead of fields."""


def report_fields(
    paths: Sequence[Path],
    log_types: Sequence[LogType],
    rules: Sequence[Rule] | None = None,
    every: int = 1,
) -> FieldsReport:
    """Read log files, and report the fields of every `every`th record.

    With rules it is found out in all records which fields they want that none carries.
    """
    found = FieldSurvey(every)
    arrivals = None if rules is None else Arrivals(rules, log_types)
    visitors: list[Visitor] = [found] if arrivals is None else [found, arrivals]
    surveyed = survey(paths, log_types, visitors)
    return FieldsReport(
        surveyed,
        every,
        tuple(_shape_report(one, rules) for one in found.shapes),
        rules,
        tuple(arrivals.never_seen()) if arrivals else (),
        sum(map(_searches, rules or ())),
    )


def _searches(rule: Rule) -> bool:
    return any(not field.path for one in rule.inputs for field in fields(one.condition))


def _shape_report(found: ShapeFields, rules: Sequence[Rule] | None) -> ShapeReport:
    used = None
    if rules is not None and found.log_type is not None and found.shape is not None:
        used = UsedPaths(rules, found.log_type, found.shape)
    rows = [
        FieldRow(path, facts, facts.events / found.looked_at, used.rules_of(path) if used else None)
        for path, facts in found.fields()
    ]
    return ShapeReport(
        found.log_type.name if found.log_type else None,
        found.shape.name if found.shape else None,
        found.events,
        found.looked_at,
        tuple(sorted(rows, key=lambda row: -row.facts.events)),
        found.not_kept,
    )


def fields_record(report: FieldsReport) -> dict[str, object]:
    """Return the report as a record (`docs/records.md`)."""
    done = report.surveyed
    return {
        "schema": SCHEMA,
        "files": done.files,
        "records": done.records,
        "unreadable": done.unreadable,
        "sample": report.every,
        "shapes": [_shape_record(one) for one in report.shapes],
        "rules": None if report.rules is None else len(report.rules),
        "rules_searching_whole_events": report.searching,
        "never_seen": [_never_seen_record(one, report.rules or ()) for one in report.never_seen],
        "problems": [*done.failed, *done.skipped],
    }


def _shape_record(one: ShapeReport) -> dict[str, object]:
    return {
        "log_type": one.log_type,
        "shape": one.shape,
        "events": one.events,
        "looked_at": one.looked_at,
        "fields": [_field_record(row) for row in one.fields],
        "fields_not_kept": one.not_kept,
    }


def _field_record(row: FieldRow) -> dict[str, object]:
    return {
        "field": row.name,
        "path": row.path,
        "events": row.facts.events,
        "share": round(row.share, 4),
        "types": sorted(row.facts.types),
        "distinct": row.facts.distinct,
        "example": example(row.facts),
        "rules": row.rules,
    }


def example(facts: FieldFacts) -> object:
    """Return a value of a field as JSON writes it."""
    value: Scalar = facts.example  # type: ignore[assignment]
    return value if isinstance(value, float) else plain(value)


def _never_seen_record(one: NeverSeen, rules: Sequence[Rule]) -> dict[str, object]:
    ids = [rules[number].id for number in one.rules]
    return {"log_type": one.log_type, "field": one.field, "rules": ids}

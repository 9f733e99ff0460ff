"""What an event says in an alert in place of the rule: title, severity, risk score, guide."""

import re
from collections.abc import Sequence
from decimal import Decimal

from tocsin.alerts.model import Said
from tocsin.condition.functions import Scalar, number_of
from tocsin.condition.tree import Call, Field
from tocsin.logs.view import RecordView
from tocsin.rules.model import RiskFrom, Rule, Severity, SeverityFrom

_TEXTS, _NUMBERS = (Call("leaves"),), (Call("number"),)
_FIELD = re.compile(r"\{\{\s*([\w@.\-]+)\s*\}\}")


def said_of(rule: Rule, view: RecordView) -> Said:
    """Return what an event says in place of its rule."""
    overrides = rule.overrides
    return Said(
        title=_title(overrides.name, view) if overrides.name else None,
        severity=_severity(overrides.severity, view),
        risk_score=_risk(overrides.risk_score, view),
        guide=_filled(rule.guide, view) if "{{" in rule.guide else None,
    )


def _title(field: str, view: RecordView) -> str | None:
    return next((str(text) for text in _read(view, field, _TEXTS) if text), None)


def _severity(sources: Sequence[SeverityFrom], view: RecordView) -> Severity | None:
    """Return the highest severity whose field has its value."""
    found = [one.severity for one in sources if _has(view, one.field, one.value)]
    return max(found, key=lambda one: one.rank, default=None)


def _has(view: RecordView, field: str, value: str) -> bool:
    """Compare texts; `event.severity`, which is a number, without what stands behind its point."""
    if field != "event.severity":
        return value in _read(view, field, _TEXTS)
    return any(number in number_of(value) for number in map(_floor, _read(view, field, _NUMBERS)))


def _risk(sources: Sequence[RiskFrom], view: RecordView) -> int | None:
    """Return the first score that is one: of a field with its value, or the field's number."""
    for one in sources:
        if one.value is None:
            numbers = map(_floor, _read(view, one.field, _NUMBERS))
            score = next((number for number in numbers if 0 <= number <= 100), None)
        else:
            score = one.score if _has(view, one.field, one.value) else None
        if score is not None:
            return score
    return None


def _filled(text: str, view: RecordView) -> str:
    """Write the values of the event's fields where a text names them."""
    return _FIELD.sub(lambda at: ", ".join(map(str, _read(view, at[1], _TEXTS))) or at[0], text)


def _read(view: RecordView, field: str, via: tuple[Call, ...]) -> Sequence[Scalar]:
    return view.read(Field((field,), via)) or ()


def _floor(number: Scalar) -> int:
    assert isinstance(number, int | Decimal)
    return int(number // 1)

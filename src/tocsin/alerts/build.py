"""Matches → alerts: read the record once more, row by row, and say why the rule fired."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from tocsin.alerts.model import Alert, Event, Evidence
from tocsin.condition.evaluate import Found, Read, compile_test, explain, holds
from tocsin.condition.functions import Scalar, apply
from tocsin.condition.tree import Field, Glob, Op, Predicate, Regex, Wild
from tocsin.engine.match import BatchResult, Match
from tocsin.errors import InternalError
from tocsin.ids import alert_id, event_id
from tocsin.jsontext import Json, compact, read
from tocsin.logs.values import walk
from tocsin.logs.view import RecordView
from tocsin.rules.model import Rule


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A match that the row-wise reading does not confirm; the event is kept with it."""

    rule: Rule
    raw: str
    line: int
    reason: str


class AlertBuilder:
    """Builds the alerts of one source; records that several rules match are read once."""

    def __init__(self, rules: Sequence[Rule], source: str) -> None:
        self._rules = rules
        self._source = source

    def build(self, result: BatchResult, lines: Sequence[int]) -> Iterator[Alert | Disagreement]:
        """Yield an alert per match, in order; `lines[row]` is the line of each record."""
        row, record, text = -1, {}, ""
        for match in result.matches:
            if match.row != row:
                row, text = match.row, result.text(match.row)
                record = read(text).value
                event = _Once(record)
            try:
                yield self._alert(match, record, text, int(lines[row]), event)
            except InternalError as error:
                rule = self._rules[match.input.rule]
                yield Disagreement(rule, text, int(lines[row]), str(error))

    def _alert(
        self, match: Match, record: dict[str, Json], text: str, line: int, once: "_Once"
    ) -> Alert:
        rule = self._rules[match.input.rule]
        planned = match.input
        one = rule.inputs[planned.number]
        view = RecordView(record, match.shape, one.vocabulary, planned.variant)
        found = None
        if holds(planned.variant.condition, view.read):
            found = explain(one.condition, view.read, partial(_elements, view))
        if found is None:
            raise InternalError("the columnar engine matched what the row-wise reading does not")
        context = {"bridge": planned.bridge} if planned.bridge else {}
        event = Event(
            once.id(), planned.log_type.name, view.time(), self._source, line, once.json(text)
        )
        return Alert(
            id=alert_id(rule_key=rule.key, kind=rule.kind, group_key="", anchor=event.id),
            rule=rule,
            events=(event,),
            matched=tuple(_evidence(found, view)),
            entities=tuple(view.entities()),
            context=context,
        )


class _Once:
    """What is computed once per record, however many rules match it."""

    def __init__(self, record: dict[str, Json]) -> None:
        self._record = record
        self._id = ""
        self._json = ""

    def id(self) -> str:
        """Return the event id."""
        if not self._id:
            self._id = event_id(self._record)
        return self._id

    def json(self, text: str) -> str:
        """Return the record as one line of strict JSON: its own text, if it is that."""
        if not self._json:
            try:
                orjson.loads(text)
                self._json = text.strip().replace("\n", " ").replace("\r", " ")
            except orjson.JSONDecodeError:
                self._json = compact(self._record)
        return self._json


def _evidence(found: Iterable[Found], view: RecordView) -> Iterator[Evidence]:
    seen: set[object] = set()
    for one in found:
        predicate = one.predicate
        if predicate in seen:
            continue
        seen.add(predicate)
        if isinstance(predicate, Predicate):
            field, value = predicate.field, _operand(predicate, one.value)
        else:
            field, value = predicate.left, ".".join(predicate.right.path)
        name = ".".join(field.path) or "any field"
        path = view.locate(field) if field.path else ()
        yield Evidence(name, predicate.op.value, value, path, one.value)


def _operand(predicate: Predicate, found: Scalar) -> Scalar:
    """Return which of a predicate's values it was that the found value met."""
    if predicate.op in {Op.EXISTS, Op.IS_NULL}:
        return None
    for value in predicate.values:
        if compile_test(predicate.op, (value,), predicate.fold_case)(found):
            return _shown(value)
    return None


def _shown(value: object) -> Scalar:
    if isinstance(value, Glob):
        return "".join(part.value if isinstance(part, Wild) else part for part in value.parts)
    if isinstance(value, Regex):
        return value.pattern
    return value  # type: ignore[return-value]


def _elements(view: RecordView, path: tuple[str, ...]) -> Iterator[Read]:
    for element in view.read(Field(path)) or ():
        yield partial(_read, element)


def _read(element: Scalar, field: Field) -> list[Scalar] | None:
    values = walk(element, field.path)  # type: ignore[arg-type]
    return None if values is None else apply(field.via, values)

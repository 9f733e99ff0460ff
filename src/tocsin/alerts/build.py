"""Matches → alerts: read the record once more, row by row, and say why the rule fired."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson

from tocsin.alerts.enrich import threat_record
from tocsin.alerts.model import Alert, Event, Evidence
from tocsin.alerts.overrides import said_of
from tocsin.condition.evaluate import Found, compile_test, explain, holds
from tocsin.condition.functions import Scalar
from tocsin.condition.tree import Glob, Op, Predicate, Regex, Wild
from tocsin.engine.explain import leaf_texts_of
from tocsin.engine.plan import PlannedInput
from tocsin.engine.result import Match
from tocsin.engine.stages.compose import stage_fields
from tocsin.engine.stages.indicators import Indicators
from tocsin.errors import InternalError
from tocsin.ids import alert_id, event_id
from tocsin.jsontext import Json, compact, read, standard
from tocsin.logs.logtype import EVERY_EVENT, Shape, Variant
from tocsin.logs.view import RecordView
from tocsin.rules.model import Rule
from tocsin.times import PLAIN_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A match that the row-wise reading does not confirm; the event is kept with it."""

    rule: Rule
    row: int
    source: str
    line: int
    reason: str
    raw: str


class AlertBuilder:
    """Builds the alerts of one source; records that several rules match are read once."""

    def __init__(
        self,
        rules: Sequence[Rule],
        source: str,
        clock: Clock = PLAIN_CLOCK,
        indicators: Mapping[int, Indicators] | None = None,
    ) -> None:
        self._rules = rules
        self._indicators = indicators or {}
        self._source = source
        self._clock = clock

    def build(
        self, matches: Iterable[Match], texts: Mapping[int, str], lines: Sequence[int]
    ) -> Iterator[Alert | Disagreement]:
        """Yield an alert per match, in order.

        `texts` holds the records of the rows that match, and `lines` the line of every row.
        """
        row, seen = -1, None
        for match in matches:
            if match.row != row or seen is None:
                row = match.row
                seen = self._see(match.shape, texts[row], lines[row])
            yield self._try(match, seen)

    def build_one(self, match: Match, text: str, line: int) -> Alert | Disagreement:
        """Return the alert of one match."""
        return self._try(match, self._see(match.shape, text, line))

    def event(self, match: Match, text: str, line: int) -> Event:
        """Return the event of a match as alerts hold it."""
        return self._see(match.shape, text, line).event(match.input.log_type.name)

    def _see(self, shape: Shape, text: str, line: int) -> "_Seen":
        record = read(text).value
        view = RecordView(record, shape, clock=self._clock)
        return _Seen(record, view, text, self._source, int(line))

    def _try(self, match: Match, seen: "_Seen") -> Alert | Disagreement:
        try:
            return self._alert(match, seen)
        except InternalError as error:
            rule = self._rules[match.input.rule]
            return Disagreement(rule, match.row, self._source, seen.line, str(error), seen.text)

    def _alert(self, match: Match, seen: "_Seen") -> Alert:
        rule = self._rules[match.input.rule]
        planned = match.input
        one = rule.inputs[planned.number]
        view = seen.view(one.vocabulary, planned.variant)
        found = None
        if holds(planned.variant.condition, seen.view(one.vocabulary, EVERY_EVENT).read):
            found = explain(one.condition, view.read, view.readers)
        if found is None:
            raise InternalError("the columnar engine matched what the row-wise reading does not")
        event = seen.event(planned.log_type.name)
        return Alert(
            id=alert_id(rule_key=rule.key, kind=rule.kind, group_key="", anchor=event.id),
            rule=rule,
            events=(event,),
            matched=tuple(_evidence(found, view)),
            entities=seen.entities,
            context=self._context(planned, view),
            said=said_of(rule, view),
        )

    def _context(self, planned: PlannedInput, view: RecordView) -> dict[str, Json]:
        context: dict[str, Json] = {"bridge": planned.bridge} if planned.bridge else {}
        for name in self._rules[planned.rule].investigation_fields:
            if values := leaf_texts_of(view, name):
                context[name] = values[0] if len(values) == 1 else list(values)
        if planned.rule in self._indicators:
            names = stage_fields(self._rules[planned.rule])
            met = self._indicators[planned.rule].find(
                {name: leaf_texts_of(view, name) for name in names}
            )
            context["threat"] = threat_record(met)
        return context


class _Seen:
    """One record that matched; what all its alerts share is made once."""

    def __init__(
        self, record: dict[str, Json], view: RecordView, text: str, source: str, line: int
    ) -> None:
        self.text = text
        self.line = line
        self._record = record
        self._source = source
        self._view = view
        self._views: dict[tuple[str, int], RecordView] = {}

    def view(self, vocabulary: str, variant: Variant) -> RecordView:
        """Return the record as the rules of a vocabulary and variant see it."""
        key = (vocabulary, id(variant))
        if key not in self._views:
            self._views[key] = self._view.through(vocabulary, variant)
        return self._views[key]

    def event(self, log_type: str) -> Event:
        """Return the event as alerts hold it."""
        moment = self._view.moment()
        time, assumed = (moment.time, moment.assumed) if moment else (None, False)
        return Event(self._id, log_type, time, self._source, self.line, self._json, assumed)

    @cached_property
    def entities(self) -> tuple[tuple[str, str], ...]:
        """Return the users, addresses, hosts … that the record names."""
        return tuple(self._view.entities())

    @cached_property
    def _id(self) -> str:
        return event_id(self._record)

    @cached_property
    def _json(self) -> str:
        """Return the record as one line of strict JSON: its own text, if it is that."""
        try:
            orjson.loads(self.text)
        except orjson.JSONDecodeError:
            return compact(standard(self._record))
        return self.text.strip().replace("\n", " ").replace("\r", " ")


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

"""A rule as the catalogue reasons about it: its condition on each log type that it is about."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from tocsin.catalog.canonical import canonical
from tocsin.catalog.logtypes import comparable_log_types
from tocsin.catalog.outcome import without_outcome
from tocsin.catalog.places import Places
from tocsin.condition.evaluate import Read, holds
from tocsin.condition.functions import fold
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import FALSE, And, Condition, Or
from tocsin.engine.plan import select, select_scope
from tocsin.jsontext import Json
from tocsin.logs.logtype import EVERY_EVENT, PANTHER, LogType, Variant, generic
from tocsin.logs.view import RecordView
from tocsin.rules.model import Input, LogSource, Rule
from tocsin.rules.stages import Deduplication, Stage


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule on one log type, in the first of its shapes."""

    log_type: LogType
    places: Places
    condition: Condition
    """What it asks of an event, over the names of `places`."""
    own: Condition
    """The same without what only makes an event one of its log source."""
    bare: Condition
    """What its first input asks, read in the first way and outcomes left out: for a first look."""
    inputs: tuple[tuple[Input, Variant], ...]

    @property
    def is_rest(self) -> bool:
        """Return whether these are documents that are of no log type in particular."""
        return self.log_type.documents

    @property
    def is_whole(self) -> bool:
        """Return whether lists are values to the rule, as they are to Panther's."""
        return any(one.vocabulary == PANTHER for one, _ in self.inputs)

    def matches(self, record: dict[str, Json]) -> bool:
        """Say whether the rule's own conditions hold for a record, as the engine reads it."""
        return any(self._matches(record, one, variant) for one, variant in self.inputs)

    def _matches(self, record: dict[str, Json], one: Input, variant: Variant) -> bool:
        view = RecordView(record, self.places.shape, one.vocabulary)
        if not holds(variant.condition, view.read):
            return False
        through = view.through(one.vocabulary, variant)

        def elements(path: tuple[str, ...]) -> Iterator[Read]:
            return (element.read for element in through.elements(path))

        return holds(one.condition, through.read, elements)


def limiting_stage(rule: Rule) -> Stage | None:
    """Return a rule's stage, unless every match is in one of its alerts."""
    every = isinstance(rule.stage, Deduplication) and rule.stage.count <= 1
    return None if every else rule.stage


@cache
def places_of(log_type: LogType) -> Places:
    """Return the places of a log type's first shape."""
    return Places(log_type.shapes[0])


def readings(rule: Rule) -> Mapping[str, Reading]:
    """Return a rule on every log type that it can match events of, by the log type's name.

    Rules for logs without log type are on one that stands for their log source.
    """
    found = {one.log_type.name: one for one in _readings(rule, comparable_log_types())}
    if found or not rule.inputs:
        return found
    sources = {one.scope for one in rule.inputs if isinstance(one.scope, LogSource)}
    log_types = map(_generic, sorted(sources, key=str))
    return {one.log_type.name: one for one in _readings(rule, log_types)}


def common_source(one: Rule, other: Rule) -> LogSource | None:
    """Return the log source that has what those of two rules ask, for logs without log type."""
    sources = [part.scope for rule in (one, other) for part in rule.inputs]
    asked: dict[str, str] = {}
    for source in sources:
        if not isinstance(source, LogSource) or _known(source):
            return None
        for part in ("product", "category", "service"):
            wanted = getattr(source, part)
            if wanted and fold(asked.setdefault(part, wanted)) != fold(wanted):
                return None
    return LogSource(**asked)


@lru_cache(maxsize=1024)
def _known(source: LogSource) -> bool:
    return any(select_scope(log_type, source) for log_type in comparable_log_types())


def readings_of(rule: Rule, source: LogSource) -> Mapping[str, Reading]:
    """Return a rule on logs of a source that have no log type."""
    log_type = _generic(source)
    inputs = tuple((one, EVERY_EVENT) for one in rule.inputs)
    found = _reading(log_type, inputs)
    return {log_type.name: found} if found else {}


@lru_cache(maxsize=1024)
def _generic(source: LogSource) -> LogType:
    return generic(source.product, source.category, source.service)


def _readings(rule: Rule, log_types: Iterable[LogType]) -> Iterator[Reading]:
    for log_type in log_types:
        inputs = tuple((one, v) for one in rule.inputs for v in select(log_type, one))
        if inputs and (found := _reading(log_type, inputs)):
            yield found


def _reading(log_type: LogType, inputs: tuple[tuple[Input, Variant], ...]) -> Reading | None:
    places = places_of(log_type)
    own = [canonical(one.condition, places, one.vocabulary, v) for one, v in inputs]
    gates = [canonical(v.condition, places, one.vocabulary) for one, v in inputs]
    whole = simplify(Or(tuple(map(And, zip(gates, own, strict=True)))))
    if whole == FALSE:
        return None
    bare = simplify(without_outcome(own[0]))
    return Reading(log_type, places, whole, simplify(Or(tuple(own))), bare, inputs)

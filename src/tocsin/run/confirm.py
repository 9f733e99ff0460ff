"""Ask the Python of rules about their matches, in the order of event times.

What conditions let through goes in parts to workers apart; what they say decides which matches
stand, what is grouped with what, and what the alert says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tocsin.condition.evaluate import holds
from tocsin.engine.plan import Plan, PlannedInput
from tocsin.engine.stages.hits import Hit, Place
from tocsin.errors import RuleError
from tocsin.jsontext import compact, read, standard
from tocsin.logs.document import panther_document
from tocsin.logs.logtype import EVERY_EVENT, LogType
from tocsin.logs.view import RecordView
from tocsin.rules.model import LogTypes, Rule
from tocsin.rules.panther.kinds import WITH_PYTHON
from tocsin.rules.panther.pack import python_file, read_document, read_python
from tocsin.rules.stages import Deduplication
from tocsin.run.lookups import Lookups
from tocsin.run.pack_code import detection_of, pack_code, remembers
from tocsin.run.staging import StagedHits
from tocsin.run.told import Teller
from tocsin.run.work import Worker
from tocsin.sandbox.process import Options, PackCode
from tocsin.sandbox.shims import Source
from tocsin.sandbox.stream import Answer, Asked, Cost, Stream, Streamed

EVENTS_AT_ONCE = 500
HITS_AT_ONCE = 20_000
LETTERS_AT_ONCE = 4 << 20
"""How much is asked at once, at most."""


@dataclass(frozen=True, slots=True)
class Python:
    """The user allows the Python of rules to run: what it is made with, and how it is isolated."""

    parts: Sequence[Rule] = ()
    options: Options = field(default_factory=Options)
    tables: Mapping[str, Path] = field(default_factory=dict)
    """Files that hold lookup tables, by the names of these."""

    def prepared(self, rules: Sequence[Rule]) -> list[Rule]:
        """Return rules that know that lookup tables add to records, in packs that have some."""
        from tocsin.rules.panther.lifting import with_lookups

        packs = {part.pack for part in self.parts if self._has_rows(part)}
        return [with_lookups(rule) if rule.pack in packs else rule for rule in rules]

    def _has_rows(self, part: Rule) -> bool:
        own = part.enabled and bool(read_document(part).get("Filename"))
        return part.kind == "lookup_table" and (own or part.id in self.tables)


@dataclass(slots=True)
class Errors:
    """Events on which the Python of one rule failed, or what describes its alerts."""

    count: int = 0
    first: str = ""

    def add(self, error: str) -> None:
        """Count one."""
        self.count += 1
        self.first = self.first or error


@dataclass(slots=True)
class Asking:
    """What became of asking, by the numbers of rules."""

    errors: dict[int, Errors] = field(default_factory=dict)
    faults: dict[int, Errors] = field(default_factory=dict)
    stopped: dict[int, str] = field(default_factory=dict)
    """Rules that were stopped, and why."""
    costs: dict[int, Cost] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What is wrong with lookup tables."""


class Confirmer:
    """Asks about the matches of some rules."""

    def __init__(
        self, rules: Sequence[Rule], worker: Worker, staged: StagedHits, python: Python | None
    ) -> None:
        self.asking = Asking()
        self._rules = rules
        self._worker = worker
        self._staged = staged
        self._teller = Teller()
        self._last: tuple[Place, Plan, RecordView] | None = None
        self._streams = dict(_streams(rules, python, self.asking)) if python else {}
        self._lookups = dict(_lookups(self._streams, python)) if python else {}
        for lookups in self._lookups.values():
            self.asking.problems += lookups.problems
        self._streams_of = {
            number: rule.pack
            for number, rule in enumerate(rules)
            if rule.kind in WITH_PYTHON and rule.pack in self._streams
        }

    def confirm(self, hits: Iterable[tuple[int, Hit]]) -> Iterator[tuple[int, Hit]]:
        """Yield the matches that stand, in order; those of rules that group carry their group."""
        waiting: list[tuple[int, Hit]] = []
        places: set[Place] = set()
        try:
            for number, hit in hits:
                waiting.append((number, hit))
                if number in self._streams_of:
                    places.add(hit.place)
                if len(places) >= EVENTS_AT_ONCE or len(waiting) >= HITS_AT_ONCE:
                    yield from self._settle(waiting)
                    waiting, places = [], set()
            yield from self._settle(waiting)
        finally:
            for stream in self._streams.values():
                self.asking.costs |= stream.costs
                self.asking.stopped |= stream.stopped
                stream.end()

    def _settle(self, hits: Sequence[tuple[int, Hit]]) -> Iterator[tuple[int, Hit]]:
        said = self._ask(hits)
        for number, hit in hits:
            rule = self._rules[number]
            if number in self._streams_of:
                alert = said.get((number, hit.place))
                if alert is not None:
                    yield number, _grouped(rule, hit, alert)
            elif rule.confirm:
                continue
            elif isinstance(rule.stage, Deduplication):
                yield number, _grouped(rule, hit, self._told(number, hit))
            else:
                yield number, hit

    def _ask(
        self, hits: Sequence[tuple[int, Hit]]
    ) -> Mapping[tuple[int, Place], Mapping[str, Any]]:
        """Return what rules say of their matches; nothing of those that do not stand."""
        said: dict[tuple[int, Place], Mapping[str, Any]] = {}
        by_place: dict[Place, list[int]] = {}
        for number, hit in hits:
            if number in self._streams_of:
                by_place.setdefault(hit.place, []).append(number)
        part: list[tuple[str, Place, Asked]] = []
        letters = 0
        for hit in {hit.place: hit for _, hit in hits if hit.place in by_place}.values():
            for pack, asked in self._asked(hit, by_place[hit.place]):
                part.append((pack, hit.place, asked))
                letters += len(asked.text)
            if letters > LETTERS_AT_ONCE:
                self._send(part, said)
                part, letters = [], 0
        self._send(part, said)
        return said

    def _send(
        self,
        part: Sequence[tuple[str, Place, Asked]],
        said: dict[tuple[int, Place], Mapping[str, Any]],
    ) -> None:
        for pack, stream in self._streams.items():
            own = [(place, asked) for of, place, asked in part if of == pack]
            for answer in stream.ask([asked for _, asked in own]) if own else ():
                if self._take(answer):
                    said[answer.number, own[answer.at][0]] = answer.alert

    def _take(self, answer: Answer) -> bool:
        """Count what went wrong; say whether the rule matches."""
        if answer.error:
            self.asking.errors.setdefault(answer.number, Errors()).add(answer.error)
            return False
        self._count_faults(answer.number, answer.faults)
        return True

    def _count_faults(self, number: int, faults: Mapping[str, str]) -> None:
        for fault in faults.values():
            self.asking.faults.setdefault(number, Errors()).add(fault)

    def _told(self, number: int, hit: Hit) -> Mapping[str, Any]:
        """Return what a rule says of a match without its Python."""
        rule = self._rules[number]
        plan, view = self._seen(hit)
        planned = _planned(plan.inputs, number, rule, view)
        own = view.through("panther", planned.variant)
        name = _log_type_of(plan.log_type, planned, rule, view)
        one = rule.inputs[planned.number]
        outcome = self._teller.tell(rule, one, panther_document(own, name))
        self._count_faults(number, outcome.faults)
        return outcome.alert

    def _seen(self, hit: Hit) -> tuple[Plan, RecordView]:
        """Return the record of a match, and the plan that it was met with."""
        if self._last is None or self._last[0] != hit.place:
            record = self._staged.record(hit)
            plan = self._worker.plan_of(record.log_type, record.shape)
            value = read(record.text).value
            view = RecordView(value, plan.shape, "panther", None, self._worker.clock)
            self._last = hit.place, plan, view
        return self._last[1:]

    def _asked(self, hit: Hit, numbers: Sequence[int]) -> Iterator[tuple[str, Asked]]:
        """Yield an event as rules see it, once for each pack and each way to see it."""
        plan, view = self._seen(hit)
        by_way: dict[tuple[str, int, str], tuple[PlannedInput, list[int]]] = {}
        for number in numbers:
            planned = _planned(plan.inputs, number, self._rules[number], view)
            name = _log_type_of(plan.log_type, planned, self._rules[number], view)
            key = (self._streams_of[number], id(planned.variant), name)
            by_way.setdefault(key, (planned, []))[1].append(number)
        for (pack, _, name), (planned, of) in by_way.items():
            own = view.through("panther", planned.variant)
            document = panther_document(own, name)
            self._lookups[pack].enrich(document, name)
            text = compact(standard(document))
            yield pack, Asked(text, name, tuple(of))


def _planned(
    inputs: Iterable[PlannedInput], number: int, rule: Rule, view: RecordView
) -> PlannedInput:
    """Return the input by which a rule met a record: the first whose conditions hold."""
    own = [one for one in inputs if one.rule == number]
    return next((one for one in own if _met(one, rule, view)), own[0])


def _met(planned: PlannedInput, rule: Rule, view: RecordView) -> bool:
    if not holds(planned.variant.condition, view.through("panther", EVERY_EVENT).read):
        return False
    own = view.through("panther", planned.variant)
    return holds(rule.inputs[planned.number].condition, own.read, own.readers)


def _log_type_of(log_type: LogType, planned: PlannedInput, rule: Rule, view: RecordView) -> str:
    """Return what a record is to Panther, as a rule for several kinds of records is to know."""
    scope = rule.inputs[planned.number].scope
    names = scope.names if isinstance(scope, LogTypes) else ()
    for name in names:
        for variant in log_type.select_panther((name,)):
            if holds(variant.condition, view.through("panther", EVERY_EVENT).read):
                return name
    return names[0] if names else ""


def _streams(rules: Sequence[Rule], python: Python, asking: Asking) -> Iterator[tuple[str, Stream]]:
    for pack in dict.fromkeys(rule.pack for rule in rules if rule.kind in WITH_PYTHON):
        code = pack_code([part for part in python.parts if part.pack == pack])
        detections: dict[int, Streamed] = {}
        for number, rule in enumerate(rules):
            if rule.pack == pack and rule.kind in WITH_PYTHON:
                try:
                    detections[number] = _streamed(rule, code)
                except RuleError as error:
                    asking.stopped[number] = str(error)
        if detections:
            yield pack, Stream(code, detections, python.options)


def _lookups(packs: Iterable[str], python: Python) -> Iterator[tuple[str, Lookups]]:
    for pack in packs:
        yield pack, Lookups((one for one in python.parts if one.pack == pack), python.tables)


def _streamed(rule: Rule, code: PackCode) -> Streamed:
    source = Source(str(python_file(rule)), read_python(rule))
    detection = detection_of(rule, read_document(rule))
    return Streamed(detection, source, remembers(source, code.helpers))


def _grouped(rule: Rule, hit: Hit, alert: Mapping[str, Any]) -> Hit:
    """Return a match with its group and what it counts as; without a word it is the rule's name."""
    unique = alert.get("unique")
    group = str(alert.get("dedup") or alert.get("title") or rule.name)
    return replace(hit, values=((group,), (unique,) if unique else ()), said=alert)

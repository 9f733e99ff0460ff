"""Make events that a rule of Elastic must match and events that it must not, from its KQL text."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from ipaddress import ip_network
from itertools import islice
from pathlib import Path

from generated.elastic_streams import FLAGS, GATEWAY, NUMBERS, STREAMS, Record, Stream, Values
from generated.generator import some_of
from generated.kql_reading import (
    Literal,
    Way,
    is_value,
    literal_text,
    matches,
    texts_for,
    ways,
)
from tocsin.rules.elastic.kql import tree
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.model import Rule

POSITIVE, EACH_CHOICE, ELSEWHERE = "positive", "another choice", "another log"
MISSING, DIFFERENT = "a value is missing", "a value differs"
WAYS, EXCLUDED, EDITS = 100, 4, 2
PRESENT = {"source.as.number": 64500, "source.ip": "203.0.113.9"}
DATA_SETS = ("data_stream.dataset", "event.dataset")
CLASSES = {"query", "new_terms", "threshold"}


@dataclass(frozen=True, eq=False)
class ElasticRule:
    """A rule as its file says it."""

    loaded: Rule
    fields: Mapping[str, object]

    @property
    def name(self) -> str:
        return Path(self.loaded.path).stem

    @property
    def kind(self) -> str:
        return str(self.fields["type"])

    @cached_property
    def terms(self) -> list[str]:
        """Return the fields that must be there besides those of the query."""
        if self.kind == "new_terms":
            return self.fields["new_terms"]["value"]
        if self.kind == "threshold":
            return [*self.fields["threshold"]["field"], *(one for one, _ in self.distinct)]
        return []

    @property
    def distinct(self) -> list[tuple[str, int]]:
        counted = self.fields["threshold"].get("cardinality", [])
        return [(one["field"], one["value"]) for one in counted]

    def is_about(self, stream: Stream) -> bool:
        """Say whether the rule looks into the index of a log."""
        patterns = self.fields["index"]
        return any(fnmatchcase(f"logs-{stream.dataset}-default", one) for one in patterns)

    @property
    def most_distinct(self) -> int:
        """How many values a threshold needs."""
        return max((count for _, count in self.distinct), default=1)

    @property
    def least(self) -> int:
        """How many events a threshold needs."""
        return max(self.fields["threshold"]["value"], self.most_distinct)

    @cached_property
    def query(self) -> tree.Query:
        there = [tree.Exists(tree.Bare((name,))) for name in self.terms]
        query = parse(self.fields["query"])
        return tree.And((query, *there)) if there else query


@dataclass(frozen=True)
class Probe:
    """Events for a rule, and whether it must alert on them."""

    rule: ElasticRule
    stream: Stream
    form: str
    kind: str
    events: tuple[Values, ...]
    records: tuple[Record, ...]
    expected: bool


def azure_rules(rules: Sequence[Rule]) -> list[ElasticRule]:
    """Return the rules for Azure that ask in KQL."""
    read = ((rule, json.loads(rule.document)) for rule in rules if rule.enabled)
    found = [(rule, said) for rule, said in read if "azure" in integrations(said)]
    return [
        ElasticRule(rule, said["rule"]) for rule, said in found if said["rule"]["type"] in CLASSES
    ]


def integrations(document: Mapping[str, Mapping[str, object]]) -> list[object]:
    named = document.get("metadata", {}).get("integration", [])
    return named if isinstance(named, list) else [named]


@dataclass(frozen=True)
class Form:
    """How events are written: as Azure does, or as documents of Elastic's agent."""

    name: str
    event: Callable[[Stream, Values], Values]
    write: Callable[[Stream, Values], Record | None]
    possible: Callable[[Stream, str, str | None], bool]
    slot: Callable[[Stream, str], str]
    optional: Callable[[str], bool]
    """Whether a record without the value says nothing of it."""
    move: Callable[[Stream, Record], Record]
    """Makes a record that of another log."""


def document_event(stream: Stream, values: Values) -> Values:
    pairs = [pair for one in stream.aliases.items() for pair in (one, one[::-1])]
    same = {name: values[other] for name, other in pairs if other in values}
    dataset = dict.fromkeys(DATA_SETS, stream.dataset)
    return {**stream.constants, **stream.indexed, **dataset, **same, **values}


def document_of(stream: Stream, values: Values) -> Record:
    record: Record = {}
    for name, value in document_event(stream, values).items():
        *outer, last = name.split(".")
        at = record
        for key in outer:
            at = at.setdefault(key, {})
        at[last] = value
    return record


def in_document(stream: Stream, name: str, text: str | None) -> bool:
    return name not in DATA_SETS or text in {None, stream.dataset}


def moved(stream: Stream, record: Record) -> Record:
    other = "AuditLogs" if stream.dataset == "azure.activitylogs" else "Administrative"
    return {**record, "category": other}


def document_moved(_: Stream, record: Record) -> Record:
    event = {**record["event"], "dataset": "azure.q7"}
    return {**record, "data_stream": {"dataset": "azure.q7"}, "event": event}


RAW = Form("raw", Stream.event, Stream.record, Stream.possible, Stream.slot, lambda _: True, moved)
DOCUMENT = Form(
    "document",
    document_event,
    document_of,
    in_document,
    lambda _, name: name.replace(".*.", ".0."),
    lambda name: not name.startswith(("data_stream.", "event.")),
    document_moved,
)


class Maker:
    """Makes the events of one rule in one log and form."""

    def __init__(self, rule: ElasticRule, stream: Stream, form: Form) -> None:
        self.rule = rule
        self.stream = stream
        self.form = form
        self.seen: set[str] = set()

    def probes(self) -> Iterator[Probe]:
        found = [made for way in self.ways() if (made := self.solve(way)) is not None]
        if not found:
            return
        way, first = found[0]
        yield from self.probe(POSITIVE, first)
        for _, values in found[1:]:
            yield from self.probe(EACH_CHOICE, values)
        for kind, values in self.misses(way, first):
            yield from self.probe(kind, values)
        yield from self.elsewhere(first)

    def ways(self) -> list[Way]:
        found = ways(self.rule.query, self.possible)
        return [*found[:1], *some_of(found[1:], WAYS)]

    def possible(self, literal: Literal) -> bool:
        text = None if literal.value is None else literal_text(literal.value)
        if not literal.wanted:
            constant = self.form.event(self.stream, {}).get(literal.field)
            return constant is None or not self.form.possible(self.stream, literal.field, text)
        return self.form.possible(self.stream, literal.field, text)

    def solve(self, way: Way) -> tuple[Way, Values] | None:
        """Find values that do it."""
        values: Values = {}
        for slot in dict.fromkeys(self.slot(one) for one in way if one.wanted):
            found = self.value_of(slot, [one for one in way if self.slot(one) == slot])
            if found is None:
                return None
            values[slot] = found
        said = {name: one for name, one in values.items() if name not in self.constants}
        return (way, said) if self.judge(said) and self.write(said) is not None else None

    @property
    def constants(self) -> set[str]:
        return {*DATA_SETS, *(self.stream.constants if self.form is RAW else ())}

    def slot(self, literal: Literal) -> str:
        return self.form.slot(self.stream, literal.field)

    def value_of(self, slot: str, literals: Sequence[Literal]) -> object | None:
        wanted = [one.value for one in literals if one.wanted and one.value is not None]
        unwanted = [one for one in literals if not one.wanted]
        texts = [typed(slot, text) for text in texts_for(wanted)] if wanted else present(slot)
        for text in texts:
            if all(is_value(text, one, slot) for one in wanted) and not any(
                one.value is None or is_value(text, one.value, slot) for one in unwanted
            ):
                return text
        return None

    def judge(self, values: Values) -> bool:
        return matches(self.rule.query, self.form.event(self.stream, values))

    def write(self, values: Values) -> Record | None:
        return self.form.write(self.stream, values)

    def probe(self, kind: str, values: Values) -> Iterator[Probe]:
        """Yield a probe, unless there is one with the same event."""
        record = self.write(values)
        text = json.dumps(record)
        if record is not None and text not in self.seen:
            self.seen.add(text)
            expected = self.judge(values)
            yield Probe(
                self.rule, self.stream, self.form.name, kind, (values,), (record,), expected
            )

    def elsewhere(self, values: Values) -> Iterator[Probe]:
        """Yield the record of an event as if another log had it, where that makes a difference."""
        event = {**self.form.event(self.stream, values), **dict.fromkeys(DATA_SETS, "azure.q7")}
        if not matches(self.rule.query, event):
            record = self.form.move(self.stream, self.write(values))
            name = self.form.name
            yield Probe(self.rule, self.stream, name, ELSEWHERE, (event,), (record,), False)

    def misses(self, way: Way, found: Values) -> Iterator[tuple[str, Values]]:
        """Yield values that differ a little."""
        for name, value in found.items():
            if self.form.optional(name):
                left = {other: one for other, one in found.items() if other != name}
                yield MISSING, left
            edits = ({**found, name: one} for one in self.altered(name, value))
            yield from islice(((DIFFERENT, one) for one in edits if not self.judge(one)), EDITS)
        excluded = [one for one in way if not one.wanted and one.value is not None]
        for literal in some_of(excluded, EXCLUDED):
            slot = self.slot(literal)
            text = typed(slot, next(texts_for([literal.value])))
            yield "what is excluded", {**found, slot: text}
        for literal in (one for one in way if not one.wanted and one.value is None):
            slot = self.slot(literal)
            yield "what must not be there", {**found, slot: present(slot)[0]}

    def altered(self, name: str, value: object) -> Iterator[object]:
        """Yield values near one."""
        if name in self.stream.closed and self.form is RAW:
            yield from (one for one in self.stream.closed[name] if one != value)
        elif isinstance(value, bool):
            yield not value
        elif isinstance(value, int):
            yield value + 1
        elif name != "source.ip":
            text = str(value)
            yield from (text.swapcase(), f"{text}q7", f"q7{text}", text[:-1], text[1:])


def typed(slot: str, text: str) -> object:
    """Read a text as what the log has at a name."""
    if slot == "source.ip" and "/" in text:
        return str(ip_network(text)[-1])
    if slot == "url.path" and not text.startswith("/"):
        return f"/{text}"
    if slot in NUMBERS and text.isdigit():
        return int(text)
    return text == "true" if slot in FLAGS and text in {"true", "false"} else text


def present(slot: str) -> list[object]:
    """Return values for a name of which only is asked that there is one."""
    if slot in PRESENT:
        return [PRESENT[slot]]
    if slot == "azure.resource.id":
        return ["/SUBSCRIPTIONS/Q7/RESOURCEGROUPS/Q7/PROVIDERS/MICROSOFT.Q7/THINGS/Q7"]
    return [False] if slot in FLAGS else [0] if slot in NUMBERS else ["q7"]


def make_probes(rule: ElasticRule, form: Form) -> list[Probe]:
    """Make the events for a rule in every log that it is about."""
    return [
        one
        for stream in (*STREAMS, GATEWAY)
        if rule.is_about(stream)
        for one in make_in(rule, stream, form)
    ]


def make_in(rule: ElasticRule, stream: Stream, form: Form) -> Iterator[Probe]:
    maker = Maker(rule, stream, form)
    for probe in maker.probes():
        if rule.kind != "threshold":
            yield probe
        elif probe.kind == ELSEWHERE:
            yield replace(probe, records=probe.records * rule.least)
        else:
            yield group(maker, probe, rule.least, rule.most_distinct)
        if rule.kind == "threshold" and probe.kind == POSITIVE:
            yield from too_few(maker, probe)


def too_few(maker: Maker, probe: Probe) -> Iterator[Probe]:
    """Yield fewer events than a threshold asks for, with fewer values, in two groups."""
    rule, values = maker.rule, probe.events[0]
    few = replace(probe, expected=False)
    if rule.distinct:
        kind = replace(few, kind="a value too few")
        yield group(maker, kind, rule.least, rule.most_distinct - 1)
    if rule.fields["threshold"]["value"] > 1:
        kind = replace(few, kind="an event too few")
        yield group(maker, kind, rule.least - 1, rule.most_distinct)
    for name in rule.fields["threshold"]["field"]:
        kind = replace(few, kind="in two groups")
        *most, last = group(maker, kind, rule.least, rule.most_distinct).events
        slot = maker.form.slot(maker.stream, name)
        events = (*most, {**last, slot: f"{values[slot]}q7"})
        yield replace(kind, events=events, records=tuple(map(maker.write, events)))


def group(maker: Maker, probe: Probe, count: int, distinct: int) -> Probe:
    """Return so many events for one, with so many different values of what is counted."""
    (values,) = probe.events
    events = tuple(dict(values) for _ in range(count))
    counted = [maker.form.slot(maker.stream, name) for name, _ in maker.rule.distinct]
    for slot in counted:
        for number, event in enumerate(events):
            if event.get(slot):
                event[slot] = f"{event[slot]}{number % distinct}"
    expected = probe.expected and all(slot in values for slot in counted)
    records = tuple(map(maker.write, events))
    return replace(probe, events=events, records=records, expected=expected)

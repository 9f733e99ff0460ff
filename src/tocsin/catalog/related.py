"""Rules that have to do with a rule, each with the reasons why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import log

from tocsin.catalog.diff import diff_rules
from tocsin.catalog.indicators import IndicatorIndex
from tocsin.catalog.logtypes import comparable_log_types
from tocsin.catalog.outcome import says_kind
from tocsin.condition.functions import fold
from tocsin.condition.tree import Op
from tocsin.engine.plan import select
from tocsin.rules.model import Rule

COMMON = 100
"""A value that more rules than this look for in the same field relates none of them."""
OPERATIONS = frozenset({"event.action", "operationName", "operation_name", "eventName"})
"""Canonical fields that say what was done."""
SHOWN = 20
_LISTED = 3
_LONG = 8
"""A pattern of fewer letters covers too much."""
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    Op.STARTSWITH: lambda pattern, text: text.startswith(pattern),
    Op.CONTAINS: lambda pattern, text: pattern in text,
}
Pattern = tuple[str, Callable[[str], bool], str]
_VERSION_SCORE, _OPERATION_SCORE, _TECHNIQUE_SCORE = 100.0, 3.0, 1.0


@dataclass(slots=True)
class Related:
    """A rule that has to do with another, and why; the higher the score the more."""

    rule: Rule
    score: float = 0.0
    reasons: list[str] = field(default_factory=list)

    def add(self, score: float, reason: str) -> None:
        """Add a reason."""
        self.score += score
        self.reasons.append(reason)


class RelatedIndex:
    """Finds related rules among many; made once for all of them."""

    def __init__(self, index: IndicatorIndex) -> None:
        self._index = index
        self._values = [self._asked(number) for number in range(len(index.rules))]
        self._holders: dict[tuple[str, str], list[int]] = {}
        self._by_id: dict[str, list[int]] = {}
        self._by_technique: dict[str, list[int]] = {}
        self._log_types: dict[int, frozenset[str]] = {}
        patterns = ((number, tuple(self._patterned(number))) for number in range(len(index.rules)))
        self._patterns = {number: some for number, some in patterns if some}
        for number, rule in enumerate(index.rules):
            self._by_id.setdefault(rule.id, []).append(number)
            for pair in self._values[number]:
                self._holders.setdefault(pair, []).append(number)
            for technique in _techniques(rule):
                self._by_technique.setdefault(technique, []).append(number)
        self._operations = self._exact_operations()

    def _patterned(self, number: int) -> Iterator[Pattern]:
        """Yield the patterns that a rule has for operations."""
        for one in self._index.indicators[number]:
            if one.op in _TESTS and one.canonical in OPERATIONS and not one.negated:
                for value in one.values:
                    if len(value) >= _LONG:
                        yield one.canonical, partial(_TESTS[one.op], fold(value)), value

    def _exact_operations(self) -> dict[tuple[str, str], list[int]]:
        """Return who looks for which operations by their whole names."""
        found: dict[tuple[str, str], list[int]] = {}
        for number, indicators in enumerate(self._index.indicators):
            for one in indicators:
                if one.op == Op.EQUALS and one.canonical in OPERATIONS and not one.negated:
                    for value in one.values:
                        found.setdefault((one.canonical, fold(value)), []).append(number)
        return found

    def _asked(self, number: int) -> dict[tuple[str, str], str]:
        """Return what a rule looks for: canonical field and folded value → the value as written."""
        return {
            (one.canonical, fold(value)): value
            for one in self._index.indicators[number]
            if not one.negated and not says_kind(one.canonical)
            for value in one.values
        }

    def related(self, rule: Rule, shown: int = SHOWN) -> tuple[Related, ...]:
        """Return the rules that have to do with a rule, the nearest first."""
        own = self._index.numbers[rule.key]
        found: dict[int, Related] = {}
        self._add_versions(own, found)
        self._add_sharing(own, found)
        self._add_covered(own, found)
        self._add_techniques(own, found)
        ordered = sorted(found.values(), key=lambda one: (-one.score, one.rule.name, one.rule.key))
        return tuple(ordered[:shown])

    def _entry(self, found: dict[int, Related], number: int) -> Related:
        return found.setdefault(number, Related(self._index.rules[number]))

    def _add_versions(self, own: int, found: dict[int, Related]) -> None:
        rule = self._index.rules[own]
        for number in self._by_id[rule.id]:
            if number != own:
                other = self._index.rules[number]
                changes = [str(change) for change in diff_rules(rule, other).changes]
                said = f"there: {'; '.join(changes)}" if changes else "with the same meaning"
                reason = f"a version of the same rule in pack {other.pack}, {said}"
                self._entry(found, number).add(_VERSION_SCORE, reason)

    def _add_sharing(self, own: int, found: dict[int, Related]) -> None:
        """Add the rules that look for the same, the more the fewer do."""
        total = max(len(self._index.rules), 2)
        shared: dict[int, list[tuple[float, tuple[str, str]]]] = {}
        for pair in self._values[own]:
            holders = self._holders[pair]
            if len(holders) <= COMMON:
                weight = log(total / len(holders))
                for number in holders:
                    if number != own:
                        shared.setdefault(number, []).append((weight, pair))
        for number, weighed in shared.items():
            for weight, (canonical, text) in sorted(weighed, reverse=True):
                value = self._values[own][canonical, text]
                count = len(self._holders[canonical, text])
                what = "the same operation" if canonical in OPERATIONS else "the same"
                extra = _OPERATION_SCORE if canonical in OPERATIONS else 0.0
                reason = f"looks for {what}: {canonical} {value!r}, as {count:,} rules do"
                self._entry(found, number).add(weight + extra, reason)

    def _add_covered(self, own: int, found: dict[int, Related]) -> None:
        """Add the rules whose operations a pattern of this rule covers, and the other way round."""
        covered: dict[tuple[int, str], dict[str, None]] = {}
        for number, value, pattern in (*self._covered_by(own), *self._covering(own)):
            if number != own:
                covered.setdefault((number, pattern), {})[value] = None
        for (number, pattern), values in covered.items():
            listed = ", ".join(map(repr, list(values)[:_LISTED]))
            more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
            reason = f"the operations that {pattern!r} covers include {listed}{more}"
            self._entry(found, number).add(_OPERATION_SCORE + log(len(values)), reason)

    def _covered_by(self, own: int) -> Iterator[tuple[int, str, str]]:
        for canonical, test, pattern in self._patterns.get(own, ()):
            for (other, folded), holders in self._operations.items():
                if other == canonical and test(folded):
                    yield from ((n, self._values[n][other, folded], pattern) for n in holders)

    def _covering(self, own: int) -> Iterator[tuple[int, str, str]]:
        asked = [pair for pair in self._values[own] if pair in self._operations]
        for number, patterns in self._patterns.items():
            for canonical, test, pattern in patterns:
                for other, folded in asked:
                    if other == canonical and test(folded):
                        yield number, self._values[own][other, folded], pattern

    def _add_techniques(self, own: int, found: dict[int, Related]) -> None:
        """Add the rules about the same technique in the same logs."""
        mine = self._about(own)
        for technique in _techniques(self._index.rules[own]):
            for number in self._by_technique[technique]:
                if number != own and (both := sorted(mine & self._about(number))):
                    reason = f"about {technique} in {', '.join(both)}, too"
                    weight = _TECHNIQUE_SCORE / len(self._by_technique[technique])
                    self._entry(found, number).add(_TECHNIQUE_SCORE + weight, reason)

    def _about(self, number: int) -> frozenset[str]:
        """Return the log types that a rule is about, or its scope where they have none."""
        if number not in self._log_types:
            inputs = self._index.rules[number].inputs
            names = {
                log_type.name
                for log_type in comparable_log_types()
                if not log_type.documents and any(select(log_type, one) for one in inputs)
            }
            self._log_types[number] = frozenset(names or {str(one.scope) for one in inputs})
        return self._log_types[number]


def _techniques(rule: Rule) -> Sequence[str]:
    return tuple(dict.fromkeys(one.technique for one in rule.attack if one.technique))


def relate(rules: Iterable[Rule]) -> RelatedIndex:
    """Make the index of related rules."""
    return RelatedIndex(IndicatorIndex(rules))

"""What changed between two versions of a rule, or of a pack, as meaning: beside the text diff."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tocsin.catalog.implies import UndecidedError, implies
from tocsin.catalog.subject import readings
from tocsin.condition.describe import in_one_line, value_text
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    And,
    AnyElement,
    Condition,
    Field,
    Not,
    Or,
    Predicate,
    Value,
)
from tocsin.rules.describe import describe_schedule, describe_stage, describe_suppression
from tocsin.rules.model import Input, Rule

_SHOWN = 300


class Reach(StrEnum):
    """What a change does to the events that a rule matches."""

    SAME = "the same events"
    MORE = "more events"
    FEWER = "fewer events"
    OTHER = "other events"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different, in words; `before` or `after` is None if it is new or gone."""

    what: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.what} added: {self.after}"
        if self.after is None:
            return f"{self.what} removed: {self.before}"
        return f"{self.what}: {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class RuleDiff:
    """How a rule changed."""

    before: Rule
    after: Rule
    changes: tuple[Change, ...]
    reach: Reach | None
    """None if the conditions are the same, or cannot be compared."""
    text: tuple[str, ...] = ()
    """Lines of a unified diff, where the texts were given."""


@dataclass(frozen=True, slots=True)
class PackDiff:
    """How the rules of a pack changed."""

    added: tuple[Rule, ...]
    removed: tuple[Rule, ...]
    changed: tuple[RuleDiff, ...]
    reworded: tuple[RuleDiff, ...]
    """Rules whose text changed, but not their meaning."""
    same: int


Texts = Callable[[Rule, Rule], tuple[str, str]]
"""Gives the texts of the files of a rule before and after."""


def texts_below(before: Path, after: Path) -> Texts:
    """Return what reads the texts of rules whose paths are relative to two folders."""

    def text(root: Path, rule: Rule) -> str:
        file = root / rule.path if root.is_dir() else root
        try:
            return file.read_text("utf-8-sig", errors="replace")
        except OSError:
            return ""

    return lambda old, new: (text(before, old), text(after, new))


def diff_rules(before: Rule, after: Rule, texts: tuple[str, str] | None = None) -> RuleDiff:
    """Say what changed between two versions of a rule."""
    changes = (
        *_inputs(before, after),
        *(
            Change(what, old, new)
            for what, of in _PARTS
            if (old := of(before)) != (new := of(after))
        ),
        *_lists(before, after),
    )
    lines = _text_diff(before, after, texts) if texts else ()
    return RuleDiff(before, after, changes, _reach(before, after), lines)


def diff_packs(
    before: Iterable[Rule],
    after: Iterable[Rule],
    texts_of: Texts | None = None,
) -> PackDiff:
    """Say what changed between two versions of a pack; rules are told by their id.

    `texts_of` gives the texts of a rule's files, to show beside what changed in meaning.
    """
    old = {rule.id: rule for rule in before}
    new = {rule.id: rule for rule in after}
    both = [(old[key], new[key]) for key in old if key in new]
    touched = [(one, other) for one, other in both if one.digest != other.digest]
    diffs = [
        diff_rules(one, other, texts_of(one, other) if texts_of else None) for one, other in touched
    ]
    return PackDiff(
        tuple(new[key] for key in new if key not in old),
        tuple(old[key] for key in old if key not in new),
        tuple(one for one in diffs if one.changes),
        tuple(one for one in diffs if not one.changes),
        len(both) - len(touched),
    )


def _text_diff(before: Rule, after: Rule, texts: tuple[str, str]) -> tuple[str, ...]:
    one, other = (text.splitlines() for text in texts)
    return tuple(difflib.unified_diff(one, other, before.path, after.path, lineterm="", n=2))


def _reach(before: Rule, after: Rule) -> Reach | None:
    """Say what became of the events that conditions match, on the log types both are about."""
    if [one.condition for one in before.inputs] == [one.condition for one in after.inputs]:
        return None
    old, new = readings(before), readings(after)
    names = [name for name in old if name in new]
    if not names:
        return None
    try:
        fewer = all(implies(new[name].condition, old[name].condition) for name in names)
        more = all(implies(old[name].condition, new[name].condition) for name in names)
    except (UndecidedError, RecursionError):
        return None
    if fewer and more:
        return Reach.SAME
    if fewer:
        return Reach.FEWER
    return Reach.MORE if more else Reach.OTHER


def _inputs(before: Rule, after: Rule) -> Iterator[Change]:
    """Yield what changed in what a rule waits for, input by input."""
    several = max(len(before.inputs), len(after.inputs)) > 1
    for number in range(max(len(before.inputs), len(after.inputs))):
        label = f"input {number + 1}, " if several else ""
        old = before.inputs[number] if number < len(before.inputs) else None
        new = after.inputs[number] if number < len(after.inputs) else None
        if old and new:
            yield from _input(label, old, new)
        else:
            gone = in_one_line(old.condition) if old else None
            come = in_one_line(new.condition) if new else None
            yield Change(f"{label or 'the '}condition", _short(gone), _short(come))


def _input(label: str, old: Input, new: Input) -> Iterator[Change]:
    if str(old.scope) != str(new.scope):
        yield Change(f"{label}scope", str(old.scope), str(new.scope))
    one, other = (_predicates(part.condition) for part in (old, new))
    gone = [key for key in one if key not in other]
    come = [key for key in other if key not in one]
    rejoined = not gone and not come and simplify(old.condition) != simplify(new.condition)
    yield from _values(label, gone, come)
    for key in gone:
        yield Change(f"{label}predicate", _short(key[1]), None)
    for key in come:
        yield Change(f"{label}predicate", None, _short(key[1]))
    if rejoined:
        shown = (_short(in_one_line(part.condition)) for part in (old, new))
        yield Change(f"{label}how predicates are joined", *shown)


_Asked = tuple[tuple[object, ...], str, tuple[Value, ...]]
"""What a predicate is about (field, operator, negation), its words, and its values."""


def _predicates(condition: Condition) -> dict[_Asked, None]:
    return dict.fromkeys(_each(condition, ""))


def _each(condition: Condition, around: str) -> Iterator[_Asked]:
    match condition:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _each(part, around)
        case Not(part):
            yield from _each(part, "" if around.startswith("not ") else f"not {around}")
        case AnyElement(path, inner):
            yield from _each(inner, f"{around}one element of {'.'.join(path)}: ")
        case Predicate(field, op, values, fold_case):
            about = (around, field, op, fold_case)
            yield about, around + in_one_line(condition), values
        case _:
            yield (around, condition), around + in_one_line(condition), ()


def _values(label: str, gone: list[_Asked], come: list[_Asked]) -> Iterator[Change]:
    """Yield the values that came and went where the rest of a predicate stayed; take these out."""
    for old in list(gone):
        new = next((key for key in come if key[0] == old[0] and old[2]), None)
        if new is None:
            continue
        gone.remove(old)
        come.remove(new)
        name = f"{label}values of {_about(old)}"
        lost = [value_text(v) for v in old[2] if v not in new[2]]
        won = [value_text(v) for v in new[2] if v not in old[2]]
        if lost:
            yield Change(name, _short(", ".join(lost)), None)
        if won:
            yield Change(name, None, _short(", ".join(won)))


def _about(asked: _Asked) -> str:
    around, field, op, *_ = asked[0]
    name = ".".join(field.path) if isinstance(field, Field) else str(field)
    return f"{around}{name or 'any value'} ({op})"


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= _SHOWN:
        return text
    return text[: _SHOWN - 1] + "…"


def _attack(rule: Rule) -> str:
    named = sorted({name for one in rule.attack for name in (one.tactic, one.technique) if name})
    return ", ".join(named)


_PARTS: Sequence[tuple[str, Callable[[Rule], str | None]]] = (
    ("severity", lambda rule: rule.severity.value),
    ("risk score", lambda rule: str(rule.risk_score)),
    ("stage", lambda rule: describe_stage(rule.stage) if rule.stage else None),
    (
        "suppression",
        lambda rule: describe_suppression(rule.suppression) if rule.suppression else None,
    ),
    ("schedule", lambda rule: describe_schedule(rule.schedule) if rule.schedule else None),
    ("status", lambda rule: rule.status),
    ("kind", lambda rule: rule.kind),
    ("name", lambda rule: rule.name),
    ("license", lambda rule: rule.license),
    ("verdict", lambda rule: rule.verdict.value),
    ("ATT&CK", _attack),
)
_LISTS: Sequence[tuple[str, Callable[[Rule], Sequence[str]]]] = (
    ("tag", lambda rule: rule.tags),
    ("author", lambda rule: rule.author),
)


def _lists(before: Rule, after: Rule) -> Iterator[Change]:
    for what, of in _LISTS:
        old, new = of(before), of(after)
        yield from (Change(what, one, None) for one in old if one not in new)
        yield from (Change(what, None, one) for one in new if one not in old)


def diff_lines(found: PackDiff) -> Iterator[str]:
    """Yield what changed in a pack for people."""
    for word, rules in (("added", found.added), ("removed", found.removed)):
        for rule in rules:
            yield f"{word:8} {rule.name} ({rule.severity.value}, {rule.path})"
    for one in found.changed:
        yield from rule_diff_lines(one)
    if found.reworded:
        names = ", ".join(one.after.name for one in found.reworded)
        yield f"reworded, with the same meaning: {names}"


def rule_diff_lines(found: RuleDiff) -> Iterator[str]:
    """Yield what changed in a rule for people, its text diff last."""
    yield f"changed  {found.after.name} ({found.after.path})"
    if found.reach:
        word = "as" if found.reach is Reach.SAME else "than"
        yield f"         matches {found.reach.value} {word} before"
    yield from (f"         {change}" for change in found.changes)
    yield from (f"         | {line}" for line in found.text)


def diff_record(found: PackDiff) -> dict[str, object]:
    """Return what changed in a pack as JSON data."""
    return {
        "schema": 1,
        "added": [_heading(rule) for rule in found.added],
        "removed": [_heading(rule) for rule in found.removed],
        "changed": [_rule_record(one) for one in found.changed],
        "reworded": [_rule_record(one) for one in found.reworded],
        "same": found.same,
    }


def _heading(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "path": rule.path,
    }


def _rule_record(found: RuleDiff) -> dict[str, object]:
    return {
        **_heading(found.after),
        "matches": found.reach.name.lower() if found.reach else None,
        "changes": [
            {"what": one.what, "before": one.before, "after": one.after} for one in found.changes
        ],
        "diff": found.text,
    }

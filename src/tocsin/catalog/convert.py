"""Say a rule's condition in another language, where that can be done exactly.

What is said is read again and compared with what was to be said; only what reasoning shows to mean
the same is given out.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tocsin.catalog.canonical import canonical
from tocsin.catalog.implies import UndecidedError, implies
from tocsin.catalog.places import Places
from tocsin.catalog.subject import Reading, limiting_stage, readings
from tocsin.catalog.to_kql import render_kql
from tocsin.catalog.to_sigma import render_sigma
from tocsin.catalog.to_sql import MACRO, render_sql
from tocsin.catalog.translate import CannotSay, Target, Translator
from tocsin.condition.functions import fold
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import TRUE, Condition, FieldsCompare, Predicate, fields, leaves
from tocsin.errors import RuleError
from tocsin.logs.logtype import EVERY_EVENT, LogType
from tocsin.rules.describe import describe_stage, describe_suppression
from tocsin.rules.elastic.fields import field_type
from tocsin.rules.elastic.kql.lower import lower
from tocsin.rules.elastic.kql.parse import parse
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader
from tocsin.rules.model import Indices, LogSource, Rule

SIGMA = Target("Sigma", "sigma", folds=True, minds_case=True)
KQL = Target("KQL", "ecs", folds=False, minds_case=True)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A rule in another language, or why it cannot be said there."""

    language: str
    log_type: str
    text: str | None
    """None if a part of the condition cannot be said."""
    lost: tuple[CannotSay, ...] = ()
    """Parts of the condition that cannot be said."""
    beside: tuple[str, ...] = ()
    """What of the rule is not part of the condition, and so is not said."""
    notes: tuple[str, ...] = ()
    """What a reader of the text has to know."""


def convert(rule: Rule, language: str, log_type: str | None = None) -> Conversion:
    """Say a rule in a language: one of `LANGUAGES`.

    Raises `CannotSay` if the rule has no condition that is read, or none on the log type.
    """
    reading = _reading(rule, log_type)
    beside = tuple(_beside(rule))
    try:
        text, notes = LANGUAGES[language](rule, reading)
    except _Lost as lost:
        return Conversion(language, reading.log_type.name, None, lost.parts, beside)
    except CannotSay as part:
        return Conversion(language, reading.log_type.name, None, (part,), beside)
    return Conversion(language, reading.log_type.name, text, (), beside, notes)


class _Lost(Exception):
    def __init__(self, parts: tuple[CannotSay, ...]) -> None:
        super().__init__()
        self.parts = parts


def _reading(rule: Rule, log_type: str | None) -> Reading:
    known = readings(rule)
    if log_type is not None and log_type not in known:
        about = ", ".join(known) or "no log type"
        raise CannotSay(rule.name, f"is not about {log_type}, but about {about}")
    if not known:
        why = rule.reasons[0] if rule.reasons else "has no condition that is read"
        raise CannotSay(rule.name, why)
    own = [one for one in known.values() if not one.log_type.documents]
    return known[log_type] if log_type else max(own or known.values(), key=_names_known)


def _names_known(reading: Reading) -> int:
    """Count the names in a rule that its log type has words for."""
    names = reading.places.shape.names
    return sum(
        fold(name) in names.get(one.vocabulary, {})
        for one, _ in reading.inputs
        for name in {field.path[0] for field in fields(one.condition) if field.path}
    )


def _beside(rule: Rule) -> Iterator[str]:
    if stage := limiting_stage(rule):
        yield f"alerts only on: {describe_stage(stage)}"
    if rule.suppression:
        yield f"suppression: {describe_suppression(rule.suppression)}"


def _to_sigma(rule: Rule, reading: Reading) -> tuple[str, tuple[str, ...]]:
    source, condition = _log_source(reading)
    if {one.vocabulary for one in rule.inputs} == {SIGMA.vocabulary} and len(rule.inputs) == 1:
        said = rule.inputs[0].condition
    else:
        said = _said(rule, reading.places, SIGMA, condition)
    text = render_sigma(said, rule, source)
    loaded = _load(text)
    _check(rule, reading, loaded)
    return text, ()


def _load(text: str) -> Rule:
    file = RuleFile(Path("rule.yml"), "converted", "rule.yml")
    rules, _ = RuleLoader(LoadOptions()).load_text(text, file)
    if not rules or not rules[0].inputs:
        reason = rules[0].reasons[0] if rules and rules[0].reasons else "cannot be read"
        raise CannotSay("the rule as Sigma", reason)
    return rules[0]


def _check(rule: Rule, reading: Reading, said: Rule) -> None:
    """Raise `CannotSay` unless what was said means the same on the log type."""
    name = reading.log_type.name
    found = readings(said).get(name)
    if found is None or not _same(found.condition, reading.condition):
        raise CannotSay(rule.name, f"it could not be shown to mean the same on {name}")


def _same(one: Condition, other: Condition) -> bool:
    if one == other:
        return True
    try:
        return implies(one, other) and implies(other, one)
    except (UndecidedError, RecursionError):
        return False


def _log_source(reading: Reading) -> tuple[LogSource, Condition]:
    """Return the log source of a log type, and what is to be said besides it."""
    scopes = {one.scope for one, _ in reading.inputs}
    scope = next(iter(scopes))
    if len(scopes) == 1 and isinstance(scope, LogSource):
        return scope, _own(reading)
    log_type = reading.log_type
    product = next((name for name, which in log_type.products.items() if which == TRUE), None)
    if product is None:
        raise CannotSay(log_type.name, "Sigma has no log source for these logs")
    every = [name for name, variants in log_type.services.items() if variants == (EVERY_EVENT,)]
    return LogSource(product, None, min(every, key=_plainness, default=None)), reading.condition


def _own(reading: Reading) -> Condition:
    """Return a condition under its plain names where several variants read it."""
    one, _ = reading.inputs[0]
    return simplify(canonical(one.condition, reading.places, one.vocabulary))


def _plainness(name: str) -> tuple[int, int]:
    return name.count("."), len(name)


def _to_kql(rule: Rule, reading: Reading) -> tuple[str, tuple[str, ...]]:
    if not reading.log_type.indices and not reading.log_type.documents:
        raise CannotSay(reading.log_type.name, "Elastic's names for these logs are not known")
    if own := _own_query(rule):
        return f"{own.strip()}\n", _indices(rule, reading.log_type)
    by_index = isinstance(reading.inputs[0][0].scope, Indices)
    condition = reading.own if by_index else reading.condition
    said = _said(rule, reading.places, KQL, condition)
    text = render_kql(said)
    try:
        lowered = lower(parse(text), field_type, None)
    except RuleError as error:
        raise CannotSay(rule.name, f"KQL: {error.reason}") from None
    again = simplify(canonical(lowered.condition, reading.places, "ecs"))
    if not _same(again, condition):
        raise CannotSay(rule.name, "it could not be shown to mean the same in KQL")
    return text + "\n", _indices(rule, reading.log_type)


def _own_query(rule: Rule) -> str | None:
    """Return the query of a rule that is written in KQL."""
    said = json.loads(rule.document).get("rule") if rule.document else None
    if rule.ecosystem != "elastic" or not isinstance(said, dict):
        return None
    if said.get("filters") or said.get("exceptions_list"):
        return None
    query, language = said.get("query"), said.get("language", "kuery")
    return query if isinstance(query, str) and language == "kuery" else None


def _indices(rule: Rule, log_type: LogType) -> tuple[str, ...]:
    scope = rule.inputs[0].scope
    patterns = (
        scope.patterns
        if isinstance(scope, Indices)
        else tuple(index.removesuffix("default") + "*" for index in log_type.indices[:1])
    )
    return (f"indices: {', '.join(patterns)}",)


def _said(rule: Rule, places: Places, target: Target, condition: Condition) -> Condition:
    translator = Translator(places, target, _texts_of(rule))
    said = translator.condition(condition)
    if translator.lost:
        raise _Lost(tuple(translator.lost.values()))
    return said


def _texts_of(rule: Rule) -> Iterator[str]:
    """Yield the texts of a rule as its author wrote them."""
    for one in rule.inputs:
        for leaf in leaves(one.condition):
            if isinstance(leaf, Predicate):
                yield from (value for value in leaf.values if isinstance(value, str))


def _to_sql(rule: Rule, reading: Reading) -> tuple[str, tuple[str, ...]]:
    condition = reading.own if reading.log_type.documents else reading.condition
    text = render_sql(condition, reading.places)
    shape = f"{reading.log_type.name}, shape {reading.places.shape.name}"
    notes = [f"about records of {shape}, one a line"]
    if reading.log_type.documents:
        notes += _indices(rule, reading.log_type)
    if any(isinstance(leaf, FieldsCompare) for leaf in leaves(reading.condition)):
        notes.append("fields are compared as text")
    return f"{MACRO}\n{text};\n", tuple(notes)


LANGUAGES: Mapping[str, Callable[[Rule, Reading], tuple[str, tuple[str, ...]]]] = {
    "sigma": _to_sigma,
    "kql": _to_kql,
    "sql": _to_sql,
}

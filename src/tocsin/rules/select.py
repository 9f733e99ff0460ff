"""Choose rules: `--where 'ecosystem:sigma tag:azure severity>=medium -id:…'`.

The syntax is that of `where.py`. Texts compare ignoring case; `*` stands for anything; a word
without a field is looked for in name, description and tags.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping

from tocsin.content.attack import load_attack
from tocsin.errors import UsageError
from tocsin.rules import traits
from tocsin.rules.model import Rule, Severity
from tocsin.rules.where import Term, parse_terms

Chooser = Callable[[Rule], bool]
Reader = Callable[[Rule], Iterable[str]]

DATES = frozenset({"changed", "date", "modified"})
"""Fields that have an order: days, as `2025-01-31`."""
PARTLY = frozenset({"author", "index", "name", "path", "text", "value"})
"""Fields that `:` compares with a part of their text; `=` asks for the whole."""
ORDERS = frozenset({">=", "<=", ">", "<"})


def _scopes(rule: Rule, part: str) -> Iterable[str]:
    return (getattr(one.scope, part, None) or "" for one in rule.inputs)


def _tactics(rule: Rule) -> Iterable[str]:
    return (one.tactic for one in rule.attack if one.tactic)


def _techniques(rule: Rule) -> Iterable[str]:
    """Yield the techniques that a rule names, and what older ids became."""
    attack = load_attack()
    for one in rule.attack:
        if one.technique:
            yield one.technique
            if (now := attack.technique(one.technique).id) != one.technique:
                yield now


def _texts(rule: Rule) -> Iterable[str]:
    query = traits.part_of(rule, "rule").get("query")
    return (rule.name, rule.description, rule.guide, rule.setup, *traits.texts(query))


FIELDS: Mapping[str, Reader] = {
    "author": lambda rule: rule.author,
    "category": lambda rule: _scopes(rule, "category"),
    "changed": lambda rule: (traits.changed(rule),),
    "collection": lambda rule: rule.collections,
    "date": lambda rule: (traits.day(rule.date),),
    "ecosystem": lambda rule: (rule.ecosystem,),
    "field": lambda rule: (one.field for one in traits.rule_tests(rule)),
    "has": traits.holdings,
    "id": lambda rule: (rule.id,),
    "index": traits.indices,
    "kind": lambda rule: (rule.kind,),
    "license": lambda rule: (rule.license or "",),
    "modified": lambda rule: (traits.day(rule.modified),),
    "name": lambda rule: (rule.name,),
    "pack": lambda rule: (rule.pack,),
    "path": lambda rule: (rule.path,),
    "platform": traits.platforms,
    "product": lambda rule: _scopes(rule, "product"),
    "service": lambda rule: _scopes(rule, "service"),
    "severity": lambda rule: (rule.severity.value,),
    "source": traits.sources,
    "status": lambda rule: (rule.status.lower(),),
    "tactic": _tactics,
    "tag": lambda rule: rule.tags,
    "technique": _techniques,
    "text": _texts,
    "value": lambda rule: (one.value for one in traits.rule_tests(rule)),
    "verdict": lambda rule: (rule.verdict.value,),
}


def parse_where(text: str, more: Mapping[str, Reader] | None = None) -> Chooser:
    """Return the chooser that an expression means; raise `UsageError` if it means nothing.

    `more` are fields that the rule alone does not tell, and how they are read.
    """
    fields = {**FIELDS, **(more or {})}
    choosers = [_chooser(term, fields) for term in parse_terms(text, fields)]
    return lambda rule: all(chooser(rule) for chooser in choosers)


def _chooser(term: Term, fields: Mapping[str, Reader]) -> Chooser:
    chooser = _field(term, fields[term.field]) if term.field else _word(term.text.lower())
    return (lambda rule: not chooser(rule)) if term.negated else chooser


def _word(wanted: str) -> Chooser:
    parts = [re.escape(part) for part in wanted.split("*") if part]
    found = re.compile(r"\S*".join(parts))
    return lambda rule: any(found.search(text.lower()) for text in _words(rule))


def _field(term: Term, read: Reader) -> Chooser:
    check_order(term)
    if term.field == "severity" and term.op in ORDERS:
        return _severity(term.op, term.text)
    if term.op in ORDERS:
        return lambda rule: any(one and in_order(one, term.op, term.text) for one in read(rule))
    patterns = patterns_of(term)
    return lambda rule: any(fits(text.lower(), patterns, term) for text in read(rule))


def check_order(term: Term) -> None:
    """Raise `UsageError` if a term asks for the order of what has none."""
    if term.op in ORDERS and term.field != "severity" and term.field not in DATES:
        raise UsageError(f"--where: {term.field} has no order; write {term.field}:{term.text}")


def patterns_of(term: Term) -> list[str]:
    """Return what a term asks for in lower case; raise `UsageError` for what is no severity."""
    if term.field == "severity":
        return [parse_severity(text).value for text in term.texts]
    return [text.lower() for text in term.texts]


def in_order(text: str, op: str, bound: str) -> bool:
    """Compare a date with another, or with a year or month as far as that goes."""
    shown = text[: len(bound)]
    return {">=": shown >= bound, "<=": shown <= bound, ">": shown > bound, "<": shown < bound}[op]


def _words(rule: Rule) -> Iterable[str]:
    return (rule.name, rule.description, *rule.tags)


def fits(text: str, patterns: Iterable[str], term: Term) -> bool:
    """Whole values; but a tag also by one of its parts, dates by their start, some by any part.

    The parts of a tag stand between dots, as in Sigma, or at a colon and a blank, as in Elastic.
    """
    for pattern in patterns:
        if fnmatch.fnmatchcase(text, _only_stars(pattern)):
            return True
        if term.op == "=":
            continue
        if term.field in PARTLY and pattern in text:
            return True
        if term.field in DATES and text.startswith(pattern):
            return True
        if term.field == "tag" and (
            pattern in re.split(r"\.|: ", text) or text.endswith(("." + pattern, ": " + pattern))
        ):
            return True
        if term.field == "technique" and text.startswith(pattern + "."):
            return True
    return False


def _only_stars(pattern: str) -> str:
    """Take `?` and brackets as they are written; `*` alone is special."""
    return re.sub(r"[\[?]", lambda special: f"[{special[0]}]", pattern)


def _severity(op: str, value: str) -> Chooser:
    bound = parse_severity(value).rank
    compare: Mapping[str, Callable[[int], bool]] = {
        ">=": lambda rank: rank >= bound,
        "<=": lambda rank: rank <= bound,
        ">": lambda rank: rank > bound,
        "<": lambda rank: rank < bound,
    }
    return lambda rule: compare[op](rule.severity.rank)


def parse_severity(text: str) -> Severity:
    """Read a severity; raise `UsageError` that lists them."""
    try:
        return Severity(text.lower())
    except ValueError:
        known = ", ".join(Severity)
        raise UsageError(f"no severity {text!r}; known: {known}") from None

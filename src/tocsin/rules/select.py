"""Choose rules: `--where 'ecosystem:sigma tag:azure severity>=medium -id:…'`.

Terms are joined by AND; `-` in front negates; a comma lists alternatives; a word without a field is
looked for in name, description and tags. Texts compare ignoring case; `*` stands for anything.
"""

import fnmatch
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from tocsin.errors import UsageError
from tocsin.rules.model import Indices, Rule, Severity

Chooser = Callable[[Rule], bool]

_TERM = re.compile(
    r"(?P<not>-)?(?:(?P<field>[a-z_]+)(?P<op>:|>=|<=|=|>|<)(?P<asked>.*)|(?P<word>.+))",
    re.DOTALL | re.IGNORECASE,
)


def _scopes(rule: Rule, part: str) -> Iterable[str]:
    return (getattr(one.scope, part, None) or "" for one in rule.inputs)


def _indices(rule: Rule) -> Iterable[str]:
    scopes = (one.scope for one in rule.inputs)
    return (name for scope in scopes if isinstance(scope, Indices) for name in scope.patterns)


def _tactics(rule: Rule) -> Iterable[str]:
    return (one.tactic for one in rule.attack if one.tactic)


def _techniques(rule: Rule) -> Iterable[str]:
    return (one.technique for one in rule.attack if one.technique)


FIELDS: Mapping[str, Callable[[Rule], Iterable[str]]] = {
    "author": lambda rule: rule.author,
    "category": lambda rule: _scopes(rule, "category"),
    "collection": lambda rule: rule.collections,
    "ecosystem": lambda rule: (rule.ecosystem,),
    "id": lambda rule: (rule.id,),
    "index": _indices,
    "kind": lambda rule: (rule.kind,),
    "license": lambda rule: (rule.license or "",),
    "name": lambda rule: (rule.name,),
    "pack": lambda rule: (rule.pack,),
    "path": lambda rule: (rule.path,),
    "product": lambda rule: _scopes(rule, "product"),
    "service": lambda rule: _scopes(rule, "service"),
    "severity": lambda rule: (rule.severity.value,),
    "status": lambda rule: (rule.status,),
    "tactic": _tactics,
    "tag": lambda rule: rule.tags,
    "technique": _techniques,
    "verdict": lambda rule: (rule.verdict.value,),
}


def parse_where(text: str) -> Chooser:
    """Return the chooser that an expression means; raise `UsageError` if it means nothing."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--where {text!r}: {error}") from None
    choosers = [_term(word) for word in words]
    return lambda rule: all(chooser(rule) for chooser in choosers)


def _term(word: str) -> Chooser:
    match = _TERM.fullmatch(word)
    if not match:
        raise UsageError(f"--where: {word!r} is no term; write FIELD:VALUE or a word")
    if match["word"]:
        chooser = _word(match["word"].lower())
    else:
        chooser = _field(match["field"].lower(), match["op"], match["asked"])
    return (lambda rule: not chooser(rule)) if match["not"] else chooser


def _word(wanted: str) -> Chooser:
    return lambda rule: any(wanted in text.lower() for text in _words(rule))


def _field(field: str, op: str, value: str) -> Chooser:
    if field not in FIELDS:
        raise UsageError(f"--where: no field {field!r}; known: {', '.join(FIELDS)}")
    if not value:
        raise UsageError(f"--where: {field}{op} asks for nothing; write {field}:VALUE")
    if field == "severity" and op not in {":", "="}:
        return _severity(op, value)
    if op not in {":", "="}:
        raise UsageError(f"--where: {field} has no order; write {field}:{value}")
    texts = FIELDS[field]
    patterns = [part.strip().lower() for part in value.split(",") if part.strip()]
    if field == "severity":
        patterns = [parse_severity(part) for part in patterns]
    return lambda rule: any(_fits(text.lower(), patterns, field) for text in texts(rule))


def _words(rule: Rule) -> Iterable[str]:
    return (rule.name, rule.description, *rule.tags)


def _fits(text: str, patterns: Iterable[str], field: str) -> bool:
    """Whole values; but a tag also by one of its parts, and names, authors and indices by a part.

    The parts of a tag stand between dots, as in Sigma, or at a colon and a blank, as in Elastic.
    """
    for pattern in patterns:
        if fnmatch.fnmatchcase(text, _only_stars(pattern)):
            return True
        if field in {"name", "author", "path", "index"} and pattern in text:
            return True
        if field == "tag" and (
            pattern in re.split(r"\.|: ", text) or text.endswith(("." + pattern, ": " + pattern))
        ):
            return True
        if field == "technique" and text.startswith(pattern + "."):
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

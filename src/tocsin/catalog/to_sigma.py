"""A condition over Sigma's names → the text of a Sigma rule."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

from tocsin.catalog.canonical import ANY_TEXT, is_caseless
from tocsin.catalog.translate import CannotSay, is_null_or_absent, with_nulls_together
from tocsin.condition.describe import in_one_line
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    Condition,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Value,
    Wild,
)
from tocsin.rules.model import LogSource, Rule

_MODIFIERS = {
    Op.EQUALS: "",
    Op.GLOB: "",
    Op.CONTAINS: "|contains",
    Op.STARTSWITH: "|startswith",
    Op.ENDSWITH: "|endswith",
    Op.CIDR: "|cidr",
    Op.LESS: "|lt",
    Op.LESS_OR_EQUAL: "|lte",
    Op.GREATER: "|gt",
    Op.GREATER_OR_EQUAL: "|gte",
}
_TEXTS = {Op.EQUALS, Op.GLOB, Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH}
_READINGS = {"text", "number", "leaves"}
_RUN = re.compile(r"\\{2,}|\\(?=[*?])")
"""Backslashes that have to be doubled: others stand for themselves."""
_LONE_END = re.compile(r"(?<!\\)\\\Z")
_WILD = re.compile(r"[*?]")
Item = tuple[str, Any]
"""Key and value of a selection; keywords have no key."""


def render_sigma(condition: Condition, rule: Rule, source: LogSource) -> str:
    """Return a Sigma rule; raise `CannotSay` for what Sigma has no words for."""
    detection = Detection()
    expression = detection.expression(condition)
    document = {
        **_heading(rule),
        "logsource": {
            key: value
            for key, value in (
                ("product", source.product),
                ("category", source.category),
                ("service", source.service),
            )
            if value
        },
        "detection": {**detection.selections, "condition": expression},
        **_ending(rule),
    }
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and lists inside their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003


def _lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _lines)


def _heading(rule: Rule) -> dict[str, Any]:
    said = {
        "title": rule.name,
        "status": rule.status if rule.ecosystem == "sigma" else "experimental",
        "description": rule.description.strip(),
        "references": list(rule.references),
        "author": ", ".join(rule.author),
    }
    return {key: value for key, value in said.items() if value}


def _ending(rule: Rule) -> dict[str, Any]:
    said = {
        "falsepositives": [text.strip() for text in rule.false_positives],
        "level": rule.severity.value,
    }
    return {key: value for key, value in said.items() if value}


class Detection:
    """Collects the selections of a condition, and says how they are joined."""

    def __init__(self) -> None:
        self.selections: dict[str, Any] = {}

    def expression(self, condition: Condition) -> str:
        """Return the condition line of a condition."""
        if condition in (TRUE, FALSE):
            raise CannotSay(in_one_line(condition), "Sigma has no rule for every event or none")
        if isinstance(condition, Or):
            condition = with_nulls_together(condition)
        if name := is_null_or_absent(condition):
            return self._name({name: None})
        if isinstance(condition, And):
            return self._all(condition.parts)
        if isinstance(condition, Or):
            return " or ".join(self._part(part) for part in condition.parts)
        if isinstance(condition, Not):
            return f"not {self._part(condition.part)}"
        return self._name(dict([_item(condition)]))

    def _part(self, condition: Condition) -> str:
        text = self.expression(condition)
        return f"({text})" if " " in text else text

    def _all(self, parts: tuple[Condition, ...]) -> str:
        """Put predicates that have different keys into one selection; join the rest."""
        together: dict[Any, Any] = {}
        rest: list[Condition] = []
        for part in parts:
            item = _item(part) if isinstance(part, Predicate | FieldsCompare) else None
            if item and item[0] and item[0] not in together:
                together[item[0]] = item[1]
            else:
                rest.append(part)
        first = [self._name(together)] if together else []
        return " and ".join([*first, *map(self._part, rest)])

    def _name(self, selection: dict[Any, Any]) -> str:
        content: Any = selection
        if list(selection) == [""]:
            content = selection[""]
        for name, known in self.selections.items():
            if known == content:
                return name
        name = f"selection{len(self.selections) + 1 if self.selections else ''}"
        self.selections[name] = content
        return name


def _item(leaf: Condition) -> Item:
    if isinstance(leaf, FieldsCompare):
        return _reference(leaf)
    if not isinstance(leaf, Predicate):
        raise CannotSay(in_one_line(leaf), "Sigma has no words for it")
    if any(call.name not in _READINGS for call in leaf.field.via):
        raise CannotSay(in_one_line(leaf), "Sigma has no words for it")
    if leaf.op is Op.EXISTS:
        return f"{leaf.field.path[0]}|exists", True
    if leaf.op is Op.REGEX:
        return _regex(leaf)
    if leaf.op not in _MODIFIERS:
        raise CannotSay(in_one_line(leaf), "Sigma has no words for it")
    if not leaf.field.path:
        return "", [_text(value) for value in leaf.values]
    cased = leaf.op in _TEXTS and not leaf.fold_case and not all(map(_plain, leaf.values))
    key = f"{leaf.field.path[0]}{_MODIFIERS[leaf.op]}{'|cased' if cased else ''}"
    values = [_value(value) for value in leaf.values]
    return key, values[0] if len(values) == 1 else values


def _plain(value: Value) -> bool:
    return isinstance(value, int | Decimal) or is_caseless(value)


def _regex(leaf: Predicate) -> Item:
    flags = {"".join(sorted(value.flags)) for value in leaf.values if isinstance(value, Regex)}
    if len(flags) != 1:
        raise CannotSay(in_one_line(leaf), "its regexes have different flags")
    key = f"{leaf.field.path[0]}|re" + "".join(f"|{flag}" for flag in flags.pop())
    patterns = [value.pattern for value in leaf.values if isinstance(value, Regex)]
    return key, patterns[0] if len(patterns) == 1 else patterns


def _reference(leaf: FieldsCompare) -> Item:
    ways = {
        Op.EQUALS: "",
        Op.STARTSWITH: "|startswith",
        Op.ENDSWITH: "|endswith",
        Op.CONTAINS: "|contains",
    }
    if leaf.op not in ways:
        raise CannotSay(in_one_line(leaf), "Sigma compares fields as text only")
    return f"{leaf.left.path[0]}|fieldref{ways[leaf.op]}", leaf.right.path[0]


def _value(value: Value) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return float(value)
    return _text(value)


def _text(value: Value) -> str:
    if value == ANY_TEXT:
        return "*"
    parts = value.parts if isinstance(value, Glob) else (str(value),)
    return "".join(_escaped(parts))


def _escaped(parts: tuple[str | Wild, ...]) -> Iterator[str]:
    """Yield the text of a value: wildcards stand bare, the same letters in texts are escaped."""
    for number, part in enumerate(parts):
        if isinstance(part, Wild):
            yield part.value
        else:
            text = _RUN.sub(lambda found: found[0] * 2, part)
            ends = number + 1 < len(parts) and _LONE_END.search(part)
            yield _WILD.sub(r"\\\g<0>", text) + ("\\" if ends else "")

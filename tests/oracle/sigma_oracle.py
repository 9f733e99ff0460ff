"""Evaluate pySigma's own rule objects on one flat event, slowly and plainly.

It knows nothing of Tocsin: not its tree, its log types, nor which events a rule is meant for.
"""

import ipaddress
import json
import operator
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from unittest.mock import patch

import yaml
from sigma import conditions, types
from sigma.collection import SigmaCollection

MISSING = object()


class Written(str):
    """A JSON number, as it was written."""

    __slots__ = ()


def parse_event(text):
    return json.loads(text, parse_int=Written, parse_float=Written)


def parse_rule(text):
    """Return the conditions of a rule, alternatives of each other; its integers stay exact."""

    def keep_exact(number, original):
        number.number = original

    with patch.object(types.SigmaNumber, "__post_init__", keep_exact):
        rule = SigmaCollection.from_dicts([yaml.load(text, yaml.CSafeLoader)]).rules[0]
        return [condition.parsed for condition in rule.detection.parsed_condition]


def matches(alternatives, event, words=None):
    """Say whether a rule holds; keywords are sought in `words`, by default those of the event."""
    words = words_of(event) if words is None else words
    return any(holds(condition, event, words) for condition in alternatives)


def words_of(event):
    """List the texts that keywords are sought in."""
    return [text for one in event.values() if one != [] for text in texts(one)]


def holds(node, event, words):
    match node:
        case conditions.ConditionAND(args=args):
            return all(holds(part, event, words) for part in args)
        case conditions.ConditionOR(args=args):
            return any(holds(part, event, words) for part in args)
        case conditions.ConditionNOT(args=[part]):
            return not holds(part, event, words)
        case conditions.ConditionFieldEqualsValueExpression(field=field, value=value):
            return field_holds(get(event, field), value, event)
        case conditions.ConditionValueExpression(value=value):
            return any(is_keyword(word, value) for word in words)


def names(node):
    """List the fields that a condition reads; None stands for keywords."""
    if hasattr(node, "args"):
        return [name for part in node.args for name in names(part)]
    others = [node.value.field] if isinstance(node.value, types.SigmaFieldReference) else []
    return [getattr(node, "field", None), *others]


def get(event, name):
    """Return the value of a field: the exact name wins over another spelling of it."""
    if name in event:
        return event[name]
    return next((value for key, value in event.items() if fold(key) == fold(name)), MISSING)


def field_holds(found, value, event):
    """Say whether a field, or its absence, is what a rule asks for."""
    if isinstance(value, types.SigmaExpansion):
        return any(field_holds(found, one, event) for one in value.values)
    if isinstance(value, types.SigmaExists):
        return value.exists == (found is not MISSING)
    if isinstance(value, types.SigmaNull):
        return found is MISSING or None in members(found)
    if found is MISSING:
        return False
    if isinstance(value, types.SigmaFieldReference):
        others = texts(get(event, value.field))
        return any(refers(text, other, value) for text in texts(found) for other in others)
    if isinstance(value, types.SigmaNumber | types.SigmaCompareExpression):
        return any(compares(one, value) for one in members(found))
    return any(text_matches(text, value) for text in texts(found))


def members(value):
    return [one for item in value for one in members(item)] if isinstance(value, list) else [value]


def texts(value):
    """List the texts of a value, of every member of a list; null and what is missing have none."""
    if value == []:
        return ["[]"]
    found = [item for item in members(value) if item is not None and item is not MISSING]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in found]


def refers(text, other, reference):
    text, other = fold(text), fold(other)
    if reference.starts_with and reference.ends_with:
        return other in text
    if reference.starts_with:
        return text.startswith(other)
    return text.endswith(other) if reference.ends_with else text == other


def compares(value, wanted):
    """Compare a number, or a part of a time; text is the number that it says."""
    op, number = operator.eq, wanted
    if isinstance(wanted, types.SigmaCompareExpression):
        op, number = COMPARE[wanted.op], wanted.number
    if isinstance(number, types.SigmaTimestampPart):
        found = part_of_time(value, number.timestamp_part.name)
    else:
        found = as_number(value)
    return found is not None and op(found, Decimal(str(number.number)))


COMPARE = {
    types.CompareOperators.LT: operator.lt,
    types.CompareOperators.LTE: operator.le,
    types.CompareOperators.GT: operator.gt,
    types.CompareOperators.GTE: operator.ge,
}


def as_number(value):
    if not isinstance(value, str) or re.search(r"[^0-9.eE+-]", value):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def part_of_time(value, part):
    """Return a part of a time in its own zone; a number counts from 1970 on."""
    if isinstance(value, Written):
        seconds = Decimal(value)
        while abs(seconds) >= 10**11:
            seconds /= 1000
        value = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))).isoformat()
    try:
        when = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return when.isocalendar().week if part == "WEEK" else getattr(when, part.lower())


def text_matches(text, value):
    """Say whether a text is what a rule writes, its wildcards matching anything."""
    if isinstance(value, types.SigmaString):
        cased = str if isinstance(value, types.SigmaCasedString) else fold
        return pattern(tuple(value.s), cased).fullmatch(cased(text)) is not None
    if isinstance(value, types.SigmaBool):
        return fold(text) == str(value.boolean).lower()
    if isinstance(value, types.SigmaRegularExpression):
        flags = re.ASCII
        for flag in value.flags:
            flags |= value.sigma_to_python_flags[flag]
        return re.search(end_of_text(str(value.regexp), flags), text, flags) is not None
    assert isinstance(value, types.SigmaCIDRExpression), value
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address) in value.network


def end_of_text(regex, flags):
    """Make `$` the very end, which it is not in Python; in `[$]` and `\\$` it stays."""
    if flags & re.MULTILINE:
        return regex
    return re.sub(r"(\\.|\[\^?\]?(?:\\.|[^]\\])*\])|\$", lambda one: one[1] or r"\Z", regex)


def is_keyword(text, value):
    """Say whether a text holds a keyword; its wildcards stay inside the text."""
    if isinstance(value, types.SigmaExpansion):
        return any(is_keyword(text, one) for one in value.values)
    if isinstance(value, types.SigmaNumber | types.SigmaBool):
        return str(value).lower() in fold(text)
    if isinstance(value, types.SigmaString):
        cased = str if isinstance(value, types.SigmaCasedString) else fold
        return pattern(tuple(value.s), cased).search(cased(text)) is not None
    return text_matches(text, value)


@lru_cache(maxsize=100_000)
def pattern(parts, cased):
    """Compile text with wildcards, which match line breaks too."""
    wild = {types.SpecialChars.WILDCARD_MULTI: ".*", types.SpecialChars.WILDCARD_SINGLE: "."}
    written = [re.escape(cased(one)) if isinstance(one, str) else wild[one] for one in parts]
    return re.compile("".join(written), re.DOTALL)


@lru_cache(maxsize=100_000)
def fold(text):
    return "".join(character.lower() for character in text)

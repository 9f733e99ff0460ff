"""KQL as its documentation tells it: what makes a query true, and whether an event does.

An own reading of the tree that the parser gives: the condition that Tocsin makes of it has no part
in this. Every field is a keyword here, whose values are compared as text, except addresses.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from tocsin.condition.tree import Wild
from tocsin.rules.elastic.kql import tree

Event = Mapping[str, object]
"""Name → a value, or a list of values."""

ADDRESSES = {"source.ip"}


@dataclass(frozen=True)
class Literal:
    """A field and a value that it must have, or must not; without a value, that it is there."""

    field: str
    value: tree.Value | None
    wanted: bool


Way = tuple[Literal, ...]
"""What must hold together; that makes a query true, or false."""
Possible = Callable[[Literal], bool]


def matches(query: tree.Query, event: Event) -> bool:
    match query:
        case tree.And(parts):
            return all(matches(part, event) for part in parts)
        case tree.Or(parts):
            return any(matches(part, event) for part in parts)
        case tree.Not(part):
            return not matches(part, event)
        case tree.Exists(field):
            return bool(found_in(event, name_of(field)))
        case tree.Compare(field, values):
            name = name_of(field)
            return values_hold(values, name, found_in(event, name))
    raise NotImplementedError(query)


def values_hold(values: tree.Values, name: str, found: Sequence[object]) -> bool:
    match values:
        case tree.AllOf(parts):
            return all(values_hold(part, name, found) for part in parts)
        case tree.AnyOf(parts):
            return any(values_hold(part, name, found) for part in parts)
        case tree.NoneOf(part):
            return not values_hold(part, name, found)
    return any(is_value(one, values, name) for one in found)


def is_value(found: object, value: tree.Value, name: str) -> bool:
    text = as_text(found)
    if name in ADDRESSES and "/" in (wanted := literal_text(value)):
        network, address = ip_network(wanted), ip_address(text)
        return address.version == network.version and address in network
    return re.fullmatch(pattern_of(value), text, re.DOTALL) is not None


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def pieces(value: tree.Value) -> tuple[str | Wild, ...]:
    match value:
        case tree.Quoted(text):
            return (text,)
        case tree.Constant(constant):
            return (str(constant).lower(),)
    return value.parts


def literal_text(value: tree.Value) -> str:
    return "".join("*" if part is Wild.ANY else str(part) for part in pieces(value))


def pattern_of(value: tree.Value) -> str:
    return "".join(".*" if part is Wild.ANY else re.escape(str(part)) for part in pieces(value))


def name_of(name: tree.Name) -> str:
    return literal_text(name)


def found_in(event: Event, name: str) -> list[object]:
    """Return the values under a name, in which an asterisk stands for anything."""
    if "*" not in name:
        return listed(event.get(name))
    pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
    return [one for key, value in event.items() if pattern.fullmatch(key) for one in listed(value)]


def listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def ways(query: tree.Query, possible: Possible, *, wanted: bool = True) -> list[Way]:
    """Return ways to make a query true or false: each part of each choice is in one.

    A literal that is not `possible` is in none; where there are several choices, all but one are as
    in the first way.
    """
    match query:
        case tree.Everything():
            return [()] if wanted else []
        case tree.And(parts) | tree.Or(parts):
            found = [ways(part, possible, wanted=wanted) for part in parts]
            return together(found) if isinstance(query, tree.And) is wanted else joined(found)
        case tree.Not(part):
            return ways(part, possible, wanted=not wanted)
        case tree.Exists(field):
            return chosen(Literal(name_of(field), None, wanted), possible)
        case tree.Compare(field, values):
            return value_ways(name_of(field), values, possible, wanted=wanted)
    raise NotImplementedError(query)


def value_ways(name: str, values: tree.Values, possible: Possible, *, wanted: bool) -> list[Way]:
    match values:
        case tree.AllOf(parts) | tree.AnyOf(parts):
            found = [value_ways(name, part, possible, wanted=wanted) for part in parts]
            return together(found) if isinstance(values, tree.AllOf) is wanted else joined(found)
        case tree.NoneOf(part):
            return value_ways(name, part, possible, wanted=not wanted)
    return chosen(Literal(name, None if values == tree.ANYTHING else values, wanted), possible)


def chosen(literal: Literal, possible: Possible) -> list[Way]:
    return [(literal,)] if possible(literal) else []


def joined(found: Sequence[Sequence[Way]]) -> list[Way]:
    return [way for ways_of_part in found for way in ways_of_part]


def together(found: Sequence[Sequence[Way]]) -> list[Way]:
    if not all(found):
        return []
    first = [ways_of_part[0] for ways_of_part in found]
    made = [tuple(literal for way in first for literal in way)]
    for number, ways_of_part in enumerate(found):
        for way in ways_of_part[1:]:
            parts = [*first[:number], way, *first[number + 1 :]]
            made.append(tuple(literal for part in parts for literal in part))
    return made


def texts_for(values: Sequence[tree.Value]) -> Iterator[str]:
    """Yield texts that may have several values at once."""
    for filler in ("", "q7", "/q7/"):
        for value in values:
            yield "".join(filler if part is Wild.ANY else str(part) for part in pieces(value))
        yield filler.join(merged(values))


def merged(values: Sequence[tree.Value]) -> list[str]:
    """Return how texts with all of these values start, what stands inside, how they end."""
    parts = [pieces(value) for value in values if len(pieces(value)) > 1]
    heads = [part[0] for part in parts if isinstance(part[0], str)]
    inner = [text for part in parts for text in part[1:-1] if isinstance(text, str)]
    tails = [part[-1] for part in parts if isinstance(part[-1], str)]
    return [*heads[:1], *inner, *tails[:1]]

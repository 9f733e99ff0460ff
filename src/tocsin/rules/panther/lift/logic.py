"""Make conditions, simplified where that is cheap; negations stand at leaves only."""

from collections.abc import Iterable

from tocsin.python.values import ABSENT, ANY, BOOL, NULL, OTHER
from tocsin.rules.panther.lift.nodes import (
    EVERY_KIND,
    FALSE,
    TRUE,
    And,
    App,
    Const,
    Get,
    Ite,
    Kind,
    Map,
    Node,
    Not,
    Or,
    Seq,
    app,
    is_condition,
    kinds,
    raw_and,
    raw_ite,
    raw_kind,
    raw_not,
    raw_or,
    raw_truth,
)

_MOST = 40
"""Parts of a condition that are compared with each other."""


class TooLong(Exception):
    """A function takes more work than its budget allows."""


class Budget:
    """How much work is left: parts of conditions that may still be joined."""

    left = 10**9


def spend(work: int) -> None:
    """Take work from the budget; raises `TooLong` when nothing is left."""
    Budget.left -= work
    if Budget.left < 0:
        raise TooLong


def conj(*parts: Node) -> Node:
    """Return that all parts hold."""
    key = (And, *parts)
    found = _JOINED.get(key)
    if found is None:
        found = _JOINED[key] = _join(parts, And, Or, TRUE, FALSE)
    return found


def disj(*parts: Node) -> Node:
    """Return that any part holds."""
    key = (Or, *parts)
    found = _JOINED.get(key)
    if found is None:
        found = _JOINED[key] = _join(parts, Or, And, FALSE, TRUE)
    return found


_JOINED: dict[tuple[object, ...], Node] = {}


def forget_joined() -> None:
    """Forget what was joined."""
    _JOINED.clear()


def _join(  # noqa: C901
    parts: Iterable[Node],
    own: type[And] | type[Or],
    other: type[And] | type[Or],
    neutral: Node,
    absorbing: Node,
) -> Node:
    flat: dict[Node, None] = {}
    for part in parts:
        if part is absorbing:
            return absorbing
        if part is neutral:
            continue
        if isinstance(part, own):
            spend(len(part.parts))
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    if len(flat) < 2:
        return next(iter(flat), neutral)
    if not _merge_kinds(flat, own):
        return absorbing
    for part in flat:
        if (part.negated or negation(part)) in flat:
            return absorbing
    spend(len(flat) + 1)
    if len(flat) <= _MOST and any(isinstance(part, other) for part in flat):
        again = _absorb(flat, own, other)
        if again is not None:
            return _join(again, own, other, neutral, absorbing)
        if own is Or and (factored := _factor(flat)) is not None:
            return factored
    if len(flat) == 1:
        return next(iter(flat))
    return raw_and(tuple(flat)) if own is And else raw_or(tuple(flat))


def _merge_kinds(flat: dict[Node, None], own: type[And] | type[Or]) -> bool:
    """Make one of what is said of the kinds of a value; False if nothing or everything is left."""
    masks: dict[Node, list[Kind]] = {}
    for part in flat:
        if isinstance(part, Kind):
            masks.setdefault(part.of, []).append(part)
    for of, said in masks.items():
        if len(said) == 1:
            continue
        mask = said[0].mask
        for one in said[1:]:
            mask = mask & one.mask if own is And else mask | one.mask
        merged = kind(of, mask)
        if merged in (TRUE, FALSE):
            if merged is (FALSE if own is And else TRUE):
                return False
            for one in said:
                del flat[one]
            continue
        for one in said[1:]:
            del flat[one]
        if merged is not said[0]:
            items = [merged if part is said[0] else part for part in flat]
            flat.clear()
            flat.update(dict.fromkeys(items))
    return True


def _absorb(
    flat: dict[Node, None], own: type[And] | type[Or], other: type[And] | type[Or]
) -> list[Node] | None:
    """Drop from nested parts what the others decide; None if nothing changes."""
    changed = False
    result: list[Node] = []
    for part in flat:
        if not isinstance(part, other):
            result.append(part)
            continue
        if not flat.keys().isdisjoint(part.parts):
            changed = True
            continue
        kept = [sub for sub in part.parts if (sub.negated or negation(sub)) not in flat]
        if len(kept) < len(part.parts):
            changed = True
            result.append(disj(*kept) if own is And else conj(*kept))
        else:
            result.append(part)
    return result if changed else None


def _factor(flat: dict[Node, None]) -> Node | None:
    """Take out of alternatives what all of them ask."""
    sets = [dict.fromkeys(part.parts) if isinstance(part, And) else {part: None} for part in flat]
    common = [one for one in sets[0] if all(one in other for other in sets[1:])]
    if not common:
        return None
    taken = set(common)
    rests = [conj(*(one for one in parts if one not in taken)) for parts in sets]
    return conj(*common, disj(*rests))


def negation(part: Node) -> Node:
    """Return that a part does not hold."""
    if part.negated is None:
        part.negated = _negation(part)
        if part.negated.negated is None:
            part.negated.negated = part
    return part.negated


def _negation(part: Node) -> Node:
    if part is TRUE:
        return FALSE
    if part is FALSE:
        return TRUE
    if isinstance(part, Not):
        return part.part
    if isinstance(part, And):
        return disj(*map(negation, part.parts))
    if isinstance(part, Or):
        return conj(*map(negation, part.parts))
    if isinstance(part, Kind):
        return kind(part.of, EVERY_KIND & ~part.mask)
    return raw_not(part)


def kind(of: Node, mask: int) -> Node:
    """Return that a value is of one of some kinds."""
    if isinstance(of, Ite):
        then, otherwise = kind(of.then, mask), kind(of.otherwise, mask)
        return ite(of.condition, then, otherwise)
    if _is_match(of):
        found = truth(of)
        parts = [(NULL, negation(found)), (ANY & ~NULL, found)]
        return disj(
            *(one for kinds_, one in parts if mask & kinds_ == kinds_ or mask & kinds_ & OTHER)
        )
    possible = kinds(of) | (ABSENT if isinstance(of, Get) and of.path else 0)
    if not mask & possible:
        return FALSE
    if not possible & ~mask:
        return TRUE
    return raw_kind(of, mask & possible)


def _is_match(of: Node) -> bool:
    """Say whether a value is a match of a regular expression, or None."""
    if not isinstance(of, App) or of.name != "method":
        return False
    pattern, name = of.args[:2]
    known = isinstance(pattern, App) and pattern.name == "pattern" and isinstance(name, Const)
    return known and name.value in {"search", "match", "fullmatch"}  # type: ignore[attr-defined]


def truth(of: Node) -> Node:
    """Return that a value counts as true."""
    if is_condition(of):
        return of
    if isinstance(of, Const):
        return TRUE if of.value else FALSE
    if isinstance(of, Ite):
        return ite(of.condition, truth(of.then), truth(of.otherwise))
    if isinstance(of, Seq | Map):
        return TRUE if (of.items if isinstance(of, Seq) else of.pairs) else FALSE
    return raw_truth(of)


def ite(condition: Node, then: Node, otherwise: Node) -> Node:
    """Return one of two values."""
    if condition is TRUE or then is otherwise:
        return then
    if condition is FALSE:
        return otherwise
    if is_condition(then) and is_condition(otherwise):
        return disj(conj(condition, then), conj(negation(condition), otherwise))
    return raw_ite(condition, then, otherwise)


def has(of: Get) -> Node:
    """Return that something is at a path."""
    return kind(of, EVERY_KIND & ~ABSENT)


def is_exactly(of: Node, value: bool) -> Node:  # noqa: FBT001
    """Return that a value is `True`, or `False`, and not only counts as it."""
    if is_condition(of):
        return of if value else negation(of)
    if isinstance(of, Ite):
        then, otherwise = is_exactly(of.then, value), is_exactly(of.otherwise, value)
        return ite(of.condition, then, otherwise)
    if isinstance(of, Const) or not kinds(of) & BOOL:
        return FALSE
    return raw_truth(app("is", of, TRUE if value else FALSE))

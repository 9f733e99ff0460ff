"""A condition over names of the Elastic Common Schema → the text of a KQL query."""

from decimal import Decimal

from tocsin.catalog.canonical import ANY_TEXT
from tocsin.catalog.translate import CannotSay
from tocsin.condition import tree as conditions
from tocsin.condition.describe import in_one_line
from tocsin.condition.tree import FALSE, TRUE, Condition, Glob, Op, Predicate, Wild
from tocsin.condition.tree import Value as Operand
from tocsin.rules.elastic.kql.render import render
from tocsin.rules.elastic.kql.tree import (
    And,
    AnyOf,
    Bare,
    Compare,
    Exists,
    Not,
    Or,
    Order,
    Query,
    Quoted,
    Range,
    Value,
)

_ORDERS = {
    Op.LESS: Order.LESS,
    Op.LESS_OR_EQUAL: Order.LESS_OR_EQUAL,
    Op.GREATER: Order.GREATER,
    Op.GREATER_OR_EQUAL: Order.GREATER_OR_EQUAL,
}


def render_kql(condition: Condition) -> str:
    """Return a query; raise `CannotSay` for what KQL has no words for."""
    return render(_query(condition))


def _query(condition: Condition) -> Query:
    if condition in (TRUE, FALSE):
        raise CannotSay(in_one_line(condition), "it says nothing of an event")
    match condition:
        case conditions.And(parts):
            return And(tuple(map(_query, parts)))
        case conditions.Or(parts):
            return Or(tuple(map(_query, parts)))
        case conditions.Not(part):
            return Not(_query(part))
        case Predicate():
            return _compare(condition)
    raise CannotSay(in_one_line(condition), "KQL has no words for it")


def _compare(leaf: Predicate) -> Query:
    name = Bare((leaf.field.path[0],))
    if leaf.op is Op.GLOB and ANY_TEXT in leaf.values:
        return Exists(name)
    if leaf.op in _ORDERS:
        ranges = tuple(Range(name, _ORDERS[leaf.op], Quoted(str(v))) for v in leaf.values)
        return ranges[0] if len(ranges) == 1 else Or(ranges)
    values = tuple(_value(leaf, value) for value in leaf.values)
    return Compare(name, values[0] if len(values) == 1 else AnyOf(values))


def _value(leaf: Predicate, value: Operand) -> Value:
    if isinstance(value, bool):
        return Quoted(str(value).lower())
    if isinstance(value, int | Decimal):
        return Bare((str(value),))
    match leaf.op, value:
        case ((Op.EQUALS | Op.CIDR), str(text)):
            return Quoted(text)
        case Op.CONTAINS, str(text):
            return Bare((Wild.ANY, text, Wild.ANY))
        case Op.STARTSWITH, str(text):
            return Bare((text, Wild.ANY))
        case Op.ENDSWITH, str(text):
            return Bare((Wild.ANY, text))
        case Op.GLOB, Glob(parts) if Wild.ONE not in parts:
            return Bare(parts)
    raise CannotSay(in_one_line(leaf), "KQL has no words for it")

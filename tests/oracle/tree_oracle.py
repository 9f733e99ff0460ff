"""Evaluate a condition on one event, slowly and plainly.

It shares nothing with the engine but the classes of the tree: folding, globs, addresses and the
look-up of names are written again, from what their docstrings promise.
"""

import ipaddress
import operator
import re

from oracle.plain import FUNCTIONS, exact_number, flat, fold
from tocsin.condition.tree import (
    And,
    AnyElement,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
    Wild,
)


def holds(condition, event, whole=None, *, inside=False):
    """Say whether a condition is true; `whole` is what keywords search, if not the event.

    `inside` an element of an array, fields are exact paths and not names.
    """

    def values_of(field):
        return read(field, event, whole, inside=inside)

    match condition:
        case And(parts):
            return all(holds(part, event, whole, inside=inside) for part in parts)
        case Or(parts):
            return any(holds(part, event, whole, inside=inside) for part in parts)
        case Not(part):
            return not holds(part, event, whole, inside=inside)
        case AnyElement(path, inner):
            objects = [one for one in values_of(Field(path)) or () if isinstance(one, dict)]
            return any(holds(inner, element, inside=True) for element in objects)
        case FieldsCompare(left, op, right, fold_case):
            pairs = [(a, b) for a in values_of(left) or () for b in values_of(right) or ()]
            return any(compare(op, a, b, fold_case) for a, b in pairs)
        case Predicate(field, op, wanted, fold_case):
            values = values_of(field)
            if op is Op.EXISTS or values is None:
                return values is not None
            if op is Op.IS_NULL:
                return None in values
            return any(compare(op, value, one, fold_case) for value in values for one in wanted)


def read(field, event, whole=None, *, inside=False):
    """Return the values of a field, or None if it is absent."""
    if not field.path:
        values = [event if whole is None else whole]
    elif inside or len(field.path) > 1:
        values = walk(event, field.path)
    else:
        segments = field.path[0].split(".")
        values = look_up(event, segments, exact=True)
        values = look_up(event, segments, exact=False) if values is None else values
    for call in field.via:
        function = FUNCTIONS[call.name]
        values = values and [one for value in values for one in function(value, *call.args)]
    return values


def walk(value, path):
    """Read an exact path; arrays on the way fan out."""
    if not path:
        return flat(value)
    if isinstance(value, list):
        return gather([walk(item, path) for item in value])
    return walk(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else None


def look_up(value, segments, *, exact):
    """Read a dotted name, the longest literal key first; the exact spelling wins over others."""
    if not segments:
        return flat(value)
    if isinstance(value, list):
        return gather([look_up(item, segments, exact=exact) for item in value])
    for size in range(len(segments), 0, -1) if isinstance(value, dict) else ():
        name = ".".join(segments[:size])
        keys = [key for key in value if key == name or (not exact and fold(key) == fold(name))]
        for key in sorted(keys, key=lambda key: key != name):
            found = look_up(value[key], segments[size:], exact=exact)
            if found is not None:
                return found
    return None


def gather(found):
    present = [values for values in found if values is not None]
    return [value for values in present for value in values] if present else None


def compare(op, value, wanted, fold_case):
    """Compare one value with one operand; values of different types are never equal."""
    if op in ORDER or op is Op.EQUALS:
        a, b = exact_number(value), exact_number(wanted)
        if a is not None and b is not None:
            return ORDER.get(op, operator.eq)(a, b)
        if isinstance(value, bool):
            return op is Op.EQUALS and value is wanted
    if not isinstance(value, str) or op in ORDER:
        return False
    if op is Op.CIDR:
        return in_network(value, wanted)
    if op is Op.REGEX:
        return re.search(python_pattern(wanted), value, re.ASCII) is not None
    if op is Op.GLOB:
        pattern = glob_pattern(wanted, fold if fold_case else str)
        return re.fullmatch(pattern, fold(value) if fold_case else value, re.DOTALL) is not None
    if not isinstance(wanted, str):
        return False
    return TEXT[op](fold(value), fold(wanted)) if fold_case else TEXT[op](value, wanted)


ORDER = {
    Op.LESS: operator.lt,
    Op.LESS_OR_EQUAL: operator.le,
    Op.GREATER: operator.gt,
    Op.GREATER_OR_EQUAL: operator.ge,
}
TEXT = {
    Op.EQUALS: operator.eq,
    Op.CONTAINS: operator.contains,
    Op.STARTSWITH: str.startswith,
    Op.ENDSWITH: str.endswith,
}


def glob_pattern(glob, cased):
    wild = {Wild.ANY: ".*", Wild.ONE: "."}
    return "".join(wild.get(part) or re.escape(cased(part)) for part in glob.parts)


def python_pattern(regex):
    """Say in Python what RE2 means: without `m`, `$` is the very end of the text."""
    end = "$" if "m" in regex.flags else r"\Z"
    token = r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$"
    pattern = re.sub(token, lambda one: end if one[0] == "$" else one[0], regex.pattern)
    return f"(?{regex.flags}){pattern}" if regex.flags else pattern


def in_network(text, network):
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address) in ipaddress.ip_network(network)

"""Simple Detections and InlineFilters: match expressions in YAML, lowered to the condition tree.

Fields are paths of the event, in the vocabulary `panther`. A field that is missing is false in
every comparison; a negated comparison is the plain opposite. A list is compared by its members.
What cannot be said exactly is refused.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
    Value,
)
from tocsin.errors import RuleError
from tocsin.rules.panther.yaml12 import Yaml

_MEMBERS = (Call("each"),)
"""A list is compared by its members, anything else as it is."""

Expression: TypeAlias = Mapping[str, Any]

_STEP = re.compile(r"([^.\[\]]+)((?:\[[^\]]*\])*)(?:\.|$)")
_V4, _V6 = "0.0.0.0/0", "::/0"
PRIVATE = (
    "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
    "192.0.0.170/31", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32", "::1/128", "::/128", "100::/64",
    "2001::/23", "2001:db8::/32", "fc00::/7", "fe80::/10",
)  # fmt: skip
"""The networks whose addresses Python's `ipaddress` calls private."""

_TEXT_OPS = {
    "equal": Op.EQUALS,
    "startwith": Op.STARTSWITH,
    "endwith": Op.ENDSWITH,
    "contain": Op.CONTAINS,
}
_ORDER_OPS = {
    "isgreaterthan": Op.GREATER,
    "isgreaterthanorequal": Op.GREATER_OR_EQUAL,
    "islessthan": Op.LESS,
    "islessthanorequal": Op.LESS_OR_EQUAL,
}
_NEGATED = {
    "isnotin": "isin",
    "doesnotexist": "exists",
    "isnotnull": "isnull",
    "isnotnullorempty": "isnullorempty",
    "doesnothave": "has",
    "isipaddressnotincidr": "isipaddressincidr",
}
_TEXT_CONDITION = re.compile(r"(i?)(doesnot)?(i?)(equal|startwith|endwith|contain)")


def lower_expressions(data: Yaml) -> Condition:
    """Lower a list of match expressions, all of which must hold; raise `RuleError`."""
    return simplify(And(tuple(map(_lower, _list(data)))))


def _list(data: Yaml) -> list[Any]:
    if not isinstance(data, list):
        raise RuleError(f"{data!r:.60} is not a list of match expressions")
    return data


def _lower(data: Any) -> Condition:
    if not isinstance(data, dict) or not data:
        raise RuleError(f"{data!r:.60} is no match expression")
    if len(data) == 1 and (combine := _COMBINATORS.get(next(iter(data)))):
        return combine(tuple(map(_lower, _list(next(iter(data.values()))))))
    name = _normal(data.get("Condition"))
    if name in {"alwaystrue", "alwaysfalse"}:
        return TRUE if name == "alwaystrue" else FALSE
    if "Expressions" in data:
        return _over_elements(data, name)
    if _compares_fields(data):
        return _between_fields(data, name)
    return _on_field(_field(data), name, data)


def _normal(name: Any) -> str:
    """Spell a condition in one way: the plural of its verb and `OrEquals` are no different."""
    text = str(name or "").lower().replace("_", "")
    return re.sub(r"(equal|start|end|contain)s(?=$|with)", r"\1", text)


def _none(parts: tuple[Condition, ...]) -> Condition:
    if len(parts) > 1:
        raise RuleError("None of several expressions: Panther's documents differ on its meaning")
    return Not(Or(parts))


def _only_one(parts: tuple[Condition, ...]) -> Condition:
    others = [Or((*parts[:at], *parts[at + 1 :])) for at in range(len(parts))]
    return Or(tuple(And((one, Not(other))) for one, other in zip(parts, others, strict=True)))


_COMBINATORS: Mapping[str, Callable[[tuple[Condition, ...]], Condition]] = {
    "All": And,
    "Any": Or,
    "None": _none,
    "OnlyOne": _only_one,
}


def _field(data: Expression) -> Field:
    """Read the key that an expression names, in one of four forms."""
    if "Enrichment" in data:
        of = data["Enrichment"] if isinstance(data["Enrichment"], dict) else {}
        place = ("p_enrichment", _key(of.get("Table")), _key(of.get("Selector")))
        return _at(of.get("FieldPath"), place)
    if "DeepKey" in data:
        keys = data["DeepKey"] if isinstance(data["DeepKey"], list) else []
        if not keys or not all(isinstance(key, str) for key in keys):
            raise RuleError(f"DeepKey {keys!r:.60} is not a list of texts")
        return Field(tuple(keys), _MEMBERS)
    if "KeyPath" in data:
        return _at(data["KeyPath"])
    return Field((_key(data.get("Key")),), _MEMBERS)


def _key(text: Any) -> str:
    if not isinstance(text, str) or not text:
        raise RuleError(f"{text!r:.60} names no key: write Key, DeepKey, KeyPath or Enrichment")
    return text


def _at(text: Any, place: tuple[str, ...] = ()) -> Field:
    """Read a key path below a place: behind `[*]` it goes on in every member of a list."""
    text = _key(text)
    steps = list(_STEP.finditer(text))
    if "".join(step[0] for step in steps) != text:
        raise RuleError(f"KeyPath {text!r:.60} cannot be read")
    if any(step[2].replace("[*]", "") for step in steps):
        raise RuleError(f"KeyPath {text!r:.60}: the position of a member is not supported")
    first = next((at for at, step in enumerate(steps, start=1) if step[2]), len(steps))
    path = tuple(step[1] for step in steps[:first])
    inner = tuple(call for step in steps[first:] for call in (Call("at", (step[1],)), *_MEMBERS))
    return Field(place + path, _MEMBERS + inner)


def _on_field(field: Field, name: str, data: Expression) -> Condition:
    if name in _NEGATED:
        return Not(_on_field(field, _NEGATED[name], data))
    if make := _WITHOUT_VALUE.get(name):
        return make(field)
    if name in {"isin", "has", "isipaddressincidr"}:
        return _in_list(field, name, data)
    if "Value" not in data:
        raise RuleError(f"{data.get('Condition')!r:.40} needs a Value")
    value = data["Value"]
    if name in _ORDER_OPS:
        return Predicate(field, _ORDER_OPS[name], (_number(value),))
    form = _TEXT_CONDITION.fullmatch(name)
    if not form:
        raise RuleError(f"the Condition {data.get('Condition')!r:.40} is not known")
    fold_case = bool(form[1] or form[3])
    found = _compare(field, _TEXT_OPS[form[4]], value, fold_case=fold_case)
    return Not(found) if form[2] else found


def _compare(field: Field, op: Op, value: Any, *, fold_case: bool) -> Condition:
    if value is None and op is Op.EQUALS:
        return _is_null(field)
    if op is not Op.EQUALS and not isinstance(value, str):
        raise RuleError(f"{value!r:.40} is not a text")
    return Predicate(field, op, (_value(value),), fold_case)


def _in_list(field: Field, name: str, data: Expression) -> Condition:
    values = data.get("Values", [data["Value"]] if "Value" in data else None)
    if not isinstance(values, list):
        raise RuleError(f"{data.get('Condition')!r:.40} needs Values")
    if name != "isipaddressincidr":
        return Predicate(field, Op.EQUALS, tuple(map(_value, values)))
    return Predicate(field, Op.CIDR, tuple(map(_network, values)))


def _network(value: Any) -> str:
    try:
        return str(ipaddress.ip_network(str(value).strip(), strict=False))
    except ValueError:
        raise RuleError(f"{value!r:.40} is no network") from None


def _value(value: Any) -> Value:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str | int):
        return value
    raise RuleError(f"{value!r:.40} is not a text, a number or a boolean")


def _number(value: Any) -> int | Decimal:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(str(value))
        if number.is_finite():
            return value if isinstance(value, int) else number
    raise RuleError(f"{value!r:.40} is not a number")


def _exists(field: Field) -> Condition:
    """Ask for the key at the end of a path; behind a list, in any of its members."""
    keys = [call.args[0] for call in field.via if call.name == "at"]
    if not keys:
        return Predicate(Field(field.path), Op.EXISTS)
    if len(keys) > 1:
        raise RuleError("Exists behind members of members is not supported")
    return AnyElement(field.path, Predicate(Field((str(keys[0]),)), Op.EXISTS))


def _is_null(field: Field) -> Condition:
    return Or((Not(_exists(field)), Predicate(field, Op.IS_NULL)))


def _is_empty(field: Field) -> Condition:
    """Ask that no value has a text: null, an empty text, list or object, or nothing at all."""
    filled = Field(field.path, (*field.via, Call("filled"), Call("text")))
    return Not(Predicate(filled, Op.STARTSWITH, ("",)))


def _within(*networks: str) -> Callable[[Field], Condition]:
    return lambda field: Predicate(field, Op.CIDR, networks)


def _is_public(field: Field) -> Condition:
    return And((_within(_V4, _V6)(field), Not(_within(*PRIVATE)(field))))


_WITHOUT_VALUE: Mapping[str, Callable[[Field], Condition]] = {
    "exists": _exists,
    "isnull": _is_null,
    "isnullorempty": _is_empty,
    "isipaddress": _within(_V4, _V6),
    "isipv4address": _within(_V4),
    "isipv6address": _within(_V6),
    "isipaddresspublic": _is_public,
    "isipaddressprivate": _within(*PRIVATE),
}


def _compares_fields(data: Expression) -> bool:
    values = data.get("Values")
    return isinstance(values, list) and any(isinstance(one, dict) for one in values)


def _between_fields(data: Expression, name: str) -> Condition:
    values = data["Values"]
    if len(values) != 2 or not all(isinstance(one, dict) for one in values):
        raise RuleError("two keys are compared, no more and no fewer")
    left, right = map(_field, values)
    if name in _ORDER_OPS:
        return FieldsCompare(left, _ORDER_OPS[name], right)
    form = _TEXT_CONDITION.fullmatch(name)
    if not form:
        raise RuleError(f"the Condition {data.get('Condition')!r:.40} compares no two keys")
    found = FieldsCompare(left, _TEXT_OPS[form[4]], right, bool(form[1] or form[3]))
    return Not(found) if form[2] else found


def _over_elements(data: Expression, name: str) -> Condition:
    """Lower what is asked of the objects of a list; a list that is missing is false."""
    field, inner = _field(data), lower_expressions(data["Expressions"])
    if field.via != _MEMBERS:
        raise RuleError("Expressions behind [*] are not supported")
    if _asks_elements(inner):
        raise RuleError("Expressions inside Expressions are not supported")
    found: Mapping[str, Condition] = {
        "anyelement": AnyElement(field.path, inner),
        "allelements": Not(AnyElement(field.path, Not(inner))),
        "noelement": Not(AnyElement(field.path, inner)),
    }
    if name not in found:
        raise RuleError(f"the Condition {data.get('Condition')!r:.40} of elements is not supported")
    return And((_exists(field), found[name]))


def _asks_elements(condition: Condition) -> bool:
    if isinstance(condition, And | Or):
        return any(map(_asks_elements, condition.parts))
    if isinstance(condition, Not):
        return _asks_elements(condition.part)
    return isinstance(condition, AnyElement)

"""pySigma's condition tree → ours, with Sigma's rules of text, numbers and nulls made explicit.

Semantics: Sigma specification 2.1 (https://github.com/SigmaHQ/sigma-specification) as pySigma 2.0
reads it; what neither says is in `docs/sigma.md`.
"""

from collections.abc import Callable
from decimal import Decimal

import re2
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from tocsin.condition.evaluate import compile_glob, compile_regex
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    And,
    Call,
    Condition,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Wild,
)
from tocsin.errors import RuleError
from tocsin.rules.sigma.parse import ParsedCondition

MAX_NESTING = 100
MAX_TEXT = 16 * 1024
TEXT = (Call("text"),)
NUMBER = (Call("number"),)
WHOLE_EVENT = Field((), (Call("leaves"),))
"""What keywords search: the text of every value of the event, keys left out."""

_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARISONS = {
    CompareOperators.LT: Op.LESS,
    CompareOperators.LTE: Op.LESS_OR_EQUAL,
    CompareOperators.GT: Op.GREATER,
    CompareOperators.GTE: Op.GREATER_OR_EQUAL,
}


class FieldError(RuleError):
    """A value of one field cannot be run; `field` names it, to find its place."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


def lower(trees: tuple[ParsedCondition, ...]) -> Condition:
    """Lower the conditions of one rule; several are alternatives.

    Raises `RuleError` for what cannot be run: an unresolved placeholder, a regex RE2 refuses, a
    condition that nests deeper than `MAX_NESTING`.
    """
    try:
        condition = simplify(Or(tuple(map(_Lowering().tree, trees))))
    except RecursionError:
        condition = None
    if condition is None or _nesting(condition) > MAX_NESTING:
        raise RuleError(f"the condition nests deeper than {MAX_NESTING}")
    return condition


def _nesting(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts):
            return 1 + max(map(_nesting, parts), default=0)
        case Not(part):
            return 1 + _nesting(part)
        case _:
            return 1


class _Lowering:
    def tree(self, node: object) -> Condition:
        match node:
            case ConditionAND(args=args):
                return And(tuple(map(self.tree, args)))
            case ConditionOR(args=args):
                return Or(tuple(map(self.tree, args)))
            case ConditionNOT(args=[part]):
                return Not(self.tree(part))
            case ConditionFieldEqualsValueExpression(field=field, value=value):
                return self.value(field, value)
            case ConditionValueExpression(value=value):
                return self.keyword(value)
        raise RuleError(f"the condition holds {type(node).__name__}, which is not known")

    def value(self, name: str, value: SigmaType) -> Condition:
        for kind, lowering in _VALUES.items():
            if isinstance(value, kind):
                return lowering(self, name, value)
        raise FieldError(name, f"a value of type {type(value).__name__} is not known")

    def string(self, name: str, value: SigmaString) -> Condition:
        fold_case = not isinstance(value, SigmaCasedString)
        return _checked(
            text_predicate(Field((name,), TEXT), self.parts(name, value), fold_case=fold_case), name
        )

    def parts(self, name: str, value: SigmaString) -> tuple[str | Wild, ...]:
        parts = _join([_part(name, part) for part in value.s])
        if sum(len(part) for part in parts if isinstance(part, str)) > MAX_TEXT:
            raise FieldError(name, f"a value is longer than {MAX_TEXT:,} characters")
        return parts

    def number(self, name: str, value: SigmaNumber) -> Condition:
        return Predicate(Field((name,), NUMBER), Op.EQUALS, (_exact(value),))

    def time_part(self, name: str, value: SigmaTimestampPart) -> Condition:
        field = Field((name,), (Call(value.timestamp_part.name.lower()),))
        return Predicate(field, Op.EQUALS, (_exact(value),))

    def comparison(self, name: str, value: SigmaCompareExpression) -> Condition:
        via = NUMBER
        if isinstance(value.number, SigmaTimestampPart):
            via = (Call(value.number.timestamp_part.name.lower()),)
        return Predicate(Field((name,), via), _COMPARISONS[value.op], (_exact(value.number),))

    def boolean(self, name: str, value: SigmaBool) -> Condition:
        text = "true" if value.boolean else "false"
        return Predicate(Field((name,), TEXT), Op.EQUALS, (text,), fold_case=True)

    def null(self, name: str, _: SigmaNull) -> Condition:
        field = Field((name,))
        return Or((Not(Predicate(field, Op.EXISTS)), Predicate(field, Op.IS_NULL)))

    def exists(self, name: str, value: SigmaExists) -> Condition:
        present = Predicate(Field((name,)), Op.EXISTS)
        return present if value.exists else Not(present)

    def regex(self, name: str, value: SigmaRegularExpression) -> Condition:
        return self._regex(Field((name,), TEXT), name, value)

    def _regex(self, field: Field, name: str, value: SigmaRegularExpression) -> Condition:
        flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
        parts = [_part(name, part) for part in value.regexp.s]
        pattern = "".join(part.value if isinstance(part, Wild) else part for part in parts)
        regex = Regex(pattern, flags)
        try:
            compile_regex(regex)
        except re2.error as error:
            raise FieldError(name, f"RE2 cannot compile {pattern!r}: {error}") from None
        return Predicate(field, Op.REGEX, (regex,))

    def network(self, name: str, value: SigmaCIDRExpression) -> Condition:
        return Predicate(Field((name,), TEXT), Op.CIDR, (str(value.network),))

    def reference(self, name: str, value: SigmaFieldReference) -> Condition:
        op = Op.EQUALS
        if value.starts_with or value.ends_with:
            op = Op.STARTSWITH if value.starts_with else Op.ENDSWITH
        if value.starts_with and value.ends_with:
            op = Op.CONTAINS
        return FieldsCompare(Field((name,), TEXT), op, Field((value.field,), TEXT), fold_case=True)

    def expansion(self, name: str, value: SigmaExpansion) -> Condition:
        return Or(tuple(self.value(name, item) for item in value.values))

    def keyword(self, value: SigmaType) -> Condition:
        if isinstance(value, SigmaExpansion):
            return Or(tuple(self.keyword(item) for item in value.values))
        if isinstance(value, SigmaRegularExpression):
            return self._regex(WHOLE_EVENT, "keyword", value)
        if isinstance(value, SigmaNumber | SigmaBool):
            return text_predicate(
                WHOLE_EVENT, (Wild.ANY, str(value).lower(), Wild.ANY), fold_case=True
            )
        if not isinstance(value, SigmaString):
            raise RuleError(f"a keyword cannot be a {type(value).__name__}")
        fold_case = not isinstance(value, SigmaCasedString)
        parts = _join([Wild.ANY, *self.parts("keyword", value), Wild.ANY])
        return _checked(text_predicate(WHOLE_EVENT, parts, fold_case=fold_case), "keyword")


_VALUES: dict[type[SigmaType], Callable[["_Lowering", str, "SigmaType"], Condition]] = {
    SigmaString: _Lowering.string,
    SigmaTimestampPart: _Lowering.time_part,
    SigmaNumber: _Lowering.number,
    SigmaBool: _Lowering.boolean,
    SigmaNull: _Lowering.null,
    SigmaExists: _Lowering.exists,
    SigmaRegularExpression: _Lowering.regex,
    SigmaCIDRExpression: _Lowering.network,
    SigmaCompareExpression: _Lowering.comparison,
    SigmaFieldReference: _Lowering.reference,
    SigmaExpansion: _Lowering.expansion,
}
"""How each value type of pySigma lowers; the first that fits, so subclasses stand first."""


def text_predicate(field: Field, parts: tuple[str | Wild, ...], *, fold_case: bool) -> Predicate:
    """Choose the plainest operator for text with wildcards."""
    match parts:
        case ():
            return Predicate(field, Op.EQUALS, ("",), fold_case)
        case (str(text),):
            return Predicate(field, Op.EQUALS, (text,), fold_case)
        case (Wild.ANY, str(text), Wild.ANY):
            return Predicate(field, Op.CONTAINS, (text,), fold_case)
        case (str(text), Wild.ANY):
            return Predicate(field, Op.STARTSWITH, (text,), fold_case)
        case (Wild.ANY, str(text)):
            return Predicate(field, Op.ENDSWITH, (text,), fold_case)
    return Predicate(field, Op.GLOB, (Glob(parts),), fold_case)


def _checked(predicate: Predicate, name: str) -> Predicate:
    """Return a predicate whose wildcards RE2 can run; raise `FieldError` for another."""
    try:
        for glob in predicate.values:
            if isinstance(glob, Glob):
                compile_glob(glob, predicate.fold_case)
    except re2.error:
        raise FieldError(name, "a value has too many wildcards and too much text") from None
    return predicate


def _part(name: str, part: str | SpecialChars | Placeholder) -> str | Wild:
    if isinstance(part, Placeholder):
        raise FieldError(name, f"needs placeholder {part.name} (--placeholders FILE)")
    if isinstance(part, SpecialChars):
        return Wild.ANY if part is SpecialChars.WILDCARD_MULTI else Wild.ONE
    return part


def _join(parts: list[str | Wild]) -> tuple[str | Wild, ...]:
    """Join neighbouring texts and neighbouring `*`, drop empty text."""
    joined: list[str | Wild] = []
    for part in parts:
        last = joined[-1] if joined else None
        if part == "" or (part is Wild.ANY and last is Wild.ANY):
            continue
        if isinstance(last, str) and isinstance(part, str):
            joined[-1] = last + part
        else:
            joined.append(part)
    return tuple(joined)


def _exact(value: SigmaNumber) -> int | Decimal:
    number = value.number
    return number if isinstance(number, int) else Decimal(str(number))

"""A condition on one shape of a log type → SQL of DuckDB over the records as they are.

A field's values are a list of texts, made by the macro `texts`: those of an array one by one,
numbers and truth values as they are written. Arrays in arrays, and those in the middle of a path,
are not looked into.
"""

from collections.abc import Sequence
from decimal import Decimal

from tocsin.catalog.canonical import ANY_TEXT
from tocsin.catalog.places import Places, has_keys
from tocsin.catalog.translate import CannotSay
from tocsin.condition.describe import in_one_line
from tocsin.condition.evaluate import glob_text, regex_text
from tocsin.condition.functions import fold
from tocsin.condition.tree import (
    And,
    AnyElement,
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
    Value,
    Wild,
)
from tocsin.logs.mapping import Expr, First, Name, Path
from tocsin.logs.respelled import Respelled

MACRO = """\
CREATE OR REPLACE TEMP MACRO texts(record, path) AS list_filter(
  list_transform(
    CASE json_type(record, path)
      WHEN 'ARRAY' THEN json_extract(record, path || '[*]')
      ELSE [json_extract(record, path)] END,
    lambda part: json_extract_string(part, '$')),
  lambda part: part IS NOT NULL);
"""
"""What every query needs to be run once before it."""
_ORDERS = {
    Op.LESS: "<",
    Op.LESS_OR_EQUAL: "<=",
    Op.GREATER: ">",
    Op.GREATER_OR_EQUAL: ">=",
}
_TESTS = {
    Op.CONTAINS: "contains({}, {})",
    Op.STARTSWITH: "starts_with({}, {})",
    Op.ENDSWITH: "ends_with({}, {})",
}


def render_sql(condition: Condition, places: Places) -> str:
    """Return a query over a file of records, one a line; raise `CannotSay`."""
    where = _Sql(places, "json").condition(condition, "  ")
    return f"SELECT json\nFROM read_ndjson_objects('events.ndjson')\nWHERE {where}"


class _Sql:
    def __init__(self, places: Places | None, record: str) -> None:
        self._places = places
        self._record = record

    def condition(self, condition: Condition, indent: str) -> str:
        match condition:
            case And(parts) | Or(parts):
                word = "AND" if isinstance(condition, And) else "OR"
                if not parts:
                    return str(isinstance(condition, And)).lower()
                inner = [self.condition(part, indent + "  ") for part in parts]
                return "(" + f"\n{indent}{word} ".join(inner) + ")"
            case Not(part):
                return f"NOT {self._bracketed(part, indent)}"
            case Predicate():
                return self._predicate(condition)
            case FieldsCompare():
                return self._compare(condition)
            case AnyElement(path, inner_condition):
                return self._any_element(path, inner_condition, indent)

    def _bracketed(self, condition: Condition, indent: str) -> str:
        text = self.condition(condition, indent)
        return text if text.startswith("(") else f"({text})"

    def _predicate(self, asked: Predicate) -> str:
        if not asked.field.path:
            raise CannotSay(in_one_line(asked), "SQL has no word for the text of a whole record")
        if asked.op is Op.EXISTS:
            return f"json_exists({self._record}, {self._json_path(asked)})"
        if asked.op is Op.IS_NULL:
            return f"json_type({self._record}, {self._json_path(asked)}) = 'NULL'"
        texts = self._texts(asked.field, asked)
        if asked.op is Op.GLOB and ANY_TEXT in asked.values:
            return f"len({texts}) > 0"
        return f"len(list_filter({texts}, lambda value: {_test(asked)})) > 0"

    def _json_path(self, asked: Predicate) -> str:
        keys = self._keys(asked.field.path)
        if keys is None:
            raise CannotSay(in_one_line(asked), "more than one key may hold the field")
        return _json_path(keys)

    def _keys(self, field: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the keys of a field; None if the record decides which they are."""
        if self._places is None:
            return field
        expr = self._places.behind(field[0])
        return self._places.path_of(field[0]) if expr is None else None

    def _texts(self, field: Field, asked: Condition) -> str:
        keys = self._keys(field.path)
        if keys is not None:
            return _through(_texts(self._record, keys), field.via, asked)
        expr = self._places.behind(field.path[0]) if self._places else None
        return _through(self._of_expr(expr, asked), field.via, asked)

    def _of_expr(self, expr: Expr | None, asked: Condition) -> str:
        match expr:
            case Path() | Name() if self._places:
                return _texts(self._record, self._places.raw_path(expr))
            case Respelled() if self._places and has_keys(expr):
                return _texts(self._record, self._places.raw_path(expr))
            case First(parts):
                filled = (
                    f"list_filter({self._of_expr(part, asked)}, lambda part: part <> '')"
                    for part in parts
                )
                return f"coalesce({', '.join(f'nullif({one}, [])' for one in filled)}, [])"
        raise CannotSay(in_one_line(asked), "where its values come from is decided by the event")

    def _compare(self, asked: FieldsCompare) -> str:
        left, right = self._texts(asked.left, asked), self._texts(asked.right, asked)
        value, other = ("lower({})" if asked.fold_case else "{}").format, "other"
        test = "{} = {}" if asked.op is Op.EQUALS else _TESTS.get(asked.op)
        if test is None:
            raise CannotSay(in_one_line(asked), "SQL compares the fields as text only")
        inner = test.format(value("value"), value(other))
        return (
            f"len(list_filter({left}, lambda value: "
            f"len(list_filter({right}, lambda other: {inner})) > 0)) > 0"
        )

    def _any_element(self, path: tuple[str, ...], condition: Condition, indent: str) -> str:
        keys = self._keys(path)
        if keys is None:
            raise CannotSay(".".join(path), "more than one key may hold the array")
        inner = _Sql(None, "element").condition(condition, indent + "  ")
        array = f"json_extract({self._record}, {_quoted(_path_text(keys) + '[*]')})"
        return f"len(list_filter({array}, lambda element: {inner})) > 0"


def _texts(record: str, keys: Sequence[str]) -> str:
    return f"texts({record}, {_json_path(keys)})"


def _path_text(keys: Sequence[str]) -> str:
    if any('"' in key for key in keys):
        raise CannotSay(".".join(keys), "a key that holds quotes")
    return "$" + "".join(f"[{key}]" if key.isdigit() else f'."{key}"' for key in keys)


def _json_path(keys: Sequence[str]) -> str:
    return _quoted(_path_text(keys))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _through(texts: str, via: tuple[Call, ...], asked: Condition) -> str:
    for call in via:
        if call.name == "number":
            continue
        changed = _call(call, asked)
        texts = f"list_transform({texts}, lambda value: {changed})"
    return texts


def _call(call: Call, asked: Condition) -> str:
    match call.name, call.args:
        case (("lower" | "upper"), ()):
            return f"{call.name}(value)"
        case "length", ():
            return "CAST(length(value) AS VARCHAR)"
        case "strip", ():
            return "trim(value)"
        case "split", (str(separator), int(index)):
            at = index + 1 if index >= 0 else index
            return f"split_part(value, {_quoted(separator)}, {at})"
    raise CannotSay(in_one_line(asked), f"SQL has no function for {call.name}")


def _test(asked: Predicate) -> str:
    number = any(call.name == "number" for call in asked.field.via)
    if asked.op in _ORDERS or (number and asked.op is Op.EQUALS):
        return _numbers(asked)
    value = "lower(value)" if asked.fold_case else "value"
    if asked.op is Op.EQUALS:
        return f"{value} IN ({', '.join(_quoted(_text(one)) for one in asked.values)})"
    if asked.op in _TESTS:
        tests = [_TESTS[asked.op].format(value, _quoted(_text(one))) for one in asked.values]
        return _either(tests)
    if asked.op in {Op.GLOB, Op.REGEX}:
        return _either([_matches(value, one) for one in asked.values])
    raise CannotSay(in_one_line(asked), "SQL has no function for it without an extension")


def _either(tests: Sequence[str]) -> str:
    return tests[0] if len(tests) == 1 else f"({' OR '.join(tests)})"


def _matches(value: str, pattern: Value) -> str:
    if isinstance(pattern, Regex):
        return f"regexp_matches(value, {_quoted(regex_text(pattern))})"
    parts = pattern.parts if isinstance(pattern, Glob) else (str(pattern),)
    folded = Glob(tuple(p if isinstance(p, Wild) or value == "value" else fold(p) for p in parts))
    return f"regexp_full_match({value}, {_quoted(glob_text(folded))})"


def _numbers(asked: Predicate) -> str:
    sign = _ORDERS.get(asked.op, "=")
    number = "TRY_CAST(value AS DOUBLE)"
    return _either([f"{number} {sign} {bound}" for bound in asked.values])


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal | str) else ""

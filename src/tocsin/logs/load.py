"""Read log-type files: YAML that holds conditions and expressions, never code.

`docs/log-types.md` describes them.

A path is a list of keys, or a string of keys with dots between them. A condition is one of

    {exists: PATH}  {is: {PATH: VALUE or [VALUE, …]}}  {startswith: {…}}  {endswith: {…}}
    {contains: {…}}  {all: [CONDITION, …]}  {any: […]}  {not: CONDITION}

and compares text ignoring case. An expression is a path or one of

    {first: [EXPR, …]}  {all: [EXPR, …]}  {const: TEXT}  {of: EXPR, via: [FUNCTION, …]}
    {whole: PATH}
    {table: {of: EXPR, rows: {TEXT: TEXT or [TEXT, …]}, default: TEXT}}
    {when: {condition: CONDITION, then: EXPR, else: EXPR}}  {name: NAME}
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path as FilePath

from tocsin.condition.functions import FUNCTIONS, fold
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import TRUE, And, Call, Condition, Field, Not, Op, Or, Predicate
from tocsin.errors import LogTypeError
from tocsin.logs.common import Common, with_common
from tocsin.logs.families import Family, in_order
from tocsin.logs.indicators import KINDS
from tocsin.logs.logtype import ANY_KEY, EVERY_EVENT, LogType, Shape, Variant
from tocsin.logs.mapping import All, Const, Expr, First, Name, Path, Table, Via, When
from tocsin.logs.respelled import ARRAYS, KEPT, KEYS, Respelled, Spelling
from tocsin.logs.whole import Whole
from tocsin.logs.within import moved
from tocsin.yamltext import Yaml, read_yaml

_TEXT = (Call("text"),)
_COMPARISONS = {
    "is": Op.EQUALS,
    "startswith": Op.STARTSWITH,
    "endswith": Op.ENDSWITH,
    "contains": Op.CONTAINS,
}
_LOG_TYPE_KEYS = {
    "name",
    "title",
    "priority",
    "products",
    "services",
    "categories",
    "gate",
    "panther",
    "panther_by",
    "indicators",
    "indices",
    "shapes",
}
DOCUMENTS = "documents"
"""In place of indices: every event says itself which index is its own."""
_FAMILY_KEYS = {"at", "keys", "other", "without", "arrays", "texts", "empty"}
_NAMES_KEYS = ("names", "families", "common")
_SHAPE_KEYS = {
    "name",
    "identify",
    "time",
    *_NAMES_KEYS,
    "bases",
    "strip",
    "json_cells",
    "entities",
    "unique",
    "within",
}


@cache
def shipped_log_types() -> tuple[LogType, ...]:
    """Load the log types that ship with Tocsin, in order of priority."""
    return _ordered(
        load_log_type(file.read_text("utf-8"), file.name)
        for file in _yaml_files(files("tocsin.logs") / "types")
    )


def load_log_types(folder: FilePath | None = None) -> tuple[LogType, ...]:
    """Load the shipped log types and those of a user's folder, which go first by name."""
    if folder is None:
        return shipped_log_types()
    own = [load_log_type(file.read_text("utf-8"), str(file)) for file in _yaml_files(folder)]
    names = {log_type.name for log_type in own}
    return _ordered([*own, *(other for other in shipped_log_types() if other.name not in names)])


def _common_files() -> list[Traversable]:
    return _yaml_files(files("tocsin.logs") / "common")


@cache
def _load_common(name: str) -> Common:
    file = next(file for file in _common_files() if file.name == f"{name}.yaml")
    return _Loader(file.name).common(read_yaml(file.read_text("utf-8")))


def _without_families(shape: Shape) -> Shape:
    """Return a shape without the vocabularies that have families: they are not of the whole."""
    names = {key: names for key, names in shape.names.items() if key not in shape.families}
    return replace(shape, names=names, families={})


def _ordered(log_types: Iterable[LogType]) -> tuple[LogType, ...]:
    return tuple(sorted(log_types, key=lambda log_type: (log_type.priority, log_type.name)))


def _yaml_files(folder: Traversable | FilePath) -> list[Traversable]:
    found = [file for file in folder.iterdir() if file.name.endswith((".yaml", ".yml"))]
    return sorted(found, key=lambda file: file.name)


def load_log_type(text: str, source: str) -> LogType:
    """Read one log-type file; raise `LogTypeError` with the file and the key that is wrong."""
    try:
        data = read_yaml(text)
    except ValueError as error:
        raise LogTypeError(f"{source}: not YAML: {error}") from None
    return _Loader(source).log_type(data)


def with_vocabulary(log_type: LogType, data: Yaml, source: str) -> LogType:
    """Return a log type in its first shape, with the names of more vocabularies and its indices.

    `data` has the keys `indices`, `names` and `families` of a log-type file. A vocabulary that the
    shape has names of already stays as it is.
    """
    return _Loader(source).extended(log_type, data)


class _Loader:
    """Reads one file; every method names the key it reads, so that errors can."""

    def __init__(self, source: str) -> None:
        self._source = source

    def fail(self, where: str, wanted: str) -> LogTypeError:
        return LogTypeError(f"{self._source}: {where}: {wanted}")

    def log_type(self, data: Yaml) -> LogType:
        top = self._known(data, "the file", _LOG_TYPE_KEYS)
        name = self._text(top.get("name"), "name")
        indicators = self._indicators(top.get("indicators", {}))
        return LogType(
            name=name,
            title=self._text(top.get("title", name), "title"),
            shapes=tuple(
                replace(shape, indicators=indicators)
                for item in self._list(top.get("shapes"), "shapes")
                for shape in self._shapes(item)
            ),
            products=self._products(top.get("products", [])),
            services={
                fold(key): self._service(value, f"services.{key}")
                for key, value in self._map(top.get("services", {}), "services").items()
            },
            categories={
                fold(key): self._variants(value, f"categories.{key}")
                for key, value in self._map(top.get("categories", {}), "categories").items()
            },
            panther={
                key: self._document_variant(value, f"panther.{key}")
                for key, value in self._map(top.get("panther", {}), "panther").items()
            },
            panther_by=self._panther_by(top.get("panther_by")),
            gate=tuple(self._texts(top.get("gate", []), "gate")),
            priority=int(str(top.get("priority", 50))),
            indices=()
            if top.get("indices") == DOCUMENTS
            else tuple(self._texts(top.get("indices", []), "indices")),
            documents=top.get("indices") == DOCUMENTS,
        )

    def _indicators(self, data: Yaml) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """Read where values of a kind stand in the document: paths by the kind's name."""
        return {
            self._one_of(tuple(KINDS), kind, "indicators"): tuple(
                self._path(path, f"indicators.{kind}")
                for path in self._list(paths, f"indicators.{kind}")
            )
            for kind, paths in self._map(data, "indicators").items()
        }

    def extended(self, log_type: LogType, data: Yaml) -> LogType:
        top = self._known(data, log_type.name, {"indices", "names", "families"})
        shape = log_type.shapes[0]
        known = {*shape.names, *shape.families} - {"sigma"}
        own: dict[str, Yaml] = {
            key: {
                vocabulary: items
                for vocabulary, items in self._map(top.get(key, {}), key).items()
                if vocabulary not in known
            }
            for key in ("names", "families")
        }
        indices = tuple(self._texts(top.get("indices", []), "indices"))
        shapes = (self._with_names(shape, own),)
        return replace(log_type, shapes=shapes, indices=log_type.indices or indices)

    def _products(self, data: Yaml) -> Mapping[str, Condition]:
        """Read the products: a list, or which events are of which one."""
        if isinstance(data, list):
            return {fold(text): TRUE for text in self._texts(data, "products")}
        return {
            fold(key): self._names_condition(value, f"products.{key}")
            for key, value in self._map(data, "products").items()
        }

    def _service(self, data: Yaml, where: str) -> tuple[Variant, ...]:
        if isinstance(data, list):
            return self._variants(data, where)
        condition = self._names_condition(data, where)
        return (EVERY_EVENT if condition == TRUE else Variant(condition),)

    def _document_variant(self, data: Yaml, where: str) -> tuple[Variant, ...]:
        """Read which events a log type of Panther holds: a condition over paths of the document."""
        condition = TRUE if data is None else self._condition(data, where)
        return (EVERY_EVENT if condition == TRUE else Variant(condition),)

    def _panther_by(self, data: Yaml) -> tuple[str, str] | None:
        if data is None:
            return None
        known = self._known(data, "panther_by", {"field", "prefix"})
        prefix = self._text(known.get("prefix", ""), "panther_by.prefix")
        return self._text(known.get("field"), "panther_by.field"), prefix

    def _shapes(self, data: Yaml) -> Iterator[Shape]:
        """Read a shape, and make one for each place within which its records stand.

        What such a place says of names is about the whole record.
        """
        top = self._known(data, "shapes", _SHAPE_KEYS)
        shape = self._shape(top)
        yield shape
        where = f"{shape.name}.within"
        for name, place in self._map(top.get("within", {}), where).items():
            inner = f"{where}.{name}"
            if not isinstance(place, dict):
                place = {"at": place}
            known = self._known(place, inner, {"at", "identify", *_NAMES_KEYS})
            condition = known.get("identify")
            own = moved(
                shape,
                name,
                at=self._path(known.get("at"), inner),
                condition=TRUE if condition is None else self._condition(condition, inner),
            )
            if known.keys() & set(_NAMES_KEYS):
                own = self._with_names(_without_families(own), known)
            yield own

    def _with_names(self, shape: Shape, data: dict[str, Yaml]) -> Shape:
        """Add what a shape says of the names of vocabularies."""
        where = f"{shape.name}."
        names = self._map(data.get("names", {}), f"{where}names")
        families = self._all_families(data.get("families", {}), f"{where}families")
        read = {
            vocabulary: self._expressions(items, f"{where}names.{vocabulary}")
            for vocabulary, items in names.items()
        }
        shared = self._common(data.get("common", []), f"{where}common")
        closed = {*families, *(key for one in shared for key in one.families)}
        own = {
            vocabulary: items if vocabulary in closed else _with_prefixes(items, shape.strip)
            for vocabulary, items in read.items()
        }
        spellings = {
            vocabulary: _spellings(self._map(items, "")) for vocabulary, items in names.items()
        }
        shape = replace(
            shape,
            names={**shape.names, **own},
            spellings={**shape.spellings, **spellings},
            families={**shape.families, **families},
        )
        return with_common(shape, shared)

    def _shape(self, shape: dict[str, Yaml]) -> Shape:
        name = self._text(shape.get("name"), "shapes.name")
        whole = Shape(
            name=name,
            identify=self._condition(shape.get("identify"), f"{name}.identify"),
            time=self._expr(shape.get("time"), f"{name}.time"),
            bases=tuple(
                self._path(base, f"{name}.bases")
                for base in self._list(shape.get("bases", [[]]), f"{name}.bases")
            ),
            strip=tuple(self._texts(shape.get("strip", []), f"{name}.strip")),
            json_cells=self._cells(shape.get("json_cells", False), f"{name}.json_cells"),
            entities={
                kind: tuple(
                    self._expr(item, f"{name}.entities.{kind}")
                    for item in self._list(items, f"{name}.entities.{kind}")
                )
                for kind, items in self._map(shape.get("entities", {}), f"{name}.entities").items()
            },
            unique=tuple(
                self._expr(item, f"{name}.unique")
                for item in self._list(shape.get("unique", []), f"{name}.unique")
            ),
        )
        return self._with_names(whole, shape)

    def _all_families(self, data: Yaml, where: str) -> Mapping[str, tuple[Family, ...]]:
        return {
            vocabulary: self._families(items, f"{where}.{vocabulary}")
            for vocabulary, items in self._map(data, where).items()
        }

    def _families(self, data: Yaml, where: str) -> tuple[Family, ...]:
        return in_order(
            self._family(prefix, one, f"{where}.{prefix}")
            for prefix, value in self._map(data, where).items()
            for one in (value if isinstance(value, list) else [value])
        )

    def _family(self, prefix: str, data: Yaml, where: str) -> Family:
        family = self._known(data, where, _FAMILY_KEYS)
        other = self._map(family.get("other", {}), f"{where}.other")
        spelling = Spelling(
            keys=self._one_of(tuple(KEYS), family.get("keys", "kept"), f"{where}.keys"),
            other={key: self._text(value, f"{where}.other") for key, value in other.items()},
            without=frozenset(self._texts(family.get("without", []), f"{where}.without")),
            arrays=self._one_of(ARRAYS, family.get("arrays", "kept"), f"{where}.arrays"),
            opens_texts=self._one_of(("kept", "json"), family.get("texts", "kept"), where)
            == "json",
        )
        at = family.get("at")
        path = () if at == [] else self._path(at, f"{where}.at")
        empty = self._one_of(("dropped", "kept"), family.get("empty", "dropped"), where)
        return Family(prefix, path, spelling, keeps_empty=empty == "kept")

    def _common(self, data: Yaml, where: str) -> tuple[Common, ...]:
        """Read the files of names that several log types share."""
        names = self._texts(data if isinstance(data, list) else [data], where)
        known = {file.name.removesuffix(".yaml"): file for file in _common_files()}
        if unknown := [name for name in names if name not in known]:
            raise self.fail(where, f"no names are shared as {unknown[0]!r}")
        return tuple(_load_common(name) for name in names)

    def common(self, data: Yaml) -> Common:
        """Read one such file."""
        top = self._known(data, "the file", {"declares", "families", "names"})
        return Common(
            self._spelled(top.get("declares", {}), "declares", Path),
            self._all_families(top.get("families", {}), "families"),
            self._spelled(top.get("names", {}), "names", _name),
        )

    def _spelled(
        self, data: Yaml, where: str, leaf: "Callable[[tuple[str, ...]], Expr]"
    ) -> Mapping[str, Mapping[str, Expr]]:
        return {
            vocabulary: {
                key: self._expr(value, f"{where}.{vocabulary}.{key}", leaf=leaf)
                for key, value in self._map(items, f"{where}.{vocabulary}").items()
            }
            for vocabulary, items in self._map(data, where).items()
        }

    def _one_of(self, known: tuple[str, ...], data: Yaml, where: str) -> str:
        if data not in known:
            raise self.fail(where, f"{data!r} is not known; known: {', '.join(known)}")
        return str(data)

    def _cells(self, data: Yaml, where: str) -> tuple[tuple[str, ...], ...]:
        if isinstance(data, bool):
            return ((ANY_KEY,),) if data else ()
        return tuple(self._path(item, where) for item in self._list(data, where))

    def _variants(self, data: Yaml, where: str) -> tuple[Variant, ...]:
        return tuple(self._variant(item, where) for item in self._list(data, where))

    def _variant(self, data: Yaml, where: str) -> Variant:
        variant = self._known(data, where, {"when", "names", "unmapped"})
        return Variant(
            condition=self._names_condition(variant.get("when"), f"{where}.when"),
            names={
                fold(key): self._expr(value, f"{where}.names.{key}", leaf=_name)
                for key, value in self._map(variant.get("names", {}), f"{where}.names").items()
            },
            unmapped=frozenset(
                fold(text) for text in self._texts(variant.get("unmapped", []), f"{where}.unmapped")
            ),
            spellings=_spellings(self._map(variant.get("names", {}), f"{where}.names")),
        )

    def _names_condition(self, data: Yaml, where: str) -> Condition:
        """Read a condition over the shape's names; nothing at all means every event."""
        return TRUE if data is None else self._condition(data, where, single=True)

    def _expressions(self, data: Yaml, where: str) -> Mapping[str, Expr]:
        return {
            fold(key): self._expr(value, f"{where}.{key}")
            for key, value in self._map(data, where).items()
        }

    def _condition(self, data: Yaml, where: str, *, single: bool = False) -> Condition:
        ((kind, value),) = self._one(data, where).items()
        where = f"{where}.{kind}"
        if kind in {"all", "any"}:
            parts = tuple(
                self._condition(part, where, single=single) for part in self._list(value, where)
            )
            return simplify(And(parts) if kind == "all" else Or(parts))
        if kind == "not":
            return Not(self._condition(value, where, single=single))
        if kind == "exists":
            return Predicate(self._field(value, where, single=single), Op.EXISTS)
        if kind not in _COMPARISONS:
            raise self.fail(where, "is no condition; see docs/log-types.md")
        parts = tuple(
            Predicate(
                self._field(path, where, single=single, via=_TEXT),
                _COMPARISONS[kind],
                tuple(self._texts(values if isinstance(values, list) else [values], where)),
                fold_case=True,
            )
            for path, values in self._map(value, where).items()
        )
        return simplify(And(parts))

    def _field(self, data: Yaml, where: str, *, single: bool, via: tuple[Call, ...] = ()) -> Field:
        path = (self._text(data, where),) if single else self._path(data, where)
        return Field(path, via)

    def _expr(
        self, data: Yaml, where: str, *, leaf: "Callable[[tuple[str, ...]], Expr] | None" = None
    ) -> Expr:
        if isinstance(data, str | list):
            return (leaf or Path)(self._path(data, where))
        ((kind, value), *rest) = self._map(data, where).items() or [("", None)]
        inner = f"{where}.{kind}"
        if kind in {"first", "all"} and not rest:
            parts = tuple(self._expr(part, inner, leaf=leaf) for part in self._list(value, inner))
            return First(parts) if kind == "first" else All(parts)
        if kind == "const" and not rest:
            return Const(self._text(value, inner))
        if kind == "name" and not rest:
            return Respelled((), tuple(self._text(value, inner).split(".")), KEPT)
        if kind == "whole" and not rest:
            return Whole((), self._path(value, inner))
        if kind == "table" and not rest:
            return self._table(value, inner, leaf)
        if kind == "when" and not rest:
            return self._when(value, inner, leaf)
        mapping = self._known(data, where, {"of", "via"})
        calls = tuple(self._call(call, where) for call in self._list(mapping.get("via"), where))
        return Via(self._expr(mapping.get("of"), where, leaf=leaf), calls)

    def _table(
        self, data: Yaml, where: str, leaf: "Callable[[tuple[str, ...]], Expr] | None"
    ) -> Expr:
        table = self._known(data, where, {"of", "rows", "default"})
        rows = tuple(
            (key, tuple(self._texts(value if isinstance(value, list) else [value], where)))
            for key, value in self._map(table.get("rows"), where).items()
        )
        default = table.get("default")
        texts: Yaml = default if isinstance(default, list) else [default]
        fallback = None if default is None else tuple(self._texts(texts, where))
        return Table(self._expr(table.get("of"), where, leaf=leaf), rows, fallback)

    def _when(
        self, data: Yaml, where: str, leaf: "Callable[[tuple[str, ...]], Expr] | None"
    ) -> Expr:
        when = self._known(data, where, {"condition", "then", "else"})
        otherwise = when.get("else")
        return When(
            self._condition(when.get("condition"), where),
            self._expr(when.get("then"), where, leaf=leaf),
            None if otherwise is None else self._expr(otherwise, where, leaf=leaf),
        )

    def _call(self, data: Yaml, where: str) -> Call:
        name, args = data, ()
        if isinstance(data, dict):
            ((name, value),) = self._one(data, where).items()
            args = tuple(value if isinstance(value, list) else [value])  # type: ignore[assignment]
        if name not in FUNCTIONS:
            raise self.fail(where, f"{name!r} is no function; known: {', '.join(FUNCTIONS)}")
        return Call(str(name), args)

    def _path(self, data: Yaml, where: str) -> tuple[str, ...]:
        if isinstance(data, str) and data:
            return tuple(data.split("."))
        return tuple(self._texts(data, where))

    def _known(self, data: Yaml, where: str, keys: set[str]) -> dict[str, Yaml]:
        mapping = self._map(data, where)
        for key in mapping:
            if key not in keys:
                raise self.fail(where, f"{key!r} is not known; known: {', '.join(sorted(keys))}")
        return mapping

    def _one(self, data: Yaml, where: str) -> dict[str, Yaml]:
        mapping = self._map(data, where)
        if len(mapping) != 1:
            raise self.fail(where, "needs exactly one key")
        return mapping

    def _map(self, data: Yaml, where: str) -> dict[str, Yaml]:
        if isinstance(data, dict) and all(isinstance(key, str) for key in data):
            return data
        raise self.fail(where, "needs a mapping with text keys")

    def _list(self, data: Yaml, where: str) -> list[Yaml]:
        if isinstance(data, list):
            return data
        raise self.fail(where, "needs a list")

    def _texts(self, data: Yaml, where: str) -> list[str]:
        return [self._text(item, where) for item in self._list(data, where)]

    def _text(self, data: Yaml, where: str) -> str:
        if isinstance(data, str) or (isinstance(data, int) and not isinstance(data, bool)):
            return str(data)
        raise self.fail(where, "needs text")


def _with_prefixes(names: Mapping[str, Expr], prefixes: Iterable[str]) -> Mapping[str, Expr]:
    """Let declared names answer behind a prefix that is stripped, unless declared so themselves."""
    prefixed = {
        f"{fold(prefix)}.{name}": expr for prefix in prefixes for name, expr in names.items()
    }
    return {**prefixed, **names}


def _spellings(names: Iterable[str]) -> Mapping[str, str]:
    return {fold(name): name for name in names}


def _name(path: tuple[str, ...]) -> Expr:
    return Name(".".join(path))

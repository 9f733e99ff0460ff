"""Log types: what a kind of event looks like, read from YAML files (`docs/log-types.md`).

A log type has one or more *shapes*, the forms in which its events are met. Each shape says how to
recognise a record, where its time is, and what the names of a vocabulary mean in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tocsin.condition.functions import fold
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import FALSE, TRUE, And, Condition, Field, Op, Predicate
from tocsin.logs.families import Family, matching, of_family
from tocsin.logs.indices import chosen, chosen_documents
from tocsin.logs.mapping import All, Expr, Name, Path
from tocsin.logs.nested import AS_IT_STANDS, whole_in
from tocsin.logs.respelled import matches_name

BasePath = tuple[str, ...]
PANTHER = "panther"
"""The vocabulary whose fields are paths of a document, and whose values are whole."""
ANY_KEY = "*"
"""In a base path, and in the path of a cell: every key of the object, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One way in which events answer to a Sigma log source: which ones, under which names."""

    condition: Condition
    """Over the shape's names: those of the variant itself have no part in it."""
    names: Mapping[str, Expr] = field(default_factory=dict)
    """Folded name → expression over other names, in front of the shape's own."""
    unmapped: frozenset[str] = frozenset()
    """Folded names without counterpart: a rule that uses one does not run on this variant."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Folded name → the name as the log type writes it."""

    def __and__(self, other: "Variant") -> "Variant":
        """Return the events of both, under the names of both; this one's go first."""
        return Variant(
            simplify(And((self.condition, other.condition))),
            {**other.names, **self.names},
            self.unmapped | other.unmapped,
            {**other.spellings, **self.spellings},
        )


EVERY_EVENT = Variant(TRUE)
"""Every event, under the shape's own names."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One form in which a log type is met."""

    name: str
    identify: Condition
    """Over exact paths."""
    time: Expr
    names: Mapping[str, Mapping[str, Expr]] = field(default_factory=dict)
    """Vocabulary → folded name → expression."""
    spellings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Vocabulary → folded name → the name as the log type writes it."""
    families: Mapping[str, tuple[Family, ...]] = field(default_factory=dict)
    """Vocabulary → names that are not declared one by one, the longest prefixes first. If there
    are any, no other names reach the record's own keys."""
    bases: tuple[BasePath, ...] = ((),)
    """Where names that are not declared are looked up, in order."""
    strip: tuple[str, ...] = ()
    """Prefixes that a name may carry although this shape does not nest so."""
    json_cells: tuple[BasePath, ...] = ()
    """Paths of strings that hold JSON and are read as what they hold."""
    entities: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)
    indicators: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """Kind of indicator → paths of the document that hold some."""
    unique: tuple[Expr, ...] = ()
    """What makes a record one record, wherever else it is delivered again."""

    def field(self, vocabulary: str, path: tuple[str, ...]) -> Expr:
        """Return what a field's path means here: a name, if it is one key, or a path of keys."""
        if vocabulary == PANTHER:
            names = self.names.get(PANTHER, {})
            spelled = {name: names[key] for key, name in self.spellings.get(PANTHER, {}).items()}
            return whole_in(spelled, self.families.get(PANTHER, (AS_IT_STANDS,)), path)
        return self.expression(vocabulary, path[0]) if len(path) == 1 else Path(path)

    def expression(self, vocabulary: str, name: str) -> Expr:
        """Return what a name means here: as declared, ignoring case, or the record's own key.

        In a name `*` stands for any text, where families say what names there are.
        """
        families = self.families.get(vocabulary)
        if families and ANY_KEY in name:
            return self._every(vocabulary, families, name)
        declared = self.names.get(vocabulary, {}).get(fold(name))
        if declared is None and families:
            return of_family(families, name)
        return declared or Name(name)

    def _every(self, vocabulary: str, families: tuple[Family, ...], pattern: str) -> Expr:
        """Return all values of the names that a pattern matches."""
        names = self.spellings.get(vocabulary, {})
        declared = {key: name for key, name in names.items() if matches_name(pattern, name)}
        exprs = [self.names[vocabulary][key] for key in declared]
        return All((*exprs, *matching(families, pattern, tuple(declared.values()))))

    def candidates(self, name: str) -> list[tuple[BasePath, tuple[str, ...]]]:
        """Return where an undeclared name may be: base path and dotted segments, in order."""
        spellings = [name]
        spellings += [
            name[len(prefix) + 1 :]
            for prefix in self.strip
            if fold(name).startswith(fold(prefix) + ".")
        ]
        return [(base, tuple(name.split("."))) for name in spellings for base in self.bases]


@dataclass(frozen=True, slots=True, eq=False)
class LogType:
    """A kind of event: how to recognise it and which rules want it."""

    name: str
    title: str
    shapes: tuple[Shape, ...]
    products: Mapping[str, Condition] = field(default_factory=dict)
    """Sigma product → which events, a condition over names; the first is shown."""
    services: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
    """Sigma service → the variants that answer to it."""
    categories: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
    """Sigma category → the variants that answer to it."""
    panther: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
    """Log type of Panther → the variants that answer to it."""
    panther_by: tuple[str, str] | None = None
    """Its events say themselves what they are to Panther: in which field, and how Panther's names
    of such things begin."""
    gate: tuple[str, ...] = ()
    """Names by which rules are told apart first, such as channel and event id."""
    priority: int = 50
    """Lower is asked first when a record is identified."""
    indices: tuple[str, ...] = ()
    """Indices that Elastic would hold its events in, by whole names."""
    documents: bool = False
    """Its events are Elastic's own documents, which say themselves what index they are in."""

    def select(
        self, product: str | None, category: str | None, service: str | None
    ) -> tuple[Variant, ...]:
        """Return the variants that a Sigma log source selects; empty if none of this log type.

        Attributes that are not given do not constrain. A source that gives a product alone selects
        every event of that product.
        """
        if not (product or category or service):
            return ()
        variants: tuple[Variant, ...] = (EVERY_EVENT,)
        for attribute, known in (
            (category, self.categories),
            (service, self.services),
            (product, self._of_products()),
        ):
            if attribute is not None:
                found = known.get(fold(attribute), ())
                variants = tuple(_both(variant, other) for variant in variants for other in found)
        return variants

    def select_indices(self, patterns: tuple[str, ...]) -> tuple[Variant, ...]:
        """Return the variants that index patterns of Elastic select: every event, some or none."""
        if self.documents:
            condition = chosen_documents(patterns)
            return () if condition == FALSE else (_selected(condition),)
        return (EVERY_EVENT,) if chosen(self.indices, patterns) else ()

    def select_panther(self, names: tuple[str, ...]) -> tuple[Variant, ...]:
        """Return the variants that log types of Panther select, each once."""
        if self.panther_by:
            return _named(self.panther_by, names)
        found = (variant for name in names for variant in self.panther.get(name, ()))
        return tuple(dict.fromkeys(found))

    def _of_products(self) -> Mapping[str, tuple[Variant, ...]]:
        return {
            name: (EVERY_EVENT if condition == TRUE else Variant(condition),)
            for name, condition in self.products.items()
        }


def _both(variant: Variant, other: Variant) -> Variant:
    """Join two variants; a plan shares what it compiles for one and the same variant."""
    if other is EVERY_EVENT:
        return variant
    return other if variant is EVERY_EVENT else variant & other


@lru_cache(maxsize=4096)
def _named(by: tuple[str, str], names: tuple[str, ...]) -> tuple[Variant, ...]:
    """Return the variant of events whose field names one of some things; none if none is such."""
    field, prefix = by
    start, mark = (prefix, "") if prefix else ("", ":")
    own = tuple(
        name.removeprefix(start)
        for name in names
        if name.startswith(start) and not (mark and mark in name)
    )
    return (Variant(Predicate(Field((field,)), Op.EQUALS, own)),) if own else ()


@lru_cache(maxsize=4096)
def _selected(condition: Condition) -> Variant:
    """Return the same variant for equal conditions: a plan compiles it once."""
    return Variant(condition)


def leads_to(base: BasePath, path: tuple[str, ...]) -> bool:
    """Say whether a path goes on from a base path."""
    return len(base) < len(path) and all(
        key in (ANY_KEY, own) for key, own in zip(base, path, strict=False)
    )


def generic(product: str | None, category: str | None, service: str | None) -> LogType:
    """Make a log type for logs that have none: every record is one, its keys are its names.

    `category` and `service` answer to the Sigma log source that was given.
    """
    name = "/".join(part or "" for part in (product, category, service))
    return LogType(
        name=name,
        title=f"logs of the Sigma source {name}",
        shapes=(_any_record(),),
        products={fold(product): TRUE} if product else {},
        services={fold(service): (EVERY_EVENT,)} if service else {},
        categories={fold(category): (EVERY_EVENT,)} if category else {},
        priority=0,
    )


def generic_panther(name: str) -> LogType:
    """Make a log type for logs that are one of Panther's log types, resources or queries."""
    return LogType(
        name=name,
        title=f"{name} of Panther",
        shapes=(_any_record(),),
        panther={name: (EVERY_EVENT,)},
        priority=0,
    )


def _any_record() -> Shape:
    from tocsin.logs.mapping import First, Path

    return Shape("record", TRUE, First(tuple(Path((name,)) for name in _TIMES)))


_TIMES = (
    "p_event_time", "@timestamp", "time", "timestamp", "eventTime", "TimeGenerated", "TimeCreated",
    "ts", "published", "created_at",
)  # fmt: skip
"""Keys that the time of a record is looked for under, if nothing is known of it."""

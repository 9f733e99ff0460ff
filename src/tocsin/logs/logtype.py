"""Log types: what a kind of event looks like, read from YAML files (`docs/log-types.md`).

A log type has one or more *shapes*, the forms in which its events are met. Each shape says how to
recognise a record, where its time is, and what the names of a vocabulary mean in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tocsin.condition.functions import fold
from tocsin.condition.tree import TRUE, Condition
from tocsin.logs.mapping import Expr, Name

BasePath = tuple[str, ...]
ANY_KEY = "*"
"""In a base path: every key of the object, in order."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which events answer to a Sigma category: which ones, under which names."""

    condition: Condition
    names: Mapping[str, Expr] = field(default_factory=dict)
    """Folded name → expression over other names, in front of the shape's own."""
    unmapped: frozenset[str] = frozenset()
    """Folded names without counterpart: a rule that uses one does not run on this variant."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Folded name → the name as the log type writes it."""


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
    bases: tuple[BasePath, ...] = ((),)
    """Where names that are not declared are looked up, in order."""
    strip: tuple[str, ...] = ()
    """Prefixes that a name may carry although this shape does not nest so."""
    json_cells: bool = False
    """Top-level strings that hold JSON are read as what they hold."""
    entities: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)
    unique: tuple[Expr, ...] = ()
    """What makes a record one record, wherever else it is delivered again."""

    def expression(self, vocabulary: str, name: str) -> Expr:
        """Return what a name means here: as declared, ignoring case, or the record's own key."""
        return self.names.get(vocabulary, {}).get(fold(name)) or Name(name)

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
    products: tuple[str, ...] = ()
    """Sigma products; the first is shown."""
    services: Mapping[str, Condition] = field(default_factory=dict)
    """Sigma service → which events, a condition over names."""
    categories: Mapping[str, tuple[Variant, ...]] = field(default_factory=dict)
    """Sigma category → the variants that answer to it."""
    gate: tuple[str, ...] = ()
    """Names by which rules are told apart first, such as channel and event id."""
    priority: int = 50
    """Lower is asked first when a record is identified."""

    def select(
        self, product: str | None, category: str | None, service: str | None
    ) -> tuple[Variant, ...]:
        """Return the variants that a Sigma log source selects; empty if none of this log type.

        Attributes that are not given do not constrain. A source that gives a product alone selects
        every event of the log type.
        """
        if product is not None and fold(product) not in self.products:
            return ()
        if category is None and service is None:
            return (Variant(TRUE),) if product else ()
        variants: tuple[Variant, ...] = (Variant(TRUE),)
        if category is not None:
            variants = self.categories.get(fold(category), ())
        if service is None:
            return variants
        condition = self.services.get(fold(service))
        if condition is None:
            return ()
        return tuple(_both(variant, condition) for variant in variants)


def _both(variant: Variant, condition: Condition) -> Variant:
    from tocsin.condition.simplify import simplify
    from tocsin.condition.tree import And

    both = simplify(And((variant.condition, condition)))
    return Variant(both, variant.names, variant.unmapped, variant.spellings)


def leads_to(base: BasePath, path: tuple[str, ...]) -> bool:
    """Say whether a path goes on from a base path."""
    return len(base) < len(path) and all(
        key in (ANY_KEY, own) for key, own in zip(base, path, strict=False)
    )


def generic(product: str | None, category: str | None, service: str | None) -> LogType:
    """Make a log type for logs that have none: every record is one, its keys are its names.

    `category` and `service` answer to the Sigma log source that was given.
    """
    from tocsin.logs.mapping import First, Path

    times = ("@timestamp", "time", "timestamp", "eventTime", "TimeGenerated", "TimeCreated", "ts")
    shape = Shape("record", TRUE, First(tuple(Path((name,)) for name in times)))
    name = "/".join(part or "" for part in (product, category, service))
    return LogType(
        name=name,
        title=f"logs of the Sigma source {name}",
        shapes=(shape,),
        products=(fold(product),) if product else (),
        services={fold(service): TRUE} if service else {},
        categories={fold(category): (Variant(TRUE),)} if category else {},
        priority=0,
    )

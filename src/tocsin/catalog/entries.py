"""Rules as the catalogue knows them: checked, with an address and what they are found by."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.alerts.attack import attack_places
from tocsin.catalog.addresses import addresses_of
from tocsin.catalog.licences import name_licence, pack_licence
from tocsin.engine.check import Checked, check
from tocsin.logs.logtype import LogType
from tocsin.rules import traits
from tocsin.rules.model import Rule
from tocsin.rules.select import FIELDS


@dataclass(frozen=True, slots=True)
class Indicator:
    """One thing that a rule tests, and the name of its field that all vocabularies share."""

    field: str
    canonical: str
    op: str
    value: str
    negated: bool = False
    """It must not hold."""

    @property
    def triple(self) -> str:
        """Return what rules have in common that make the same test, as they write it."""
        return f"{self.field.lower()} {self.op} {self.value.lower()}"

    @property
    def pair(self) -> tuple[str, str]:
        """Return field and value, however they are compared."""
        return self.canonical, self.value.lower()


Indicators = Callable[[Rule], Sequence[Indicator]]
"""How the indicators of a rule are found."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule of the catalogue."""

    rule: Rule
    checked: Checked
    address: str
    """`pack/id`, of characters that a path and an address may hold."""
    indicators: tuple[Indicator, ...]
    licence: str
    """The rule's own, or that of its pack; empty if neither says one."""
    traits: Mapping[str, tuple[str, ...]]
    """What it is found by: field of the query syntax → texts."""

    @property
    def operations(self) -> tuple[str, ...]:
        """Return the operations and event ids that it names."""
        return self.traits.get("operation", ())


def read_indicators(rule: Rule) -> tuple[Indicator, ...]:
    """Return what a rule tests, each once, its fields under their own names."""
    tests = traits.rule_tests(rule)
    return tuple(
        Indicator(one.field, one.field.lower(), one.op, one.value, one.negated) for one in tests
    )


MORE = ("log_type", "indicator", "operation")
"""Fields of the query syntax that the rule alone does not tell."""


def make_entries(
    rules: Iterable[Rule],
    log_types: Sequence[LogType],
    roots: Mapping[str, Path] | None = None,
    indicators: Indicators = read_indicators,
) -> list[Entry]:
    """Check rules and read what they can be found by; `roots` are where packs were read from."""
    listed = list(rules)
    addresses = addresses_of(listed, roots)
    return [
        _entry(check(rule, log_types), address, tuple(indicators(rule)))
        for rule, address in zip(listed, addresses, strict=True)
    ]


def _entry(checked: Checked, address: str, indicators: tuple[Indicator, ...]) -> Entry:
    from tocsin.catalog.operations import operations_of

    rule = checked.rule
    own = rule.license and name_licence(rule.license)
    licence = own or pack_licence(str(Path(rule.path).parent))
    found = {
        name: tuple(dict.fromkeys(text for text in read(rule) if text))
        for name, read in FIELDS.items()
        if name not in _ELSEWHERE
    }
    places = attack_places(rule.attack)
    found |= {
        "tactic": tuple(dict.fromkeys(tactic.id for tactic, _ in places if tactic)),
        "technique": tuple(dict.fromkeys(one.id for _, one in places if one)),
        "license": (licence,) if licence else (),
        "verdict": (checked.verdict.value,),
        "log_type": checked.log_types,
        "field": tuple(dict.fromkeys(name for one in indicators for name in _names(one))),
        "value": tuple(dict.fromkeys(one.value for one in indicators if one.value)),
        "operation": operations_of(rule, indicators),
    }
    return Entry(rule, checked, address, indicators, licence, found)


_ELSEWHERE = {"field", "license", "tactic", "technique", "text", "value", "verdict"}
"""Fields that are not read from the rule alone, or not kept as texts."""


def _names(one: Indicator) -> tuple[str, ...]:
    return (one.field or "any value", one.canonical or "any value")

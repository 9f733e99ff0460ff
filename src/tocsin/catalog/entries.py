"""Rules as the catalogue knows them: checked, with an address and what they are found by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.alerts.attack import attack_places
from tocsin.catalog.addresses import addresses_of
from tocsin.catalog.indicators import Indicator, indicators
from tocsin.catalog.licences import name_licence, pack_licence
from tocsin.condition.functions import fold
from tocsin.engine.check import Checked, check
from tocsin.logs.logtype import LogType
from tocsin.rules.model import Rule
from tocsin.rules.select import FIELDS


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

    def tests(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield field, canonical field, operator and value of all that it tests.

        Fields and values are folded, canonical names are as they are.
        """
        for one in self.indicators:
            for value in one.values or ("",):
                yield fold(one.field), one.canonical, one.op, fold(value)

    @property
    def operations(self) -> tuple[str, ...]:
        """Return the operations and event ids that it names."""
        return self.traits.get("operation", ())


MORE = ("log_type", "indicator", "operation")
"""Fields of the query syntax that the rule alone does not tell."""


def make_entries(
    rules: Iterable[Rule],
    log_types: Sequence[LogType],
    roots: Mapping[str, Path] | None = None,
) -> list[Entry]:
    """Check rules and read what they can be found by; `roots` are where packs were read from."""
    listed = list(rules)
    addresses = addresses_of(listed, roots)
    return [
        _entry(check(rule, log_types), address)
        for rule, address in zip(listed, addresses, strict=True)
    ]


def _entry(checked: Checked, address: str) -> Entry:
    from tocsin.catalog.operations import operations_of

    rule = checked.rule
    sought = indicators(rule)
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
        "field": tuple(
            dict.fromkeys(name for one in sought for name in (one.field, one.canonical))
        ),
        "value": tuple(dict.fromkeys(value for one in sought for value in one.values)),
        "operation": operations_of(rule, sought),
    }
    return Entry(rule, checked, address, sought, licence, found)


_ELSEWHERE = {"field", "license", "tactic", "technique", "text", "value", "verdict"}
"""Fields that are not read from the rule alone, or not kept as texts."""

"""MITRE ATT&CK: names, the order of tactics, and what older ids became.

`enterprise.json` is the one place where Tocsin knows any of it, unless `tocsin attack update` put a
newer one into the user's data folder. It is read when first asked for, never on import. Tactics
come and go with versions of ATT&CK, so nothing here is an enum.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Name:
    """A tactic or technique as ATT&CK has it today; `name` is None if ATT&CK does not know the id.

    `replaces` is the older id that was asked for, if this one took its place, and `note` says in
    words what a reader should know of the id.
    """

    id: str
    name: str | None = None
    parent: str | None = None
    """The name of the technique that this is a sub-technique of."""
    replaces: str | None = None
    note: str = ""

    @property
    def full(self) -> str:
        """Return the name with that of the technique above it; empty if it is not known."""
        return ": ".join(part for part in (self.parent, self.name) if part)

    def __str__(self) -> str:
        text = f"{self.id} {self.full}".rstrip()
        return f"{text} ({self.note})" if self.note else text


@dataclass(frozen=True, slots=True)
class Attack:
    """One version of ATT&CK; tactics stand in the order of its matrix."""

    version: str
    tactics: Mapping[str, str]
    """Names by id."""
    slugs: Mapping[str, str]
    """Ids by short name, former short names with them."""
    techniques: Mapping[str, tuple[str, tuple[str, ...]]]
    """Name and tactic ids by id."""
    replaced: Mapping[str, str]
    withdrawn: frozenset[str]

    def tactic(self, tactic: str) -> Name:
        """Name a tactic; an unknown id is kept and its note says so."""
        name = self.tactics.get(tactic)
        return Name(tactic, name, note="" if name else self._unknown())

    def technique(self, technique: str) -> Name:
        """Name a technique, that which took its place if it was replaced.

        An unknown or withdrawn id is kept and its note says so.
        """
        current = self._current(technique)
        if current not in self.techniques:
            gone = f"withdrawn from ATT&CK before {self.version}"
            return Name(technique, note=gone if technique in self.withdrawn else self._unknown())
        name = self.techniques[current][0]
        above = current.partition(".")[0]
        parent = self.techniques[above][0] if above != current else None
        if current == technique:
            return Name(current, name, parent)
        return Name(current, name, parent, technique, f"{technique} until it was replaced")

    def tactics_of(self, technique: str) -> tuple[str, ...]:
        """Return the ids of the tactics a technique serves, in order; none if it is unknown."""
        _, tactics = self.techniques.get(self._current(technique), ("", ()))
        return tuple(sorted(tactics, key=self.rank))

    def rank(self, tactic: str) -> int:
        """Return a tactic's place in the matrix; unknown ones come last."""
        order = list(self.tactics)
        return order.index(tactic) if tactic in order else len(order)

    def _current(self, technique: str) -> str:
        seen = {technique}
        while (after := self.replaced.get(technique)) and after not in seen:
            seen.add(after)
            technique = after
        return technique

    def _unknown(self) -> str:
        return f"not in ATT&CK {self.version}"


def own_file() -> Path:
    """Return where a newer ATT&CK of the user's would be.

    The environment variable `TOCSIN_DATA` names another folder for the user's data.
    """
    if own := os.environ.get("TOCSIN_DATA"):
        return Path(own) / "attack" / "enterprise.json"
    import platformdirs

    return Path(platformdirs.user_data_dir("tocsin")) / "attack" / "enterprise.json"


def shipped() -> dict[str, Any]:
    """Return the compact form that ships."""
    found: dict[str, Any] = orjson.loads((files(__name__) / "enterprise.json").read_bytes())
    return found


@cache
def load_attack() -> Attack:
    """Return ATT&CK Enterprise: the user's own, else as it ships."""
    path = own_file()
    try:
        return read_attack(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _LOG.warning("%s cannot be read, ATT&CK is taken as it ships: %r", path, error)
    return read_attack(shipped())


_LOG = logging.getLogger(__name__)


def read_attack(data: Mapping[str, Any]) -> Attack:
    """Read the compact form."""
    tactics = data["tactics"]
    return Attack(
        version=data["version"],
        tactics={one["id"]: one["name"] for one in tactics},
        slugs={one["shortname"]: one["id"] for one in tactics} | data["former_tactics"],
        techniques={
            key: (one["name"], tuple(one["tactics"])) for key, one in data["techniques"].items()
        },
        replaced=data["replaced"],
        withdrawn=frozenset(data["withdrawn"]),
    )


def update_attack(bundle: bytes) -> Attack:
    """Put the ATT&CK of a STIX bundle into the user's data folder; raise `InputError` for none."""
    from tocsin.content.attack.stix import compact
    from tocsin.errors import InputError

    try:
        parsed = orjson.loads(bundle)
    except ValueError:
        raise InputError("not JSON") from None
    data = compact(parsed, shipped())
    path = own_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2))
    temporary.replace(path)
    load_attack.cache_clear()
    return load_attack()

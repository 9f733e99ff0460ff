"""Stable addresses: pack and id of a rule in characters that every browser takes."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tocsin.rules.model import Rule

LONGEST = 100
"""Characters of one part of an address."""
_TAKEN = re.compile(r"[^A-Za-z0-9._-]+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def addresses_of(rules: Sequence[Rule], roots: Mapping[str, Path] | None = None) -> list[str]:
    """Return `pack/id` of each rule; of several alike the later ones end in a digest.

    `roots` are where packs were read from: a rule without an id is told by its path below that.
    """
    taken: set[str] = set()
    found = []
    for rule in rules:
        name = _name(rule, (roots or {}).get(rule.pack))
        address = f"{part(rule.pack)}/{part(name)}"
        if address.lower() in taken:
            address = _with_digest(address, f"{rule.id}\0{rule.path}")
        while address.lower() in taken:
            address += "-2"
        taken.add(address.lower())
        found.append(address)
    return found


def _name(rule: Rule, root: Path | None) -> str:
    above = f"{root}/" if root else ""
    return rule.id.removeprefix(above) if rule.id.startswith(rule.path) else rule.id


def part(text: str) -> str:
    """Return a text as a part of an address; one that had to be changed ends in a digest."""
    plain = _TAKEN.sub("-", text)[:LONGEST].strip(".-") or "rule"
    return plain if plain == text else _with_digest(plain, text)


def slug(text: str) -> str:
    """Return a name of ours as one part of an address, in lower case."""
    return part(re.sub(r"[\s/:,]+", "-", text.strip().lower()))


def _with_digest(plain: str, of: str) -> str:
    return f"{plain}-{hashlib.sha256(of.encode(errors='replace')).hexdigest()[:8]}"


def is_uuid(text: str) -> bool:
    """Say whether an id is one that names a rule wherever it is published."""
    return bool(_UUID.fullmatch(text))


def by_uuid(addresses: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Group addresses by the ids of their rules, those that are UUIDs."""
    found: dict[str, list[str]] = {}
    for identifier, address in addresses:
        if is_uuid(identifier):
            found.setdefault(identifier.lower(), []).append(address)
    return found

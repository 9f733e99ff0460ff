"""The ATT&CK entries of a rule with their names, as records, as text, and placed in the matrix."""

from collections.abc import Iterable
from functools import lru_cache

from tocsin.content.attack import Name, load_attack
from tocsin.rules.model import Technique


def attack_records(entries: tuple[Technique, ...]) -> list[dict[str, str | None]]:
    """Return what a record says of each entry; an older id is written as what it became."""
    return [dict(record) for record in _records(entries)]


@lru_cache(maxsize=10_000)
def _records(entries: tuple[Technique, ...]) -> tuple[dict[str, str | None], ...]:
    return tuple(map(_record, entries))


def _record(entry: Technique) -> dict[str, str | None]:
    attack = load_attack()
    tactic = attack.tactic(entry.tactic) if entry.tactic else None
    technique = attack.technique(entry.technique) if entry.technique else None
    return {
        "tactic": tactic.id if tactic else None,
        "tactic_name": tactic.name if tactic else None,
        "technique": technique.id if technique else None,
        "technique_name": technique.name if technique else None,
        "replaces": technique.replaces if technique else None,
    }


def attack_url(name: Name) -> str:
    """Return the address of a tactic's or technique's page."""
    kind = "tactics" if name.id.startswith("TA") else "techniques"
    return f"https://attack.mitre.org/{kind}/{name.id.replace('.', '/')}/"


def attack_names(entries: Iterable[Technique]) -> list[Name]:
    """Return the tactics and techniques that entries name, each once, in their order."""
    attack = load_attack()
    names: list[Name] = []
    for entry in entries:
        names += [attack.tactic(entry.tactic)] if entry.tactic else []
        names += [attack.technique(entry.technique)] if entry.technique else []
    return list(dict.fromkeys(names))


@lru_cache(maxsize=10_000)
def attack_places(entries: tuple[Technique, ...]) -> tuple[tuple[Name | None, Name | None], ...]:
    """Return where in the matrix entries stand, as tactics with their techniques, in its order.

    A technique stands under those of its tactics that are named with it, or under all of them if
    none is. A tactic under which no technique stands is there by itself; a technique that ATT&CK
    does not know is under the tactics that are named, or under none.
    """
    attack = load_attack()
    named = [entry.tactic for entry in entries if entry.tactic]
    places: dict[tuple[str | None, str | None], tuple[Name | None, Name | None]] = {}
    for technique in (attack.technique(entry.technique) for entry in entries if entry.technique):
        own = attack.tactics_of(technique.id)
        for tactic in [one for one in own if one in named] or own or named or (None,):
            place = (attack.tactic(tactic) if tactic else None, technique)
            places.setdefault((tactic, technique.id), place)
    filled = {tactic for tactic, _ in places}
    for tactic in named:
        if tactic not in filled:
            places.setdefault((tactic, None), (attack.tactic(tactic), None))
    ordered = sorted(places, key=lambda key: (attack.rank(key[0] or ""), key[1] or ""))
    return tuple(places[key] for key in ordered)

"""The pages about ATT&CK: matrices, and a page per technique and tactic."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from tocsin.alerts.attack import attack_places
from tocsin.catalog.addresses import slug
from tocsin.catalog.entries import Entry
from tocsin.catalog.matrix import Matrix, layer, matrix_csv
from tocsin.content.attack import load_attack
from tocsin.pages.catalog.frame import ECOSYSTEMS, NamedMatrix, Site, render

AZURE_TACTICS: Mapping[str, str] = {
    "1": "Reconnaissance",
    "2": "Initial Access",
    "3": "Execution",
    "4": "Privilege Escalation",
    "5": "Persistence",
    "6": "Credential Access",
    "7": "Impact",
}
"""Tactics of the Azure Threat Research Matrix, by the first digit of their techniques."""


def attack_files(
    entries: Sequence[Entry], site: Site, matrix: Matrix, more: Sequence[NamedMatrix]
) -> Iterator[tuple[str, bytes]]:
    """Yield all pages about ATT&CK; `matrix` is that of all rules."""
    lead = "How many rules name each technique. A rule counts once in each cell."
    all_rules = NamedMatrix("index", "All rules", ("rule", "rules"), lead, matrix)
    yield from _matrices(site, [all_rules, *more])
    yield "attack/azure.html", render("azure", site, "attack/azure", groups=_azure(entries))
    yield from _techniques(entries, site, matrix)


def _matrices(site: Site, shown: Sequence[NamedMatrix]) -> Iterator[tuple[str, bytes]]:
    """Yield the page of each matrix, and the same as a layer and as CSV."""
    for one in shown:
        place = f"attack/{one.slug}"
        cells = (cell.total for column in one.matrix.columns for cell in column.cells)
        top = max(cells, default=1)
        yield f"{place}.html", render("matrix", site, place, shown=shown, one=one, top=top)
        navigator = layer(one.matrix, f"Tocsin catalogue: {one.title}", one.what[1])
        yield f"{place}.layer.json", orjson.dumps(navigator)
        yield f"{place}.csv", matrix_csv(one.matrix).encode()


def _techniques(
    entries: Sequence[Entry], site: Site, matrix: Matrix
) -> Iterator[tuple[str, bytes]]:
    known = load_attack()
    by_technique, by_tactic = _by_technique(entries)
    for technique in dict.fromkeys([*known.techniques, *by_technique]):
        own = by_technique.get(technique, [])
        below = [key for key in known.techniques if key.startswith(technique + ".")]
        tactics = [known.tactic(one) for one in known.tactics_of(technique)]
        place = f"attack/{slug(technique).upper()}"
        yield f"{place}.html", render(
            "technique", site, place, name=known.technique(technique), tactics=tactics,
            below=[(known.technique(key), len(by_technique.get(key, []))) for key in below],
            groups=_by_ecosystem(own), total=len(own),
        )  # fmt: skip
    for tactic in dict.fromkeys([*known.tactics, *by_tactic]):
        column = next((one for one in matrix.columns if one.tactic.id == tactic), None)
        place = f"attack/{slug(tactic).upper()}"
        yield f"{place}.html", render(
            "technique", site, place, name=known.tactic(tactic), tactics=[],
            below=[(c.technique, c.total) for c in column.cells] if column else [],
            groups=_by_ecosystem(by_tactic.get(tactic, [])), total=len(by_tactic.get(tactic, [])),
        )  # fmt: skip


def _by_technique(
    entries: Iterable[Entry],
) -> tuple[dict[str, list[Entry]], dict[str, list[Entry]]]:
    """Group entries by technique, and by tactic those that name no technique of it."""
    techniques: dict[str, list[Entry]] = defaultdict(list)
    tactics: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        places = attack_places(entry.rule.attack)
        for technique in dict.fromkeys(one.id for _, one in places if one):
            techniques[technique].append(entry)
        for tactic in dict.fromkeys(one.id for one, technique in places if one and not technique):
            tactics[tactic].append(entry)
    return techniques, tactics


def _by_ecosystem(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    groups: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: (-one.rule.severity.rank, one.rule.name.lower())):
        groups.setdefault(entry.rule.ecosystem, []).append(entry)
    order = list(ECOSYSTEMS)
    return sorted(groups.items(), key=lambda item: order.index(item[0]) if item[0] in order else 9)


def _azure(entries: Sequence[Entry]) -> list[tuple[str, list[tuple[str, list[Entry]]]]]:
    """Group entries by tags of the Azure Threat Research Matrix, under its tactics."""
    tags: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        for tag in dict.fromkeys(one.upper() for one in entry.rule.tags):
            if tag.startswith("AZT"):
                tags[tag].append(entry)
    return [
        (title, of_it)
        for digit, title in AZURE_TACTICS.items()
        if (of_it := sorted((tag, own) for tag, own in tags.items() if tag[3:4] == digit))
    ]

"""The pages of the catalogue that are about many rules: start, lists, matrix, operations, packs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from tocsin.alerts.attack import attack_places
from tocsin.catalog.addresses import slug
from tocsin.catalog.counts import Corpus
from tocsin.catalog.entries import Entry
from tocsin.catalog.matrix import Column, Matrix, Named, layer, make_matrix, matrix_csv
from tocsin.catalog.operations import services
from tocsin.catalog.search import FACETS
from tocsin.content.attack import Name, load_attack
from tocsin.pages.catalog.browser import browser_files
from tocsin.pages.catalog.frame import Site, render
from tocsin.rules.traits import changed, day

NEWEST = 12
MOST_SHARED = 12
MOST_SERVICES = 12

ECOSYSTEMS: Mapping[str, str] = {"sigma": "Sigma", "elastic": "Elastic", "panther": "Panther"}
"""Ecosystems and what they are called, in the order in which they are shown."""

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


@dataclass(frozen=True, slots=True)
class EcosystemView:
    """How many rules of an ecosystem there are, and how many run."""

    name: str
    title: str
    rules: int
    runs: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of the skyline of tactics: segments from the ground up, in per mille."""

    tactic: Name
    total: int
    segments: tuple[tuple[str, float, float, int], ...]
    """Ecosystem, where it starts, how high it is, how many rules."""


@dataclass(frozen=True, slots=True)
class SharedValue:
    """A value that rules of several ecosystems test for."""

    value: str
    fields: tuple[str, ...]
    by_ecosystem: tuple[tuple[str, int], ...]


def overview_files(corpus: Corpus, site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield all files that are about many rules."""
    entries = corpus.entries
    matrix = make_matrix(Named(one.rule.attack, one.rule.ecosystem) for one in entries)
    yield "index.html", _start(corpus, site, matrix)
    yield from _lists(entries, site)
    yield from _attack(entries, site, matrix)
    yield from _operations(entries, site)
    yield "about.html", render("about", site, "about", known=_ecosystems(entries))
    yield "catalogue.json", _listing(entries)
    yield from browser_files(entries)


def _start(corpus: Corpus, site: Site, matrix: Matrix) -> bytes:
    entries = corpus.entries
    return render(
        "start",
        site,
        "index",
        ecosystems=_ecosystems(entries),
        bars=_bars(matrix),
        gaps=len(matrix.gaps),
        newest=_newest(entries),
        facets=_facets(entries),
        shared=_shared(entries),
        services=[one for one in services(entries) if one.operations][:MOST_SERVICES],
    )


def _newest(entries: Sequence[Entry]) -> list[Entry]:
    """Return the newest rules, of each pack not more than its share."""
    found, of_pack = list[Entry](), Counter[str]()
    for entry in sorted(entries, key=lambda one: day(one.rule.date), reverse=True):
        if of_pack[entry.rule.pack] < NEWEST // 2 and len(found) < NEWEST:
            of_pack[entry.rule.pack] += 1
            found.append(entry)
    return found


def _ecosystems(entries: Sequence[Entry]) -> list[EcosystemView]:
    found = Counter(entry.rule.ecosystem for entry in entries)
    runs = Counter(
        entry.rule.ecosystem for entry in entries if entry.checked.verdict.value != "cannot"
    )
    names = [*(name for name in ECOSYSTEMS if name in found), *sorted(set(found) - set(ECOSYSTEMS))]
    return [
        EcosystemView(name, ECOSYSTEMS.get(name, name), found[name], runs[name]) for name in names
    ]


def _bars(matrix: Matrix) -> list[Bar]:
    top = max((column.total for column in matrix.columns), default=0) or 1
    return [_bar(column, top) for column in matrix.columns]


def _bar(column: Column, top: int) -> Bar:
    order = {name: at for at, name in enumerate(ECOSYSTEMS)}
    at, segments = 0.0, []
    counts = sorted(column.counts.items(), key=lambda item: order.get(item[0], 9))
    for name, count in counts:
        height = 1000 * count / top
        segments.append((name, at, height, count))
        at += height
    return Bar(column.tactic, column.total, tuple(segments))


START_FACETS = ("severity", "platform", "kind", "status", "year", "license")


def _facets(entries: Sequence[Entry]) -> list[tuple[str, str, list[tuple[str, int]]]]:
    found = []
    for name in START_FACETS:
        counts: Counter[str] = Counter()
        for entry in entries:
            texts = entry.traits["changed"] if name == "year" else entry.traits[name]
            counts.update(text[:4] if name == "year" else text for text in texts)
        ranked = sorted(counts.items(), reverse=True) if name == "year" else counts.most_common()
        found.append((name, FACETS[name], ranked[:8]))
    return found


def _shared(entries: Sequence[Entry]) -> list[SharedValue]:
    """Return values that the most ecosystems test for, of operations and programs, not of flags."""
    rules: dict[str, Counter[str]] = defaultdict(Counter)
    fields: dict[str, dict[str, None]] = defaultdict(dict)
    spelled: dict[str, str] = {}
    for entry in entries:
        for value in {one.value.strip("\\*/").lower(): one for one in entry.indicators}.items():
            text, one = value
            if len(text) >= _LEAST and any(map(str.isalpha, text)):
                rules[text][entry.rule.ecosystem] += 1
                fields[text][one.field] = None
                spelled.setdefault(text, one.value.strip("\\*/"))
    common = [item for item in rules.items() if len(item[1]) > 1 and sum(item[1].values()) < 400]
    common.sort(key=lambda item: (-len(item[1]), -min(item[1].values()), -sum(item[1].values())))
    return [
        SharedValue(spelled[text], tuple(fields[text])[:3], tuple(sorted(counts.items())))
        for text, counts in common[:MOST_SHARED]
    ]


_LEAST = 8
"""Characters of a value that says something by itself."""


def _lists(entries: Sequence[Entry], site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield the lists that can be read without JavaScript: all rules of each pack, by platform."""
    for pack in site.packs:
        own = [entry for entry in entries if entry.rule.pack == pack.name]
        groups: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(own, key=lambda one: one.rule.name.lower()):
            groups[next(iter(entry.traits["platform"]), "other")].append(entry)
        ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
        place = f"packs/{slug(pack.name)}"
        yield f"{place}.html", render("pack", site, place, pack=pack, groups=ranked)
    yield "search.html", render("search", site, "search", facets=FACETS)


def _attack(entries: Sequence[Entry], site: Site, matrix: Matrix) -> Iterator[tuple[str, bytes]]:
    yield "attack/index.html", render(
        "matrix", site, "attack/index", matrix=matrix, ecosystems=_ecosystems(entries),
        top=max((cell.total for column in matrix.columns for cell in column.cells), default=1),
    )  # fmt: skip
    yield "attack/layer.json", orjson.dumps(layer(matrix, "Tocsin catalogue", "rules"))
    yield "attack/matrix.csv", matrix_csv(matrix).encode()
    yield "attack/azure.html", render("azure", site, "attack/azure", groups=_azure(entries))
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


def _operations(entries: Sequence[Entry], site: Site) -> Iterator[tuple[str, bytes]]:
    found = services(entries)
    yield "operations/index.html", render("services", site, "operations/index", services=found)
    for service in found:
        place = f"operations/{slug(service.name)}"
        operations = sorted(
            service.operations.values(), key=lambda one: (-len(one.entries), one.name.lower())
        )
        yield (
            f"{place}.html",
            render("service", site, place, service=service, operations=operations, slug=slug),
        )
        yield (
            f"{place}.json",
            orjson.dumps(
                {
                    "service": service.name,
                    "operations": [
                        {
                            "name": one.name,
                            "documented": one.documented,
                            "twins": one.twins,
                            "rules": [entry.address for entry in one.entries],
                            "through_twins": [entry.address for entry in one.through_twins],
                        }
                        for one in operations
                    ],
                },
                option=orjson.OPT_INDENT_2,
            ),
        )


def _listing(entries: Sequence[Entry]) -> bytes:
    """Return the list of all rules, as the twin of the start page."""
    return orjson.dumps(
        [
            {
                "address": entry.address,
                "id": entry.rule.id,
                "name": entry.rule.name,
                "ecosystem": entry.rule.ecosystem,
                "pack": entry.rule.pack,
                "severity": entry.rule.severity.value,
                "verdict": entry.checked.verdict.value,
                "changed": changed(entry.rule) or None,
            }
            for entry in entries
        ]
    )

"""The pages of the catalogue that are about many rules: start, lists, matrix, operations, packs."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from tocsin.catalog.addresses import slug
from tocsin.catalog.counts import Corpus
from tocsin.catalog.entries import Entry
from tocsin.catalog.matrix import Column, Matrix, Named, make_matrix
from tocsin.catalog.operations import Service, services
from tocsin.catalog.search import FACETS
from tocsin.condition.functions import fold
from tocsin.content.attack import Name
from tocsin.pages.catalog.attack_pages import attack_files
from tocsin.pages.catalog.browser import browser_files
from tocsin.pages.catalog.frame import ECOSYSTEMS, NamedMatrix, Site, render
from tocsin.pages.catalog.operation_pages import operation_files
from tocsin.rules.traits import changed, day

NEWEST = 12
MOST_SHARED = 12
MOST_SERVICES = 12


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


def overview_files(
    corpus: Corpus, site: Site, more: Sequence[NamedMatrix] = ()
) -> Iterator[tuple[str, bytes]]:
    """Yield all files that are about many rules."""
    entries = corpus.entries
    matrix = make_matrix(Named(one.rule.attack, one.rule.ecosystem) for one in entries)
    found = services(entries)
    yield "index.html", _start(entries, found, site, matrix)
    yield from _lists(entries, site)
    yield from attack_files(entries, site, matrix, more)
    yield from operation_files(found, site)
    yield "about.html", render("about", site, "about", known=_ecosystems(entries))
    yield "catalogue.json", _listing(entries)
    yield from browser_files(entries)


def _start(entries: Sequence[Entry], found: Sequence[Service], site: Site, matrix: Matrix) -> bytes:
    return render(
        "start",
        site,
        "index",
        ecosystems=_ecosystems(entries),
        bars=_bars(matrix),
        gaps=len(matrix.gaps),
        newest=_newest(entries),
        stats=_stats(entries, found),
        facets=_facets(entries),
        shared=_shared(entries),
        services=[one for one in found if one.operations][:MOST_SERVICES],
    )


def _stats(entries: Sequence[Entry], found: Sequence[Service]) -> list[tuple[int, str]]:
    """Return what there is to look for, as numbers and what they count."""
    runs = sum(entry.checked.verdict.value != "cannot" for entry in entries)
    return [
        (runs, "rules that run here"),
        (len({test for entry in entries for test in entry.tests()}), "different tests"),
        (sum(len(one.operations) for one in found), "operations and event ids"),
        (len({name for entry in entries for name in entry.traits["technique"]}), "techniques"),
    ]


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
        for text, (field, value) in _sought(entry).items():
            if _NAME.search(text):
                rules[text][entry.rule.ecosystem] += 1
                fields[text][field] = None
                spelled.setdefault(text, value)
    common = [item for item in rules.items() if len(item[1]) > 1 and sum(item[1].values()) < 400]
    common.sort(key=lambda item: (-len(item[1]), -min(item[1].values()), -sum(item[1].values())))
    return [
        SharedValue(spelled[text], tuple(fields[text])[:3], tuple(sorted(counts.items())))
        for text, counts in common[:MOST_SHARED]
    ]


def _sought(entry: Entry) -> dict[str, tuple[str, str]]:
    """Return the values of a rule without what stands for anything: folded → field and value."""
    return {
        fold(plain): (one.field, plain)
        for one in entry.indicators
        for value in one.values
        for plain in [value.strip("\\*/")]
    }


_NAME = re.compile(r"[a-z]{5}.*[a-z]{3}")
"""A value that says something by itself."""


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

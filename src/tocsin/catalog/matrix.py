"""The ATT&CK matrix with counts: of rules, or of anything else that names techniques."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tocsin.alerts.attack import attack_places
from tocsin.content.attack import Name, load_attack
from tocsin.rules.model import Technique

COLOURS = ("#e8f0fb", "#1d4fa8")
"""Of a cell with one and with the most, in a layer."""


@dataclass(frozen=True, slots=True)
class Named:
    """Something that names techniques: which, how often it counts, and of which kind it is."""

    attack: tuple[Technique, ...]
    kind: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """A technique under a tactic; those below it count for it too, each item once."""

    technique: Name
    counts: Mapping[str, int]
    """By kind."""
    own: int
    """What names it, not one of those below."""
    below: tuple["Cell", ...] = ()

    @property
    def total(self) -> int:
        """Return the count of all kinds."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Column:
    """A tactic and its techniques, in the order of their names."""

    tactic: Name
    counts: Mapping[str, int]
    cells: tuple[Cell, ...]

    @property
    def total(self) -> int:
        """Return the count of all kinds, of what names a technique or only the tactic."""
        return sum(self.counts.values())

    @property
    def covered(self) -> int:
        """Return how many techniques have any."""
        return sum(bool(cell.total) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Matrix:
    """All tactics of ATT&CK, and what could not be placed."""

    version: str
    columns: tuple[Column, ...]
    unknown: Mapping[str, int]
    """Ids that ATT&CK does not know, with counts."""

    @property
    def gaps(self) -> list[Name]:
        """Return the techniques that nothing names, those below others left out, each once."""
        cells = [cell for column in self.columns for cell in column.cells]
        named = {cell.technique.id for cell in cells if cell.total}
        found = {one.technique.id: one.technique for one in cells if one.technique.id not in named}
        return sorted(found.values(), key=_by_technique_id)


class _Tally:
    """Counts each item once per place."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.own: Counter[tuple[str, str]] = Counter()
        self.unknown: Counter[str] = Counter()

    def add(self, item: Named) -> None:
        places: dict[tuple[str, str], None] = {}
        for tactic, technique in attack_places(item.attack):
            for name in (one for one in (tactic, technique) if one and one.name is None):
                self.unknown[name.id] += item.weight
            if tactic is None:
                continue
            places[tactic.id, ""] = None
            if technique:
                self.own[tactic.id, technique.id] += item.weight
                places[tactic.id, technique.id] = None
                places[tactic.id, technique.id.partition(".")[0]] = None
        for place in places:
            self.counts[place][item.kind] += item.weight


def make_matrix(items: Iterable[Named]) -> Matrix:
    """Count items in every cell of the matrix."""
    attack = load_attack()
    tally = _Tally()
    for item in items:
        tally.add(item)
    columns = tuple(_column(tactic, tally) for tactic in attack.tactics)
    return Matrix(attack.version, columns, dict(sorted(tally.unknown.items())))


def _column(tactic: str, tally: _Tally) -> Column:
    attack = load_attack()
    own = [key for key, (_, tactics) in attack.techniques.items() if tactic in tactics]
    below: dict[str, list[Cell]] = defaultdict(list)
    for key in own:
        if "." in key:
            below[key.partition(".")[0]].append(_cell(tactic, key, tally, ()))
    cells = [
        _cell(tactic, key, tally, tuple(sorted(below[key], key=_by_id)))
        for key in own
        if "." not in key
    ]
    return Column(
        attack.tactic(tactic), tally.counts[tactic, ""], tuple(sorted(cells, key=_by_name))
    )


def _cell(tactic: str, technique: str, tally: _Tally, below: tuple[Cell, ...]) -> Cell:
    place = (tactic, technique)
    return Cell(
        load_attack().technique(technique), dict(tally.counts[place]), tally.own[place], below
    )


def _by_technique_id(name: Name) -> str:
    return name.id


def _by_name(cell: Cell) -> str:
    return cell.technique.name or ""


def _by_id(cell: Cell) -> str:
    return cell.technique.id


def layer(matrix: Matrix, name: str, what: str) -> dict[str, object]:
    """Return a layer for the ATT&CK Navigator, format 4.5; `what` says what is counted."""
    cells = [(column, cell) for column in matrix.columns for cell in _all_cells(column)]
    return {
        "name": name,
        "versions": {
            "attack": matrix.version.partition(".")[0],
            "navigator": "5.1.0",
            "layer": "4.5",
        },
        "domain": "enterprise-attack",
        "description": f"How many {what} name each technique. Made by Tocsin.",
        "filters": {"platforms": []},
        "sorting": 0,
        "layout": {"layout": "side", "showID": True, "showName": True},
        "hideDisabled": False,
        "techniques": [
            {
                "techniqueID": cell.technique.id,
                "tactic": _shortnames()[column.tactic.id],
                "score": cell.total,
                "comment": _said(cell.counts),
                "enabled": True,
                "showSubtechniques": False,
            }
            for column, cell in cells
            if cell.total
        ],
        "gradient": {
            "colors": list(COLOURS),
            "minValue": 1,
            "maxValue": max((cell.total for _, cell in cells), default=1) or 1,
        },
        "legendItems": [],
        "metadata": [],
        "links": [],
    }


def matrix_csv(matrix: Matrix) -> str:
    """Return a line per tactic and technique, those without any among them."""
    kinds = sorted({kind for column in matrix.columns for kind in column.counts})
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["tactic", "tactic_name", "technique", "technique_name", "total", *kinds])
    for column in matrix.columns:
        for cell in _all_cells(column):
            counts = [cell.counts.get(kind, 0) for kind in kinds]
            tactic, name = column.tactic, cell.technique
            out.writerow([tactic.id, tactic.name, name.id, name.full, cell.total, *counts])
    return text.getvalue()


def _all_cells(column: Column) -> Iterator[Cell]:
    for cell in column.cells:
        yield cell
        yield from cell.below


def _shortnames() -> Mapping[str, str]:
    attack = load_attack()
    names: dict[str, str] = {}
    for shortname, tactic in attack.slugs.items():
        names.setdefault(tactic, shortname)
    return names


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(counts.items()))

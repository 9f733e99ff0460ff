"""Lookup tables of Panther from local files: what their rows add to events as `p_enrichment`."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tocsin.errors import InputError
from tocsin.jsontext import Json
from tocsin.rules.model import Rule
from tocsin.rules.panther.pack import read_document
from tocsin.run.given import read_records

ENRICHMENT = "p_enrichment"
MATCHED = "p_match"

Row = Mapping[str, Json]


@dataclass(slots=True)
class Table:
    """Rows by their key: a text, or a network that addresses are in."""

    rows: dict[str, Row] = field(default_factory=dict)
    networks: dict[int, dict[str, Row]] = field(default_factory=dict)
    """By the length of the prefix, IPv6 with 1000 added: network → row."""

    def add(self, key: str, row: Row) -> None:
        """Add a row; of two with one key the first stays."""
        try:
            network = ipaddress.ip_network(key) if "/" in key else None
        except ValueError:
            network = None
        if network is None:
            self.rows.setdefault(key, row)
        else:
            length = network.prefixlen + (1000 if network.version == 6 else 0)
            self.networks.setdefault(length, {}).setdefault(str(network), row)

    def find(self, value: str) -> Row | None:
        """Return the row of a value; of several networks that it is in, the smallest one's."""
        if value in self.rows or not self.networks:
            return self.rows.get(value)
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return None
        for length in sorted(self.networks, reverse=True):
            if (length >= 1000) is (address.version == 6):
                network = ipaddress.ip_network(f"{value}/{length % 1000}", strict=False)
                if row := self.networks[length].get(str(network)):
                    return row
        return None


class Lookups:
    """The tables of a pack, and which fields of which log types are looked up in them."""

    def __init__(self, parts: Iterable[Rule], files: Mapping[str, Path]) -> None:
        """Take the parts of a pack, and files that the user names for some of its tables."""
        self.problems: list[str] = []
        self._tables: dict[str, Table] = {}
        self._selectors: dict[str, list[tuple[str, str]]] = {}
        for part in parts:
            if part.kind == "lookup_table":
                self._add(part, files)

    def _add(self, part: Rule, files: Mapping[str, Path]) -> None:
        document = read_document(part)
        own = document.get("Filename")
        path = files.get(part.id) or (Path(part.path).parent / str(own) if own else None)
        kinds = document.get("LogTypeMap")
        if path is None or not isinstance(kinds, dict) or not (part.enabled or part.id in files):
            return
        table = Table()
        try:
            for key, row in self._rows(path, str(kinds.get("PrimaryKey", ""))):
                table.add(key, row)
        except InputError as error:
            self.problems.append(f"{part.id}: {error}")
            return
        self._tables[part.id] = table
        for log_type, selector in _selectors(kinds):
            self._selectors.setdefault(log_type, []).append((part.id, selector))

    def _rows(self, path: Path, key: str) -> Iterator[tuple[str, Row]]:
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        for given in read_records(path):
            if given.record is None:
                self.problems.append(f"{given.place}: {given.problem}")
            elif (value := given.record.get(key)) is None:
                self.problems.append(f"{given.place}: has no {key!r}, the table's key")
            else:
                yield str(value), given.record

    def enrich(self, document: dict[str, Json], log_type: str) -> None:
        """Add what tables hold of an event's values; what it already brings stays."""
        found: dict[str, Any] = {}
        for name, selector in self._selectors.get(log_type, ()):
            matches = [
                {**row, MATCHED: value}
                for value in _values(document, selector)
                if (row := self._tables[name].find(value))
            ]
            if matches:
                one = matches[0] if len(matches) == 1 else matches
                found.setdefault(name, {})[selector] = one
        if found:
            brought = document.get(ENRICHMENT)
            document[ENRICHMENT] = {**found, **(brought if isinstance(brought, dict) else {})}


def _selectors(kinds: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    associated = kinds.get("AssociatedLogTypes")
    for one in associated if isinstance(associated, list) else ():
        selectors = one.get("Selectors") if isinstance(one, dict) else None
        for selector in selectors if isinstance(selectors, list) else ():
            yield str(one.get("LogType")), str(selector).removeprefix("$").removeprefix(".")


def _values(document: Mapping[str, Json], selector: str) -> list[str]:
    """Return the texts that a field holds, each once; the members of lists alike."""
    found: list[Json] = [dict(document)]
    for key in selector.split("."):
        found = [
            item
            for value in found
            if isinstance(value, dict) and key in value
            for item in _members(value[key])
        ]
    return list(dict.fromkeys(str(value) for value in found if isinstance(value, str)))


def _members(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else [value]

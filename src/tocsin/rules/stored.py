"""The file of cached rules: JSON behind a checksum, of which single rules can be read alone.

The JSON is an array of two: an index, and the rules as data. The index says per rule file what
state it was in, which rules it holds, and where their data stand.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from tocsin.caching import read_checked, write_checked

_LOG = logging.getLogger(__name__)
_OPENING, _BETWEEN, _CLOSING = b"[", b",\n[", b"]]"

Heading: TypeAlias = tuple[str, str, str]
"""Key, id and name of a rule."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A rule file as it was read: `rules` is JSON text, an array with the data of each rule."""

    state: list[int]
    skipped: dict[str, str] | None
    headings: list[Heading]
    rules: bytes


def read_stored(path: Path) -> Mapping[str, StoredFile]:
    """Read a file of cached rules by the names of their files; nothing if it is damaged."""
    data = read_checked(path)
    if data is None:
        return {}
    try:
        return _parse(data)
    except (ValueError, TypeError):
        _LOG.info("cache entry %s is damaged and is built anew", path)
        return {}


def _parse(data: bytes) -> Mapping[str, StoredFile]:
    end = data.index(_BETWEEN)
    index: dict[str, tuple[Any, Any, Any, int]] = orjson.loads(data[len(_OPENING) : end])
    start = end + len(_BETWEEN)
    found: dict[str, StoredFile] = {}
    for name, (state, skipped, headings, length) in index.items():
        found[name] = StoredFile(state, skipped, headings, data[start : start + length])
        start += length + 1
    return found


def write_stored(path: Path, files: Mapping[str, StoredFile]) -> None:
    """Write a file of cached rules."""
    index = {
        name: (file.state, file.skipped, file.headings, len(file.rules))
        for name, file in files.items()
    }
    rules = b",".join(file.rules for file in files.values())
    write_checked(path, b"".join((_OPENING, orjson.dumps(index), _BETWEEN, rules, _CLOSING)))

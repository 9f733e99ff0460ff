"""Licences of rules: what the rule says, else what the licence file of its pack says."""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from tocsin.errors import UsageError

KNOWN: Mapping[str, re.Pattern[str]] = {
    "Elastic License 2.0": re.compile(r"elastic licen[cs]e", re.I),
    "Detection Rule License 1.1": re.compile(r"detection rule license|\bDRL\b", re.I),
    "Apache-2.0": re.compile(r"apache(?: license|-2)", re.I),
    "MIT": re.compile(r"\bMIT\b|permission is hereby granted, free of charge", re.I),
    "AGPL-3.0": re.compile(r"affero general public", re.I),
    "GPL-3.0": re.compile(r"gnu general public", re.I),
    "BSD-3-Clause": re.compile(r"\bBSD\b|redistribution and use in source and binary", re.I),
    "CC0-1.0": re.compile(r"\bCC0\b", re.I),
    "CC-BY-4.0": re.compile(r"creative commons attribution|\bCC-BY\b", re.I),
}
"""Licences and how their texts and short names are known."""

OPEN = frozenset(KNOWN) - {"Elastic License 2.0"}
"""Those under which a copy of a rule may be published."""

_FILES = (
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    "LICENCE",
    "COPYING",
)
_READ = 8_000
_DEEPEST = 12


@cache
def pack_licence(folder: str) -> str:
    """Return the licence of the nearest licence file in a folder or above it; empty if none."""
    place = Path(folder).absolute()
    for above in [place, *place.parents][:_DEEPEST]:
        for name in _FILES:
            try:
                with (above / name).open(encoding="utf-8", errors="replace") as file:
                    return name_licence(file.read(_READ))
            except OSError:
                continue
        if (above / ".git").exists():
            return ""
    return ""


def name_licence(text: str) -> str:
    """Return the name of the licence that a text is or names; the text itself if it is unknown."""
    for name, pattern in KNOWN.items():
        if pattern.search(text):
            return name
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first.strip("# ")[:80]


def licence_chooser(wanted: Iterable[str]) -> Callable[[str], bool]:
    """Return what says whether a licence is one of those asked for.

    `open` are all those of `OPEN`; others are names, in which `*` stands for anything. Raises
    `UsageError` for an empty name.
    """
    patterns = [text.strip().lower() for text in wanted]
    if not all(patterns):
        raise UsageError("--license: asks for nothing; write a licence, or open")

    def fits(licence: str) -> bool:
        name = name_licence(licence) if licence else ""
        if "open" in patterns and name in OPEN:
            return True
        return any(fnmatchcase(text.lower(), one) for text in (licence, name) for one in patterns)

    return fits

"""Loading what a catalogue is made of: rules of several packs, chosen and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.catalog.entries import Entry, make_entries
from tocsin.catalog.licences import licence_chooser
from tocsin.logs.load import load_log_types
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.load import LoadOptions, name_packs, quiet_gc
from tocsin.rules.model import Skipped
from tocsin.rules.select import parse_where


@dataclass(frozen=True, slots=True)
class Loaded:
    """The entries of a catalogue, and what was left out of it."""

    entries: tuple[Entry, ...]
    roots: Mapping[str, Path]
    """Pack → the path that it was read from."""
    skipped: tuple[Skipped, ...]
    left_out: int
    """Rules whose licence is none of those asked for."""


def load_catalogue(
    roots: Sequence[Path],
    options: LoadOptions | None = None,
    where: str = "",
    licences: Sequence[str] = (),
) -> Loaded:
    """Load rules from the cache where it holds them; choose by an expression and by licences."""
    chooser = parse_where(where)
    loaded = load_rules_cached(roots, options)
    packs = {pack: root for root, pack in name_packs(roots).items()}
    with quiet_gc():
        found = make_entries(filter(chooser, loaded.rules), load_log_types(), packs)
    kept = found
    if licences:
        fits = licence_chooser(licences)
        kept = [entry for entry in found if fits(entry.licence)]
    return Loaded(tuple(kept), packs, loaded.skipped, len(found) - len(kept))

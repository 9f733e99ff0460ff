"""Whole values of a document: what stands at a path of keys, be it a list or an object.

A key is found as it is written, else the first one that is the same in small letters. Lists are not
entered: that is how events of Panther are read.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tocsin.condition.functions import find_key
from tocsin.jsontext import Json
from tocsin.logs.respelled import KEPT, Spelling, as_object, opened, respell
from tocsin.logs.values import Values


@dataclass(frozen=True, slots=True)
class Whole:
    """The one value at a path of keys, in the document that stands at an exact path."""

    path: tuple[str, ...]
    """Where in the record the document stands, as an object or as the text of one."""
    keys: tuple[str, ...]
    spelling: Spelling = KEPT
    is_entered: bool = False
    """What it is read from stands inside the document already; a text there stays a text."""

    def reads(self, path: tuple[str, ...]) -> bool:
        """Say whether this reads what stands at a path of the record, or something above it."""
        if path[: len(self.path)] != self.path:
            return False
        inner = path[len(self.path) : len(self.path) + len(self.keys)]
        spelled = [self.spelling.spell(key) or "" for key in inner]
        return [key.lower() for key in spelled] == [key.lower() for key in self.keys]


def read_whole(value: Json, leaf: Whole) -> Values:
    """Read the one value; None if the keys lead nowhere."""
    return read_in_document(document_at(value, leaf), leaf)


def read_in_document(document: Json, leaf: Whole) -> Values:
    """Read the one value of a document; None if the keys lead nowhere."""
    if document is None and leaf.path:
        return None
    found = follow(document, leaf.keys, leaf.spelling)
    if found is None:
        return None
    return [respell(value_at(document, found, leaf.spelling), leaf.spelling)]


def find_whole(value: Json, leaf: Whole) -> tuple[str, ...]:
    """Return the keys in the record that the value is read from; none if they lead nowhere."""
    found = follow(document_at(value, leaf), leaf.keys, leaf.spelling)
    return () if found is None else (*leaf.path, *found)


def document_at(value: Json, leaf: Whole) -> Json:
    """Return the document; null if there is none."""
    if leaf.is_entered:
        return value
    for key in leaf.path:
        value = opened(value, TEXTS)
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return opened(value, TEXTS)


TEXTS = Spelling(opens_texts=True)


def follow(value: Json, keys: tuple[str, ...], spelling: Spelling = KEPT) -> tuple[str, ...] | None:
    """Return the keys as the data writes them; None if they lead nowhere."""
    found: list[str] = []
    for wanted in keys:
        value = as_object(opened(value, spelling), spelling)
        key = key_of(value, wanted, spelling) if isinstance(value, dict) else None
        if key is None or not isinstance(value, dict):
            return None
        found.append(key)
        value = value[key]
    return tuple(found)


def value_at(value: Json, path: Iterable[str], spelling: Spelling = KEPT) -> Json:
    """Return what stands at exact keys that are there."""
    for key in path:
        value = as_object(opened(value, spelling), spelling)
        assert isinstance(value, dict)
        value = value[key]
    return value


def key_of(keys: Collection[str], wanted: str, spelling: Spelling = KEPT) -> str | None:
    """Return which of some keys is meant: the one that is spelled so, else so in small letters."""
    if spelling.is_plain:
        return find_key(keys, wanted)
    small, alike = wanted.lower(), None
    for key in keys:
        own = spelling.spell(key)
        if own == wanted:
            return key
        if alike is None and own is not None and own.lower() == small:
            alike = key
    return alike

"""Digests that name events and alerts: the same input gives the same id, everywhere and always."""

import hashlib

from tocsin.jsontext import Json, canonical

ALERT_ID_VERSION = "1"


def event_id(record: Json) -> str:
    """Return the first 128 bits of SHA-256 over the record's canonical JSON, as 32 hex digits."""
    return hashlib.sha256(canonical(record)).hexdigest()[:32]


def alert_id(*, rule_key: str, kind: str, group_key: str, anchor: str) -> str:
    """Return the id of an alert; `anchor` is the id of the event (or events) that made it."""
    parts = (ALERT_ID_VERSION, rule_key, kind, group_key, anchor)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def digest(text: str | bytes) -> str:
    """Return the SHA-256 of a text, as 64 hex digits: which revision of a rule this is."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()

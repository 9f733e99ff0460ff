"""Entities as people name them."""

import re

from tocsin.printable import printable

LONGEST_VALUE = 60
"""A longer value is cut where there is little room: it is in the alert."""

_AZURE_RESOURCE = re.compile(r"/subscriptions/.*?/providers/[^/]+/[^/]+/([^/]+)", re.IGNORECASE)


def name_of(value: str) -> str:
    """Return the name of an Azure resource for its path or that of its parts, else the value."""
    found = _AZURE_RESOURCE.match(value)
    return found[1] if found else value


def short_name(value: str) -> str:
    """Shorten the path of a resource to its name, that of an Azure sub-resource to its parent's."""
    name = name_of(value)
    if name == value and value.startswith("/"):
        name = value.rstrip("/").rsplit("/", 1)[-1] or value
    return cut(name)


def cut(name: str, longest: int = LONGEST_VALUE) -> str:
    """Make a name safe to print and short."""
    text = printable(name)
    return text if len(text) <= longest else text[: longest - 1] + "…"

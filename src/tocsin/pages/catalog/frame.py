"""What every page of the catalogue has: the site around it, its links, and how it is rendered."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import log
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from tocsin import __version__
from tocsin.catalog.addresses import slug
from tocsin.catalog.matrix import Matrix
from tocsin.pages.catalog.code import numbered
from tocsin.pages.catalog.links import Links
from tocsin.pages.catalog.logic import quote
from tocsin.pages.catalog.rule_page import attack_link
from tocsin.pages.render import environment
from tocsin.printable import printable

VERDICTS: Mapping[str, str] = {
    "runs": "runs here",
    "approximate": "runs here, not exactly",
    "cannot": "does not run here",
}

ECOSYSTEMS: Mapping[str, str] = {"sigma": "Sigma", "elastic": "Elastic", "panther": "Panther"}
"""Ecosystems and what they are called, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack of the site."""

    name: str
    root: str
    rules: int
    licences: tuple[str, ...]
    ecosystems: tuple[str, ...]
    runs: int


@dataclass(frozen=True, slots=True)
class Site:
    """What every page knows of the whole."""

    rules: int
    packs: tuple[Pack, ...]
    version: str = __version__

    def shown(self, text: str) -> str:
        """Return a text with paths as they are inside their packs."""
        for pack in self.packs:
            text = text.replace(f"{pack.root.rstrip('/')}/", "")
        return text


@dataclass(frozen=True, slots=True)
class NamedMatrix:
    """A matrix that has a page: the name of its file, what its link says, and what is counted."""

    slug: str
    title: str
    what: tuple[str, str]
    """One of what is counted, and several."""
    lead: str
    matrix: Matrix


def render(template: str, site: Site, place: str, **values: Any) -> bytes:
    """Render a page that will stand at a place of the site."""
    links = Links(place.count("/"))
    context = {"site": site, "links": links, "verdicts": VERDICTS, **values}
    return _template(template).render(context).encode("utf-8", "replace")


@cache
def _template(name: str) -> Template:
    made = environment()
    made.filters.update(_FILTERS)
    return made.get_template(f"catalog/{name}.html")


def _breakable(text: str) -> Markup:
    """Let a name be broken behind its dots and slashes."""
    parts = _JOINT.split(printable(text))
    return Markup("<wbr>").join(parts)


_JOINT = re.compile(r"(?<=[./\\_:-])(?=\w)")


def _first_words(text: str, longest: int = 160) -> str:
    words = printable(" ".join(text.split()))
    return words if len(words) <= longest else words[: longest - 1] + "…"


def _paragraphs(text: str) -> list[str]:
    """Split a text at its empty lines; lines that were broken to fit a file are joined again."""
    found = (_ITEM.split(one.strip().expandtabs(4)) for one in _EMPTY.split(text))
    joined = ("\n".join(" ".join(part.split()) for part in parts) for parts in found)
    return [one for one in joined if one]


_EMPTY = re.compile(r"\n[ \t]*\n")
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*•]|\d+[.)])[ \t])")


def _hyphenated(text: str, longest: int = 12) -> str:
    """Let long words be broken before their last letters."""
    words = (
        f"{word[:-5]}\u00ad{word[-5:]}" if len(word) > longest else word for word in text.split()
    )
    return " ".join(words)


def _heat(count: int, top: int) -> int:
    """Return which of five colours a count has, by its logarithm; 0 for none."""
    return 1 + min(int(5 * log(count) / log(top + 1)), 4) if count else 0


def _tag_query(tag: str) -> str:
    quoted = quote(tag)
    return f"tag:{quoted}" if quoted and "*" not in tag else ""


_FILTERS: Mapping[str, Callable[..., object]] = {
    "attack_link": attack_link,
    "breakable": _breakable,
    "first_words": _first_words,
    "heat": _heat,
    "hyphenated": _hyphenated,
    "paragraphs": _paragraphs,
    "numbered": numbered,
    "kind": lambda kind: kind.replace("_", " "),
    "tag_query": _tag_query,
    "slug": slug,
}

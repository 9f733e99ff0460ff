"""What a document names that others may know: addresses, users, hashes, ARNs …

Panther keeps them beside an event as `p_any_…`. A log type says where some stand; addresses, ARNs
and hashes are known by their form as well, wherever they stand.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from tocsin.condition.functions import parse_address
from tocsin.jsontext import Json, Number
from tocsin.logs.values import walk

Paths = Mapping[str, tuple[tuple[str, ...], ...]]

_ARN = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12})?:\S+")
_DOMAIN = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.I
)
_EMAIL = re.compile(r"[^\s@:/]+@[^\s@]+\.[^\s@]+")
_ACCOUNT = re.compile(r"\d{12}")
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
_HASHES = {32: "md5_hashes", 40: "sha1_hashes", 64: "sha256_hashes"}
_HASH = re.compile(r"[0-9a-fA-F]+")
_HASH_KEY = re.compile(r"hash|md5|sha-?_?(1|256)", re.IGNORECASE)


def _any(text: str) -> str:
    return text


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        found = pattern.search(text) if pattern is _EMAIL else pattern.fullmatch(text)
        return found[0] if found else ""

    return read


def _address(text: str) -> str:
    """Return the address of a text that is one, a port behind it left off."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].split("]", 1)[0]
    elif bare.count(":") == 1:
        bare = bare.split(":", 1)[0]
    return bare if parse_address(bare) else ""


KINDS: Mapping[str, Callable[[str], str]] = {
    "ip_addresses": _address,
    "domain_names": _matching(_DOMAIN),
    "emails": _matching(_EMAIL),
    "usernames": _any,
    "aws_arns": _matching(_ARN),
    "aws_account_ids": _matching(_ACCOUNT),
    "aws_instance_ids": _matching(_INSTANCE),
    "trace_ids": _any,
    "actor_ids": _any,
    "md5_hashes": _matching(_HASH),
    "sha1_hashes": _matching(_HASH),
    "sha256_hashes": _matching(_HASH),
}
"""What a text holds of each kind; nothing if it is empty."""


def indicators(document: Mapping[str, Json], paths: Paths) -> dict[str, list[str]]:
    """Return the indicators of a document by kind, each once, sorted; kinds without any left out.

    `paths` says which values are of a kind if they have its form.
    """
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, places in paths.items():
        for place in places:
            for value in walk(dict(document), place) or ():
                text = value.text if isinstance(value, Number) else value
                if isinstance(text, str):
                    found[kind].add(KINDS[kind](text))
    for key, text in _texts(document):
        for kind, value in _by_form(key, text):
            found[kind].add(value)
    return {kind: sorted(values - {""}) for kind, values in found.items() if values - {""}}


def _by_form(key: str, text: str) -> Iterator[tuple[str, str]]:
    if text.startswith("arn:") and (arn := _ARN.fullmatch(text)):
        yield "aws_arns", text
        yield "aws_account_ids", arn[1] or ""
    elif _HASH_KEY.search(key) and len(text) in _HASHES and _HASH.fullmatch(text):
        yield _HASHES[len(text)], text
    elif text[:1] in "0123456789abcdefABCDEF:[" and parse_address(text):
        yield "ip_addresses", text
    elif _INSTANCE.fullmatch(text):
        yield "aws_instance_ids", text


def _texts(document: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield every text of a document with the key that it stands under."""
    waiting: list[tuple[str, Json]] = [("", dict(document))]
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.items()
        elif isinstance(item, list):
            waiting += [(key, inner) for inner in item]
        elif isinstance(item, str) and item:
            yield key, item

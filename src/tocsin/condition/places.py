"""Parts of texts that say where something is: URLs, and ids of Azure resources."""

import re
from collections.abc import Iterable
from itertools import pairwise

_URL = re.compile(
    r"""(?: (?P<scheme> [a-zA-Z][a-zA-Z0-9+.-]* ) :// (?: [^/?#@]* @ )?
          (?P<domain> \[ [^]/]* \] | [^/?#:]* ) (?: : (?P<port> [0-9]* ) )? )?
        (?P<path> [^?#]* ) (?: \? (?P<query> [^#]* ) )? (?: \# (?P<fragment> .* ) )?""",
    re.VERBOSE | re.DOTALL,
)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*>")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def url_part(value: object, part: str) -> Iterable[str]:
    """Yield a part of a URL, which may lack scheme and host.

    The parts are scheme, domain, port, path, query and fragment. Tags that hide what is private
    are no part of the path.
    """
    match = _URL.fullmatch(value) if isinstance(value, str) else None
    found = match[part] if match else None
    if found and part == "path":
        found = _TAG.sub("", found)
    return (found,) if found else ()


def resource_part(value: object, part: str) -> Iterable[str]:
    """Yield a part of the id of an Azure resource; its words are read in any case.

    The parts are subscription, tenant, group, provider (with types: `Microsoft.KeyVault/vaults`),
    name, namespace and rule: the last two of an authorisation rule, that has no name.
    """
    found = _resource(value).get(part) if isinstance(value, str) else None
    return (found,) if found else ()


def _resource(text: str) -> dict[str, str]:
    keys = text.split("/")
    parts: dict[str, str] = {}
    for word, following in pairwise(keys):
        name = _WORDS.get(word.lower())
        if name and name not in parts:
            parts[name] = following
    if not _GUID.fullmatch(parts.get("subscription", "")):
        parts.pop("subscription", None)
    at = next((at for at in range(len(keys) - 1, -1, -1) if keys[at].lower() == "providers"), None)
    return parts if at is None else parts | _provided(keys[at + 1 :])


def _provided(keys: list[str]) -> dict[str, str]:
    """Name what follows `providers`: the namespace, then types and names by turns."""
    types, names = keys[1::2], keys[2::2]
    if [one.lower() for one in types] == ["namespaces", "authorizationrules"] and len(names) == 2:
        return {"provider": keys[0], "namespace": names[0], "rule": names[1]}
    found = {"provider": "/".join([keys[0], *types[: max(len(names), 1)]])} if keys else {}
    return found | ({"name": names[-1]} if names else {})


_WORDS = {"subscriptions": "subscription", "tenants": "tenant", "resourcegroups": "group"}

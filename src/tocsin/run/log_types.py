"""The log types that records may be: all that are known, or as the user says."""

from tocsin.errors import UsageError
from tocsin.logs.load import load_log_types
from tocsin.logs.logtype import LogType, generic, generic_panther

PANTHER = "panther:"
"""How names of Panther's log types begin where log types are asked for."""


def choose_log_types(name: str | None) -> tuple[LogType, ...]:
    """Return the log types records may be: all, the one named, or one made for the purpose."""
    known = load_log_types()
    if name is None:
        return known
    found = tuple(one for one in known if one.name == name)
    if found:
        return found
    if name.startswith(PANTHER):
        return (generic_panther(name.removeprefix(PANTHER)),)
    if "/" not in name:
        names = ", ".join(one.name for one in known)
        raise UsageError(
            f"{name!r} is no log type; known: {names}; "
            "or a Sigma log source as product/category/service, with empty parts; "
            f"or {PANTHER} and a log type of Panther"
        )
    parts = [None if part in {"", "*"} else part for part in name.split("/")]
    if len(parts) > 3 or not any(parts):
        raise UsageError(f"{name!r} is no log source; write product/category/service")
    product, category, service = (*parts, None, None)[:3]
    return (generic(product, category, service),)

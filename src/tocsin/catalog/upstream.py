"""Where the file of a rule can be seen at its source, if its pack came from a public git host."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from tocsin.errors import UsageError
from tocsin.rules.git import origin
from tocsin.rules.model import Rule
from tocsin.rules.packs import read_pin

_ADDRESS = re.compile(
    r"(?:https://(?:[^/@]+@)?|(?:ssh://)?git@)(?P<host>[\w.-]+)[:/](?P<path>[\w./-]+?)(?:\.git)?/?"
)
_BLOB = {"github.com": "blob", "gitlab.com": "-/blob", "codeberg.org": "src/commit"}
"""Hosts whose addresses of files are known, and what these have before the revision."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A folder at its source: the address of its files, ending in a slash."""

    folder: Path
    address: str


def upstream_of(rule: Rule) -> str | None:
    """Return the address of a rule's file at its source; None if that is not known."""
    path = Path(rule.path).absolute()
    found = _of_folder(path.parent)
    if found is None:
        return None
    return found.address + quote(path.relative_to(found.folder).as_posix())


@lru_cache(maxsize=20_000)
def _of_folder(folder: Path) -> Upstream | None:
    pin = read_pin(folder)
    if pin is not None:
        part = f"{quote(pin.path)}/" if pin.path else ""
        base = _address(pin.source, pin.revision) if pin.kind == "git" else None
        return Upstream(folder, f"{base}{part}") if base else None
    if (folder / ".git").exists():
        try:
            base = _address(*origin(folder))
        except UsageError:
            base = None
        return Upstream(folder, base) if base else None
    return None if folder == folder.parent else _of_folder(folder.parent)


def _address(remote: str, revision: str) -> str | None:
    """Return the address of the files of a revision at a host that is known."""
    found = _ADDRESS.fullmatch(remote)
    if found is None or found["host"] not in _BLOB or ".." in found["path"]:
        return None
    return f"https://{found['host']}/{found['path']}/{_BLOB[found['host']]}/{quote(revision)}/"

"""Where addresses are, and whose: databases in MaxMind's format that a user names.

https://maxmind.github.io/MaxMind-DB/. They belong to the process: `use` says which, and a worker
does so before it looks anything up.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from tocsin.errors import UsageError

_databases: list[Any] = []


def use(paths: Sequence[Path]) -> None:
    """Look addresses up in these databases from now on, in the first that knows an answer.

    Raises `UsageError` if a file is no such database, or if the package that reads them is missing.
    """
    opened = [_open(path) for path in paths]
    _record.cache_clear()
    _databases[:] = opened


def _open(path: Path) -> Any:
    try:
        import maxminddb
    except ImportError:
        raise UsageError("--geoip needs a package: pip install 'tocsin[geoip]'") from None
    try:
        return maxminddb.open_database(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise UsageError(f"{path}: is no database in MaxMind's format: {error}") from None


def in_use() -> bool:
    """Say whether there is any database."""
    return bool(_databases)


def look_up(address: str, path: str) -> Iterable[str | int]:
    """Yield what the databases hold of an address at a path, such as `country.names.en`."""
    for record in _record(address):
        value = _at(record, path.split("."))
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield value
            return


@lru_cache(maxsize=65_536)
def _record(address: str) -> tuple[Any, ...]:
    try:
        return tuple(database.get(address) for database in _databases)
    except ValueError:
        return ()


def _at(value: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if isinstance(value, list):
            value = value[int(key)] if key.isdigit() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value

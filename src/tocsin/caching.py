"""Where caches are kept on disk, and files there that damage cannot mislead."""

import hashlib
import logging
import os
from pathlib import Path

_LOG = logging.getLogger(__name__)


def cache_folder() -> Path | None:
    """Return where caches are kept, or None if they are switched off.

    The environment variable `TOCSIN_CACHE` names another folder; empty, it switches caches off.
    """
    own = os.environ.get("TOCSIN_CACHE")
    if own == "":
        return None
    if own:
        return Path(own)
    import platformdirs

    return Path(platformdirs.user_cache_dir("tocsin")) / "rules"


def read_checked(path: Path) -> bytes | None:
    """Return what `write_checked` wrote; None if there is nothing, or it is damaged."""
    try:
        checksum, _, data = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    except OSError:
        checksum, data = b"", b""
    if hashlib.sha256(data).hexdigest().encode() == checksum:
        return data
    _LOG.info("cache entry %s is damaged and is built anew", path)
    return None


def write_checked(path: Path, data: bytes) -> None:
    """Write data behind its checksum; where that cannot be, there is no cache."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        temporary.replace(path)
    except OSError as error:
        _LOG.info("cache entry %s cannot be written: %s", path, error)

"""Loaded rules on disk, so that a start reads only the files that changed.

An entry is JSON behind a checksum; a damaged one is rebuilt. It is named by `cache_key`, which
holds everything but the rule files themselves that can change what loading gives; a rule file is
taken from it while its size, times and inode are what they were.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import platformdirs

from tocsin import __version__
from tocsin.rules.load import LoadOptions, RuleFile, RuleLoader, combine, find_rule_files, quiet_gc
from tocsin.rules.model import Rule, RuleSet, Skipped

FORMAT = 2
LIBRARIES = ("pysigma", "PyYAML", "google-re2")
"""What reads rules beside our own code."""
_LOG = logging.getLogger(__name__)

Loaded: TypeAlias = tuple[list[Rule], Skipped | None]
Entry: TypeAlias = Mapping[str, Any]
"""Per rule file: its state when it was read, its rules as data, why it is none if it is not."""


def load_rules_cached(roots: Sequence[Path], options: LoadOptions | None = None) -> RuleSet:
    """Load every rule below the given paths, as `load_rules`, from the cache where it holds.

    The environment variable `TOCSIN_CACHE` names another folder; empty, it switches the cache off.
    """
    options = options or LoadOptions()
    folder = cache_folder()
    files = find_rule_files(roots)
    with quiet_gc():
        if folder is None:
            loader = RuleLoader(options)
            return combine(loader.load(file) for file in files)
        path = folder / f"{cache_key(roots, options)}.json"
        return combine(_load(files, path, options))


def cache_folder() -> Path | None:
    """Return where caches are kept, or None if they are switched off."""
    own = os.environ.get("TOCSIN_CACHE")
    if own == "":
        return None
    return Path(own) if own else Path(platformdirs.user_cache_dir("tocsin")) / "rules"


def cache_key(roots: Iterable[Path], options: LoadOptions) -> str:
    """Digest everything but rule files that can change what loading them gives."""
    parts = {
        "format": FORMAT,
        "tocsin": __version__,
        "libraries": [version(name) for name in LIBRARIES],
        "code": _code_state(),
        "roots": [ascii(str(root.resolve())) for root in roots],
        "shown": [ascii(str(root)) for root in roots],
        "pipelines": [_content(path) for path in options.pipelines],
        "placeholders": _content(options.placeholders) if options.placeholders else None,
    }
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]


def _code_state() -> list[tuple[str, int, int]]:
    """Return size and time of the modules that read rules and their data, so that an edit shows."""
    package = Path(__file__).parent.parent
    patterns = ("rules/**/*.py", "condition/*.py", "content/attack/*.json")
    modules = sorted(module for pattern in patterns for module in package.glob(pattern))
    return [(m.name, m.stat().st_size, m.stat().st_mtime_ns) for m in modules]


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _load(files: Sequence[RuleFile], path: Path, options: LoadOptions) -> list[Loaded]:
    from tocsin.rules.codec import decode_rule, encode_rule

    entries = _read(path)
    loader = RuleLoader(options)
    loaded: list[Loaded] = []
    fresh: dict[str, Entry] = {}
    for file in files:
        name, state = f"{file.pack}:{file.shown}", _state(file.path)
        entry = entries.get(name)
        if entry and entry["state"] == state:
            skipped = Skipped(**entry["skipped"]) if entry["skipped"] else None
            loaded.append(([decode_rule(data) for data in entry["rules"]], skipped))
            fresh[name] = entry
            continue
        rules, left_out = loader.load(file)
        loaded.append((rules, left_out))
        fresh[name] = {
            "state": state,
            "rules": [encode_rule(rule) for rule in rules],
            "skipped": asdict(left_out) if left_out else None,
        }
    if fresh != entries:
        _write(path, fresh)
    return loaded


def _state(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read(path: Path) -> Mapping[str, Entry]:
    try:
        checksum, _, data = path.read_bytes().partition(b"\n")
        if hashlib.sha256(data).hexdigest().encode() != checksum:
            raise ValueError("checksum")
        entries: Mapping[str, Entry] = orjson.loads(data)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        _LOG.info("cache entry %s is damaged and is built anew", path)
        return {}
    return entries


def _write(path: Path, entries: Mapping[str, Entry]) -> None:
    data = orjson.dumps(entries)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        temporary.replace(path)
    except OSError as error:
        _LOG.info("cache entry %s cannot be written: %s", path, error)

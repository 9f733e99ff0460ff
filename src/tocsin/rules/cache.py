"""Loaded rules on disk, so that a start reads only the files that changed.

An entry (`stored.py`) is JSON behind a checksum; a damaged one is rebuilt. It is named by
`cache_key`, which holds everything but the rule files themselves that can change what loading
gives; a rule file is taken from it while its size, times and inode are what they were.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import orjson

from tocsin import __version__
from tocsin.caching import cache_folder
from tocsin.content.attack import own_file
from tocsin.rules.load import (
    LoadOptions,
    RuleFile,
    RuleLoader,
    combine,
    find_rule_files,
    lifted,
    quiet_gc,
)
from tocsin.rules.model import Rule, RuleSet, Skipped
from tocsin.rules.stored import Heading, StoredFile, read_stored, write_stored

FORMAT = 4
LIBRARIES = ("pysigma", "PyYAML", "google-re2", "lark")
"""What reads rules beside our own code."""

Loaded: TypeAlias = tuple[list[Rule], Skipped | None]


def load_rules_cached(roots: Sequence[Path], options: LoadOptions | None = None) -> RuleSet:
    """Load every rule below the given paths, as `load_rules`, from the cache where it holds.

    The environment variable `TOCSIN_CACHE` names another folder; empty, it switches the cache off.
    """
    options = options or LoadOptions()
    with quiet_gc():
        loaded = combine(map(_loaded, _read_files(roots, options)))
        return lifted(loaded) if options.lift else loaded


class RuleIndex:
    """The rules below some paths by id and name; of those in the cache only the wanted are decoded.

    What is found is what `load_rules_cached` gives, looked for by hand.
    """

    def __init__(self, roots: Sequence[Path], options: LoadOptions | None = None) -> None:
        with quiet_gc():
            self._files = _read_files(roots, options or LoadOptions())
            self._keys: dict[str, dict[str, None]] = {}
            self._holders: dict[str, dict[int, None]] = {}
            for number, file in enumerate(self._files):
                for key, *names in _headings(file):
                    self._holders.setdefault(key, {})[number] = None
                    for name in names:
                        self._keys.setdefault(name.lower(), {})[key] = None

    def find(self, wanted: str) -> tuple[Rule, ...]:
        """Return the rules whose id or name is the wanted text, ignoring case, in order."""
        wanted = wanted.lower()
        holders = {at for key in self._keys.get(wanted, ()) for at in self._holders[key]}
        found = combine(_loaded(self._files[at]) for at in sorted(holders))
        if any(rule.confirm for rule in found.rules):
            found = lifted(combine(map(_loaded, self._files)))
        return tuple(one for one in found.rules if wanted in {one.id.lower(), one.name.lower()})


@dataclass(frozen=True, slots=True)
class _File:
    """A rule file as the cache holds it, or as it was just read."""

    stored: StoredFile | None = None
    fresh: Loaded | None = None


def _loaded(file: _File) -> Loaded:
    from tocsin.rules.codec import decode_rule

    if file.stored is None:
        return file.fresh or ([], None)
    skipped = Skipped(**file.stored.skipped) if file.stored.skipped else None
    return [decode_rule(data) for data in orjson.loads(file.stored.rules)], skipped


def _headings(file: _File) -> Iterable[Heading]:
    if file.stored is not None:
        return file.stored.headings
    return map(_heading, file.fresh[0]) if file.fresh else ()


def _heading(rule: Rule) -> Heading:
    return rule.key, rule.id, rule.name


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
    patterns = (
        "rules/**/*.py", "rules/**/*.lark", "condition/*.py", "python/*.py", "content/attack/*.json"
    )  # fmt: skip
    modules = sorted(module for pattern in patterns for module in package.glob(pattern))
    modules += [own for own in [own_file()] if own.is_file()]
    return [(m.name, m.stat().st_size, m.stat().st_mtime_ns) for m in modules]


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_files(roots: Sequence[Path], options: LoadOptions) -> list[_File]:
    folder = cache_folder()
    files = find_rule_files(roots)
    if folder is None:
        loader = RuleLoader(options)
        return [_File(fresh=loader.load(file)) for file in files]
    return _update(files, folder / f"{cache_key(roots, options)}.json", options)


def _update(files: Sequence[RuleFile], path: Path, options: LoadOptions) -> list[_File]:
    """Take files from a cache entry, read those that changed, and write the entry if any did."""
    stored = read_stored(path)
    loader = RuleLoader(options)
    found: list[_File] = []
    kept: dict[str, StoredFile] = {}
    for file in files:
        name, state = f"{file.pack}:{file.shown}", _state(file.path)
        known = stored.get(name)
        if known and known.state == state:
            kept[name] = known
            found.append(_File(known))
            continue
        fresh = loader.load(file)
        kept[name] = _to_store(state, fresh)
        found.append(_File(fresh=fresh))
    if kept.keys() != stored.keys() or any(file.fresh for file in found):
        write_stored(path, kept)
    return found


def _to_store(state: list[int], loaded: Loaded) -> StoredFile:
    from tocsin.rules.codec import encode_rule

    rules, left_out = loaded
    data = orjson.dumps([encode_rule(rule) for rule in rules])
    return StoredFile(
        state, asdict(left_out) if left_out else None, list(map(_heading, rules)), data
    )


def _state(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]

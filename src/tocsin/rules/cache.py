"""Loaded rules on disk, so that a start reads only the files that changed.

An entry (`stored.py`) is JSON behind a checksum; a damaged one is rebuilt. It is named by
`cache_key`, which holds everything but the rule files themselves that can change what loading
gives; a rule file is taken from it while its size, times and inode are what they were.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import orjson

from tocsin import __version__
from tocsin.beside import in_halves
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
MANY = 500
"""Rule files from which on a second process reads half of them."""
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
                for key, *names in file.headings:
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


def _loaded(file: StoredFile) -> Loaded:
    from tocsin.rules.codec import decode_rule

    skipped = Skipped(**file.skipped) if file.skipped else None
    return [decode_rule(data) for data in orjson.loads(file.rules)], skipped


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


def _read_files(roots: Sequence[Path], options: LoadOptions) -> list[StoredFile]:
    folder = cache_folder()
    files = find_rule_files(roots)
    if folder is None:
        return in_halves(partial(_read, options), files, least=MANY)
    return _update(files, folder / f"{cache_key(roots, options)}.json", options)


def _update(files: Sequence[RuleFile], path: Path, options: LoadOptions) -> list[StoredFile]:
    """Take files from a cache entry, read those that changed, and write the entry if any did."""
    stored = read_stored(path)
    names = [f"{file.pack}:{file.shown}" for file in files]
    known = {
        name: stored[name]
        for name, file in zip(names, files, strict=True)
        if name in stored and stored[name].state == _state(file.path)
    }
    changed = [at for at, name in enumerate(names) if name not in known]
    fresh = in_halves(partial(_read, options), [files[at] for at in changed], least=MANY)
    known |= {names[at]: one for at, one in zip(changed, fresh, strict=True)}
    if fresh or known.keys() != stored.keys():
        write_stored(path, known)
    return [known[name] for name in names]


def _read(options: LoadOptions, files: Sequence[RuleFile]) -> list[StoredFile]:
    loader = RuleLoader(options)
    with quiet_gc():
        return [_to_store(_state(file.path), loader.load(file)) for file in files]


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

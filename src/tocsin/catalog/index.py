"""The index of the catalogue: one SQLite file, made anew when rules change.

Each rule has a number. What rules can be found by stands in `traits` (field, text → the numbers of
its rules); words in `words`, a table of FTS5; the texts that predicates compare with in `parts`, in
pieces of three characters, so that any part of one can be looked for.
"""

import hashlib
import os
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from tocsin import __version__
from tocsin.caching import cache_folder
from tocsin.catalog.build import load_catalogue
from tocsin.catalog.entries import Entry
from tocsin.errors import UsageError
from tocsin.rules.load import LoadOptions, find_rule_files, quiet_gc
from tocsin.rules.model import Skipped
from tocsin.rules.traits import changed, part_of, texts

FORMAT = 1
FIRST_OF_VALUE = 4_000
"""Characters of one value that can be looked for."""
FIRST_OF_TEXT = 200_000
"""Characters of one rule's texts whose words can be looked for."""
KEPT = 8
"""Indexes that are kept; the ones that were used least recently go."""

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA page_size = 8192;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE rules (
    number INTEGER PRIMARY KEY, address TEXT, id TEXT, name TEXT, ecosystem TEXT, pack TEXT,
    kind TEXT, severity INTEGER, status TEXT, changed TEXT, verdict TEXT, path TEXT, licence TEXT,
    author TEXT
);
CREATE TABLE traits (field TEXT, text TEXT, rules BLOB, PRIMARY KEY (field, text)) WITHOUT ROWID;
CREATE TABLE skipped (path TEXT, reason TEXT);
CREATE TABLE tests (
    field TEXT, canonical TEXT, op TEXT, value TEXT, rules BLOB,
    PRIMARY KEY (value, field, canonical, op)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    name, tags, description, tests, text, tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE parts USING fts5 (value, tokenize = "trigram");
"""


def open_index(
    roots: Sequence[Path],
    options: LoadOptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> sqlite3.Connection:
    """Open the index of the rules below some paths; it is made first where there is none of them.

    Without a folder for caches it is held in memory.
    """
    folder = cache_folder()
    settings = options or LoadOptions()
    if folder is None:
        return build_index(":memory:", *_load(roots, settings))
    path = folder / f"catalogue-{_state(roots, settings)}.sqlite"
    if not _is_whole(path):
        if progress:
            progress("reading rules and making their index")
        _build_beside(path, *_load(roots, settings))
    os.utime(path)
    return _connect(path)


def _load(roots: Sequence[Path], options: LoadOptions) -> tuple[Sequence[Entry], Sequence[Skipped]]:
    loaded = load_catalogue(roots, options)
    return loaded.entries, loaded.skipped


def _state(roots: Sequence[Path], options: LoadOptions) -> str:
    """Digest what the index depends on: our code, the options, and the state of every file."""
    from tocsin.rules.cache import cache_key

    digest = hashlib.sha256(f"{FORMAT} {__version__} {cache_key(roots, options)}".encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(_of_file(module))
    for file in find_rule_files(roots):
        digest.update(f"{file.pack}\0{file.shown}\0".encode(errors="replace"))
        digest.update(_of_file(file.path))
    return digest.hexdigest()[:32]


def _of_file(path: Path) -> bytes:
    try:
        found = path.stat()
    except OSError:
        return b"-"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}\0".encode()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


def _is_whole(path: Path) -> bool:
    """Say whether a file is an index that was written to its end."""
    if not path.is_file():
        return False
    try:
        with _connect(path) as index:
            return index.execute("SELECT 1 FROM facts WHERE name = 'whole'").fetchone() is not None
    except sqlite3.Error:
        return False


def _build_beside(path: Path, entries: Sequence[Entry], skipped: Sequence[Skipped]) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        build_index(str(temporary), entries, skipped).close()
        temporary.replace(path)
    except OSError as error:
        reason = f"the index cannot be written to {path.parent}: {error.strerror}"
        raise UsageError(reason) from None
    finally:
        temporary.unlink(missing_ok=True)
    _forget_old(path.parent)


def _forget_old(folder: Path) -> None:
    found = sorted(folder.glob("catalogue-*.sqlite"), key=lambda one: one.stat().st_mtime)
    for path in found[:-KEPT]:
        path.unlink(missing_ok=True)


def build_index(
    place: str, entries: Sequence[Entry], skipped: Sequence[Skipped] = ()
) -> sqlite3.Connection:
    """Write the index of some entries to a file, or `:memory:`."""
    index = sqlite3.connect(place)
    index.executescript(_SCHEMA)
    numbered = list(enumerate(entries))
    with quiet_gc(), index:
        index.executemany(f"INSERT INTO rules VALUES ({_marks(14)})", map(_row, numbered))
        index.executemany("INSERT INTO traits VALUES (?, ?, ?)", _traits(numbered))
        index.executemany("INSERT INTO words(rowid, name, tags, description, tests, text) "
                          f"VALUES ({_marks(6)})", map(_words, numbered))  # fmt: skip
        index.executemany("INSERT INTO tests VALUES (?, ?, ?, ?, ?)", _tests(numbered))
        index.executemany("INSERT INTO parts VALUES (?)", _values(entries))
        index.executemany("INSERT INTO skipped VALUES (?, ?)",
                          ((one.path, one.reason) for one in skipped))  # fmt: skip
        index.execute("INSERT INTO facts VALUES ('whole', '1')")
    return index


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _row(numbered: tuple[int, Entry]) -> tuple[object, ...]:
    number, entry = numbered
    rule = entry.rule
    return (
        number, entry.address, rule.id, rule.name, rule.ecosystem, rule.pack, rule.kind,
        rule.severity.rank, rule.status, changed(rule), entry.checked.verdict.value, rule.path,
        entry.licence, ", ".join(rule.author),
    )  # fmt: skip


def _traits(numbered: Iterable[tuple[int, Entry]]) -> Iterator[tuple[str, str, bytes]]:
    found: dict[tuple[str, str], array[int]] = defaultdict(lambda: array("I"))
    for number, entry in numbered:
        for field, values in entry.traits.items():
            if field != "value":
                for text in values:
                    found[field, text[:FIRST_OF_VALUE]].append(number)
    return ((*key, numbers.tobytes()) for key, numbers in sorted(found.items()))


def _tests(numbered: Iterable[tuple[int, Entry]]) -> Iterator[tuple[str, str, str, str, bytes]]:
    found: dict[tuple[str, str, str, str], array[int]] = defaultdict(lambda: array("I"))
    for number, entry in numbered:
        keys = ((*names, value[:FIRST_OF_VALUE]) for *names, value in entry.tests())
        for field, canonical, op, value in dict.fromkeys(keys):
            found[field, canonical, op, value].append(number)
    return ((*key, numbers.tobytes()) for key, numbers in sorted(found.items()))


def _values(entries: Iterable[Entry]) -> Iterator[tuple[str]]:
    found = {value[:FIRST_OF_VALUE] for entry in entries for *_, value in entry.tests()}
    return ((value,) for value in sorted(found) if value)


def _words(numbered: tuple[int, Entry]) -> tuple[object, ...]:
    number, entry = numbered
    rule = entry.rule
    tags = (rule.id, *rule.tags, *rule.author, *entry.traits["technique"], rule.ecosystem)
    tests = (f"{one.field} {' '.join(one.values)}" for one in entry.indicators)
    query = texts(part_of(rule, "rule").get("query")) if not rule.inputs else ()
    beside = (*query, rule.guide, *rule.false_positives, rule.setup, *rule.references)
    return (
        number,
        rule.name,
        " · ".join(tags),
        rule.description,
        " · ".join(tests)[:FIRST_OF_TEXT],
        "\n".join(beside)[:FIRST_OF_TEXT],
    )


def numbers_of(data: bytes) -> Sequence[int]:
    """Return the rules of one row of `traits` or `tests`."""
    numbers = array("I")
    numbers.frombytes(data)
    return numbers


def facts_of(
    index: sqlite3.Connection, numbers: Sequence[int]
) -> Mapping[int, Mapping[str, object]]:
    """Return the rows of `rules` for some numbers."""
    marks = _marks(len(numbers))
    cursor = index.execute(f"SELECT * FROM rules WHERE number IN ({marks})", numbers)
    names = [column[0] for column in cursor.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}


def to_json(data: object) -> str:
    """Write an object as the JSON of the catalogue's twins."""
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()

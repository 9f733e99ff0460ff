"""Packs of rules from elsewhere: fetched, pinned to a revision, and brought up to date.

A pack is a folder below a folder of rules, with a file `.tocsin-pack` that says where it came from.
"""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tocsin.errors import UsageError
from tocsin.rules import git
from tocsin.rules.load import load_rules
from tocsin.rules.model import Rule
from tocsin.rules.unpack import ARCHIVES, copy_folder, is_archive, unpack

PIN = ".tocsin-pack"
_LICENSES = ("license", "licence", "copying")
_READ = 4096


@dataclass(frozen=True, slots=True)
class Pack:
    """Where the rules of a folder came from, and in which state."""

    name: str
    source: str
    """As it was given: a folder, an archive or a git remote."""
    kind: str
    """`git`, `archive` or `folder`."""
    revision: str
    """The commit, or the SHA-256 of the archive or of the folder's files."""
    license: str
    """What its licence file begins with; else the licences that its rules name."""
    path: str | None = None
    """The part of the source that was taken."""
    follows: str | None = None
    """The branch or tag of a git remote that updates come from; None: its default branch."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A pack as its source has it now, not yet taken."""

    pack: Pack
    folder: Path
    place: Path
    """Where it will be."""

    @property
    def before(self) -> Pack | None:
        """Return the pack that is in its place."""
        return read_pin(self.place) if self.place.exists() else None

    @property
    def is_new(self) -> bool:
        """Return whether its source has another state than the one that is there."""
        before = self.before
        return before is None or before.revision != self.pack.revision

    def take(self) -> Pack:
        """Put the pack in its place, in place of what is there."""
        old = self.place.with_name(f".{self.place.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.place.exists():
            self.place.rename(old)
        shutil.move(self.folder, self.place)
        shutil.rmtree(old, ignore_errors=True)
        return self.pack


def is_pack_source(source: str) -> bool:
    """Say whether rules come as a pack: as a folder, an archive or a git remote."""
    return git.is_remote(source) or is_archive(source) or Path(source).is_dir()


def pack_name(source: str) -> str:
    """Name a pack by the last part of its source."""
    last = source.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    for ending in (".git", *sorted(ARCHIVES, key=len, reverse=True)):
        if last.lower().endswith(ending):
            last = last[: -len(ending)]
            break
    name = last.strip(". ")
    if not name:
        raise UsageError(f"{source}: gives no name for the pack; choose one with --name")
    return name


@contextmanager
def staged(
    source: str,
    folder: Path,
    *,
    name: str | None = None,
    path: str | None = None,
    follows: str | None = None,
) -> Iterator[Staged]:
    """Fetch a pack beside the place where it will be; what is not taken is removed.

    Raises `UsageError` if it cannot be fetched, holds no rules, or another pack has its name.
    """
    chosen = name or pack_name(source)
    if Path(chosen).name != chosen or chosen.startswith("."):
        raise UsageError(f"{chosen!r} is no name for a pack")
    place = folder / chosen
    if place.exists() and not (place / PIN).exists():
        raise UsageError(f"{place}: is there already, and is no pack; choose another --name")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tocsin-", dir=folder) as holder:
        fetched = Path(holder, chosen)
        kind, revision = _fetch(source, fetched, Path(holder), follows)
        part = _part(fetched, path, source)
        rules = pack_rules(part)
        if not rules:
            raise UsageError(f"{source}: holds no rules")
        licence = license_of(fetched, rules)
        pack = Pack(chosen, source, kind, revision, licence, path, follows)
        (part / PIN).write_text(json.dumps({"schema": 1, **asdict(pack)}, indent=2) + "\n", "utf-8")
        yield Staged(pack, part, place)


def _fetch(source: str, into: Path, holder: Path, follows: str | None) -> tuple[str, str]:
    """Write the files of a source into a folder; return its kind and revision."""
    if git.is_remote(source):
        checkout = holder / "checkout"
        revision = git.clone(source, checkout, follows)
        copy_folder(checkout, into)
        shutil.rmtree(checkout)
        return "git", revision
    origin = Path(source)
    if not origin.exists():
        raise UsageError(f"{source}: no such file, folder or git remote")
    if origin.is_dir():
        copy_folder(origin, into)
        return "folder", _digest(into)
    unpack(origin, into)
    return "archive", hashlib.sha256(origin.read_bytes()).hexdigest()


def _part(fetched: Path, path: str | None, source: str) -> Path:
    """Return the part of a source that is wanted; the only folder of an archive stands for it."""
    if path is None:
        return fetched
    below = [one for one in fetched.iterdir() if one.is_dir()] if fetched.is_dir() else []
    roots: list[Path] = [fetched, *(below if len(below) == 1 else ())]
    for root in roots:
        part = (root / path).resolve()
        if part.is_dir() and part.is_relative_to(fetched.resolve()):
            return part
    raise UsageError(f"{source}: has no folder {path!r}")


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != PIN:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return found.hexdigest()


def pack_rules(folder: Path) -> tuple[Rule, ...]:
    """Load the rules of a pack, or of one file, with paths as they are within it."""
    try:
        loaded = load_rules([folder])
    except UsageError:
        return ()
    start = f"{folder if folder.is_dir() else folder.parent}/"
    return tuple(
        replace(rule, path=rule.path.removeprefix(start), id=rule.id.removeprefix(start))
        for rule in (*loaded.rules, *loaded.parts)
    )


def license_of(folder: Path, rules: tuple[Rule, ...]) -> str:
    """Say what licence a pack is under, as far as its files say it."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.is_file() and file.name.lower().startswith(_LICENSES):
            text = file.read_bytes()[:_READ].decode("utf-8", "replace")
            lines = [line.strip(" #*") for line in text.splitlines() if line.strip(" #*=-")]
            return f"{lines[0]} ({file.name})" if lines else file.name
    named = Counter(rule.license for rule in rules if rule.license)
    said = ", ".join(f"{name} ({count:,} rules)" for name, count in named.most_common())
    return said or "not stated"


def read_pin(folder: Path) -> Pack | None:
    """Read where the rules of a folder came from; None if it is no pack."""
    file = folder / PIN
    if not file.is_file():
        return None
    try:
        said = json.loads(file.read_text("utf-8"))
        said.pop("schema")
        return Pack(**said)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UsageError(f"{file}: is damaged; add the pack anew") from None


def packs_in(folder: Path) -> tuple[Pack, ...]:
    """List the packs in a folder of rules."""
    if not folder.is_dir():
        return ()
    found = (read_pin(one) for one in sorted(folder.iterdir()) if one.is_dir())
    return tuple(one for one in found if one)


@contextmanager
def files_at_revision(path: Path, revision: str) -> Iterator[Path]:
    """Write the files below a path as they were at a git revision, for as long as needed."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as holder:
        archive, folder = Path(holder, "files.tar"), Path(holder, "files")
        git.export(path, revision, archive)
        folder.mkdir()
        unpack(archive, folder)
        yield folder

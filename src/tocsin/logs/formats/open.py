"""Open log files: what one is, and what it is packed with, is found by its bytes, not its name."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from tocsin.errors import InputError
from tocsin.jsontext import valid_text
from tocsin.logs.formats.archives import ZIP, Member, members
from tocsin.logs.formats.blocks import Batch, Block, Unreadable, batches
from tocsin.logs.formats.content import Content
from tocsin.logs.formats.formats import NO_FORMAT, Format, find_format
from tocsin.logs.formats.packing import READ_BYTES, Budget, Chunks, PackingError, unpacker

STDIN = Path("-")
PACKED_SUFFIXES = {".gz", ".zst", ".zip"}
"""Names of files whose size does not say how much there is to read; only for the progress bar."""

EMPTY = "is empty"
MOST_LAYERS = 2
INSIDE = "!"
"""Stands between the name of an archive and that of a member."""
_MAGIC_BYTES = 4


@dataclass(frozen=True, slots=True)
class NoLog:
    """What holds no log that can be read, and why."""

    name: str
    reason: str
    failed: bool = False
    """Whether something is lost by that; what is empty or no log can be passed over."""

    def __str__(self) -> str:
        """Return the sentence that says so."""
        return f"{self.name}: {self.reason}"

    def is_loss(self, *, named: bool) -> bool:
        """Say whether a user has to know: of what he named himself, of all that is not empty."""
        return self.failed or (named and self.reason != EMPTY)


class Source:
    """One log: a file, or a member of an archive."""

    def __init__(self, name: str, content: Content, form: Format) -> None:
        self.name = name
        """As outputs show it: the path, and the member behind `!`."""
        self._content = content
        self._format = form

    @property
    def path(self) -> Path | None:
        """Return the file whose bytes the blocks are, if they stand there as they are."""
        return self._content.path

    def blocks(self) -> Iterator[Block]:
        """Yield blocks of records; raises `InputError` after them where the log is damaged."""
        try:
            yield from self._format.blocks(self._content)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None
        if self._content.damage:
            reason = f"is damaged, what stands before was read: {self._content.damage}"
            raise InputError(f"{self.name}: {reason}")

    def batches(self, rows: int | None = None) -> Iterator[Batch | Unreadable]:
        """Yield the records in batches, and what holds none; raises `InputError` as `blocks`."""
        for block in self.blocks():
            if isinstance(block, Unreadable):
                yield block
            else:
                yield from batches(block, rows)


def open_sources(path: Path) -> Iterator[Source | NoLog]:
    """Yield the logs in a file, or in standard input, each to be read before the next is asked for.

    Raises `InputError` if the file cannot be opened.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise InputError(f"{path}: standard input is closed")
        yield from read_sources(shown(path), sys.stdin.buffer)
        return
    try:
        raw = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{shown(path)}: no such file or folder") from None
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    with raw:
        yield from read_sources(shown(path), raw, path if path.is_file() else None)


def read_sources(name: str, raw: BinaryIO, path: Path | None = None) -> Iterator[Source | NoLog]:
    """Yield the logs in a stream; `path` is its file, if it has one."""
    budget = Budget()
    return _Opening(budget, raw, path).sources(name, budget.reading(_read(raw)), layer=0)


@dataclass(frozen=True, slots=True)
class _Opening:
    """The opening of one file, through its layers."""

    budget: Budget
    raw: BinaryIO
    path: Path | None

    def sources(self, name: str, chunks: Chunks, layer: int) -> Iterator[Source | NoLog]:
        """Yield the logs in a stream that is packed in so many layers already."""
        start, chunks = _start(chunks)
        unpack, is_zip = unpacker(start), start.startswith(ZIP)
        if (unpack or is_zip) and layer >= MOST_LAYERS:
            reason = f"is packed more than {MOST_LAYERS} times over; unpack it first"
            yield NoLog(name, reason, failed=True)
        elif unpack:
            yield from self.sources(name, self.budget.unpacking(unpack(chunks)), layer + 1)
        elif is_zip:
            yield from self._members(name, chunks, layer)
        else:
            yield _log(name, Content(chunks, self.path if layer == 0 else None))

    def _members(self, name: str, chunks: Chunks, layer: int) -> Iterator[Source | NoLog]:
        with self._archive(chunks, layer) as file:
            try:
                for member in members(file):
                    yield from self._inside(f"{name}{INSIDE}{member.name}", member, layer + 1)
            except PackingError as error:
                yield NoLog(name, f"is damaged: {error}", failed=True)

    def _inside(self, name: str, member: Member, layer: int) -> Iterator[Source | NoLog]:
        if member.problem:
            yield NoLog(name, member.problem, failed=True)
        elif not _is_hidden(Path(member.name)):
            yield from self.sources(name, self.budget.unpacking(member.chunks), layer)

    @contextmanager
    def _archive(self, chunks: Chunks, layer: int) -> Iterator[BinaryIO]:
        """Give an archive to read at any place: its file, or a copy."""
        if layer == 0 and self.path:
            self.budget.reads_all(self.path.stat().st_size)
            yield self.raw
            return
        with tempfile.TemporaryFile() as copy:
            copy.writelines(_until_damage(chunks))
            yield copy


def _read(raw: BinaryIO) -> Chunks:
    try:
        while chunk := raw.read(READ_BYTES):
            yield chunk
    except OSError as error:
        raise PackingError(f"it cannot be read: {error.strerror}") from None


def _start(chunks: Chunks) -> tuple[bytes, Chunks]:
    """Return the first bytes of a stream, and all of it with them."""
    start = b""
    try:
        while len(start) < _MAGIC_BYTES and (chunk := next(chunks, b"")):
            start += chunk
    except PackingError as error:
        return start, _failing(start, error)
    return start, chain([start], chunks)


def _failing(start: bytes, error: PackingError) -> Chunks:
    yield start
    raise error


def _until_damage(chunks: Chunks) -> Chunks:
    """Take what there is of a packed archive: its directory will be found to be missing."""
    try:
        yield from chunks
    except PackingError:
        return


def _log(name: str, content: Content) -> Source | NoLog:
    if not content.head.strip():
        if content.damage:
            return NoLog(name, f"cannot be decompressed: {content.damage}", failed=True)
        return NoLog(name, EMPTY)
    form = find_format(content.head)
    if form is None:
        return NoLog(name, NO_FORMAT, failed=content.damage is not None)
    return Source(name, content, form)


def shown(path: Path) -> str:
    """Return a path as text that every output can write, whatever bytes its name holds."""
    return valid_text(str(path))


def log_files(path: Path) -> list[Path]:
    """List the files that a path names: itself, or all below it but hidden ones, in order."""
    if path == STDIN:
        return [path]
    try:
        if path.is_dir():
            found = [one for one in path.rglob("*") if one.is_file() and not _hides(one, path)]
        elif path.exists():
            return [path]
        else:
            raise InputError(f"{shown(path)}: no such file or folder")
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    if not found:
        raise InputError(f"{shown(path)}: a folder without files; name one that holds logs")
    return sorted(found)


def _hides(file: Path, root: Path) -> bool:
    return _is_hidden(file.relative_to(root))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") and part not in {".", ".."} for part in path.parts)

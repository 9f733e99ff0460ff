"""Take archives apart that strangers made: nothing is written outside, nothing without bound."""

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from tocsin.errors import UsageError

MAX_FILES = 100_000
MAX_BYTES = 1 << 30
"""What an archive may hold, unpacked."""
MAX_FILE_BYTES = 64 << 20
_BLOCK = 1 << 20
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
Member = tuple[str, IO[bytes]]


def is_archive(name: str) -> bool:
    """Say whether a file is an archive, by its name."""
    return name.lower().endswith(ARCHIVES)


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive below a folder.

    Raises `UsageError`, with nothing to be used written, if a member leads outside, is a link or a
    device, or if there is more in it than `MAX_FILES` and `MAX_BYTES` allow.
    """
    budget = _Budget(archive)
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    try:
        for name, content in members(archive, budget):
            target = folder.joinpath(*budget.safe_parts(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as written:
                budget.copy(name, content, written)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, NotImplementedError) as error:
        raise UsageError(f"{archive}: cannot be unpacked: {error}") from None
    except RuntimeError as error:
        raise UsageError(f"{archive}: cannot be unpacked: {error}") from None


class _Budget:
    """Counts what was unpacked, and refuses what must not be."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._files = 0
        self._bytes = 0

    def refuse(self, name: str, reason: str) -> UsageError:
        return UsageError(f"{self._archive}: refused: {name!r:.200} {reason}")

    def safe_parts(self, name: str) -> tuple[str, ...]:
        """Return the folders and name of a member that stays inside."""
        self._files += 1
        if self._files > MAX_FILES:
            raise self.refuse(name, f"is one of more than {MAX_FILES:,} files")
        path, windows = PurePosixPath(name), PureWindowsPath(name)
        outside = path.is_absolute() or windows.drive or windows.root
        if outside or ".." in path.parts or ".." in windows.parts or "\0" in name:
            raise self.refuse(name, "leads outside of the archive")
        if not path.parts:
            raise self.refuse(name, "is no name of a file")
        return path.parts

    def copy(self, name: str, content: IO[bytes], written: IO[bytes]) -> None:
        """Copy a member's content as long as there is room for it."""
        size = 0
        while block := content.read(_BLOCK):
            size += len(block)
            self._bytes += len(block)
            if size > MAX_FILE_BYTES:
                raise self.refuse(name, f"is larger than {MAX_FILE_BYTES >> 20} MiB")
            if self._bytes > MAX_BYTES:
                raise self.refuse(name, f"goes beyond {MAX_BYTES >> 30} GiB in all")
            written.write(block)


def _zip_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise budget.refuse(info.filename, "is a link")
            if info.is_dir():
                budget.safe_parts(info.filename)
            else:
                yield info.filename, opened.open(info)


def _tar_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    with tarfile.open(archive, "r:*") as opened:
        for info in opened:
            if info.issym() or info.islnk():
                raise budget.refuse(info.name, "is a link")
            if info.isdir():
                if info.name not in {".", "./"}:
                    budget.safe_parts(info.name)
            elif not info.isreg():
                raise budget.refuse(info.name, "is no plain file")
            elif content := opened.extractfile(info):
                yield info.name, content


def copy_folder(source: Path, folder: Path) -> None:
    """Copy the plain files of a folder; version control and links stay behind."""
    budget = _Budget(source)
    for place, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = Path(place, name)
            if path.is_symlink() or not path.is_file() or name == ".git":
                continue
            relative = path.relative_to(source)
            target = folder.joinpath(*budget.safe_parts(relative.as_posix()))
            target.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as content, target.open("wb") as written:
                budget.copy(str(relative), content, written)

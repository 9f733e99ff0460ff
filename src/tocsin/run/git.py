"""What git says of files, without the monitors, hooks and diff programs of a repository."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tocsin.errors import UsageError

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
_DIFF = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")


def changed_files(paths: Iterable[Path], since: str = "HEAD") -> frozenset[Path]:
    """List the files that differ from a commit, in the repositories that some paths lie in.

    These are files of the working tree, with new ones that are not ignored, and files that are
    gone. The commit is the last that a reference has in common with `HEAD`. Raises `UsageError` if
    git cannot tell.
    """
    roots = dict.fromkeys(map(_root, paths))
    return frozenset(file for root in roots for file in _changed(root, since))


def _root(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    folder = path if path.is_dir() else path.parent
    try:
        return Path(_git(folder, "rev-parse", "--show-toplevel").removesuffix("\n"))
    except UsageError as error:
        if "not a git repository" in str(error):
            reason = "is in no git repository, so nothing says what changed"
            raise UsageError(f"{path}: {reason}") from None
        raise


def _changed(root: Path, since: str) -> Iterator[Path]:
    if since.startswith("-"):
        raise UsageError(f"{since}: no name of a commit")
    try:
        base = _git(root, "merge-base", "HEAD", since).strip()
    except UsageError as error:
        raise UsageError(f"{error}; is {since} a commit that HEAD comes from?") from None
    differing = _git(root, *_DIFF, base, "--")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    for name in (differing + new).split("\0"):
        if name:
            yield root / name


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *_QUIET, "-C", folder, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise UsageError("the program git is needed to see what changed, and is not here") from None
    if done.returncode:
        said = os.fsdecode(done.stderr).strip().splitlines() or [f"{arguments[0]} found nothing"]
        raise UsageError(f"{folder}: git: {said[0].removeprefix('fatal: ')}")
    return os.fsdecode(done.stdout)

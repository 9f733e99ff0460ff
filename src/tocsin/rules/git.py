"""What is asked of the git program: copies of remotes, and how files were at a revision.

Nothing that a repository says is run: no hooks, no filters, no submodules, and remotes are spoken
to by the plain protocols only.
"""

import os
import re
import subprocess
from pathlib import Path

from tocsin.errors import UsageError

TIMEOUT_SECONDS = 600
_REMOTE = re.compile(r"(https?|ssh|git|file)://|[\w.-]+@[\w.-]+:", re.IGNORECASE)
_SAFE = (
    "-c", "core.symlinks=false", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false",
    "-c", "protocol.ext.allow=never", "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=",
    "-c", "filter.lfs.required=false", "-c", "core.autocrlf=false",
)  # fmt: skip


def is_remote(text: str) -> bool:
    """Say whether a text names a git remote: an address, or a local repository that ends so."""
    return bool(_REMOTE.match(text)) or text.rstrip("/").endswith(".git")


def clone(remote: str, folder: Path, revision: str | None = None) -> str:
    """Copy a remote at a branch, tag or commit into a folder; return the commit.

    Raises `UsageError` with what git says.
    """
    if remote.startswith("-") or (revision or "").startswith("-"):
        raise UsageError(f"{remote}: is no git remote")
    _git("clone", "--quiet", "--no-checkout", "--", remote, str(folder))
    wanted = revision or "HEAD"
    commit = _commit(folder, f"origin/{wanted}") if revision else None
    commit = commit or _commit(folder, wanted)
    if commit is None:
        raise UsageError(f"{remote}: has no revision {wanted!r}")
    _git("-C", str(folder), "checkout", "--quiet", "--detach", commit)
    return commit


def _commit(folder: Path, revision: str) -> str | None:
    try:
        found = _git(
            "-C", str(folder), "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"
        )
    except UsageError:
        return None
    return found.decode().strip()


def export(path: Path, revision: str, archive: Path) -> str:
    """Write a folder as it was at a revision of its repository as a tar; return the commit."""
    folder, part = (path, ".") if path.is_dir() else (path.parent, path.name)
    commit = None if revision.startswith("-") else _commit(folder, revision)
    if commit is None:
        raise UsageError(f"{path}: has no git revision {revision!r}")
    output = ("--format=tar", f"--output={archive}")
    _git("-C", str(folder), "archive", *output, commit, "--", part)
    return commit


def origin(folder: Path) -> tuple[str, str]:
    """Return where a repository was copied from, and the commit that is checked out."""
    remote = _git("-C", str(folder), "config", "--get", "remote.origin.url")
    commit = _git("-C", str(folder), "rev-parse", "HEAD")
    return remote.decode().strip(), commit.decode().strip()


def _git(*arguments: str) -> bytes:
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "LC_ALL": "C",
    }
    try:
        done = subprocess.run(
            ("git", *_SAFE, *arguments),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("git is not installed; it is needed for git remotes") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"git took longer than {TIMEOUT_SECONDS} seconds") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() or f"status {done.returncode}"
        raise UsageError(f"git: {said}")
    return done.stdout

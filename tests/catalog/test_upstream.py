"""Where the files of rules are at their source."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tocsin.catalog.upstream import upstream_of
from tocsin.rules.model import Rule

RULE = Rule("i", "n", "sigma", "detection", "p", "f", "d")
PIN = {"schema": 1, "name": "p", "license": "", "kind": "git", "revision": "abc"}


def pinned(folder: Path, **fields: object) -> Rule:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".tocsin-pack").write_text(
        json.dumps({**PIN, "path": None, "follows": None, **fields})
    )
    return replace(RULE, path=str(folder / "rules" / "a b.yml"))


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("https://github.com/o/r", "https://github.com/o/r/blob/abc/"),
        ("https://github.com/o/r.git", "https://github.com/o/r/blob/abc/"),
        ("git@github.com:o/r.git", "https://github.com/o/r/blob/abc/"),
        ("ssh://git@gitlab.com/g/s/r.git", "https://gitlab.com/g/s/r/-/blob/abc/"),
        ("https://codeberg.org/o/r", "https://codeberg.org/o/r/src/commit/abc/"),
    ],
)
def test_a_pack_from_a_host_has_an_address(tmp_path: Path, source: str, address: str) -> None:
    rule = pinned(tmp_path / "pack", source=source)
    assert upstream_of(rule) == f"{address}rules/a%20b.yml"


def test_a_part_of_a_repository_is_below_its_path(tmp_path: Path) -> None:
    rule = pinned(tmp_path / "pack", source="https://github.com/o/r", path="sub/rules")
    assert upstream_of(rule) == "https://github.com/o/r/blob/abc/sub/rules/rules/a%20b.yml"


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "https://example.com/o/r"},
        {"source": "/srv/r.git"},
        {"source": "https://github.com/../../r"},
        {"source": "https://github.com/o/r", "kind": "archive"},
    ],
    ids=["another host", "a folder", "a way up", "an archive"],
)
def test_other_packs_have_none(tmp_path: Path, fields: dict[str, str]) -> None:
    assert upstream_of(pinned(tmp_path / "pack", **fields)) is None


def test_a_checkout_says_itself_where_it_is_from(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "x")
    git("remote", "add", "origin", "https://github.com/o/r.git")
    commit = git("rev-parse", "HEAD")
    rule = replace(RULE, path=str(tmp_path / "rules" / "a.yml"))
    assert upstream_of(rule) == f"https://github.com/o/r/blob/{commit}/rules/a.yml"


def test_files_of_no_pack_have_none(tmp_path: Path) -> None:
    assert upstream_of(replace(RULE, path=str(tmp_path / "a.yml"))) is None

"""A rule of Panther as a page quotes it: its tests give their verdicts without any Python."""

import json
from pathlib import Path

import pytest

from cli.calling import tocsin


@pytest.fixture
def added(shared: Path, tmp_path: Path) -> Path:
    (page,) = (shared / "seeds").glob("002_*")
    result = tocsin("rules", "add", page, "--to", tmp_path)
    assert result.status == 0
    return Path(result.text.strip())


def test_every_test_of_the_page_gives_its_verdict(added: Path) -> None:
    report = json.loads(tocsin("test", added.parent, "-f", "json").out)
    assert [one["result"] for one in report["tests"]] == ["passed"] * 4
    assert report["warnings"] == []


def test_nothing_of_it_is_python(added: Path) -> None:
    assert [file.suffix for file in added.parent.iterdir()] == [".yml"]
    assert "Filename" not in added.read_text("utf-8")


def test_what_people_need_is_kept(added: Path) -> None:
    shown = tocsin("rules", "show", added).text
    for said in ("T1555", "T1530", "\n1. ", "\n2. ", "\n3. "):
        assert said in shown

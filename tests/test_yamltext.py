"""YAML is read once: what the cache gives is what parsing gives."""

import sys
from pathlib import Path

import pytest

from tocsin import yamltext
from tocsin.caching import read_checked, write_checked
from tocsin.yamltext import read_yaml

TEXTS = [
    "a: [1, x, 2.5, null, true, {b: 'ä'}]",
    "",
    "- &x {a: 1}\n- *x",
    "yes",
    "a: 0o17",
    '"\\ud7ff"',
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed, not taken from the cache."""
    texts: list[str] = []
    honest = yamltext._parse
    monkeypatch.setattr(yamltext, "_parse", lambda text: texts.append(text) or honest(text))
    return texts


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_parsed_once(text: str, folder: Path, parsed: list[str]) -> None:
    first = read_yaml(text)
    assert read_yaml(text) == first
    assert parsed == [text]


@pytest.mark.parametrize("text", ["a: 2026-01-02", "1: a", "a: !!binary aGk=", "a: 1" + "0" * 30])
def test_what_json_cannot_hold_is_parsed_each_time(
    text: str, folder: Path, parsed: list[str]
) -> None:
    assert read_yaml(text) == read_yaml(text)
    assert parsed == [text, text]


def test_what_is_no_yaml_is_an_error_each_time(folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="line 2, column 1"):
            read_yaml("{a: [")


def test_a_damaged_entry_is_parsed_anew(folder: Path, parsed: list[str]) -> None:
    read_yaml("a: 1")
    [entry] = (folder / "data").iterdir()
    for damage in (b"", b"noise", entry.read_bytes()[:-1]):
        whole = entry.read_bytes()
        entry.write_bytes(damage)
        assert read_yaml("a: 1") == {"a": 1}
        assert entry.read_bytes() == whole
    assert len(parsed) == 4


def test_without_a_cache_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parsed: list[str]
) -> None:
    monkeypatch.setenv("TOCSIN_CACHE", "")
    monkeypatch.chdir(tmp_path)
    assert read_yaml("a: 1") == read_yaml("a: 1") == {"a": 1}
    assert list(tmp_path.iterdir()) == []
    assert len(parsed) == 2


def test_checked_data_comes_back_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "below" / "entry.json"
    assert read_checked(path) is None
    write_checked(path, b"a\nb")
    assert read_checked(path) == b"a\nb"
    path.write_bytes(path.read_bytes() + b"c")
    assert read_checked(path) is None
    assert [one.name for one in path.parent.iterdir()] == ["entry.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="a file in the way of a folder")
def test_a_cache_that_cannot_be_written_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "file"))
    assert read_yaml("a: 1") == {"a": 1}

"""A small rule and a small log, for tests that call the command line."""

from pathlib import Path

import pytest

from cli.calling import jsonl, rule


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A pack with one rule that finds the mark `needle`."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "needle.yml").write_text(rule(level="high"))
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three records; the rule finds the first and the last."""
    file = tmp_path / "log.ndjson"
    file.write_bytes(jsonl({"mark": mark} for mark in ("needle one", "straw", "needle two")))
    return file

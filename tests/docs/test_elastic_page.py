"""The page on rules of Elastic names what is supported, and nothing else."""

import tomllib

import pytest

from pages import DOCS, ROOT, rows
from tocsin.rules.elastic.build import DEFAULT_INDICES
from tocsin.rules.elastic.exceptions import ENTRIES
from tocsin.rules.elastic.filters import CLAUSES
from tocsin.rules.elastic.kinds import NOT_YET, STAGED

PAGE = DOCS / "elastic.md"
TEXT = PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def files(elastic_corpus):
    return [tomllib.loads(path.read_text("utf-8")) for path in elastic_corpus.rglob("*.toml")]


def first_column(*heads):
    return {name for row in rows(PAGE, *heads) for name in row[0].split(", ")}


def test_kinds_are_these():
    assert first_column("kind", "runs", "what it does") == {*STAGED, *NOT_YET}


def test_clauses_of_filters_are_these():
    assert first_column("clause", "means") == set(CLAUSES)


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_kind_of_exception_is_described(kind):
    assert f"`{kind}`" in TEXT


@pytest.mark.parametrize("pattern", DEFAULT_INDICES)
def test_an_index_of_kibana_is_named(pattern):
    assert f"`{pattern.removeprefix('-')}`" in TEXT


def test_every_field_that_is_used_is_on_the_page(files):
    used = {key for file in files for key in file["rule"]}
    assert {key for key in used if f"`{key}`" not in TEXT} == set()


def test_no_rule_is_in_the_project(files):
    names = [file["rule"]["name"] for file in files if len(file["rule"]["name"]) > 50]
    ours = [path for folder in ("src", "docs", "tests") for path in (ROOT / folder).rglob("*.*")]
    kinds = {".py", ".md", ".yaml", ".toml", ".json"}
    text = "\n".join(path.read_text("utf-8") for path in ours if path.suffix in kinds)
    assert not [name for name in names if name in text]

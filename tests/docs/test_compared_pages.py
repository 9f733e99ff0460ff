"""The pages on comparing, converting and packs name what there is, and nothing else."""

from dataclasses import fields

import pytest

from catalog.conditions import asks, make_rule
from pages import DOCS, rows
from tocsin.catalog.convert import LANGUAGES
from tocsin.catalog.diff import diff_packs, diff_record
from tocsin.catalog.implies import MAX_STEPS
from tocsin.catalog.overlap import EVENTS, Relation, compare
from tocsin.catalog.overlap_text import comparison_record
from tocsin.condition.tree import Op
from tocsin.rules.packs import Pack
from tocsin.rules.unpack import ARCHIVES, MAX_BYTES, MAX_FILE_BYTES, MAX_FILES

OVERLAP, CONVERT, PACKS, RECORDS = (
    DOCS / f"{name}.md" for name in ("overlap", "convert", "packs", "records")
)


def keys(what: str) -> set[str]:
    """Return the keys that a table of the page on records names."""
    found = rows(RECORDS, f"key of {what}", "holds")
    return {key.strip("`") for row in found for key in row[0].split("`, `")}


def test_every_relation_is_described():
    assert [row[0] for row in rows(OVERLAP, "relation", "means")] == [one.value for one in Relation]


def test_figures_of_the_page_are_those_of_the_code():
    text = OVERLAP.read_text()
    assert f"{EVENTS:,} or more events" in text
    assert f"more than {MAX_STEPS:,} steps" in text


def test_every_language_is_described():
    assert [row[0] for row in rows(CONVERT, "language", "is about", "said of it")] == [*LANGUAGES]


@pytest.mark.parametrize("ending", ARCHIVES)
def test_every_kind_of_archive_is_named(ending):
    assert f"`{ending}`" in PACKS.read_text()


def test_limits_are_on_the_page():
    text = " ".join(PACKS.read_text().split())
    assert f"{MAX_FILES:,} files, {MAX_BYTES >> 30} GiB in all" in text
    assert f"{MAX_FILE_BYTES >> 20} MiB in one file" in text


ONE = make_rule(asks("operationName", Op.EQUALS, "A/B"))
OTHER = make_rule(asks("operationName", Op.EQUALS, "A/B", "C/D"), digest="new")


def test_keys_of_a_comparison():
    record = comparison_record(compare(ONE, OTHER))
    assert set(record) == keys("a comparison")
    assert set(record["log_types"][0]) == keys("a compared log type")


def test_keys_of_a_difference():
    record = diff_record(diff_packs([ONE], [OTHER]))
    assert set(record) == keys("a difference")
    assert set(record["changed"][0]) == keys("a changed rule")


def test_keys_of_a_pack():
    assert {"schema", *(one.name for one in fields(Pack))} == keys("a pack")


def test_keys_of_a_conversion():
    from tocsin.catalog.convert import convert
    from tocsin.cli.convert import _record

    assert set(_record(ONE, convert(ONE, "sql"))) == keys("a conversion")

"""Panther's public rules: every test that they carry gives the verdict that Panther gives."""

import subprocess
from collections import Counter

import pytest

from tocsin.rules.panther.pack import load_panther_rules
from tocsin.run.panther import EXTRA, run_panther_tests

PINNED = "daa10c888566839e9918dfba1cd652743781e5fe"
KINDS = {"python": 865, "policy": 119, "scheduled": 57, "correlation": 31, "simple": 1}
PARTS = {
    "scheduled_query": 77, "pack": 64, "global": 44, "datamodel": 34, "saved_query": 18,
    "lookup_table": 12,
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(panther_analysis):
    return load_panther_rules([panther_analysis])


@pytest.fixture(scope="module")
def is_pinned(panther_analysis):
    asked = ["git", "-C", panther_analysis, "rev-parse", "HEAD"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() == PINNED


def test_every_file_is_of_a_known_kind(loaded, is_pinned):
    found = Counter(one.kind for one in loaded.rules), Counter(one.kind for one in loaded.parts)
    assert found[0].keys() == KINDS.keys()
    if is_pinned:
        assert found == (KINDS, PARTS)


def test_every_test_passes(loaded, is_pinned):
    for name in EXTRA:
        pytest.importorskip(name)
    done = run_panther_tests(loaded.rules, loaded.parts)
    assert [one for one in done.outcomes if one.result == "failed"] == []
    results = Counter(one.result for one in done.outcomes)
    assert results["passed"] > 3400
    if is_pinned:
        assert results == {"passed": 3504, "skipped": 91}

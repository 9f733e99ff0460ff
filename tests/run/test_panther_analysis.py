"""Panther's public rules: every test that they carry gives the verdict that Panther gives."""

import subprocess
from collections import Counter

import pytest

from tocsin.rules.panther.pack import load_panther_rules
from tocsin.run import panther
from tocsin.run.panther import EXTRA, run_panther_tests
from tocsin.sandbox.pool import run_jobs
from tocsin.sandbox.runner import SEVERITIES

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


@pytest.fixture(scope="module")
def tested(loaded):
    """Run all tests; return how they ended, and each test with what its detection said."""
    for name in EXTRA:
        pytest.importorskip(name)
    said = []

    def run_and_keep(pack, jobs, options):
        results = run_jobs(pack, jobs, options)
        for job, found in zip(jobs, results, strict=True):
            said.extend((job.detection, *one) for one in zip(job.tests, found, strict=True))
        return results

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panther, "run_jobs", run_and_keep)
        done = run_panther_tests(loaded.rules, loaded.parts)
    return done, said


def test_every_test_passes(tested, is_pinned):
    done, _ = tested
    assert [one for one in done.outcomes if one.result == "failed"] == []
    results = Counter(one.result for one in done.outcomes)
    assert results["passed"] > 3400
    if is_pinned:
        assert results == {"passed": 3504, "skipped": 91}


def test_every_alert_says_what_it_must(tested, is_pinned):
    alerts = [
        (detection, found.alert)
        for detection, test, found in tested[1]
        if found.matched and test["ExpectedResult"] is (detection.kind != "policy")
    ]
    told = [alert for detection, alert in alerts if not detection.signal]
    assert all(alert["title"] and alert["dedup"] for alert in told)
    assert {alert["severity"] for alert in told} == set(SEVERITIES)
    assert not [alert for alert in told if "View(" in alert["title"] + alert["dedup"]]
    assert all(alert.keys() == {"alert_context"} for one, alert in alerts if one.signal)
    if is_pinned:
        assert (len(alerts), len(told)) == (1873, 1772)

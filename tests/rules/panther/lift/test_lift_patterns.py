"""Rules of our own, one per pattern: lifted exactly, and equal to real Python on mutated events."""

import random

import pytest
from lift_cases import HELPERS, INEXACT, MODEL, PATTERNS

from rules.panther.lift_events import mutate
from rules.panther.lift_oracle import Pack, decide, matches, parse
from tocsin.python.program import run
from tocsin.rules.panther.lift import DataModel, lift

LOG_TYPE = "Own.Type"
MUTATIONS = 150


@pytest.fixture(scope="module")
def pack():
    model = {"id": "own", "log_types": [LOG_TYPE], **MODEL}
    made = Pack(HELPERS, [model])
    yield made
    made.close()


def lifted(case):
    model = DataModel(MODEL["mappings"], MODEL["source"][1])
    return lift(case.source, HELPERS, model)


def events(case):
    rng = random.Random(case.id)
    yield from case.events
    yield {}
    for _ in range(MUTATIONS):
        yield mutate(rng.choice(case.events), rng)


def outcomes(case, pack):
    """Yield condition, real result and whether that raised, for every event."""
    found = lifted(case)
    loaded = pack.load(case.source)
    assert not loaded.error
    for event in events(case):
        pack.memory.clear()
        truth, error = decide(loaded, pack.event(event, LOG_TYPE))
        yield event, matches(found.condition, parse(event)), truth, error


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case.id)
def test_a_pattern_is_lifted_exactly(case, pack):
    found = lifted(case)
    assert (found.exact, found.obstacles, found.tier) == (True, (), case.tier)
    results = [one for one in outcomes(case, pack) if not one[3]]
    assert [event for event, holds, truth, _ in results if holds is not truth] == []
    assert {truth for _, _, truth, _ in results} == {True, False}


@pytest.mark.parametrize("case", INEXACT, ids=lambda case: case.id)
def test_an_obstacle_leaves_a_condition_that_loses_no_match(case, pack):
    found = lifted(case)
    assert (found.exact, found.tier) == (False, case.tier)
    assert any(case.obstacle in one for one in found.obstacles), found.obstacles
    lost = [event for event, holds, truth, _ in outcomes(case, pack) if truth and not holds]
    assert lost == []


@pytest.mark.parametrize(
    "case", [one for one in PATTERNS if "def title" in one.source], ids=lambda case: case.id
)
def test_a_title_is_what_python_says(case, pack):
    found = lifted(case)
    module = pack.load(case.source).module
    compared = 0
    for event in events(case):
        view = pack.event(event, LOG_TYPE)
        truth, _ = decide(pack.load(case.source), view)
        if truth:
            module.rule(view)
            assert said(lambda: run(found.texts["title"], dict(event))) == said(  # noqa: B023
                lambda: module.title(view)  # noqa: B023
            )
            compared += 1
    assert compared


def said(function):
    try:
        return function()
    except Exception:
        return "raises"


@pytest.mark.parametrize("case", INEXACT, ids=lambda case: case.id)
def test_an_obstacle_is_named_with_its_line(case):
    assert all("line " in one and ": " in one for one in lifted(case).obstacles)

"""Rules of panther-analysis: lifted, and compared with real Python on events and mutated ones."""

import random
import subprocess
import sys
from itertools import islice

import pytest
from bench.lift import load_pack, worst
from bench.lift_fuzz import Comparison, events_by_log_type, every_pair, fuzzed

from rules.panther.lift_oracle import Pack as Running
from tocsin.rules.panther.lift import Tier, lift_rules
from tocsin.rules.panther.pack import read_python

FUZZED = 4_000

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@pytest.fixture(scope="module")
def pack(panther_analysis):
    return load_pack(panther_analysis)


@pytest.fixture(scope="module")
def lifted(pack):
    return lift_rules(pack.rules, pack.parts)


@pytest.fixture
def comparison(pack):
    running = Running(pack.parts.helpers, pack.models)
    yield Comparison(running)
    running.close()


def test_most_rules_are_lifted_exactly_and_none_to_nothing(pack, lifted):
    rules = [rule for rule in pack.rules if rule.kind == "python"]
    tiers = [worst(lifted[rule.key]).tier for rule in rules]
    exact = [tier for tier in tiers if tier not in {Tier.PREFILTER, Tier.NOTHING}]
    assert len(exact) >= 0.89 * len(rules)
    assert Tier.NOTHING not in tiers
    told = [one for rule in rules for one in lifted[rule.key].values()]
    titles = [one for one in told if "title" in one.texts or "title" in one.untold]
    assert sum("title" in one.texts for one in titles) >= 0.6 * len(titles)


def test_what_was_lifted_before_is_taken_from_the_cache(pack, lifted):
    assert lift_rules(pack.rules[:50], pack.parts) == {
        rule.key: lifted[rule.key] for rule in pack.rules[:50]
    }


def compare(comparison, pairs, *, texts):
    loaded = {}
    for rule, one, log_type, log in pairs:
        if rule.key not in loaded:
            loaded[rule.key] = comparison.running.load(read_python(rule), rule.kind)
        comparison.rule(rule, loaded[rule.key], one, log_type, log, texts=texts)
    return comparison.wrong


def by_rule(pack, lifted, *, kinds=("python", "scheduled")):
    return [(rule, lifted[rule.key]) for rule in pack.rules if rule.kind in kinds]


def test_every_rule_on_every_event_of_its_log_type(pack, lifted, comparison):
    pairs = every_pair(by_rule(pack, lifted), events_by_log_type(pack))
    assert compare(comparison, pairs, texts=True) == []
    assert comparison.counts["pairs"] > 100_000


def test_every_policy_on_the_resources_of_its_tests(pack, lifted, comparison):
    pairs = every_pair(by_rule(pack, lifted, kinds=("policy",)), {})
    assert compare(comparison, pairs, texts=False) == []
    assert comparison.counts["pairs"] > 300


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_events(seed, pack, lifted, comparison):
    rng = random.Random(seed)
    pairs = fuzzed(by_rule(pack, lifted), events_by_log_type(pack), rng)
    assert compare(comparison, islice(pairs, FUZZED), texts=False) == []


AUDIT = """
import os, sys
from pathlib import Path
from tocsin.rules.panther.pack import load_panther_rules, read_python
from tocsin.rules.panther.lift import lift_rules, read_parts
import tocsin.rules.codec, orjson, hashlib, re2

checkout = Path(sys.argv[1])
found = load_panther_rules([checkout])
rules = [rule for rule in found.rules if rule.kind == "python"][:200]
parts = read_parts(found.parts, rules)
opened, ran = [], []
os.cpu_count = lambda: 1  # what a second process would do is done in this one, where it is seen

def hook(event, args):
    if event == "open" and not str(args[0]).startswith(str(checkout)):
        opened.append(str(args[0]))
    if event == "exec":
        ran.append((event, args[0].co_filename))
    if event.startswith(("socket", "subprocess", "os.system", "ctypes")):
        ran.append((event, str(args)))

lift_rules(rules[:1], parts)
sys.addaudithook(hook)
lift_rules(rules, parts)
print([one for one in opened if "/src/tocsin/" not in one])
print([one for one in ran if "/src/tocsin/" not in one[1]])
"""


def test_lifting_opens_the_packs_files_only_and_runs_none_of_its_code(panther_analysis):
    found = subprocess.run(
        [sys.executable, "-c", AUDIT, str(panther_analysis)],
        capture_output=True,
        text=True,
        check=True,
        env={"TOCSIN_CACHE": "", "PYTHONPATH": ":".join(sys.path)},
    )
    assert found.stdout.splitlines() == ["[]", "[]"]

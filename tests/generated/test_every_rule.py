"""Every rule of the corpus matches an event that is made for it, and does not match near misses."""

from collections import Counter, defaultdict
from functools import partial

import pytest
from generated import azure, plain, windows
from generated.corpus import LEFT_OUT, read_corpus
from generated.generator import make_probes, share
from generated.scanning import Batch, judge_flat

UNSATISFIABLE = {
    "53d4bb30-3f36-4e8a-b078-69d36c4a79ff": "a command line that is RunWizard and holds a GUID",
}
"""Rules that no event can match, and why."""

WINDOWS_SHAPES = {
    "flat": windows.flat_record,
    "evtx": windows.evtx_record,
    "winlogbeat": windows.winlogbeat_record,
}


@pytest.fixture(scope="session")
def corpus(sigma_corpus):
    return read_corpus(sigma_corpus)


def is_for_windows(rule):
    return rule.product == "windows" or rule.category == "antivirus"


def test_windows(corpus, sigma_corpus, tmp_path):
    batch = Batch(tmp_path)
    unsolved = set()
    for rule in filter(is_for_windows, corpus):
        (variant, world), *others = windows.worlds(rule)
        probes = make_probes(rule, world)
        if not probes:
            unsolved.add(rule.id)
        for shape, write in WINDOWS_SHAPES.items():
            if shape == "flat" or share(rule.id, 3) == 0:
                batch.add(shape, probes, partial(write, rule, variant), judge_flat(world))
        for variant, world in others:
            judge=lambda probe, record: windows.judge(variant, probe.rule, record)
            batch.add("audit", make_probes(rule, world), partial(windows.flat_record, rule, variant), judge)
    folders = [one for one in sorted(sigma_corpus.iterdir()) if one.is_dir() and one.name != LEFT_OUT]
    wrong = batch.scan(folders)
    print(batch.counts, len(wrong), unsolved)
    for one in wrong[:200]: print(one[:600])
    assert not wrong


def test_azure(corpus, tmp_path):
    batch = Batch(tmp_path)
    rules = [r for r in corpus if r.product == "azure"]
    for rule in rules:
        world = azure.make_world(rule)
        probes = make_probes(rule, world)
        if not probes: print("UNSOLVED", rule.path)
        for shape, write in azure.SHAPES[rule.service].items():
            batch.add(f"{rule.service} {shape}", probes, write, judge_flat(world))
    wrong = batch.scan([r.path for r in rules])
    print(batch.counts, len(wrong))
    for one in wrong[:200]: print(one[:600])
    assert not wrong


def test_others(corpus, tmp_path):
    by = defaultdict(list)
    for rule in corpus:
        if rule.product != "azure" and not is_for_windows(rule):
            by[rule.log_source].append(rule)
    total = []; c=Counter()
    for number, (source, rules) in enumerate(by.items()):
        batch = Batch(tmp_path / str(number))
        for rule in rules:
            probes = make_probes(rule, plain.WORLD)
            if not probes: print("UNSOLVED", rule.path)
            batch.add("plain", probes, partial(plain.make_record, rule), judge_flat(plain.WORLD))
        total += batch.scan([r.path for r in rules], "--log-type", source)
        c += batch.counts
    print(c)
    for one in total[:200]: print(one[:600])
    assert not total

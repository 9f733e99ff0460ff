"""Folders with rules of Elastic: packs, ids, the cache, and dates that do not age in it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rules.elastic.making import QUERY, ndjson, toml
from tocsin.rules import cache
from tocsin.rules.cache import load_rules_cached
from tocsin.rules.load import RuleLoader, combine, find_rule_files, load_rules
from tocsin.rules.model import Verdict
from tocsin.rules.stages import IndicatorMatch

THREAT = {
    "type": "threat_match",
    "query": "@timestamp > now-1d",
    "threat_index": ["logs-ti_*"],
    "threat_query": '@timestamp >= "now-30d/d"',
    "threat_mapping": [{"entries": [{"field": "a", "type": "mapping", "value": "b"}]}],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TOCSIN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "pack"
    folder.mkdir()
    return folder


def write(folder, **texts):
    for name, text in texts.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, "utf-8")


def test_rules_of_several_languages_stand_below_one_folder(folder):
    sigma = (
        "title: S\nlogsource: {product: acme}\ndetection: {s: {a: b}, condition: s}\n"
        "id: 0c7a0cb2-64ae-4bd0-8c65-c05fa0bdd3a5\n"
    )
    write(
        folder,
        a_toml=toml(),
        b_ndjson=ndjson({**QUERY, "rule_id": "b"}, {**QUERY, "rule_id": "c"}),
        d_yml=sigma,
        e_json="{}",
        f_txt="[rule]",
    )
    loaded = load_rules([folder])
    assert [rule.ecosystem for rule in loaded] == ["elastic"] * 3 + ["sigma"]
    assert [(one.path, one.reason) for one in loaded.skipped] == [
        (f"{folder}/e.json", "no rule: is no export of rules")
    ]


def test_an_id_twice_in_a_pack_names_both_files(folder):
    write(folder, a_toml=toml(), b_toml=toml())
    first, second = load_rules([folder]).rules
    assert first.verdict is Verdict.RUNS
    assert second.verdict is Verdict.CANNOT
    assert f"{folder}/b.toml" in second.reasons[0]
    assert f"already used in this pack by {folder}/a.toml" in second.reasons[0]


def test_an_id_in_two_packs_is_two_rules(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write(folder, a_toml=toml())
    write(other, a_toml=toml())
    loaded = load_rules([folder, other])
    assert [rule.verdict for rule in loaded] == [Verdict.RUNS] * 2
    assert [rule.pack for rule in loaded] == ["pack", "other"]


def test_a_file_that_is_too_large_is_named(folder, monkeypatch):
    monkeypatch.setattr("tocsin.rules.load.MAX_BYTES", 1 << 20)
    write(folder, a_toml=toml(), b_json=" " * ((1 << 20) + 1))
    (skipped,) = load_rules([folder]).skipped
    assert skipped.reason == "larger than 1 MiB"


def dates(rule):
    """Return the dates that a rule compares with: of its events, and of indicators."""
    (one,) = rule.inputs
    assert isinstance(rule.stage, IndicatorMatch)
    return one.condition.values + rule.stage.condition.values


def millis(when):
    return int(when.timestamp() * 1000)


def test_dates_are_relative_to_the_time_of_loading(folder):
    write(folder, a_toml=toml(**THREAT))
    loader = RuleLoader(cache.LoadOptions())
    kept = [loader.load(file) for file in find_rule_files([folder])]
    assert dates(kept[0][0][0]) == ("now-1d", "now-30d/d")
    for now in (datetime(2026, 5, 6, 7, 8, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)):
        (rule,) = combine(kept, now).rules
        month_ago = (now - timedelta(days=30)).replace(hour=0, minute=0)
        assert dates(rule) == (millis(now - timedelta(days=1)), millis(month_ago))


def test_dates_do_not_age_in_the_cache(folder, monkeypatch):
    write(folder, a_toml=toml(**THREAT))
    load_rules_cached([folder])
    later = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(cache, "combine", lambda loaded: combine(loaded, later))
    (rule,) = load_rules_cached([folder]).rules
    assert dates(rule)[0] == millis(later - timedelta(days=1))


def test_rules_from_the_cache_need_no_parser(folder):
    write(folder, a_toml=toml(), b_toml=toml(rule_id="b", **THREAT))
    load_rules_cached([folder])
    code = (
        "import sys; from pathlib import Path; from tocsin.rules.cache import load_rules_cached\n"
        f"assert len(load_rules_cached([Path({str(folder)!r})])) == 2\n"
        "print(sorted({'lark', 're2', 'sigma', 'tomllib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

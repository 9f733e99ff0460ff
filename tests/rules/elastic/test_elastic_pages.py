"""Pages that quote a rule, and what becomes of them when the rule is added to a folder."""

import tomllib

import pytest

from rules.elastic.making import QUERY, load_one, ndjson, toml
from tocsin.errors import UsageError
from tocsin.rules.add import add_rule, unreadable
from tocsin.rules.elastic.render import render_toml
from tocsin.rules.model import Indices, Technique, Verdict

TEXT = toml(note="## A\n\n1. first\n2 second\n\n10 more", query="a: b and\n  c: d\n")


def numbered(text, *, padded):
    """Return lines with their numbers, as sites show them."""
    lines = text.rstrip("\n").split("\n")
    width = len(str(len(lines))) if padded else 0
    shown = (f"{number:{width}}{line}" for number, line in enumerate(lines, start=1))
    return "Title\n\nElastic rule\n\n" + "\n".join(shown) + "\n\nGuide\n1 of 2\n"


PROSE = """---
mapped_pages:
  - https://example.com/a
---

# Key Read [key-read]

Finds reads.

**Rule type**: query

**Rule indices**:

* logs-a-*
* filebeat-*

**Severity**: high

**Risk score**: 73

**Runs every**: 10m

**Searches indices from**: now-20m ({{ref}}/x#date-math[Date Math], see also [`y`](z))

**Maximum alerts per execution**: 50

**References**:

* [https://example.com/r](https://example.com/r)

**Tags**:

* Cloud

**Version**: 7

**Rule authors**:

* Ada

**Rule license**: L

## Investigation guide [_guide_1]

Look.

### Closer

## Setup [_setup_1]

Switch it on.

## Rule query [_query_1]

```js
event.action:"read" and
  not user.name:bot
```

**Framework**: MITRE ATT&CKTM

* Tactic:

    * Name: N
    * ID: TA0006
    * Reference URL: [https://example.com/t](https://example.com/t)

* Technique:

    * Name: M
    * ID: T1552

* Sub-technique:

    * Name: O
    * ID: T1552.001
"""


@pytest.mark.parametrize("padded", [True, False], ids=["numbers-in-a-column", "bare-numbers"])
def test_numbered_lines_are_the_file(padded):
    page = load_one(numbered(TEXT, padded=padded), "page.txt")
    file = load_one(TEXT)
    assert page.verdict is Verdict.RUNS
    assert (page.id, page.name, page.guide) == (file.id, file.name, file.guide)
    assert (page.inputs, page.digest) == (file.inputs, file.digest)


@pytest.mark.parametrize("padded", [True, False], ids=["numbers-in-a-column", "bare-numbers"])
def test_what_is_wrong_is_placed_on_the_page(padded):
    text = numbered(TEXT.replace("c: d", "c:: d"), padded=padded)
    (reason,) = load_one(text, "page.txt").reasons
    lines = text.split("\n")
    number = next(at for at, line in enumerate(lines, 1) if "c:: d" in line)
    column = lines[number - 1].index(":: ") + 2
    assert reason.startswith(f"page.txt:{number}:{column}: KQL: "), reason


def test_prose_is_the_fields():
    rule = load_one(PROSE, "page.md")
    assert (rule.name, rule.kind, rule.verdict) == ("Key Read", "query", Verdict.RUNS)
    assert (rule.severity, rule.risk_score, rule.description) == ("high", 73, "Finds reads.")
    assert (rule.author, rule.license, rule.tags) == (("Ada",), "L", ("Cloud",))
    assert rule.references == ("https://example.com/r",)
    assert (rule.guide, rule.setup) == ("Look.\n\n### Closer", "Switch it on.")
    assert rule.attack == (Technique("TA0006", "T1552"), Technique("TA0006", "T1552.001"))
    assert rule.inputs[0].scope == Indices(("logs-a-*", "filebeat-*"))
    assert rule.schedule
    assert rule.schedule.window.seconds == 20 * 60
    assert (rule.schedule.every.seconds, rule.schedule.max_alerts) == (600, 50)
    assert '"version":7' in rule.document


def test_prose_about_a_kind_that_does_not_run_says_so():
    rule = load_one(PROSE.replace("**Rule type**: query", "**Rule type**: eql"), "page.md")
    assert (rule.kind, rule.verdict) == ("eql", Verdict.CANNOT)
    assert "EQL rules do not run yet" in rule.reasons[0]


def test_a_page_is_added_as_a_rule_file(tmp_path):
    page = tmp_path / "page.txt"
    page.write_text(numbered(TEXT, padded=True))
    added = add_rule(page, tmp_path / "mine")
    assert added.path == tmp_path / "mine" / "example.toml"
    assert added.path.read_text() == TEXT
    assert unreadable(added) == ()


def test_prose_is_added_as_a_rule_file(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PROSE)
    added = add_rule(page, tmp_path / "mine")
    assert added.path.name == "key_read.toml"
    file, quoted = load_one(added.path.read_text()), load_one(PROSE, "page.md")
    assert file.inputs == quoted.inputs
    assert (file.guide, file.attack, file.schedule) == (
        quoted.guide,
        quoted.attack,
        quoted.schedule,
    )


def test_a_rule_file_is_added_as_it_is(tmp_path):
    for name, text in {"a.toml": TEXT, "b.ndjson": ndjson(QUERY)}.items():
        (tmp_path / name).write_text(text)
        added = add_rule(tmp_path / name, tmp_path / "mine")
        assert (added.path.name, added.path.read_text()) == (name, text)


def test_adding_twice_changes_nothing_but_another_rule_is_refused(tmp_path):
    page = tmp_path / "a.toml"
    page.write_text(TEXT)
    assert add_rule(page, tmp_path / "mine") == add_rule(page, tmp_path / "mine")
    page.write_text(TEXT.replace("c: d", "c: e"))
    with pytest.raises(UsageError, match="is there already"):
        add_rule(page, tmp_path / "mine")


def test_a_rule_that_does_not_run_is_added_and_said(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text(toml(type="eql", language="eql"))
    assert "EQL rules do not run yet" in unreadable(add_rule(file, tmp_path / "mine"))[0]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.txt", "nothing", "no rule"),
        ("a.toml", "[project]\n", "no rule: has no [rule]"),
        ("a.json", "[]", "no rule: is no export of rules"),
        ("a.txt", "1[rule]\n2nonsense\n", "no TOML"),
    ],
)
def test_what_holds_no_rule_is_not_added(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as caught:
        add_rule(tmp_path / name, tmp_path / "mine")
    assert reason in str(caught.value)
    assert not (tmp_path / "mine").exists()


ROUND_TRIPS = {
    "texts": {"a": 'q"\\\t', "b": "", "c": "é\u2028\x7f", "d": "a\nb\n", "e": "'''\n\"\"\"\\"},
    "texts of lines with quotes": {"a": "x\n'", "b": "\n", "c": "a\x01\nb"},
    "numbers": {"a": 1, "b": 1.5, "c": True},
    "lists": {"a": [], "b": ["x" * 60, "y" * 60], "c": [[1], [2]], "d": [{"x": 1}, 2]},
    "tables": {"t": {"a": 1, "u": {"b": [{"c": {"d": 1}}, {"e": 2}]}, "z": 1}},
    "empty tables": {"t": {}, "u": [{}, {}]},
    "names": {"a.b": 1, 'q"': {"$state": {"x y": 1}}, "": 1},
    "tables in lists": {"a": [[{"x": 1}]]},
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_what_is_written_reads_the_same(name):
    assert tomllib.loads(render_toml(ROUND_TRIPS[name])) == ROUND_TRIPS[name]

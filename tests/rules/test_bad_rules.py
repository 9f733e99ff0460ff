"""A rule that cannot be used is named with file, line, column and reason; the others go on."""

import time
from pathlib import Path

import pytest

from tocsin.rules.load import load_rules
from tocsin.rules.model import Rule, RuleSet, Verdict

HEAD = "title: Bad\nlogsource: {product: acme, service: web}\n"
GOOD = "title: Good\nlogsource: {product: acme}\ndetection: {s: {mark: x}, condition: s}\n"


def load(tmp_path: Path, **files: str | bytes) -> RuleSet:
    """Load a pack of files."""
    folder = tmp_path / "pack"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{name}.yml").write_bytes(data)
    return load_rules([folder])


def of_file(loaded: RuleSet, name: str) -> list[Rule]:
    return [rule for rule in loaded.rules if rule.path.endswith(f"/{name}.yml")]


def detection(*lines: str) -> str:
    """Write a rule whose detection, on line 3, holds some lines."""
    return HEAD + "detection:\n" + "".join(f"  {line}\n" for line in lines)


BAD = {
    "YAML error": ("title: Bad\ndetection:\n  s: {a: b\n  condition: s\n", "4:12",
                   "not YAML: did not find expected ',' or '}'"),
    "YAML mapping in a mapping": ("detection: a: b\n", "1:13", "not YAML: mapping values"),
    "control character": ("title: B\x01d\ndetection: x\n", "1:9",
                          "not YAML: the character U+0001 is not allowed"),
    "lone surrogate": ('detection: x\ntitle: "\\ud800"\n', "2:11", "not YAML"),
    "Python object": ("detection: !!python/object:os.system x\n", "1:12",
                      "not YAML: could not determine a constructor"),
    "unknown modifier": (detection("s:", "  ok: 1", "  f|nope: x", "condition: s"), "6:5",
                         "Unknown modifier 'nope'"),
    "unknown modifier in a list": (detection("s:", "  - ok: 1", "  - f|nope: x", "condition: s"),
                                   "6:7", "Unknown modifier 'nope'"),
    "modifier on a wrong type": (detection("s:", "  f|contains: 7", "condition: s"), "5:5",
                                 "Modifier"),
    "broken regex": (detection("s:", "  f|re: 'a(b'", "condition: s"), "5:5",
                     "Regular expression 'a(b' is invalid: missing ): a(b"),
    "lookahead": (detection("s:", "  f|re: 'a(?=b)'", "condition: s"), "5:5",
                  "invalid perl operator: (?="),
    "too much repetition": (detection("s:", "  f|re: 'a{1001}'", "condition: s"), "5:5",
                            "invalid repetition size: {1001}"),
    "network with host bits": (detection("s:", "  f|cidr: 10.0.0.1/8", "condition: s"), "5:5",
                               "10.0.0.1/8"),
    "date as a value": (detection("s:", "  f: 2020-01-01", "condition: s"), "5:5", "date"),
    "unresolved placeholder": (detection("s: {a: 1}", "t:", "  f|expand: '%who%'",
                                         "condition: s or t"), "6:5",
                               "f: needs placeholder who (--placeholders FILE)"),
    "placeholder in a regex": (detection("s:", "  f|re|expand: 'a%who%'", "condition: s"), "5:5",
                               "f: needs placeholder who"),
    "unknown identifier": (detection("s: {a: 1}", "condition: s and other"), "5:3",
                           "Detection 'other' not defined"),
    "selector without match": (detection("s: {a: 1}", "condition: 1 of other_*"), "5:3",
                               "'1 of other_*' doesn't match any detection"),
    "upper-case operator": (detection("s: {a: 1}", "condition: s AND s"), "5:3", "found 'AND'"),
    "aggregation": (detection("s: {a: 1}", "condition: s | count() > 5"), "5:3", "pipe syntax"),
    "quantifier": (detection("s: {a: 1}", "condition: 2 of s*"), "5:3", "Expected"),
    "empty condition": (detection("s: {a: 1}", "condition: ''"), "5:3", "Expected"),
    "no condition": (detection("s: {a: 1}"), "3:1", "condition"),
    "no detection items": (detection("condition: s"), "3:1", "detection"),
    "detection is a text": (HEAD + "detection: x\n", "3:1", "detection"),
    "detection is empty": (HEAD + "detection:\n", "3:1", "detection"),
    "no title": ("logsource: {product: x}\ndetection: {s: {a: b}, condition: s}\n", "1:1", "title"),
    "no log source": ("title: x\ndetection: {s: {a: b}, condition: s}\n", "1:1", "log source"),
    "empty log source": ("title: x\nlogsource: {}\ndetection: {s: {a: b}, condition: s}\n", "2:1",
                         "log source"),
    "unknown level": (HEAD + "level: awful\ndetection: {s: {a: b}, condition: s}\n", "3:1",
                      "'awful' is not a valid Sigma rule level"),
    "unknown status": (HEAD + "detection: {s: {a: b}, condition: s}\nstatus: odd\n", "4:1",
                       "'odd' is not a valid Sigma rule status"),
    "id that is no UUID": (HEAD + "id: 7\ndetection: {s: {a: b}, condition: s}\n", "3:1", "UUID"),
    "date that is none": (HEAD + "date: soon\ndetection: {s: {a: b}, condition: s}\n", "3:1",
                          "soon"),
    "tag without namespace": (HEAD + "tags: [x]\ndetection: {s: {a: b}, condition: s}\n", "3:1",
                              "tag"),
    "numeric key": (detection("s:", "  7: x", "condition: s"), "", ""),
    "unknown action": ("action: explode\ndetection: {}\n", "1:1", "unknown action 'explode'"),
    "correlation": (("title: Many\ncorrelation: {type: event_count, rules: [x], timespan: 5m,"
                    " condition: {gte: 5}}\n"), "1:1", "correlation rules do not run yet"),
    "broken correlation": ("title: Many\ncorrelation: {type: nonsense, rules: [x]}\n", "", ""),
    "correlation over a range": (("title: Many\ncorrelation: {type: event_count, rules: [x],"
                                 " timespan: 5m, condition: {gte: 5, lt: 9}}\n"), "", ""),
    "filter": (("title: Not Bob\nlogsource: {product: acme}\nfilter: {rules: any, s: {user: bob},"
               " condition: not s}\n"), "1:1", "filters do not run yet"),
    "broken filter": ("title: Not Bob\nfilter: {rules: any}\n", "", ""),
    "list of documents": ("detection: x\n---\n- a\n", "3:1", "a rule is a mapping, this is a list"),
    "text beside a rule": ("detection: x\n---\njust text\n", "3:1",
                           "a rule is a mapping, this is a str"),
    "long text": (detection("s:", f"  f: {'x' * 20_000}", "condition: s"), "5:5",
                  "f: a value is longer than 16,384 characters"),
    "wildcards beyond measure": (detection("s:", f"  f: 'a{'?' * 100_000}b'", "condition: s"),
                                 "5:5", "f: a value has too many wildcards"),
    "negation without end": (detection("s: {a: 1}", f"condition: {'not ' * 3000}s"), "5:3",
                             "nests too deep"),
    "alternation without end": (detection("s: {a: 1}", "t: {b: 1}", "condition: "
                                          + "s and (t or (" * 60 + "s" + "))" * 60), "", "nests"),
    "lists without end": (HEAD + "detection: " + "[" * 5000 + "]" * 5000 + "\n", "1:1",
                          "nests too deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_rule_is_named_with_place_and_reason(name: str, tmp_path: Path) -> None:
    text, place, reason = BAD[name]
    loaded = load(tmp_path, a=GOOD, b=text, c=GOOD)
    [bad] = [rule for rule in of_file(loaded, "b") if rule.verdict is not Verdict.RUNS][-1:]
    assert bad.verdict is Verdict.CANNOT
    assert bad.inputs == ()
    [said] = bad.reasons
    assert said.startswith(f"{tmp_path}/pack/b.yml:{place}")
    assert reason in said
    assert "\n" not in said
    assert [rule.verdict for rule in (*of_file(loaded, "a"), *of_file(loaded, "c"))] == [
        Verdict.RUNS,
        Verdict.RUNS,
    ]


def test_re2_writes_nothing_to_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("broken regex", "lookahead", "too much repetition"):
        load(tmp_path, bad=BAD[name][0])
    assert capfd.readouterr() == ("", "")


BOMBS = {
    "billion laughs": HEAD
    + "x0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    + "".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    + "detection: {s: {f: *a11}, condition: s}\n",
    "with repeated keys": HEAD
    + "detection:\n  s0: &a0 {f: x}\n"
    + "".join(f"  s{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 25))
    + "  condition: all of s*\na: 1\na: 2\n",
    "a list in itself": HEAD + "detection:\n  s: &a\n    - f: 1\n    - *a\n  condition: s\n",
    "a mapping in itself": HEAD + "detection: &a\n  s: *a\n  condition: s\nx: 1\nx: 2\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_aliases_that_unfold_without_end_are_refused_at_once(name: str, tmp_path: Path) -> None:
    before = time.process_time()
    [bad] = load(tmp_path, bomb=BOMBS[name]).rules
    assert time.process_time() - before < 1
    assert bad.verdict is Verdict.CANNOT
    assert bad.reasons[0].startswith(f"{tmp_path}/pack/bomb.yml:1:1: ")
    assert "alias" in bad.reasons[0] or "Recursive" in bad.reasons[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rule: has no detection, correlation or filter"),
        ("\n# nothing\n", "no rule: has no detection, correlation or filter"),
        ("about: something else\n", "no rule: has no detection, correlation or filter"),
        ("- detection\n", "no rule: has no detection, correlation or filter"),
        (b"\xff\xfet\x00", "cannot be read: is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_rule_is_named(text: str | bytes, reason: str, tmp_path: Path) -> None:
    loaded = load(tmp_path, a=GOOD, b=text)
    assert len(loaded.rules) == 1
    [skipped] = loaded.skipped
    assert (skipped.path, skipped.reason) == (f"{tmp_path}/pack/b.yml", reason)


def test_a_key_that_stands_twice_is_noted_with_its_line(tmp_path: Path) -> None:
    text = detection("s:", "  f|contains: a", "  f|contains: b", "condition: s")
    [rule] = load(tmp_path, twice=text + "level: low\nlevel: high\n").rules
    assert rule.verdict is Verdict.RUNS
    assert rule.severity == "high"
    assert rule.notes == (
        "line 6: the key 'f|contains' stands twice; the last counts",
        "line 9: the key 'level' stands twice; the last counts",
    )


def test_the_same_key_in_two_mappings_is_not_noted(tmp_path: Path) -> None:
    [rule] = load(tmp_path, two=detection("s: {f: a}", "t: {f: b}", "condition: s or t")).rules
    assert rule.notes == ()

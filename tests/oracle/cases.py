"""What Sigma means, case by case: name → (detection, event, whether it matches).

A detection is a selection unless it has a condition. Events are JSON text, to be read as such.
"""

import yaml

from tocsin.condition.tree import (
    FALSE,
    TRUE,
    And,
    AnyElement,
    Call,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
)

ABSENCE = {
    "a-leaf-on-a-missing-field-is-false": ({"f": "x"}, "{}", False),
    "not-over-a-missing-field-is-true": ({"s": {"f": "x"}, "condition": "not s"}, "{}", True),
    "a-filter-on-an-absent-field-does-not-suppress": (
        {"s": {"f": "x"}, "filter_a": {"g": "y"}, "condition": "s and not 1 of filter_*"},
        '{"f": "x"}',
        True,
    ),
    "null-is-a-missing-field": ({"f": None}, "{}", True),
    "null-is-null": ({"f": None}, '{"f": null}', True),
    "null-is-not-the-empty-string": ({"f": None}, '{"f": ""}', False),
    "null-is-not-the-word": ({"f": None}, '{"f": "null"}', False),
    "null-in-a-list-of-values-is-an-alternative": ({"f": ["x", None]}, "{}", True),
    "an-empty-list-of-values-is-null": ({"f": []}, "{}", True),
    "exists-on-null": ({"f|exists": True}, '{"f": null}', True),
    "exists-on-an-empty-string": ({"f|exists": True}, '{"f": ""}', True),
    "exists-on-a-missing-field": ({"f|exists": True}, "{}", False),
    "not-exists-on-a-missing-field": ({"f|exists": False}, "{}", True),
    "not-exists-on-null": ({"f|exists": False}, '{"f": null}', False),
    "the-empty-string-is-itself": ({"f": ""}, '{"f": ""}', True),
    "the-empty-string-is-not-null": ({"f": ""}, '{"f": null}', False),
    "the-empty-string-is-not-missing": ({"f": ""}, "{}", False),
    "star-matches-the-empty-string": ({"f": "*"}, '{"f": ""}', True),
    "star-matches-a-number": ({"f": "*"}, '{"f": 0}', True),
    "star-does-not-match-null": ({"f": "*"}, '{"f": null}', False),
    "star-does-not-match-what-is-missing": ({"f": "*"}, "{}", False),
    "contains-nothing-is-in-the-empty-string": ({"f|contains": ""}, '{"f": ""}', True),
    "neq-is-true-on-a-missing-field": ({"f|neq": "x"}, "{}", True),
    "neq-is-false-on-the-value": ({"f|neq": ["y", "x"]}, '{"f": "X"}', False),
}

TEXT = {
    "case-does-not-matter": ({"f": "Cmd.EXE"}, '{"f": "cMD.exe"}', True),
    "cased-case-does": ({"f|cased": "Cmd"}, '{"f": "cmd"}', False),
    "cased-contains-case-does": ({"f|contains|cased": "Cmd"}, '{"f": "a Cmd"}', True),
    "contains-ignores-case": ({"f|contains": "MD"}, '{"f": "cmd"}', True),
    "startswith-ignores-case": ({"f|startswith": "CM"}, '{"f": "cmd"}', True),
    "endswith-ignores-case": ({"f|endswith": "MD"}, '{"f": "cmd"}', True),
    "a-wildcard-inside-ignores-case": ({"f": "C*D"}, '{"f": "cmd"}', True),
    "the-whole-value-is-meant": ({"f": "cmd"}, '{"f": "cmd.exe"}', False),
    "endswith-is-the-end": ({"f|endswith": "cmd"}, '{"f": "cmd.exe"}', False),
    "startswith-is-the-start": ({"f|startswith": "exe"}, '{"f": "cmd.exe"}', False),
    "a-star-matches-line-breaks": ({"f": "a*c"}, '{"f": "a\\nb\\r\\nc"}', True),
    "a-question-mark-matches-a-line-break": ({"f": "a?c"}, '{"f": "a\\nc"}', True),
    "a-question-mark-is-one-character": ({"f": "a?c"}, '{"f": "ac"}', False),
    "a-question-mark-is-one-emoji": ({"f": "a?c"}, '{"f": "a😀c"}', True),
    "a-wildcard-inside-is-anchored": ({"f": "a*c"}, '{"f": "xabcx"}', False),
    "an-escaped-star-is-a-star": ({"f": r"C:\Windows\*"}, r'{"f": "C:\\Windows*"}', True),
    "an-escaped-star-is-no-wildcard": ({"f": r"C:\Windows\*"}, r'{"f": "C:\\Windows\\x"}', False),
    "an-escaped-backslash-leaves-the-star": ({"f": r"C:\\*"}, r'{"f": "C:\\x"}', True),
    "backslash-and-star-both-escaped": ({"f": r"C:\\\*"}, r'{"f": "C:\\*"}', True),
    "an-escaped-question-mark": ({"f": r"a\?"}, '{"f": "ab"}', False),
    "a-lone-backslash-stays": ({"f": r"a\b"}, r'{"f": "a\\b"}', True),
    "a-trailing-backslash-stays": ({"f|endswith": "b\\"}, r'{"f": "a\\b\\"}', True),
    "umlauts-fold": ({"f": "ÄÖ"}, '{"f": "äö"}', True),
    "a-turkish-i-folds-to-two-characters": ({"f": "İx"}, '{"f": "i\\u0307X"}', True),
    "a-kelvin-sign-is-a-k": ({"f|contains": "K"}, '{"f": "xk"}', True),
    "a-sharp-s-is-not-two": ({"f": "STRASSE"}, '{"f": "straße"}', False),
    "sigma-folds-alike-at-the-end": ({"f|contains": "ΑΣ"}, '{"f": "ΜΑΣ ΜΑΣ"}', True),
    "a-final-sigma-is-a-letter-of-its-own": ({"f": "ΑΣ"}, '{"f": "ας"}', False),
    "homoglyphs-differ": ({"f": "admin"}, '{"f": "аdmin"}', False),
}

NUMBERS = {
    "text-is-the-text-of-a-number": ({"f": "5"}, '{"f": 5}', True),
    "a-number-is-the-number-of-a-text": ({"f": 5}, '{"f": "5"}', True),
    "a-whole-fraction-is-the-integer": ({"f": 200}, '{"f": "200.0"}', True),
    "text-is-not-another-text-of-a-number": ({"f": "200"}, '{"f": 200.0}', False),
    "leading-zeros-count-for-text-only": ({"f": "05"}, '{"f": 5}', False),
    "negative-numbers": ({"f": -5}, '{"f": "-5"}', True),
    "hexadecimal-is-text": ({"f": 16}, '{"f": "0x10"}', False),
    "great-integers-are-exact": ({"f": 9007199254740993}, '{"f": 9007199254740992}', False),
    "great-integers-are-equal": ({"f": 9007199254740993}, '{"f": "9007199254740993"}', True),
    "a-fraction-is-exact": ({"f": 0.1}, '{"f": "0.10"}', True),
    "a-number-is-not-a-truth-value": ({"f": 1}, '{"f": true}', False),
    "a-truth-value-is-its-word": ({"f": True}, '{"f": "True"}', True),
    "a-truth-value-is-itself": ({"f": False}, '{"f": false}', True),
    "a-word-is-a-truth-value": ({"f": "TRUE"}, '{"f": true}', True),
    "a-truth-value-is-not-one": ({"f": True}, '{"f": 1}', False),
    "gt-reads-text": ({"f|gt": 9}, '{"f": "10"}', True),
    "gt-is-not-equal": ({"f|gt": 10}, '{"f": 10}', False),
    "gte-on-a-list-is-any": ({"f|gte": [10, 5]}, '{"f": 7}', True),
    "lt-on-other-text-is-false": ({"f|lt": 10}, '{"f": "few"}', False),
    "lte-on-a-missing-field-is-false": ({"f|lte": 10}, "{}", False),
    "gt-is-exact": ({"f|gt": 9007199254740992}, '{"f": 9007199254740993}', True),
    "the-hour-is-as-written": ({"f|hour": 23}, '{"f": "2024-02-29T23:05:00+05:00"}', True),
    "the-week-is-the-iso-week": ({"f|week": 1}, '{"f": "2024-12-30T00:00:00Z"}', True),
    "the-minute-compares": ({"f|minute|gte": 5}, '{"f": "2024-02-29T23:05:00Z"}', True),
    "no-time-has-no-part": ({"f|year|lt": 9999}, '{"f": "soon"}', False),
}

LISTS_AND_NAMES = {
    "any-member-matches": ({"f": "b"}, '{"f": ["a", "b"]}', True),
    "not-is-none-of-them": ({"s": {"f": "b"}, "condition": "not s"}, '{"f": ["a", "b"]}', False),
    "all-by-different-members": ({"f|contains|all": ["a", "b"]}, '{"f": ["a", "b"]}', True),
    "a-member-of-a-member": ({"f": "b"}, '{"f": [["a"], [["b"]]]}', True),
    "null-among-members": ({"f": None}, '{"f": ["a", null]}', True),
    "a-number-among-members": ({"f": 2}, '{"f": ["a", "2"]}', True),
    "a-dotted-key": ({"a.b": "x"}, '{"a.b": "x"}', True),
    "names-ignore-case": ({"FileName": "x"}, '{"Filename": "x"}', True),
    "the-exact-name-wins": ({"f": "x"}, '{"F": "x", "f": "y"}', False),
    "the-exact-name-wins-though-later": ({"f": "x"}, '{"F": "y", "f": "x"}', True),
    "the-exact-name-wins-though-null": ({"f": "x"}, '{"F": "x", "f": null}', False),
}

MODIFIERS = {
    "windash-slash": ({"f|contains|windash": " -x"}, '{"f": "a /x"}', True),
    "windash-en-dash": ({"f|contains|windash": " /x"}, '{"f": "a –x"}', True),
    "windash-em-dash": ({"f|windash|contains": "-x"}, '{"f": "a —x"}', True),
    "windash-horizontal-bar": ({"f|contains|windash": "-x"}, '{"f": "―x"}', True),
    "windash-itself": ({"f|contains|windash": "-x"}, '{"f": "-x"}', True),
    "windash-not-inside-a-word": ({"f|contains|windash": "a-b"}, '{"f": "a/b"}', False),
    "windash-the-second-of-two": ({"f|contains|windash": "--x"}, '{"f": "-/x"}', True),
    "windash-not-the-first-of-two": ({"f|contains|windash": "--x"}, '{"f": "/-x"}', False),
    "base64": ({"f|base64|contains": "foobar"}, '{"f": "xZm9vYmFy"}', True),
    "base64offset-0": ({"f|base64offset|contains": "foobar"}, '{"f": "Zm9vYmFyIQ=="}', True),
    "base64offset-1": ({"f|base64offset|contains": "foobar"}, '{"f": "IWZvb2JhciE="}', True),
    "base64offset-2": ({"f|base64offset|contains": "foobar"}, '{"f": "ISFmb29iYXIh"}', True),
    "base64-of-wide": ({"f|wide|base64offset|contains": "ab"}, '{"f": "YQBiAA=="}', True),
    "all-needs-all": ({"f|contains|all": ["a", "b"]}, '{"f": "ac"}', False),
    "re-is-unanchored": ({"f|re": "b+"}, '{"f": "abbc"}', True),
    "re-minds-case": ({"f|re": "B"}, '{"f": "abc"}', False),
    "re-i-does-not": ({"f|re|i": "B"}, '{"f": "abc"}', True),
    "re-dot-stops-at-a-line-break": ({"f|re": "a.c"}, '{"f": "a\\nc"}', False),
    "re-s-dot-does-not": ({"f|re|s": "a.c"}, '{"f": "a\\nc"}', True),
    "re-m-starts-at-lines": ({"f|re|m": "^b"}, '{"f": "a\\nb"}', True),
    "re-dollar-is-the-very-end": ({"f|re": "a$"}, '{"f": "a\\n"}', False),
    "re-reads-numbers": ({"f|re": "^1.$"}, '{"f": 12}', True),
    "re-star-and-question-mark-are-its-own": ({"f|re": r"^ab?c*\*$"}, '{"f": "acc*"}', True),
    "cidr-inside": ({"f|cidr": "10.0.0.0/8"}, '{"f": "10.255.255.255"}', True),
    "cidr-outside": ({"f|cidr": "10.0.0.0/8"}, '{"f": "11.0.0.0"}', False),
    "cidr-is-no-prefix-of-text": ({"f|cidr": "10.0.0.1/32"}, '{"f": "10.0.0.10"}', False),
    "cidr-of-a-bare-address": ({"f|cidr": "10.0.0.1"}, '{"f": "10.0.0.1"}', True),
    "cidr-v6": ({"f|cidr": "fe80::/10"}, '{"f": "FEBF::1"}', True),
    "cidr-v6-outside": ({"f|cidr": "fe80::/10"}, '{"f": "fec0::1"}', False),
    "cidr-v6-is-not-v4": ({"f|cidr": "::/0"}, '{"f": "10.0.0.1"}', False),
    "cidr-mapped": ({"f|cidr": "10.0.0.0/8"}, '{"f": "::ffff:10.0.0.1"}', True),
    "cidr-on-junk": ({"f|cidr": "0.0.0.0/0"}, '{"f": "10.0.0"}', False),
    "fieldref-ignores-case": ({"f|fieldref": "g"}, '{"f": "A", "g": "a"}', True),
    "fieldref-text-of-numbers": ({"f|fieldref": "g"}, '{"f": "5", "g": 5}', True),
    "fieldref-with-both-missing": ({"f|fieldref": "g"}, "{}", False),
    "fieldref-with-both-null": ({"f|fieldref": "g"}, '{"f": null, "g": null}', False),
    "fieldref-starts": ({"f|fieldref|startswith": "g"}, '{"f": "ab", "g": "a"}', True),
    "fieldref-ends-not": ({"f|fieldref|endswith": "g"}, '{"f": "ab", "g": "a"}', False),
    "fieldref-contains": ({"f|fieldref|contains": "g"}, '{"f": "abc", "g": "B"}', True),
}

KEYWORDS = {
    "a-keyword-is-in-any-value": (["needle"], '{"f": "x", "g": "a Needle b"}', True),
    "a-keyword-is-in-no-key": (["needle"], '{"needle": "x"}', False),
    "a-keyword-is-in-a-list": (["needle"], '{"f": ["x", ["needles"]]}', True),
    "a-keyword-number": ([4711], '{"f": 47110}', True),
    "a-keyword-number-is-exact": ([9007199254740993], '{"f": "x9007199254740993"}', True),
    "a-keyword-has-wildcards": (["a*b"], '{"f": "x a\\nb x"}', True),
    "a-keyword-stays-in-one-value": (["a*b"], '{"f": "a", "g": "b"}', False),
    "keywords-are-alternatives": (["a1", "b1"], '{"f": "b1"}', True),
    "all-keywords-in-different-fields": ({"|all": ["a1", "b1"]}, '{"f": "a1", "g": "b1"}', True),
    "all-keywords-are-needed": ({"|all": ["a1", "b1"]}, '{"f": "a1"}', False),
    "a-keyword-regex": ({"|re": "^n.e"}, '{"f": "x", "g": "needle"}', True),
    "not-a-keyword-is-nowhere": ({"s": ["a1"], "condition": "not s"}, '{"f": ["x", "a1"]}', False),
    "a-keyword-behind-an-escape": (["needle"], '{"f": "n\\u0065edle"}', True),
    "a-keyword-with-a-slash": (["a/b"], r'{"f": "a\/b"}', True),
    "a-keyword-with-a-quote": (['say "hi"'], r'{"f": "say \"Hi\""}', True),
    "a-keyword-beyond-ascii": (["İSTANBUL"], '{"f": "\\u0130stanbul"}', True),
}

THREE = {"a": {"f": "1"}, "b": {"g": "1"}, "c": {"h": "1"}, "_d": {"i": "1"}}
CONDITIONS = {
    "and-before-or": (THREE | {"condition": "a or b and c"}, '{"f": "1"}', True),
    "not-before-and": (THREE | {"condition": "not a and b"}, '{"g": "1"}', True),
    "parentheses": (THREE | {"condition": "(a or b) and c"}, '{"f": "1"}', False),
    "them-leaves-out-underscores": (THREE | {"condition": "1 of them"}, '{"i": "1"}', False),
    "all-of-them": (THREE | {"condition": "all of them"}, '{"f": 1, "g": 1, "h": 1}', True),
    "all-of-them-lacks-one": (THREE | {"condition": "all of them"}, '{"f": 1, "g": 1}', False),
    "conditions-are-alternatives": (THREE | {"condition": ["a and b", "c"]}, '{"h": 1}', True),
    "the-last-alternative-counts": (THREE | {"condition": "a or b or c"}, '{"h": 1}', True),
    "fields-of-a-map-are-all-needed": ({"f": "1", "g": "1"}, '{"f": "1"}', False),
    "maps-of-a-list-are-alternatives": ([{"f": "1"}, {"g": "1"}], '{"g": "1"}', True),
}

CASES = ABSENCE | TEXT | NUMBERS | LISTS_AND_NAMES | MODIFIERS | KEYWORDS | CONDITIONS


def rule_text(detection):
    """Write the rule of a case, for the log source `any/any/any`."""
    if not isinstance(detection, dict) or "condition" not in detection:
        detection = {"sel": detection, "condition": "sel"}
    source = {"product": "any", "category": "any", "service": "any"}
    rule = {"title": "a case", "logsource": source, "detection": detection}
    return yaml.safe_dump(rule, allow_unicode=True)


def equals(value, *path, via=()):
    return Predicate(Field(path, tuple(map(Call, via))), Op.EQUALS, (value,))


NO_C = Not(Predicate(Field(("c",)), Op.EXISTS))
NESTED = '{"a": {"b": [1.5, "ß"]}}'

# The same of our own trees, for what Sigma does not say.
TREES = {
    "and-of-nothing": (TRUE, "{}", True),
    "or-of-nothing": (FALSE, "{}", False),
    "paths-are-exact": (equals("x", "a.b", "c"), '{"a": {"b": {"c": "x"}}}', False),
    "paths-fan-out": (equals("x", "a", "b"), '{"a": [{"b": "y"}, {"b": "x"}]}', True),
    "paths-mind-case": (equals("x", "A", "b"), '{"a": {"b": "x"}}', False),
    "literal-before-nested": (equals("x", "a.b"), '{"a": {"b": "x"}, "a.b": "y"}', False),
    "exact-before-ignoring-case": (equals("x", "A.B"), '{"a.b": "x", "A": {"B": "y"}}', False),
    "another-spelling-if-the-exact-leads-nowhere": (
        equals("x", "A.b"),
        '{"A": {"c": "y"}, "a": {"b": "x"}}',
        True,
    ),
    "repeated-keys-first": (equals("x", "a"), '{"a": "x", "a": "y"}', True),
    "repeated-keys-last": (equals("y", "a"), '{"a": "x", "a": "y"}', True),
    "repeated-keys-deeper": (equals("x", "a.b"), '{"a": {"b": "x", "b": {"b": "y"}}}', True),
    "only-objects-are-elements": (
        AnyElement(("a",), Or((equals("x", "b"), NO_C))),
        '{"a": [{"b": "y", "c": 1}, "x", [], null]}',
        False,
    ),
    "one-element-is-enough": (
        AnyElement(("a",), Not(equals("x", "b"))),
        '{"a": [[{"b": "x"}], {"b": "y"}]}',
        True,
    ),
    "one-element-for-all": (
        AnyElement(("a",), And((equals("x", "b"), equals("x", "c")))),
        '{"a": [{"b": "x"}, {"c": "x"}]}',
        False,
    ),
    "one-is-not-true": (equals(1, "a"), '{"a": true}', False),
    "true-is-true": (equals(True, "a"), '{"a": true}', True),
    "text-is-no-number": (equals(1, "a"), '{"a": "1"}', False),
    "numbers-by-value": (equals(1, "a"), '{"a": 1.0}', True),
    "numbers-are-no-text": (Predicate(Field(("a",)), Op.CONTAINS, ("1",)), '{"a": 1}', False),
    "an-object-is-its-json": (equals('{"b":[1.5,"ß"]}', "a", via=["text"]), NESTED, True),
    "an-object-is-each-of-its-leaves": (equals("1.5", "a", via=["text"]), NESTED, True),
    "an-object-is-none-of-its-keys": (equals("b", "a", via=["text"]), NESTED, False),
    "fields-compare-as-numbers": (
        FieldsCompare(Field(("a",)), Op.LESS, Field(("b",))),
        '{"a": [9007199254740993, 3], "b": 9007199254740993}',
        True,
    ),
}

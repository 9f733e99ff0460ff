"""Patterns of `re` as RE2: found in the same texts, or not translated."""

import random
import re

import pytest

from tocsin.condition.evaluate import compile_regex
from tocsin.rules.panther.lift.regexes import to_re2

PATTERNS = [
    r"^a.b$",
    r"[\w.+%-]+@[\w.-]+\.[a-zA-Z]{2,}",
    r"^/api/v\d+/[^/\s]+/x$",
    r"(?P<a>.+) to (?P<b>[^$]+)",
    r"\.(css|js)$",
    r"a{2}b{,2}c{1,}{",
    r"[]a-]x|[^]b]y",
    r"k[i-k]\s*\Z",
    r"\$\{[^}]*`[^`]+`\}",
    "\\u0069\\x4b",
    r"[a-z\d-]+",
    r"[^i]s",
]
ALPHABET = "aAbBiIkKsSxy19 ./@$-_{}`\n\tİıſKéＡ٣\u00a0\x1c"


@pytest.mark.parametrize("how", ["search", "match", "fullmatch"])
@pytest.mark.parametrize("flags", [0, re.I, re.M, re.S, re.A, re.I | re.M], ids=str)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_translated_pattern_is_found_in_the_same_texts(pattern, flags, how):
    regex = to_re2(pattern, int(flags), how)
    assert regex is not None
    wanted, found = getattr(re.compile(pattern, flags), how), compile_regex(regex)
    rng = random.Random(pattern)
    for _ in range(400):
        text = "".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, 9)))
        assert bool(wanted(text)) is bool(found.search(text)), (text, regex)


@pytest.mark.parametrize("letter", "abcdefghijklmnopqrstuvwxyz")
def test_case_is_ignored_as_python_does(letter):
    regex = compile_regex(to_re2(letter, int(re.I), "fullmatch"))
    wanted = re.compile(letter, re.I)
    others = [chr(code) for code in range(0x2200) if wanted.fullmatch(chr(code))]
    assert [chr(code) for code in range(0x2200) if regex.search(chr(code))] == others


@pytest.mark.parametrize(
    "pattern", [r"a(?=b)", r"(a)\1", r"\bx", r"a$b", r"a*+", r"(?i:a)", r"[\W]"]
)
def test_what_re2_does_not_have_is_not_translated(pattern):
    assert to_re2(pattern, 0, "search") is None

"""What a log is, is seen from its beginning, whatever its name."""

import pytest
from bench.fuzz_logs import FORMS, cases

from logs.reading import problem, read
from tocsin.logs.formats import delimited, documents, evtx, lines
from tocsin.logs.formats.formats import FORMATS, find_format

RECORDS = [
    {"time": f"2026-01-02T03:04:{at:02}Z", "mark": f"m{at:07}", "text": "x"} for at in range(9)
]
EXPECTED = {"csv": delimited, "evtx": evtx, "lines": lines}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_recognised_and_read_whole(name: str) -> None:
    data = FORMS[name](RECORDS)
    found = read(data)
    assert len(found) == len(RECORDS)
    for (_, text), record in zip(found, RECORDS, strict=True):
        assert str(record["mark"]) in str(text)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_known_by_one_format(name: str) -> None:
    data = FORMS[name](RECORDS)
    if "UTF-16" in name:
        data = data.decode("utf-16").encode()
    found = find_format(data.removeprefix(b"\xef\xbb\xbf"))
    assert found is EXPECTED.get(name.split(",")[0], documents)
    assert found in FORMATS


@pytest.mark.parametrize(
    "text",
    [
        "plain text\n",
        "Dear all,\nwe met on Monday, and agreed.\nYours, A.\n",
        "title: x\nlogsource: {category: y}\n",
        "import os, sys\n\nprint(os, sys)\n",
        "#!/bin/sh\necho a, b, c\n",
        "<a>\n  <b/>\n</a>\n",
        "Jan  2 03:04:05 host app[1]: a, b\nJan  2 03:04:06 host app[1]: c\n",
        "root:x:0:0:root:/root:/bin/bash\n",
        "a=1, b=2\na=2, b=3\n",
        "key,\n",
        "one\ntwo\nthree\n",
        "\0\0\0\0",
    ],
)
def test_what_is_no_log_is_no_log(text: str) -> None:
    assert problem(text.encode()).startswith("is of no known format")


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b'{"a": 1}', lines),
        (b'{"a": 1}\n{"a": 2}\n', lines),
        (b'{"cut off\n{"a": 1}\n', lines),
        (b'oops, no\n{"a": 1}\n{"a": 2}\n', lines),
        (b"[1, 2]\n", lines),
        (b'{"a": "' + b"x" * 200_000, lines),
        (b'{"a": 1}{"a": 2}', documents),
        (b'{"a": 1}, {"a": 2}', documents),
        (b'{"a": 1}{"a": 2}\n{"a": 3}\n', documents),
        (b'{"a": 1},\n{"a": 2},\n', documents),
        (b"{\n}", documents),
        (b"[", lines),
        (b"[]", documents),
        (b"[\n\n{", documents),
        (b'{"value": 7}', lines),
        (b'{"value": [7]}', lines),
        (b'{"x": 1, "records": [7]}', lines),
        (b'{"x": 1, "records": [{}]}', documents),
        (b"a,b\n1,2\n", delimited),
        (b"a,b", delimited),
        (b"ElfFile\0", evtx),
    ],
)  # fmt: skip
def test_the_first_lines_decide(data: bytes, form: object) -> None:
    assert find_format(data) is form


def test_broken_logs_are_the_same_for_the_same_seed() -> None:
    assert [case.data for case in cases(20, 7)] == [case.data for case in cases(20, 7)]
    assert [case.data for case in cases(20, 7)] != [case.data for case in cases(20, 8)]

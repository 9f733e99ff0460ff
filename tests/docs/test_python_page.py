"""The page on Python does what it says: its blocks run, and print what it shows."""

import os
import re
from contextlib import redirect_stdout
from io import StringIO

from pages import DOCS, ROOT

PAGE = DOCS / "python.md"
CODE = re.compile(
    r"<!-- python -->\n```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE
)


def test_every_block_runs_and_prints_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {"folder": tmp_path}
    found = CODE.findall(PAGE.read_text("utf-8"))
    assert len(found) == PAGE.read_text("utf-8").count("```python") > 5
    for code, shown in found:
        out = StringIO()
        with redirect_stdout(out):
            exec(compile(code, str(PAGE), "exec"), names)
        assert out.getvalue() == shown, code
    assert os.getcwd() == str(ROOT)

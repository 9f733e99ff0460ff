"""The report as an output: what it costs where it is not asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.calling import tocsin


@pytest.mark.parametrize(("form", "loaded"), [("table", False), ("csv", False), ("html", True)])
def test_templates_are_loaded_only_for_a_report(
    form: str, loaded: bool, rules: Path, log: Path
) -> None:
    code = (
        "import sys; from tocsin.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.stderr.write(str('jinja2' in sys.modules))"
    )
    command = [sys.executable, "-c", code, "scan", str(log), "-r", str(rules), "-f", form]
    command += ["--quiet", "--log-type", "acme//web"]
    tocsin("rules", "list", rules)
    subprocess.run(command, capture_output=True, check=True)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == str(loaded)


def test_a_report_is_written_even_if_nothing_could_be_read(rules: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = tocsin("scan", tmp_path / "absent", "-r", rules, "-f", "html", "-o", page)
    assert result.status == 2
    assert "0 alerts" in page.read_text("utf-8")
    assert "absent" in page.read_text("utf-8")

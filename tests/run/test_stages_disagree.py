"""An event that the row-wise reading does not confirm is kept, also if it waited for others."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest import mock

import tocsin
from tocsin.alerts import build
from tocsin.rules.stages import NewTerms

RULE = """
title: Needle
logsource: {product: acme, service: web}
detection: {s: {mark: needle}, condition: s}
"""


def test_it_is_in_quarantine_and_said(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE)
    (tmp_path / "log").write_text('{"mark": "needle", "time": "2026-01-01", "user": "ann"}\n')
    (rule,) = tocsin.load_rules(tmp_path / "rule.yml")
    staged = replace(rule, stage=NewTerms(("user",), timedelta(days=1)))
    with mock.patch.object(build, "explain", return_value=None):
        result = tocsin.scan(tmp_path / "log", [staged], log_type="acme//web", cold_start="alert")
    assert len(result) == 0
    (kept,) = result.unreadable
    assert (kept.line, kept.offset) == (1, None)
    (said,) = result.summary.disagreements
    assert said.startswith(f"{tmp_path / 'log'}:1: ")

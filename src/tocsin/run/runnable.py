"""Which rules can run on some logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.engine.check import check
from tocsin.errors import InputError
from tocsin.logs.load import load_log_types
from tocsin.rules.model import Rule, Verdict
from tocsin.run.survey import survey
from tocsin.run.wanted import Arrivals


@dataclass(frozen=True, slots=True)
class Runnable:
    """The rules that can run, and what of the logs could not be read."""

    rules: tuple[Rule, ...]
    problems: tuple[str, ...]


def runnable(rules: Sequence[Rule], logs: Sequence[Path]) -> Runnable:
    """Return the rules that run, whose log types are in the logs, and whose fields come in there.

    Raises `InputError` if no log can be read.
    """
    log_types = load_log_types()
    arrivals = Arrivals(rules, log_types)
    done = survey(logs, log_types, [arrivals])
    if not done.files:
        raise InputError("--logs: no log could be read")
    kept = [
        rule
        for number, rule in enumerate(rules)
        for checked in [check(rule, log_types)]
        if checked.verdict is not Verdict.CANNOT
        and arrivals.met(checked.log_types)
        and not arrivals.never_seen_by(number, checked.log_types)
    ]
    return Runnable(tuple(kept), (*done.failed, *done.skipped))

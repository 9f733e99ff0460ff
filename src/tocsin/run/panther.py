"""Run the tests that detections of Panther carry, in workers apart."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tocsin.errors import RuleError
from tocsin.rules.model import Rule
from tocsin.rules.panther.kinds import NOT_YET, WITH_PYTHON
from tocsin.rules.panther.pack import python_file, read_document, read_python
from tocsin.rules.panther.simple import lower_expressions
from tocsin.run.match_expressions import holds_on
from tocsin.run.outcome import Outcome
from tocsin.run.pack_code import detection_of, pack_code
from tocsin.run.simple_texts import simple_detection
from tocsin.sandbox.expectations import differences
from tocsin.sandbox.limits import unprotected
from tocsin.sandbox.pool import Job, Tested, isolation, run_jobs
from tocsin.sandbox.process import Options, PackCode
from tocsin.sandbox.runner import Outcome as Said
from tocsin.sandbox.shims import Source
from tocsin.sandbox.unit import FILTERED

EXTRA = frozenset({"boto3", "botocore", "dateutil", "policyuniverse", "pycountry"})
"""What helpers of panther-analysis import and `tocsin[panther]` installs."""

_MISSING = re.compile(r"No module named '(\w+)")


@dataclass(slots=True)
class PantherTests:
    """How tests ended, in the order of the rules, and what their authors should know."""

    outcomes: list[Outcome] = field(default_factory=list)
    warnings: list[Outcome] = field(default_factory=list)
    open_to: list[str] = field(default_factory=list)
    """What nothing kept the rules from, and why."""


def run_panther_tests(
    rules: Sequence[Rule], parts: Sequence[Rule], options: Options | None = None
) -> PantherTests:
    """Run the tests of some rules with the helpers and data models among the parts.

    Raises `UsageError` if the rules' Python cannot be isolated here.
    """
    options = options or Options()
    by_rule: dict[str, list[Outcome]] = {}
    for pack in dict.fromkeys(rule.pack for rule in rules):
        chosen = [rule for rule in rules if rule.pack == pack]
        code = pack_code([part for part in parts if part.pack == pack])
        by_rule |= _run(chosen, code, options)
    found = PantherTests()
    if not options.isolated and any(rule.kind in WITH_PYTHON for rule in rules):
        found.open_to = unprotected(isolation(options))
    for rule in rules:
        found.outcomes += by_rule[rule.key]
        found.warnings += _warn(rule)
    return found


def _run(rules: Sequence[Rule], code: PackCode, options: Options) -> Mapping[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    jobs: dict[str, Job] = {}
    for rule in rules:
        if rule.kind not in WITH_PYTHON or _broken(rule):
            found[rule.key] = list(_without_python(rule))
            continue
        try:
            jobs[rule.key] = _job(rule)
        except RuleError as error:
            found[rule.key] = [Outcome(rule.id, "loads", "failed", str(error))]
    results = run_jobs(code, list(jobs.values()), options)
    for (key, job), tested in zip(jobs.items(), results, strict=True):
        found[key] = [_outcome(job, *one) for one in zip(job.tests, tested, strict=True)]
    return found


def _broken(rule: Rule) -> str:
    """Say what is wrong with a rule's file, beside that scans do not run its kind yet."""
    not_yet = NOT_YET.get(rule.kind)
    return next((one for one in rule.reasons if not not_yet or not one.endswith(not_yet)), "")


def _without_python(rule: Rule) -> Iterator[Outcome]:
    if broken := _broken(rule):
        yield Outcome(rule.id, "loads", "failed", broken)
        return
    for test in tests_of(rule):
        if rule.kind == "simple":
            yield _simple(rule, test)
        else:
            yield Outcome(rule.id, _name(test), "skipped", NOT_YET.get(rule.kind, ""))


def _simple(rule: Rule, test: Mapping[str, Any]) -> Outcome:
    said = Said(output=_passes(rule, "Detection", test))
    if said.output:
        simple_detection(rule).describe(test.get("Log") or {}, said)
    reason = "\n".join([*said.faults.values(), *differences(test, said)])
    return Outcome(rule.id, _name(test), "failed" if reason else "passed", reason)


def _passes(rule: Rule, key: str, test: Mapping[str, Any]) -> bool:
    """Say whether all match expressions under some key hold on the log of a test."""
    expressions = read_document(rule).get(key) or []
    log = test.get("Log")
    return holds_on(lower_expressions(expressions), log if isinstance(log, dict) else {})


def tests_of(rule: Rule) -> list[Mapping[str, Any]]:
    """Return the tests that a rule's file holds."""
    tests = read_document(rule).get("Tests")
    return [one for one in tests if isinstance(one, dict)] if isinstance(tests, list) else []


def _name(test: Mapping[str, Any]) -> str:
    return str(test.get("Name") or "(no name)")


def _job(rule: Rule) -> Job:
    text = read_python(rule)
    source = Source(str(python_file(rule)), text)
    document, tests = read_document(rule), tests_of(rule)
    if document.get("InlineFilters"):
        tests = [{**test, FILTERED: not _passes(rule, "InlineFilters", test)} for test in tests]
    return Job(detection_of(rule, document), source, tests)


def _outcome(job: Job, test: Mapping[str, Any], tested: Tested) -> Outcome:
    result = "failed" if tested.failure else "passed"
    return Outcome(job.detection.id, _name(test), result, _hinted(tested.failure))


def _hinted(failure: str) -> str:
    missing = _MISSING.search(failure)
    if missing and missing[1] in EXTRA:
        return f"{failure}: pip install 'tocsin[panther]'"
    return failure


def _warn(rule: Rule) -> Iterator[Outcome]:
    """Yield a warning if no test of a detection expects silence."""
    quiet = rule.kind == "policy"
    if rule.kind in {*WITH_PYTHON, "simple"} and not any(
        test.get("ExpectedResult") is quiet for test in tests_of(rule)
    ):
        yield Outcome(rule.id, "", "warning", "no test expects it to stay silent")

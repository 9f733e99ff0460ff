"""Run the engine on rules and lines, for comparison with the oracles."""

from functools import partial
from pathlib import Path

import pyarrow as pa

from tocsin.condition.evaluate import holds
from tocsin.condition.functions import apply
from tocsin.condition.tree import Field
from tocsin.engine.match import Matcher
from tocsin.engine.plan import compile_plan
from tocsin.jsontext import read
from tocsin.logs.logtype import generic
from tocsin.logs.values import walk
from tocsin.logs.view import RecordView
from tocsin.rules.model import Input, LogSource, Rule
from tocsin.rules.sigma.build import Origin, load_sigma


def as_rule(number, condition):
    """Make a rule of a condition, for the log source `any/any/any`."""
    name = f"rule {number}"
    scope = LogSource("any", "any", "any")
    return Rule(name, name, "sigma", "detection", "test", name, "", (Input(condition, scope),))


def load(text):
    """Load the text of a Sigma rule that must run."""
    (rule,) = load_sigma(text, Origin("test", Path("rule.yml"), "rule.yml"))
    assert not rule.reasons, (rule.reasons, text)
    return rule


def matcher_of(rules, log_type=None):
    """Make a matcher of rules for one log type, `any/any/any` if none is given."""
    log_types = [log_type or generic("any", "any", "any")]
    return Matcher(log_types, lambda found, shape: compile_plan(rules, found, shape))


def matches_of(matcher, lines, size=None):
    """Return the (row, rule number) pairs that the engine finds, in batches of a size."""
    found = set()
    for start in range(0, len(lines), size or len(lines)):
        result = matcher.match(pa.array(lines[start : start + (size or len(lines))], pa.string()))
        assert not result.refused
        assert not len(result.unidentified)
        found |= {(start + match.row, match.input.rule) for match in result.matches}
    return found


def by_itself(line):
    """Return what says whether a condition holds for one record, as when an alert is explained."""
    view = RecordView(read(line).value, generic("any", "any", "any").shapes[0])

    def elements(path):
        objects = [one for one in view.read(Field(path)) or () if isinstance(one, dict)]
        return [partial(_read, one) for one in objects]

    return lambda condition: holds(condition, view.read, elements)


def _read(element, field):
    values = walk(element, field.path)
    return None if values is None else apply(field.via, values)

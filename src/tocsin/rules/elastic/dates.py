"""Rules whose queries hold dates relative to now, as they are at a moment."""

from dataclasses import replace
from datetime import datetime

from tocsin.rules.elastic.kql.relative import fix_dates
from tocsin.rules.model import Input, Rule
from tocsin.rules.stages import IndicatorMatch


def at_moment(rule: Rule, now: datetime) -> Rule:
    """Return a rule with its relative dates fixed; the same one if it has none."""
    inputs = tuple(_fixed(one, now) for one in rule.inputs)
    changed = any(one is not other for one, other in zip(inputs, rule.inputs, strict=True))
    stage = rule.stage
    if isinstance(stage, IndicatorMatch):
        condition = fix_dates(stage.condition, now)
        stage = stage if condition is stage.condition else replace(stage, condition=condition)
    return replace(rule, inputs=inputs, stage=stage) if changed or stage is not rule.stage else rule


def _fixed(one: Input, now: datetime) -> Input:
    condition = fix_dates(one.condition, now)
    return one if condition is one.condition else replace(one, condition=condition)

"""What a rule's stage makes of an event that meets its condition, as text for a terminal."""

from collections.abc import Iterator, Mapping

from tocsin.engine.stages.compose import stage_fields
from tocsin.printable import printable
from tocsin.rules.describe import describe_stage, describe_suppression, span
from tocsin.rules.model import Rule
from tocsin.rules.stages import NewTerms, Threshold
from tocsin.run.explain import Explained, Knowledge, Known
from tocsin.times import format_time


def stage_lines(one: Explained) -> Iterator[str]:
    """Say what a rule's stage and suppression want, what the event has, and what was known."""
    found = one.explanation
    if found is None or found.best is None:
        return
    rule, values = found.rule, found.best.values
    if rule.stage:
        yield printable(f"  {describe_stage(rule.stage)}")
        yield from _values(rule, values)
        if found.matches:
            yield from _known(rule, values, one.knowledge)
    if rule.suppression:
        yield printable(f"  {describe_suppression(rule.suppression)}")


def _values(rule: Rule, values: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name in stage_fields(rule):
        of_field = ", ".join(values[name])
        yield printable(f"    {name}: {of_field or 'no value, so the stage leaves the event out'}")


def _known(
    rule: Rule, values: Mapping[str, tuple[str, ...]], knowledge: Knowledge | None
) -> Iterator[str]:
    if not isinstance(rule.stage, NewTerms | Threshold) or not all(
        values[name] for name in stage_fields(rule)
    ):
        return
    if knowledge is None:
        yield "    --history LOGS says what was known before"
        return
    for known in knowledge.terms:
        yield printable(f"    {_sentence(rule.stage, known)}")
    if knowledge.history:
        yield f"    {knowledge.history}"


def _sentence(stage: NewTerms | Threshold, known: Known) -> str:
    terms = ", ".join(value for _, value in known.terms) or "all events"
    last = f", last at {format_time(known.last)}" if known.last else ""
    if isinstance(stage, NewTerms):
        if not known.before:
            return f"{terms}: not seen in the {span(stage.window)} before, so it is new"
        return f"{terms}: seen {known.before:,} times before{last}, so it is known"
    distinct = ""
    if stage.distinct:
        distinct = f"; {known.distinct} of {stage.distinct.count} values of {stage.distinct.field}"
    return f"{terms}: {known.before + 1:,} of {stage.count:,} with this event{last}{distinct}"

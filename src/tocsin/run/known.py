"""What a rule that keeps state knew of an event's terms or group before it, from logs named."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from tocsin.alerts.model import History
from tocsin.engine.capture import milliseconds, when
from tocsin.engine.explain import Explanation
from tocsin.engine.stages.compose import fields_of, stage_fields
from tocsin.engine.stages.hits import Hit, combinations
from tocsin.logs.logtype import LogType
from tocsin.rules.model import Rule
from tocsin.rules.stages import NewTerms, Threshold
from tocsin.run.explain import Knowledge, Known
from tocsin.run.scan import ScanOptions, catch
from tocsin.times import Clock, in_milliseconds


def what_was_known(
    found: Explanation,
    paths: Sequence[Path],
    log_types: Sequence[LogType],
    bridges: Sequence[str],
    clock: Clock,
) -> Knowledge | None:
    """Look logs through for what a rule's stage knew of an event; None if it needs no past."""
    rule, best = found.rule, found.best
    stage = rule.stage
    if not isinstance(stage, NewTerms | Threshold) or not (best and best.matches and found.time):
        return None
    options = ScanOptions([rule], log_types, tuple(bridges), clock=clock)
    now = milliseconds(found.time)
    since = now - in_milliseconds(stage.window)
    hits: list[Hit] = []
    summary = catch(
        paths, options, lambda _, hit: hits.append(hit) if since <= hit.time < now else None
    )
    begins = list(summary.begins.values())
    known = timedelta(milliseconds=max(now - min(begins), 0)) if begins else timedelta()
    history = None
    if isinstance(stage, NewTerms) and known < stage.window:
        history = History(known, stage.window)
    names = fields_of(rule)
    values = [best.values[name] for name in names]
    of_stage = [names.index(name) for name in stage_fields(rule)]
    wanted = combinations([values[at] for at in of_stage])
    return Knowledge(
        tuple(_known(rule, terms, of_stage, hits, values) for terms in wanted), history
    )


def _known(
    rule: Rule,
    terms: tuple[str, ...],
    at: Sequence[int],
    hits: Sequence[Hit],
    values: Sequence[tuple[str, ...]],
) -> Known:
    same = [hit for hit in hits if terms in combinations([hit.values[one] for one in at])]
    distinct = None
    if isinstance(rule.stage, Threshold) and rule.stage.distinct:
        counted = fields_of(rule).index(rule.stage.distinct.field)
        all_of = [*(hit.values[counted] for hit in same), values[counted]]
        distinct = len({value for of in all_of for value in of})
    return Known(
        tuple(zip(stage_fields(rule), terms, strict=True)),
        len(same),
        when(same[-1].time) if same else None,
        distinct,
    )

"""The stage of a rule: which fields it needs of each match, and the machine that runs it."""

from collections.abc import Iterator

from tocsin.engine.stages.group import GroupStage
from tocsin.engine.stages.hits import Finding, Hit, Stage, TermsState
from tocsin.engine.stages.new_terms import NewTermsStage
from tocsin.engine.stages.suppress import Suppressed
from tocsin.engine.stages.threshold import ThresholdStage
from tocsin.rules.model import Rule
from tocsin.rules.stages import Deduplication, IndicatorMatch, NewTerms, Threshold


class EachMatch:
    """Lets every match through."""

    def see(self, hit: Hit) -> Iterator[Finding]:
        """Take a match; yield it."""
        if not hit.past:
            yield Finding.of(hit)

    def finish(self) -> Iterator[Finding]:
        """Yield nothing: no finding stays open."""
        yield from ()


def keeps_state(rule: Rule) -> bool:
    """Say whether what comes of a match depends on other matches."""
    return (
        isinstance(rule.stage, NewTerms | Threshold | Deduplication) or rule.suppression is not None
    )


def fields_of(rule: Rule) -> tuple[str, ...]:
    """Return the fields whose values a rule's stage and suppression need, each once, in order."""
    names = list(stage_fields(rule))
    if isinstance(rule.stage, Threshold) and rule.stage.distinct:
        names.append(rule.stage.distinct.field)
    if rule.suppression:
        names += rule.suppression.fields
    return tuple(dict.fromkeys(names))


def stage_fields(rule: Rule) -> tuple[str, ...]:
    """Return the fields that a rule's findings are told apart by."""
    match rule.stage:
        case NewTerms(fields) | Threshold(fields):
            return fields
        case IndicatorMatch(any_of):
            return tuple(dict.fromkeys(one.field for item in any_of for one in item))
        case Deduplication() | None:
            return ()


def compose(rule: Rule, terms: TermsState) -> Stage:
    """Return what runs the stage of a rule and its suppression."""
    names = fields_of(rule)
    stage = _stage(rule, names, terms)
    if rule.suppression is None:
        return stage
    return Suppressed(stage, rule.suppression, list(map(names.index, rule.suppression.fields)))


def _stage(rule: Rule, names: tuple[str, ...], terms: TermsState) -> Stage:
    match rule.stage:
        case NewTerms(fields):
            return NewTermsStage(rule.key, rule.stage, list(map(names.index, fields)), terms)
        case Threshold(fields, distinct=distinct):
            at = names.index(distinct.field) if distinct else None
            return ThresholdStage(rule.stage, list(map(names.index, fields)), at)
        case Deduplication():
            return GroupStage(rule.stage)
        case _:
            return EachMatch()

"""What a rule does with its matches, in words."""

from datetime import timedelta

from tocsin.rules.stages import (
    Comparison,
    Deduplication,
    IndicatorMatch,
    NewTerms,
    Schedule,
    Stage,
    Suppression,
    Threshold,
)

_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)


def describe_stage(stage: Stage) -> str:
    """Say which matches a stage lets through."""
    match stage:
        case NewTerms(fields, window):
            together = " together" if len(fields) > 1 else ""
            return f"values of {_listed(fields)}{together} that are new within {span(window)}"
        case Threshold(fields, count, window, distinct):
            of = f" with the same {_listed(fields)}" if fields else ""
            among = f", among them {distinct.count} values of {distinct.field}" if distinct else ""
            return f"{count} or more{of} within {span(window)}{among}"
        case Deduplication(count, window):
            many = f"{count} or more matches" if count > 1 else "matches"
            return f"{many} that the rule calls the same, within {span(window)} of the first"
        case IndicatorMatch(any_of, indices):
            pairs = "; or ".join(" and ".join(map(_compared, all_of)) for all_of in any_of)
            return f"an indicator of {', '.join(indices)} has a value in common: {pairs}"


def describe_suppression(suppression: Suppression) -> str:
    """Say which alerts one stands for."""
    of = f" with the same {_listed(suppression.fields)}" if suppression.fields else ""
    alone = "" if suppression.missing_is_a_value else "; one without them stands for itself"
    return f"one alert for all{of} within {span(suppression.duration)}{alone}"


def describe_schedule(schedule: Schedule) -> str:
    """Say when a rule runs and over what."""
    until = f", up to {span(schedule.until)} before" if schedule.until else ""
    by = ", else ".join(schedule.time_fields)
    return (
        f"every {span(schedule.every)} over {span(schedule.window)}{until}, by {by}; "
        f"{schedule.max_alerts:,} alerts at most"
    )


def span(duration: timedelta) -> str:
    """Say how long a span of time is: `1 hour 30 minutes`."""
    parts = []
    for name, unit in _UNITS:
        count, duration = divmod(duration, unit)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(parts) or "no time"


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _compared(one: Comparison) -> str:
    return f"{one.field} is {'not ' if one.negated else ''}{one.indicator_field}"

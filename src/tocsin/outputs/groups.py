"""By what a table groups alerts: which labels an alert has. One line here each."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tocsin.alerts.attack import attack_places
from tocsin.alerts.entities import short_name
from tocsin.alerts.model import Alert
from tocsin.condition.functions import fold
from tocsin.content.attack import Name, load_attack
from tocsin.outputs.tally import Label
from tocsin.times import format_time

LAST = "~"
"""The rank of what stands under all others."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """What the lines of a table stand for; an alert counts under each of its labels."""

    title: str
    meaning: str
    labels: Callable[[Alert], Iterable[Label]]


def _rule(alert: Alert) -> Iterator[Label]:
    rule = alert.rule
    yield Label(rule.key, rule.name, ", ".join(rule.author))


def _severity(alert: Alert) -> Iterator[Label]:
    severity = alert.severity
    yield Label(severity.value, severity.value)


def _entities(kind: str, alert: Alert) -> Iterator[Label]:
    names = [short_name(value) for one, value in alert.entities if one == kind]
    yield from _several((Label(fold(name), name) for name in names), kind)


def _several(labels: Iterable[Label], title: str) -> Iterator[Label]:
    """Yield labels once each; of an alert that has none, one that says so."""
    by_key: dict[str, Label] = {}
    for label in labels:
        by_key.setdefault(label.key, label)
    yield from by_key.values() or [Label("", f"no {title}", rank=LAST)]


def _tactics(alert: Alert) -> Iterator[Label]:
    rank = load_attack().rank
    names = _names(tactic for tactic, _ in attack_places(alert.rule.attack))
    labels = (Label(one.id, str(one), rank=f"{rank(one.id):02}") for one in names)
    yield from _several(labels, "tactic")


def _techniques(alert: Alert) -> Iterator[Label]:
    names = _names(technique for _, technique in attack_places(alert.rule.attack))
    yield from _several(
        (Label(one.id, f"{one.id} {one.full}".rstrip()) for one in names), "technique"
    )


def _names(names: Iterable[Name | None]) -> Iterator[Name]:
    return (name for name in names if name)


def _event(attribute: str, alert: Alert) -> Iterator[Label]:
    for text in dict.fromkeys(getattr(event, attribute) for event in alert.events):
        yield Label(text, text)


def _authors(alert: Alert) -> Iterator[Label]:
    yield from _several((Label(name, name) for name in alert.rule.author), "author")


def _pack(alert: Alert) -> Iterator[Label]:
    yield Label(alert.rule.pack, alert.rule.pack)


def _time(length: int, ending: str, alert: Alert) -> Iterator[Label]:
    if not alert.time:
        yield Label("", "no time", rank=LAST)
        return
    text = format_time(alert.time)[:length].replace("T", " ") + ending
    yield Label(text, text, rank=text)


def _of_kind(kind: str, meaning: str) -> Grouping:
    return Grouping(kind, meaning, partial(_entities, kind))


GROUPINGS: Mapping[str, Grouping] = {
    "rule": Grouping("rule", "the rule", _rule),
    "severity": Grouping("severity", "the severity", _severity),
    "user": _of_kind("user", "each user"),
    "address": _of_kind("address", "each network address"),
    "host": _of_kind("host", "each host"),
    "application": _of_kind("application", "each application"),
    "resource": _of_kind("resource", "each resource, by its name"),
    "tenant": _of_kind("tenant", "each tenant"),
    "tactic": Grouping("tactic", "each ATT&CK tactic, in the order of the matrix", _tactics),
    "technique": Grouping("technique", "each ATT&CK technique", _techniques),
    "log_type": Grouping("log type", "the log type", partial(_event, "log_type")),
    "source": Grouping("source", "the file", partial(_event, "source")),
    "day": Grouping("day", "the day in UTC, in their order", partial(_time, 10, "")),
    "hour": Grouping("hour", "the hour in UTC, in their order", partial(_time, 13, ":00")),
    "pack": Grouping("pack", "the pack of the rule", _pack),
    "author": Grouping("author", "each author of the rule", _authors),
}

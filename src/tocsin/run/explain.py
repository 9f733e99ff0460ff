"""Explain: rules and events as a user names them, each event with what its rule made of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from tocsin.alerts.model import History
from tocsin.engine.explain import Explanation, explain
from tocsin.errors import UsageError
from tocsin.logs.bridges import bridge_names
from tocsin.logs.logtype import LogType
from tocsin.rules.cache import RuleIndex, load_rules_cached
from tocsin.rules.load import LoadOptions
from tocsin.rules.model import Rule
from tocsin.run.given import AlertContext, Given
from tocsin.run.log_types import choose_log_types
from tocsin.times import PLAIN_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of one combination of terms, or of one group."""

    terms: tuple[tuple[str, str], ...]
    """Field and value."""
    before: int
    """How many matches had them within the window before the event."""
    last: datetime | None
    """When the last of these was."""
    distinct: int | None = None
    """How many values of the counted field they and the event have together."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What was known when an event came."""

    terms: tuple[Known, ...]
    history: History | None = None
    """Set where logs begin less than a history before the event."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An event as it was given, and its explanation; none if it could not be read."""

    given: Given
    explanation: Explanation | None
    knowledge: Knowledge | None = None
    """What the rule's stage knew before, if logs were named to look it up in."""

    @property
    def matches(self) -> bool:
        """Return whether the rule matches the event."""
        return self.explanation is not None and self.explanation.matches

    @property
    def nearness(self) -> tuple[int, int]:
        """Return what sorts explanations: those that match first, then the nearest."""
        if self.explanation is None:
            return 3, 0
        best = self.explanation.best
        if best is None:
            return 2, 0
        return (0, 0) if best.matches else (1, best.distance)


class RuleFinder:
    """Finds the rule that an event is to be explained with.

    `wanted` is a rule file, a folder, or an id or name among the rules at `paths`; `rule_id` is the
    id or name of one in a file or folder. Where nothing says which, an alert's own rule is meant.
    """

    def __init__(
        self,
        wanted: str | None,
        rule_id: str | None,
        paths: Sequence[Path],
        options: LoadOptions,
    ) -> None:
        self._paths, self._rule_id = _where(wanted, rule_id, list(paths))
        self._options = options
        self._index: RuleIndex | None = None
        self._find_cached = cache(self._find)

    def rule_for(self, alert: AlertContext | None) -> Rule:
        """Return the rule for an event; raise `UsageError` if there is none, or several."""
        wanted = self._rule_id or (alert.rule if alert else None)
        return self._find_cached(wanted) if wanted else self._only()

    def _find(self, wanted: str) -> Rule:
        if self._index is None:
            self._index = RuleIndex(self._paths, self._options)
        return _one(self._index.find(wanted), f"no rule {wanted!r}")

    def _only(self) -> Rule:
        """Return the only rule of a file that holds no other."""
        (path, *others) = self._paths
        if others or path.is_dir():
            raise UsageError(f"{path}: holds many rules; say which one with --id")
        loaded = load_rules_cached(self._paths, self._options)
        why = f"{path}: {loaded.skipped[0].reason}" if loaded.skipped else f"{path}: no rule"
        return _one(loaded.rules, why)


def _where(
    wanted: str | None, rule_id: str | None, paths: list[Path]
) -> tuple[list[Path], str | None]:
    """Return where to look for the rule and its id or name; raise `UsageError` for wrong use."""
    if wanted is None:
        if not paths:
            raise UsageError("which rule? name a rule file, or rules with -r")
        return paths, rule_id
    if Path(wanted).exists():
        if paths:
            raise UsageError(f"RULE {wanted} and -r both name rules; leave one out")
        return [Path(wanted)], rule_id
    if not paths:
        raise UsageError(f"{wanted}: no such rule file or folder; an id needs -r RULES")
    if rule_id:
        raise UsageError(f"RULE {wanted!r} and --id {rule_id!r} both name a rule")
    return paths, wanted


def _one(rules: Sequence[Rule], none: str) -> Rule:
    """Return the only rule, or the only one that runs."""
    if not rules:
        raise UsageError(f"{none}; tocsin rules list PATH shows ids and names")
    running = [rule for rule in rules if rule.inputs] or rules
    if len(running) == 1:
        return running[0]
    named = ", ".join(f"{rule.id} ({rule.path})" for rule in running[:5])
    raise UsageError(f"{len(running)} rules are meant, say which one with --id: {named}")


def explain_all(
    events: Iterable[Given],
    finder: RuleFinder,
    log_type: str | None = None,
    bridges: Sequence[str] = (),
    clock: Clock = PLAIN_CLOCK,
    history: Sequence[Path] = (),
) -> Iterator[Explained]:
    """Explain events one by one; in `history` what their rules knew before is looked up.

    An alert's event is read as the log type, and over the bridge, that the alert names.
    """
    for given in events:
        rule = finder.rule_for(given.alert)
        if given.record is None:
            yield Explained(given, None)
            continue
        log_types, own = _log_types(log_type), list(bridges)
        if given.alert:
            log_types = log_types if log_type else _log_types_of(given.alert)
            own += [given.alert.bridge] if given.alert.bridge in bridge_names() else []
        names = tuple(dict.fromkeys(own))
        found = explain(rule, given.record, log_types, names, clock)
        known = _look_up(found, history, log_types, names, clock) if history else None
        yield Explained(given, found, known)


def _look_up(
    found: Explanation,
    history: Sequence[Path],
    log_types: Sequence[LogType],
    bridges: Sequence[str],
    clock: Clock,
) -> Knowledge | None:
    """Look up what was known; an explanation without that loads nothing that scans."""
    from tocsin.run.known import what_was_known

    return what_was_known(found, history, log_types, bridges, clock)


def _log_types_of(alert: AlertContext) -> tuple[LogType, ...]:
    """Return the log type that an alert names, or all, if it is of somebody else's log types."""
    try:
        return _log_types(alert.log_type)
    except UsageError:
        return _log_types(None)


@cache
def _log_types(name: str | None) -> tuple[LogType, ...]:
    return choose_log_types(name)

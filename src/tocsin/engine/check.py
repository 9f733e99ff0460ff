"""What Tocsin makes of a rule on the log types it knows: the verdict and where it runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.engine.bridging import actions_sought, bridged_inputs
from tocsin.engine.plan import select
from tocsin.logs.bridges import bridge_names, load_bridge
from tocsin.logs.load import shipped_log_types
from tocsin.logs.logtype import LogType
from tocsin.rules.model import LogSource, Rule, Verdict


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule's verdict with its reasons, and the log types whose events it sees."""

    rule: Rule
    verdict: Verdict
    reasons: tuple[str, ...]
    log_types: tuple[str, ...]


def check(rule: Rule, log_types: Sequence[LogType]) -> Checked:
    """Check one rule as it runs without Python."""
    names = [one.name for one in log_types if addressed(one, [rule])]
    reasons = list(rule.reasons)
    verdict = rule.verdict
    bridged = _bridge_reasons(rule, log_types)
    if bridged and verdict is Verdict.RUNS:
        verdict = Verdict.APPROXIMATE
    reasons += bridged
    if rule.confirm:
        verdict = Verdict.CANNOT
        reasons.append("its Python decides, which scans run with --allow-python")
    if not names and rule.inputs:
        scopes = dict.fromkeys(one.scope for one in rule.inputs)
        shown = ", ".join(map(str, scopes))
        # A `*` would be the shell's to expand.
        sources = [str(one).replace("*", "") for one in scopes if isinstance(one, LogSource)]
        hint = f" (--log-type {' or '.join(sources)} runs it on such logs)" if sources else ""
        reasons.append(f"no log type yet for {shown}{hint}")
    return Checked(rule, verdict, tuple(reasons), tuple(names))


def addressed(log_type: LogType, rules: Sequence[Rule], bridges: Sequence[str] = ()) -> bool:
    """Say whether any rule is for a log type, directly or over one of the bridges."""
    if any(select(log_type, one) for rule in rules for one in rule.inputs):
        return True
    if not bridges:
        return False
    targets = {one.name: one for one in shipped_log_types()}
    return any(
        bridged_inputs(rules, bridge, targets[bridge.target])
        for bridge in map(load_bridge, bridges)
        if bridge.source == log_type.name
    )


def _bridge_reasons(rule: Rule, log_types: Sequence[LogType]) -> list[str]:
    """Say of a rule that it looks for operations where Azure does not write them."""
    targets = {one.name: one for one in log_types}
    reasons = []
    for bridge in map(load_bridge, bridge_names()):
        target = targets.get(bridge.target)
        sought = [
            action
            for one in rule.inputs
            if target and select(target, one)
            for action in actions_sought(one, bridge)
            if action not in bridge.written
        ]
        if sought:
            events = dict.fromkeys(event for one in sought for event in bridge.events_of(one))
            reasons.append(
                f"{sought[0]} and {len(sought) - 1} more are never written to {bridge.target}: "
                f"{bridge.source} logs them as {', '.join(events)} (--bridge {bridge.name})"
                if len(sought) > 1
                else f"{sought[0]} is never written to {bridge.target}: {bridge.source} logs it as "
                f"{', '.join(events)} (--bridge {bridge.name})"
            )
    return reasons

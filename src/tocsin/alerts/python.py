"""What the Python of a rule says of its alert, as alerts hold it."""

import json
from collections.abc import Mapping
from typing import Any

from tocsin.alerts.model import Said
from tocsin.jsontext import Json, read
from tocsin.rules.model import Rule, Severity


def said_of_python(rule: Rule, said: Mapping[str, Any]) -> Said:
    """Return what a rule's functions say where it is not what the rule's file says."""
    destinations = said.get("destinations")
    return Said(
        title=said.get("title"),
        severity=_severity(said.get("severity")),
        guide=_other(said.get("runbook"), rule.guide),
        description=_other(said.get("description"), rule.description),
        reference=_other(said.get("reference"), " ".join(rule.references)),
        destinations=None if destinations is None else tuple(destinations),
    )


def context_of_python(said: Mapping[str, Any]) -> dict[str, Json]:
    """Return what a rule's `alert_context` says."""
    return read(json.dumps(said.get("alert_context") or {})).value


def _severity(name: str | None) -> Severity | None:
    if name is None:
        return None
    return Severity.INFORMATIONAL if name == "INFO" else Severity(name.lower())


def _other(text: str | None, own: str) -> str | None:
    return None if text == own else text

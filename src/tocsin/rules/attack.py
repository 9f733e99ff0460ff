"""ATT&CK ids in the tags of rules: `attack.t1552.001`, `attack.credential-access`."""

import re

from tocsin.rules.model import Technique

TACTICS = {
    "reconnaissance": "TA0043",
    "resource-development": "TA0042",
    "initial-access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege-escalation": "TA0004",
    "stealth": "TA0005",
    "defense-evasion": "TA0005",
    "defense-impairment": "TA0112",
    "credential-access": "TA0006",
    "discovery": "TA0007",
    "lateral-movement": "TA0008",
    "collection": "TA0009",
    "command-and-control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)


def techniques_of(tags: tuple[str, ...]) -> tuple[Technique, ...]:
    """Return the techniques and tactics that tags name, in order, each once."""
    found: dict[Technique, None] = {}
    for tag in tags:
        slug = tag.lower().removeprefix("attack.").replace("_", "-")
        if match := _TECHNIQUE.fullmatch(tag):
            found[Technique(technique=match[1].upper())] = None
        elif tag.lower().startswith("attack.") and slug in TACTICS:
            found[Technique(tactic=TACTICS[slug])] = None
    return tuple(found)

"""ATT&CK ids in the tags of rules: `attack.t1552.001`, `attack.credential-access`.

Ids are kept as the rule names them; what older ones became is said where they are shown.
"""

import re

from tocsin.content.attack import load_attack
from tocsin.rules.model import Technique

_PREFIX = "attack."
_TECHNIQUE = re.compile(r"t\d{4}(?:\.\d{3})?", re.IGNORECASE)
_TACTIC = re.compile(r"ta\d{4}", re.IGNORECASE)


def techniques_of(tags: tuple[str, ...]) -> tuple[Technique, ...]:
    """Return the techniques and tactics that tags name, in order, each once."""
    named = (tag[len(_PREFIX) :] for tag in tags if tag.lower().startswith(_PREFIX))
    found = (_named(name) for name in named)
    return tuple(dict.fromkeys(one for one in found if one))


def _named(name: str) -> Technique | None:
    if _TECHNIQUE.fullmatch(name):
        return Technique(technique=name.upper())
    if _TACTIC.fullmatch(name):
        return Technique(tactic=name.upper())
    tactic = load_attack().slugs.get(name.lower().replace("_", "-"))
    return Technique(tactic=tactic) if tactic else None

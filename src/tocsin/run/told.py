"""What alerts of rules say whose Python does not run, or that have none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import orjson

from tocsin.jsontext import Json, compact, standard
from tocsin.python.program import run
from tocsin.rules.model import Input, Rule
from tocsin.rules.panther.pack import read_document
from tocsin.run.pack_code import detection_of
from tocsin.run.simple_texts import simple_detection
from tocsin.sandbox.runner import LoadedDetection, Outcome

UNTOLD = "not_told"
"""What the context of an alert calls the functions that only Python could run."""


@dataclass(slots=True)
class Teller:
    """Runs the programs of rules on the documents of their matches."""

    _loaded: dict[int, LoadedDetection] = field(default_factory=dict)

    def tell(self, rule: Rule, one: Input, document: Mapping[str, Json]) -> Outcome:
        """Return what an alert says, with the fallbacks that Panther has for what is not there."""
        if id(one) not in self._loaded:
            self._loaded[id(one)] = _load(rule, one)
        event = orjson.loads(compact(standard(dict(document))))
        outcome = Outcome()
        self._loaded[id(one)].describe(event, outcome)
        untold = one.lifting.untold if one.lifting else ()
        if untold:
            context = outcome.alert.get("alert_context") or {}
            outcome.alert["alert_context"] = {**context, UNTOLD: [name for name, _ in untold]}
        return outcome


def _load(rule: Rule, one: Input) -> LoadedDetection:
    if rule.kind == "simple":
        return simple_detection(rule)
    texts = one.lifting.texts if one.lifting else ()
    functions: dict[str, Callable[[Any], Any]] = {
        name: partial(run, program) for name, program in texts
    }
    return LoadedDetection(detection_of(rule, read_document(rule)), SimpleNamespace(**functions))

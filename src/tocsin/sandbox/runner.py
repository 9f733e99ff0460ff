"""One event through one detection: its `rule` or `policy`, then what the alert says."""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import ModuleType
from typing import Any

from tocsin.sandbox.shims import COMPILED, Source
from tocsin.sandbox.views import plain

MAX_TEXT = 1000
MAX_CONTEXT = 200 * 1024
MAX_DESTINATIONS = 10
CUT = "... (truncated)"
_UNSAID = (None, "", "DEFAULT")
"""What a function returns that leaves it to the metadata."""
_AS_SAID = {"dedup", "unique"}
SEVERITIES = ("INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Detection:
    """What the metadata of a detection says that its evaluation needs."""

    id: str
    name: str
    kind: str
    """`python`, `scheduled` or `policy`."""
    severity: str = "MEDIUM"
    description: str = ""
    reference: str = ""
    runbook: str = ""
    signal: bool = False
    """It raises no alert: what it finds is for correlation."""

    @property
    def function(self) -> str:
        """Return the name of the function that decides."""
        return "policy" if self.kind == "policy" else "rule"


@dataclass(slots=True)
class Outcome:
    """What a detection says of one event. `faults` names the functions that failed, and how."""

    matched: bool = False
    output: bool | None = None
    error: str = ""
    """Why the detection itself said nothing."""
    alert: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    fatal: bool = False
    """Whether the detection wants to end the process, or took all its memory."""


class WrongType(Exception):
    """A function returned what it must not."""


@dataclass(slots=True)
class LoadedDetection:
    """A detection with its module; `error` says why there is none."""

    detection: Detection
    module: ModuleType | None = None
    error: str = ""

    def evaluate(self, event: Any) -> Outcome:
        """Run the detection on one event; nothing that its code raises comes through."""
        outcome = Outcome(error=self.error)
        if self.module is None:
            return outcome
        try:
            outcome.output = self._decide(event)
        except BaseException as error:
            outcome.error = f"{self.detection.function}() {told(error)}"
            outcome.fatal = not isinstance(error, Exception) or isinstance(error, MemoryError)
            return outcome
        outcome.matched = outcome.output is not (self.detection.kind == "policy")
        if outcome.matched:
            self._describe(event, outcome)
        return outcome

    def _decide(self, event: Any) -> bool:
        decide = getattr(self.module, self.detection.function, None)
        if decide is None and self.detection.kind == "scheduled":
            return True
        if decide is None:
            raise WrongType("is not defined in its Python")
        found = decide(event)
        if type(found) is not bool:
            raise WrongType(f"returned {shown(found)}, not True or False")
        return found

    def _describe(self, event: Any, outcome: Outcome) -> None:
        """Run what describes the alert, in Panther's order, and fall back where it fails."""
        for name, check in AUXILIARY.items():
            if self.detection.signal and name != "alert_context":
                continue
            outcome.alert[name] = self._value(name, check, event, outcome)
        if not self.detection.signal:
            outcome.alert["dedup"] = self._dedup(outcome)
        for name, value in outcome.alert.items():
            if value in _UNSAID and name not in _AS_SAID:
                outcome.alert[name] = self._default(name)

    def _value(self, name: str, check: Callable[[Any], Any], event: Any, outcome: Outcome) -> Any:
        function = getattr(self.module, name, None)
        if function is None:
            return None
        try:
            return check(function(event))
        except BaseException as error:
            outcome.faults[name] = f"{name}() {told(error)}"
            return self._fallback(name, error)

    def _default(self, name: str) -> Any:
        of = self.detection
        return {
            "title": of.name or of.id,
            "description": of.description,
            "reference": of.reference,
            "severity": of.severity,
            "runbook": of.runbook,
            "alert_context": {},
        }.get(name)

    def _fallback(self, name: str, error: BaseException) -> Any:
        if name == "title":
            return self.detection.id
        return {"_error": repr(error)} if name == "alert_context" else None

    def _dedup(self, outcome: Outcome) -> str:
        """Return the dedup string; a rule without `dedup` has its own title as one."""
        of = "dedup" if hasattr(self.module, "dedup") else "title"
        own = "" if of in outcome.faults else outcome.alert[of]
        return own or f"defaultDedupString:{self.detection.id}"


def load_module(source: Source) -> ModuleType:
    """Run a file as a module of its own; raises whatever it does."""
    module = ModuleType(f"panther_{next(_numbers)}")
    module.__file__ = source.path
    sys.modules[module.__name__] = module
    exec(source.compile(), vars(module))
    return module


def load_detection(detection: Detection, source: Source) -> LoadedDetection:
    """Load the module of a detection; a failure is the detection's error."""
    try:
        return LoadedDetection(detection, load_module(source))
    except BaseException as error:
        return LoadedDetection(detection, None, f"its Python {told(error)}")


def unload(loaded: LoadedDetection) -> None:
    """Forget a detection's module."""
    if loaded.module is not None:
        sys.modules.pop(loaded.module.__name__, None)


def told(error: BaseException) -> str:
    """Say what was raised, and at which line of a rule's file."""
    if isinstance(error, WrongType):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"cannot be compiled: {error.filename}:{error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if frame.filename in COMPILED]
    place = f" at {theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""
    return f"raised {type(error).__name__}{place}: {_message(error)}"


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:
        return "(no message)"


def shown(value: Any) -> str:
    """Write a value for people, cut short."""
    try:
        return f"{type(value).__name__} {value!r:.60}"
    except BaseException:
        return type(value).__name__


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongType(f"returned {shown(value)}, not a text")
    return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - len(CUT)] + CUT


def _severity(value: Any) -> str:
    severity = _text(value).upper()
    if severity not in (*SEVERITIES, "DEFAULT"):
        raise WrongType(f"returned {value!r:.60}, not one of {', '.join(SEVERITIES)}, DEFAULT")
    return severity


def _destinations(value: Any) -> list[str] | None:
    if value is None:
        return None
    names = plain(value)
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise WrongType(f"returned {shown(value)}, not a list of texts")
    if len(names) > MAX_DESTINATIONS:
        raise WrongType(f"returned {len(names)} destinations; {MAX_DESTINATIONS} are the most")
    return names or ["SKIP"]


def _context(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongType(f"returned {shown(value)}, not a mapping")
    text = json.dumps(plain(dict(value)), allow_nan=False, default=plain_or_refuse)
    if len(text.encode()) > MAX_CONTEXT:
        raise WrongType(f"returned {len(text.encode()):,} bytes; {MAX_CONTEXT:,} are the most")
    context: dict[str, Any] = json.loads(text)
    return context


def plain_or_refuse(value: Any) -> Any:
    """Return what JSON can hold of a value inside other containers; raise `TypeError`."""
    found = plain(value)
    if found is value:
        raise TypeError(f"{type(value).__name__} is nothing that JSON can hold")
    return found


AUXILIARY: Mapping[str, Callable[[Any], Any]] = {
    "title": _text,
    "description": _text,
    "reference": _text,
    "severity": _severity,
    "runbook": _text,
    "destinations": _destinations,
    "dedup": _text,
    "alert_context": _context,
    "unique": _text,
}
"""The functions that describe an alert, in the order in which Panther calls them."""

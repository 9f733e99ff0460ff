"""What workers need of a pack of Panther, as text: detections, helpers, data models."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tocsin.errors import RuleError
from tocsin.rules.model import Rule
from tocsin.rules.panther.pack import (
    helpers_among,
    models_among,
    python_file,
    read_document,
    read_python,
)
from tocsin.sandbox.process import Model, PackCode
from tocsin.sandbox.runner import Detection
from tocsin.sandbox.shims import Source

_IMPORTS = re.compile(r"^[ \t]*(?:from|import)[ \t]+([\w.]+)", re.MULTILINE)
_CACHE = "panther_detection_helpers"


def detection_of(rule: Rule, document: Mapping[str, Any]) -> Detection:
    """Return what evaluating a detection needs to know of its metadata."""
    return Detection(
        id=rule.id,
        name=rule.name,
        kind=rule.kind,
        severity=str(document.get("Severity", "")).upper(),
        description=rule.description,
        reference=" ".join(rule.references),
        runbook=rule.guide,
        signal=document.get("CreateAlert") is False,
    )


def pack_code(parts: Sequence[Rule]) -> PackCode:
    """Return the helpers and the enabled data models among the parts of a pack."""
    helpers = {name: _source(part) for name, part in helpers_among(parts).items()}
    models = [
        Model(part.id, log_types, mappings, _source(part) if _has_python(part) else None)
        for part, log_types, mappings in models_among(parts)
    ]
    return PackCode(helpers, models)


def _has_python(part: Rule) -> bool:
    return bool(read_document(part).get("Filename"))


def _source(part: Rule) -> Source:
    """Return the Python of a part; if it cannot be read, what imports it is told so."""
    try:
        return Source(str(python_file(part)), read_python(part))
    except RuleError as error:
        return Source(str(python_file(part)), f"raise ImportError({str(error)!r})")


def remembers(source: Source, helpers: Mapping[str, Source]) -> bool:
    """Say whether a module, or a helper that it imports, may keep things by keys."""
    seen: set[str] = set()
    waiting = [source]
    while waiting:
        for name in _IMPORTS.findall(waiting.pop().text):
            root = name.partition(".")[0]
            if root == _CACHE:
                return True
            if root in helpers and root not in seen:
                seen.add(root)
                waiting.append(helpers[root])
    return False

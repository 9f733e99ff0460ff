"""What workers need of a pack of Panther, as text: detections, helpers, data models."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.errors import RuleError
from tocsin.rules.model import Rule
from tocsin.rules.panther.pack import python_file, read_document, read_python
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


def pack_code(parts: Iterable[Rule]) -> PackCode:
    """Return the helpers and the enabled data models among the parts of a pack."""
    helpers: dict[str, Source] = {}
    models: list[Model] = []
    for part in parts:
        if part.kind == "global" and (source := _source(part)):
            helpers[python_file(part).stem] = source
        elif part.kind == "datamodel" and part.enabled:
            models.append(_model(part))
    return PackCode(helpers, models)


def _source(part: Rule) -> Source | None:
    if not read_document(part).get("Filename"):
        return None
    try:
        return Source(str(python_file(part)), read_python(part))
    except RuleError as error:
        return Source(str(python_file(part)), f"raise ImportError({str(error)!r})")


def _model(part: Rule) -> Model:
    document = read_document(part)
    mappings = document.get("Mappings")
    kept = [one for one in mappings if isinstance(one, dict)] if isinstance(mappings, list) else []
    log_types = document.get("LogTypes")
    named = [str(one) for one in log_types] if isinstance(log_types, list) else []
    return Model(part.id, named, kept, _source(part))


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

"""Panther's files below some paths, and the parts that their detections are made with."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tocsin.errors import Place, RuleError, UsageError
from tocsin.rules.load import NO_RULE_IN, RuleFile, combine, find_rule_files, quiet_gc
from tocsin.rules.model import Rule, RuleSet, Skipped
from tocsin.rules.panther.build import load_panther
from tocsin.rules.panther.kinds import METADATA
from tocsin.rules.panther.page import quotes_panther_rule, yaml_of_page

TEMPLATES = "templates"
"""The folder of a pack whose files are filled in to make new ones."""


def load_panther_rules(roots: Sequence[Path]) -> RuleSet:
    """Load the metadata files of Panther below some paths; files of other kinds are passed over.

    If a path is inside a pack, the helpers and data models of that pack are loaded with it.
    """
    with quiet_gc():
        places = {file.path.resolve(): file for file in reversed(_found(roots))}
        return combine(_load(file) for file in reversed(places.values()))


def _found(roots: Iterable[Path]) -> list[RuleFile]:
    """Return the rule files below those of some paths that have any."""
    return find_rule_files([root for root in roots if _holds_files(root)])


def _holds_files(root: Path) -> bool:
    try:
        return bool(find_rule_files([root]))
    except UsageError:
        return False


def _load(file: RuleFile) -> tuple[list[Rule], Skipped | None]:
    if file.path.suffix.lower() in NO_RULE_IN:
        return [], None
    try:
        text = file.path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return [], None
    return load_file(text, file) if METADATA.search(text) else ([], None)


def load_file(text: str, file: RuleFile) -> tuple[list[Rule], Skipped | None]:
    """Load one metadata file, or a page that quotes one; a template for new ones is none."""
    if quotes_panther_rule(text):
        try:
            text = yaml_of_page(text, Path(file.shown))
        except RuleError as error:
            return [], Skipped(file.shown, str(error).removeprefix(f"{file.shown}: "))
    if file.path.parent.name == TEMPLATES:
        return [], Skipped(file.shown, "no rule: a template for rules of Panther")
    return [load_panther(text, file.pack, Path(file.shown))], None


def collections(parts: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """Return, by the keys of rules, the packs of Panther among the parts that name them."""
    found: dict[str, tuple[str, ...]] = {}
    for part in parts:
        definition = read_document(part).get("PackDefinition") if part.kind == "pack" else None
        ids = definition.get("IDs") if isinstance(definition, dict) else None
        for one in ids if isinstance(ids, list) else ():
            key = f"{part.pack}:{one}"
            found[key] = (*found.get(key, ()), part.id)
    return found


def read_document(rule: Rule) -> dict[str, Any]:
    """Return all that a rule's file says."""
    found: dict[str, Any] = json.loads(rule.document or "{}")
    return found


def helpers_among(parts: Iterable[Rule]) -> dict[str, Rule]:
    """Return the helper modules among the parts of a pack, by the names that import them."""
    found = (
        part for part in parts if part.kind == "global" and read_document(part).get("Filename")
    )
    return {python_file(part).stem: part for part in found}


def models_among(parts: Iterable[Rule]) -> Iterator[tuple[Rule, list[str], list[dict[str, Any]]]]:
    """Yield the enabled data models among the parts of a pack: log types, and mappings."""
    for part in parts:
        if part.kind == "datamodel" and part.enabled:
            document = read_document(part)
            log_types, mappings = (_list(document.get(key)) for key in ("LogTypes", "Mappings"))
            kept = [one for one in mappings if isinstance(one, dict)]
            yield part, list(map(str, log_types)), kept


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def read_python(rule: Rule, name: str | None = None) -> str:
    """Return the text of the Python file that a metadata file names; raise `RuleError`."""
    folder = Path(rule.path).parent
    file = python_file(rule, name)
    if not file.resolve().is_relative_to(folder.resolve()):
        raise RuleError(f"Filename {file.name} leads out of its folder", Place(Path(rule.path)))
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise RuleError("is not UTF-8 text", Place(file)) from None
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}", Place(file)) from None


def python_file(rule: Rule, name: str | None = None) -> Path:
    """Return the path of the Python file that a metadata file names."""
    return Path(rule.path).parent / (name or str(read_document(rule).get("Filename", "")))

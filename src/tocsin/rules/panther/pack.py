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

PART_FOLDERS = ("global_helpers", "data_models")
"""Folders of a pack that hold what its detections import, in the layout of panther-analysis."""

TEMPLATES = "templates"
"""The folder of a pack whose files are filled in to make new ones."""


def load_panther_rules(roots: Sequence[Path]) -> RuleSet:
    """Load the metadata files of Panther below some paths; files of other kinds are passed over.

    If a path is inside a pack, the helpers and data models of that pack are loaded with it.
    """
    with quiet_gc():
        files = _found(roots)
        files += [file for root in roots for file in _beside(root, files)]
        places = {file.path.resolve(): file for file in reversed(files)}
        return combine(_load(file) for file in reversed(places.values()))


def _found(roots: Iterable[Path]) -> list[RuleFile]:
    """Return the rule files below those of some paths that have any."""
    return find_rule_files([root for root in roots if _holds_files(root)])


def _holds_files(root: Path) -> bool:
    try:
        return bool(find_rule_files([root]))
    except UsageError:
        return False


def _beside(root: Path, files: Sequence[RuleFile]) -> Iterator[RuleFile]:
    """Yield the files of helpers and data models of the pack that a path lies in."""
    above = next((one for one in root.resolve().parents if _is_pack(one)), None)
    own = next((one for one in files if root in (one.path, *one.path.parents)), None)
    if above and own:
        for file in _found(above / name for name in PART_FOLDERS):
            yield RuleFile(file.path, own.pack, file.shown)


def _is_pack(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in PART_FOLDERS)


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


def read_document(rule: Rule) -> dict[str, Any]:
    """Return all that a rule's file says."""
    found: dict[str, Any] = json.loads(rule.document or "{}")
    return found


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

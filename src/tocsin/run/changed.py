"""Which tests a change of files calls for."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.errors import RuleError
from tocsin.rules.cases import CaseFile
from tocsin.rules.load import PARTS
from tocsin.rules.model import Rule
from tocsin.rules.panther.pack import python_file, read_document, read_python

_MODELS = PARTS[1]


@dataclass(frozen=True, slots=True)
class Changes:
    """Files that differ, are new, or are gone."""

    files: frozenset[Path]

    def has(self, *paths: Path) -> bool:
        """Say whether one of some files changed."""
        return any(path.resolve() in self.files for path in paths)

    def touch_case_file(self, file: CaseFile) -> bool:
        """Say whether a case file, or a file that it names, changed."""
        rule = [file.rule] if isinstance(file.rule, Path) else []
        return self.has(file.path, *rule, *file.event_files)

    def choose(self, rules: Sequence[Rule], parts: Sequence[Rule]) -> list[Rule]:
        """Return the rules of Panther that changed, or something that they are run with."""
        packs = {rule.pack: _Pack(self, parts, rule.pack) for rule in rules}
        return [rule for rule in rules if packs[rule.pack].is_touched(rule)]

    def gone(self, folder: str = "") -> set[str]:
        """Return the names, without ending, of files that are gone, in a folder or anywhere."""
        return {
            file.stem
            for file in self.files
            if (not folder or folder in file.parts) and not file.exists()
        }


class _Pack:
    """The helpers and data models of one pack, and which of them are not what they were."""

    def __init__(self, changes: Changes, parts: Sequence[Rule], pack: str) -> None:
        self._changes = changes
        own = [part for part in parts if part.pack == pack]
        helpers = {_module(part): part for part in own if part.kind == "global"}
        self._modules = self._touched_modules(helpers)
        models = [part for part in own if part.kind == "datamodel" and self._changed(part)]
        self._log_types = {name for part in models for name in _log_types(part)}
        self._model_gone = bool(changes.gone(_MODELS))

    def is_touched(self, rule: Rule) -> bool:
        if self._changed(rule):
            return True
        if rule.kind != "python":
            return False
        return self._model_gone or not self._log_types.isdisjoint(_log_types(rule))

    def _changed(self, rule: Rule) -> bool:
        """Say whether a file of a rule, or a helper that it imports, changed."""
        files = [Path(rule.path)]
        if read_document(rule).get("Filename"):
            files.append(python_file(rule))
        return self._changes.has(*files) or not self._modules.isdisjoint(_imports(rule))

    def _touched_modules(self, helpers: Mapping[str, Rule]) -> set[str]:
        """Return the helpers that changed or import one that did; what is gone counts as one."""
        found = self._changes.gone()
        found |= {
            name
            for name, part in helpers.items()
            if self._changes.has(Path(part.path), python_file(part))
        }
        imports = {name: _imports(part) for name, part in helpers.items()}
        while more := {name for name, of in imports.items() if of & found} - found:
            found |= more
        return found


def _module(part: Rule) -> str:
    return python_file(part).stem


def _imports(rule: Rule) -> set[str]:
    """Return the modules that the Python of a rule or part imports, anywhere in it."""
    if not read_document(rule).get("Filename"):
        return set()
    try:
        tree = ast.parse(read_python(rule))
    except (RuleError, SyntaxError, ValueError, RecursionError):
        return set()
    return {name.partition(".")[0] for node in ast.walk(tree) for name in _named(node)}


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module


def _log_types(rule: Rule) -> set[str]:
    """Return the log types that a rule or a data model is for, and those of its tests."""
    document = read_document(rule)
    found = document.get("LogTypes")
    tests = document.get("Tests")
    logs = [one.get("Log") for one in tests or () if isinstance(one, dict)]
    of_tests = {log.get("p_log_type") for log in logs if isinstance(log, dict)}
    return {str(one) for one in [*(found if isinstance(found, list) else ()), *of_tests] if one}

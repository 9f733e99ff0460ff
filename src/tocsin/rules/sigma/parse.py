"""Sigma rule text → pySigma's rule objects: the only module that loads rules with pySigma.

pySigma (LGPL-2.1, used as a library) is the reference parser. What it lacks is done here: line
numbers, one error not stopping the others, integers beyond 2⁵³, pages that quote a rule.

Documents with `action: global`, `repeat` or `reset` shape the documents after them in the file.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import re2
import yaml
from sigma.collection import SigmaCollection, deep_dict_update
from sigma.conditions import (
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionValueExpression,
)
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError, SigmaRuleLocation
from sigma.filters import SigmaFilter
from sigma.policy import default_policy
from sigma.policy.regex_engine import RegexEngine, RegexPattern
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.rule import SigmaRule
from sigma.rule.base import check_alias_expansion
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaCompareExpression, SigmaNumber

from tocsin.errors import Place, RuleError, UsageError

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FENCE = re.compile(r"^```ya?ml[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_EXACT_IN_FLOAT = 2**53
TOO_DEEP = "nests too deep"

SigmaDocument: TypeAlias = SigmaRule | SigmaCorrelationRule | SigmaFilter
ParsedCondition: TypeAlias = (
    ConditionItem | ConditionFieldEqualsValueExpression | ConditionValueExpression
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document of a Sigma file: pySigma's object, or the error that it ended in."""

    data: Mapping[str, object]
    text: str = ""
    """The whole file, for the digest and for documents that are rules only in part."""
    document: SigmaDocument | None = None
    conditions: tuple[ParsedCondition, ...] = ()
    """pySigma's condition trees; several are alternatives."""
    error: RuleError | None = None
    notes: tuple[str, ...] = ()
    where: "_Text | None" = None
    inherited: frozenset[str] = frozenset()
    """Keys that stand in another document of the file."""

    def place(self, field: str | None = None) -> Place:
        """Return the place of the document, or of a field in its detection."""
        if self.where is None:
            return self.error.place if self.error else Place()
        return self.where.field_place(field) if field else self.where.place()


def rule_text(text: str) -> tuple[str, int]:
    """Return the rule inside a text and the lines before it; a web page quotes it in a fence."""
    for match in _FENCE.finditer(text):
        if re.search(r"^detection:", match[1], re.MULTILINE):
            return match[1], text.count("\n", 0, match.start(1))
    return text, 0


def parse_documents(
    text: str, path: Path, pipelines: tuple[ProcessingPipeline, ...] = ()
) -> Iterator[Parsed]:
    """Parse every document of a Sigma file; a broken one ends in an error, the others go on.

    pySigma processing pipelines are applied to each rule before its condition is read.
    """
    for parsed in _parse_documents(text, path, pipelines):
        yield replace(parsed, text=text)


def _parse_documents(
    text: str, path: Path, pipelines: tuple[ProcessingPipeline, ...]
) -> Iterator[Parsed]:
    text, lines_before = rule_text(text)
    try:
        documents = list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as error:
        yield Parsed({}, error=_yaml_error(error, text, path, lines_before))
        return
    except (ValueError, RecursionError) as error:
        yield Parsed({}, error=RuleError(f"not YAML: {_message(error)}", Place(path)))
        return
    actions = _Actions()
    for number, document in enumerate(documents):
        if document is None:
            continue
        where = _Text(text, path, lines_before, number)
        try:
            data = actions.apply(_fit(document))
        except RuleError as error:
            yield Parsed({}, error=RuleError(error.reason, where.place()), where=where)
            continue
        if data is not None:
            inherited = frozenset(data) - frozenset(document)
            parsed = _parse_one(data, where, pipelines)
            notes = where.repeated_keys()
            yield replace(parsed, where=where, notes=notes, inherited=inherited)


def _fit(document: object) -> dict[str, object]:
    """Return a document that can be a rule; refuse others and YAML that unfolds without end."""
    if not isinstance(document, dict):
        raise RuleError(f"a rule is a mapping, this is a {type(document).__name__}")
    try:
        check_alias_expansion(document)
        fit: dict[str, object] = copy.deepcopy(document)
    except SigmaError as error:
        raise RuleError(_message(error)) from None
    except RecursionError:
        raise RuleError(TOO_DEEP) from None
    return fit


class _Actions:
    """Carries what `action` documents say over to the documents after them."""

    def __init__(self) -> None:
        self._shared: dict[str, object] = {}
        self._last: dict[str, object] = {}

    def apply(self, data: dict[str, object]) -> dict[str, object] | None:
        """Return a document as it reads with those before it; None if it is no rule itself."""
        action = data.pop("action", None)
        if action in {"global", "reset"}:
            self._shared = self._last = data if action == "global" else {}
            return None
        if action not in {None, "repeat"}:
            raise RuleError(f"unknown action {action!r}; known: global, repeat, reset")
        if "correlation" in data or "filter" in data:
            return data
        own = {key: data[key] for key in ("id",) if key in data}
        if action is None:
            data = deep_dict_update(data, copy.deepcopy(self._shared))
        else:
            data = deep_dict_update(copy.deepcopy(self._last), data)
        self._last = {**data, **own}
        return self._last


@dataclass(frozen=True, slots=True)
class _Text:
    """Where a document stands, to find the line of what is wrong in it."""

    text: str
    path: Path
    lines_before: int
    number: int

    def place(self, *keys: str) -> Place:
        """Return the place of a key, given the keys that lead to it."""
        node = self._node()
        mark = node.start_mark
        for key in keys:
            for candidate, value in _pairs(node):
                if candidate.value == key:
                    mark, node = candidate.start_mark, value
                    break
        return self._at(mark)

    def field_place(self, name: str) -> Place:
        """Return the place where a detection first asks for a field."""
        for key, detection in _pairs(self._node()):
            if key.value != "detection":
                continue
            for _, section in _pairs(detection):
                for item, _ in _pairs(section):
                    if str(item.value).split("|")[0] == name:
                        return self._at(item.start_mark)
        return self.place("detection")

    def repeated_keys(self) -> tuple[str, ...]:
        """Name the keys that a mapping holds twice: YAML keeps the last, authors rarely mean it."""
        if not _looks_repeated(self.text):
            return ()
        notes = []
        seen: set[int] = set()
        stack = [self._node()]
        while stack:
            node = stack.pop()
            if id(node) in seen or isinstance(node, yaml.ScalarNode):
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                stack += node.value
                continue
            keys: set[str] = set()
            for key, value in node.value:
                stack.append(value)
                if isinstance(key, yaml.ScalarNode) and key.value in keys:
                    line = self._at(key.start_mark).line
                    notes.append((line, key.value))
                keys.add(str(key.value))
        return tuple(
            f"line {line}: the key {key!r} stands twice; the last counts"
            for line, key in sorted(notes)
        )

    def _node(self) -> yaml.Node:
        return list(yaml.compose_all(self.text, _Loader))[self.number]

    def _at(self, mark: yaml.Mark) -> Place:
        return Place(self.path, self.lines_before + mark.line + 1, mark.column + 1)


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return list(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [pair for item in node.value for pair in _pairs(item)]
    return []


class _Re2(RegexEngine):  # type: ignore[misc]
    """Checks regexes as they will run, without RE2's own messages on standard error."""

    @property
    def error(self) -> type[Exception]:
        return RegexError

    def compile(self, pattern: str, _flags: int = 0) -> RegexPattern:
        options = re2.Options()
        options.log_errors = False
        try:
            return re2.compile(pattern, options)
        except re2.error as error:
            reason = error.args[0]
            raise RegexError(reason.decode() if isinstance(reason, bytes) else reason) from None


class RegexError(Exception):
    """RE2 does not compile a regex; the message says why."""


# Modifiers compile before a policy of one's own would reach them.
default_policy.regex_engine = _Re2()


def _parse_one(
    data: dict[str, object], where: _Text, pipelines: tuple[ProcessingPipeline, ...]
) -> Parsed:
    if not isinstance(data.get("id", ""), str):
        return Parsed(data, error=RuleError("the id is no UUID", where.place("id")))
    try:
        collection = SigmaCollection.from_dicts(
            [copy.deepcopy(data)],
            collect_errors=True,
            source=SigmaRuleLocation(where.path),
            collect_filters=True,
            resolve_references=False,
        )
        documents = [*collection.rules, *collection.filters]
        errors = [*collection.errors, *(error for one in documents for error in one.errors)]
    except Exception as error:
        return Parsed(data, error=RuleError(_message(error), _error_place(error, data, where)))
    if errors or not documents:
        reason = errors[0] if errors else RuleError("neither a rule, a correlation nor a filter")
        return Parsed(data, error=RuleError(_message(reason), _error_place(reason, data, where)))
    document = documents[0]
    if not isinstance(document, SigmaRule):
        return Parsed(data, document=document)
    try:
        _restore_integers(document, data)
        for pipeline in pipelines:
            pipeline.apply(document)
        trees = [condition.parsed for condition in document.detection.parsed_condition]
    except Exception as error:
        place = where.place("detection", "condition")
        return Parsed(data, error=RuleError(_message(error), place))
    return Parsed(data, document=document, conditions=tuple(tree for tree in trees if tree))


def load_pipeline(path: Path) -> ProcessingPipeline:
    """Read a pySigma processing pipeline from a YAML file; raise `UsageError` if it is none."""
    text = _read_text(path)
    if not isinstance(_read_yaml(text, path), dict):
        raise UsageError(f"{path}: a processing pipeline is a mapping")
    try:
        return ProcessingPipeline.from_yaml(text, str(path))
    except Exception as error:
        raise UsageError(f"{path}: no processing pipeline: {_message(error)}") from None


def load_placeholders(path: Path) -> ProcessingPipeline:
    """Read placeholder values, a YAML mapping of name → list, as a pipeline that fills them in.

    Names that the file has no value for stay, so that lowering can name them. Raises `UsageError`.
    """
    data = _read_yaml(_read_text(path), path)
    if not isinstance(data, dict) or not all(isinstance(name, str) for name in data):
        raise UsageError(f"{path}: placeholders are a mapping of name to list of values")
    found = {name: _placeholder_values(name, value, path) for name, value in data.items()}
    values = {name: items for name, items in found.items() if items}
    fill_in = ValueListPlaceholderTransformation(include=list(values))
    return ProcessingPipeline(items=[ProcessingItem(fill_in)], vars=values)


def _placeholder_values(name: str, value: object, path: Path) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if any(item is None or isinstance(item, list | dict) for item in values):
        raise UsageError(f"{path}: placeholder {name} needs a list of texts or numbers")
    return [str(item) for item in values]


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _read_yaml(text: str, path: Path) -> object:
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise UsageError(str(_yaml_error(error, text, path, 0))) from None
    except RecursionError:
        raise UsageError(f"{path}: {TOO_DEEP}") from None


def _error_place(error: Exception, data: Mapping[str, object], where: _Text) -> Place:
    """Find the key that an error is about, or the first part of the detection that is refused."""
    kind = type(error).__name__.removeprefix("Sigma").removesuffix("Error").lower()
    key = {"identifier": "id", "tag": "tags"}.get(kind, kind)
    detection = data.get("detection")
    if key in data or not isinstance(detection, dict):
        return where.place(key)
    for name, section in detection.items():
        if name == "condition":
            continue
        for item in section if isinstance(section, list) else [section]:
            if isinstance(item, dict):
                for field, value in item.items():
                    if not _item_parses(field, value):
                        return where.place("detection", str(name), str(field))
    if kind not in _ABOUT_DETECTIONS:
        return where.place()
    words = re.findall(r"\w+", str(error).lower())
    return where.place(
        next((str(key) for key in data if str(key).rstrip("s") in words), "detection")
    )


_ABOUT_DETECTIONS = {"detection", "condition", "modifier", "type", "value", "regularexpression"}


def _item_parses(key: object, value: object) -> bool:
    try:
        SigmaDetectionItem.from_mapping(str(key), copy.deepcopy(value))
    except Exception:
        return False
    return True


def _message(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return TOO_DEEP
    if not isinstance(error, SigmaError | RuleError | yaml.YAMLError | OSError):
        return f"cannot be read: {type(error).__name__}: {error}"
    text = str(error.args[0]) if isinstance(error, SigmaError) and error.args else str(error)
    return " ".join(text.split())


def _yaml_error(error: yaml.YAMLError, text: str, path: Path, lines_before: int) -> RuleError:
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n"), error.position - (before.rfind("\n") + 1)
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed"
        return RuleError(f"not YAML: {problem}", Place(path, lines_before + line + 1, column + 1))
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if mark is None:
        return RuleError(f"not YAML: {problem}", Place(path))
    return RuleError(
        f"not YAML: {problem}", Place(path, lines_before + mark.line + 1, mark.column + 1)
    )


_KEY_LINE = re.compile(r"^( *(?:- )?)([\w.|-]+):", re.MULTILINE)


def _looks_repeated(text: str) -> bool:
    """Say cheaply whether any indented key occurs twice, which composing can then confirm."""
    keys = [(len(match[1]), match[2]) for match in _KEY_LINE.finditer(text)]
    return len(set(keys)) < len(keys)


def _restore_integers(document: SigmaRule, data: Mapping[str, object]) -> None:
    """Put back integers that pySigma took through a float and so rounded."""
    detection = data["detection"]
    if not isinstance(detection, dict) or not any(map(_holds_large, detection.values())):
        return
    for name, section in detection.items():
        if name != "condition":
            _restore_section(document.detection.detections[name], section)


def _restore_section(parsed: SigmaDetection, section: object) -> None:
    parts = parsed.detection_items
    if isinstance(section, dict):
        values = list(section.values())
    elif isinstance(section, list) and isinstance(parts[0], SigmaDetection):
        values = section
    else:
        values = [section]
    for part, value in zip(parts, values, strict=True):
        if isinstance(part, SigmaDetection):
            _restore_section(part, value)
        else:
            _restore_item(part, value)


def _restore_item(item: SigmaDetectionItem, value: object) -> None:
    originals = value if isinstance(value, list) else [value]
    if len(originals) != len(item.value):
        return
    for original, parsed in zip(originals, item.value, strict=True):
        number = parsed.number if isinstance(parsed, SigmaCompareExpression) else parsed
        if isinstance(number, SigmaNumber) and isinstance(original, int):
            number.number = original


def _holds_large(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_large, value.values()))
    if isinstance(value, list):
        return any(map(_holds_large, value))
    return isinstance(value, int) and abs(value) > _EXACT_IN_FLOAT

"""Sigma rule text → pySigma's rule objects: the only module that loads rules with pySigma.

pySigma (LGPL-2.1, used as a library) is the reference parser. What it lacks is done here: line
numbers, one error not stopping the others, integers beyond 2⁵³, pages that quote a rule.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import yaml
from sigma.collection import SigmaCollection
from sigma.conditions import (
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionValueExpression,
)
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError, SigmaRuleLocation
from sigma.filters import SigmaFilter
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation
from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaCompareExpression, SigmaNumber

from tocsin.errors import Place, RuleError

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FENCE = re.compile(r"^```ya?ml[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_EXACT_IN_FLOAT = 2**53

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
        yield Parsed({}, error=_yaml_error(error, path, lines_before))
        return
    except (ValueError, RecursionError) as error:
        yield Parsed({}, error=RuleError(f"YAML cannot be read: {error}", Place(path)))
        return
    notes = _repeated_keys(text, lines_before)
    for number, document in enumerate(documents):
        if document is None:
            continue
        if not isinstance(document, dict):
            kind = type(document).__name__
            place = Place(path, lines_before + 1)
            yield Parsed({}, error=RuleError(f"a rule is a mapping, this is a {kind}", place))
            continue
        where = _Text(text, path, lines_before, number)
        yield replace(_parse_one(document, where, pipelines), notes=notes)


@dataclass(frozen=True, slots=True)
class _Text:
    """Where a document stands, to find the line of what is wrong in it."""

    text: str
    path: Path
    lines_before: int
    number: int

    def place(self, *keys: str) -> Place:
        """Return the place of a key, given the keys that lead to it."""
        nodes = list(yaml.compose_all(self.text, _Loader))
        node = nodes[self.number]
        line, column = node.start_mark.line, node.start_mark.column
        for key in keys:
            for candidate, value in _pairs(node):
                if candidate.value == key:
                    line, column = candidate.start_mark.line, candidate.start_mark.column
                    node = value
                    break
        return Place(self.path, self.lines_before + line + 1, column + 1)


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return list(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [pair for item in node.value for pair in _pairs(item)]
    return []


def _parse_one(
    data: dict[str, object], where: _Text, pipelines: tuple[ProcessingPipeline, ...]
) -> Parsed:
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
        return Parsed(data, error=RuleError(_message(error), where.place()))
    if errors or not documents:
        reason = errors[0] if errors else "neither a rule, a correlation nor a filter"
        return Parsed(data, error=RuleError(_message(reason), _error_place(data, where)))
    document = documents[0]
    if not isinstance(document, SigmaRule):
        return Parsed(data, document=document)
    _restore_integers(document, data)
    try:
        for pipeline in pipelines:
            pipeline.apply(document)
        trees = [condition.parsed for condition in document.detection.parsed_condition]
    except SigmaError as error:
        place = where.place("detection", "condition")
        return Parsed(data, error=RuleError(_message(error), place))
    return Parsed(data, document=document, conditions=tuple(tree for tree in trees if tree))


def load_pipeline(path: Path) -> ProcessingPipeline:
    """Read a pySigma processing pipeline from a YAML file."""
    try:
        return ProcessingPipeline.from_yaml(path.read_text("utf-8"), str(path))
    except (SigmaError, yaml.YAMLError, OSError) as error:
        raise RuleError(f"no processing pipeline: {_message(error)}", Place(path)) from None


def load_placeholders(path: Path) -> ProcessingPipeline:
    """Read placeholder values, a YAML mapping of name → list, as a pipeline that fills them in.

    Names that the file does not hold stay, so that lowering can name them.
    """
    try:
        data = yaml.load(path.read_text("utf-8"), _Loader)
    except (yaml.YAMLError, OSError) as error:
        raise RuleError(f"no placeholders: {_message(error)}", Place(path)) from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise RuleError("placeholders are a mapping of name to list of values", Place(path))
    values = {
        name: [str(item) for item in (value if isinstance(value, list) else [value])]
        for name, value in data.items()
    }
    fill_in = ValueListPlaceholderTransformation(include=list(values))
    return ProcessingPipeline(items=[ProcessingItem(fill_in)], vars=values)


def _error_place(data: Mapping[str, object], where: _Text) -> Place:
    """Find the first part of the detection that pySigma refuses by itself."""
    detection = data.get("detection")
    if not isinstance(detection, dict):
        return where.place()
    for name, section in detection.items():
        if name == "condition":
            continue
        for item in section if isinstance(section, list) else [section]:
            if isinstance(item, dict):
                for key, value in item.items():
                    if not _item_parses(key, value):
                        return where.place("detection", str(name), str(key))
    return where.place("detection")


def _item_parses(key: object, value: object) -> bool:
    try:
        SigmaDetectionItem.from_mapping(str(key), copy.deepcopy(value))
    except Exception:
        return False
    return True


def _message(error: object) -> str:
    text = str(error.args[0]) if isinstance(error, SigmaError) and error.args else str(error)
    return " ".join(text.split())


def _yaml_error(error: yaml.YAMLError, path: Path, lines_before: int) -> RuleError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    if mark is None:
        return RuleError(f"not YAML: {problem}", Place(path))
    return RuleError(
        f"not YAML: {problem}", Place(path, lines_before + mark.line + 1, mark.column + 1)
    )


def _repeated_keys(text: str, lines_before: int) -> tuple[str, ...]:
    """Name the keys that a mapping holds twice: YAML keeps the last, authors rarely mean it."""
    if not _looks_repeated(text):
        return ()
    notes = []
    stack: list[yaml.Node] = [node for node in yaml.compose_all(text, _Loader) if node]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: set[str] = set()
        for key, value in node.value:
            stack.append(value)
            if key.value in seen:
                line = lines_before + key.start_mark.line + 1
                notes.append(f"line {line}: the key {key.value!r} stands twice; the last counts")
            seen.add(key.value)
    return tuple(notes)


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

"""The rules of the corpus as pySigma reads them; nothing of Tocsin has a part in it."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from sigma import conditions
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import ValueListPlaceholderTransformation

from oracle import sigma_oracle

GROUPS = (conditions.ConditionAND, conditions.ConditionOR, conditions.ConditionNOT)
LEFT_OUT = "rules-placeholder"
PLACEHOLDERS = {"known_cdcs": ["dc01.corp.example", "dc02.corp.example"]}
"""Values for what two rules leave open for the user to fill in."""


@dataclass(frozen=True, eq=False)
class CorpusRule:
    """One detection rule: its conditions, alternatives of each other, and its log source."""

    id: str
    path: Path
    product: str | None
    category: str | None
    service: str | None
    trees: tuple[object, ...]

    @cached_property
    def leaves(self) -> tuple[object, ...]:
        return tuple(leaf for tree in self.trees for leaf in leaves_of(tree))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of fields as the rule spells them; those it compares with are among them."""
        pairs = ((leaf.field, leaf.value) for leaf in self.leaves if hasattr(leaf, "field"))
        names = ((field, getattr(value, "field", None)) for field, value in pairs)
        return tuple(dict.fromkeys(name for pair in names for name in pair if name))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Return what the rule asks for, as text."""
        return tuple(str(leaf.value) for leaf in self.leaves)

    @property
    def has_keywords(self) -> bool:
        return any(not hasattr(leaf, "field") for leaf in self.leaves)

    @property
    def log_source(self) -> str:
        """The log source as `--log-type` takes it."""
        return "/".join(part or "" for part in (self.product, self.category, self.service))

    def matches(self, event: dict, words: list[str] | None = None) -> bool:
        """Ask the oracle; keywords are sought in `words`, by default the texts of the event."""
        return sigma_oracle.matches(self.trees, event, words)


def leaves_of(node: object) -> Iterator[object]:
    if not isinstance(node, GROUPS):
        yield node
        return
    for part in node.args:
        yield from leaves_of(part)


def read_corpus(folder: Path) -> list[CorpusRule]:
    """Read every rule below a folder but those that need placeholders."""
    paths = [path for path in sorted(folder.rglob("*.yml")) if LEFT_OUT not in path.parts]
    collecting = gc.isenabled()
    gc.disable()
    try:
        return [read_rule(path) for path in paths]
    finally:
        if collecting:
            gc.enable()


def read_rule(path: Path) -> CorpusRule:
    text = path.read_text("utf-8")
    (rule,) = SigmaCollection.from_dicts([yaml.load(text, yaml.CSafeLoader)]).rules
    if "|expand:" in text:
        fill_in = ProcessingItem(ValueListPlaceholderTransformation())
        ProcessingPipeline(items=[fill_in], vars=PLACEHOLDERS).apply(rule)
    source = rule.logsource
    trees = tuple(condition.parsed for condition in rule.detection.parsed_condition)
    return CorpusRule(str(rule.id), path, source.product, source.category, source.service, trees)

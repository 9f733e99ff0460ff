"""Indicators that a user names as files, for the rules that compare events with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tocsin.condition.evaluate import holds
from tocsin.condition.tree import TRUE, Call, Field
from tocsin.engine.stages.indicators import Indicator, Indicators
from tocsin.errors import InputError
from tocsin.ids import event_id
from tocsin.jsontext import Json
from tocsin.logs.formats.open import log_files
from tocsin.logs.logtype import Shape
from tocsin.logs.mapping import Path as RecordPath
from tocsin.logs.view import RecordView
from tocsin.rules.model import Rule
from tocsin.rules.stages import IndicatorMatch
from tocsin.run.given import Given, read_records

_SHAPE = Shape("indicator", TRUE, RecordPath(("@timestamp",)))
"""Indicators are documents of the Elastic Common Schema; names are their own keys."""
_LEAVES = (Call("leaves"),)
FEED = "threat.feed.name"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The indicators of each rule, by its number, and what there is to say of them."""

    by_rule: Mapping[int, Indicators]
    problems: tuple[str, ...] = ()


def load_indicators(rules: Sequence[Rule], paths: Sequence[Path]) -> Loaded:
    """Read indicators for the rules that want some.

    Which index an indicator came from is not asked: the files that a user names stand for it.
    """
    wanting = {
        number: rule.stage
        for number, rule in enumerate(rules)
        if isinstance(rule.stage, IndicatorMatch)
    }
    if not wanting or not paths:
        return Loaded({})
    problems: list[str] = []
    views = [_View(given) for given in _read(paths, problems)]
    by_rule = {
        number: Indicators(stage, list(_of_rule(stage, views))) for number, stage in wanting.items()
    }
    problems += [
        f"{rules[number].name}: none of {len(views):,} indicators meets its condition"
        for number, found in by_rule.items()
        if not found.count
    ]
    return Loaded(by_rule, tuple(problems))


def _read(paths: Iterable[Path], problems: list[str]) -> Iterator[Given]:
    for path in paths:
        try:
            for given in chain.from_iterable(map(read_records, log_files(path))):
                if given.record is None:
                    problems.append(f"{given.place}: {given.problem}")
                else:
                    yield given
        except InputError as error:
            problems.append(str(error))


class _View:
    """An indicator as conditions see it."""

    def __init__(self, given: Given) -> None:
        assert given.record is not None
        self.given = given
        self.record: dict[str, Json] = given.record
        self.read = RecordView(given.record, _SHAPE, "ecs").read

    def texts(self, name: str) -> list[str]:
        return [str(text) for text in self.read(Field((name,), _LEAVES)) or ()]


def _of_rule(stage: IndicatorMatch, views: Iterable[_View]) -> Iterator[Indicator]:
    names = {one.indicator_field for item in stage.any_of for one in item}
    for view in views:
        if holds(stage.condition, view.read):
            yield Indicator(
                id=event_id(view.record),
                source=view.given.place,
                values={name: view.texts(name) for name in names},
                quoted=_object(view, stage.path),
                feed=next(iter(view.texts(FEED)), None),
            )


def _object(view: _View, path: str) -> Json:
    """Return what stands at a path; of a flat document the keys below it."""
    found = view.read(Field((path,)))
    if found:
        return found[0]  # type: ignore[return-value]
    below = f"{path}."
    return {
        key.removeprefix(below): value
        for key, value in view.record.items()
        if key.startswith(below)
    }

"""The tests that detections carry: a log, mocks, and whether an alert is expected."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from tocsin.sandbox.datamodel import DataModel
from tocsin.sandbox.event import Event, epoch
from tocsin.sandbox.expectations import RESULT, differences
from tocsin.sandbox.keyvalues import KeyValues
from tocsin.sandbox.runner import LoadedDetection, Outcome

LOOKUPS = "_mocked_lookup_data_"
"""The mock that holds rows of lookup tables: table → key → row."""

FILTERED = "_filtered"
"""Set in a test whose log does not pass the filters of the rule."""


class MockError(Exception):
    """A mock that cannot be put in place."""


def run_test(
    loaded: LoadedDetection,
    test: Mapping[str, Any],
    models: Mapping[str, DataModel],
    memory: KeyValues,
) -> tuple[Outcome, str]:
    """Run one test; return what the detection said, and why the test fails (empty: it passes)."""
    mocks = _mocks(test.get("Mocks"))
    event = _event(loaded, test, models, mocks.pop(LOOKUPS, {}))
    memory.clear()
    memory.now = epoch(event.get("p_event_time"))
    if loaded.module is None:
        return Outcome(error=loaded.error), loaded.error
    try:
        with _mocked(loaded.module, mocks):
            filtered = test.get(FILTERED) is True
            outcome = Outcome(output=False) if filtered else loaded.evaluate(event)
    except MockError as error:
        return Outcome(error=str(error)), str(error)
    return outcome, _failure(loaded, test, outcome)


def _event(
    loaded: LoadedDetection,
    test: Mapping[str, Any],
    models: Mapping[str, DataModel],
    rows: Any,
) -> Any:
    kind = loaded.detection.kind
    data = test.get("Resource" if kind == "policy" and "Resource" in test else "Log")
    data = data if isinstance(data, dict) else {}
    if kind == "policy":
        return data
    model = models.get(str(data.get("p_log_type"))) if kind == "python" else None
    tables = rows if isinstance(rows, dict) else {}
    return Event(data, model, lambda table, key: (tables.get(table) or {}).get(key))


def _failure(loaded: LoadedDetection, test: Mapping[str, Any], outcome: Outcome) -> str:
    """Say why what a detection said is not what is expected; empty if it is."""
    if outcome.error:
        return outcome.error
    alert_expected = test.get(RESULT) is (loaded.detection.kind != "policy")
    faults = outcome.faults.values() if alert_expected and outcome.matched else ()
    return "\n".join([*faults, *differences(test, outcome)])


def _mocks(data: Any) -> dict[str, Any]:
    entries: Sequence[Any] = data if isinstance(data, list) else []
    return {
        str(one["objectName"]): one.get("returnValue")
        for one in entries
        if isinstance(one, dict) and "objectName" in one
    }


@contextmanager
def _mocked(module: ModuleType, mocks: Mapping[str, Any]) -> Iterator[None]:
    """Replace names of a module by functions that return what the mocks say."""
    if not mocks:
        yield
        return
    from unittest.mock import MagicMock

    names = vars(module)
    if missing := [name for name in mocks if name not in names]:
        raise MockError(f"a mock is for {missing[0]!r}, which {module.__file__} does not have")
    before = {name: names[name] for name in mocks}
    names.update({name: MagicMock(return_value=value) for name, value in mocks.items()})
    try:
        yield
    finally:
        names.update(before)

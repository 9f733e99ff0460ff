"""The data models of a pack, by the log types that they are for."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from tocsin.sandbox.datamodel import DataModel, Meaning, ModelError, parse_path
from tocsin.sandbox.runner import load_module, told
from tocsin.sandbox.shims import Source


def load_models(models: Sequence[Mapping[str, Any]]) -> dict[str, DataModel]:
    """Make the data models that a pack declares; a broken one raises where it is used.

    Each has `id`, `log_types`, `mappings` as in its file, and `source`: path and text, or null.
    The first for a log type counts.
    """
    by_log_type: dict[str, DataModel] = {}
    for one in models:
        model = _load(one)
        for log_type in one["log_types"]:
            by_log_type.setdefault(log_type, model)
    return by_log_type


def _load(data: Mapping[str, Any]) -> DataModel:
    name = f"data model {data['id']}"
    try:
        module = load_module(Source(*data["source"])) if data["source"] else None
        return DataModel(data["id"], dict(_meanings(data["mappings"], module)))
    except ModelError as error:
        return DataModel(data["id"], {}, f"{name}: {error}")
    except BaseException as error:
        return DataModel(data["id"], {}, f"{name}: its Python {told(error)}")


def _meanings(
    mappings: Sequence[Mapping[str, Any]], module: ModuleType | None
) -> list[tuple[str, Meaning]]:
    return [(str(one.get("Name")), _meaning(one, module)) for one in mappings]


def _meaning(mapping: Mapping[str, Any], module: ModuleType | None) -> Meaning:
    if "Method" not in mapping:
        path = str(mapping.get("Path", ""))
        return Meaning(path.removeprefix("$").removeprefix("."), parse_path(path))
    name = str(mapping["Method"])
    method = getattr(module, name, None)
    if not callable(method):
        raise ModelError(f"the method {name} is not in its Python")
    return Meaning(name, method=method)

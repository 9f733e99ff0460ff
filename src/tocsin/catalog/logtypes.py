"""The log types as the catalogue compares rules on them: with names of other vocabularies beside.

Windows' own records are not documents of the Elastic Common Schema, but what its names would mean
in them is known. `equivalents.yaml` says it; the engine does not run rules by it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from tocsin.condition.functions import fold
from tocsin.logs.load import load_log_types, with_vocabulary
from tocsin.logs.logtype import LogType
from tocsin.yamltext import Yaml, read_yaml

_SOURCE = "equivalents.yaml"
_NAMES = "names"


@cache
def _equivalents() -> dict[str, Yaml]:
    data = read_yaml((files("tocsin.catalog") / _SOURCE).read_text("utf-8"))
    return data if isinstance(data, dict) else {}


@cache
def comparable_log_types() -> tuple[LogType, ...]:
    """Return the shipped log types with the names of the vocabularies that they are compared in."""
    known = _equivalents()
    return tuple(
        with_vocabulary(one, known[one.name], _SOURCE) if one.name in known else one
        for one in load_log_types()
    )


@cache
def common_names() -> Mapping[str, str]:
    """Return folded names of Sigma that no log type declares → names of ECS."""
    names = _equivalents()[_NAMES]
    return {fold(own): str(ecs) for own, ecs in names.items()} if isinstance(names, dict) else {}

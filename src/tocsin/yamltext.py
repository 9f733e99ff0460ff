"""Data files in YAML that ship with Tocsin or lie beside its rules, read once and then as JSON.

Parsing YAML takes longer than all else that a short command does. What a text means never changes,
so it is cached under the text's digest.
"""

from contextlib import suppress
from typing import TypeAlias

import orjson

from tocsin.caching import cache_folder, read_checked, write_checked
from tocsin.ids import digest

Yaml: TypeAlias = "bool | int | float | str | list[Yaml] | dict[str, Yaml] | None"


def read_yaml(text: str) -> Yaml:
    """Read a YAML text; raise `ValueError` with the place and the reason if it is none."""
    folder = cache_folder()
    if folder is None:
        return _parse(text)
    path = folder / "data" / f"{digest(text)[:32]}.json"
    data = read_checked(path)
    if data is not None:
        cached: Yaml = orjson.loads(data)
        return cached
    value = _parse(text)
    # What JSON cannot hold, such as a date, is refused where it is used.
    with suppress(TypeError):
        write_checked(path, orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME))
    return value


def _parse(text: str) -> Yaml:
    import yaml

    try:
        value: Yaml = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    return value

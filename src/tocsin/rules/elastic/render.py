"""The fields of a rule → the text of a rule file, in TOML."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def render_toml(data: Mapping[str, Any]) -> str:
    """Return tables as TOML that reads as the same data; null values are left out."""
    return "\n".join(_table(data, ())).strip() + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its values, and then the tables in it."""
    given = {key: value for key, value in table.items() if value is not None}
    for key, value in given.items():
        if not _holds_tables(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in given.items():
        name = (*path, key)
        if isinstance(value, Mapping):
            yield from ("", f"[{_dotted(name)}]", *_table(value, name))
        elif _holds_tables(value):
            for one in value:
                yield from ("", f"[[{_dotted(name)}]]", *_table(one, name))


def _holds_tables(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    many = isinstance(value, Sequence) and not isinstance(value, str) and bool(value)
    return many and all(isinstance(one, Mapping) for one in value)  # type: ignore[attr-defined]


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(map(_key, path))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _lines(value) if "\n" in value else _text(value)
    if isinstance(value, Mapping):
        inner = (f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None)
        return f"{{ {', '.join(inner)} }}"
    if isinstance(value, list | tuple):
        return _list(value)
    return str(value)


def _list(values: Sequence[Any]) -> str:
    items = [_value(one) for one in values]
    short = f"[{', '.join(items)}]"
    if len(short) <= 100 and "\n" not in short:
        return short
    return "\n".join(("[", *(f"    {one}," for one in items), "]"))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(text: str) -> str:
    """Write a text of several lines as it stands, where that is possible."""
    if "'''" not in text and not text.endswith("'") and _is_plain(text):
        return f"'''\n{text}'''"
    escaped = "\n".join(_text(line)[1:-1] for line in text.split("\n"))
    return f'"""\n{escaped}"""'


def _is_plain(text: str) -> bool:
    return all(one in "\n\t" or one.isprintable() or one == "\u00a0" for one in text)

"""Index patterns of Elastic: which of the indices of a log type they choose.

https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions
"""

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache


def chosen(indices: Iterable[str], patterns: Iterable[str]) -> bool:
    """Say whether patterns choose any of some indices, which are given by whole names.

    A pattern behind `-` takes away what those on its left chose. The name of a cluster in front of
    `:` is read over: which cluster holds a log does not matter here.
    """
    left = set(indices)
    found: set[str] = set()
    for number, pattern in enumerate(patterns):
        name = pattern.rpartition(":")[2]
        if number and pattern.startswith("-"):
            found -= _matching(name.removeprefix("-"), found)
        else:
            found |= _matching(name, left)
    return bool(found)


def _matching(pattern: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if _compiled(pattern).fullmatch(name)}


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]").replace("?", "[?]")))

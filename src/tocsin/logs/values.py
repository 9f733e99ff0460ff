"""What a path or a name reads from a record: values.

What is absent reads as `None`. Everything else reads as a list of values: arrays are flattened into
their members (an empty array stays, as `[]`), objects stay whole, null is a value. Reading fans out
over arrays: `targets.id` reads the `id` of every target.
"""

from typing import TypeAlias

from tocsin.condition.functions import fold, members
from tocsin.jsontext import Json

Values: TypeAlias = "list[Json] | None"


def walk(value: Json, path: tuple[str, ...]) -> Values:
    """Read the values at an exact path; None if it leads nowhere."""
    if not path:
        return list(members(value))
    if isinstance(value, dict):
        return walk(value[path[0]], path[1:]) if path[0] in value else None
    if isinstance(value, list):
        return gather([walk(item, path) for item in without_arrays(value)])
    return None


def look_up(value: Json, segments: tuple[str, ...]) -> Values:
    """Read the values of a dotted name, given as its segments.

    Keys are tried as they stand before they are tried ignoring case; in each pass a literal key of
    several segments goes before a nested path, the longest first.
    """
    found = look_up_once(value, segments, ignore_case=False)
    return look_up_once(value, segments, ignore_case=True) if found is None else found


def look_up_once(value: Json, segments: tuple[str, ...], *, ignore_case: bool) -> Values:
    """Read the values of a dotted name in one reading of case."""
    if not segments:
        return list(members(value))
    if isinstance(value, list):
        each = [
            look_up_once(item, segments, ignore_case=ignore_case) for item in without_arrays(value)
        ]
        return gather(each)
    if not isinstance(value, dict):
        return None
    for length in range(len(segments), 0, -1):
        for key in find_keys(tuple(value), ".".join(segments[:length]), ignore_case=ignore_case):
            found = look_up_once(value[key], segments[length:], ignore_case=ignore_case)
            if found is not None:
                return found
    return None


def find_path(value: Json, segments: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the keys that `look_up` follows up to the first array; None if it finds nothing."""
    for ignore_case in (False, True):
        if look_up_once(value, segments, ignore_case=ignore_case) is not None:
            return _find_path(value, segments, ignore_case=ignore_case)
    return None


def _find_path(value: Json, segments: tuple[str, ...], *, ignore_case: bool) -> tuple[str, ...]:
    if not isinstance(value, dict):
        return segments
    for length in range(len(segments), 0, -1):
        rest = segments[length:]
        for key in find_keys(tuple(value), ".".join(segments[:length]), ignore_case=ignore_case):
            if look_up_once(value[key], rest, ignore_case=ignore_case) is not None:
                deeper = _find_path(value[key], rest, ignore_case=ignore_case) if rest else ()
                return (key, *deeper)
    return ()


def find_keys(keys: tuple[str, ...], wanted: str, *, ignore_case: bool) -> list[str]:
    """Return the keys that a name may stand for: the exact one first, then those that fold to it.

    Of several the first that leads to a value is taken.
    """
    exact = [wanted] if wanted in keys else []
    if not ignore_case:
        return exact
    folded = fold(wanted)
    return exact + [key for key in keys if key != wanted and fold(key) == folded]


def without_arrays(array: list[Json]) -> list[Json]:
    """Return the members of an array that a path can go on from: none are arrays themselves."""
    return [item for item in members(array) if not isinstance(item, list)]


def gather(found: list[Values]) -> Values:
    """Return all values of several readings; None if every one of them was absent."""
    present = [values for values in found if values is not None]
    return [item for values in present for item in values] if present else None

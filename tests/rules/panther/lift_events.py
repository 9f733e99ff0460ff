"""Events with something wrong somewhere: missing, null, of another type, in another case."""

import json
import random
from typing import Any

WRONG = (None, "", "x", 0, 1, -1, 3.5, True, False, [], {}, [None], ["a", "b"], [[1], [{}]],
         [{"name": "x"}], {"a": {"b": 1}}, "10.0.0.1", "8.8.8.8", "arn:aws:iam::1:user/x", 10**12,
         "{\"a\": 1}", "ÀÉ", "a/b/c/d/e", "x@y.z")  # fmt: skip


def mutate(value: Any, rng: random.Random) -> Any:
    """Return a copy of a JSON value with one to three changes somewhere in it."""
    changed = json.loads(json.dumps(value))
    for _ in range(rng.randint(1, 3)):
        changed = _mutate_once(changed, rng)
    return changed if isinstance(changed, dict) else {}


def _mutate_once(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        if rng.random() < 0.55 and isinstance(value[key], dict | list):
            return {**value, key: _mutate_once(value[key], rng)}
        return _mutate_member(value, key, rng)
    if isinstance(value, list) and value:
        at = rng.randrange(len(value))
        choice = rng.random()
        if choice < 0.6:
            return [*value[:at], _mutate_once(value[at], rng), *value[at + 1 :]]
        if choice < 0.75:
            return value[:at] + value[at + 1 :]
        return [*value[:at], rng.choice(WRONG), *value[at:]] if choice < 0.9 else [value]
    return _mutate_scalar(value, rng)


def _mutate_scalar(value: Any, rng: random.Random) -> Any:
    if isinstance(value, str) and rng.random() < 0.5:
        spelled = [value.upper(), value.lower(), value.title(), value + "x", f" {value} "]
        return rng.choice([*spelled, value[1:], value[: len(value) // 2], [value], {"v": value}])
    if isinstance(value, bool) and rng.random() < 0.5:
        return not value
    if isinstance(value, int | float) and rng.random() < 0.5:
        return rng.choice((value + 1, -value, float(value), str(value), value * 1000))
    return rng.choice(WRONG)


def _mutate_member(value: dict[str, Any], key: str, rng: random.Random) -> dict[str, Any]:
    choice = rng.random()
    rest = {other: item for other, item in value.items() if other != key}
    if choice < 0.25:
        return rest
    if choice < 0.45:
        spelled = rng.choice((key.upper(), key.lower(), key.swapcase()))
        return {**rest, spelled: value[key]} if rng.random() < 0.7 else {spelled: 1, **value}
    if choice < 0.55:
        return {**value, key: None}
    return {**value, key: _mutate_scalar(value[key], rng)}

"""Texts that meet a comparison: what generated events hold."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from tocsin.condition.evaluate import as_number
from tocsin.condition.tree import Call, Glob, Op, Predicate, Regex, Value, Wild

FILLERS = ("", "x", "q7", "C:\\a b\\", " -k ", "é", "0")
_CLASSES = {"d": "0123456789", "w": "abzAZ09_", "s": " \t", "D": "ab- ", "W": " -./", "S": "az09-"}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}
_REPEATS = re.compile(r"\{(\d+)(?:(,)(\d*))?\}|[*+?]")
_PRINTABLE = [chr(code) for code in range(33, 127)]

_OF_KIND: Mapping[str, object] = {
    "boolean": True, "integer": 1, "float": 1.5, "text": "a", "list": ["a"], "object": {"a": "a"},
}  # fmt: skip
"""A value of each kind that `kind` names, null aside."""


@dataclass(slots=True)
class Wanted:
    """What a text must be: all of it, or how it starts, what it holds, how it ends."""

    whole: object = None
    start: str = ""
    middle: list[str] = field(default_factory=list)
    end: str = ""

    def value(self, chance: Random) -> object:
        """Return a value that is as wanted, if that is possible at all."""
        if self.whole is not None:
            return self.whole
        parts = [part for part in self.middle if part not in self.start and part not in self.end]
        between = chance.choice(FILLERS)
        return self.start + between.join(["", *parts, ""]) + self.end


def wanted(predicates: Iterable[Predicate], chance: Random) -> Wanted:
    """Choose one value of each predicate and put together what a text must be for all."""
    found = Wanted()
    for predicate in predicates:
        if predicate.values:
            _add(found, predicate.op, chance.choice(predicate.values), chance)
        elif predicate.op is Op.EXISTS and found.whole is None:
            found.middle.append("a")
    return found


def _add(found: Wanted, op: Op, value: Value, chance: Random) -> None:
    match op:
        case Op.CONTAINS:
            found.middle.append(str(value))
        case Op.STARTSWITH:
            found.start = max(found.start, str(value), key=len)
        case Op.ENDSWITH:
            found.end = max(found.end, str(value), key=len)
        case Op.GLOB if isinstance(value, Glob):
            found.middle.append(_of_glob(value, chance))
        case Op.REGEX if isinstance(value, Regex):
            _add_regex(found, value, chance)
        case Op.CIDR:
            found.whole = _address(str(value), chance)
        case Op.LESS | Op.LESS_OR_EQUAL | Op.GREATER | Op.GREATER_OR_EQUAL:
            found.whole = _number(op, value, chance)
        case _:
            found.whole = value if not isinstance(value, Decimal) else float(value)


def _of_glob(glob: Glob, chance: Random) -> str:
    wild = {Wild.ANY: lambda: chance.choice(FILLERS), Wild.ONE: lambda: chance.choice("xA7")}
    return "".join(wild[p]() if isinstance(p, Wild) else p for p in glob.parts)


def _add_regex(found: Wanted, regex: Regex, chance: Random) -> None:
    text = RegexText(regex.pattern, chance).text()
    if regex.pattern.startswith(("^", r"\A")):
        found.start = text
    elif regex.pattern.endswith("$"):
        found.end = text
    else:
        found.middle.append(text)


def _address(network: str, chance: Random) -> str:
    try:
        known = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return network
    return str(known[chance.randrange(min(known.num_addresses, 1 << 16))])


def _number(op: Op, value: Value, chance: Random) -> int | float:
    bound = as_number(value) or 0
    step = chance.choice((0, 1, 5) if "equal" in op.value else (1, 5))
    number = bound - step if op in {Op.LESS, Op.LESS_OR_EQUAL} else bound + step
    return number if isinstance(number, int) else float(number)


class RegexText:
    """Makes a text that a regex of the usual kind finds; a guess where it is of another kind."""

    def __init__(self, pattern: str, chance: Random) -> None:
        self._pattern = re.sub(r"\(\?[a-z]+\)", "", pattern)
        self._chance = chance
        self._at = 0

    def text(self) -> str:
        """Return a text; another one each time that chance says so."""
        return self._choice()

    def _choice(self) -> str:
        """Make one of several alternatives, up to the end of the group."""
        made = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            made.append(self._sequence())
        return self._chance.choice(made)

    def _sequence(self) -> str:
        parts: list[str] = []
        while self._next() not in {"", "|", ")"}:
            start = self._at
            part = self._atom()
            low, high = self._repeats()
            for turn in range(self._chance.randint(low, high)):
                end, self._at = self._at, start
                parts.append(self._atom() if turn else part)
                self._at = end
        return "".join(parts)

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _atom(self) -> str:
        letter = self._next()
        self._at += 1
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._chance.choice(self._letters())
        if letter == "\\":
            return self._escape()
        if letter == ".":
            return self._chance.choice("aZ7")
        return "" if letter in "^$" else letter

    def _group(self) -> str:
        if found := re.compile(r"\?(?::|P?<\w+>|[a-z]+:)").match(self._pattern, self._at):
            self._at = found.end()
        text = self._choice()
        self._at += 1
        return text

    def _escape(self) -> str:
        letter = self._next()
        self._at += 1
        if letter == "x" and (found := re.match(r"[0-9A-Fa-f]{2}", self._pattern[self._at :])):
            self._at += 2
            return chr(int(found[0], 16))
        if letter in _CLASSES:
            return self._chance.choice(_CLASSES[letter])
        return "" if letter in "bBAzZ" else _ESCAPES.get(letter, letter)

    def _letters(self) -> Sequence[str]:
        """Read a class of letters; return those that it stands for."""
        negated = self._next() == "^"
        self._at += negated
        letters: list[str] = []
        first = True
        while (letter := self._next()) and (letter != "]" or first):
            first = False
            self._at += 1
            if letter == "\\":
                kind = self._next()
                self._at += 1
                letters += _CLASSES.get(kind, _ESCAPES.get(kind, kind))
            elif self._pattern[self._at : self._at + 1] == "-" and (
                self._pattern[self._at + 1 : self._at + 2] not in {"]", "\\", ""}
            ):
                end = self._pattern[self._at + 1]
                self._at += 2
                letters += map(chr, range(ord(letter), min(ord(end), ord(letter) + 200) + 1))
            else:
                letters.append(letter)
        self._at += 1
        if negated:
            letters = [one for one in _PRINTABLE if one not in letters]
        return letters or ["a"]

    def _repeats(self) -> tuple[int, int]:
        found = _REPEATS.match(self._pattern, self._at)
        if not found:
            return 1, 1
        self._at = found.end()
        if self._next() in {"?", "+"}:
            self._at += 1
        if found[0] in {"*", "+", "?"}:
            return {"*": (0, 2), "+": (1, 3), "?": (0, 1)}[found[0]]
        low = min(int(found[1]), 200)
        high = int(found[3]) if found[3] else low + (2 if found[2] else 0)
        return low, max(low, min(high, low + 5))


def before(call: Call, value: object) -> object:
    """Return what a function makes a value from, as far as that is known."""
    text = str(value)
    match call.name:
        case "split" | "str.part":
            separator, index = str(call.args[0]), int(call.args[1])
            filler = "a" + separator
            if index < 0:
                return filler + text + (separator + "a") * (-1 - index)
            return filler * index + text + ("" if index else separator + "a")
        case "after":
            return f"/a{call.args[0]}{text}/b"
        case "append":
            return text.removesuffix(str(call.args[0]))
        case "length" | "len":
            return "a" * min(int(text), 5000) if text.isdigit() else text
        case "kind":
            return deepcopy(_OF_KIND.get(text))
        case "truth":
            return "a" if value else ""
        case "has_key":
            return {str(call.args[0]): "a"} if value else {}
        case "members":
            return [value]
        case "words" | "tokens":
            return text.strip()
        case "times":
            return value
        case _:
            return value

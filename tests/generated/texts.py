"""Make values for the leaves of pySigma's trees: texts with wildcards, regexes, addresses, numbers.

Nothing here promises that a value fits; whoever asks tries one candidate after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from random import Random
from re import _constants as op
from re import _parser as regex_parser
from string import ascii_letters, digits, punctuation

from sigma import types

ATTEMPTS = 80
GLUES = ("", " ", "q", "7", "\\", "/", ".", "Q7 ", "-", "zq7", " x ", "_", "=", "|")
ODD_GLUES = ("\n", "İ", '"', "ß\t", "\u2028", "😀", "\\n", "\r\nx", "%s", "{}", "Σς", "\x7f")
PRESENT = ("q7", "w", "0", "true", "C:\\q\\w.exe", "/q/w", "10.11.12.13", "x" * 40)
ELSEWHERE = ("8.8.8.8", "203.0.113.7", "10.1.2.3", "2001:4860:4860::8888", "fd00::1")
PRINTABLE = ascii_letters + digits + " " + punctuation + "\t\n"


@dataclass(frozen=True)
class Parts:
    """A text as far as it is fixed: how it starts, what stands inside in order, how it ends."""

    head: str = ""
    inner: tuple[str, ...] = ()
    tail: str = ""
    whole: bool = False
    """The head is all of it."""


def candidates(
    values: Sequence[types.SigmaType], chance: Random, *, odd: bool = False
) -> Iterator[object]:
    """Yield what may fit all values at once; `odd` puts strange characters where any may stand."""
    glues = ODD_GLUES + GLUES if odd else GLUES
    start = chance.randrange(len(ODD_GLUES)) if odd else 0
    for value in values:
        yield from scalars(value)
    texts = [value for value in values if is_text(value)]
    if not texts:
        yield from PRESENT
        return
    for attempt in range(ATTEMPTS):
        parts = [parts_of(value, chance) for value in texts]
        glue = glues[(start + attempt) % len(glues)]
        yield from combined(parts, glue, attempt, chance, odd=odd)


def is_text(value: types.SigmaType) -> bool:
    return isinstance(value, types.SigmaString | types.SigmaRegularExpression)


def scalars(value: types.SigmaType) -> Iterator[object]:
    """Yield what fits a value that is no text."""
    match value:
        case types.SigmaBool(boolean=boolean):
            yield from (boolean, str(boolean).lower())
        case types.SigmaNumber(number=number):
            yield from (number, str(number))
        case types.SigmaCompareExpression(number=types.SigmaNumber(number=number)):
            yield from (number, number - 1, number + 1)
        case types.SigmaCIDRExpression(network=network):
            yield from (str(network[0]), str(network[-1]), str(network[network.num_addresses // 2]))


def parts_of(value: types.SigmaType, chance: Random) -> Parts:
    if isinstance(value, types.SigmaRegularExpression):
        return regex_parts(str(value.regexp), chance)
    return glob_parts(value, chance)


def glob_parts(value: types.SigmaString, chance: Random) -> Parts:
    """Cut a text at its `*`; any character stands for a `?`."""
    segments = [""]
    for part in value.s:
        if part is types.SpecialChars.WILDCARD_MULTI:
            segments.append("")
        else:
            segments[-1] += part if isinstance(part, str) else chance.choice("x7Q")
    if len(segments) == 1:
        return Parts(segments[0], whole=True)
    return Parts(segments[0], tuple(segments[1:-1]), segments[-1])


def regex_parts(pattern: str, chance: Random) -> Parts:
    """Make a text that a regex finds, placed where its anchors want it."""
    parsed = list(regex_parser.parse(pattern))
    text = RegexText(chance).sequence(parsed)
    starts = bool(parsed) and parsed[0] == (op.AT, op.AT_BEGINNING)
    ends = bool(parsed) and parsed[-1] == (op.AT, op.AT_END)
    if starts and ends:
        return Parts(text, whole=True)
    if starts:
        return Parts(text)
    return Parts(tail=text) if ends else Parts(inner=(text,))


class RegexText:
    """Walks a parsed regex and writes a text for it; anchors write nothing."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.groups: dict[int, str] = {}

    def sequence(self, parsed: Sequence[tuple]) -> str:
        return "".join(self.node(kind, argument) for kind, argument in parsed)

    def node(self, kind: object, argument: object) -> str:
        if kind is op.LITERAL:
            return chr(argument)
        if kind in {op.ANY, op.NOT_LITERAL, op.IN}:
            return self.one_of(kind, argument)
        if kind is op.BRANCH:
            return self.sequence(self.chance.choice(argument[1]))
        if kind is op.SUBPATTERN:
            self.groups[argument[0]] = self.sequence(argument[3])
            return self.groups[argument[0]]
        if kind is op.GROUPREF:
            return self.groups[argument]
        if kind in {op.MAX_REPEAT, op.MIN_REPEAT}:
            least, most, inner = argument
            times = min(least + self.chance.randrange(3), most)
            return "".join(self.sequence(inner) for _ in range(times))
        assert kind is op.AT, f"no text is made for {kind}"
        return ""

    def one_of(self, kind: object, argument: object) -> str:
        if kind is op.ANY:
            return self.chance.choice(ascii_letters + digits)
        if kind is op.NOT_LITERAL:
            return self.chance.choice([one for one in ascii_letters if ord(one) != argument])
        allowed = [one for one in PRINTABLE if in_set(one, argument)]
        plain = [one for one in allowed if one.isalnum()]
        return self.chance.choice(plain or allowed or [chr(argument[0][1])])


CATEGORIES = {
    op.CATEGORY_DIGIT: str.isdigit,
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_WORD: lambda one: one.isalnum() or one == "_",
    op.CATEGORY_NOT_DIGIT: lambda one: not one.isdigit(),
    op.CATEGORY_NOT_SPACE: lambda one: not one.isspace(),
    op.CATEGORY_NOT_WORD: lambda one: not (one.isalnum() or one == "_"),
}


def in_set(character: str, items: Sequence[tuple]) -> bool:
    """Say whether a character is in a parsed set such as `[a-z]` or `[^/]`."""
    negated = items[0][0] is op.NEGATE
    return negated != any(in_item(character, kind, argument) for kind, argument in items)


def in_item(character: str, kind: object, argument: object) -> bool:
    if kind is op.LITERAL:
        return ord(character) == argument
    if kind is op.RANGE:
        return argument[0] <= ord(character) <= argument[1]
    return kind is op.CATEGORY and CATEGORIES[argument](character)


def combined(
    parts: Sequence[Parts], glue: str, attempt: int, chance: Random, *, odd: bool
) -> Iterator[str]:
    """Write one text of all parts: the longest start, everything inside, the longest end."""
    wholes = [part.head for part in parts if part.whole]
    if wholes:
        yield from wholes
        return
    head = max((part.head for part in parts), key=len)
    tail = max((part.tail for part in parts), key=len)
    inner = [text for part in parts for text in part.inner if text]
    if not odd:
        yield max((head, tail, *inner), key=len)
    if attempt % 3 == 1:
        inner.reverse()
    elif attempt % 3 == 2 and attempt > 5:
        chance.shuffle(inner)
    least = glue.join(text for text in (head, *uncovered(inner, (head, tail)), tail) if text)
    yield glue + least + glue if odd else least
    yield head + glue + glue.join(inner) + glue + tail


def uncovered(inner: Sequence[str], around: Sequence[str]) -> list[str]:
    """Drop the texts that another one holds already."""
    kept: list[str] = []
    for number, text in enumerate(inner):
        others = (*around, *kept, *inner[number + 1 :])
        if not any(text.lower() in other.lower() for other in others):
            kept.append(text)
    return kept


def altered(value: object) -> Iterator[object]:
    """Yield values that differ a little from one, then more."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value + 1_000_003)
    elif isinstance(value, str):
        yield from altered_text(value)
        yield from ELSEWHERE if is_address(value) else ()
        yield from ("~", "!~!")


def altered_text(text: str) -> Iterator[str]:
    middle = len(text) // 2
    if text:
        yield text[:-1] + other_than(text[-1])
        yield other_than(text[0]) + text[1:]
        yield text[:middle] + other_than(text[middle]) + text[middle + 1 :]
        yield text[:-1]
        yield text[1:]
    yield text + "~"
    yield "~" + text
    yield "".join(map(other_than, text))


def other_than(character: str) -> str:
    return "~" if character != "~" else "!"


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""The order of keywords as a regular expression.

Keywords are ordered by the bytes of their UTF-8, which is the order of their code points. So what
lies before or behind a text can be said by the first character in which it differs.
"""

from tocsin.condition.tree import Regex
from tocsin.rules.elastic.kql.tree import Order

MAX_BOUND = 200
_LAST = 0x10FFFF


def order_regex(bound: str, order: Order) -> Regex | None:
    """Return a regex for the texts on one side of a bound; None if there are none.

    The bound has at most `MAX_BOUND` characters.
    """
    less = order in {Order.LESS, Order.LESS_OR_EQUAL}
    branches = [
        f"{_text(bound[:at])}{differing}"
        for at, character in enumerate(bound)
        if (differing := (_below if less else _above)(ord(character)))
    ]
    if less:
        branches += [f"{_text(bound[:at])}\\z" for at in range(len(bound))]
    if order is Order.LESS_OR_EQUAL:
        branches.append(f"{_text(bound)}\\z")
    if order is Order.GREATER:
        branches.append(f"{_text(bound)}.")
    if order is Order.GREATER_OR_EQUAL:
        branches.append(_text(bound))
    return Regex(f"\\A(?:{'|'.join(branches)})", "s") if branches else None


def _text(text: str) -> str:
    return "".join(f"\\x{{{ord(one):x}}}" for one in text)


def _below(code: int) -> str:
    return f"[\\x{{0}}-\\x{{{code - 1:x}}}]" if code else ""


def _above(code: int) -> str:
    return f"[\\x{{{code + 1:x}}}-\\x{{{_LAST:x}}}]" if code < _LAST else ""

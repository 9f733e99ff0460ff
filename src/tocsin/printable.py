"""Text from events and rules, made safe to print: whoever wrote it cannot move the cursor."""

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Write control characters, and those that turn the reading direction, as escapes."""
    return _UNSAFE.sub(lambda found: _escaped(ord(found[0])), text)


def printable_lines(text: str) -> str:
    """Do the same to each line of a text."""
    return "\n".join(map(printable, text.split("\n")))


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

"""JSON lines (NDJSON): a record per line. A line that is a wrapper holds the records inside it."""

import re
from collections.abc import Iterator

from tocsin.logs.formats.blocks import Block, line_blocks
from tocsin.logs.formats.content import HEAD_BYTES, Content

_OBJECT_LINE = re.compile(rb"^[ \t]*[{\[]", re.MULTILINE)


def recognise(head: bytes) -> bool:
    """Say whether text begins like JSON, or goes on as lines that mostly do."""
    head = head.lstrip()[:HEAD_BYTES]
    if head[:1] in {b"{", b"["}:
        return True
    filled = sum(map(bool, map(bytes.strip, head.splitlines())))
    return 0 < filled <= len(_OBJECT_LINE.findall(head)) * 2


def blocks(content: Content) -> Iterator[Block]:
    """Yield blocks of whole lines."""
    return line_blocks(content.chunks(), offset=content.offset)

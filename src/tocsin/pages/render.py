"""Views → HTML, in one file that loads nothing, whatever events and rules hold.

Every value is escaped by the template engine, after control characters and those that turn the
reading direction are written out. The page's own style and script are allowed by their digests;
its policy allows nothing else.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import accumulate
from shlex import join
from urllib.parse import urlsplit

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from tocsin.pages.report import Report
from tocsin.printable import printable_lines
from tocsin.times import format_time

BUFFERED = 500
"""Pieces of a page that are joined before they are written."""

DEEPEST = 12
"""From this depth on a record is not indented further."""


def render_report(report: Report) -> Iterator[bytes]:
    """Write the page of a report, piece by piece."""
    style = static_text("tokens.css") + static_text("report.css")
    script = static_text("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    stream = (
        environment()
        .get_template("report.html")
        .stream(report=report, policy=policy, style=Markup(style), script=Markup(script))
    )
    stream.enable_buffering(BUFFERED)
    return (piece.encode() for piece in stream)


@cache
def environment() -> Environment:
    """Return what renders every template: values are escaped, and what misleads is written out."""
    made = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: _text(f"templates/{name}")),
        undefined=StrictUndefined,
        finalize=safe_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(_FILTERS)
    return made


def static_text(name: str) -> str:
    """Return a file that pages are styled or moved by."""
    return "\n" + _text(f"static/{name}")


def _text(name: str) -> str:
    return (files("tocsin.pages") / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def safe_text(value: object) -> object:
    """Write out what could mislead a reader; what the page itself is made of stays."""
    if value is None:
        return ""
    return printable_lines(value) if isinstance(value, str) and not _is_markup(value) else value


def _is_markup(value: str) -> bool:
    return isinstance(value, Markup)


def web_address(text: str) -> str:
    """Return a text if it is an address that a browser may open, else nothing."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.netloc else ""


def when(time: datetime | None) -> str:
    """Write a time for people."""
    return format_time(time)[:19].replace("T", " ") if time else "no time"


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')


def indented(text: str) -> str:
    """Write JSON with an indent, every number and text as it was; it may end anywhere."""
    tokens = _TOKEN.findall(text)
    opens = (1 if token in "{[" else -1 if token in "}]" else 0 for token in tokens)
    depths = list(accumulate(opens))
    pieces: list[str] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        fresh = before in ("{", "[", ",") or token in ("}", "]")
        if fresh and at and (before, token) not in (("{", "}"), ("[", "]")):
            pieces.append("\n" + "  " * max(min(depths[at] - (token in ("{", "[")), DEEPEST), 0))
        pieces.append(": " if token == ":" else token)
    return "".join(pieces)


def size(count: int) -> str:
    """Write a number of bytes for people."""
    for limit, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if count >= limit:
            return f"{count / limit:,.1f} {unit}"
    return f"{count} bytes"


def lasted(seconds: float) -> str:
    """Write a duration for people."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):,} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


_FILTERS: Mapping[str, Callable[..., object]] = {
    "count": lambda number: f"{number:,}",
    "plural": lambda number, one, several: f"{number:,} {one if number == 1 else several}",
    "when": when,
    "iso": lambda time: format_time(time) if time else "",
    "day": lambda time: f"{time.day} {time:%B %Y}",
    "web_address": web_address,
    "file_name": lambda path: path.rstrip("/").rsplit("/", 1)[-1] or path,
    "command": join,
    "indented": indented,
    "lines": lambda text: text.expandtabs(4),
    "size": size,
    "lasted": lasted,
}

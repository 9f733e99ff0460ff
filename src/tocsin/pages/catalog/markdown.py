"""Markdown of rules → HTML that can do nothing but be read."""

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from tocsin.printable import printable_lines

LONGEST = 200_000
"""Characters of one text that are shown formatted; the rest is cut, and that is said."""

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")


def render_markdown(text: str) -> Markup:
    """Format a text; HTML in it is shown as it is written, pictures as their descriptions.

    Its highest headings become those below a section of a page.
    """
    shown = printable_lines(text[:LONGEST].replace("\r\n", "\n").replace("\t", "    "))
    try:
        html = _parser().render(shown)
    except RecursionError:
        html = f"<pre>{escape(shown)}</pre>"
    levels = [int(found[2]) for found in _HEADING.finditer(html)]
    down = 3 - min(levels, default=3)
    lowered = _HEADING.sub(lambda found: f"{found[1]}{min(int(found[2]) + down, 6)}", html)
    clean = nh3.clean(
        lowered,
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
    )
    cut = f"<p>… {len(text) - LONGEST:,} more characters</p>" if len(text) > LONGEST else ""
    return Markup(clean.replace("<pre>", '<pre tabindex="0">') + cut)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 40})
    return parser.enable(["table"]).disable("image")

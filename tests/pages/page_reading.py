"""Read a page as a browser's parser would, and say what it holds."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br"}
BLOCKS = {"td", "th", "dt", "dd", "li", "p", "ul", "div", "pre", "summary", "br"}
"""Elements whose text is apart from that before them."""


@dataclass
class Page(HTMLParser):
    """The elements, ids, links and text of a page; `broken` are tags that do not match."""

    text: str = ""
    tags: Counter[str] = field(default_factory=Counter)
    ids: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    open: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    """Text by the nearest element above it that has an id."""
    raw: dict[str, str] = field(default_factory=dict)
    """What stands in `style` and `script`."""
    policy: str = ""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self._ids: list[str] = []
        self._pieces: list[str] = []
        self._by_id: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element(tag, dict(attrs))
        if tag in BLOCKS:
            self.handle_data(" ")
        if tag not in VOID:
            self.open.append(tag)
            self._ids.append(dict(attrs).get("id") or (self._ids[-1] if self._ids else ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element(tag, dict(attrs))

    def _element(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tags[tag] += 1
        self.attributes |= set(attributes)
        if attributes.get("id"):
            self.ids[str(attributes["id"])] += 1
        if "href" in attributes:
            self.links.append(attributes["href"] or "")
        if attributes.get("http-equiv") == "Content-Security-Policy":
            assert self.tags["style"] == self.tags["script"] == 0, "the policy comes first"
            self.policy = attributes["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.broken.append(f"{tag} inside {self.open[-3:]} at {self.getpos()}")
        else:
            self.open.pop()
            self._ids.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"style", "script"}:
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
            return
        self._pieces.append(data)
        for name in dict.fromkeys(self._ids):
            self._by_id.setdefault(name, []).append(data)

    def close(self) -> None:
        super().close()
        self.text = " ".join("".join(self._pieces).split())
        self.parts = {name: " ".join("".join(text).split()) for name, text in self._by_id.items()}


def read_page(html: str) -> Page:
    """Parse a page; entities are decoded, white space is made one blank."""
    page = Page()
    page.feed(html)
    page.close()
    return page

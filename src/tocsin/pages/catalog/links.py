"""Addresses inside the catalogue, relative to a page, so that it works from any folder."""

from dataclasses import dataclass
from urllib.parse import quote as percent

from tocsin.catalog.addresses import slug


@dataclass(frozen=True, slots=True)
class Links:
    """Writes addresses for pages that are so many folders below the root of the site."""

    depth: int = 0

    @property
    def root(self) -> str:
        """Return the way up to the root."""
        return "../" * self.depth

    def to(self, path: str) -> str:
        """Return the address of a file of the site."""
        return self.root + percent(path)

    def rule(self, address: str) -> str:
        """Return the address of a rule's page."""
        return self.to(f"rules/{address}.html")

    def search(self, query: str) -> str:
        """Return the address that searches for a query; empty for none."""
        return f"{self.root}search.html?q={percent(query, safe='')}" if query else ""

    def technique(self, technique: str) -> str:
        """Return the address of a technique's or tactic's page."""
        return self.to(f"attack/{slug(technique).upper()}.html")

    def service(self, name: str, operation: str = "") -> str:
        """Return the address of a service's page, or of an operation on it."""
        anchor = f"#{slug(operation)}" if operation else ""
        return self.to(f"operations/{slug(name)}.html") + anchor

    def pack(self, pack: str) -> str:
        """Return the address of the list of a pack's rules."""
        return self.to(f"packs/{slug(pack)}.html")

"""The pages about operations: a list of services, and a page per service."""

from collections.abc import Iterator, Sequence

import orjson

from tocsin.catalog.addresses import slug
from tocsin.catalog.operations import Service
from tocsin.pages.catalog.frame import Site, render


def operation_files(found: Sequence[Service], site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield the pages of services and their twins as JSON."""
    yield "operations/index.html", render("services", site, "operations/index", services=found)
    for service in found:
        place = f"operations/{slug(service.name)}"
        operations = sorted(
            service.operations.values(), key=lambda one: (-len(one.entries), one.name.lower())
        )
        yield (
            f"{place}.html",
            render("service", site, place, service=service, operations=operations, slug=slug),
        )
        yield (
            f"{place}.json",
            orjson.dumps(
                {
                    "service": service.name,
                    "operations": [
                        {
                            "name": one.name,
                            "documented": one.documented,
                            "written": one.written,
                            "twins": one.twins,
                            "rules": [entry.address for entry in one.entries],
                            "through_twins": [entry.address for entry in one.through_twins],
                        }
                        for one in operations
                    ],
                },
                option=orjson.OPT_INDENT_2,
            ),
        )

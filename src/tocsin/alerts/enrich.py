"""What indicators add to an alert, as `threat.enrichments` of the Elastic Common Schema."""

from collections.abc import Iterable
from itertools import islice

from tocsin.engine.stages.indicators import Found
from tocsin.jsontext import Json

MAX_ENRICHMENTS = 200
"""How many indicators an alert quotes."""


def threat_record(found: Iterable[Found]) -> dict[str, Json]:
    """Return the indicators that an event met."""
    return {"enrichments": [_enrichment(one) for one in islice(found, MAX_ENRICHMENTS)]}


def _enrichment(found: Found) -> dict[str, Json]:
    indicator = found.indicator
    return {
        "indicator": indicator.quoted,
        "feed": {"name": indicator.feed} if indicator.feed else {},
        "matched": {
            "atomic": found.value,
            "field": found.field,
            "id": indicator.id,
            "index": indicator.source,
            "type": "indicator_match_rule",
        },
    }

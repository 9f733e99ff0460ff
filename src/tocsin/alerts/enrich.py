"""What indicators add to an alert, as `threat.enrichments` of the Elastic Common Schema."""

from collections.abc import Iterable
from itertools import islice

from tocsin.condition.tree import Call, Field
from tocsin.engine.stages.indicators import Found
from tocsin.logs.view import RecordView

MAX_ENRICHMENTS = 200
"""How many indicators an alert quotes."""
_LEAVES = (Call("leaves"),)


def texts(view: RecordView, name: str) -> list[str]:
    """Return the values of a field as texts."""
    return [str(text) for text in view.read(Field((name,), _LEAVES)) or ()]


def threat_record(found: Iterable[Found]) -> dict[str, object]:
    """Return the indicators that an event met."""
    return {"enrichments": [_enrichment(one) for one in islice(found, MAX_ENRICHMENTS)]}


def _enrichment(found: Found) -> dict[str, object]:
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

"""The types of Elastic's rules, and which of them run."""

import re
from collections.abc import Mapping

from tocsin.rules.elastic.document import Document

STAGED = ("query", "new_terms", "threshold", "threat_match")
"""Kinds that run."""

NOT_YET: Mapping[str, str] = {
    "eql": "EQL rules do not run yet",
    "eql_sequence": "EQL rules do not run yet",
    "esql": "ES|QL rules do not run yet",
    "machine_learning": "machine learning rules do not run: their models are not in the rule",
}
"""Kinds that are read with all that they say, and do not run."""

_KINDS = {"saved_query": "query"}
_SEQUENCE = re.compile(r"\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)*(?:sequence|sample)\b", re.DOTALL)


def kind_of(document: Document) -> str:
    """Return the kind of a rule: its type, and of EQL whether it is a sequence."""
    kind = str(document.rule.get("type") or "query")
    if kind == "eql" and _SEQUENCE.match(str(document.rule.get("query", ""))):
        return "eql_sequence"
    return _KINDS.get(kind, kind)

"""The analysis types of Panther, and which of them run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

METADATA = re.compile(r"^[\"']?AnalysisType[\"']?[ \t]*:", re.MULTILINE)
"""What a file says that is one of Panther's."""


@dataclass(frozen=True, slots=True)
class AnalysisType:
    """One value of `AnalysisType`: our word for it, and the key that its id stands under."""

    kind: str
    id_key: str


TYPES: Mapping[str, AnalysisType] = {
    "rule": AnalysisType("python", "RuleID"),
    "scheduled_rule": AnalysisType("scheduled", "RuleID"),
    "policy": AnalysisType("policy", "PolicyID"),
    "correlation_rule": AnalysisType("correlation", "RuleID"),
    "datamodel": AnalysisType("datamodel", "DataModelID"),
    "global": AnalysisType("global", "GlobalID"),
    "pack": AnalysisType("pack", "PackID"),
    "lookup_table": AnalysisType("lookup_table", "LookupName"),
    "saved_query": AnalysisType("saved_query", "QueryName"),
    "scheduled_query": AnalysisType("scheduled_query", "QueryName"),
    "scheduled_prompt": AnalysisType("scheduled_prompt", "PromptName"),
}

WITH_PYTHON = frozenset({"python", "scheduled", "policy"})
"""Kinds of detections that are Python."""

RUN = WITH_PYTHON | {"simple"}
"""Kinds of detections that run in scans."""

NOT_YET: Mapping[str, str] = {
    "derived": "rules that are derived from a base detection do not run",
    "correlation": "correlation rules of Panther do not run yet",
    "lookup_table": "its data is in no file here; `scan --lookup NAME=FILE` gives it",
    "saved_query": "queries of a data warehouse do not run",
    "scheduled_query": "queries of a data warehouse do not run",
    "scheduled_prompt": "prompts do not run",
}
"""Kinds that are read with all that they say, and do not run."""

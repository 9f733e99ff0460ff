"""What the records of tests have in common: who, when and where from, and how they are wrapped."""

from typing import Any

Record = dict[str, Any]
Shapes = dict[str, Record]

TIME = "2026-03-04T05:06:07.891Z"
USER = "mira@contoso.example"
ADDRESS = "192.0.2.7"
ID = "11111111-aaaa-4bbb-8ccc-000000000001"


def in_event(record: Record) -> Record:
    return {"label": "exercise 7", "event": record}

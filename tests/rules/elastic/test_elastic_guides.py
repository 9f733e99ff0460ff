"""Guides stand alone: what a note refers to is written where it refers to it."""

import pytest

from rules.elastic.making import load_rule

OSQUERY = {"osquery": [{"label": "Ports", "query": "SELECT *\n  FROM ports WHERE u = {{user.id}}"}]}


def provider(**fields):
    return {"excluded": False, "queryType": "phrase", "valueType": "string", **fields}


INVESTIGATE = {
    "investigate": [
        {
            "label": "Others",
            "description": "of the host",
            "providers": [
                [
                    provider(field="host.id", value="{{host.id}}"),
                    provider(field="event.code", value="1", excluded=True),
                ],
                [provider(field="user.id", value="", queryType="exists")],
            ],
        }
    ]
}
GUIDES = {
    "a field is left for the event": ("See {{user.name}}.", None, "See {{user.name}}."),
    "a query stands in its place": (
        "- $osquery_0\n- next",
        OSQUERY,
        "- Ports: `SELECT * FROM ports WHERE u = {{user.id}}`\n- next",
    ),
    "a search stands in its place": (
        "$investigate_0",
        INVESTIGATE,
        'Others: of the host: `host.id: "{{host.id}}" and not event.code: "1"` or `user.id: *`',
    ),
    "what is not there is left": ("$osquery_1", OSQUERY, "$osquery_1"),
    "backticks do not end code": (
        "$osquery_0",
        {"osquery": [{"query": "a `b`"}]},
        "Osquery: `` a `b` ``",
    ),
    "no json is left": ("!{osquery{oops}}", None, "!{osquery{oops}}"),
}


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_stands_alone(name):
    note, transform, expected = GUIDES[name]
    assert load_rule(note=note, transform=transform).guide == expected

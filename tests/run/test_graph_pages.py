"""Pages of Microsoft Graph: sign-ins and directory audits are unwrapped, each on its own line."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.calling import scan
from logs.azure_records import change_shapes, sign_in_shapes
from tocsin.logs.load import load_log_types
from tocsin.run.identify import identify_file

RULE = """title: Sign-in
id: 1d6c5f0a-0c35-4d5c-8c0e-2b8f3a3f7b52
logsource: {product: azure, service: signinlogs}
detection: {s: {userPrincipalName|contains: user}, condition: s}
"""


def page(kind: str, records: Sequence[object], indent: int | None) -> bytes:
    around = {
        "@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#auditLogs/{kind}",
        "@odata.nextLink": f"https://graph.microsoft.com/v1.0/auditLogs/{kind}?$skiptoken=1",
    }
    return json.dumps({**around, "value": records}, indent=indent).encode()


SIGN_INS = [sign_in_shapes({"userPrincipalName": f"user{at}@contoso.example"}) for at in range(5)]


@pytest.mark.parametrize("indent", [None, 2])
def test_pages_hold_records_of_their_log_types(indent: int | None, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(
        page("signIns", [one["graph"] for one in SIGN_INS], indent)
        + b"\n"
        + page("directoryAudits", [change_shapes({})["graph"]], indent)
    )
    [found] = identify_file(tmp_path / "log", load_log_types())
    assert found.shapes == {"entra.signin / graph": 5, "entra.audit / graph": 1}
    assert (found.unidentified, found.refused) == (0, 0)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_line_of_each_sign_in_is_the_one_it_starts_on(
    indent: int | None, workers: int, tmp_path: Path
) -> None:
    (tmp_path / "rule.yml").write_text(RULE)
    data = b"\n".join(page("signIns", [one["graph"]] * 3, indent) for one in SIGN_INS)
    (tmp_path / "log").write_bytes(data)
    result = scan(tmp_path / "log", rules=tmp_path / "rule.yml", log_type="", workers=workers)
    lines = data.split(b"\n")
    opening = b"    {" if indent else b'{"@odata.context"'
    starts = [at for at, line in enumerate(lines, 1) if line.startswith(opening)]
    assert result.lines == ([*starts] if indent else sorted(starts * 3))

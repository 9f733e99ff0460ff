"""Index patterns of Elastic rules choose log types by the indices that would hold their events."""

import pytest

from tocsin.logs.indices import chosen

SIGNINS = ("logs-azure.signinlogs-default", "filebeat-default")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param(("logs-azure.signinlogs-*",), True, id="the-data-stream-of-a-data-set"),
        pytest.param(("logs-azure.*",), True, id="all-data-sets-of-an-integration"),
        pytest.param(("filebeat-*",), True, id="an-agent"),
        pytest.param(("logs-azure.auditlogs-*",), False, id="another-data-set"),
        pytest.param(("logs-azure.signinlogs",), False, id="a-pattern-is-the-whole-name"),
        pytest.param(("LOGS-azure.*",), False, id="case-matters"),
        pytest.param(("remote:logs-azure.*",), True, id="the-cluster-does-not-matter"),
        pytest.param(("logs-azure.*", "-logs-azure.signinlogs-*"), False, id="taken-away-again"),
        pytest.param(("-logs-azure.signinlogs-*", "logs-azure.*"), True, id="only-from-its-left"),
        pytest.param(("logs-*", "filebeat-*", "-logs-*"), True, id="the-other-index-is-left"),
        pytest.param(("logs-[a]zure*",), False, id="brackets-are-no-wildcards"),
        pytest.param((), False, id="no-pattern"),
    ],
)
def test_which_indices_are_chosen(patterns: tuple[str, ...], expected: bool) -> None:
    assert chosen(SIGNINS, patterns) is expected

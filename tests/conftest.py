"""Where tests find real data, and the count of what was skipped for want of it."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TOCSIN_SHARED") or ROOT.parent / "shared")


def data_folder(*parts: str) -> Path:
    """Return a folder of the shared data; skip, or fail if data is required, where it is absent."""
    folder = SHARED.joinpath(*parts)
    if folder.exists():
        return folder
    reason = f"no data at {'/'.join(parts) or '.'} (set TOCSIN_SHARED)"
    if os.environ.get("TOCSIN_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True, scope="session")
def rule_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep tests apart from the user: from the rule cache, and from the terminal's width."""
    folder = tmp_path_factory.mktemp("rule-cache")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TOCSIN_CACHE", str(folder))
        environment.delenv("COLUMNS", raising=False)
        yield folder


@pytest.fixture(scope="session")
def shared() -> Path:
    return data_folder()


@pytest.fixture(scope="session")
def sigma_corpus() -> Path:
    return data_folder("corpora", "sigma")


@pytest.fixture(scope="session")
def elastic_corpus() -> Path:
    return data_folder("corpora", "elastic")


@pytest.fixture(scope="session")
def panther_analysis() -> Path:
    """Return a checkout of panther-analysis, which nothing of ours ships."""
    folder = os.environ.get("TOCSIN_PANTHER_ANALYSIS")
    if folder:
        return Path(folder)
    pytest.skip("no checkout of panther-analysis (set TOCSIN_PANTHER_ANALYSIS)")


@pytest.fixture(scope="session")
def windows_captures() -> list[Path]:
    return sorted(data_folder("data", "windows").glob("*.ndjson.gz"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {count}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that must be complete, if anything was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("TOCSIN_NO_SKIPS") == "1" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

"""The corpus, read once, and how many events were made of it."""

import re
from collections import Counter

import pytest

from generated.corpus import read_corpus

COUNTS = pytest.StashKey[Counter]()


@pytest.fixture(scope="session", autouse=True)
def _room_for_patterns():
    """Let `re` keep all patterns of the oracle: with its 512 this takes many times longer."""
    kept = re._MAXCACHE
    re._MAXCACHE = 1_000_000
    yield
    re._MAXCACHE = kept
    re.purge()


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch):
    monkeypatch.setenv("TOCSIN_CACHE", "")


@pytest.fixture(scope="session")
def corpus(sigma_corpus):
    return read_corpus(sigma_corpus)


@pytest.fixture
def count(request, record_property):
    """Return a function that records how many events there were, for the summary."""

    def record(what: str, counts: Counter) -> None:
        text = ", ".join(f"{number:,} {kind}" for kind, number in counts.most_common())
        record_property(what, text)
        request.config.stash.setdefault(COUNTS, {})[what] = text

    return record


def pytest_terminal_summary(terminalreporter, config):
    for what, text in config.stash.get(COUNTS, {}).items():
        terminalreporter.write_line(f"{what}: {text}")

"""Comparing with the oracles notices faults: many are put into the engine, and each is found."""

import pytest

from oracle.mutations import FAULTS, battery, forget


def test_the_engine_as_it_is_passes():
    battery()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_noticed(name, monkeypatch):
    with monkeypatch.context() as patch:
        forget()
        FAULTS[name](patch)
        with pytest.raises(AssertionError):
            battery()
    forget()

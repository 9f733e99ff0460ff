"""What rules remember: expiry follows the time of events."""

import pytest

from tocsin.sandbox.keyvalues import DAYS_KEPT, FUNCTIONS, KeyValues


@pytest.fixture
def memory():
    return KeyValues(now=1000)


def test_counters(memory):
    assert memory.get_counter("k") == 0
    assert memory.increment_counter("k") == 1
    assert memory.increment_counter("k", 4) == 5
    memory.reset_counter("k")
    assert memory.get_counter("k") == 0


def test_a_key_expires_by_the_time_of_events(memory):
    memory.increment_counter("k", 1, epoch_seconds=1060)
    memory.now = 1059
    assert memory.increment_counter("k") == 2
    memory.now = 1060
    assert memory.get_counter("k") == 0


def test_a_key_that_says_nothing_is_kept_for_long(memory):
    memory.put_string_set("k", ["a"])
    memory.now += DAYS_KEPT * 86_400 - 1
    assert memory.get_string_set("k") == {"a"}
    memory.now += 1
    assert memory.get_string_set("k") == set()


def test_an_expiry_can_be_set_later(memory):
    memory.put_string_set("k", ["a"])
    memory.set_key_expiration("k", 1010)
    memory.now = 1011
    assert memory.get_string_set("k") == set()


def test_sets(memory):
    memory.put_string_set("k", ["a", "b"])
    assert memory.add_to_string_set("k", "cd") == {"a", "b", "cd"}
    assert memory.remove_from_string_set("k", ["a", "x"]) == {"b", "cd"}
    memory.get_string_set("k").add("not kept")
    assert memory.get_string_set("k") == {"b", "cd"}
    memory.reset_string_set("k")
    assert memory.get_string_set("k") == set()


def test_dictionaries(memory):
    given = {"a": {"b": 1}}
    memory.put_dictionary("k", given)
    given["a"]["b"] = 2
    assert memory.get_dictionary("k") == {"a": {"b": 1}}
    assert memory.get_dictionary("other") == {}
    with pytest.raises(TypeError):
        memory.put_dictionary("k", "text")


def test_a_threshold_begins_anew_when_it_is_reached(memory):
    found = [memory.evaluate_threshold("k", 3) for _ in range(7)]
    assert found == [False, False, True, False, False, True, False]


def test_a_threshold_forgets_after_its_time(memory):
    assert not memory.evaluate_threshold("k", 2, 60)
    memory.now += 60
    assert not memory.evaluate_threshold("k", 2, 60)


def test_new_accounts(memory):
    memory.put_string_set("new-user", ["x"])
    assert memory.check_account_age("new-user")
    assert not memory.check_account_age("other")
    assert not memory.check_account_age(None)


def test_every_function_is_there():
    assert {name for name in FUNCTIONS if callable(getattr(KeyValues, name, None))} == {*FUNCTIONS}

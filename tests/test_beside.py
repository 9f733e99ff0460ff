"""Work that a second process shares: the same results, whatever becomes of it."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from beside_functions import noisy, only_in, processes
from tocsin.beside import in_halves


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_every_other_item_is_done_beside():
    done = in_halves(processes, list("abcde"), least=2)
    assert [item for item, _ in done] == list("abcde")
    own = [process == os.getpid() for _, process in done]
    assert own == [True, False, True, False, True]


def test_a_few_items_are_done_here():
    assert {process for _, process in in_halves(processes, [1, 2], least=3)} == {os.getpid()}


def test_one_processor_does_all(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert {process for _, process in in_halves(processes, [1, 2], least=0)} == {os.getpid()}


def test_nothing_is_nothing():
    assert in_halves(noisy, [], least=1) == []


def test_what_is_printed_is_no_answer(capfd):
    assert in_halves(noisy, [1, 2, 3], least=2) == [2, 4, 6]


def test_what_the_second_process_does_not_do_is_done_here():
    assert in_halves(partial(only_in, os.getpid()), [1, 2, 3], least=2) == [2, 4, 6]


def test_an_error_is_raised_and_the_second_process_is_ended():
    with pytest.raises(TypeError):
        in_halves(noisy, [None, 1, None], least=2)


def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "os.cpu_count = lambda: 2\n"
        "from beside_functions import processes\n"
        "from tocsin.beside import in_halves\n"
        "done = in_halves(processes, [1, 2], least=2)\n"
        "print(len({process for _, process in done}), [item for item, _ in done])\n"
    )
    folder = str(Path(__file__).parent)
    ran = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": folder}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == "2 [1, 2]\n"

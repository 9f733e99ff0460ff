"""Workers: what rules are kept from, and what becomes of one that hangs or crashes."""

import importlib.util
import os
import sys
from dataclasses import replace

import pytest
from panther_jobs import HIT, MISS, job

from tocsin.errors import UsageError
from tocsin.sandbox import process
from tocsin.sandbox.limits import LANDLOCK, PROTECTIONS, SECCOMP, Limits, unprotected
from tocsin.sandbox.pool import isolation, run_jobs
from tocsin.sandbox.process import Model, Options, PackCode
from tocsin.sandbox.shims import Source

QUICK = Options(Limits(seconds=1), workers=1, isolated=False)
NO_PACK = PackCode()
GOOD = "def rule(event): return True"


@pytest.fixture(scope="module")
def layers():
    return isolation(QUICK)


def run(*jobs, pack=NO_PACK, options=QUICK):
    return run_jobs(pack, jobs, options)


def test_results_are_in_the_order_of_jobs_and_tests():
    jobs = [job(GOOD if n % 3 else "x", HIT, MISS, name=f"R{n}") for n in range(40)]
    found = run(*jobs, options=replace(QUICK, workers=2))
    passed = [[not one.failure for one in of] for of in found]
    assert passed == [[bool(n % 3), False] for n in range(40)]


CATCHES_ALL = """
def rule(event):
    while True:
        try:
            while True: pass
        except BaseException:
            pass
"""
STOPPED = {
    "hangs": ("def rule(event):\n    while True: pass", "did not end within 1 s"),
    "hangs and catches all": (
        CATCHES_ALL,
        "did not end within 1 s",
    ),
    "hangs on import": ("while True: pass", "did not end within 1 s"),
    "ends the process": ("import os\ndef rule(e): os._exit(7)", "exit status 7"),
    "crashes": (
        "import ctypes\ndef rule(e): return ctypes.string_at(0)",
        "ended its worker (signal 11)",
    ),
    "takes the messages": ("import os\ndef rule(e):\n    os.closerange(3, 64)", "ended its worker"),
    "writes messages": (
        "import os\ndef rule(e):\n    os.write(4, b'\\0\\0\\0\\2{}')\n    return True",
        "ended its worker",
    ),
}


ANSWERS_AHEAD = """
import json, os
def rule(event):
    data = json.dumps({"failure": ""}).encode()
    os.write(4, len(data).to_bytes(4, "big") + data)
    while True: pass
"""


def test_a_worker_that_takes_no_more_is_stopped():
    large = {**HIT, "Log": {"text": "x" * 1_000_000}}
    first, second, third = run(job(ANSWERS_AHEAD), job(GOOD, large), job(GOOD, large))
    assert (first[0].failure, third[0].failure) == ("", "")
    assert "its worker was stopped" in second[0].failure


@pytest.mark.parametrize("name", STOPPED)
def test_a_rule_that_stops_its_worker_is_named_and_the_rest_goes_on(name):
    code, reason = STOPPED[name]
    before, bad, after = run(job(GOOD), job(code, HIT, HIT), job(GOOD))
    assert [one.failure for one in (*before, *after)] == ["", ""]
    first, second = (one.failure for one in bad)
    assert reason in first
    assert second == "not run: the detection was stopped before"


def test_memory_without_end_is_refused():
    code = "def rule(event):\n    return bool([0] * 10**10)"
    (found,) = run(job(code))
    assert "MemoryError" in found[0].failure


def test_a_rule_that_exits_is_an_error_of_its_own():
    found = run(job("import sys\ndef rule(e): sys.exit()", HIT, HIT), job(GOOD))
    assert ["SystemExit" in one.failure for one in found[0]] == [True, True]
    assert found[1][0].failure == ""


def test_the_environment_is_empty_and_output_goes_nowhere(capfd, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    code = "import os, sys\ndef rule(e):\n    print('x'); print('x', file=sys.stderr)\n"
    ((one,),) = run(job(f"{code}    return 'SECRET' not in os.environ"))
    assert one.failure == ""
    assert capfd.readouterr() == ("", "")


FORBIDDEN = {
    "the network": "import socket; socket.socket().connect(('127.0.0.1', 9))",
    "a socket": "import socket; socket.socket()",
    "a program": "import subprocess; subprocess.run(['/bin/true'])",
    "another process": "import os; os.fork()",
    "a thread": "import threading; threading.Thread(target=print).start()",
    "a signal to the parent": "import os; os.kill(os.getppid(), 0)",
    "a file to write": "open('{folder}/new', 'w')",
    "a file to delete": "import os; os.remove('{folder}/file')",
    "a file to read": "open('{folder}/file').read()",
    "the files of a folder": "import os; os.listdir('{folder}')",
    "what the parent runs": "open('/proc/%d/environ' % __import__('os').getppid()).read()",
}


@pytest.mark.skipif(sys.platform != "linux", reason="isolation is for Linux")
@pytest.mark.parametrize("name", FORBIDDEN)
def test_rules_are_kept_from(name, tmp_path, layers):
    if unprotected(layers):
        pytest.skip(f"layers missing: {unprotected(layers)}")
    (tmp_path / "file").write_text("secret")
    action = FORBIDDEN[name].format(folder=tmp_path)
    code = f"def rule(event):\n    {action}\n    return True"
    ((one,),) = run(job(code), options=Options(workers=1))
    assert "Error" in one.failure, one
    assert (tmp_path / "file").read_text() == "secret"
    assert os.listdir(tmp_path) == ["file"]


def test_what_rules_use_can_be_imported():
    names = "base64, collections, datetime, difflib, fnmatch, ipaddress, json, math, re, shlex, "
    code = f"import {names} string, time, typing, urllib.parse, uuid, secrets, unittest.mock\n"
    ((one,),) = run(job(code + GOOD))
    assert one.failure == ""


@pytest.mark.parametrize("what", PROTECTIONS)
def test_a_protection_is_gone_when_all_its_layers_are(what):
    missing = dict.fromkeys(PROTECTIONS[what], "not here")
    every = {name for names in PROTECTIONS.values() for name in names}
    (*_, told) = [one for one in unprotected(dict.fromkeys(every, "") | missing) if what in one]
    assert all(f"{name}: not here" in told for name in missing)


def test_one_layer_of_several_is_enough():
    every = {name: "" for names in PROTECTIONS.values() for name in names}
    assert unprotected(every) == []
    assert not any("the network" in one for one in unprotected({**every, SECCOMP: "missing"}))


def test_without_isolation_rules_are_refused_unless_told_otherwise(monkeypatch):
    gone = [f"reading files ({LANDLOCK}: gone)"]
    monkeypatch.setattr(process, "unprotected", lambda layers: gone)
    with pytest.raises(UsageError, match=r"nothing keeps them from reading files.*--without-iso"):
        run(job(GOOD), options=Options(workers=1))
    assert run(job(GOOD), options=Options(workers=1, isolated=False))[0][0].failure == ""


def test_helpers_and_models_reach_the_worker():
    pack = PackCode(
        {"helper_of_pack": Source("h.py", "WORD = 'ana'")},
        [
            Model("M", ["T"], [{"Name": "user", "Method": "user"}], Source("m.py", MODEL)),
            Model("B", ["U"], [{"Name": "user", "Method": "nobody"}], Source("m.py", MODEL)),
        ],
    )
    code = "import helper_of_pack\ndef rule(e): return e.udm('user') == helper_of_pack.WORD"
    one = {"Name": "t", "ExpectedResult": True, "Log": {"p_log_type": "T", "u": "ana"}}
    ((good, broken),) = run(job(code, one, {**one, "Log": {"p_log_type": "U"}}), pack=pack)
    assert good.failure == ""
    assert "data model B: the method nobody is not in its Python" in broken.failure


MODEL = "import helper_of_pack\ndef user(event): return event.get('u')"


def test_nothing_of_rules_is_imported_here():
    run(job("import panther_core\n" + GOOD))
    assert "panther_core" not in sys.modules
    assert importlib.util.find_spec("panther_core") is None

"""Make detections and run their tests, in this process or in workers."""

from textwrap import dedent

from tocsin.sandbox.keyvalues import KeyValues
from tocsin.sandbox.pool import Job
from tocsin.sandbox.runner import Detection, load_detection, unload
from tocsin.sandbox.shims import PackFinder, Source
from tocsin.sandbox.unit import run_test

HIT = {"Name": "hit", "ExpectedResult": True, "Log": {"p_log_type": "T"}}
MISS = {"Name": "miss", "ExpectedResult": False, "Log": {"p_log_type": "T"}}


def job(code, *tests, name="Some.Rule", kind="python", **fields):
    detection = Detection(id=name, name="A Rule", kind=kind, **fields)
    return Job(detection, Source(f"{name}.py", dedent(code)), tests or (HIT,))


def run_here(code, test=HIT, helpers=(), models=None, **fields):
    """Run one test in this process: what the detection said, and why the test fails."""
    one = job(code, **fields)
    memory = KeyValues()
    sources = {name: Source(f"{name}.py", dedent(text)) for name, text in dict(helpers).items()}
    finder = PackFinder(sources, memory)
    finder.install()
    try:
        loaded = load_detection(one.detection, one.source)
        found = run_test(loaded, test, models or {}, memory)
        unload(loaded)
        return found
    finally:
        finder.remove()

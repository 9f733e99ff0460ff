"""Lifting reads text: nothing is opened, imported or run."""

import subprocess
import sys

AUDIT = """
import sys
from tocsin.rules.panther.lift import DataModel, lift
sys.path += sys.argv[1:]
from lift_cases import HELPERS, INEXACT, MODEL, PATTERNS
HELPERS = {**HELPERS, "evil": "import os\\nos.system('true')\\nopen('/etc/passwd').read()\\n"}
EVIL = '''
import evil, subprocess, nowhere
print("this is run")
subprocess.run(["true"])
exec("open('/etc/passwd')")
X = [open("/etc/passwd").read(), __import__("socket")]
def rule(event):
    return event.get("a") == "b" and open("/etc/passwd").read() == eval("1")
def title(event, cache=open("/etc/passwd")):
    return "x"
'''
model = DataModel(MODEL["mappings"], MODEL["source"][1])
for case in PATTERNS:
    lift(case.source, HELPERS, model)
seen = []
sys.addaudithook(lambda event, args: seen.append((event, str(args)[:80])))
for source in [EVIL, *(case.source for case in (*PATTERNS, *INEXACT))]:
    lift(source, HELPERS, model)
telling = ("open", "exec", "import", "os.", "socket.", "subprocess.", "shutil.", "ctypes.")
print(sorted({one for one in seen if one[0].startswith(telling)}))
print(lift(EVIL, HELPERS).tier)
"""


def test_lifting_opens_and_runs_nothing(request):
    found = subprocess.run(
        [sys.executable, "-c", AUDIT, str(request.path.parent)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert found.stdout.splitlines() == ["[]", "C"]

"""Only the sandbox runs code of rules."""

import ast
from pathlib import Path

import tocsin

ROOT = Path(tocsin.__file__).parent
RUNS_CODE = {
    "exec",
    "eval",
    "__import__",
    "run_path",
    "run_module",
    "exec_module",
    "spec_from_loader",
}


def calls(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            yield getattr(function, "id", getattr(function, "attr", ""))


def test_only_the_sandbox_runs_code_of_rules():
    found = {
        path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py") if RUNS_CODE & {*calls(path)}
    }
    assert found == {"sandbox"}

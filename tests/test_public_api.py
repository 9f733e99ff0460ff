"""What importing the package gives, and what it must not load."""

import subprocess
import sys

import tocsin


def test_the_public_names_are_these() -> None:
    assert set(tocsin.__all__) == {
        "Alert",
        "Event",
        "Evidence",
        "Explanation",
        "InputError",
        "Rule",
        "RuleError",
        "RuleSet",
        "ScanResult",
        "Severity",
        "TocsinError",
        "UsageError",
        "Verdict",
        "__version__",
        "explain",
        "load_rules",
        "log_types",
        "scan",
    }
    assert all(getattr(tocsin, name) for name in tocsin.__all__)


def test_importing_the_package_loads_no_engine_and_no_rule_parser() -> None:
    heavy = "{'sigma', 'duckdb', 'pyarrow', 'yaml', 'click', 'rich', 'lark', 're2'}"
    code = f"import tocsin, sys; print(sorted({heavy} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"

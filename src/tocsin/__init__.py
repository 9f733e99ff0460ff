"""Tocsin runs the world's open detection rules, unmodified, on your own logs.

    import tocsin

    rules = tocsin.load_rules("sigma/rules", where="product:windows")
    for alert in tocsin.scan("logs", rules):
        print(alert.time, alert.rule.severity, alert.rule.name, alert.reason)

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.alerts.model import Alert, Event, Evidence
    from tocsin.api import ScanResult, explain, load_rules, log_types, scan
    from tocsin.engine.explain import Explanation
    from tocsin.errors import InputError, RuleError, TocsinError, UsageError
    from tocsin.rules.model import Rule, RuleSet, Severity, Verdict

__version__ = "0.1.0"

_HOMES = {
    "tocsin.alerts.model": ("Alert", "Event", "Evidence"),
    "tocsin.api": ("ScanResult", "explain", "load_rules", "log_types", "scan"),
    "tocsin.engine.explain": ("Explanation",),
    "tocsin.errors": ("InputError", "RuleError", "TocsinError", "UsageError"),
    "tocsin.rules.model": ("Rule", "RuleSet", "Severity", "Verdict"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
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
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'tocsin' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__

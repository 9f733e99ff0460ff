"""Lifting: the Python of Panther's rules as conditions, without running it (`docs/lifting.md`)."""

from tocsin.rules.panther.lift.lifted import TEXTS, Lifted, Tier, lift
from tocsin.rules.panther.lift.modules import DataModel, Library
from tocsin.rules.panther.lift.pack import Parts, lift_rule, lift_rules, read_parts

__all__ = [
    "TEXTS",
    "DataModel",
    "Library",
    "Lifted",
    "Parts",
    "Tier",
    "lift",
    "lift_rule",
    "lift_rules",
    "read_parts",
]

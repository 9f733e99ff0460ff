"""Lift every rule of a checkout of panther-analysis: tiers, obstacles, time.

python -m bench.lift CHECKOUT [--rule ID] [--obstacles]
"""

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tocsin.condition.describe import describe
from tocsin.rules.model import Rule
from tocsin.rules.panther.kinds import WITH_PYTHON
from tocsin.rules.panther.lift import Lifted, Parts, Tier, lift_rules, read_parts
from tocsin.rules.panther.pack import load_panther_rules, python_file, read_document, read_python


@dataclass(slots=True)
class Pack:
    """Rules of a checkout, with what they are lifted with and run with."""

    rules: list[Rule]
    parts: Parts
    models: list[Mapping[str, Any]] = field(default_factory=list)
    """Data models as `tocsin.sandbox.models` loads them."""


def load_pack(checkout: Path) -> Pack:
    """Read the rules, helpers and data models of a checkout."""
    found = load_panther_rules([checkout])
    rules = [rule for rule in found.rules if rule.kind in WITH_PYTHON]
    models = [_model(part) for part in found.parts if part.kind == "datamodel" and part.enabled]
    return Pack(rules, read_parts(found.parts, rules), models)


def _model(part: Rule) -> Mapping[str, Any]:
    document = read_document(part)
    source = [str(python_file(part)), read_python(part)] if document.get("Filename") else None
    return {
        "id": part.id,
        "log_types": document["LogTypes"],
        "mappings": document["Mappings"],
        "source": source,
    }


def worst(lifted: Mapping[str, Lifted]) -> Lifted:
    """Return the result for the log type that a rule is lifted worst for."""
    return max(lifted.values(), key=lambda one: list(Tier).index(one.tier))


def table(found: Mapping[str, Mapping[str, Lifted]], rules: list[Rule]) -> str:
    """Write how many rules of each kind are in which tier."""
    kinds = {rule.key: rule.kind for rule in rules}
    tiers = Counter((kinds[key], worst(lifted).tier) for key, lifted in found.items())
    lines = []
    for kind in ("python", "scheduled", "policy"):
        total = sum(count for (of, _), count in tiers.items() if of == kind)
        row = "  ".join(f"{one} {tiers[kind, one]:4}" for one in Tier)
        exact = sum(tiers[kind, one] for one in list(Tier)[:3])
        lines.append(f"{kind:10} {total:4}  {row}  exact {exact / max(total, 1):.1%}")
    every = [
        one for lifted in found.values() for one in {id(x): x for x in lifted.values()}.values()
    ]
    told = Counter(name for one in every for name in one.texts)
    untold = Counter(name for one in every for name in one.untold)
    names = sorted(told | untold)
    lines += [f"{name:15} {told[name]:5} lifted {untold[name]:5} not" for name in names]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--rule")
    parser.add_argument("--obstacles", action="store_true")
    options = parser.parse_args()
    pack = load_pack(options.checkout)
    if options.rule:
        pack.rules = [rule for rule in pack.rules if rule.id == options.rule]
    start, begun = time.perf_counter(), time.process_time()
    found = lift_rules(pack.rules, pack.parts)
    wall, own = time.perf_counter() - start, time.process_time() - begun
    print(f"{wall:.2f} s, {own:.2f} of this process; a second one may have done the other half")
    print(table(found, pack.rules))
    for rule in pack.rules:
        if options.obstacles and not (of := worst(found[rule.key])).exact:
            print(of.tier, rule.id, *of.obstacles, sep="\n    ")
        if options.rule:
            print(python_file(rule))
            for name, one in found[rule.key].items():
                print(f"== {name}: {one.tier} {one.obstacles}\n{describe(one.condition)}")
                print(one.texts, one.untold)


if __name__ == "__main__":
    main()

"""How many rules there are for each product, and how many of them meet a log type."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tocsin.engine.check import check
from tocsin.logs.logtype import LogType
from tocsin.rules.model import Rule

NO_PRODUCT = "no product"
CANNOT_RUN = "cannot run"


def coverage_table(
    rules: Iterable[Rule], log_types: Sequence[LogType]
) -> list[tuple[str, int, int]]:
    """Return product, rules, and rules with a log type; the products with most rules first."""
    total: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for rule in rules:
        total[product_of(rule)] += 1
        covered[product_of(rule)] += bool(check(rule, log_types).log_types)
    order = sorted(total, key=lambda product: (-total[product], product))
    return [(product, total[product], covered[product]) for product in order]


def product_of(rule: Rule) -> str:
    return rule.inputs[0].scope.product or NO_PRODUCT if rule.inputs else CANNOT_RUN

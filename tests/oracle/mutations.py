"""Deliberate faults in the engine, and the quick checks of which one must notice each of them.

A fault is a function that patches Tocsin in this process; `battery` raises AssertionError if the
engine and the oracles, or the golden cases, disagree.
"""

import ipaddress
import json
import sys
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

from oracle import plain, sigma_oracle, tree_oracle
from oracle.cases import CASES, KEYWORDS, TREES, rule_text
from oracle.makers import ConditionMaker, SigmaMaker
from oracle.running import as_rule, by_itself, load, matcher_of, matches_of
from tocsin import jsontext, times
from tocsin.condition import evaluate, functions
from tocsin.condition.simplify import simplify
from tocsin.condition.tree import (
    TRUE,
    And,
    AnyElement,
    Field,
    FieldsCompare,
    Not,
    Op,
    Or,
    Predicate,
    Wild,
    fields,
)
from tocsin.engine import keywords, layout, plan, predicates
from tocsin.logs import logtype, values
from tocsin.logs.load import shipped_log_types
from tocsin.rules.sigma import lower

# The checks.


def battery():
    """Compare the engine with the golden cases and the oracles, in about a second."""
    golden_cases()
    golden_trees()
    windows_sources()
    for seed in range(4):
        random_conditions(seed)
    for seed in range(3):
        random_sigma_rules(seed)


def golden_cases():
    rules = [load(rule_text(detection)) for detection, _, _ in CASES.values()]
    found = matches_of(matcher_of(rules), [event for _, event, _ in CASES.values()])
    for at, (name, (_, _, expected)) in enumerate(CASES.items()):
        assert ((at, at) in found) == expected, name

    for detection, event, expected in KEYWORDS.values():
        assert bool(matches_of(matcher_of([load(rule_text(detection))]), [event])) == expected


def golden_trees():
    rules = [as_rule(number, tree) for number, (tree, _, _) in enumerate(TREES.values())]
    found = matches_of(matcher_of(rules), [event for _, event, _ in TREES.values()])
    for at, (name, (tree, event, expected)) in enumerate(TREES.items()):
        assert ((at, at) in found) == expected, name
        assert by_itself(event)(tree) == expected, name


def random_conditions(seed):
    make = ConditionMaker(seed)
    conditions = [make.condition() for _ in range(10)]
    lines = [json.dumps(make.event(), ensure_ascii=make.pick(True, False)) for _ in range(30)]
    found = matches_of(matcher_of([as_rule(*one) for one in enumerate(conditions)]), lines)
    for row, line in enumerate(lines):
        event, alone = plain.parse(line), by_itself(line)
        for number, condition in enumerate(conditions):
            expected = tree_oracle.holds(condition, event)
            assert ((row, number) in found) == expected
            assert alone(condition) == expected


def random_sigma_rules(seed):
    make = SigmaMaker(seed)
    texts = [make.rule(number) for number in range(20)]
    lines = [json.dumps(make.event()) for _ in range(30)]
    found = matches_of(matcher_of(list(map(load, texts))), lines)
    trees = list(map(sigma_oracle.parse_rule, texts))
    for row, event in enumerate(map(sigma_oracle.parse_event, lines)):
        for number, tree in enumerate(trees):
            assert ((row, number) in found) == sigma_oracle.matches(tree, event)


def windows_sources():
    """Check which log sources want which records, and under which names."""
    (windows,) = (one for one in shipped_log_types() if one.name == "windows")
    rules = [load(rule_text({"Image": "*x.exe"}).replace(ANY, source)) for source in SOURCES]
    found = matches_of(matcher_of(rules, windows), list(map(json.dumps, RECORDS)))
    assert found == {(0, 0), (0, 2), (0, 3), (1, 0)}


ANY = "  category: any\n  product: any\n  service: any\n"
SOURCES = [
    "  product: windows\n  category: process_creation\n",
    "  product: windows\n  category: process_access\n",
    "  product: windows\n  service: sysmon\n",
    "  category: process_creation\n  service: sysmon\n",
    "  product: linux\n  category: process_creation\n",
]
SYSMON = "Microsoft-Windows-Sysmon/Operational"
RECORDS = [
    {"Channel": SYSMON, "EventID": 1, "Image": "x.exe"},
    {"Channel": "security", "EventID": "4688", "NewProcessName": "x.exe", "Image": "y.exe"},
    {"Channel": "Security", "EventID": 4689, "Image": "x.exe"},
]

# The faults. Each gets pytest's `monkeypatch`.

FAULTS = {}


def fault(function):
    FAULTS[function.__name__.replace("_", "-")] = function
    return function


def replace_everywhere(patch, original, replacement):
    """Replace a function in every module and table of Tocsin that holds it."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "tocsin"]
    for module in modules:
        for name, held in list(vars(module).items()):
            if held is original:
                patch.setattr(module, name, replacement)
            elif isinstance(held, dict):
                for key in [key for key, value in held.items() if value is original]:
                    patch.setitem(held, key, replacement)


def change_lowered(patch, change):
    """Change every condition before it is compiled, from the leaves up."""

    def changed(condition):
        match condition:
            case And(parts) | Or(parts):
                condition = type(condition)(tuple(map(changed, parts)))
            case Not(part):
                condition = Not(changed(part))
        return change(condition)

    def add(self, one, planned):
        real(self, replace(one, condition=simplify(changed(one.condition))), planned)

    real = plan._Compiler.add
    patch.setattr(plan._Compiler, "add", add)


def change_predicates(patch, **ops):
    """Change how predicates with some operators are tested."""

    def change(condition):
        if isinstance(condition, Predicate) and condition.op.value in ops:
            return replace(condition, **ops[condition.op.value])
        return condition

    change_lowered(patch, change)


@fault
def folding_is_ascii_only(patch):
    replace_everywhere(
        patch, functions.fold, lambda text: "".join(c.lower() if c < "\x80" else c for c in text)
    )


@fault
def folding_minds_where_a_word_ends(patch):
    replace_everywhere(patch, functions.fold, str.lower)


@fault
def cased_text_is_folded(patch):
    change_predicates(patch, equals={"fold_case": True}, contains={"fold_case": True})


@fault
def text_is_not_folded(patch):
    change_predicates(patch, endswith={"fold_case": False})


@fault
def a_glob_stops_at_line_breaks(patch):
    text = evaluate.glob_text
    replace_everywhere(patch, text, lambda glob: text(glob).replace("(?s)", ""))


@fault
def a_question_mark_matches_nothing_too(patch):
    def text(glob):
        wild = {Wild.ANY: "(?s:.*)", Wild.ONE: "(?s:.?)"}
        return "".join(wild.get(part) or evaluate.re2.escape(part) for part in glob.parts)

    replace_everywhere(patch, evaluate.glob_text, text)


@fault
def startswith_is_anywhere(patch):
    change_predicates(patch, startswith={"op": Op.CONTAINS})


@fault
def endswith_is_anywhere(patch):
    change_predicates(patch, endswith={"op": Op.CONTAINS})


@fault
def equals_is_startswith(patch):
    def change(condition):
        match condition:
            case Predicate(field, Op.EQUALS, (str(),) as texts, fold_case):
                return Predicate(field, Op.STARTSWITH, texts, fold_case)
        return condition

    change_lowered(patch, change)


@fault
def only_the_first_value_counts(patch):
    def change(condition):
        if isinstance(condition, Predicate):
            return replace(condition, values=condition.values[:1])
        return condition

    change_lowered(patch, change)


@fault
def a_regex_ignores_case(patch):
    text = evaluate.regex_text
    replace_everywhere(patch, text, lambda regex: "(?i)" + text(regex))


@fault
def a_regex_forgets_its_flags(patch):
    replace_everywhere(patch, evaluate.regex_text, lambda regex: regex.pattern)


@fault
def a_network_is_the_start_of_text(patch):
    def change(condition):
        match condition:
            case Predicate(field, Op.CIDR, networks):
                starts = (str(ipaddress.ip_network(one).network_address)[:-1] for one in networks)
                return Predicate(field, Op.STARTSWITH, tuple(starts))
        return condition

    change_lowered(patch, change)


@fault
def mapped_addresses_are_not_v4(patch):
    def address(text):
        try:
            return ipaddress.ip_address(text.strip())
        except ValueError:
            return None

    replace_everywhere(patch, functions.parse_address, address)


@fault
def numbers_go_through_floats(patch):
    exact = jsontext.parse_number

    def rounded(text):
        number = exact(text)
        return number if number is None or abs(number) > 10**300 else Decimal(float(number))

    replace_everywhere(patch, exact, rounded)


@fault
def truth_is_one(patch):
    number = functions.number_of
    replace_everywhere(
        patch, number, lambda value: [int(value)] if isinstance(value, bool) else number(value)
    )


@fault
def one_and_true_are_the_same_test(patch):
    patch.setattr(Predicate, "_typed", lambda one: (one.field, one.op, one.values, one.fold_case))


@fault
def the_hour_is_in_utc(patch):
    read = times.read_time
    replace_everywhere(patch, read, lambda value: (when := read(value)) and when.astimezone(UTC))


@fault
def an_absent_filter_suppresses(patch):
    def change(condition):
        if not isinstance(condition, Not):
            return condition
        known = [Predicate(Field(one.path), Op.EXISTS) for one in fields(condition) if one.path]
        return And((condition, *known))

    change_lowered(patch, change)


@fault
def not_is_dropped(patch):
    change_lowered(patch, lambda one: one.part if isinstance(one, Not) else one)


@fault
def and_is_or(patch):
    change_lowered(patch, lambda one: Or(one.parts) if isinstance(one, And) and one.parts else one)


@fault
def or_drops_its_last_part(patch):
    change_lowered(
        patch,
        lambda one: Or(one.parts[:-1]) if isinstance(one, Or) and len(one.parts) > 1 else one,
    )


@fault
def or_needs_what_every_part_needs(patch):
    def needed(node, cost_of=len):
        return [frozenset((leaf,)) for leaf in plan.leaf_numbers(node)]

    replace_everywhere(patch, plan.needed, needed)


@fault
def and_drops_its_last_part(patch):
    change_lowered(
        patch,
        lambda one: And(one.parts[:-1]) if isinstance(one, And) and len(one.parts) > 1 else one,
    )


@fault
def null_is_the_empty_string(patch):
    real = lower._Lowering.null

    def null(self, name, value):
        return Or((real(self, name, value), Predicate(Field((name,)), Op.EQUALS, ("",))))

    replace_everywhere(patch, real, null)


@fault
def null_is_never_missing(patch):
    replace_everywhere(
        patch, lower._Lowering.null, lambda self, name, _: Predicate(Field((name,)), Op.IS_NULL)
    )


@fault
def null_does_not_exist(patch):
    def change(condition):
        match condition:
            case Predicate(field, Op.EXISTS):
                return And((condition, Not(Predicate(field, Op.IS_NULL))))
        return condition

    change_lowered(patch, change)


@fault
def an_expansion_is_its_first_value(patch):
    replace_everywhere(
        patch,
        lower._Lowering.expansion,
        lambda self, name, value: self.value(name, value.values[0]),
    )


@fault
def two_missing_fields_are_equal(patch):
    def change(condition):
        match condition:
            case FieldsCompare(left, _, right):
                present = [Predicate(Field(one.path), Op.EXISTS) for one in (left, right)]
                return Or((condition, Not(Or(tuple(present)))))
        return condition

    change_lowered(patch, change)


@fault
def fields_compare_the_other_way_round(patch):
    def change(condition):
        match condition:
            case FieldsCompare(left, op, right, fold_case):
                return FieldsCompare(right, op, left, fold_case)
        return condition

    change_lowered(patch, change)


@fault
def only_the_first_member_of_an_array_counts(patch):
    members = functions.members
    replace_everywhere(patch, members, lambda value: [next(iter(members(value)))])


@fault
def any_element_spreads_over_elements(patch):
    def change(condition):
        match condition:
            case AnyElement(path, And(parts)):
                return And(tuple(AnyElement(path, part) for part in parts))
        return condition

    change_lowered(patch, change)


@fault
def other_spellings_win_over_the_exact_one(patch):
    def keys(found, wanted, *, ignore_case):
        return [key for key in found if functions.fold(key) == functions.fold(wanted)]

    replace_everywhere(patch, values.find_keys, keys)


@fault
def names_mind_case(patch):
    replace_everywhere(
        patch, values.find_keys, lambda keys, wanted, *, ignore_case: [wanted] * (wanted in keys)
    )


@fault
def nested_goes_before_literal(patch):
    def upwards(*args):
        return range(1, args[0] + 1) if args[1:] == (0, -1) else range(*args)

    for module in (values, layout):
        patch.setattr(module, "range", upwards, raising=False)


@fault
def of_repeated_keys_the_last_counts(patch):
    for name in ("_STRICT", "_TOLERANT"):
        decoder = json.JSONDecoder(
            parse_int=jsontext.Number, parse_float=jsontext.Number, strict=name == "_STRICT"
        )
        patch.setattr(jsontext, name, decoder)


@fault
def of_repeated_keys_the_first_counts(patch):
    patch.setattr(layout, "_holds", lambda keys, key: key in keys)


@fault
def keywords_are_in_keys_too(patch):
    def texts(value):
        if isinstance(value, dict):
            return [one for pair in value.items() for part in pair for one in texts(part)]
        return leaf_texts(value)

    leaf_texts = functions.leaf_texts
    replace_everywhere(patch, leaf_texts, texts)


@fault
def keywords_are_in_texts_at_the_top_only(patch):
    def texts(value):
        top = value.values() if isinstance(value, dict) else ()
        return [one for one in top if isinstance(one, str)]

    replace_everywhere(patch, functions.leaf_texts, texts)


@fault
def keywords_hide_behind_escapes(patch):
    patch.setattr(keywords, "_HIDE_ASCII", ())
    patch.setattr(keywords, "_FOLD_TO_ASCII", ())


@fault
def a_keyword_is_a_whole_value(patch):
    def change(condition):
        match condition:
            case Predicate(Field(()) as field, Op.CONTAINS, texts, fold_case):
                return Predicate(field, Op.EQUALS, texts, fold_case)
        return condition

    change_lowered(patch, change)


@fault
def numbers_have_no_text(patch):
    text = functions.text_of
    replace_everywhere(
        patch, text, lambda value: [] if isinstance(value, jsontext.Number) else text(value)
    )


@fault
def a_literal_matches_in_one_place_only(patch):
    patch.setattr(predicates, "_compile_set", lambda patterns: lambda text: [0])


@fault
def log_sources_take_every_event(patch):
    select = logtype.LogType.select

    def everything(self, product, category, service):
        found = select(self, product, category, service)
        return tuple(replace(variant, condition=TRUE) for variant in found)

    patch.setattr(logtype.LogType, "select", everything)


@fault
def log_sources_ignore_the_product(patch):
    select = logtype.LogType.select
    patch.setattr(logtype.LogType, "select", lambda self, product, *rest: select(self, None, *rest))


@fault
def variants_keep_their_names(patch):
    name_in = plan.name_in
    replace_everywhere(
        patch, name_in, lambda shape, vocabulary, names, name: name_in(shape, vocabulary, {}, name)
    )


def forget():
    """Drop what Tocsin remembers, so that no fault outlives its patch."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "tocsin":
            for held in vars(module).values():
                if hasattr(held, "cache_clear"):
                    held.cache_clear()

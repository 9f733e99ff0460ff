"""Match expressions: what each is true on, and what is refused."""

import pytest
import yaml

from tocsin.errors import RuleError
from tocsin.rules.panther.simple import lower_expressions
from tocsin.run.match_expressions import holds_on

LOG = {
    "name": "Ana", "count": 5, "ratio": 2.5, "flag": True, "null": None, "empty": "", "list": [],
    "none": {}, "ip": "10.0.0.1", "public": "8.8.8.8", "six": "2001:4860:4860::8888",
    "tags": ["a", "b"], "deep": {"Er": {"x": "y"}}, "a.b": "dotted", "same": "Ana", "more": 6,
    "users": [{"name": "a", "age": 1}, {"name": "b", "age": 2}],
    "p_enrichment": {"table": {"ip": {"country": "CA"}}},
}  # fmt: skip

TRUE = """
Key: name, Condition: Equals, Value: Ana
Key: NAME, Condition: Equals, Value: Ana
Key: name, Condition: DoesNotEqual, Value: ana
Key: name, Condition: IEquals, Value: ana
Key: missing, Condition: DoesNotEqual, Value: ana
Key: count, Condition: Equals, Value: 5
Key: count, Condition: Equals, Value: 5.0
Key: ratio, Condition: Equals, Value: 2.5
Key: flag, Condition: Equals, Value: true
Key: null, Condition: Equals, Value: null
Key: name, Condition: StartsWith, Value: A
Key: name, Condition: DoesNotStartWith, Value: a
Key: name, Condition: IStartsWith, Value: a
Key: name, Condition: EndsWith, Value: na
Key: name, Condition: DoesNotEndWith, Value: A
Key: name, Condition: IEndsWith, Value: NA
Key: name, Condition: Contains, Value: n
Key: name, Condition: DoesNotContain, Value: x
Key: name, Condition: IContains, Value: AN
Key: name, Condition: IDoesNotContain, Value: X
Key: count, Condition: IsGreaterThan, Value: 4
Key: count, Condition: IsGreaterThanOrEqual, Value: 5
Key: count, Condition: IsGreaterThanOrEquals, Value: 5
Key: count, Condition: IsLessThan, Value: 5.5
Key: count, Condition: IsLessThanOrEquals, Value: 5
Key: name, Condition: IsIn, Values: [x, Ana]
Key: name, Condition: IsNotIn, Values: [x, ana]
Key: missing, Condition: IsNotIn, Values: [x]
Key: tags, Condition: Has, Value: b
Key: tags, Condition: DoesNotHave, Value: c
Key: name, Condition: Exists
Key: null, Condition: Exists
Key: missing, Condition: DoesNotExist
Key: null, Condition: IsNull
Key: missing, Condition: IsNull
Key: empty, Condition: IsNotNull
Key: empty, Condition: IsNullOrEmpty
Key: list, Condition: IsNullOrEmpty
Key: none, Condition: IsNullOrEmpty
Key: missing, Condition: IsNullOrEmpty
Key: name, Condition: IsNotNullOrEmpty
Key: flag, Condition: IsNotNullOrEmpty
Key: deep, Condition: IsNotNullOrEmpty
Key: ip, Condition: IsIPAddress
Key: ip, Condition: IsIPv4Address
Key: six, Condition: IsIPv6Address
Key: ip, Condition: IsIPAddressPrivate
Key: public, Condition: IsIPAddressPublic
Key: six, Condition: IsIPAddressPublic
Key: ip, Condition: IsIPAddressInCIDR, Value: 10.0.0.1/8
Key: public, Condition: IsIPAddressNotInCIDR, Value: 10.0.0.0/8
KeyPath: deep.er.x, Condition: Equals, Value: y
KeyPath: "users[*].name", Condition: Equals, Value: b
DeepKey: [deep, Er, x], Condition: Equals, Value: y
Key: a.b, Condition: Equals, Value: dotted
Enrichment: {Table: table, Selector: ip, FieldPath: country}, Condition: Equals, Value: CA
Condition: Equals, Values: [{Key: name}, {Key: same}]
Condition: IsLessThan, Values: [{Key: count}, {Key: more}]
Condition: DoesNotEqual, Values: [{Key: count}, {Key: more}]
Condition: AlwaysTrue
Any: [{Key: name, Condition: Equals, Value: x}, {Condition: AlwaysTrue}]
All: []
All: [{Condition: AlwaysTrue}, {Condition: AlwaysTrue}]
None: [{Condition: AlwaysFalse}]
OnlyOne: [{Condition: AlwaysTrue}, {Condition: AlwaysFalse}, {Key: name, Condition: IsNull}]
Key: users, Condition: AnyElement, Expressions: [{Key: age, Condition: Equals, Value: 2}]
Key: users, Condition: AllElements, Expressions: [{Key: age, Condition: IsLessThan, Value: 3}]
Key: users, Condition: NoElement, Expressions: [{Key: age, Condition: Equals, Value: 3}]
"""
FALSE = """
Key: name, Condition: Equals, Value: ana
Key: count, Condition: Equals, Value: "5"
Key: missing, Condition: Equals, Value: x
Key: missing, Condition: Contains, Value: x
Key: missing, Condition: IsLessThan, Value: 1
Key: name, Condition: IsGreaterThan, Value: 1
Key: missing, Condition: Exists
Key: missing, Condition: IsIPAddressInCIDR, Value: 0.0.0.0/0
Key: name, Condition: IsIPAddress
Key: name, Condition: IsIPAddressPublic
Key: ip, Condition: IsIPAddressPublic
Key: public, Condition: IsIPAddressPrivate
Key: count, Condition: IsNullOrEmpty
Key: name, Condition: IsNotIn, Values: [Ana]
Condition: AlwaysFalse
Any: []
OnlyOne: [{Condition: AlwaysTrue}, {Condition: AlwaysTrue}]
Key: users, Condition: AllElements, Expressions: [{Key: age, Condition: IsLessThan, Value: 2}]
Key: missing, Condition: AllElements, Expressions: [{Condition: AlwaysTrue}]
Key: missing, Condition: NoElement, Expressions: [{Condition: AlwaysTrue}]
Key: users, Condition: AnyElement, Expressions: [{Key: age, Condition: Equals, Value: 1}, {Key: name, Condition: Equals, Value: b}]
"""  # noqa: E501
REFUSED = {
    "Key: name, Condition: Resembles, Value: x": "is not known",
    "Key: name, Condition: Equals": "needs a Value",
    "Key: name, Condition: IsIn": "needs Values",
    "Key: name, Condition: IsGreaterThan, Value: x": "is not a number",
    "Key: name, Condition: Contains, Value: 1": "is not a text",
    "Key: name, Condition: IsIn, Values: [[1]]": "is not a text, a number or a boolean",
    "Key: ip, Condition: IsIPAddressInCIDR, Value: x": "is no network",
    "Condition: Equals, Value: x": "names no key",
    "KeyPath: 'a[0].b', Condition: Exists": "the position of a member is not supported",
    "KeyPath: 'a..b', Condition: Exists": "cannot be read",
    "DeepKey: [a, 0], Condition: Exists": "is not a list of texts",
    "None: [{Condition: AlwaysTrue}, {Condition: AlwaysTrue}]": "None of several expressions",
    "Key: a, Condition: OnlyOneElement, Expressions: []": "of elements is not supported",
    "Condition: Equals, Values: [{Key: a}]": "two keys are compared",
    "Condition: IsIn, Values: [{Key: a}, {Key: b}]": "compares no two keys",
    "All: {Key: a}": "is not a list of match expressions",
}
INNER = "{Key: b, Condition: AnyElement, Expressions: []}"
NESTED = f"Key: a, Condition: AnyElement, Expressions: [{INNER}]"
REFUSED[NESTED] = "Expressions inside Expressions"


def lower(line):
    text = line.replace("Key: null", "Key: 'null'")
    return lower_expressions([yaml.safe_load(f"{{{text}}}")])


@pytest.mark.parametrize("line", TRUE.strip().splitlines())
def test_true(line):
    assert holds_on(lower(line), LOG)


@pytest.mark.parametrize("line", FALSE.replace("  # noqa: E501", "").strip().splitlines())
def test_false(line):
    assert not holds_on(lower(line), LOG)


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line):
    with pytest.raises(RuleError, match=REFUSED[line]):
        lower(line)


def test_a_list_means_all():
    one, other = ({"Condition": f"Always{value}"} for value in (True, False))
    assert holds_on(lower_expressions([one, one]), LOG)
    assert not holds_on(lower_expressions([one, other]), LOG)
    assert holds_on(lower_expressions([]), LOG)

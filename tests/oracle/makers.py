"""Random conditions, Sigma rules and events, made of so few names and values that they meet."""

import base64
from random import Random

import yaml

from tocsin.condition.tree import (
    And,
    AnyElement,
    Call,
    Field,
    FieldsCompare,
    Glob,
    Not,
    Op,
    Or,
    Predicate,
    Regex,
    Wild,
)

TEXTS = ["", "x", "X", "xy", "x\ny", "x*y", "x?y", "xxyy", "5", "5.0", "05", "-5", "0x5", "200.0"]
TEXTS += ["true", "True", "null", "[]", "ix", "İx", "ß", "SS", "ΣΑΣ", "σας", "ς", "😀x", '"', "\\x"]
TEXTS += ["10.0.0.1", "10.0.1.255", "::ffff:10.0.0.1", "fe80::1", " 10.0.0.1", "10.0.0", "x/y"]
TEXTS += ["2024-02-29T05:59:59Z", "2024-12-30T23:05:00+05:00", "9007199254740993", "\0", "a\\nb"]
NUMBERS = [0, 1, 5, -5, 200, 1.5, 200.0, 2**53 - 1, 2**53 + 1, 2**64, 1709186399]
REGEXES = ["x", "^x", "y$", "^$", "x.y", r"\d+", r"^[5x]", "x|5", r"\bx\b", "[$x]$", "X", "^y"]
NETWORKS = ["10.0.0.0/24", "10.0.0.1/32", "fe80::/10", "0.0.0.0/0", "10.0.0.1"]
PARTS_OF_TIME = ["minute", "hour", "day", "week", "month", "year"]


class Maker:
    """What both kinds of makers share."""

    def __init__(self, seed):
        self.chance = Random(seed)
        self.texts = self.chance.sample(TEXTS, 8)
        self.numbers = self.chance.sample(NUMBERS, 4)

    def pick(self, *choices):
        return self.chance.choice(choices)

    def some(self, make, most):
        return tuple(make() for _ in range(self.chance.randint(1, most)))

    def scalar(self):
        return self.pick(*self.texts, *self.numbers, True, False, None)

    def text(self):
        text = self.pick(*self.texts)
        return self.pick(text, text, text.swapcase(), text[:1], text[1:])

    def integer(self):
        return self.pick(*(n for n in self.numbers if isinstance(n, int)), 0, 1, 5, 23, 59)


KEYS = ["a", "A", "b", "a.b", "c", "B.c", "b.c", "a.b.c", "s p"]
NAMES = ["a", "b", "a.b", "A.b", "b.c", "a.b.c", "C", "S P"]
PATHS = [("a", "b"), ("b", "c"), ("a", "b", "c"), ("a.b", "c")]
GLOBS = [(Wild.ANY,), (Wild.ONE,), ("x", Wild.ANY, "y"), ("x", Wild.ONE, "y"), (Wild.ANY, "Y")]
GLOBS += [(Wild.ONE, Wild.ANY), ("x*", Wild.ANY), (Wild.ANY, "σ", Wild.ONE), (Wild.ONE, "x"), ()]
TEXT_OPS = [Op.EQUALS, Op.CONTAINS, Op.STARTSWITH, Op.ENDSWITH]
ORDER = [Op.LESS, Op.LESS_OR_EQUAL, Op.GREATER, Op.GREATER_OR_EQUAL]
VIAS = ["text", "text", "text", "number", "lower", "length", "leaves", *PARTS_OF_TIME]


class ConditionMaker(Maker):
    """Makes conditions of every kind, and events that are nested and oddly spelled."""

    def event(self, depth=0):
        keys = self.chance.sample(KEYS, self.chance.randrange(len(KEYS) - 2))
        return {key: self.value(depth) for key in keys}

    def value(self, depth):
        kind = self.chance.random()
        if depth == 3 or kind < 0.6:
            return self.scalar()
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(self.chance.randrange(4))]
        return self.event(depth + 1)

    def condition(self, depth=0):
        kind = self.chance.random()
        if kind < 0.15 * depth + 0.4:
            return self.leaf()
        if kind < 0.7:
            return Not(self.condition(depth + 1))
        join = And if kind < 0.85 else Or
        return join(self.some(lambda: self.condition(depth + 1), 3))

    def leaf(self):
        kind = self.chance.random()
        if kind < 0.7:
            return self.predicate(self.field())
        if kind < 0.8:
            return self.text_predicate(Field((), (Call("leaves"),)))
        if kind < 0.9:
            op = self.pick(*TEXT_OPS, *ORDER)
            return FieldsCompare(self.field(), op, self.field(), self.pick(True, False))
        return AnyElement(self.pick(("a",), ("b",), ("a", "b")), self.inner())

    def inner(self):
        paths = [("a",), ("b",), ("b", "c")]
        one, other = (self.predicate(Field(self.pick(*paths), self.via())) for _ in range(2))
        return self.pick(one, Not(one), And((one, other)), Or((one, Not(other))))

    def field(self):
        path = (self.pick(*NAMES),) if self.chance.random() < 0.8 else self.pick(*PATHS)
        return Field(path, self.via())

    def via(self):
        return self.pick((), (Call(self.pick(*VIAS)),))

    def predicate(self, field):
        return self.pick(self.text_predicate, self.text_predicate, self.other_predicate)(field)

    def text_predicate(self, field):
        fold_case = self.pick(True, False)
        op = self.pick(*TEXT_OPS, Op.GLOB, Op.REGEX)
        if op is Op.GLOB:
            return Predicate(field, op, self.some(lambda: Glob(self.pick(*GLOBS)), 2), fold_case)
        if op is Op.REGEX:
            flags = self.pick("", "i", "m", "ims")
            return Predicate(field, op, self.some(lambda: Regex(self.pick(*REGEXES), flags), 2))
        return Predicate(field, op, self.some(self.text, 3), fold_case)

    def other_predicate(self, field):
        op = self.pick(Op.EXISTS, Op.IS_NULL, Op.EQUALS, Op.EQUALS, Op.CIDR, *ORDER[:2])
        if op in {Op.EXISTS, Op.IS_NULL}:
            return Predicate(field, op)
        if op is Op.CIDR:
            return Predicate(field, op, self.some(lambda: self.pick(*NETWORKS), 2))
        if op is Op.EQUALS:
            return Predicate(field, op, self.some(self.operand, 3), self.pick(True, False))
        return Predicate(field, self.pick(*ORDER), (self.integer(),))

    def operand(self):
        return self.pick(self.text(), self.integer(), self.integer(), True, False)


DASHED = ["-x", "/x", "–x", "a -x /y", "a-x", "--x", "C:\\x\\y.exe", "a — x"]
WRITTEN = ["x*", "*x", "?", "*", "x*y", "x?y", r"x\*y", r"x\?y", r"x\\*", "\\x", "**x*", "x\\"]
SIGMA_KEYS = ["a", "A", "b", "B", "c.d", "C.d", "e f"]
SIGMA_NAMES = ["a", "b", "c.d", "A", "C.D", "e f"]
TEXT_CHAINS = ["", "", "contains", "startswith", "endswith", "contains|all", "all", "neq"]
TEXT_CHAINS += ["cased", "contains|cased", "cased|startswith", "endswith|cased", "contains|neq"]
TEXT_CHAINS += ["contains|windash", "windash|contains", "endswith|windash", "contains|all|neq"]
PLAIN_CHAINS = ["base64offset|contains", "base64|contains", "wide|base64offset|contains"]
PLAIN_CHAINS += ["utf16|base64offset|contains", "utf16be|base64offset|contains"]
REGEX_CHAINS = ["re", "re|i", "re|m", "re|s", "re|i|s", "re|ignorecase|multiline", "re|dotall"]
REGEX_CHAINS += ["re|all", "re|neq", "re|contains", "re|startswith", "re|endswith"]
REFERENCE_CHAINS = ["fieldref", "fieldref|startswith", "fieldref|endswith", "fieldref|contains"]
REFERENCE_CHAINS += ["fieldref|neq"]
CONDITIONS = ["sel_a", "not sel_a", "all of sel_*", "1 of sel_*", "any of filter_*", "1 of them"]
CONDITIONS += ["all of them", "sel_a and not 1 of filter_*", "sel_a or sel_b and not filter_x"]
CONDITIONS += ["(sel_a or sel_b) and not filter_x", "sel_a and not (filter_x or filter_y)"]
CONDITIONS += ["_own or not sel_b", "not 1 of sel_* and not all of filter_*", "not (not sel_a)"]


class SigmaMaker(Maker):
    """Makes the YAML of Sigma rules with every modifier, and flat events."""

    def __init__(self, seed):
        super().__init__(seed)
        self.texts += self.chance.sample(DASHED, 3)

    def event(self):
        keys = self.chance.sample(SIGMA_KEYS, self.chance.randrange(len(SIGMA_KEYS)))
        return {key: self.value() for key in keys}

    def value(self):
        kind = self.chance.random()
        if kind < 0.75:
            return self.scalar()
        if kind < 0.85:
            hidden = self.text().encode(self.pick("utf-8", "utf-16-le", "utf-16-be", "utf-16"))
            shift = b"?" * self.chance.randrange(3)
            return base64.b64encode(shift + hidden + self.pick(b"", b"!")).decode()
        return [self.scalar() for _ in range(self.chance.randrange(4))]

    def rule(self, number):
        sections = ["sel_a", "sel_b", "filter_x", "filter_y", "_own"]
        detection = {name: self.section() for name in sections}
        several = [self.pick(*CONDITIONS), self.pick(*CONDITIONS)]
        detection["condition"] = self.pick(*CONDITIONS, *CONDITIONS, several)
        source = {"product": "any", "category": "any", "service": "any"}
        rule = {"title": f"rule {number}", "logsource": source, "detection": detection}
        return yaml.safe_dump(rule, allow_unicode=True, sort_keys=False)

    def section(self):
        kind = self.chance.random()
        if kind < 0.7:
            return self.items()
        if kind < 0.8:
            return [self.items(), self.items()]
        return self.keywords()

    def items(self):
        return dict(self.item() for _ in range(self.chance.randint(1, 2)))

    def item(self):
        name = self.pick(*SIGMA_NAMES)
        chain, values = self.pick(
            self.texts_item, self.texts_item, self.mixed, self.other, self.numeric, self.encoded
        )()
        return f"{name}|{chain}" if chain else name, values

    def texts_item(self):
        chain = self.pick(*TEXT_CHAINS)
        return chain, self.one_or_more(self.written)

    def mixed(self):
        def value():
            return self.pick(self.written(), self.integer(), 1.5, 200.0, True, False, None, "")

        return self.pick("", "", "neq"), self.one_or_more(value)

    def encoded(self):
        def value():
            plain = [text for text in self.texts if text.isascii() and not set(text) & set("*?")]
            return self.pick("xy", *filter(None, plain))

        return self.pick(*PLAIN_CHAINS), self.one_or_more(value)

    def numeric(self):
        if self.pick(True, False):
            return self.pick("gt", "gte", "lt", "lte", "gt|neq"), self.one_or_more(self.integer)
        part = self.pick(*PARTS_OF_TIME)
        number = self.pick(2, 5, 23, 59, 9, 12, 30, 2024)
        return self.pick(part, f"{part}|gte", f"{part}|lt"), number

    def other(self):
        kind = self.pick("exists", "cidr", "regex", "reference")
        if kind == "exists":
            return kind, self.pick(True, False)
        if kind == "cidr":
            return self.pick(kind, "cidr|neq"), self.one_or_more(lambda: self.pick(*NETWORKS))
        if kind == "regex":
            return self.pick(*REGEX_CHAINS), self.one_or_more(lambda: self.pick(*REGEXES))
        return self.pick(*REFERENCE_CHAINS), self.pick(*SIGMA_NAMES)

    def keywords(self):
        chain = self.pick("", "", "|all", "|contains", "|cased", "|re")
        if chain == "|re":
            return {chain: self.one_or_more(lambda: self.pick(*REGEXES))}
        values = [self.written() for _ in range(self.chance.randint(1, 2))]
        if chain:
            return {chain: values}
        return [self.pick(*values, self.integer(), True) for _ in values]

    def one_or_more(self, value):
        return self.pick(value(), [value() for _ in range(self.chance.randint(1, 3))])

    def written(self):
        return self.pick(self.text(), self.pick(*WRITTEN), self.pick(*DASHED))

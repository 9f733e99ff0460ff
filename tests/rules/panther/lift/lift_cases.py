"""The rules that `test_lift_patterns.py` lifts, with an event or two that they match."""

from dataclasses import dataclass
from textwrap import dedent
from typing import Any

HELPERS = {
    "own_helpers": dedent(
        """
        import re

        NAMES = {"alice", "bob"}
        SHARED = []
        PATTERNS = [re.compile(p, re.IGNORECASE) for p in ("^ad", "root$")]


        def success(event):
            if event.get("error", "") or event.deep_get("error", "code"):
                return False
            return True


        def part_of(path, marker, default=""):
            if not path:
                return default
            parts = path.split("/")
            for at, part in enumerate(parts):
                if part.lower() == marker and at + 1 < len(parts):
                    return parts[at + 1]
            return default


        def remember(value):
            SHARED.append(value)


        class Table:
            def __init__(self, event, name):
                self.rows = event.deep_get("p_enrichment", name)

            def _look_up(self, field, key):
                found = (self.rows or {}).get(field)
                return found.get(key) if found else None


        class Places(Table):
            def __init__(self, event):
                super().__init__(event, "places")

            def country(self, field):
                return self._look_up(field, "country")
        """
    )
}
MODEL: Any = {
    "mappings": [
        {"Name": "user", "Path": "$.actor.name"},
        {"Name": "kind", "Method": "get_kind"},
        {"Name": "parsed", "Method": "get_parsed"},
    ],
    "source": [
        "own_model.py",
        dedent(
            """
            import json

            def get_kind(event):
                if event.get("action") == "login" and event.deep_get("result", "ok") is False:
                    return "failed_login"
                return None

            def get_parsed(event):
                try:
                    return json.loads(event.get("text")).get("verb")
                except (TypeError, ValueError, AttributeError):
                    return "none"
            """
        ),
    ],
}


@dataclass(frozen=True)
class Case:
    id: str
    tier: str
    events: tuple[dict[str, Any], ...]
    source: str
    obstacle: str = ""


def rule(name: str, tier: str, events: Any, body: str, obstacle: str = "") -> Case:
    events = events if isinstance(events, tuple) else (events,)
    return Case(name, tier, events, dedent(body).strip() + "\n", obstacle)


SECRET = {"operationName": "SecretGet", "resultType": "Success", "user": "ann"}
LISTED = {"items": [{"type": "a", "n": 1}, {"type": "z", "n": 7, "tags": ["x", "y"]}], "n": 3}

PATTERNS = [
    rule("constants-and-case", "A1", SECRET, '''
        OPERATIONS = ["SECRETGET", "SECRETRECOVER"]
        def rule(event):
            return event.get("operationName", "").upper() in OPERATIONS and event.get(
                "resultType") in {"Success", "Succeeded"}
        def title(event):
            return f"[{event.get('user', '?')}] did {event.get('operationName')}"
    '''),
    rule("early-returns", "A1", SECRET | {"age": 10}, '''
        def rule(event):
            if event.get("operationName") != "SecretGet":
                return False
            if not event.get("user"):
                return False
            return not event.get("user").startswith(("svc-", "sys-"))
        def title(event):
            return event.get("user").title() + " read " + str(event.get("age"))
    '''),
    rule("all-of-a-list", "A1", SECRET, '''
        def rule(event):
            return all([event.get("operationName") == "SecretGet", event.get("user") is not None,
                        event.get("resultType", "x") in ("Success", None, 5)])
    '''),
    rule("any-of-constants-in-text-or-list", "A1", ({"cmd": "run nc -e"}, {"cmd": ["nc"]}), '''
        WORDS = ("nc", "curl")
        def rule(event):
            return any(word in event.get("cmd", "") for word in WORDS)
    '''),
    rule("helper-inlined", "A1", {"name": "ALICE", "error": None}, '''
        from own_helpers import NAMES, success
        def rule(event):
            return success(event) and event.get("name", "").lower() in NAMES
    '''),
    rule("data-model-method", "A1",
         {"action": "login", "result": {"ok": False}, "actor": {"name": "ann"}}, '''
        def rule(event):
            return event.udm("kind") == "failed_login" and event.udm("user", default="") != "root"
        def title(event):
            return f"{event.udm('user')} failed"
    '''),
    rule("data-model-falls-through", "A1", ({"p_udm": {"other": "x"}}, {"other": "x"}), '''
        def rule(event):
            return event.udm("other", default="none") == "x"
    '''),
    rule("data-model-try", "A3", ({"text": '{"verb": "get"}'}, {"text": "no"}), '''
        def rule(event):
            return event.udm("parsed") == "get"
    '''),
    rule("loop-returns", "A2", LISTED, '''
        def rule(event):
            for item in event.get("items") or []:
                if item.get("type") == "z" and item.get("n", 0) > 5:
                    return True
            return False
        def title(event):
            return f"{len(event.get('items'))} items, first {event.get('items')[0].get('type')}"
    '''),
    rule("any-and-all-of-objects", "A2", LISTED, '''
        def rule(event):
            items = event.get("items", [])
            return any(i.get("type") == "z" for i in items) and all(
                i.get("n", 0) < 10 for i in items)
    '''),
    rule("members-of-a-list", "A3", ({"ips": ["1.1.1.1", "9.9.9.9"]},), '''
        def rule(event):
            return any(ip.startswith("9.") for ip in event.get("ips", []))
    '''),
    rule("accumulator", "A3", LISTED, '''
        def rule(event):
            count = 0
            for item in event.get("items", []):
                if item.get("type") in ("a", "z"):
                    count += 1
                else:
                    continue
                if count > 5:
                    break
            return count >= 2
    '''),
    rule("first-of-several", "A3", LISTED, '''
        def rule(event):
            for item in event.get("items", []):
                if item.get("type") == "b":
                    return False
                if item.get("n") == 7:
                    return True
            return False
    '''),
    rule("collected-names", "A3", LISTED, '''
        def rule(event):
            found = []
            for item in event.get("items", []):
                if item.get("n", 0) > 2:
                    found.append(item.get("type"))
            return "z" in found and len(found) == 1
        def alert_context(event):
            return {"types": [i.get("type") for i in event.get("items", []) if i.get("n")]}
    '''),
    rule("deep-walk", "A3",
         ({"a": {"b": [{"c": "x"}, {"c": ["y", "z"]}]}}, {"a": {"b": {"c": "y"}}}),
         '''
        def rule(event):
            return "y" in event.deep_walk("a", "b", "c", default=[])
        def title(event):
            return str(event.deep_walk("a", "b", "c", return_val="first"))
    '''),
    rule("split-and-index", "A2", {"arn": "arn:aws:iam::1:user/ann"}, '''
        def rule(event):
            return event.get("arn", "").split("/")[-1] in ("ann", "bob")
        def title(event):
            return event["arn"].split(":")[5]
    '''),
    rule("subscripts-raise", "A1", {"a": {"b": "x"}}, '''
        def rule(event):
            return event["a"]["b"] == "x"
    '''),
    rule("length-and-slice", "A3", {"name": "abcdef", "n": 2}, '''
        def rule(event):
            return len(event.get("name", "")) > 4 and event.get("name")[:3] == "abc"
    '''),
    rule("numbers", "A1", ({"n": 5, "m": 1}, {"n": 5.0, "m": True}), '''
        def rule(event):
            return event.get("n", 0) >= 5 and event.get("m") == 1
    '''),
    rule("strings-of-numbers", "A3", ({"n": "17"}, {"n": 17}), '''
        def rule(event):
            try:
                return int(event.get("n")) > 10
            except (ValueError, TypeError):
                return False
    '''),
    rule("addresses", "A3", {"ip": "8.8.8.8"}, '''
        from ipaddress import ip_address, ip_network
        OURS = [ip_network("10.0.0.0/8")]
        def rule(event):
            try:
                ip = ip_address(event.get("ip", ""))
            except ValueError:
                return False
            return ip.is_global and not any(ip in one for one in OURS)
    '''),
    rule("json-in-text", "A3", ({"text": '{"a": {"B": [1, 2]}}'}, {"text": "{"}), '''
        import json
        def parse(text):
            if isinstance(text, str):
                try:
                    return json.loads(text)
                except json.JSONDecodeError:
                    return {}
            return text or {}
        def rule(event):
            body = parse(event.get("text"))
            return len(body.get("a", {}).get("B", [])) == 2
    '''),
    rule("regular-expressions", "A1", {"name": "Admin", "path": "/api/v1/users"}, r'''
        import re
        from own_helpers import PATTERNS
        PATH = re.compile(r"^/api/v\d+/[\w-]+$")
        def rule(event):
            name = event.get("name", "")
            if not any(p.search(name) for p in PATTERNS):
                return False
            return PATH.match(event.get("path", "")) is not None
    '''),
    rule("glob", "A1", {"role": "roles/fooAdmin"}, '''
        from fnmatch import fnmatch
        def rule(event):
            return any(fnmatch(event.get("role", ""), p) for p in ("roles/owner", "roles/*Admin"))
    '''),
    rule("kinds", "A1", ({"a": "x", "b": {"c": 1}}, {"a": 5, "b": {"c": None}}), '''
        from collections.abc import Mapping, Sequence
        def rule(event):
            a, b = event.get("a"), event.get("b")
            if isinstance(a, (int, float)) and not isinstance(a, bool):
                return True
            return isinstance(a, str) and isinstance(b, Mapping) and not isinstance(b, (dict, list))
    '''),
    rule("null-missing-false", "A1", ({"a": None}, {"b": False}), '''
        def rule(event):
            return event.get("a", "x") is None or event.get("b") is False or "c" in event
    '''),
    rule("walrus-and-chains", "A3", {"n": 5, "name": "zed"}, '''
        def rule(event):
            if (name := event.get("name")) and 1 < event.get("n", 0) <= 5:
                return name[0:1] == name[0:1] and name != "bob"
            return False
    '''),
    rule("two-fields", "A3", ({"a": "x", "b": "x", "c": ["x"]},), '''
        def rule(event):
            return event.get("a") == event.get("b") and event.get("a") in event.get("c", [])
        def title(event):
            return f"{event.get('a')}{event.get('b')!r:>5}"
    '''),
    rule("global-written-for-the-title", "A1", {"name": "ann", "n": 2}, '''
        FOUND = {}
        def rule(event):
            global FOUND
            FOUND = {"name": event.get("name", "?")}
            return event.get("n") == 2
        def title(event):
            return f"found {FOUND.get('name')}"
    '''),
    rule("mock-guard", "A1", {"name": "ann"}, '''
        import json
        from unittest.mock import MagicMock
        ALLOWED = {"ann", "bob"}
        def rule(event):
            global ALLOWED
            if isinstance(ALLOWED, MagicMock):
                ALLOWED = set(json.loads(ALLOWED()))
            return event.get("name") in ALLOWED
    '''),
    rule("classes", "A1", {"p_enrichment": {"places": {"ip": {"country": "NZ"}}}}, '''
        from own_helpers import Places
        def rule(event):
            return Places(event).country("ip") == "NZ"
    '''),
    rule("part-of-a-path", "A3", {"id": "/subscriptions/1/VAULTS/kv1/keys"}, '''
        from own_helpers import part_of
        def rule(event):
            return part_of(event.get("id", ""), "vaults", default="?") == "kv1"
        def title(event):
            return part_of(event.get("id", ""), "vaults")
    '''),
    rule("match-statement", "A1", ({"s": "high"}, {"s": "low"}), '''
        def rule(event):
            match event.get("s", "medium"):
                case "high" | "critical":
                    return True
                case _:
                    return False
        def severity(event):
            return {"high": "HIGH"}.get(event.get("s"), "DEFAULT")
    '''),
    rule("context-built-up", "A1", {"name": "ann", "group": "ops"}, '''
        def rule(event):
            return event.get("name") == "ann"
        def title(event):
            context = {"name": event.get("name")}
            if event.get("group"):
                context["group"] = event.get("group")
            context.update({"more": 1})
            return ",".join(f"{key}={value}" for key, value in context.items())
    '''),
]  # fmt: skip

INEXACT = [
    rule("mutable-global", "B", {"name": "ann"}, '''
        SEEN = set()
        def rule(event):
            if event.get("name") != "ann":
                return False
            SEEN.add(event.get("id"))
            return len(SEEN) < 3
    ''', "SEEN"),
    rule("global-read-back", "B", {"name": "ann"}, '''
        COUNT = 0
        def rule(event):
            global COUNT
            COUNT += 1
            return event.get("name") == "ann" and COUNT % 2 == 1
    ''', "COUNT is written"),
    rule("changed-through-a-helper", "B", {"name": "ann"}, '''
        from own_helpers import SHARED, remember
        def rule(event):
            remember(event.get("name"))
            return event.get("name") == "ann" and len(SHARED) < 4
    ''', "SHARED"),
    rule("changed-through-another-name", "C", {"name": "ann"}, '''
        TABLE = {"names": []}
        def rule(event):
            names = TABLE["names"]
            names.append(event.get("name"))
            return len(TABLE["names"]) < 3
    ''', "TABLE"),
    rule("default-that-is-changed", "C", {"name": "ann"}, '''
        def known(name, seen=[]):
            seen.append(name)
            return len(seen) > 2
        def rule(event):
            return known(event.get("name"))
    ''', "default of seen"),
    rule("cache", "B", {"name": "ann"}, '''
        from panther_detection_helpers.caching import get_string_set, put_string_set
        def rule(event):
            if event.get("name") != "ann":
                return False
            seen = get_string_set("names")
            put_string_set("names", {"ann"})
            return not seen
    ''', "get_string_set"),
    rule("clock", "B", {"name": "ann"}, '''
        from datetime import datetime
        def rule(event):
            return event.get("name") == "ann" and datetime.now().year > 2000
    ''', "datetime.now"),
    rule("other-library", "B", {"a": "abcdef", "b": "abcdeg"}, '''
        from difflib import SequenceMatcher
        def rule(event):
            a, b = event.get("a", ""), event.get("b", "")
            return a.startswith("ab") and SequenceMatcher(None, a, b).ratio() > 0.7
    ''', "SequenceMatcher"),
    rule("several-fields-in-one-text", "C", {"a": "x", "b": "y"}, '''
        def rule(event):
            return f"{event.get('a')}/{event.get('b')}" == "x/y"
    ''', "several fields: a, b"),
    rule("while-over-the-event", "B", {"n": 3, "name": "ann"}, '''
        def rule(event):
            if event.get("name") != "ann":
                return False
            n = event.get("n", 0)
            while n > 2:
                n = n // 2
            return n == 1
    ''', "while loop"),
    rule("alias-is-changed", "B", {"name": "ann"}, '''
        def rule(event):
            if event.get("name") != "ann":
                return False
            one = []
            both = [one, one]
            one.append(event.get("name"))
            return len(both[0]) == 1
    ''', "append"),
]  # fmt: skip

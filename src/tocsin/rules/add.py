"""Add a rule to a folder: the file that holds it, or the rule that a page quotes as a file."""

import re
from dataclasses import dataclass
from pathlib import Path

from tocsin.errors import RuleError, UsageError
from tocsin.rules.load import RULE_SUFFIXES, LoadOptions, RuleFile, RuleLoader
from tocsin.rules.model import Rule, Verdict

_ENDINGS = {"sigma": ".yml", "elastic": ".toml", "panther": ".yml"}


@dataclass(frozen=True, slots=True)
class Added:
    """The file that was written, and the rules that it holds."""

    path: Path
    rules: tuple[Rule, ...]


def add_rule(source: Path, folder: Path) -> Added:
    """Write the rules of a file or a page into a folder, in their own language.

    A page's rule is named after its title, a rule file keeps its name. Raises `UsageError` if
    there is no rule, if it cannot be read, or if another file has the name.
    """
    text = _text(source)
    name, content = _file(source, text)
    target = folder / name
    loader = RuleLoader(LoadOptions())
    rules, skipped = loader.load_text(content, RuleFile(target, folder.name, str(target)))
    if skipped or not rules:
        raise UsageError(f"{source}: {skipped.reason if skipped else 'holds no rule'}")
    if target.exists() and target.read_text("utf-8-sig") != content:
        raise UsageError(f"{target}: is there already, and is another; choose another --to")
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(content, "utf-8")
    return Added(target, tuple(rules))


def _text(source: Path) -> str:
    try:
        return source.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{source}: is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {error.strerror}") from None


def _file(source: Path, text: str) -> tuple[str, str]:
    """Return name and content of the file to be written."""
    try:
        quoted = _quoted(source, text)
    except RuleError as error:
        raise UsageError(str(error)) from None
    if quoted:
        rule = _rule_in(quoted, source.with_suffix(""))
        return f"{_slug(rule.name)}{_ENDINGS[rule.ecosystem]}", quoted
    if source.suffix.lower() in RULE_SUFFIXES:
        return source.name, text
    rule = _rule_in(text, source)
    return f"{_slug(rule.name)}{_ending(rule, text)}", text


def _quoted(source: Path, text: str) -> str:
    """Return the rule that a page quotes, as a file; empty if the text is no page."""
    from tocsin.rules.elastic.page import toml_of_page
    from tocsin.rules.elastic.read import quotes_rule
    from tocsin.rules.panther.page import quotes_panther_rule, yaml_of_page

    if quotes_panther_rule(text):
        return yaml_of_page(text, source)
    return toml_of_page(text, source) if quotes_rule(text) else ""


def _rule_in(text: str, source: Path) -> Rule:
    rules, skipped = RuleLoader(LoadOptions()).load_text(text, RuleFile(source, "", str(source)))
    if not rules:
        raise UsageError(f"{source}: {skipped.reason if skipped else 'holds no rule'}")
    return rules[0]


def _ending(rule: Rule, text: str) -> str:
    return ".ndjson" if text.lstrip()[:1] == "{" else _ENDINGS[rule.ecosystem]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "rule"


def unreadable(added: Added) -> tuple[str, ...]:
    """Return why rules that were added do not run."""
    broken = (rule for rule in added.rules if rule.verdict is Verdict.CANNOT)
    return tuple(reason for rule in broken for reason in rule.reasons)

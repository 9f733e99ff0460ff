"""Rule files and folders → Rules. Each ecosystem has one reader; a file goes to the first that
knows it, and a file that none knows is named, never dropped.
"""

import gc
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tocsin.errors import UsageError
from tocsin.jsontext import valid_text
from tocsin.rules.model import Rule, RuleSet, Skipped, Verdict

NO_RULE = "no rule: has no detection, correlation or filter"
NO_RULE_IN = {
    ".toml": "no rule: has no [rule]",
    ".json": "no rule: is no export of rules",
    ".ndjson": "no rule: is no export of rules",
}
"""Why a file is not taken that is none of a reader's, by its ending."""
SIGMA_SUFFIXES = {".yml", ".yaml"}
RULE_SUFFIXES = SIGMA_SUFFIXES | NO_RULE_IN.keys()
MAX_BYTES = 64 * 1024 * 1024
"""The size of the largest file that may hold rules."""
PARTS = ("global_helpers", "data_models")
"""Folders of a pack of Panther that hold what its rules import."""
_CASES = re.compile(r"\.cases\.ya?ml$")
_SIGMA = re.compile(r"^(detection|correlation|filter)\s*:", re.MULTILINE)
_PANTHER = re.compile(r"^[\"']?AnalysisType[\"']?[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """Files that change how rules are read."""

    pipelines: tuple[Path, ...] = ()
    placeholders: Path | None = None


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file that may hold rules, the pack it belongs to, and how its path is shown."""

    path: Path
    pack: str
    shown: str


def find_rule_files(roots: Iterable[Path]) -> list[RuleFile]:
    """List the rule files below the paths that a user named; each named path is one pack.

    A file that is named itself is taken whatever its ending, so that a page that quotes a rule
    can be given. Raises `UsageError` if a path does not exist or holds no rule files.
    """
    found: list[RuleFile] = []
    for root, pack in name_packs(roots).items():
        if root.is_dir():
            files = sorted(_rule_files_below(root), key=lambda path: path.parts)
            if not files:
                name = valid_text(str(root))
                known = ", ".join(f"*{suffix}" for suffix in sorted(RULE_SUFFIXES, reverse=True))
                raise UsageError(f"{name}: no rule files ({known}) below this folder")
        elif root.exists():
            files = [root]
        else:
            raise UsageError(f"{valid_text(str(root))}: no such rule file or folder")
        files += _parts_beside(root, files)
        found += [RuleFile(path, pack, valid_text(str(path))) for path in files]
    return found


def _parts_beside(root: Path, files: Sequence[Path]) -> list[Path]:
    """Return what rules of Panther below a path are made with, if its pack keeps it beside them."""
    above = next(filter(_is_pack, root.resolve().parents), None)
    if above is None:
        return []
    known = {path.resolve() for path in files}
    beside = [path for name in PARTS for path in sorted(_rule_files_below(above / name))]
    return [path for path in beside if path not in known]


def _is_pack(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in PARTS)


def name_packs(roots: Iterable[Path]) -> Mapping[Path, str]:
    """Name each root's pack by its file or folder, with as many folders above as tell it apart.

    A root that is named twice is one pack.
    """
    places = {root.resolve(): root for root in reversed(list(roots))}
    packs: dict[Path, str] = {}
    for place, root in reversed(places.items()):
        *above, name = place.with_suffix("").parts if place.is_file() else place.parts
        pack = valid_text(name.strip("/")) or "rules"
        while pack in packs.values() and above:
            pack = f"{valid_text(above.pop())}/{pack}"
        packs[root] = pack
    return packs


def _rule_files_below(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            if os.path.splitext(name)[1].lower() in RULE_SUFFIXES and not _CASES.search(name):
                place = os.path.join(folder, name)
                if os.path.isfile(place):
                    yield Path(place)


def load_rules(roots: Iterable[Path], options: LoadOptions | None = None) -> RuleSet:
    """Load every rule below the given paths; broken ones have the verdict `cannot`."""
    loader = RuleLoader(options or LoadOptions())
    with quiet_gc():
        loaded = [loader.load(file) for file in find_rule_files(roots)]
    return combine(loaded)


def combine(
    loaded: Iterable[tuple[list[Rule], Skipped | None]], now: datetime | None = None
) -> RuleSet:
    """Put the rules of several files together and check what only the whole can show.

    Dates that are relative to now become those of the moment, or of the given time.
    """
    rules: list[Rule] = []
    skipped: list[Skipped] = []
    for found, left_out in loaded:
        rules += found
        if left_out:
            skipped.append(left_out)
    checked = tuple(_refuse_repeats(_fix_dates(rules, now)))
    parts = tuple(rule for rule in checked if rule.is_part)
    detections = tuple(rule for rule in checked if not rule.is_part) if parts else checked
    return RuleSet(_with_collections(detections, parts), tuple(skipped), parts)


def _with_collections(rules: tuple[Rule, ...], parts: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Say of rules which lists of their pack they are in."""
    if not any(part.kind == "pack" for part in parts):
        return rules
    from tocsin.rules.panther.pack import collections

    found = collections(parts)
    return tuple(
        replace(rule, collections=found[rule.key]) if rule.key in found else rule for rule in rules
    )


def _fix_dates(rules: list[Rule], now: datetime | None) -> list[Rule]:
    if not any(rule.ecosystem == "elastic" for rule in rules):
        return rules
    from tocsin.rules.elastic.dates import at_moment

    when = now or datetime.now(UTC)
    return [at_moment(rule, when) if rule.ecosystem == "elastic" else rule for rule in rules]


class RuleLoader:
    """Reads rule files with one set of options."""

    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        self._pipelines: tuple[object, ...] | None = None

    def load(self, file: RuleFile) -> tuple[list[Rule], Skipped | None]:
        """Load one file: its rules, or the reason why it is not one of rules."""
        try:
            if file.path.stat().st_size > MAX_BYTES:
                return [], Skipped(file.shown, f"larger than {MAX_BYTES >> 20} MiB")
            text = file.path.read_text("utf-8-sig")
        except UnicodeDecodeError:
            return [], Skipped(file.shown, "cannot be read: is not UTF-8 text")
        except OSError as error:
            return [], Skipped(file.shown, f"cannot be read: {error.strerror}")
        return self.load_text(text, file)

    def load_text(self, text: str, file: RuleFile) -> tuple[list[Rule], Skipped | None]:
        """Load rules from text that came from a file, or stands for one."""
        suffix = file.path.suffix.lower()
        if suffix not in SIGMA_SUFFIXES and (rules := _load_elastic(text, file)) is not None:
            return rules, None
        if suffix in NO_RULE_IN:
            return [], Skipped(file.shown, NO_RULE_IN[suffix])
        if _PANTHER.search(text):
            return _load_panther(text, file)
        if not _SIGMA.search(text):
            return [], Skipped(file.shown, NO_RULE)
        return self._load_sigma(text, file), None

    def _load_sigma(self, text: str, file: RuleFile) -> list[Rule]:
        from tocsin.rules.sigma.build import Origin, load_sigma
        from tocsin.rules.sigma.parse import load_pipeline, load_placeholders

        if self._pipelines is None:
            own = [load_pipeline(path) for path in self._options.pipelines]
            if self._options.placeholders:
                own.append(load_placeholders(self._options.placeholders))
            self._pipelines = tuple(own)
        origin = Origin(file.pack, file.path, file.shown)
        return list(load_sigma(text, origin, self._pipelines))


def _load_elastic(text: str, file: RuleFile) -> list[Rule] | None:
    from tocsin.rules.elastic.read import reader_of

    read = reader_of(text)
    return read(text, file.pack, Path(file.shown)) if read else None


def _load_panther(text: str, file: RuleFile) -> tuple[list[Rule], Skipped | None]:
    from tocsin.rules.panther.pack import load_file

    return load_file(text, file)


def _refuse_repeats(rules: list[Rule]) -> Iterator[Rule]:
    """Let the first rule of a key stand; a second one cannot run, and says where the first is.

    Parts of a pack have their keys by kind.
    """
    first: dict[tuple[str, str], Rule] = {}
    for rule in rules:
        other = first.setdefault((rule.key, rule.kind if rule.is_part else ""), rule)
        if other is rule:
            yield rule
            continue
        reason = f"{rule.path}: the id {rule.id} is already used in this pack by {other.path}"
        yield replace(rule, inputs=(), verdict=Verdict.CANNOT, reasons=(*rule.reasons, reason))


@contextmanager
def quiet_gc() -> Iterator[None]:
    """Keep the garbage collector from walking the many objects that a parser makes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

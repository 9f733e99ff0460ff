"""A STIX bundle of MITRE ATT&CK Enterprise → the compact form that Tocsin reads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tocsin.errors import InputError

ENTERPRISE = "enterprise-attack"
Object = Mapping[str, Any]


def compact(bundle: object, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the compact form of a bundle; what ids became in `before` is kept where it holds.

    Raises `InputError` if it is no bundle of ATT&CK Enterprise.
    """
    objects = _objects(bundle)
    tactics = _tactics(objects)
    techniques = {
        key: {"name": str(one.get("name", "")), "tactics": _tactics_of(one, tactics)}
        for key, one in _patterns(objects)
        if not _is_gone(one)
    }
    if not tactics or not techniques:
        raise InputError("no tactics and techniques of ATT&CK Enterprise are in this bundle")
    known = {one["shortname"] for one in tactics}
    replaced = {**_kept(before, techniques), **_replaced(objects, techniques)}
    return {
        "name": "MITRE ATT&CK Enterprise",
        "version": _version(objects),
        "copyright": before["copyright"],
        "tactics": tactics,
        "former_tactics": {
            name: key for name, key in _former(before, tactics).items() if name not in known
        },
        "techniques": dict(sorted(techniques.items())),
        "replaced": dict(sorted(replaced.items())),
        "withdrawn": sorted(
            key for key, one in _patterns(objects) if _is_gone(one) and key not in replaced
        ),
    }


def _objects(bundle: object) -> list[Object]:
    found = bundle.get("objects") if isinstance(bundle, dict) else None
    if not isinstance(found, list):
        raise InputError("not a STIX bundle: it has no list of objects")
    return [one for one in found if isinstance(one, dict) and _is_enterprise(one)]


def _is_enterprise(one: Object) -> bool:
    domains = one.get("x_mitre_domains")
    return not isinstance(domains, list) or ENTERPRISE in domains


def _id(one: Object) -> str:
    references = one.get("external_references")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and reference.get("source_name") == "mitre-attack":
            return str(reference.get("external_id", ""))
    return ""


def _is_gone(one: Object) -> bool:
    return bool(one.get("revoked") or one.get("x_mitre_deprecated"))


def _of_type(objects: Sequence[Object], kind: str) -> Iterator[Object]:
    return (one for one in objects if one.get("type") == kind)


def _tactics(objects: Sequence[Object]) -> list[dict[str, str]]:
    """Return the tactics in the order of the matrix; those that it leaves out come last."""
    found = {str(one.get("id")): one for one in _of_type(objects, "x-mitre-tactic")}
    order = [ref for one in _of_type(objects, "x-mitre-matrix") for ref in _refs(one)]
    ordered = dict.fromkeys([*(ref for ref in order if ref in found), *found])
    return [
        {
            "id": _id(found[ref]),
            "shortname": str(found[ref].get("x_mitre_shortname", "")),
            "name": str(found[ref].get("name", "")),
        }
        for ref in ordered
        if _id(found[ref]) and not _is_gone(found[ref])
    ]


def _refs(matrix: Object) -> list[str]:
    refs = matrix.get("tactic_refs")
    return [str(ref) for ref in refs] if isinstance(refs, list) else []


def _patterns(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    return ((_id(one), one) for one in _of_type(objects, "attack-pattern") if _id(one))


def _tactics_of(one: Object, tactics: Sequence[Mapping[str, str]]) -> list[str]:
    phases = one.get("kill_chain_phases")
    names = {
        phase.get("phase_name")
        for phase in (phases if isinstance(phases, list) else ())
        if isinstance(phase, dict)
    }
    return [tactic["id"] for tactic in tactics if tactic["shortname"] in names]


def _replaced(objects: Sequence[Object], techniques: Mapping[str, object]) -> dict[str, str]:
    ids = {str(one.get("id")): key for key, one in _patterns(objects)}
    pairs = (
        (ids.get(str(one.get("source_ref")), ""), ids.get(str(one.get("target_ref")), ""))
        for one in _of_type(objects, "relationship")
        if one.get("relationship_type") == "revoked-by"
    )
    return {old: new for old, new in pairs if old and new and old not in techniques}


def _kept(before: Mapping[str, Any], techniques: Mapping[str, object]) -> dict[str, str]:
    return {
        old: new
        for old, new in before["replaced"].items()
        if old not in techniques and (new in techniques or new in before["replaced"])
    }


def _former(before: Mapping[str, Any], tactics: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what former short names stand for: those known before, and those renamed since."""
    known = {one["id"] for one in tactics}
    names = {one["shortname"]: one["id"] for one in before["tactics"]} | before["former_tactics"]
    return {name: key for name, key in names.items() if key in known}


def _version(objects: Sequence[Object]) -> str:
    for one in _of_type(objects, "x-mitre-collection"):
        if version := one.get("x_mitre_version"):
            return str(version)
    return "of unknown version"

"""What every exported resource carries."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

BASE = "https://baclofen-cds.example/fhir"
COPYRIGHT = "Apache License 2.0. Codes of terminologies that are named here keep their own terms."


def resource(resource_type: str, identity: str, title: str, version: str, **members: Any) -> Json:
    """``version``: the content version. A member that is empty is left out, as FHIR wants it."""
    named: Json = {
        "resourceType": resource_type,
        "id": identity,
        "url": f"{BASE}/{resource_type}/{identity}",
        "version": version,
        "name": computable(identity),
        "title": title,
        "status": "draft",
        "publisher": "Baclofen CDS",
    }
    return named | {name: value for name, value in members.items() if value not in ("", [], {}, None)}


def computable(identity: str) -> str:
    """ "kidney-function" as "KidneyFunction": a name that programs can use."""
    return "".join(word[:1].upper() + word[1:] for word in identity.replace("_", "-").split("-"))


def canonical(written: Json) -> str:
    return f"{written['url']}|{written['version']}"


def concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}

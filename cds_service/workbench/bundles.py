"""A Bundle that somebody brought: its resources as a FHIR server would hold them. It is kept nowhere."""

from __future__ import annotations

from cds_service.errors import FieldInvalid
from cds_service.workbench.fhir_json import Json, objects, text

MOST = 5000
"""Resources of one Bundle."""


def resources_of(bundle: object) -> list[Json]:
    """Every resource with an id; references by ``fullUrl`` (``urn:uuid:...``) become relative ones. A search result
    inside the Bundle, as a prefetch has them, is opened. Raises ``FieldInvalid`` (400)."""
    found = [(text(entry, "fullUrl"), entry["resource"]) for entry in _entries(bundle)]
    if not found or len(found) > MOST:
        raise FieldInvalid("the Bundle", f"a FHIR Bundle of 1 to {MOST} resources")
    named = {}
    for n, (url, resource) in enumerate(found):
        resource.setdefault("id", url.rpartition(":")[2].rpartition("/")[2] or f"resource-{n}")
        if url:
            named[url] = f"{resource['resourceType']}/{resource['id']}"
    resources = [resource for _, resource in found]
    for resource in resources:
        _relative(resource, named)
    return resources


def patient_of(resources: list[Json]) -> str:
    """The id of the one Patient. Raises ``FieldInvalid`` (400)."""
    patients = {text(one, "id") for one in resources if one["resourceType"] == "Patient"}
    if len(patients) != 1:
        raise FieldInvalid("the Bundle", "a Bundle with the records of exactly one Patient")
    return patients.pop()


def _entries(bundle: object) -> list[Json]:
    if text(bundle, "resourceType") != "Bundle":
        raise FieldInvalid("the Bundle", "a FHIR Bundle")
    entries = []
    for entry in objects(bundle, "entry"):
        if text(entry, "resource", "resourceType") == "Bundle":
            entries += _entries(entry["resource"])
        elif text(entry, "resource", "resourceType"):
            entries.append(entry)
    return entries


def _relative(value: object, named: dict[str, str]) -> None:
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as one:
                if (pointed := text(one, "reference")) in named:
                    one["reference"] = named[pointed]
                pending += one.values()
            case list() as many:
                pending += many
            case _:
                pass

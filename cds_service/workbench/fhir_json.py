"""FHIR as plain JSON, for showing and searching: whatever has another shape than asked for counts as not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def at(value: Any, *path: str | int) -> Any:
    """What stands at the path; None when the way there is not as FHIR has it."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def text(value: Any, *path: str | int) -> str:
    """The string at the path, else empty."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def objects(value: Any, *path: str | int) -> list[Json]:
    """The objects of the list at the path."""
    found = at(value, *path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def concept(value: Any, *path: str | int) -> str:
    """A CodeableConcept as a person reads it: its text, else the first display, else the first code."""
    found = at(value, *path)
    codings = objects(found, "coding")
    words = [text(found, "text"), *(text(one, "display") for one in codings), *(text(one, "code") for one in codings)]
    return next(filter(None, words), "")


def codings(resource: Json) -> Iterator[tuple[str, str]]:
    """System and code of what a resource is about."""
    for element in ("code", "medicationCodeableConcept"):
        for coding in objects(resource, element, "coding"):
            yield text(coding, "system"), text(coding, "code")


_DATES = ("effectiveDateTime", "authoredOn", "onsetDateTime", "recordedDate", "performedDateTime", "issued")


def day(resource: Json) -> str:
    """The date that a resource is filed under, YYYY-MM-DD or less; empty when it has none."""
    return next(filter(None, (text(resource, name)[:10] for name in _DATES)), "")


def reference(resource: Json) -> str:
    return f"{text(resource, 'resourceType')}/{text(resource, 'id')}"


def about(resource: Json) -> str:
    """The reference to whom a resource is about; of a Patient to itself."""
    if resource.get("resourceType") == "Patient":
        return reference(resource)
    return text(resource, "subject", "reference") or text(resource, "patient", "reference")

"""FHIR search, as much of it as prefetch templates ask for: by ``_id``, ``patient``, ``code`` and ``status``, with
``_sort`` by date and pages of ``_count``.

A parameter that is not known is refused, never ignored: an ignored filter would give another patient's data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cds_service.errors import BadRequest
from cds_service.workbench.fhir_json import Json, about, codings, day, text

TYPES = (
    "Patient", "Observation", "MedicationRequest", "Medication", "Condition", "Procedure", "AllergyIntolerance",
)  # fmt: skip
PAGE = 50
"""Matches on a page when ``_count`` is not given."""
MOST = 500

Query = Sequence[tuple[str, str]]


class NotSearchable(BadRequest):
    code: ClassVar[str] = "not-supported"
    problem = "The search has a parameter that this server does not know, or a value that it cannot read."
    cure = "Search by _id, patient, subject, code or status; with _sort=date or -date, _count, and _offset of a link."


@dataclass(frozen=True, slots=True)
class Found:
    total: int
    page: list[Json]
    following: int | None
    """Offset of the next page."""


def search(resources: Iterable[Json], kind: str, query: Query) -> Found:
    """Raises ``NotSearchable`` (400)."""
    found = [one for one in resources if one.get("resourceType") == kind]
    count, offset = PAGE, 0
    for name, value in query:
        match name:
            case "_count":
                count = min(_number(value), MOST)
            case "_offset":
                offset = _number(value)
            case "_sort" if value.removeprefix("-") == "date":
                found = sorted(found, key=day, reverse=value.startswith("-"))
            case _ if name in _FILTERS:
                found = [one for one in found if _FILTERS[name](one, value.split(","))]
            case _:
                raise NotSearchable
    end = offset + count
    return Found(len(found), found[offset:end], end if count and end < len(found) else None)


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 7):
        raise NotSearchable
    return int(value)


def _by_patient(resource: Json, values: list[str]) -> bool:
    return about(resource) in {f"Patient/{value.removeprefix('Patient/')}" for value in values}


def _by_code(resource: Json, values: list[str]) -> bool:
    """Tokens: "system|code", or "code" of any system."""
    wanted = [value.rpartition("|") for value in values]
    return any(
        code == its_code and (not bar or system == its_system)
        for system, bar, code in wanted
        for its_system, its_code in codings(resource)
    )


_FILTERS: dict[str, Callable[[Json, list[str]], bool]] = {
    "_id": lambda resource, values: text(resource, "id") in values,
    "patient": _by_patient,
    "subject": _by_patient,
    "code": _by_code,
    "status": lambda resource, values: text(resource, "status") in values,
}


def bundle(found: Found, base: str, address: Callable[[int | None], str]) -> Json:
    """A searchset. ``address`` of an offset: where that page is; of None: this page."""
    links = [{"relation": "self", "url": address(None)}]
    if found.following is not None:
        links.append({"relation": "next", "url": address(found.following)})
    entries = [
        {
            "fullUrl": f"{base}/{one['resourceType']}/{text(one, 'id')}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in found.page
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": links, "entry": entries}

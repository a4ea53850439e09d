"""The patients of fixtures as a FHIR server hands them out: the searches of discovery, page by page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cards.facts import Input
from cds_service import services
from tests.integration.people import BACLOFEN, OPIOID, Person, everyone

Json = dict[str, Any]

TODAY = date(2026, 11, 24)
PAGE = 8
"""Entries on one page: some lists then have three."""
TEMPLATES: Mapping[str, str] = services.prefetch(frozenset(Input))
MEDICATIONS: Mapping[str, Json] = {str(one["id"]): one for one in (BACLOFEN, OPIOID)}
"""The resources that orders refer to, by id."""
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}(?=[T\"])")


@dataclass(frozen=True)
class Chart:
    patient: str
    request: Json
    """Without prefetch."""
    lists: Mapping[str, tuple[Json, ...]]
    """Key → what its template finds."""

    def pages(self, key: str) -> int:
        return max(1, -(-len(self.lists[key]) // PAGE))

    def refers(self, pages: int) -> bool:
        """Whether so many pages of the medicines name one by reference."""
        return any("medicationReference" in one for one in self.lists["medications"][: pages * PAGE])

    def whole(self, key: str, pages: int | None = None) -> Json:
        """As an EHR prefetches it; or as far as so many pages go."""
        found = self.lists[key]
        if key == "patient":
            return found[0]
        return _bundle(found if pages is None else found[: pages * PAGE], key, total=len(found))

    def page(self, key: str, number: int) -> Json:
        """As the FHIR server answers."""
        found = self.lists[key]
        if key == "patient":
            return found[0]
        following = f"?page={self.patient}.{key}.{number + 1}" if number + 1 < self.pages(key) else ""
        return _bundle(found[number * PAGE : (number + 1) * PAGE], key, total=len(found), following=following)


def _bundle(resources: tuple[Json, ...], key: str, *, total: int, following: str = "") -> Json:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    links = [{"relation": "self", "url": TEMPLATES[key]}]
    links += [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries}


def charts() -> tuple[Chart, ...]:
    return tuple(map(_chart, everyone()))


def _chart(person: Person) -> Chart:
    request = _on_one_day(person.request, person.today)
    del request["prefetch"]
    held = [_on_one_day(one, person.today) for one in person.chart()]
    return Chart(person.id, request, {key: tuple(_found(template, held)) for key, template in TEMPLATES.items()})


def _on_one_day(value: Json, today: date) -> Json:
    """All dates are moved by as much as makes the patient's last days the day of the soak."""
    moved: Json = json.loads(_DAY.sub(lambda day: _moved(day[0], TODAY - today), json.dumps(value)))
    return moved


def _moved(day: str, by: timedelta) -> str:
    return (date.fromisoformat(day) + by).isoformat()


def _found(template: str, held: list[Json]) -> Iterator[Json]:
    """As a server searches: by type, code, status; newest first where that is asked."""
    split = urlsplit(template)
    asked = parse_qs(split.query)
    kind = split.path.partition("/")[0]
    codes = {code.rpartition("|")[2] for code in ",".join(asked.get("code", [])).split(",")} - {""}
    statuses = set(",".join(asked.get("status", [])).split(",")) - {""}
    found = [one for one in held if one["resourceType"] == kind]
    found = [one for one in found if not codes or codes & {coding["code"] for coding in one["code"]["coding"]}]
    found = [one for one in found if not statuses or one["status"] in statuses]
    if "_sort" in asked:
        found.sort(key=lambda one: str(one.get("effectiveDateTime", "")), reverse=True)
    yield from found

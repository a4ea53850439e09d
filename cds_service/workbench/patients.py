"""The fixture patients: synthetic, each named by what it shows (fixtures/patients/index.toml).

The Bundles hold fixed dates, so that they are plain FHIR; when they are read, every date is moved by the days between
the Bundle's ``timestamp`` and today. Ages, "15 days ago" and windows of the rules stay what they are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cards.facts import Jurisdiction
from cds_service.dialects import Dialect
from cds_service.workbench.fhir_json import Json, objects, text

_HERE = Path(__file__).parent
FOLDER = next(one for one in (_HERE / "patients", _HERE.parents[1] / "fixtures" / "patients") if one.is_dir())
"""Beside this module in an installed wheel, among the fixtures in a checkout."""

_DATE = re.compile(r'(?<=")\d{4}-\d\d-\d\d(?=["T])')


@dataclass(frozen=True, slots=True)
class FixturePatient:
    id: str
    group: str
    title: str
    shows: str
    dialect: Dialect
    jurisdiction: Jurisdiction | None
    """Whose labels the patient is about; None: the service's own."""
    cards: Mapping[str, str]
    """What has to come back at order-sign: topic → indicator."""
    chart: tuple[Json, ...]
    unsigned: tuple[Json, ...]
    """The orders of the signing session."""

    @property
    def patient_id(self) -> str:
        return next(text(one, "id") for one in self.chart if one["resourceType"] == "Patient")


@lru_cache(maxsize=2)
def patients(today: date) -> tuple[FixturePatient, ...]:
    """All of them, in the order of the index, as they are today."""
    index = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))
    return tuple(_patient(entry, today) for entry in index["patients"])


def _patient(entry: Mapping[str, Any], today: date) -> FixturePatient:
    bundle = moved((FOLDER / f"{entry['id']}.json").read_text(encoding="utf-8"), today)
    resources = [one["resource"] for one in objects(bundle, "entry")]
    unsigned = {identity: one for one in resources if (identity := one["id"]) in entry["unsigned"]}
    return FixturePatient(
        id=entry["id"],
        group=entry["group"],
        title=entry["title"],
        shows=entry["shows"],
        dialect=Dialect(entry.get("dialect", "generic")),
        jurisdiction=Jurisdiction(entry["jurisdiction"]) if "jurisdiction" in entry else None,
        cards=entry["cards"],
        chart=tuple(one for one in resources if one["id"] not in unsigned),
        unsigned=tuple(unsigned[identity] for identity in entry["unsigned"]),
    )


def moved(bundle: str, today: date) -> Json:
    """The Bundle with all its dates moved so that its ``timestamp`` is today."""
    written = date.fromisoformat(text(msgspec.json.decode(bundle), "timestamp")[:10])
    shift = today - written

    def later(found: re.Match[str]) -> str:
        return str(date.fromisoformat(found[0]) + shift) if shift != timedelta(0) else found[0]

    bundle_today: Json = msgspec.json.decode(_DATE.sub(later, bundle))
    return bundle_today

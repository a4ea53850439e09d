"""The patients of fixtures/requests as a FHIR server has them, with orders added, and a baclofen order for each.

All are synthetic. They also get what charts of the field have and those charts lack: running orders that name their
medicine by reference, so that a Medication resource has to be read as well; an allergy, a procedure and a result that
matter, so that no search could be lost unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tests.conformance.calls import BACLOFEN_10, OXYCODONE, Json, allergy, concept, dosage, survey

FIXTURES = Path(__file__).parents[2] / "fixtures" / "requests"

BACLOFEN = {"resourceType": "Medication", "id": "baclofen-10", "code": BACLOFEN_10}
OPIOID = {"resourceType": "Medication", "id": "oxycodone-5", "code": OXYCODONE}


@dataclass(frozen=True)
class Person:
    name: str
    request: Json
    today: date
    """A few days after the newest entry of the chart."""

    @property
    def id(self) -> str:
        identity: str = self.request["context"]["patientId"]
        return identity

    @property
    def draft(self) -> Json:
        draft: Json = self.request["context"]["draftOrders"]["entry"][0]["resource"]
        return draft

    def chart(self) -> list[Json]:
        """What the fixture holds, and what is added."""
        return [*_held(self.request), *self.added(), *self.further()]

    def further(self) -> list[Json]:
        """Entries of the lists that matter to nobody else."""
        of_this_patient = {"reference": f"Patient/{self.id}"}
        match self.name:
            case "cds4cpm-tommyjonesbundle":
                return [allergy(id=f"allergy-{self.id}", patient=of_this_patient)]
            case "clinosim-pt-3045f7cbe5b3":
                return [self._dialysis()]
            case "clinosim-pt-a147ebbbacca":
                day = (self.today - timedelta(days=10)).isoformat()
                return [survey("82810-3", "LA15173-0", day, id=f"pregnant-{self.id}", subject=of_this_patient)]
            case _:
                return []

    def _dialysis(self) -> Json:
        return {
            "resourceType": "Procedure",
            "id": f"dialysis-{self.id}",
            "status": "completed",
            "code": concept("302497006", "Hemodialysis", "http://snomed.info/sct"),
            "subject": {"reference": f"Patient/{self.id}"},
            "performedDateTime": (self.today - timedelta(days=2)).isoformat(),
        }

    def added(self) -> list[Json]:
        """Baclofen by reference for every second patient, oxycodone by reference for every third."""
        number = sum(map(ord, self.name))
        orders = [(BACLOFEN, 10, "baclofen")] * (number % 2) + [(OPIOID, 5, "oxycodone")] * (number % 3 == 0)
        return [self._order(medication, mg, name) for medication, mg, name in orders]

    def _order(self, medication: Json, mg: float, name: str) -> Json:
        return {
            "resourceType": "MedicationRequest",
            "id": f"{name}-{self.id}"[:64],
            "status": "active",
            "intent": "order",
            "subject": {"reference": f"Patient/{self.id}"},
            "authoredOn": (self.today - timedelta(days=40)).isoformat(),
            "medicationReference": {"reference": f"Medication/{medication['id']}"},
            "dosageInstruction": dosage(mg, 3),
        }


def _held(request: Json) -> Iterator[Json]:
    for value in request["prefetch"].values():
        if value is not None and value["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in value.get("entry", ()))
        elif value is not None:
            yield value


def _with_ids_of_its_own(request: Json) -> Json:
    """Some fixtures give the same ids to resources of different patients, which one server cannot hold."""
    text = json.dumps(request)
    for one in _held(request):
        if one["resourceType"] != "Patient":
            whole, suffixed = one["id"], f"{one['id']}-{request['context']['patientId']}"[:64]
            text = text.replace(f'"id": "{whole}"', f'"id": "{suffixed}"')
            text = text.replace(f'{one["resourceType"]}/{whole}"', f'{one["resourceType"]}/{suffixed}"')
    renamed: Json = json.loads(text)
    return renamed


def _days(resource: Json) -> Iterator[str]:
    for element in ("effectiveDateTime", "authoredOn", "recordedDate"):
        if element in resource:
            yield str(resource[element])[:10]


def everyone() -> tuple[Person, ...]:
    found = []
    for path in sorted([*FIXTURES.glob("patients/*.json"), *FIXTURES.glob("examples/*.json")]):
        request = _with_ids_of_its_own(json.loads(path.read_text(encoding="utf-8")))
        newest = max(day for resource in _held(request) for day in _days(resource))
        found.append(Person(path.stem, request, date.fromisoformat(newest) + timedelta(days=7)))
    return tuple(found)

"""FHIR JSON for tests of ``cds_service.gather``: the shapes of R4 unless a test says otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from cards.facts import Hook
from cds_service import hooks, records, resources
from cds_service.gather.codes import Codes
from cds_service.hooks import HookCall
from cds_service.records import PatientRecords

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
PATIENT = "Patient/p1"
Json = dict[str, Any]

BACLOFEN_5, BACLOFEN_10, BACLOFEN_20, BACLOFEN_INGREDIENT = "430902", "197391", "197392", "1292"
BACLOFEN_PUMP = "1666613"
"""20 mL of 2 mg/mL for injection."""


@cache
def codes() -> Codes:
    return Codes.load()


def concept(code: str, display: str = "", system: str = RXNORM) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display or code}]}


def quantity(value: Any, unit: str | None = None, **other: Any) -> Json:
    """``unit`` as UCUM code; ``other`` members win."""
    coded = {"unit": unit, "code": unit, "system": UCUM} if unit else {}
    return {"value": value, **coded, **other}


def repeat(frequency: Any, period: Any = 1, unit: str = "d", **other: Any) -> Json:
    return {"repeat": {"frequency": frequency, "period": period, "periodUnit": unit, **other}}


TID = repeat(3)


def dosage(dose: Json | None = None, timing: Json | None = None, **other: Any) -> Json:
    made: Json = {}
    if dose is not None:
        made["doseAndRate"] = [{"doseQuantity": dose}]
    if timing is not None:
        made["timing"] = timing
    return made | other


def read_dosages(*dosages: Json) -> list[resources.Dosage]:
    return [msgspec.json.decode(json.dumps(one), type=resources.Dosage) for one in dosages]


def request(identity: str = "d1", medicine: Json | None = None, *dosages: Json, **other: Any) -> Json:
    """A draft for baclofen 10 mg tablets; any of it replaced by ``other``."""
    made: Json = {
        "resourceType": "MedicationRequest", "id": identity, "status": "draft", "intent": "order",
        "subject": {"reference": PATIENT}, "medicationCodeableConcept": medicine or concept(BACLOFEN_10),
        "dosageInstruction": list(dosages) or [dosage(quantity(10, "mg"), TID)],
    }  # fmt: skip
    return {name: value for name, value in (made | other).items() if value is not None}


def on_chart(identity: str, medicine: Json | None = None, *dosages: Json, **other: Any) -> Json:
    return request(identity, medicine, *dosages, **({"status": "active", "authoredOn": "2026-06-01"} | other))


def bundle(*entries: Json) -> Json:
    """Of resources, or of whole entries."""
    return {
        "resourceType": "Bundle", "type": "searchset",
        "entry": [entry if "resource" in entry else {"resource": entry} for entry in entries],
    }  # fmt: skip


def call(*drafts: Json, hook: Hook = Hook.ORDER_SIGN, selections: list[str] | None = None, **other: Any) -> HookCall:
    """``other``: members of the request beside the context ("prefetch", "fhirServer")."""
    context: Json = {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": bundle(*drafts)}
    if selections is not None:
        context["selections"] = selections
    body = {"hook": hook.value, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": context, **other}
    return hooks.parse(json.dumps(body).encode(), tuple(Hook))


def chart(hook_call: HookCall) -> PatientRecords:
    return records.collect(hook_call)

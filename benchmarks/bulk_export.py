"""Makes up a Bulk FHIR export for ``baclofen-cds replay``: ``python -m benchmarks.bulk_export DIR [PATIENTS] [SHARE]``.

19 resources a patient in the shape that EHRs export, the same bytes for the same number. One patient in SHARE (20) has
orders for baclofen, one to three, of doses and kidneys that range from harmless to dangerous; every 400th of these
lines is damaged. No real patient.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from benchmarks.payload import HL7, ICD, RXNORM, UCUM

LAST_DAY = datetime(2026, 10, 31, tzinfo=UTC)
PATIENTS = 20_000
SHARE = 20
DAMAGED = 400

Json = dict[str, Any]
_LABS = (
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 70, 180),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3, 5),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 8, 16),
    ("8480-6", "Systolic blood pressure", "mm[Hg]", 95, 180),
    ("8867-4", "Heart rate", "/min", 50, 110),
    ("29463-7", "Body weight", "kg", 45, 120),
)
_DRUGS = (
    ("314076", "lisinopril 10 MG Oral Tablet"), ("197361", "amlodipine 5 MG Oral Tablet"),
    ("860975", "metformin hydrochloride 500 MG Oral Tablet"), ("1049221", "acetaminophen 325 MG / oxycodone 5 MG"),
    ("310430", "gabapentin 100 MG Oral Capsule"), ("197591", "diazepam 5 MG Oral Tablet"),
)  # fmt: skip
_BACLOFEN = (("430902", "baclofen 5 MG Oral Tablet"), ("197391", "baclofen 10 MG Oral Tablet"))
_PROBLEMS = (
    ("I10", "Essential (primary) hypertension"), ("E11.9", "Type 2 diabetes mellitus without complications"),
    ("G35", "Multiple sclerosis"), ("N18.32", "Chronic kidney disease, stage 3b"), ("N18.6", "End stage renal disease"),
    ("G40.909", "Epilepsy, unspecified, not intractable"), ("F32.9", "Major depressive disorder, single episode"),
    ("M54.50", "Low back pain, unspecified"),
)  # fmt: skip


def write(folder: Path, patients: int = PATIENTS, share: int = SHARE) -> int:
    """The number of resources."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, IO[str]] = {}
    chance = random.Random(20261124)  # noqa: S311  # made-up patients
    number = baclofen = 0
    try:
        for at in range(patients):
            for resource in _patient(f"p{at:07}", chance, on_baclofen=at % share == 0):
                kind = resource["resourceType"]
                if kind not in files:
                    files[kind] = (folder / f"{kind}.ndjson").open("w", encoding="utf-8")
                line = json.dumps(resource, separators=(",", ":"))
                number += 1
                baclofen += "baclofen" in line
                damaged = "baclofen" in line and baclofen % DAMAGED == 0
                files[kind].write((line[: len(line) // 2] if damaged else line) + "\n")
    finally:
        for file in files.values():
            file.close()
    return number


def _patient(identity: str, chance: random.Random, *, on_baclofen: bool) -> Iterator[Json]:
    age = chance.randint(20, 90)
    yield {
        "resourceType": "Patient",
        "id": identity,
        "name": [{"family": "Example", "given": [identity]}],
        "gender": chance.choice(("female", "male")),
        "birthDate": f"{LAST_DAY.year - age}-{chance.randint(1, 12):02}-11",
    }
    days = sorted(LAST_DAY - timedelta(days=chance.randint(0, 700), hours=chance.randint(0, 12)) for _ in range(3))
    orders = chance.randint(1, 3) if on_baclofen else 0
    for number in range(orders):
        yield _baclofen(identity, number, days[number], chance)
    for number in range(4 - orders):
        drug = chance.choice(_DRUGS)
        yield _order(
            identity, f"{identity}-m{number}", drug, _some_day(chance), 1, chance.choice(("active", "completed"))
        )
    kidneys = chance.choice((0.8, 1.0, 1.3, 1.9, 3.4))
    for number in range(3):
        value = round(kidneys * chance.uniform(0.9, 1.1), 2)
        lab = ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL")
        yield _observation(identity, f"{identity}-k{number}", lab, value, _some_day(chance))
    for number in range(6):
        code, display, unit, low, high = chance.choice(_LABS)
        value = round(chance.uniform(low, high), 1)
        yield _observation(identity, f"{identity}-o{number}", (code, display, unit), value, _some_day(chance))
    yield {
        **_common("Procedure", identity, f"{identity}-p", _some_day(chance)),
        "status": "completed",
        "code": _concept("http://www.ama-assn.org/go/cpt", "99213", "Office visit"),
        "performedDateTime": _some_day(chance).isoformat(),
    }
    yield {
        **_common("AllergyIntolerance", identity, f"{identity}-a", _some_day(chance)),
        "patient": {"reference": f"Patient/{identity}"},
        "code": _concept(RXNORM, "7980", "penicillin G"),
        "recordedDate": _some_day(chance).isoformat(),
    }
    for number in range(3):
        yield _condition(identity, f"{identity}-c{number}", chance.choice(_PROBLEMS), _some_day(chance))


def _some_day(chance: random.Random) -> datetime:
    return LAST_DAY - timedelta(days=chance.randint(0, 900), minutes=chance.randint(0, 1400))


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _common(kind: str, patient: str, identity: str, day: datetime) -> Json:
    narrative = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{kind} {identity} of {day:%Y-%m-%d}</p></div>'
    return {
        "resourceType": kind,
        "id": identity,
        "meta": {"versionId": "1", "lastUpdated": day.isoformat(), "profile": [f"https://ehr.example/fhir/{kind}"]},
        "text": {"status": "generated", "div": narrative},
        "identifier": [{"use": "usual", "system": "https://ehr.example/fhir/identifier", "value": identity}],
        "subject": {"reference": f"Patient/{patient}", "display": "Example"},
        "encounter": {"reference": f"Encounter/{identity}", "display": "Office visit"},
    }


def _observation(patient: str, identity: str, lab: tuple[str, str, str], value: float, day: datetime) -> Json:
    code, display, unit = lab
    return {
        **_common("Observation", patient, identity, day),
        "status": "final",
        "category": [_concept(f"{HL7}/observation-category", "laboratory", "Laboratory")],
        "code": _concept("http://loinc.org", code, display),
        "effectiveDateTime": day.isoformat(),
        "issued": (day + timedelta(hours=2)).isoformat(),
        "performer": [{"reference": "Practitioner/p7", "display": "Laboratory"}],
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def _condition(patient: str, identity: str, problem: tuple[str, str], day: datetime) -> Json:
    return {
        **_common("Condition", patient, identity, day),
        "clinicalStatus": _concept(f"{HL7}/condition-clinical", "active", "Active"),
        "verificationStatus": _concept(f"{HL7}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [_concept(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
        "code": _concept(ICD, *problem),
        "recordedDate": day.isoformat(),
    }


def _baclofen(patient: str, number: int, day: datetime, chance: random.Random) -> Json:
    order = _order(patient, f"{patient}-b{number}", chance.choice(_BACLOFEN), day, chance.randint(1, 3), "completed")
    order["reasonCode"] = [_concept(ICD, "G35", "Multiple sclerosis")]
    return order


def _order(patient: str, identity: str, drug: tuple[str, str], day: datetime, tablets: int, status: str) -> Json:  # noqa: PLR0917
    return {
        **_common("MedicationRequest", patient, identity, day),
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": _concept(RXNORM, *drug),
        "authoredOn": day.isoformat(),
        "requester": {"reference": "Practitioner/p3", "display": "Prescriber"},
        "dosageInstruction": [
            {
                "text": f"{tablets} tablet three times a day",
                "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
                "asNeededBoolean": False,
                "doseAndRate": [{"doseQuantity": {"value": tablets, "unit": "tablet"}}],
            }
        ],
        "dispenseRequest": {
            "quantity": {"value": 90 * tablets, "unit": "tablet"},
            "expectedSupplyDuration": {"value": 30, "unit": "days", "system": UCUM, "code": "d"},
        },
    }


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]), *map(int, sys.argv[2:])):,} resources")

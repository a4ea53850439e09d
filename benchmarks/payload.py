"""Made-up order-sign requests of a given size, shaped as EHRs send them. No real patient.

The same size always gives the same bytes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

from cards.terminology import FOLDER

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATIENT = "bench-1"
EHR = "https://ehr.example/fhir"
HL7 = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"

_LABS = (
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", 1.1, "mg/dL"),
    ("98979-8", "GFR/1.73 sq M.predicted by CKD-EPI 2021", 71, "mL/min/{1.73_m2}"),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", 98, "mg/dL"),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", 4.1, "mmol/L"),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", 13.4, "g/dL"),
    ("8480-6", "Systolic blood pressure", 128, "mm[Hg]"),
    ("8867-4", "Heart rate", 72, "/min"),
    ("29463-7", "Body weight", 78.5, "kg"),
)


def request(size: int, *, tablets: int = 1) -> bytes:
    """An order-sign call of about ``size`` bytes with one draft: so many 5 mg tablets of baclofen three times a day."""
    resources: dict[str, list[dict[str, Any]]] = {"kidney": [], "medications": [], "conditions": []}
    written = len(_encode(_call(resources, tablets)))
    for key, resource in _chart():
        if written >= size:
            break
        resources[key].append(resource)
        written += len(_encode(resource)) + len(',{"fullUrl":"https://ehr.example/fhir/Observation/o000","resource":}')
    return _encode(_call(resources, tablets))


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _call(resources: dict[str, list[dict[str, Any]]], tablets: int) -> dict[str, Any]:
    return {
        "hook": "order-sign",
        "hookInstance": "3f1d6a3c-8f4b-4d8e-9a53-2f6f6f1f0b11",
        "context": {
            "userId": "Practitioner/p1",
            "patientId": PATIENT,
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": _draft(tablets)}],
            },
        },
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": PATIENT,
                "name": [{"family": "Example", "given": ["Bench"]}],
                "gender": "female",
                "birthDate": "1981-05-17",
            },
            **{key: _bundle([]) for key in ("procedures", "allergies", "observations")},
            **{key: _bundle(found) for key, found in resources.items()},
        },
    }


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"fullUrl": f"{EHR}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _draft(tablets: int) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": _concept(RXNORM, "430902", "baclofen 5 MG Oral Tablet"),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authoredOn": "2026-11-23",
        "reasonCode": [_concept(ICD, "G35", "Multiple sclerosis")],
        "dosageInstruction": [
            {
                "text": f"{tablets} tablet three times a day",
                "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
                "route": _concept("http://snomed.info/sct", "26643006", "Oral route"),
                "doseAndRate": [
                    {
                        "doseQuantity": {
                            "value": tablets,
                            "unit": "tablet",
                            "system": UCUM,
                            "code": "{tbl}",
                        }
                    }
                ],
            }
        ],
        "dispenseRequest": {"numberOfRepeatsAllowed": 1, "quantity": {"value": 90 * tablets, "unit": "tablet"}},
    }


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _chart() -> Iterator[tuple[str, dict[str, Any]]]:
    """Prefetch key and resource, without an end: three observations, then a medicine and a problem; newest first."""
    drugs = cycle(_codes("antihypertensives.rxnorm") + _codes("nsaids.rxnorm"))
    problems = cycle(_codes("diabetes.icd10cm") + _codes("peptic-ulcer.icd10cm"))
    labs = cycle(_LABS)
    for number, (lab_1, lab_2, lab_3) in enumerate(zip(labs, labs, labs, strict=False)):
        day = NOW - timedelta(days=20 + number, hours=number % 7)
        yield "kidney", _observation(f"o{number}a", lab_1, day)
        yield "kidney", _observation(f"o{number}b", lab_2, day)
        yield "medications", _medication(f"m{number}", next(drugs), day, active=number < 12)
        yield "kidney", _observation(f"o{number}c", lab_3, day)
        yield "conditions", _condition(f"c{number}", next(problems), day)


def _codes(file: str) -> list[tuple[str, str]]:
    with (FOLDER / f"{file}.csv").open(encoding="utf-8", newline="") as rows:
        return [(row["code"], row["display"]) for row in islice(csv.DictReader(rows), 40)]


def _common(identity: str, day: datetime) -> dict[str, Any]:
    """What EHRs send beside the elements that are read."""
    narrative = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Entry {identity} of {day:%Y-%m-%d}</p></div>'
    return {
        "id": identity,
        "meta": {"versionId": "1", "lastUpdated": day.isoformat(), "profile": [f"{EHR}/StructureDefinition/core"]},
        "text": {"status": "generated", "div": narrative},
        "identifier": [{"use": "usual", "system": f"{EHR}/identifier", "value": f"{identity}-{day:%Y%m%d}"}],
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Example, Bench"},
        "encounter": {"reference": f"Encounter/e{day:%j}", "display": "Office visit"},
    }


def _observation(identity: str, lab: tuple[str, str, float, str], day: datetime) -> dict[str, Any]:
    code, display, value, unit = lab
    low, high = ({"value": round(value * by, 2), "unit": unit} for by in (0.8, 1.2))
    return {
        "resourceType": "Observation",
        **_common(identity, day),
        "status": "final",
        "category": [_concept(f"{HL7}/observation-category", "laboratory", "Laboratory")],
        "code": _concept("http://loinc.org", code, display),
        "effectiveDateTime": day.isoformat(),
        "issued": (day + timedelta(hours=2)).isoformat(),
        "performer": [{"reference": "Practitioner/p7", "display": "Laboratory"}],
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        "referenceRange": [{"low": low, "high": high, "text": "as reported"}],
    }


def _medication(identity: str, drug: tuple[str, str], day: datetime, *, active: bool) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        **_common(identity, day),
        "status": "active" if active else "completed",
        "intent": "order",
        "medicationCodeableConcept": _concept(RXNORM, *drug),
        "authoredOn": day.isoformat(),
        "requester": {"reference": "Practitioner/p3", "display": "Prescriber"},
        "dosageInstruction": [
            {
                "sequence": 1,
                "text": "1 tablet once a day",
                "timing": {"repeat": {"frequency": 1, "period": 1.0, "periodUnit": "d"}},
                "asNeededBoolean": False,
                "doseAndRate": [{"doseQuantity": {"value": 1.0, "unit": "tablet"}}],
            }
        ],
        "dispenseRequest": {
            "quantity": {"value": 30, "unit": "tablet"},
            "expectedSupplyDuration": {"value": 30, "unit": "d"},
        },
    }


def _condition(identity: str, problem: tuple[str, str], day: datetime) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        **_common(identity, day),
        "clinicalStatus": _concept(f"{HL7}/condition-clinical", "active", "Active"),
        "verificationStatus": _concept(f"{HL7}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [_concept(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
        "code": _concept(ICD, *problem),
        "onsetDateTime": f"{day:%Y-%m-%d}",
        "recordedDate": day.isoformat(),
    }

"""Made-up order-sign requests of a given size, shaped as EHRs send them. No real patient.

The same size always gives the same bytes. Numbers, dates, instructions and ids vary, codes repeat, as in a chart. How
many resources mean something to a rule is taken from the synthetic patients of ``fixtures``: 44 % of the medicines and
20 % of the problems; of the observations 38 %, more than there, since the templates ask for those alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any, TypeVar

from cards.terminology import FOLDER

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATIENT = "bench-1"
EHR = "https://ehr.example/fhir"
HL7 = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"

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

_OTHER_DRUGS = (
    ("83367", "Atorvastatin"), ("313782", "Acetaminophen 325 MG Oral Tablet"), ("243670", "Aspirin 81 MG Oral Tablet"),
    ("860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"), ("17128", "Lansoprazole"),
    ("562251", "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet"), ("26225", "ondansetron"),
)  # fmt: skip
_OTHER_PROBLEMS = (
    (ICD, "I10", "Essential (primary) hypertension"), (ICD, "E78.5", "Hyperlipidemia, unspecified"),
    (ICD, "K21.9", "Gastro-esophageal reflux disease without esophagitis"), (ICD, "E66.9", "Obesity, unspecified"),
    (ICD, "M54.50", "Low back pain, unspecified"), (SNOMED, "195662009", "Acute viral pharyngitis (disorder)"),
    (SNOMED, "239873007", "Osteoarthritis of knee"), (SNOMED, "444814009", "Viral sinusitis (disorder)"),
    (SNOMED, "38822007", "Cystitis"), (SNOMED, "44465007", "Sprain of ankle"),
    (SNOMED, "271737000", "Anemia (disorder)"),
)  # fmt: skip
"""Which no value set holds."""
_DAYS_BETWEEN_VISITS = 9
"""A megabyte then reaches back for four years."""


def request(size: int, *, tablets: int = 1) -> bytes:
    """An order-sign call of about ``size`` bytes with one draft: so many 5 mg tablets of baclofen three times a day."""
    resources: dict[str, list[dict[str, Any]]] = {"kidney": [], "medications": [], "conditions": []}
    written = len(_encode(_call(resources, tablets)))
    for key, resource in _chart():
        if written >= size:
            break
        resources[key].append(resource)
        written += len(_encode(resource)) + _ENTRY
    return _encode(_call(resources, tablets))


_ENTRY = len(',{"fullUrl":"https://ehr.example/fhir/Observation/o000","resource":,"search":{"mode":"match"}}')


def with_medications(number: int) -> bytes:
    """An order-sign call beside so many orders on the chart, without what is not read."""
    drugs = _codes("antihypertensives.rxnorm")
    read = ("resourceType", "id", "subject", "status", "medicationCodeableConcept", "authoredOn",
            "dosageInstruction")  # fmt: skip
    orders = [
        _medication(f"m{one}", drugs[one % len(drugs)], NOW - timedelta(days=one % 900), one) for one in range(number)
    ]
    return _encode(_call({"medications": [{name: order[name] for name in read} for order in orders]}, 1))


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
    entries = [
        {"fullUrl": f"{EHR}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in resources
    ]
    link = [{"relation": "self", "url": f"{EHR}/search?patient={PATIENT}"}]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "link": link, "entry": entries}


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
    drugs = cycle(_of(4, 9, _codes("antihypertensives.rxnorm") + _codes("nsaids.rxnorm"), _OTHER_DRUGS))
    known = [(ICD, *one) for one in _codes("diabetes.icd10cm") + _codes("peptic-ulcer.icd10cm")]
    problems = cycle(_of(1, 5, known, _OTHER_PROBLEMS))
    labs = cycle(_LABS)
    for number, (lab_1, lab_2, lab_3) in enumerate(zip(labs, labs, labs, strict=False)):
        at = NOW - timedelta(days=20 + _DAYS_BETWEEN_VISITS * number, minutes=37 * number % 600)
        yield "kidney", _observation(f"o{number}a", lab_1, at, number)
        yield "kidney", _observation(f"o{number}b", lab_2, at, number)
        yield "medications", _medication(f"m{number}", next(drugs), at, number)
        yield "kidney", _observation(f"o{number}c", lab_3, at, number)
        yield "conditions", _condition(f"c{number}", next(problems), at, number)


def _of(share: int, whole: int, these: Sequence[T], those: Sequence[T]) -> list[T]:
    """``share`` of ``whole`` are from ``these``, mixed."""
    some, others = cycle(these), cycle(those)
    turns = range(whole * len(these))
    return [next(some) if turn * share % whole < share else next(others) for turn in turns]


def _codes(file: str) -> list[tuple[str, str]]:
    with (FOLDER / f"{file}.csv").open(encoding="utf-8", newline="") as rows:
        return [(row["code"], row["display"]) for row in islice(csv.DictReader(rows), 40)]


def _common(identity: str, at: datetime) -> dict[str, Any]:
    """What EHRs send beside the elements that are read."""
    narrative = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Entry {identity} of {at:%Y-%m-%d}</p></div>'
    return {
        "id": identity,
        "meta": {"versionId": "1", "lastUpdated": _instant(at), "profile": [f"{EHR}/StructureDefinition/core"]},
        "text": {"status": "generated", "div": narrative},
        "identifier": [{"use": "usual", "system": f"{EHR}/identifier", "value": f"{identity}-{at:%Y%m%d}"}],
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Example, Bench"},
        "encounter": {"reference": f"Encounter/e{at:%Y%j}", "display": "Office visit"},
    }


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def _observation(identity: str, lab: tuple[str, str, float, str], at: datetime, number: int) -> dict[str, Any]:
    code, display, usual, unit = lab
    value = round(usual * (0.93 + number * 17 % 30 / 200), 2)
    low, high = ({"value": round(usual * by, 2), "unit": unit} for by in (0.8, 1.2))
    return {
        "resourceType": "Observation",
        **_common(identity, at),
        "status": "final",
        "category": [_concept(f"{HL7}/observation-category", "laboratory", "Laboratory")],
        "code": _concept("http://loinc.org", code, display),
        "effectiveDateTime": _instant(at),
        "issued": _instant(at + timedelta(minutes=47 + number)),
        "performer": [{"reference": "Practitioner/p7", "display": "Laboratory"}],
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        "referenceRange": [{"low": low, "high": high, "text": "as reported"}],
    }


def _medication(identity: str, drug: tuple[str, str], at: datetime, number: int) -> dict[str, Any]:
    times, days = 1 + number % 3, (30, 90, 14, 28)[number % 4]
    return {
        "resourceType": "MedicationRequest",
        **_common(identity, at),
        "status": "active" if number < 12 else "completed",
        "intent": "order",
        "medicationCodeableConcept": _concept(RXNORM, *drug),
        "authoredOn": _instant(at),
        "requester": {"reference": f"Practitioner/p{number % 5}", "display": "Prescriber"},
        "dosageInstruction": [
            {
                "sequence": 1,
                "text": f"1 tablet {times} times a day",
                "timing": {"repeat": {"frequency": times, "period": 1.0, "periodUnit": "d"}},
                "asNeededBoolean": False,
                "route": _concept(SNOMED, "26643006", "Oral route"),
                "doseAndRate": [{"doseQuantity": {"value": 1.0, "unit": "tablet"}}],
            }
        ],
        "dispenseRequest": {
            "quantity": {"value": days * times, "unit": "tablet"},
            "expectedSupplyDuration": {"value": days, "unit": "d"},
        },
    }


def _condition(identity: str, problem: tuple[str, str, str], at: datetime, number: int) -> dict[str, Any]:
    status = ("active", "Active") if number % 3 else ("resolved", "Resolved")
    return {
        "resourceType": "Condition",
        **_common(identity, at),
        "clinicalStatus": _concept(f"{HL7}/condition-clinical", *status),
        "verificationStatus": _concept(f"{HL7}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [_concept(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
        "code": _concept(*problem),
        "onsetDateTime": f"{at - timedelta(days=number % 50):%Y-%m-%d}",
        "recordedDate": _instant(at),
    }

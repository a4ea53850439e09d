"""One made-up order, answered before the service says that it is ready: else somebody's first order would be the
slowest, by what Python and the libraries do the first time only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from cds_service import log
from cds_service.card_builder import encode
from cds_service.hooks import parse
from cds_service.records import collect
from cds_service.respond import Deps, consult
from cds_service.services import HOOKS

TIMES = 9
"""After some eight calls Python has found the shorter ways through a function."""

Json = dict[str, Any]

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_LOINC = "http://loinc.org"
_UCUM = "http://unitsofmeasure.org"


def warm(deps: Deps) -> None:
    """A fault in it is told, and stops nothing: each call tells of its own."""
    try:
        answer(deps)
    except Exception as error:  # noqa: BLE001  # whatever it is
        log.failed("the made-up order failed", error)


def answer(deps: Deps) -> bytes:
    """As a client would get it. Nothing of it is recorded or counted."""
    body, said = msgspec.json.encode(_request(deps.clock())), b""
    for _ in range(TIMES):
        call = parse(body, HOOKS)
        said = encode(consult(call, collect(call), deps).built.cards)
    return said


def _request(now: datetime) -> Json:
    """Baclofen for a patient of 75 with reduced kidneys and an opioid: cards with suggestions of a dose, a laboratory
    test and naloxone."""
    months_ago = (now - timedelta(days=120)).isoformat()
    observed = {"status": "final", "effectiveDateTime": months_ago}
    return {
        "hook": "order-sign",
        "hookInstance": "00000000-0000-4000-8000-000000000000",
        "context": {
            "userId": "Practitioner/nobody",
            "patientId": "nobody",
            "draftOrders": {
                "resourceType": "Bundle",
                "entry": [{"resource": _order("draft", "197391", "Baclofen 10 MG Oral Tablet", status="draft")}],
            },
        },
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": "nobody",
                "gender": "female",
                "birthDate": (now - timedelta(days=75 * 366)).date().isoformat(),
            },
            "kidney": _found(
                {
                    "resourceType": "Observation",
                    "id": "egfr",
                    "code": _concept(_LOINC, "98979-8", "eGFR"),
                    "valueQuantity": {"value": 38, "unit": "mL/min/1.73 m2", "code": "mL/min/{1.73_m2}"},
                    **observed,
                },
                {
                    "resourceType": "Observation",
                    "id": "creatinine",
                    "code": _concept(_LOINC, "2160-0", "Creatinine"),
                    "valueQuantity": {"value": 1.43, "unit": "mg/dL", "system": _UCUM, "code": "mg/dL"},
                    **observed,
                },
            ),
            "medications": _found(
                _order("opioid", "1049621", "oxycodone hydrochloride 5 MG Oral Tablet", authoredOn=months_ago)
            ),
            "conditions": _found(
                {
                    "resourceType": "Condition",
                    "id": "falls",
                    "clinicalStatus": {"coding": [{"code": "active"}]},
                    "code": _concept("http://hl7.org/fhir/sid/icd-10-cm", "Z91.81", "History of falling"),
                    "onsetDateTime": months_ago,
                }
            ),
            **{key: _found() for key in ("procedures", "allergies", "observations")},
        },
    }


def _order(identity: str, code: str, display: str, **more: str) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/nobody"},
        "medicationCodeableConcept": _concept(_RXNORM, code, display),
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet", "code": "{tbl}"}}],
            }
        ],
        **more,
    }


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _found(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}

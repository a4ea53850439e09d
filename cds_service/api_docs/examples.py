"""One example of everything that is sent or answered, for the OpenAPI document. All of it is made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cds_service import errors
from cds_service.errors import ServiceError

Json = dict[str, Any]

_RULES = "https://baclofen-cds.example/fhir/CodeSystem/rule"
_REASONS = "https://baclofen-cds.example/fhir/CodeSystem/override-reason"
_UCUM = "http://unitsofmeasure.org"
_CARD = "7d53b5c7-e85e-4f0f-9e7d-dc69a346482c"
_SUGGESTION = "1c5b8a2e-6a4b-4a5e-9b8e-6a5f4c3b2a19"


def _order(**dosage_and_supply: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/ckd-3b"},
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "430902"}],
            "text": "baclofen 5 MG Oral Tablet",
        },
        **dosage_and_supply,
    }


def _dosage(milligrams: float, **more: Any) -> Json:
    dose = {"value": milligrams, "unit": "mg", "system": _UCUM, "code": "mg"}
    repeat = {"frequency": 3, "period": 1, "periodUnit": "d"}
    return {**more, "timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}


EGFR: Json = {
    "resourceType": "Observation",
    "id": "egfr-1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
    "subject": {"reference": "Patient/ckd-3b"},
    "effectiveDateTime": "2026-11-09",
    "valueQuantity": {"value": 38, "unit": "mL/min/1.73 m2", "system": _UCUM, "code": "mL/min/{1.73_m2}"},
}

CALL: Json = {
    "hook": "order-sign",
    "hookInstance": "5b0f6e2c-6c1b-4a55-9c6e-8a4c1f5f3b01",
    "context": {
        "userId": "Practitioner/example",
        "patientId": "ckd-3b",
        "draftOrders": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": _order(dosageInstruction=[_dosage(10)])}],
        },
    },
    "prefetch": {
        "patient": {"resourceType": "Patient", "id": "ckd-3b", "gender": "male", "birthDate": "1964-05-02"},
        "kidney": {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": EGFR}]},
        **dict.fromkeys(("medications", "conditions", "procedures", "allergies", "observations")),
    },
}
"""A first order of 30 mg/day with eGFR 38. ``null``: the EHR has read it, and there is nothing."""

CARDS: Json = {
    "cards": [
        {
            "uuid": _CARD,
            "summary": (
                "Baclofen 30 mg/day with eGFR 38: suggest 7.5 mg/day; step 7.5 mg/day per 7+ days, limit 15 mg/day"
            ),
            "detail": "**Order instead:** 2.5 mg three times a day (7.5 mg/day) – needs 5 mg tablets or a liquid.",
            "indicator": "critical",
            "source": {
                "label": "Baclofen safety service",
                "topic": {
                    "system": _RULES,
                    "code": "renalDoseExceedsLimit",
                    "display": "Baclofen dose and kidney function",
                },
            },
            "suggestions": [
                {
                    "label": "Change to 2.5 mg TID (7.5 mg/day)",
                    "uuid": _SUGGESTION,
                    "actions": [
                        {
                            "type": "update",
                            "description": (
                                "Change the order to 2.5 mg (half of a 5 mg tablet) by mouth three times "
                                "a day (7.5 mg/day)."
                            ),
                            "resource": _order(
                                dosageInstruction=[
                                    _dosage(
                                        2.5,
                                        text="2.5 mg (half of a 5 mg tablet) by mouth three times a day",
                                        route={"text": "oral"},
                                    )
                                ]
                            ),
                        }
                    ],
                    "isRecommended": True,
                }
            ],
            "selectionBehavior": "any",
            "overrideReasons": [{"code": "will-monitor", "system": _REASONS, "display": "I will monitor the patient"}],
        }
    ]
}
"""What is answered to ``CALL`` on 24 November 2026, cut short."""

FEEDBACK: Json = {
    "feedback": [
        {
            "card": _CARD,
            "outcome": "accepted",
            "outcomeTimestamp": "2026-11-24T10:00:00Z",
            "acceptedSuggestions": [{"id": _SUGGESTION}],
        },
        {
            "card": "0a2b6a0e-3d54-4f0c-8d9e-0b7e5f9c64c1",
            "outcome": "overridden",
            "outcomeTimestamp": "2026-11-24T10:00:05Z",
            "overrideReason": {"reason": {"system": _REASONS, "code": "will-monitor"}},
        },
    ]
}

CONTENT_VERSION = "0123456789ab"

METRICS = """\
# HELP baclofen_cds_calls_total Hook calls, by client, hook and HTTP status
# TYPE baclofen_cds_calls_total counter
baclofen_cds_calls_total{client="north",hook="order-sign",status="200"} 128.0
"""

PAGE = "<!doctype html><html lang=en>...</html>"

FIGURES: Json = {
    "since": "2026-08-31",
    "until": "2026-11-24",
    "client": None,
    "hook": "order-sign",
    "ignoredAfterDays": 7,
    "smallNumber": 5,
    "tables": {
        "signings": [
            {"got": "All", "signings": 128, "share": None},
            {"got": "A card was shown", "signings": 32,
             "share": {"lowest": 0.25, "highest": 0.25, "interval": [0.1829, 0.3315]}},
        ]
    },
}  # fmt: skip

FIGURES_CSV = """\
table,title,rule,indicator,week,of,figure,value,lowest,highest,from,to
signings,,,,,All,signings,128,128,128,,
"""

BUNDLE: Json = {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": EGFR}]}

_ERRORS: Mapping[str, ServiceError] = {
    "400": errors.FieldMissing("context.draftOrders"),
    "401": errors.NotAuthenticated(reason="expired", client=""),
    "403": errors.NotAllowed(),
    "404": errors.NotFound(),
    "408": errors.SlowBody(),
    "412": errors.PreconditionFailed(
        cure="Send the prefetch that GET /cds-services asks for, or fhirServer with an access token."
    ),
    "413": errors.TooLarge(
        "The request body is larger than 8388608 bytes.", "Send only the prefetch that is asked for."
    ),
    "415": errors.UnsupportedMedia(),
    "429": errors.TooManyCalls(seconds=1),
    "431": errors.HeadersTooLarge(),
    "500": errors.InternalFault(),
    "503": errors.TooBusy(),
}

ERRORS: Mapping[str, Json] = {status: msgspec.json.decode(error.outcome()) for status, error in _ERRORS.items()}
"""Status → an OperationOutcome."""

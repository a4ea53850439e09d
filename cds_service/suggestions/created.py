"""New orders that a suggestion adds: a laboratory test, naloxone (rules.md 5.12). Drafts, without an id."""

from __future__ import annotations

from cards.outcome import OrderTest, Test
from cds_service.suggestions.dosage import Json

_LOINC = "http://loinc.org"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"
_TESTS = {
    Test.CREATININE: ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
    Test.CYSTATIN_C: ("33863-2", "Cystatin C [Mass/volume] in Serum or Plasma"),
}


def laboratory_test(order: OrderTest) -> Json:
    code, display = _TESTS[order.test]
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "priority": "urgent" if order.urgent else "routine",
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}], "text": order.test.value},
        "reasonCode": [{"text": "baclofen renal dosing"}],
    }


def naloxone() -> Json:
    """Two devices of 4 mg in 0.1 mL; RxNorm names the product by its concentration."""
    return {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [
                {"system": _RXNORM, "code": "1725059", "display": "naloxone hydrochloride 40 MG/ML Nasal Spray"},
            ],
            "text": "naloxone 4 mg nasal spray",
        },
        "dosageInstruction": [
            {
                "text": "1 spray (4 mg) into one nostril for suspected opioid overdose; "
                "may repeat every 2-3 minutes with a new device",
                "asNeededBoolean": True,
            }
        ],
        "dispenseRequest": {"quantity": {"value": 2, "unit": "nasal spray device"}},
    }  # fmt: skip


def with_rxnorm_as_oid(resource: Json) -> Json:
    """Epic knows RxNorm by its OID alone."""
    drug = resource.get("medicationCodeableConcept")
    if drug is None:
        return resource
    coding = [one | {"system": _RXNORM_OID} if one["system"] == _RXNORM else one for one in drug["coding"]]
    return resource | {"medicationCodeableConcept": drug | {"coding": coding}}


def for_patient(resource: Json, patient_id: str, encounter_id: str | None) -> Json:
    """The same order for the patient and encounter of the hook call."""
    encounter = {"encounter": {"reference": f"Encounter/{encounter_id}"}} if encounter_id else {}
    return {**resource, "subject": {"reference": f"Patient/{patient_id}"}, **encounter}

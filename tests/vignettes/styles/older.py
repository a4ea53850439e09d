"""STU3 servers, and the CDS Hooks Sandbox, which sends R4 with parts of that shape."""
# ruff: noqa: ARG002  # a style need not use every argument

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from cards.vignettes import TIMES, TODAY, VOCABULARY
from tests.vignettes.fhir import ICD10, ICD10CM, INTRATHECAL, NALOXONE_NAME, NDC, UCUM, Json, Prescribed, Style, number
from tests.vignettes.schedules import Schedule

_TABLETS = {Decimal(5): "70710-1609", Decimal(10): "0115-1010", Decimal(20): "0115-1012"}
_INTRATHECAL = "58281-0563"
"""2 mg/mL."""


class Older(Style):
    """Elements at their older places, ``{pill}`` without a unit, NDC and ICD-10 of the WHO, Bundles without a type,
    other prefetch keys, statements that name medicines by text, dates without times, the month of birth only."""

    name = "STU3 and Sandbox"
    hook_instance = "0c0a0b0d-1111-4222-8333-944444444444"
    fhir_server = "http://127.0.0.1:8090/fhir"

    def prefetch(self, given: Json) -> Json:
        sent = super().prefetch(given)
        sent["labs"], sent["meds"] = sent.pop("kidney"), sent.pop("medications")
        return sent | {"procedures": None}

    def draft_bundle(self, resources: Sequence[Json]) -> Json:
        return self.bundle(resources)

    def bundle(self, resources: Sequence[Json]) -> Json:
        return {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}

    def reference(self, kind: str, identity: str) -> Json:
        version = "/_history/2" if kind == "MedicationRequest" else ""
        return {"reference": f"{kind}/{identity}{version}"}

    def moment(self, days_ago: int) -> str:
        return str(TODAY - timedelta(days=days_ago))

    def quantity(self, value: Decimal, code: str, unit: str = "") -> Json:
        return {"value": number(value), "unit": unit or code}

    # ------------------------------------------------------------------------------------------------- the chart

    def patient(self, given: Json) -> Json:
        return super().patient(given) | {"birthDate": f"{TODAY.year - given['age']}-03"}

    def diagnosis(self, name: str) -> Json:
        codes = VOCABULARY["problems"][name]["codes"]
        system, code = (ICD10, codes["icd10"]) if "icd10" in codes else (ICD10CM, codes["icd10cm"])
        return {"coding": [{"system": system, "code": code}], "text": name}

    def current(self, recorded: str) -> Json:
        return {"clinicalStatus": "active", "verificationStatus": "confirmed", "assertedDate": recorded}

    def lose_medications(self, sent: Json) -> None:
        sent["medications"] = {"response": {"status": "500 Internal Server Error"}}

    # ------------------------------------------------------------------------------------------------- medicines

    def order(self, identity: str, medicine: Prescribed, instructions: Sequence[Json], members: Json) -> list[Json]:
        (order,) = super().order(identity, medicine, instructions, members)
        return [order | {"category": order["category"][0]}]

    def tablets(self, mg: Decimal) -> Prescribed:
        concept = {"coding": [{"system": NDC, "code": _TABLETS[mg]}], "text": f"Baclofen {mg} MG Oral Tablet"}
        return Prescribed({"medicationCodeableConcept": concept}, mg=mg)

    def injection(self) -> Prescribed:
        concept = {"coding": [{"system": NDC, "code": _INTRATHECAL}], "text": INTRATHECAL[1]}
        return Prescribed({"medicationCodeableConcept": concept})

    def named(self, name: str, schedule: Schedule | None) -> Prescribed:
        return Prescribed({"medicationCodeableConcept": {"text": name}})

    def other(self, identity: str, entry: Json, members: Json) -> list[Json]:
        if entry.get("draft"):
            return super().other(identity, entry, members)
        dosage = self.instructions(Schedule.read(entry["dose"]), None) if "dose" in entry else []
        return [self.statement(identity, entry["name"], entry["for_days"], dosage)]

    def statement(self, identity: str, name: str, days: int, dosage: Sequence[Json]) -> Json:
        return {
            "resourceType": "MedicationStatement",
            "id": identity,
            "status": "active",
            "taken": "y",
            "medicationCodeableConcept": {"text": name},
            "subject": self.reference("Patient", self.patient_id),
            "effectivePeriod": {"start": self.day(days)},
            "dosage": list(dosage),
        }

    def rescue(self, days: int) -> list[Json]:
        return [self.statement("naloxone", NALOXONE_NAME, days, [])]

    def supply(self, days: int) -> Json:
        return {"expectedSupplyDuration": {"value": days, "unit": "days", "system": UCUM, "code": "d"}}

    def stop(self, given: Json, members: Json) -> list[Json]:
        """A new order of nothing."""
        (order,) = self.running(self.draft_id, given, members)
        unit = {"unit": "mg/day"} if given.get("pump") else {"code": "{pill}"}
        nothing = order["dosageInstruction"][0] | {"doseQuantity": {"value": 0} | unit}
        return [order | {"dosageInstruction": [nothing]}]

    # --------------------------------------------------------------------------------------------------- dosages

    def flow(self, micrograms: Decimal) -> Json:
        return {"doseQuantity": {"value": number(micrograms / 1000), "unit": "mg/day"}}

    def often(self, often: str) -> Json:
        """TID as every eight hours."""
        return {"repeat": {"frequency": 1, "period": 24 // TIMES[often], "periodUnit": "h"}}

    def once(self, moment: str) -> Json:
        return {"repeat": {"period": 1, "periodUnit": "d", "when": moment}}

    def dose(self, dose: Decimal, mg: Decimal | None) -> Json:
        amount = {"value": number(dose / mg), "code": "{pill}"} if mg else {"value": number(dose), "code": "mg"}
        return {"doseQuantity": amount | {"system": UCUM}}

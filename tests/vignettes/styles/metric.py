"""SNOMED CT, ATC and metric units."""
# ruff: noqa: ARG002  # a style need not use every argument

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from decimal import Decimal

from cards.vignettes import NOW, TODAY, VOCABULARY
from tests.vignettes.fhir import (
    ATC,
    ICD10CM,
    LOINC,
    NALOXONE,
    SNOMED,
    TERMINOLOGY,
    Json,
    Prescribed,
    Style,
    mg_per_dl,
)  # fmt: skip
from tests.vignettes.schedules import Schedule

UMOL_PER_L = Decimal("88.4")
"""Of creatinine in 1 mg/dL (resolutions.md 13)."""
_SYSTEMS = {"snomed": SNOMED, "icd10cm": ICD10CM, "atc": ATC}
_CLOCK = {"MORN": "08:00:00", "NOON": "12:00:00", "AFT": "15:00:00", "EVE": "18:00:00", "NIGHT": "22:00:00"}


class Metric(Style):
    """Molar creatinine, doses in mg as ranges, timing codes, contained Medications and reasons, absolute references,
    dates of a zone where it is tomorrow already."""

    name = "SNOMED CT and metric"
    fhir_server = "https://ehr.example/fhir"
    hook_instance = "8d9b7a52-0c0f-4f6f-8f0e-7a8f6c1b2d3e"

    def reference(self, kind: str, identity: str) -> Json:
        return {"reference": f"{self.fhir_server}/{kind}/{identity}"}

    def moment(self, days_ago: int) -> str:
        return (NOW - timedelta(days=days_ago)).astimezone(timezone(timedelta(hours=13))).isoformat()

    def day(self, days_ago: int) -> str:
        return self.moment(days_ago)

    # ------------------------------------------------------------------------------------------------- the chart

    def patient(self, given: Json) -> Json:
        """Whose birthday is tomorrow, and whose gender is not the sex to compute with."""
        tomorrow = TODAY + timedelta(days=1)
        sex = self.concept(f"{TERMINOLOGY}/sex-parameter-for-clinical-use", f"{given['sex']}-typical", "")
        for_clinical_use = {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse",
            "extension": [{"url": "value", "valueCodeableConcept": sex}],
        }
        return super().patient(given) | {
            "birthDate": str(tomorrow.replace(year=tomorrow.year - given["age"] - 1)),
            "gender": "other",
            "extension": [for_clinical_use],
        }

    def creatinine(self, n: int, entry: Json) -> Json:
        value = {"valueQuantity": self.quantity(mg_per_dl(entry) * UMOL_PER_L, "umol/L", "µmol/L")}
        code = self.concept(LOINC, "14682-9", "Creatinine [Moles/volume] in Serum or Plasma")
        return self.observation(f"creatinine-{n}", code, entry["days_ago"], value)

    def diagnosis(self, name: str) -> Json:
        codes = VOCABULARY["problems"][name]["codes"]
        system = "snomed" if "snomed" in codes else "icd10cm"
        return self.concept(_SYSTEMS[system], codes[system], name)

    def current(self, recorded: str) -> Json:
        status = self.concept(f"{TERMINOLOGY}/condition-clinical", "active", "")
        return {"clinicalStatus": status, "onsetDateTime": recorded}

    def lose_medications(self, sent: Json) -> None:
        del sent["medications"]

    # ------------------------------------------------------------------------------------------------- medicines

    def reason(self, name: str) -> Json:
        reason = {"resourceType": "Condition", "id": "reason", "code": self.diagnosis(name)}
        return {"reasonReference": [{"reference": "#reason"}], "contained": [reason]}

    def order(self, identity: str, medicine: Prescribed, instructions: Sequence[Json], members: Json) -> list[Json]:
        contained = [*medicine.members.get("contained", ()), *members.get("contained", ())]
        members = members | ({"contained": contained} if contained else {})
        return super().order(identity, medicine, instructions, members)

    def tablets(self, mg: Decimal) -> Prescribed:
        """Known by its ingredient; nothing but the Medication resource tells the strength."""
        ratio = {"numerator": self.quantity(mg, "mg"), "denominator": {"value": 1, "unit": "tablet"}}
        medication = {
            "resourceType": "Medication",
            "id": "med",
            "code": self.concept(ATC, "M03BX01", "baclofen"),
            "form": {"text": "oral tablet"},
            "ingredient": [{"itemCodeableConcept": self.concept(SNOMED, "387342009", "Baclofen"), "strength": ratio}],
        }
        return Prescribed({"medicationReference": {"reference": "#med"}, "contained": [medication]}, mg=mg)

    def named(self, name: str, schedule: Schedule | None) -> Prescribed:
        word = VOCABULARY["medicines"][name]
        system = "atc" if "atc" in word else "snomed"
        return Prescribed({"medicationCodeableConcept": self.concept(_SYSTEMS[system], word[system], name)})

    def rescue(self, days: int) -> list[Json]:
        spray = Prescribed({"medicationCodeableConcept": self.concept(ATC, NALOXONE[ATC], "naloxone")})
        return self.order("naloxone", spray, [], self.active(days) | {"status": "completed"})

    def stop(self, given: Json, members: Json) -> list[Json]:
        """An order not to give it."""
        return self.running(self.draft_id, given, members | {"status": "active", "doNotPerform": True})

    # --------------------------------------------------------------------------------------------------- dosages

    def flow(self, micrograms: Decimal) -> Json:
        return {"doseAndRate": [{"rateQuantity": self.quantity(micrograms, "ug/d")}]}

    def often(self, often: str) -> Json:
        code = {"once daily": "QD", "at night": "BED"}.get(often, often)
        return {"code": self.concept(f"{TERMINOLOGY}/v3-GTSAbbreviation", code, "")}

    def once(self, moment: str) -> Json:
        return {"repeat": {"timeOfDay": [_CLOCK[moment]]}}

    def limit(self, timing: Json, days: int | None, starts: int) -> None:
        if days:
            timing.setdefault("repeat", {})["boundsDuration"] = self.quantity(Decimal(days) / 7, "wk", "week")

    def dose(self, dose: Decimal, mg: Decimal | None) -> Json:
        """A range counts at its high end (rules.md 3.1)."""
        return {
            "doseAndRate": [{"doseRange": {"low": self.quantity(dose / 2, "mg"), "high": self.quantity(dose, "mg")}}]
        }

"""The shape of Epic's public samples (protocol checklist 1.4)."""
# ruff: noqa: ARG002  # a style need not use every argument

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from decimal import Decimal

from cards.vignettes import NOW, TODAY, VOCABULARY
from tests.vignettes.fhir import (
    ICD10CM,
    INTRATHECAL,
    NALOXONE,
    NALOXONE_NAME,
    RXNORM,
    SNOMED,
    TABLETS,
    Json,
    Prescribed,
    Style,
)  # fmt: skip
from tests.vignettes.schedules import Schedule

_OIDS = {
    RXNORM: "urn:oid:2.16.840.1.113883.6.88",
    ICD10CM: "urn:oid:2.16.840.1.113883.6.90",
    SNOMED: "urn:oid:2.16.840.1.113883.6.96",
}
_LOCAL = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.696580", "code": "7789"}
"""Codings of the EHR itself come first."""
_EXTENDED = {"extension": [{"url": "http://open.epic.com/FHIR/StructureDefinition/extension/x", "valueString": "x"}]}
_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_WORDS = {
    "once daily": "daily", "at night": "nightly", "BID": "2 times daily", "TID": "3 times daily",
    "QID": "4 times daily", "Q6H": "every 6 hours",
}  # fmt: skip


class Epic(Style):
    """Medications of their own with RxNorm at several levels, the dose said three times, empty searches that warn, long
    ids, a hookInstance that is no UUID, extensions everywhere."""

    name = "shaped like Epic's"
    patient_id = "eM5CWtq15N0WJeuCet5bJlQ3"
    draft_id = "e" * 199 + "3"
    hook_instance = "bpa-20261123-7"
    user = "PractitionerRole/eXyz3"
    fhir_server = "https://epic.example/api/FHIR/R4"

    def order_sign(self, given: Json) -> Json:
        extension = {
            "com.epic.cdshooks.request.bpa-trigger-action": "23",
            "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1",
        }
        return super().order_sign(given) | {"extension": extension}

    def concept(self, system: str, code: str, display: str) -> Json:
        coding = {"system": _OIDS.get(system, system), "code": code}
        return {"coding": [_LOCAL, coding | _EXTENDED], "text": display}

    def quantity(self, value: Decimal, code: str, unit: str = "") -> Json:
        return super().quantity(value, code, unit) | _EXTENDED

    def moment(self, days_ago: int) -> str:
        return (NOW - timedelta(days=days_ago)).astimezone(timezone(timedelta(hours=-5))).isoformat()

    def entry(self, resource: Json) -> Json:
        return {"resource": resource | _EXTENDED}

    def bundle(self, resources: Sequence[Json]) -> Json:
        """A search that finds nothing has an entry that says so. Medications come along as included."""
        if not resources:
            return _only("warning", "4101")
        entries = [self.entry(one) | {"search": {"mode": _mode(one)}} for one in resources]
        total = sum(_mode(one) == "match" for one in resources)
        return {"resourceType": "Bundle", "type": "searchset", "total": total, "entry": entries}

    # ------------------------------------------------------------------------------------------------- the chart

    def patient(self, given: Json) -> Json:
        return super().patient(given) | {
            "birthDate": f"{TODAY.year - given['age']}-01-01",
            "deceasedBoolean": False,
            "extension": [{"url": _BIRTH_SEX, "valueCode": given["sex"][0].upper()}],
        }

    def egfr(self, n: int, entry: Json) -> Json:
        """A limit is text."""
        if entry["value"][0] not in "<>":
            return super().egfr(n, entry)
        result = super().egfr(n, entry | {"value": entry["value"][1:]})
        del result["valueQuantity"]
        return result | {"valueString": f"{entry['value']} mL/min/1.73m2"}

    def diagnosis(self, name: str) -> Json:
        """The local code, the billing code and the clinical code side by side."""
        codes = VOCABULARY["problems"][name]["codes"]
        found = self.concept(ICD10CM, codes["icd10cm"], name)
        if "snomed" in codes:
            found["coding"].append({"system": _OIDS[SNOMED], "code": codes["snomed"]})
        return found

    def lose_medications(self, sent: Json) -> None:
        sent["medications"] = _only("fatal", "59144")

    # ------------------------------------------------------------------------------------------------- medicines

    def medication(self, identity: str, name: str, *rxnorm: str) -> Prescribed:
        codings = [{"system": _OIDS[RXNORM], "code": code} for code in rxnorm]
        medication = {
            "resourceType": "Medication",
            "id": f"medication-{identity}",
            "code": {"coding": [_LOCAL, *codings], "text": name},
        }
        reference = self.reference("Medication", f"medication-{identity}") | {"display": name}
        return Prescribed({"medicationReference": reference}, (medication,))

    def tablets(self, mg: Decimal) -> Prescribed:
        found = self.medication(f"baclofen-{mg}", f"baclofen {mg} MG PO TABS", "1292", TABLETS[mg])
        return Prescribed(found.members, found.beside, mg)

    def injection(self) -> Prescribed:
        code, display = INTRATHECAL
        return self.medication("pump", display, "1292", code)

    def named(self, name: str, schedule: Schedule | None) -> Prescribed:
        """By its ingredient only."""
        ingredient = VOCABULARY["medicines"][name]["ingredient"]
        return self.medication(ingredient, name, ingredient)

    def rescue(self, days: int) -> list[Json]:
        spray = self.medication("naloxone", NALOXONE_NAME, NALOXONE[RXNORM])
        dispensed = {
            "resourceType": "MedicationDispense",
            "id": "naloxone",
            "status": "completed",
            "subject": self.reference("Patient", self.patient_id),
            "whenHandedOver": self.moment(days),
        }
        return [*spray.beside, dispensed | spray.members]

    def baclofen_id(self, given: Json) -> str:
        return "current" if given["order"].get("stops") else self.draft_id

    def stop(self, given: Json, members: Json) -> list[Json]:
        """The order of the chart itself, now cancelled."""
        days = (given.get("current") or given["pump"])["for_days"]
        return self.running("current", given, {"status": "cancelled", "authoredOn": self.day(days)})

    # --------------------------------------------------------------------------------------------------- dosages

    def flow(self, micrograms: Decimal) -> Json:
        return {"timing": self.often("once daily")} | self.dose(micrograms / 1000, None)

    def often(self, often: str) -> Json:
        return super().often(often) | {"code": {"text": _WORDS[often]}}

    def once(self, moment: str) -> Json:
        return super().once(moment) | {"code": {"text": "daily"}}

    def limit(self, timing: Json, days: int | None, starts: int) -> None:
        first = TODAY + timedelta(days=starts)
        if days or starts:
            end = {"end": str(first + timedelta(days=days - 1))} if days else {}
            timing["repeat"]["boundsPeriod"] = {"start": str(first)} | end

    def as_needed(self) -> Json:
        return {"asNeededCodeableConcept": {"text": "Pain"}}

    def dose(self, dose: Decimal, mg: Decimal | None) -> Json:
        """As calculated, as handed out, as ordered: one dose, not three."""
        in_mg = self.quantity(dose, "mg")
        handed_out = self.quantity(dose / mg, "{tbl}", "tablet") if mg else in_mg
        kinds = {"calculated": in_mg, "admin-amount": handed_out, "ordered": in_mg}
        said = [{"type": {"coding": [_kind(kind)], "text": kind}, "doseQuantity": one} for kind, one in kinds.items()]
        return {"doseAndRate": said}


def _kind(code: str) -> Json:
    return {"system": "http://epic.com/CodeSystem/dose-rate-type", "code": code, "display": code}


def _mode(resource: Json) -> str:
    return "include" if resource["resourceType"] == "Medication" else "match"


def _only(severity: str, code: str) -> Json:
    """A Bundle with nothing but an outcome."""
    details = {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": code}]}
    issue = {"severity": severity, "code": "processing", "details": details}
    entry = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}
    return {"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": [entry]}

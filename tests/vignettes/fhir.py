"""A vignette's ``given`` → a CDS Hooks order-sign request.

``Style`` is R4 as a US EHR of today writes it: RxNorm products, tablets, ICD-10-CM, ``timing.repeat``, UCUM units. What
other EHRs do differently stands in the folder ``styles``. All of them say the same about the patient.
"""
# ruff: noqa: ARG002  # a style need not use every argument

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cards.vignettes import NOW, TIMES, TODAY, VOCABULARY
from tests.vignettes.schedules import MOMENTS, Schedule

Json = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
NDC = "http://hl7.org/fhir/sid/ndc"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"

TABLETS = {Decimal(5): "430902", Decimal(10): "197391", Decimal(20): "197392"}
"""mg of a baclofen tablet → RxNorm."""
INTRATHECAL = ("1666613", "20 ML baclofen 2 MG/ML Injection")
NALOXONE = {RXNORM: "1725059", ATC: "V03AB15"}
NALOXONE_NAME = "naloxone 4 mg nasal spray"


@dataclass(frozen=True, slots=True)
class Prescribed:
    """The elements that name the medicine, and the resources outside the order that they point to."""

    members: Json
    beside: tuple[Json, ...] = ()
    mg: Decimal | None = None
    """In one tablet."""


def number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def mg_per_dl(creatinine: Json) -> Decimal:
    return Decimal(creatinine["value"].removesuffix(" mg/dL"))


class Style:
    name = "R4 as in the US"
    patient_id = "p1"
    draft_id = "draft-1"
    hook_instance = "3f6c1d0e-52a7-4d0b-9a4e-0f6a2a9c6b11"
    user = "Practitioner/u1"
    fhir_server: str | None = None
    from_text = False
    """Doses are read from text: the card says so."""

    def order_sign(self, given: Json) -> Json:
        context = {"userId": self.user, "patientId": self.patient_id, "encounterId": "e1"}
        return {
            "hook": "order-sign",
            "hookInstance": self.hook_instance,
            **({"fhirServer": self.fhir_server} if self.fhir_server else {}),
            "context": context | {"draftOrders": self.draft_bundle(self.drafts(given))},
            "prefetch": self.prefetch(given),
        }

    def order_select(self, given: Json) -> Json:
        request = self.order_sign(given) | {"hook": "order-select"}
        request["context"]["selections"] = [f"MedicationRequest/{self.baclofen_id(given)}"]
        return request

    def baclofen_id(self, given: Json) -> str:
        return self.draft_id

    # ------------------------------------------------------------------------------------------------- the chart

    def prefetch(self, given: Json) -> Json:
        sent = {"patient": self.patient(given)}
        sent |= {key: self.bundle(resources) for key, resources in self.chart(given).items()}
        if given.get("medicines_unreadable"):
            self.lose_medications(sent)
        return sent

    def chart(self, given: Json) -> dict[str, list[Json]]:
        """By prefetch key of the service."""
        kidney = [self.creatinine(n, one) for n, one in enumerate(given.get("creatinine", ()))]
        kidney += [self.egfr(n, one) for n, one in enumerate(given.get("egfr", ()))]
        return {
            "kidney": kidney,
            "medications": self.medications(given),
            "conditions": [self.problem(n, one) for n, one in enumerate(given.get("problems", ()))],
            "procedures": [],
            "allergies": self.allergies(given),
            "observations": self.measured(given),
        }

    def lose_medications(self, sent: Json) -> None:
        issue = {"severity": "error", "code": "exception"}
        sent["medications"] = {"resourceType": "OperationOutcome", "issue": [issue]}

    def patient(self, given: Json) -> Json:
        """Whose birthday is today."""
        born = TODAY.replace(year=TODAY.year - given["age"])
        return {"resourceType": "Patient", "id": self.patient_id, "birthDate": str(born), "gender": given["sex"]}

    def creatinine(self, n: int, entry: Json) -> Json:
        value = {"valueQuantity": self.quantity(mg_per_dl(entry), "mg/dL")}
        code = self.concept(LOINC, "2160-0", "Creatinine [Mass/volume] in Serum or Plasma")
        return self.observation(f"creatinine-{n}", code, entry["days_ago"], value)

    def egfr(self, n: int, entry: Json) -> Json:
        text, unit = entry["value"], "mL/min/{1.73_m2}"
        value = self.quantity(Decimal(text.lstrip("<>")), unit)
        if text[0] in "<>":
            value["comparator"] = text[0]
        code = self.concept(LOINC, "98979-8", "GFR/1.73 sq M.predicted by Creatinine-based formula (CKD-EPI 2021)")
        return self.observation(f"egfr-{n}", code, entry["days_ago"], {"valueQuantity": value})

    def measured(self, given: Json) -> list[Json]:
        found = []
        for name, code, unit in (("weight_kg", "29463-7", "kg"), ("height_cm", "8302-2", "cm")):
            if name in given:
                value = {"valueQuantity": self.quantity(Decimal(given[name]), unit)}
                found.append(self.observation(name.replace("_", "-"), self.concept(LOINC, code, name[:6]), 10, value))
        for n, one in enumerate(given.get("alcohol", ())):
            test, result = self.drinking(one)
            found.append(self.observation(f"alcohol-{n}", test, one["days_ago"], result))
        return found

    def drinking(self, entry: Json) -> tuple[Json, Json]:
        """Code and value: the score of AUDIT-C, the finding of PEth."""
        if entry["test"] == "AUDIT-C":
            code = self.concept(LOINC, "75626-2", "Total score [AUDIT-C]")
            return code, {"valueQuantity": self.quantity(Decimal(entry["value"]), "{score}")}
        finding = "Positive" if entry["positive"] else "Negative"
        return self.concept(LOINC, "97607-6", "PEth 16:0/18:1 (POPEth)"), {"valueString": finding}

    def observation(self, identity: str, code: Json, days_ago: int, value: Json) -> Json:
        return {
            "resourceType": "Observation",
            "id": identity,
            "status": "final",
            "category": [self.concept(f"{TERMINOLOGY}/observation-category", "laboratory", "Laboratory")],
            "code": code,
            "subject": self.reference("Patient", self.patient_id),
            "effectiveDateTime": self.moment(days_ago),
        } | value

    def problem(self, n: int, entry: str | Json) -> Json:
        entry = {"name": entry} if isinstance(entry, str) else entry
        recorded = entry.get("recorded") or self.day(entry.get("days_ago", 400))
        return {
            "resourceType": "Condition",
            "id": f"condition-{n}",
            "code": self.diagnosis(entry["name"]),
            "subject": self.reference("Patient", self.patient_id),
        } | self.current(recorded)

    def current(self, recorded: str) -> Json:
        """What says that a condition is active, and since when."""
        return {
            "clinicalStatus": self.concept(f"{TERMINOLOGY}/condition-clinical", "active", "Active"),
            "verificationStatus": self.concept(f"{TERMINOLOGY}/condition-ver-status", "confirmed", "Confirmed"),
            "recordedDate": recorded,
        }

    def diagnosis(self, name: str) -> Json:
        return self.concept(ICD10CM, VOCABULARY["problems"][name]["codes"]["icd10cm"], name)

    def allergies(self, given: Json) -> list[Json]:
        if "allergy" not in given:
            return []
        return [
            {
                "resourceType": "AllergyIntolerance",
                "id": "allergy-0",
                "clinicalStatus": self.concept(f"{TERMINOLOGY}/allergyintolerance-clinical", "active", "Active"),
                "type": given["allergy"],
                "code": self.concept(RXNORM, "1292", "baclofen"),
                "patient": self.reference("Patient", self.patient_id),
                "recordedDate": self.day(400),
            }
        ]

    # -------------------------------------------------------------------------------------------------- medicines

    def medications(self, given: Json) -> list[Json]:
        found: list[Json] = []
        if current := given.get("current"):
            supply = {}
            if "supply_days_left" in current:
                supply = {"dispenseRequest": self.supply(current["for_days"] + current["supply_days_left"])}
            found += self.baclofen("current", current["dose"], self.active(current["for_days"]) | supply)
            for n, one in enumerate(current.get("earlier", ())):
                stopped = self.active(one["since_days_ago"]) | {"status": "stopped"}
                found += self.baclofen(f"earlier-{n}", one["dose"], stopped)
        if pump := given.get("pump"):
            found += self.pump("current", pump["dose"], self.active(pump["for_days"]))
        for n, one in enumerate(given.get("medicines", ())):
            if not one.get("draft"):
                found += self.other(f"medicine-{n}", one, self.active(one["for_days"]))
        if "naloxone_days_ago" in given:
            found += self.rescue(given["naloxone_days_ago"])
        return found

    def active(self, days: int) -> Json:
        return {"status": "active", "authoredOn": self.day(days)}

    def drafts(self, given: Json) -> list[Json]:
        found = self.draft(given)
        for n, one in enumerate(given.get("medicines", ())):
            if one.get("draft"):
                found += self.other(f"draft-{n + 2}", one, {"status": "draft", "authoredOn": self.day(0)})
        return found

    def draft(self, given: Json) -> list[Json]:
        """The baclofen order that is signed."""
        asked = given["order"]
        members: Json = {"status": "draft", "authoredOn": self.day(0)}
        if reason := asked.get("reason", "multiple sclerosis"):
            members |= self.reason(reason)
        current = given.get("current") or given.get("pump") or {}
        if current and current.get("linked", True):
            members["priorPrescription"] = self.reference("MedicationRequest", "current")
        if asked.get("stops"):
            return self.stop(given, members)
        if "intrathecal" in asked:
            return self.pump(self.draft_id, asked["intrathecal"], members)
        if "text" in asked:
            return self.order(self.draft_id, self.tablets(Decimal(10)), [{"text": asked["text"]}], members)
        return self.baclofen(self.draft_id, asked["dose"], members | {"dispenseRequest": self.supply(30)})

    def stop(self, given: Json, members: Json) -> list[Json]:
        """A new order that ends the running one (resolutions.md 8)."""
        return self.running(self.draft_id, given, members | {"status": "stopped"})

    def running(self, identity: str, given: Json, members: Json) -> list[Json]:
        """The baclofen that is taken now, as an order."""
        if pump := given.get("pump"):
            return self.pump(identity, pump["dose"], members)
        return self.baclofen(identity, given["current"]["dose"], members)

    def reason(self, name: str) -> Json:
        return {"reasonCode": [self.diagnosis(name)]}

    def supply(self, days: int) -> Json:
        return {"numberOfRepeatsAllowed": 1, "expectedSupplyDuration": self.quantity(Decimal(days), "d", "days")}

    def baclofen(self, identity: str, dose: str, members: Json) -> list[Json]:
        schedule = Schedule.read(dose)
        medicine = self.tablets(schedule.tablet(TABLETS))
        return self.order(identity, medicine, self.instructions(schedule, medicine.mg), members)

    def tablets(self, mg: Decimal) -> Prescribed:
        concept = self.concept(RXNORM, TABLETS[mg], f"baclofen {mg} MG Oral Tablet")
        return Prescribed({"medicationCodeableConcept": concept}, mg=mg)

    def pump(self, identity: str, dose: str, members: Json) -> list[Json]:
        route = self.concept(SNOMED, "72607000", "Intrathecal route")
        flow = self.flow(Decimal(dose.split(maxsplit=1)[0]))
        return self.order(identity, self.injection(), [flow | {"route": route}], members)

    def injection(self) -> Prescribed:
        return Prescribed({"medicationCodeableConcept": self.concept(RXNORM, *INTRATHECAL)})

    def flow(self, micrograms: Decimal) -> Json:
        per_day = {"numerator": self.quantity(micrograms, "ug"), "denominator": self.quantity(Decimal(1), "d")}
        return {"doseAndRate": [{"rateRatio": per_day}]}

    def other(self, identity: str, entry: Json, members: Json) -> list[Json]:
        schedule = Schedule.read(entry["dose"]) if "dose" in entry else None
        medicine = self.named(entry["name"], schedule)
        return self.order(identity, medicine, self.instructions(schedule, medicine.mg) if schedule else [], members)

    def named(self, name: str, schedule: Schedule | None) -> Prescribed:
        """Any medicine but baclofen: a product that gives the doses, where the vocabulary has one."""
        word = VOCABULARY["medicines"][name]
        products = {Decimal(one["mg"]): one["code"] for one in word.get("products", ())}
        if not products:
            return Prescribed({"medicationCodeableConcept": self.concept(RXNORM, word["ingredient"], name)})
        mg = schedule.tablet(products) if schedule else min(products)
        return Prescribed({"medicationCodeableConcept": self.concept(RXNORM, products[mg], f"{name} {mg} MG")}, mg=mg)

    def rescue(self, days: int) -> list[Json]:
        spray = Prescribed({"medicationCodeableConcept": self.concept(RXNORM, NALOXONE[RXNORM], NALOXONE_NAME)})
        return self.order("naloxone", spray, [], self.active(days))

    def order(self, identity: str, medicine: Prescribed, instructions: Sequence[Json], members: Json) -> list[Json]:
        order: Json = {
            "resourceType": "MedicationRequest",
            "id": identity,
            "status": "draft",
            "intent": "order",
            "category": [self.concept(f"{TERMINOLOGY}/medicationrequest-category", "community", "Community")],
            **medicine.members,
            "subject": self.reference("Patient", self.patient_id),
            **members,
        }
        return [*medicine.beside, order | ({"dosageInstruction": list(instructions)} if instructions else {})]

    # ---------------------------------------------------------------------------------------------------- dosages

    def instructions(self, schedule: Schedule, mg: Decimal | None) -> list[Json]:
        """Steps follow each other by ``sequence``; the unequal doses of one day share it."""
        made: list[Json] = []
        starts = 0
        for sequence, step in enumerate(schedule.steps, start=1):
            numbered = {"sequence": sequence} if len(schedule.steps) > 1 or not step.often else {}
            for n, dose in enumerate(step.doses):
                timing = self.often(step.often) if step.often else self.once(MOMENTS[len(step.doses)][n])
                self.limit(timing, step.days, starts)
                needed = self.as_needed() if schedule.as_needed else {}
                route = {"route": self.concept(SNOMED, "26643006", "Oral route")}
                made.append(numbered | {"timing": timing} | needed | route | self.dose(dose, mg))
            starts += step.days or 0
        return made

    def often(self, often: str) -> Json:
        if often == "Q6H":
            return {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}}
        moment = {"when": ["HS"]} if often == "at night" else {}
        return {"repeat": {"frequency": TIMES[often], "period": 1, "periodUnit": "d"} | moment}

    def once(self, moment: str) -> Json:
        return {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": [moment]}}

    def limit(self, timing: Json, days: int | None, starts: int) -> None:
        """``starts``: days from today."""
        if days:
            timing.setdefault("repeat", {})["boundsDuration"] = self.quantity(Decimal(days), "d", "days")

    def as_needed(self) -> Json:
        return {"asNeededBoolean": True}

    def dose(self, dose: Decimal, mg: Decimal | None) -> Json:
        """``mg``: in one tablet; None where that is not known."""
        amount = self.quantity(dose / mg, "{tbl}", "tablet") if mg else self.quantity(dose, "mg")
        kind = self.concept(f"{TERMINOLOGY}/dose-rate-type", "ordered", "Ordered")
        return {"doseAndRate": [{"type": kind, "doseQuantity": amount}]}

    # ---------------------------------------------------------------------------------------------------- writing

    def concept(self, system: str, code: str, display: str) -> Json:
        return {"coding": [{"system": system, "code": code, "display": display}], "text": display}

    def quantity(self, value: Decimal, code: str, unit: str = "") -> Json:
        return {"value": number(value), "unit": unit or code, "system": UCUM, "code": code}

    def reference(self, kind: str, identity: str) -> Json:
        return {"reference": f"{kind}/{identity}"}

    def day(self, days_ago: int) -> str:
        return str(_ago(days_ago))

    def moment(self, days_ago: int) -> str:
        return _instant(days_ago).strftime("%Y-%m-%dT%H:%M:%SZ")

    def draft_bundle(self, resources: Sequence[Json]) -> Json:
        return {"resourceType": "Bundle", "type": "collection", "entry": [self.entry(one) for one in resources]}

    def bundle(self, resources: Sequence[Json]) -> Json:
        found = [self.entry(one) | {"search": {"mode": "match"}} for one in resources]
        return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found}

    def entry(self, resource: Json) -> Json:
        return {
            "fullUrl": f"https://ehr.example/fhir/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
        }


def _ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def _instant(days_ago: int) -> datetime:
    return NOW - timedelta(days=days_ago)

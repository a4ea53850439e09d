"""Draft orders as clients send them, decoded as the service decodes them: decimals with the digits that were sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from cards.case import Case
from cards.facts import BaclofenOrder, ChartText
from cds_service.suggestions import Session
from tests.unit.cases import make_case, oral

FIXTURES = Path(__file__).parents[2] / "fixtures"

RICH = """{
  "resourceType": "MedicationRequest",
  "id": "d1",
  "meta": {"versionId": "7", "tag": [{"system": "urn:example:tag", "code": "unsigned"}]},
  "extension": [{"url": "urn:example:weight", "valueDecimal": 1.20},
                {"url": "urn:example:nested", "extension": [{"url": "a", "valueInteger": 3}]}],
  "status": "draft",
  "intent": "order",
  "category": [{"text": "Community"}],
  "medicationCodeableConcept": {
    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "197391"}]
  },
  "subject": {"reference": "Patient/p1"},
  "authoredOn": "2026-11-23T08:00:00+01:00",
  "requester": {"reference": "Practitioner/x"},
  "reasonCode": [{"text": "Spasticity"}],
  "note": [{"text": "caf\\u00e9, 7.000"}],
  "dosageInstruction": [{
    "text": "20 mg TID",
    "patientInstruction": "Take 2 tablets 3 times a day",
    "timing": {"repeat": {
      "boundsPeriod": {"start": "2026-11-24", "end": "2026-12-24"}, "frequency": 3, "period": 1, "periodUnit": "d"
    }},
    "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral route"}]},
    "method": {"text": "Swallow"},
    "doseAndRate": [
      {"doseQuantity": {"value": 20.0, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}
    ],
    "maxDosePerPeriod": {"numerator": {"value": 60, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}}
  }],
  "dispenseRequest": {
    "validityPeriod": {"start": "2026-11-23"},
    "numberOfRepeatsAllowed": 2,
    "quantity": {"value": 180, "unit": "tablet"},
    "expectedSupplyDuration": {"value": 30.0, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"},
    "performer": {"display": "Pharmacy"}
  },
  "substitution": {"allowedBoolean": true}
}"""
"""A valid R4 order: 20 mg three times a day as two 10 mg tablets."""


@dataclass(frozen=True)
class Product:
    mg_per_unit: Decimal | None
    mg_per_ml: Decimal | None = None
    label: str = "baclofen oral tablet"


TABLETS_5, TABLETS_10, TABLETS_20 = (Product(Decimal(strength)) for strength in (5, 10, 20))
LIQUID_1, LIQUID_5 = (Product(None, Decimal(strength), "baclofen oral solution") for strength in (1, 5))
PACKETS_5 = Product(Decimal(5), None, "baclofen 5 MG Oral Granules")


def decoded(text: str | bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return found


def rich(**changed: Any) -> dict[str, Any]:
    """The rich draft; a member given as None is left out."""
    draft = decoded(RICH) | changed
    return {name: value for name, value in draft.items() if value is not None}


def captured(name: str) -> dict[str, Any]:
    """The draft order of a request that the CDS Hooks Sandbox sent."""
    text = (FIXTURES / "requests" / "cds-hooks-sandbox" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = decoded(text)["body"]["context"]["draftOrders"]["entry"][0]["resource"]
    return found


def reference(draft: dict[str, Any]) -> str:
    return f"{draft['resourceType']}/{draft['id']}" if "id" in draft else ""


def order(draft: dict[str, Any], dose: str = "20 mg TID", *, stops: bool = False) -> BaclofenOrder:
    template = make_case().order
    return replace(template, reference=reference(draft), label=ChartText("baclofen"), dose=oral(dose), stops=stops)


def case_of(*orders: BaclofenOrder, **given: Any) -> Case:
    return replace(make_case(**given), orders=orders)


def session(*drafts: dict[str, Any], product: Product | None = None, **given: Any) -> Session:
    by_reference = {reference(draft): draft for draft in drafts if "id" in draft}
    products = dict.fromkeys(by_reference, product) if product else {}
    return Session("p1", given.pop("encounter_id", None), by_reference, products, **given)

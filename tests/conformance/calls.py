"""Hook requests built by hand, and what is asked of the answers. All patients are made up."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

Json = dict[str, Any]
Headers = dict[str, str] | list[tuple[str, str]]

TODAY = "2026-11-24"
SERVICE = "/cds-services/baclofen-safety"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
PATIENT = {"reference": "Patient/p1"}


# --------------------------------------------------------------------------------------------------------- FHIR pieces


def concept(code: str, display: str, system: str = RXNORM) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


BACLOFEN_10 = concept("197391", "Baclofen 10 MG Oral Tablet")
OXYCODONE = concept("1049621", "Oxycodone Hydrochloride 5 MG Oral Tablet")


def quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def dosage(mg: float = 10, times: int = 3) -> list[Json]:
    return [
        {
            "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": quantity(mg, "mg")}],
        }
    ]


def order(identity: str = "d1", drug: Json | None = None, *, mg: float = 10, times: int = 3, **changes: Any) -> Json:
    """A draft MedicationRequest; a change to None takes the member out."""
    resource = {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "draft",
        "intent": "order",
        "subject": dict(PATIENT),
        "authoredOn": TODAY,
        "medicationCodeableConcept": drug or BACLOFEN_10,
        "dosageInstruction": dosage(mg, times),
    } | changes
    return {name: value for name, value in resource.items() if value is not None}


def patient(birth: str = "1980-05-01", **changes: Any) -> Json:
    return {"resourceType": "Patient", "id": "p1", "birthDate": birth, "gender": "female"} | changes


def egfr(value: float = 88, taken: str = "2026-11-10", identity: str = "egfr-1", **changes: Any) -> Json:
    resource = {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": concept("98979-8", "eGFR CKD-EPI 2021", "http://loinc.org"),
        "subject": dict(PATIENT),
        "effectiveDateTime": f"{taken}T08:00:00Z",
        "valueQuantity": quantity(value, "mL/min/{1.73_m2}"),
    } | changes
    return {name: value for name, value in resource.items() if value is not None}


def active(identity: str, drug: Json, **changes: Any) -> Json:
    """An active order of the chart."""
    return order(identity, drug, mg=5, times=2) | {"status": "active", "authoredOn": "2026-11-01"} | changes


def condition(code: str, display: str, system: str = "http://hl7.org/fhir/sid/icd-10-cm", **changes: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"c-{code}",
        "clinicalStatus": concept("active", "Active", "http://terminology.hl7.org/CodeSystem/condition-clinical"),
        "code": concept(code, display, system),
        "subject": dict(PATIENT),
        "recordedDate": "2026-10-01",
    } | changes


def allergy(drug: Json | None = None, **changes: Any) -> Json:
    terminology = "http://terminology.hl7.org/CodeSystem"
    return {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "clinicalStatus": concept("active", "Active", f"{terminology}/allergyintolerance-clinical"),
        "verificationStatus": concept("confirmed", "Confirmed", f"{terminology}/allergyintolerance-verification"),
        "type": "allergy",
        "code": drug or concept("1292", "baclofen"),
        "patient": dict(PATIENT),
        "recordedDate": "2021-03-04",
        "reaction": [{"manifestation": [{"text": "Urticaria"}]}],
    } | changes


def survey(code: str, answer: float | str, taken: str = "2026-11-10", **changes: Any) -> Json:
    """A score, or an answer of LOINC."""
    value: Json = {"valueCodeableConcept": concept(str(answer), str(answer), "http://loinc.org")}
    if not isinstance(answer, str):
        value = {"valueQuantity": {"value": answer}}
    return {
        "resourceType": "Observation",
        "id": f"survey-{code}",
        "status": "final",
        "code": concept(code, code, "http://loinc.org"),
        "subject": dict(PATIENT),
        "effectiveDateTime": taken,
    } | value | changes  # fmt: skip


def pump_order(daily: float = 50, unit: str = "mg") -> Json:
    """Intrathecal, continuously; as it stands milligrams where micrograms are meant."""
    rate = {"numerator": quantity(daily, unit), "denominator": quantity(1, "d")}
    route = concept("72607000", "Intrathecal route", "http://snomed.info/sct")
    product = concept("1666613", "20 ML baclofen 2 MG/ML Injection")
    return order(drug=product, dosageInstruction=[{"route": route, "doseAndRate": [{"rateRatio": rate}]}])


def outcome(severity: str, code: str = "processing") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def search(*resources: Json, **more: Any) -> Json:
    entries = [{"fullUrl": f"https://ehr.example/fhir/{one['resourceType']}/{one.get('id')}", "resource": one,
                "search": {"mode": "match"}} for one in resources]  # fmt: skip
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "entry": entries} | more


# ------------------------------------------------------------------------------------------------------------ requests


def chart(**keys: Any) -> Json:
    """A whole prefetch of an adult with normal kidneys and nothing else; a key set to ``...`` is not sent."""
    whole = {
        "patient": patient(),
        "kidney": search(egfr()),
        "medications": search(),
        "conditions": search(),
        "procedures": search(),
        "allergies": search(),
        "observations": search(),
    } | keys
    return {key: value for key, value in whole.items() if value is not ...}


def order_sign(*drafts: Json, prefetch: Any = None, **context: Any) -> Json:
    """Without arguments: baclofen 10 mg three times a day for an adult with normal kidneys."""
    entries = [{"resource": draft} for draft in drafts or (order(),)]
    whole = {
        "userId": "Practitioner/u1",
        "patientId": "p1",
        "encounterId": "e1",
        "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": entries},
    } | context
    return {
        "hook": "order-sign",
        "hookInstance": "7f1c2f86-5d35-4b5c-9a3e-0f6a2a9c6b11",
        "context": {name: value for name, value in whole.items() if value is not ...},
        "prefetch": chart() if prefetch is None else prefetch,
    }


def order_select(*drafts: Json, selections: Any, prefetch: Any = None) -> Json:
    return order_sign(*drafts, prefetch=prefetch, selections=selections) | {"hook": "order-select"}


def severe(draft: Json | None = None, **keys: Any) -> Json:
    """The same for a patient with an eGFR of 20: whatever is recognised as starting baclofen gets a kidney card."""
    return order_sign(draft or order(), prefetch=chart(kidney=search(egfr(20))) | keys)


def without(request: Json, path: str) -> Json:
    """A copy without the member at a dotted path."""
    changed = copy.deepcopy(request)
    *parents, last = path.split(".")
    inside = changed
    for name in parents:
        inside = inside[name]
    del inside[last]
    return changed


def with_value(request: Json, path: str, value: Any) -> Json:
    changed = copy.deepcopy(request)
    *parents, last = path.split(".")
    inside = changed
    for name in parents:
        inside = inside[name]
    inside[last] = value
    return changed


# ------------------------------------------------------------------------------------------------------------- answers


class Client:
    """An HTTP client that calls the app in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | str | AsyncIterator[bytes] | None = None,
        headers: Headers | None = None,
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://cds.example") as client:
                response = await client.request(method, path, content=content, headers=headers)
            for close in getattr(self._app.state, "closing", ()):
                await close()
            return response

        return asyncio.run(send())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def options(self, path: str, **headers: str) -> httpx.Response:
        return self.request("OPTIONS", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def no_cards(_call: object, _course: object, _hung_up: object) -> bytes:
    """Stands for everything behind the HTTP side."""
    return b'{"cards":[]}'


def post(client: Client, request: Json | bytes | str, path: str = SERVICE, **headers: str) -> httpx.Response:
    body = json.dumps(request) if isinstance(request, dict) else request
    return client.request("POST", path, content=body, headers={"content-type": "application/json"} | headers)


def cards(client: Client, request: Json) -> list[Json]:
    response = post(client, request)
    assert response.status_code == 200, response.text
    shown: list[Json] = response.json()["cards"]
    return shown


def topics(shown: list[Json]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in shown]


def text_of(shown: list[Json]) -> str:
    return "\n".join(f"{card['summary']}\n{card.get('detail', '')}" for card in shown)


def has_kidney_card(shown: list[Json]) -> bool:
    return any(topic.startswith("renal") for topic in topics(shown))


def assert_refused(response: httpx.Response, status: int, canary: str = "") -> Json:
    """An OperationOutcome that says what is wrong and how to cure it, and repeats nothing of the input."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: Json = response.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    assert issue["code"]
    assert issue["details"]["text"]
    assert issue["diagnostics"]
    assert not canary or canary not in response.text
    return issue  # type: ignore[no-any-return]


def walk(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every member of a JSON value with its path, FHIR resources left out: they have their own rules."""
    yield path, value
    if isinstance(value, dict):
        for name, inside in value.items():
            if name != "resource":
                yield from walk(inside, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from walk(inside, f"{path}[{number}]")

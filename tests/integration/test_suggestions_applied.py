"""Every suggestion's actions are taken by a real FHIR server, which checks what it stores, and are read back."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.conformance.calls import Json
from tests.integration import ehr
from tests.integration.conftest import fill
from tests.integration.ehr import Ehr
from tests.integration.people import Person, everyone
from tests.integration.service import Service

PEOPLE = everyone()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    with ehr.running(tmp_path_factory.mktemp("suggestions")) as found:
        fill(found)
        yield found


@pytest.fixture(scope="module")
def service() -> Service:
    return Service()


def drafts_of(person: Person) -> Iterator[Json]:
    """The fixture's order; the same with the doses at which most rules speak; for each a reorder of the added one."""
    yield person.draft
    for value, times in ((20, 4), (5, 3)):
        changed = copy.deepcopy(person.draft)
        (dosage,) = changed["dosageInstruction"]
        dosage.pop("text", None)
        dosage["timing"] = {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}}
        dosage["doseAndRate"] = [{"doseQuantity": {"value": value, "unit": "mg"}}]
        yield changed
        for one in person.added():
            if one["id"].startswith("baclofen"):
                yield changed | {"priorPrescription": {"reference": f"MedicationRequest/{one['id']}"}}
                yield changed | {
                    "status": "stopped",
                    "priorPrescription": {"reference": f"MedicationRequest/{one['id']}"},
                }


def call(person: Person, draft: Json, server: Ehr) -> Json:
    request = copy.deepcopy(person.request) | {"fhirServer": server.base}
    request.pop("prefetch")
    request["context"]["draftOrders"]["entry"] = [{"resource": draft}]
    return request


def stored(value: Json) -> Json:
    """Without what the server writes itself."""
    return {name: inside for name, inside in value.items() if name not in ("meta", "id")}


def apply(action: Json, server: Ehr) -> None:
    match action["type"]:
        case "update":
            resource = action["resource"]
            path = f"{resource['resourceType']}/{resource['id']}"
            before = server.read(path)
            server.put(resource)
            after = server.read(path)
            assert stored(after) == stored(resource)
            assert after["meta"]["versionId"] != before["meta"]["versionId"]
        case "create":
            resource = action["resource"]
            assert "id" not in resource
            answer = server.request("POST", resource["resourceType"], resource)
            assert answer.status_code == 201, answer.text
            assert stored(server.read(f"{resource['resourceType']}/{answer.json()['id']}")) == stored(resource)
        case "delete":
            assert server.request("DELETE", action["resourceId"]).status_code in (200, 204)
            assert server.request("GET", action["resourceId"]).status_code in (404, 410)
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_every_action_of_every_suggestion(person: Person, server: Ehr, service: Service, taken: dict[str, int]) -> None:
    service.today = person.today
    for draft in drafts_of(person):
        server.put(draft)
        shown = service.cards(call(person, draft, server))
        for suggestion in (one for card in shown for one in card.get("suggestions", ())):
            for action in suggestion["actions"]:
                apply(action, server)
                taken[action["type"]] = taken.get(action["type"], 0) + 1
            # The chart as it was, for the next suggestion.
            server.fill([*person.chart(), draft])


@pytest.fixture(scope="module")
def taken() -> Iterator[dict[str, int]]:
    counted: dict[str, int] = {}
    yield counted
    assert all(counted.get(kind, 0) >= 10 for kind in ("update", "create", "delete")), counted


def test_an_accepted_suggestion_answers_the_card(server: Ehr, service: Service) -> None:
    """The order as the suggestion leaves it, signed again: the same card does not come back."""
    person = next(one for one in PEOPLE if one.name == "ckd-3b-new-order")
    service.today = person.today
    (draft, *_) = drafts_of(person)
    first = service.cards(call(person, draft, server))
    card = next(one for one in first if one.get("suggestions"))
    (action,) = next(one for one in card["suggestions"] if one["actions"][0]["type"] == "update")["actions"]
    again = service.cards(call(person, action["resource"], server))
    assert card["source"]["topic"]["code"] not in [one["source"]["topic"]["code"] for one in again]

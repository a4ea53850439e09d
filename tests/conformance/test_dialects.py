"""The same advice for EHRs that can do different things with a card (checklist 1.4, A7, R12, R13)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import SERVICE, TODAY, Client, Json, chart, dosage, egfr, order, order_sign, post, search
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.trust import BASE, key, public, token

DIALECTS = ["generic", "epic", "info-only"]
RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"


class Ehrs:
    """One service, and one EHR of each dialect that calls it."""

    def __init__(self, folder: Path) -> None:
        (folder / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
        tables = {
            name: {"issuers": [f"https://{name}.example"], "jwks_file": str(folder / "jwks.json"), "dialect": name}
            for name in DIALECTS
        }
        given: Json = {"public_base_url": BASE, "today": date.fromisoformat(TODAY), "clients": tables}
        self._client = Client(create_app(load(mode="sandbox", **given)))

    def cards(self, dialect: str, request: Json) -> list[Json]:
        now = int(time.time())
        sent = token(iss=f"https://{dialect}.example", aud=BASE + SERVICE, iat=now, exp=now + 300)
        response = post(self._client, request, authorization=f"Bearer {sent}")
        assert response.status_code == 200, response.text
        shown: list[Json] = response.json()["cards"]
        return shown


@pytest.fixture(scope="module")
def ehrs(tmp_path_factory: pytest.TempPathFactory) -> Ehrs:
    return Ehrs(tmp_path_factory.mktemp("dialects"))


def suggestions(shown: list[Json]) -> Iterator[Json]:
    for card in shown:
        yield from card.get("suggestions", [])


def actions(shown: list[Json]) -> Iterator[Json]:
    for suggestion in suggestions(shown):
        yield from suggestion["actions"]


MEMBERS_OF_SUGGESTIONS = {"suggestions", "selectionBehavior", "uuid"}


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("dialect", ["epic", "info-only"])
def test_every_dialect_says_the_same_words(ehrs: Ehrs, dialect: str, name: str) -> None:
    """Summary, detail, urgency, source and topic, override reasons, links: all but what an EHR can apply."""

    def words(shown: list[Json]) -> list[Json]:
        return [{name: card[name] for name in card if name not in MEMBERS_OF_SUGGESTIONS} for card in shown]

    assert words(ehrs.cards(dialect, SCENARIOS[name])) == words(ehrs.cards("generic", SCENARIOS[name]))


@pytest.mark.parametrize("name", SCENARIOS)
def test_generic_is_what_sandbox_mode_gives(ehrs: Ehrs, client: Client, name: str) -> None:
    def comparable(shown: list[Json]) -> str:
        """Without what is new in each response, and the address of this service."""
        return re.sub(r'"(uuid|url)": "[^"]*"', "", json.dumps(shown))

    sandbox = post(client, SCENARIOS[name]).json()["cards"]
    for card in sandbox:
        card["source"] = {"label": card["source"]["label"], "url": "", "topic": card["source"]["topic"]}
    assert comparable(ehrs.cards("generic", SCENARIOS[name])) == comparable(sandbox)


@pytest.mark.parametrize("name", SCENARIOS)
def test_epic_suggestions_are_within_what_epic_takes(ehrs: Ehrs, name: str) -> None:
    request = SCENARIOS[name]
    drafts = {
        f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}"
        for entry in request["context"]["draftOrders"]["entry"]
    }
    for card in ehrs.cards("epic", request):
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "any") == "any"
        assert re.fullmatch("[A-Za-z0-9]{1,100}", card["source"]["topic"]["code"])
        assert "systemActions" not in card
        for suggestion in card.get("suggestions", []):
            assert suggestion["label"]
            (action,) = suggestion["actions"]
            assert action["description"], "it is what Epic shows"
            if action["type"] == "delete":
                assert action["resourceId"] in drafts
                assert "resource" not in action
            else:
                assert action["type"] == "create"
                assert action["resource"]["resourceType"] in ("MedicationRequest", "ServiceRequest")
                assert "rxnorm" not in json.dumps(action["resource"]).lower()


def test_the_scenarios_show_each_thing_that_epic_takes(ehrs: Ehrs) -> None:
    done = [action for request in SCENARIOS.values() for action in actions(ehrs.cards("epic", request))]
    kinds = {(action["type"], action.get("resource", {}).get("resourceType")) for action in done}
    assert kinds == {("delete", None), ("create", "MedicationRequest"), ("create", "ServiceRequest")}
    updates = [action for request in SCENARIOS.values() for action in actions(ehrs.cards("generic", request))]
    assert "update" in {action["type"] for action in updates}


def test_epic_naloxone_has_rxnorm_by_its_oid(ehrs: Ehrs) -> None:
    created = [
        action["resource"]
        for action in actions(ehrs.cards("epic", SCENARIOS["opioid and sedative"]))
        if action["type"] == "create" and action["resource"]["resourceType"] == "MedicationRequest"
    ]
    (naloxone,) = created
    (coding,) = naloxone["medicationCodeableConcept"]["coding"]
    assert (coding["system"], coding["code"]) == (RXNORM_OID, "1725059")
    assert naloxone["subject"] == {"reference": "Patient/p1"}


def test_epic_several_orders_are_removed_one_by_one(ehrs: Ehrs) -> None:
    """In the generic dialect one suggestion removes both; Epic takes one action in each."""
    request = order_sign(order("d1"), order("d2", mg=5), prefetch=chart(kidney=search(egfr(10))))
    generic = [one for one in suggestions(ehrs.cards("generic", request)) if one["label"].startswith("Remove")]
    assert [len(one["actions"]) for one in generic] == [2]
    epic = [one for one in suggestions(ehrs.cards("epic", request)) if one["label"].startswith("Remove")]
    assert [one["actions"][0]["resourceId"] for one in epic] == ["MedicationRequest/d1", "MedicationRequest/d2"]
    assert [one["actions"][0]["description"] for one in epic] == [
        "Remove baclofen order 1 of 2.",
        "Remove baclofen order 2 of 2.",
    ]
    assert len({one["uuid"] for one in epic}) == 2


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_recommended_in_place_of_a_dose_that_cannot_be_changed(ehrs: Ehrs, name: str) -> None:
    """Where a lower dose comes first, "remove this order" must not be recommended because it is left over."""
    generic = [one for one in suggestions(ehrs.cards("generic", SCENARIOS[name])) if one.get("isRecommended")]
    epic = [one for one in suggestions(ehrs.cards("epic", SCENARIOS[name])) if one.get("isRecommended")]
    assert {one["actions"][0]["type"] for one in epic} <= {one["actions"][0]["type"] for one in generic}
    if any(one["actions"][0]["type"] == "update" for one in generic):
        assert not epic


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dose_advice_is_whole_in_words(ehrs: Ehrs, dialect: str) -> None:
    """A taper and a lower start: each dose, how often, how long."""
    (taper,) = [
        card for card in ehrs.cards(dialect, established(30, egfr_value=48)) if "Order instead" in card["detail"]
    ]
    advice = taper["detail"].split("**Order instead:** ")[1].split(".\n")[0]
    assert advice.split(", then ") == [
        "10 mg in the morning, 5 mg in the afternoon, 10 mg at night (25 mg/day) for 7 days",
        "5 mg four times a day (20 mg/day) for 7 days",
        "5 mg three times a day (15 mg/day) from then on",
    ]
    start = order_sign(order(mg=5), prefetch=chart(kidney=search(egfr(50))))
    assert any(
        "**Order instead:** 2.5 mg three times a day (7.5 mg/day) – needs 5 mg tablets or a liquid." in card["detail"]
        for card in ehrs.cards(dialect, start)
    )


AMOUNT = re.compile(r"[0-9.]+ mg")
OFTEN = re.compile(r"once a day|twice a day|(?:three|four) times a day|in the (?:morning|afternoon|evening)|at night")


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_generic_would_change_stands_in_the_words_of_epic(ehrs: Ehrs, name: str) -> None:
    """Epic takes no change of an order: each dose, how often, for how long, and the product that it needs are words."""
    said = "\n".join(card["detail"] for card in ehrs.cards("epic", SCENARIOS[name]))
    for suggestion in suggestions(ehrs.cards("generic", SCENARIOS[name])):
        for action in suggestion["actions"]:
            lines = action.get("resource", {}).get("dosageInstruction", []) if action["type"] == "update" else []
            for text in (line["text"] for line in lines if "text" in line):
                dose, often = AMOUNT.findall(text)[0], OFTEN.findall(text)[0]
                assert re.search(rf"{re.escape(dose)} {often}\b", said), text
        if "needs 5 mg tablets or a liquid" in suggestion["label"]:
            assert "needs 5 mg tablets or a liquid" in said
        if "supply" in suggestion["label"]:
            assert re.search(r"small amounts|supply", said)


def test_the_scenarios_change_doses_steps_and_products(ehrs: Ehrs) -> None:
    labels = [one["label"] for request in SCENARIOS.values() for one in suggestions(ehrs.cards("generic", request))]
    for kind in ("Change to", "Taper: ", "needs 5 mg tablets or a liquid"):
        assert any(kind in label for label in labels), kind


def established(daily: int, egfr_value: float) -> Json:
    """A renewal of a dose that was taken for a year, at 72."""
    running: Json = order("m1", dosageInstruction=dosage(daily / 3), status="active", authoredOn="2025-11-01")
    keys: Any = {
        "patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1954-02-01", "gender": "female"},
        "kidney": search(egfr(egfr_value)),
        "medications": search(running),
    }
    renewal = order(dosageInstruction=dosage(daily / 3), priorPrescription={"reference": "MedicationRequest/m1"})
    return order_sign(renewal, prefetch=chart(**keys))


@pytest.mark.parametrize("name", SCENARIOS)
def test_info_only_has_nothing_to_apply(ehrs: Ehrs, name: str) -> None:
    for card in ehrs.cards("info-only", SCENARIOS[name]):
        assert {"suggestions", "selectionBehavior"}.isdisjoint(card)

"""Checklist 2.8 and 2.9: the response, cards, suggestions, actions, links; on every scenario."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import (
    TODAY,
    Client,
    Json,
    cards,
    dosage,
    order,
    order_sign,
    post,
    severe,
    text_of,
    topics,
)  # fmt: skip
from tests.conformance.scenarios import SCENARIOS

EVERY = pytest.mark.parametrize("request_", SCENARIOS.values(), ids=SCENARIOS.keys())
INDICATORS = ["critical", "warning", "info"]


def suggestions(shown: list[Json]) -> Iterator[Json]:
    for card in shown:
        yield from card.get("suggestions", [])


def actions(shown: list[Json]) -> Iterator[Json]:
    for suggestion in suggestions(shown):
        yield from suggestion["actions"]


def drafts_of(request: Json) -> dict[str, Json]:
    resources = (entry["resource"] for entry in request["context"]["draftOrders"]["entry"])
    return {f"{one['resourceType']}/{one['id']}": one for one in resources}


def test_the_scenarios_show_cards_of_every_indicator(client: Client) -> None:
    """What is checked on all cards below is checked on something."""
    shown = [card for request in SCENARIOS.values() for card in cards(client, request)]
    assert {card["indicator"] for card in shown} == set(INDICATORS)
    assert len({card["source"]["topic"]["code"] for card in shown}) >= 8
    assert {action["type"] for action in actions(shown)} >= {"create", "update", "delete"}


@EVERY
def test_R1_success_is_an_object_with_cards(client: Client, request_: Json) -> None:
    assert set(post(client, request_).json()) == {"cards"}


def test_R2_nothing_to_say(client: Client) -> None:
    assert post(client, SCENARIOS["not baclofen"]).json() == {"cards": []}
    assert post(client, SCENARIOS["nothing to say"]).json() == {"cards": []}


@EVERY
def test_R3_A8_A12_nothing_that_needs_prior_agreement(client: Client, request_: Json) -> None:
    body = post(client, request_).text
    for member in ("systemActions", "actionSelectionBehavior", "autolaunchable", "appContext"):
        assert f'"{member}"' not in body


@EVERY
def test_R5_uuids_are_new_each_time(client: Client, request_: Json) -> None:
    first, second = cards(client, request_), cards(client, request_)
    made = [one["uuid"] for shown in (first, second) for one in [*shown, *suggestions(shown)]]
    assert all(uuid.UUID(one).version == 4 for one in made)
    assert len(made) == len(set(made))


@EVERY
def test_R6_summary_is_one_line_under_140_characters(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        assert 0 < len(card["summary"]) <= 139
        assert "\n" not in card["summary"]


@EVERY
def test_R7_detail_has_no_raw_html(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        assert not re.search(r"<(?!\s|=|\d)", card.get("detail", "")), "some clients render HTML in detail"
        assert not re.search(r"(?<!\\)\]\(javascript", card.get("detail", ""))


@EVERY
def test_R8_indicator(client: Client, request_: Json) -> None:
    assert all(card["indicator"] in INDICATORS for card in cards(client, request_))


@EVERY
def test_R9_R10_R12_source_and_topic(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        source = card["source"]
        assert source["label"]
        assert "url" not in source or re.fullmatch(r"https://\S+", source["url"])
        assert source["topic"]["system"] == "https://baclofen-cds.example/fhir/CodeSystem/rule"
        assert re.fullmatch(r"[a-z][A-Za-z0-9]{0,99}", source["topic"]["code"])
        assert source["topic"]["display"]


def test_R11_no_icon(client: Client) -> None:
    assert all("icon" not in card["source"] for card in cards(client, severe()))


@EVERY
def test_R13_selection_behaviour_if_and_only_if_suggestions(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert card.get("selectionBehavior", "any") in ("at-most-one", "any")


@EVERY
def test_R14_R15_override_reasons(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        reasons = card["overrideReasons"]
        assert all(set(reason) == {"code", "system", "display"} and all(reason.values()) for reason in reasons)
        codes = [reason["code"] for reason in reasons]
        assert len(codes) == len(set(codes))
        assert set(codes) >= {
            "benefit-outweighs-risk", "will-monitor", "specialist-recommended", "data-incorrect", "palliative",
            "not-clinically-relevant",
        }  # fmt: skip
        assert {reason["system"] for reason in reasons} == {
            "https://baclofen-cds.example/fhir/CodeSystem/override-reason"
        }


@EVERY
def test_R16_most_urgent_first_and_always_the_same(client: Client, request_: Json) -> None:
    shown = cards(client, request_)
    ranks = [INDICATORS.index(card["indicator"]) for card in shown]
    assert ranks == sorted(ranks)
    assert len(topics(shown)) == len(set(topics(shown)))
    again = cards(client, request_)
    assert [_without_uuids(card) for card in shown] == [_without_uuids(card) for card in again]


def _without_uuids(value: Any) -> Any:
    return json.loads(json.dumps(value), object_hook=lambda one: {k: v for k, v in one.items() if k != "uuid"})


def test_R16_the_card_says_which_order_it_is_about(client: Client) -> None:
    for card in cards(client, severe()):
        assert "Baclofen 10 MG Oral Tablet" in card["detail"]


def test_R17_critical_is_kept_rare(client: Client) -> None:
    """None where no high dose, poor kidney function or opioid is in sight."""
    for name in (
        "nothing to say",
        "not baclofen",
        "no kidney value",
        "kidney not sent",
        "psychosis",
        "dose not readable",
    ):
        assert all(card["indicator"] != "critical" for card in cards(client, SCENARIOS[name])), name


def test_R18_the_card_states_its_data_with_dates_and_its_sources(client: Client) -> None:
    (first, *_) = cards(client, severe())
    assert "2026-11-10" in first["detail"]
    assert re.search(r"\b20\b", first["detail"])
    assert re.search(r"[0-9a-f]{8,}", first["detail"]), "the version of the clinical content"


@EVERY
def test_A1_A2_suggestions_have_label_and_uuid(client: Client, request_: Json) -> None:
    for suggestion in suggestions(cards(client, request_)):
        assert suggestion["label"]
        assert uuid.UUID(suggestion["uuid"]).version == 4


@EVERY
def test_A3_at_most_one_is_recommended(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        assert sum(one.get("isRecommended", False) for one in card.get("suggestions", [])) <= 1


@EVERY
def test_A4_A5_A6_actions(client: Client, request_: Json) -> None:
    drafts = drafts_of(request_)
    for action in actions(cards(client, request_)):
        assert action["type"] in ("create", "update", "delete")
        assert action["description"]
        match action["type"]:
            case "create":
                assert action["resource"]["resourceType"]
            case "update":
                reference = f"{action['resource']['resourceType']}/{action['resource']['id']}"
                assert reference in drafts or reference in STOPPED_ON_CHART
            case "delete":
                assert "resource" not in action
                assert action["resourceId"] in drafts


STOPPED_ON_CHART = {"MedicationRequest/m1"}
"""Orders of the chart that a suggestion may stop: those of the scenario with a second order (resolutions.md 4)."""


@EVERY
def test_A5_an_update_changes_only_dosage_and_supply(client: Client, request_: Json) -> None:
    """But a stop that becomes a taper runs again (resolutions.md 8), and a replacement names what it replaces."""
    drafts = drafts_of(request_)
    for action in actions(cards(client, request_)):
        if action["type"] == "update" and f"MedicationRequest/{action['resource']['id']}" in drafts:
            updated = dict(action["resource"])
            draft = dict(drafts[f"{updated['resourceType']}/{updated['id']}"])
            if draft["status"] == "stopped":
                assert updated.pop("status") == "active"
                draft.pop("status")
            if updated.get("priorPrescription") == {"reference": "MedicationRequest/m1"}:
                updated.pop("priorPrescription")
                draft.pop("priorPrescription", None)
            for changed in ("dosageInstruction", "dispenseRequest"):
                updated.pop(changed, None)
                draft.pop(changed, None)
            assert updated == draft


def test_A5_only_a_second_order_of_the_chart_is_stopped_and_nothing_else_of_it_changes(client: Client) -> None:
    request = SCENARIOS["second order"]
    (existing,) = (entry["resource"] for entry in request["prefetch"]["medications"]["entry"])
    updates = [one for one in actions(cards(client, request)) if one["type"] == "update"]
    (stop,) = (one["resource"] for one in updates if one["resource"]["id"] == "m1")
    assert stop == existing | {"status": "stopped", "statusReason": {"text": "replaced"}}
    assert {one["resource"]["id"] for one in updates} == {"d1", "m1"}


@EVERY
def test_A5_the_chart_is_otherwise_left_alone(client: Client, request_: Json) -> None:
    drafts = drafts_of(request_)
    if request_ is SCENARIOS["second order"]:
        return
    for action in actions(cards(client, request_)):
        if action["type"] == "update":
            assert f"MedicationRequest/{action['resource']['id']}" in drafts


def test_A5_nothing_of_the_draft_is_lost_and_decimals_stay_as_written(client: Client) -> None:
    draft = order(
        extension=[{"url": "https://ehr.example/x", "valueDecimal": 1}],
        meta={"versionId": "3"},
        category={"coding": [{"code": "community"}]},
        somethingNew={"a": [1, {"b": None}]},
    )
    body = json.dumps(severe(draft)).replace('"valueDecimal": 1', '"valueDecimal": 1.2000')
    response = post(client, body)
    updates = [action["resource"] for action in actions(response.json()["cards"]) if action["type"] == "update"]
    assert updates
    assert '"valueDecimal":1.2000' in response.text.replace(" ", "")
    for updated in updates:
        assert updated["extension"] == [{"url": "https://ehr.example/x", "valueDecimal": 1.2}]
        assert updated["meta"] == {"versionId": "3"}
        assert updated["category"] == {"coding": [{"code": "community"}]}
        assert updated["somethingNew"] == {"a": [1, {"b": None}]}
        assert updated["dosageInstruction"] != dosage()


@EVERY
def test_A7_each_suggestion_holds_alone(client: Client, request_: Json) -> None:
    """Actions of one suggestion apply together: no two of them touch one resource."""
    for suggestion in suggestions(cards(client, request_)):
        touched = [
            action.get("resourceId") or f"{action['resource']['resourceType']}/{action['resource']['id']}"
            for action in suggestion["actions"]
            if action["type"] != "create"
        ]
        assert len(touched) == len(set(touched))


@EVERY
def test_A9_created_orders_are_drafts_for_this_patient_without_an_id(client: Client, request_: Json) -> None:
    for action in actions(cards(client, request_)):
        if action["type"] == "create":
            resource = action["resource"]
            assert resource["status"] == "draft"
            assert resource["intent"] in ("order", "proposal")
            assert resource["subject"]["reference"] == "Patient/p1"
            assert "id" not in resource


@EVERY
def test_A10_A11_A13_links_are_absolute_and_name_no_patient(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        for link in card.get("links", []):
            assert set(link) == {"label", "url", "type"}
            assert link["label"]
            assert link["type"] == "absolute"
            assert re.fullmatch(r"https://[^\s]+", link["url"])
            assert "p1" not in re.split(r"[/?=&#]", link["url"])


def test_at_most_one_dose_changing_set_in_a_response(client: Client) -> None:
    """Rules M5: two cards never offer two different doses."""
    shown = cards(client, SCENARIOS["everything at once"])
    changing = [card for card in shown if any(a["type"] in ("update", "delete") for a in actions([card]))]
    assert len(changing) <= 1


def test_quantities_of_a_new_dosage_are_exact(client: Client) -> None:
    body = post(client, order_sign(order(mg=10))).text
    numbers = re.findall(r'"value":\s*([0-9.eE+-]+)', body)
    assert numbers
    assert all(Decimal(number) == Decimal(number).quantize(Decimal("0.01")) for number in numbers)


@pytest.mark.parametrize(("jurisdiction", "said"), [("US", "off-label in the US"), ("FR", "start 15-20 mg/day")])
def test_alcohol_use_disorder_in_the_words_of_the_site(jurisdiction: str, said: str) -> None:
    chosen = Client(create_app(load(mode="sandbox", today=date.fromisoformat(TODAY), jurisdiction=jurisdiction)))
    assert said in text_of(cards(chosen, SCENARIOS["alcohol use disorder"]))

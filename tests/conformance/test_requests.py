"""Checklist 2.4: requests."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from cds_service.hooks import HookCall
from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    Client,
    Json,
    assert_refused,
    cards,
    has_kidney_card,
    order,
    order_select,
    order_sign,
    post,
    severe,
    text_of,
    topics,
    with_value,
    without,
)
from tests.conformance.conftest import Shell


@pytest.mark.parametrize("path", ["hook", "hookInstance", "context", "context.patientId", "context.draftOrders"])
def test_Q1_Q2_a_missing_member_is_400_and_named(client: Client, path: str) -> None:
    issue = assert_refused(post(client, without(order_sign(), path)), 400)
    assert issue["code"] == "required"
    assert issue["expression"] == [path]


def test_Q1_selections_are_required_at_order_select(client: Client) -> None:
    request = order_select(order(), selections=[])
    issue = assert_refused(post(client, without(request, "context.selections")), 400)
    assert issue["expression"] == ["context.selections"]


def test_Q1_fhir_authorization_needs_a_fhir_server(client: Client) -> None:
    request = order_sign() | {"fhirAuthorization": {"access_token": "t", "token_type": "Bearer"}}
    assert assert_refused(post(client, request), 400)["expression"] == ["fhirServer"]
    assert post(client, request | {"fhirServer": "https://ehr.example/fhir"}).status_code == 200


def test_Q3_unknown_service(client: Client) -> None:
    assert_refused(post(client, order_sign(), "/cds-services/nope"), 404)


@pytest.mark.parametrize("hook", ["patient-view", "order-dispatch", "ORDER-SIGN", "order-sign "])
def test_Q4_hook_that_is_not_served(client: Client, hook: str) -> None:
    assert assert_refused(post(client, order_sign() | {"hook": hook}), 400)["expression"] == ["hook"]


@pytest.mark.parametrize("instance", ["d1577c69-dfbe-44ad-ba6d-3e05e953b2va", "rec08-p02-5"])
def test_Q5_hook_instance_that_is_no_uuid_is_accepted(client: Client, instance: str) -> None:
    assert post(client, order_sign() | {"hookInstance": instance}).status_code == 200


@pytest.mark.parametrize("instance", ["", 7, None, {}])
def test_Q5_hook_instance_must_be_a_string(client: Client, instance: Any) -> None:
    assert_refused(post(client, order_sign() | {"hookInstance": instance}), 400)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hook", 3),
        ("context", []),
        ("context", "text"),
        ("context.patientId", 123),
        ("context.patientId", ["p1"]),
        ("context.patientId", ""),
        ("context.encounterId", 5),
        ("context.draftOrders", []),
        ("context.draftOrders", "text"),
        ("context.draftOrders", {}),
        ("context.draftOrders.entry", {}),
        ("context.draftOrders.entry", "text"),
        ("fhirServer", 7),
        ("fhirAuthorization", "token"),
        ("prefetch", []),
        ("prefetch", "text"),
    ],
)
def test_Q6_a_member_of_the_wrong_type_is_400(client: Client, path: str, value: Any) -> None:
    assert assert_refused(post(client, with_value(order_sign(), path, value)), 400)["expression"] == [path]


@pytest.mark.parametrize("selections", ["MedicationRequest/d1", [1], [None], {}, [["MedicationRequest/d1"]]])
def test_Q6_selections_of_the_wrong_type(client: Client, selections: Any) -> None:
    assert_refused(post(client, order_select(order(), selections=selections)), 400)


@pytest.mark.parametrize("user", [..., None, 5, "Practitioner", "", {"reference": "Practitioner/1"}])
def test_Q6_a_wrong_user_id_is_accepted_since_no_rule_needs_it(client: Client, user: Any) -> None:
    assert has_kidney_card(cards(client, severe() | {"context": order_sign(userId=user)["context"]}))


@pytest.mark.parametrize(
    "identity",
    ["p1/../p2", "..", "p1?_x=1", "p1#x", "p1%2f", "p1\\x", "p 1", "p1\u0000", "p1\n", "p1\u202e", "p1&x", "x" * 257,
     "Patient/", "Patient/p1/x", "Group/p1", "http://ehr.example/Patient/p1"],
)  # fmt: skip
def test_Q7_patient_id_that_could_change_a_url(client: Client, identity: str) -> None:
    issue = assert_refused(post(client, order_sign(patientId=identity)), 400)
    assert issue["expression"] == ["context.patientId"]


@pytest.mark.parametrize(
    "identity",
    ["1288992", "egICGav-o1PPZqCGJ02G0rZfgFquWZ3QQeahd8KF154c3", "a_b.c~d", "x" * 200, "p\u2011q", "Patient/p1"],
)
def test_Q7_patient_ids_of_real_servers(client: Client, identity: str) -> None:
    assert post(client, order_sign(order(drug=OXYCODONE), patientId=identity)).status_code == 200


@pytest.mark.parametrize("prefetch", [..., None, {}])
def test_Q8_without_baclofen_no_cards_and_no_prefetch_demanded(client: Client, prefetch: Any) -> None:
    request = order_sign(order(drug=OXYCODONE)) | {"prefetch": prefetch}
    if prefetch is ...:
        del request["prefetch"]
    assert post(client, request).content == b'{"cards":[]}'


@pytest.mark.parametrize("value", [..., None])
def test_Q8_missing_draft_orders_names_the_likely_cause(client: Client, value: Any) -> None:
    """A quiet 200 would hide from everybody that the check is off."""
    issue = assert_refused(post(client, order_sign(draftOrders=value)), 400)
    assert "Unsigned Order" in issue["diagnostics"]


def test_Q9_an_order_for_another_patient_is_not_evaluated_and_that_is_said(client: Client) -> None:
    shown = cards(client, severe(order(subject={"reference": "Patient/other"})))
    assert not has_kidney_card(shown)
    assert "dataUnavailable" in topics(shown)
    assert "another patient" in text_of(shown)


@pytest.mark.parametrize("reference", ["Patient/p1", "https://ehr.example/fhir/Patient/p1", "Patient/p1/_history/2"])
def test_Q9_the_same_patient_in_other_words(client: Client, reference: str) -> None:
    assert has_kidney_card(cards(client, severe(order(subject={"reference": reference}))))


@pytest.mark.parametrize(
    "bad",
    [
        {"resourceType": "MedicationRequest", "id": "x", "dosageInstruction": 5},
        {"resourceType": "MedicationRequest", "id": "x", "medicationCodeableConcept": "baclofen"},
        {"resourceType": "ServiceRequest", "id": "x"},
        {"resourceType": "Nonsense"},
        {"noType": True},
        {},
        "text",
        ["array"],
    ],
)
def test_Q10_one_malformed_entry_never_blocks_the_others(client: Client, bad: Any) -> None:
    request = severe()
    request["context"]["draftOrders"]["entry"].insert(0, {"resource": bad})
    assert has_kidney_card(cards(client, request))


QUIRKS: dict[str, Json] = {
    "category is an object": {"category": {"coding": [{"code": "community"}]}},
    "no intent": {"intent": None},
    "no status": {"status": None},
    "no subject": {"subject": None},
    "unknown member": {"somethingNew": {"a": 1}},
    "reasonCode is an object": {"reasonCode": {"text": "spasticity"}},
    "dosageInstruction is an object": {"dosageInstruction": order()["dosageInstruction"][0]},
    "doseAndRate is an object": {
        "dosageInstruction": [
            order()["dosageInstruction"][0] | {"doseAndRate": order()["dosageInstruction"][0]["doseAndRate"][0]}
        ]
    },
    "STU3 doseQuantity": {
        "dosageInstruction": [
            {
                "timing": order()["dosageInstruction"][0]["timing"],
                "doseQuantity": {"value": 10, "unit": "mg"},
            }
        ]
    },
    "R5 medication": {"medicationCodeableConcept": None, "medication": {"concept": BACLOFEN_10}},
    "note is text": {"note": "text"},
    "number of refills is text": {"dispenseRequest": {"numberOfRepeatsAllowed": "3"}},
}


@pytest.mark.parametrize("changes", QUIRKS.values(), ids=QUIRKS.keys())
def test_Q10_orders_are_read_member_by_member(client: Client, changes: Json) -> None:
    assert has_kidney_card(cards(client, severe(order(**changes))))


@pytest.mark.parametrize("kind", [None, "collection", "searchset", "batch", "transaction", "document"])
def test_Q10_any_bundle_type(client: Client, kind: str | None) -> None:
    request = severe()
    request["context"]["draftOrders"]["type"] = kind
    assert has_kidney_card(cards(client, request))


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unknown"])
def test_Q11_a_revised_order_is_evaluated(client: Client, status: str) -> None:
    assert has_kidney_card(cards(client, severe(order(status=status))))


@pytest.mark.parametrize(
    "body", ["null", "[]", "1", '""', "{}", '{"hook":{}}', '{"context":{"draftOrders":{"entry":[[]]}}}']
)
def test_Q13_bad_input_is_never_a_5xx(client: Client, body: str) -> None:
    assert_refused(post(client, body), 400)


def test_Q14_a_failure_never_looks_like_no_advice(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: HookCall) -> bytes:
        raise ValueError("Jane Doe, born 1980-05-01")

    response = post(shell(broken), order_sign())
    issue = assert_refused(response, 500, canary="Jane")
    assert "cards" not in response.json()
    assert "not checked" in issue["details"]["text"]
    logged = capsys.readouterr().err
    assert "ValueError" in logged
    assert "Jane" not in logged


def test_Q14_nothing_else_logs_the_failure(shell: Shell, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: HookCall) -> bytes:
        raise ValueError("Jane Doe")

    with caplog.at_level(logging.DEBUG):
        post(shell(broken), order_sign())
    assert "Jane" not in caplog.text

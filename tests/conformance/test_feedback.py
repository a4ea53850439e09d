"""Feedback: B1-B7 of the checklist, and what it changes (rules.md M6)."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.conformance.calls import SERVICE, Client, assert_refused, cards, order, order_sign, post

FEEDBACK = f"{SERVICE}/feedback"
REASON = {"reason": {"code": "will-monitor", "system": "https://baclofen-cds.example/fhir/CodeSystem/override-reason"}}


@pytest.fixture
def fresh(settings: Settings) -> Client:
    """A service of its own: what it is told must not reach other tests."""
    return Client(create_app(settings))


def overridden(card: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T12:00:00Z", **more}


def high_start() -> dict[str, Any]:
    """10 mg three times a day as a first order: a warning about the start dose."""
    return order_sign(order(mg=10, times=3))


def test_B1_B5_feedback_is_taken_with_200_and_no_body(client: Client) -> None:
    answer = post(client, {"feedback": []}, FEEDBACK)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"


def test_B1_unknown_service_is_404(client: Client) -> None:
    assert_refused(post(client, {"feedback": []}, "/cds-services/nope/feedback"), 404)


def test_M6_a_warning_that_was_overridden_with_a_reason_is_not_shown_again_for_the_same_order(fresh: Client) -> None:
    (card, *_) = cards(fresh, high_start())
    assert card["indicator"] == "warning"
    assert post(fresh, {"feedback": [overridden(card, overrideReason=REASON)]}, FEEDBACK).status_code == 200
    code = card["source"]["topic"]["code"]
    assert code not in [again["source"]["topic"]["code"] for again in cards(fresh, high_start())]
    other_order = order_sign(order("another", mg=10, times=3))
    assert code in [again["source"]["topic"]["code"] for again in cards(fresh, other_order)]


def test_M6_a_dismissal_without_a_reason_changes_nothing(fresh: Client) -> None:
    (card, *_) = cards(fresh, high_start())
    post(fresh, {"feedback": [overridden(card)]}, FEEDBACK)
    assert card["summary"] in [again["summary"] for again in cards(fresh, high_start())]


def test_B3_repeated_and_out_of_order_feedback_is_taken(fresh: Client) -> None:
    (card, *_) = cards(fresh, high_start())
    twice = [overridden(card, overrideReason=REASON), {"card": card["uuid"], "outcome": "accepted"}] * 2
    assert post(fresh, {"feedback": twice}, FEEDBACK).status_code == 200


@pytest.mark.parametrize(
    "entry",
    [
        {"card": "123456", "outcome": "overridden", "overrideReasons": {"reason": {"code": "1", "system": "urn: x"}}},
        {"card": "7d53b5c7-e85e-4f0f-9e7d-dc69a346482c", "outcome": "accepted"},
        {"card": "x", "outcome": "accepted", "acceptedSuggestions": [{"id": "y"}], "outcomeTimestamp": "yesterday"},
        {"card": 5},
        None,
        "text",
    ],
)
def test_B4_vendor_forms_and_unknown_cards_are_taken(client: Client, entry: Any) -> None:
    assert post(client, {"feedback": [entry]}, FEEDBACK).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"feedback": {"card": "x"}}', b"not json"])
def test_B6_a_body_without_a_list_is_400(client: Client, body: bytes) -> None:
    assert_refused(post(client, body, FEEDBACK), 400)


def test_B7_a_comment_goes_nowhere(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    comment = {"userComment": "CANARY-COMMENT <script>"}
    entry = {"card": "x", "outcome": "overridden", "overrideReason": comment}
    answer = post(client, {"feedback": [entry]}, FEEDBACK)
    assert answer.content == b""
    assert "CANARY" not in "".join(capsys.readouterr())
    assert "CANARY" not in client.get("/metrics").text

"""Feedback: B1 to B8 of the checklist, and what it changes (rules.md M6)."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.fernet import Fernet

from cds_service.audit import detail
from cds_service.comments import Comments
from cds_service.settings import SettingsError
from cds_service.store import Store
from tests.conformance.calls import SERVICE, Client, Json, assert_refused, cards, order, order_sign, post, severe
from tests.conformance.process import serving
from tests.conformance.recorded import Recorded
from tests.conformance.trust import BASE, header, key, public, token

FEEDBACK = f"{SERVICE}/feedback"
OURS = "https://baclofen-cds.example/fhir/CodeSystem/override-reason"
REASON = {"reason": {"code": "will-monitor", "system": OURS}}
EPIC = "com.epic.cdshooks.feedback.overrideReason"


@pytest.fixture
def service(tmp_path: Path) -> Recorded:
    """A service of its own: what it is told must not reach other tests."""
    return Recorded(tmp_path)


def overridden(card: Json, **more: Any) -> Json:
    return {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T12:00:00Z", **more}


def high_start(identity: str = "d1") -> Json:
    """10 mg three times a day as a first order: a warning about the start dose."""
    return order_sign(order(identity, mg=10, times=3))


def tell(service: Client, *entries: Any, **headers: str) -> None:
    answer = post(service, {"feedback": entries}, FEEDBACK, **headers)
    assert (answer.status_code, answer.content) == (200, b"")


def told(service: Recorded) -> Json:
    """The one row that there is."""
    (row,) = service.rows("feedback")
    return row


# ------------------------------------------------------------------------------------------------------ the address


def test_B1_B5_feedback_is_taken_with_200_and_no_body(service: Recorded) -> None:
    answer = post(service, {"feedback": []}, FEEDBACK)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert service.rows("feedback") == []


def test_B1_unknown_service_is_404(client: Client) -> None:
    assert_refused(post(client, {"feedback": []}, "/cds-services/nope/feedback"), 404)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"feedback": {"card": "x"}}', b"not json"])
def test_B6_a_body_without_a_list_is_400(client: Client, body: bytes) -> None:
    assert_refused(post(client, body, FEEDBACK), 400)


# ---------------------------------------------------------------------------------------------------- what is kept


def test_B2_B8_accepted_is_kept_and_leads_back_to_rule_version_and_call(service: Recorded) -> None:
    answer = post(service, severe())
    (card,) = answer.json()["cards"]
    suggestion = card["suggestions"][0]["uuid"]
    at = "2026-11-23T12:00:00Z"
    tell(service, {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion}],
                   "outcomeTimestamp": at})  # fmt: skip
    row = told(service)
    assert (row["client"], row["outcome"], row["card_uuid"]) == ("anybody", "accepted", card["uuid"])
    assert (row["reason_system"], row["reason_code"], row["comment"]) == (None, None, None)
    assert row["outcome_at"].isoformat() == "2026-11-23T12:00:00+00:00"
    assert detail.names(row["accepted_suggestions"]) == [suggestion]
    (its,) = [one for one in service.rows("card") if one["uuid"] == row["card_uuid"]]
    (call,) = [one for one in service.rows("hook_call") if one["id"] == its["call_id"]]
    assert its["rule"] == "renal-avoid-severe"
    assert call["hook_instance"] == severe()["hookInstance"]
    assert call["content_version"] == service.get("/healthz").json()["contentVersion"]
    counted = service.get("/metrics").text
    assert 'baclofen_cds_feedback_total{client="anybody",outcome="accepted",rule="renal-avoid-severe"}' in counted


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, (None, None)),
        ({"overrideReason": REASON}, (OURS, "will-monitor")),
        ({"overrideReason": {"reason": {"code": "patient-refused"}}}, (None, "patient-refused")),
        (
            {"overrideReasons": {"reason": {"code": "contraindicated", "system": "http: //x"}}},
            (None, "contraindicated"),
        ),
        ({"overrideReasons": {"extension": {f"{EPIC}.reasonCategory": "45"}}}, (EPIC, "45")),
        ({"overrideReasons": {"extension": {f"{EPIC}.reasonDisplay": "Jane Doe"}}}, (None, "other")),
        ({"overrideReason": {"reason": {"code": "Jane Doe said no", "system": "Jane Doe"}}}, (None, "other")),
        ({"overrideReason": {"reason": "Jane Doe"}}, (None, "other")),
        ({"overrideReason": {"userComment": "Jane Doe"}}, (None, None)),
    ],
)
def test_B2_B4_reasons_are_kept_as_codes(service: Recorded, sent: Json, kept: tuple[str | None, str | None]) -> None:
    tell(service, {"card": str(uuid4()), "outcome": "overridden", **sent})
    row = told(service)
    assert (row["outcome"], row["reason_system"], row["reason_code"]) == ("overridden", *kept)
    assert "Jane" not in json.dumps(row, default=str)


@pytest.mark.parametrize("card", ["123456", "Jane Doe", 5, "urn:oid:1.2.3"])
def test_B4_a_card_that_is_no_uuid_is_kept_as_a_hash_that_marks_it(service: Recorded, card: Any) -> None:
    entry = {"card": card, "outcome": "accepted", "acceptedSuggestions": [{"id": "Jane Doe"}]}
    tell(service, entry, entry)
    row = told(service)
    assert re.fullmatch("other:[0-9a-f]{32}", row["card_uuid"])
    assert re.fullmatch("other:[0-9a-f]{32}", detail.names(row["accepted_suggestions"])[0])
    assert "Jane" not in json.dumps(row, default=str)


def test_B4_upper_case_and_urn_name_the_same_card(service: Recorded) -> None:
    (card,) = cards(service, severe())
    for name in (card["uuid"].upper(), f"urn:uuid:{card['uuid']}"):
        tell(service, {"card": name, "outcome": "accepted"})
    assert told(service)["card_uuid"] == card["uuid"]


def test_B3_repeated_is_one_row_in_any_order(service: Recorded) -> None:
    (card, *_) = cards(service, high_start())
    accepted, dismissed = {"card": card["uuid"], "outcome": "accepted"}, overridden(card, overrideReason=REASON)
    for batch in ([accepted, dismissed], [dismissed, accepted, accepted], [dismissed]):
        tell(service, *batch)
    assert sorted(row["outcome"] for row in service.rows("feedback")) == ["accepted", "overridden"]


def test_B3_many_at_once(service: Recorded) -> None:
    entries = [{"card": str(uuid4()), "outcome": "accepted"} for _ in range(2000)]
    tell(service, *entries)
    assert {row["card_uuid"] for row in service.rows("feedback")} == {entry["card"] for entry in entries}


def test_B3_before_the_card_is_known_it_is_kept_and_found_by_its_uuid_later(service: Recorded) -> None:
    unknown = {"uuid": str(uuid4())}
    tell(service, overridden(unknown, overrideReason=REASON))
    assert UUID(told(service)["card_uuid"]) == UUID(unknown["uuid"])
    assert 'outcome="overridden",rule="unknown"' in service.get("/metrics").text
    assert service.rows("override_memory") == []


def test_B6_a_bad_entry_is_counted_and_does_not_cost_the_others(
    service: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    (card,) = cards(service, severe())
    capsys.readouterr()
    tell(service, None, {"card": card["uuid"], "outcome": "accepted"}, {"card": 5.5}, "text", {"outcome": "accepted"})
    assert told(service)["card_uuid"] == card["uuid"]
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["level"], line["client"]) == ("feedback", "warning", "anybody")
    assert (line["entries"], line["unreadable"], line["unknown_cards"]) == (1, 4, 0)
    assert line["request_id"]
    assert 'outcome="unreadable",rule="unknown"} ' in service.get("/metrics").text


def test_the_answer_leaves_when_it_is_durable_or_says_that_it_is_not(
    service: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr(Store, "write", lost)
    answer = post(service, {"feedback": [{"card": "x", "outcome": "accepted"}]}, FEEDBACK)
    assert_refused(answer, 503)
    assert answer.headers["retry-after"]


# ------------------------------------------------------------------------------------------------------- B7: comments

WORDS = "CANARY-COMMENT <script> é 💊"


def comment(service: Recorded) -> str | None:
    tell(service, {"card": str(uuid4()), "outcome": "overridden", "overrideReason": {**REASON, "userComment": WORDS}})
    kept: str | None = told(service)["comment"]
    return kept


def test_B7_a_comment_goes_nowhere(service: Recorded, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert comment(service) is None
    assert "CANARY" not in "".join(capsys.readouterr())
    assert "CANARY" not in service.get("/metrics").text
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"CANARY" not in file.read_bytes()


def test_B7_where_the_site_says_so_it_is_kept_encrypted(tmp_path: Path) -> None:
    first, second = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    service = Recorded(tmp_path, feedback_comments=True, comment_key=first)
    sealed = comment(service)
    assert sealed
    assert WORDS not in sealed
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"CANARY" not in file.read_bytes()
    assert Comments.of(first).opened(sealed) == WORDS
    assert Comments.of(f"{second}, {first}").opened(sealed) == WORDS, "after a rotation"
    assert Comments.of(second).opened(sealed) is None


@pytest.mark.parametrize("wrong", ["x", "a" * 44, "="])
def test_a_wrong_comment_key_stops_the_start(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(
        SettingsError, match=r"comment_key .*is not 32 bytes in URL-safe base64; make one with: openssl"
    ):
        Recorded(tmp_path, feedback_comments=True, comment_key=wrong)


# -------------------------------------------------------------------------------------------------------------- M6


def test_M6_a_warning_that_was_overridden_with_a_reason_is_not_shown_again_for_the_same_order(
    service: Recorded,
) -> None:
    (card, *_) = cards(service, high_start())
    assert card["indicator"] == "warning"
    tell(service, overridden(card, overrideReason=REASON))
    code = card["source"]["topic"]["code"]
    assert code not in [again["source"]["topic"]["code"] for again in cards(service, high_start())]
    assert code in [again["source"]["topic"]["code"] for again in cards(service, high_start("another"))]
    dropped = [detail.decode(row["detail"]).dropped for row in service.rows("hook_call")]
    assert "overridden with a reason for this order within the last 24 hours" in [
        one.get("start-dose-too-high") for one in dropped
    ]


def test_M6_outlives_a_restart_and_holds_in_every_worker(tmp_path: Path) -> None:
    first, second = Recorded(tmp_path), Recorded(tmp_path)
    (card, *_) = cards(first, high_start())
    tell(second, overridden(card, overrideReason=REASON))
    for one in (first, second, Recorded(tmp_path)):
        assert cards(one, high_start()) == []


def test_a_sandbox_without_a_key_is_given_one_for_all_its_workers(tmp_path: Path) -> None:
    """Else an override would be known to the worker alone that took it."""
    kept = {"BACLOFEN_CDS_STATE_DIR": str(tmp_path), "BACLOFEN_CDS_HASH_KEY": ""}
    with (
        serving(tmp_path, "--sandbox", "--workers", "2", **kept) as running,
        ThreadPoolExecutor(8) as callers,
    ):
        for _ in range(600):
            if running.log().count('"event":"started"') == 2:
                break
            time.sleep(0.05)
        list(callers.map(lambda _: httpx.post(running.url + SERVICE, json=high_start(), timeout=60), range(40)))
    with closing(sqlite3.connect(tmp_path / "store.sqlite3")) as store:
        found = store.execute("SELECT hash_key_id, patient_hash, count(*) FROM hook_call GROUP BY 1, 2").fetchall()
    assert [calls for _, _, calls in found] == [40]


def test_M6_epics_own_reason_counts_too(service: Recorded) -> None:
    (card, *_) = cards(service, high_start())
    tell(service, overridden(card, overrideReasons={"extension": {f"{EPIC}.reasonCategory": "45"}}))
    assert cards(service, high_start()) == []


@pytest.mark.parametrize("more", [{}, {"overrideReason": {"userComment": "not now"}}])
def test_M6_a_dismissal_without_a_reason_changes_nothing(service: Recorded, more: Json) -> None:
    (card, *_) = cards(service, high_start())
    tell(service, overridden(card, **more))
    assert card["summary"] in [again["summary"] for again in cards(service, high_start())]


def test_M6_a_critical_is_shown_again(service: Recorded) -> None:
    (card,) = cards(service, severe())
    tell(service, overridden(card, overrideReason=REASON))
    assert [again["summary"] for again in cards(service, severe())] == [card["summary"]]


def test_M6_without_the_database_the_card_is_shown_once_more(
    service: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    (card, *_) = cards(service, high_start())
    tell(service, overridden(card, overrideReason=REASON))

    async def fails(*_: object) -> frozenset[str]:
        raise OSError

    monkeypatch.setattr(Store, "overridden", fails)
    assert [again["summary"] for again in cards(service, high_start())] == [card["summary"]]


# ------------------------------------------------------------------------------------------------------ two clients


def test_B8_a_client_speaks_of_its_own_cards_only(tmp_path: Path) -> None:
    (tmp_path / "north.json").write_text(json.dumps({"keys": [public(key(number=0))]}))
    (tmp_path / "south.json").write_text(json.dumps({"keys": [public(key(number=1))]}))
    profiles = {
        name: {"issuers": [f"https://{name}.example"], "jwks_file": str(tmp_path / f"{name}.json")}
        for name in ("north", "south")
    }
    service = Recorded(tmp_path, mode="production", today=None, public_base_url=BASE, clients=profiles)

    def by(name: str, path: str = "") -> str:
        now = int(time.time())
        signed = token(key(number=int(name == "south")), head=header(), iss=f"https://{name}.example", iat=now,
                       exp=now + 300, jti=str(uuid4()), aud=f"{BASE}{SERVICE}{path}")  # fmt: skip
        return f"Bearer {signed}"

    def shown() -> list[Json]:
        found: list[Json] = post(service, high_start(), authorization=by("north")).json()["cards"]
        return found

    (card, *_) = shown()
    dismissed = overridden(card, overrideReason=REASON)
    tell(service, dismissed, authorization=by("south", "/feedback"))
    assert told(service)["client"] == "south"
    assert 'client="south",outcome="overridden",rule="unknown"' in service.get("/metrics").text
    assert [again["summary"] for again in shown()] == [card["summary"]]
    tell(service, dismissed, authorization=by("north", "/feedback"))
    assert len(service.rows("feedback")) == 2
    assert shown() == []

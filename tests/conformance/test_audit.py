"""What is written down of a call (checklist X3, X4), through HTTP and read back from the database."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cards.triage import ORDER
from cds_service import respond
from cds_service.audit import detail
from cds_service.audit.facts_used import NAMES
from cds_service.course import Stage
from cds_service.store import Store
from tests.conformance.calls import (
    OXYCODONE,
    SERVICE,
    TODAY,
    Json,
    active,
    cards,
    chart,
    egfr,
    order,
    order_sign,
    post,
    search,
    severe,
    with_value,
)
from tests.conformance.recorded import Recorded
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.trust import BASE, ISSUER, header, key, public, token


@pytest.fixture
def service(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


# ------------------------------------------------------------------------------------------------------ the call


def test_X4_a_call_that_gets_a_card(service: Recorded) -> None:
    answer = post(service, severe())
    row, said = service.call()
    (card,) = answer.json()["cards"]
    assert uuid.UUID(row["id"]).version == 4
    assert (row["client"], row["tenant"], row["hook"], row["status"]) == ("anybody", None, "order-sign", 200)
    assert row["at"].isoformat() == f"{TODAY}T12:00:00+00:00"
    assert row["hook_instance"] == severe()["hookInstance"]
    assert row["content_version"] == service.get("/healthz").json()["contentVersion"]
    assert (row["order_kind"], row["shown"]) == ("initiation", 1)
    assert row["milliseconds"] > 0
    assert said.request_id == answer.headers["x-request-id"]
    assert said.fired["renal-avoid-severe"] == card["indicator"] == "critical"
    assert said.facts["kidney_results/egfr"] == "2026-11-10"
    assert said.facts["medications"] is None
    assert said.missing == {}
    assert said.tier == "K4"
    assert said.stages.keys() <= {stage.value for stage in Stage}
    assert {"body", "parse", "prefetch", "facts", "rules", "cards"} <= said.stages.keys()
    assert sum(said.stages.values()) <= row["milliseconds"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_rule_has_an_outcome_and_every_card_a_row(service: Recorded, name: str) -> None:
    shown = cards(service, SCENARIOS[name])
    if name == "not baclofen":
        assert service.rows("hook_call") == service.rows("card") == []
        return
    row, said = service.call()
    if row["order_kind"]:
        assert {*said.fired, *said.cannot_assess, *said.not_indicated} == set(ORDER)
    assert row["shown"] == len(shown)
    rows = {one["uuid"]: one for one in service.rows("card")}
    assert rows.keys() == {card["uuid"] for card in shown}
    for card in shown:
        its = rows[card["uuid"]]
        assert (its["indicator"], its["call_id"], its["silent"]) == (card["indicator"], row["id"], False)
        assert its["rule"].replace("-", "") == card["source"]["topic"]["code"].lower()
        suggested = [(one.uuid, one.label) for one in detail.suggestions(its["suggestions"])]
        assert suggested == [(one["uuid"], one["label"]) for one in card.get("suggestions", [])]
        assert set(detail.names(its["merged"])) <= {*said.fired, "additional-considerations"}
    assert said.dropped.keys() <= said.fired.keys() | {"data-unavailable"}


def test_facts_that_are_missing_are_named_with_why(service: Recorded) -> None:
    post(service, order_sign(prefetch=chart(kidney=..., patient={"resourceType": "Patient", "id": "p1"})))
    _, said = service.call()
    assert said.missing["kidney_results"] == "not available"
    assert said.missing["age"] == "not recorded"
    assert said.missing["sex"] == "not recorded"
    assert said.missing.keys() <= set(NAMES.values())
    assert said.cannot_assess
    assert {name for inputs in said.cannot_assess.values() for name in inputs} <= set(NAMES.values())


def test_a_list_that_is_not_whole_is_incomplete(service: Recorded) -> None:
    medications = search(active("m1", OXYCODONE)) | {"total": 7}
    post(service, order_sign(prefetch=chart(medications=medications)))
    assert service.call()[1].missing == {"medications": "incomplete"}


def test_kinds_of_suggestions(service: Recorded) -> None:
    post(service, severe())
    (card,) = service.rows("card")
    assert [one.kind for one in detail.suggestions(card["suggestions"])] == ["withdraw-order", "change-dose"]


# ------------------------------------------------------------------------------------------- what is not, and what is


@pytest.mark.parametrize(
    "request_", [order_sign(order(drug=OXYCODONE)), order_sign(with_value(order(), "resourceType", "ServiceRequest"))]
)
def test_a_call_without_baclofen_is_not_written_down(service: Recorded, request_: Json) -> None:
    assert cards(service, request_) == []
    assert service.rows("hook_call") == []


def test_what_is_no_call_is_not_written_down(service: Recorded) -> None:
    assert post(service, "{").status_code == 400
    assert post(service, order_sign() | {"hook": "patient-view"}).status_code == 400
    assert service.rows("hook_call") == []


def test_an_order_that_may_be_baclofen_is(service: Recorded) -> None:
    (card,) = cards(
        service, order_sign(order(medicationCodeableConcept=None, medicationReference={"reference": "M/1"}))
    )
    assert card["source"]["topic"]["code"] == "dataUnavailable"
    assert service.call()[0]["shown"] == 1


def test_412_is(service: Recorded) -> None:
    assert post(service, order_sign(prefetch={})).status_code == 412
    row, said = service.call()
    assert (row["status"], row["shown"], row["order_kind"], said.error) == (412, 0, None, "PreconditionFailed")
    assert said.request_id


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("canary"), 500), (RecursionError("canary"), 400), (KeyError("canary"), 500)]
)
def test_our_own_fault_is(service: Recorded, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(respond, "cards_for", fails)
    assert post(service, severe()).status_code == status
    row, said = service.call()
    assert (row["status"], said.error) == (status, type(error).__name__)
    assert "canary" not in json.dumps([row, service.rows("card")], default=str)


def test_a_fault_in_finding_baclofen_is_written_down_too(service: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> bool:
        raise ValueError

    monkeypatch.setattr(respond, "concerns_baclofen", fails)
    assert post(service, order_sign(order(drug=OXYCODONE))).status_code == 500
    assert service.call()[0]["status"] == 500


def test_http_in_production_is_refused_and_written_down(tmp_path: Path) -> None:
    service = north(tmp_path)
    sent = severe() | {"fhirServer": "http://ehr.example/fhir"}
    assert post(service, sent, authorization=f"Bearer {fresh()}").status_code == 400
    assert service.call()[0]["status"] == 400
    other = order_sign(order(drug=OXYCODONE)) | {"fhirServer": "http://ehr.example/fhir"}
    assert post(service, other, authorization=f"Bearer {fresh()}").status_code == 400
    assert len(service.rows("hook_call")) == 1, "an order that is no baclofen is not written down for that"


# ---------------------------------------------------------------------------------------------------- who is who


def north(folder: Path, **profile: Any) -> Recorded:
    """Production, with one client."""
    (folder / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    table = {"issuers": [ISSUER], "jwks_file": str(folder / "jwks.json"), **profile}
    return Recorded(folder, mode="production", today=None, public_base_url=BASE, clients={"north": table})


def fresh(**claims: Any) -> str:
    import time

    now = int(time.time())
    return token(head=header(), iat=now, exp=now + 300, jti=str(uuid.uuid4()), **claims)


def hashes(service: Recorded, request: Json, **claims: Any) -> Json:
    """The row of a new call."""
    before = {row["id"] for row in service.rows("hook_call")}
    headers = {"authorization": f"Bearer {fresh(**claims)}"} if claims else {}
    assert post(service, request, **headers).status_code == 200
    (row,) = [row for row in service.rows("hook_call") if row["id"] not in before]
    return row


def test_patient_and_user_are_keyed_hashes(service: Recorded) -> None:
    one, same = hashes(service, severe()), hashes(service, severe())
    other = hashes(service, json.loads(json.dumps(severe()).replace("p1", "p2")))
    assert (one["patient_hash"], one["user_hash"]) == (same["patient_hash"], same["user_hash"])
    assert one["patient_hash"] != other["patient_hash"]
    assert one["user_hash"] == other["user_hash"]
    for name in ("patient_hash", "user_hash"):
        assert len(bytes.fromhex(one[name])) == 32
    assert one["hash_key_id"]


def test_nobody_is_hashed_when_nobody_is_named(service: Recorded) -> None:
    assert hashes(service, severe_without_user())["user_hash"] is None


def severe_without_user() -> Json:
    request = severe()
    del request["context"]["userId"]
    return request


def test_another_key_makes_other_hashes_and_says_so(tmp_path: Path) -> None:
    one = hashes(Recorded(tmp_path, hash_key="a" * 32), severe())
    other = hashes(Recorded(tmp_path, hash_key="b" * 32), severe())
    for name in ("patient_hash", "user_hash", "hash_key_id"):
        assert one[name] != other[name]


def test_the_same_id_of_two_tenants_is_two_patients(tmp_path: Path) -> None:
    service = north(tmp_path)
    first, second = (hashes(service, severe(), tenant=tenant) for tenant in ("a", "b"))
    assert first["patient_hash"] != second["patient_hash"]
    assert first["tenant"] is None, "free text of a token, as long as no profile lists it"


def test_a_tenant_that_the_profile_lists_is_named(tmp_path: Path) -> None:
    assert hashes(north(tmp_path, tenants=["a", "b"]), severe(), tenant="b")["tenant"] == "b"


def test_an_instance_that_is_no_uuid_is_left_out(service: Recorded) -> None:
    assert hashes(service, severe() | {"hookInstance": "Jane Doe"})["hook_instance"] is None


# ------------------------------------------------------------------------------------- before the answer leaves


class Slow:
    """A store that takes its time, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.release = asyncio.Event()
        self.error = error

    async def write(self, *_: object) -> None:
        if self.error:
            raise self.error
        await self.release.wait()


def with_store(service: Recorded, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Any]) -> None:
    monkeypatch.setattr(Store, "write", lambda _, *rows, **__: write(*rows))


@pytest.mark.parametrize("request_", [severe(), order_sign(prefetch={})], ids=["200", "412"])
def test_the_answer_waits_for_the_record(service: Recorded, monkeypatch: pytest.MonkeyPatch, request_: Json) -> None:
    async def ask() -> httpx.Response:
        store = Slow()
        with_store(service, monkeypatch, store.write)
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://cds.example") as client:
            asked = asyncio.create_task(client.post(SERVICE, json=request_))
            await asyncio.sleep(0.3)
            assert not asked.done()
            store.release.set()
            return await asked

    assert asyncio.run(ask()).status_code in (200, 412)


def test_a_fault_of_the_record_costs_no_card(
    service: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_store(service, monkeypatch, Slow(OSError("canary")).write)
    (card,) = cards(service, severe())
    assert card["indicator"] == "critical"
    assert post(service, order_sign(prefetch={})).status_code == 412
    said = capsys.readouterr().err
    assert '"event":"call not recorded"' in said
    assert "canary" not in said
    assert "baclofen_cds_unrecorded_calls_total" in service.get("/metrics").text


# ------------------------------------------------------------------------------------------------------- silence


def silent_rules(folder: Path, *rules: str, **profile: Any) -> Recorded:
    return north(folder, rules_silent=list(rules), **profile)


def test_a_silent_rule_is_assessed_and_written_down_and_not_shown(tmp_path: Path) -> None:
    usual = cards(Recorded(tmp_path), severe())
    (folder := tmp_path / "north").mkdir()
    service = silent_rules(folder, "renal-avoid-severe")
    answer = post(service, severe(), authorization=f"Bearer {fresh()}")
    shown = answer.json()["cards"]
    assert usual[0]["source"]["topic"]["code"] == "renalAvoidSevere"
    assert [card["source"]["topic"]["code"] for card in shown] == ["startDoseTooHigh"]
    row, said = service.call()
    assert (row["shown"], said.silent) == (1, ["renal-avoid-severe"])
    assert said.fired["renal-avoid-severe"] == "critical"
    rows = {one["rule"]: one for one in service.rows("card")}
    assert rows["start-dose-too-high"]["silent"] is False
    quiet = rows["renal-avoid-severe"]
    assert (quiet["silent"], quiet["indicator"], quiet["override_key"]) == (True, "critical", None)
    assert quiet["uuid"] not in answer.text
    suggested = detail.suggestions(quiet["suggestions"])
    assert [(one.uuid, one.label, one.kind) for one in suggested] == [
        ("", "", "withdraw-order"),
        ("", "", "change-dose"),
    ]
    counted = service.get("/metrics").text
    assert 'baclofen_cds_silent_cards_total{client="north",indicator="critical",rule="renal-avoid-severe"}' in counted


def test_a_client_that_is_only_tried_sees_nothing_of_what_it_would_have_seen(tmp_path: Path) -> None:
    """Also what could not be checked: nobody there reads silence as an answer."""
    request = order_sign(order(mg=20), prefetch=chart(kidney=...))
    usual = post(Recorded(tmp_path), request).json()["cards"]
    (folder := tmp_path / "north").mkdir()
    service = north(folder, rules_silent="all")
    assert post(service, request, authorization=f"Bearer {fresh()}").json() == {"cards": []}
    row, said = service.call()
    quiet = service.rows("card")
    assert (row["shown"], {card["silent"] for card in quiet}) == (0, {True})
    seen = {(card["source"]["topic"]["code"].lower(), card["indicator"]) for card in usual}
    assert {(card["rule"].replace("-", ""), card["indicator"]) for card in quiet} == seen
    assert ("dataunavailable", "info") in seen
    assert set(said.silent) == set(said.fired)
    other = order_sign(order(drug=OXYCODONE))
    assert post(service, other, authorization=f"Bearer {fresh()}").json() == {"cards": []}


def test_no_value_of_a_result_is_in_the_record(service: Recorded) -> None:
    (card, *_) = cards(service, order_sign(prefetch=chart(kidney=search(egfr(17.319753)))))
    assert "17" in card["summary"]
    assert "17.3" not in json.dumps(service.rows("hook_call") + service.rows("card"), default=str)

"""With ``warm_order_sign``: what order-select read of the FHIR server answers order-sign of the same session; what the
dose hangs on is read again, and what was read before stands in only when the server is in trouble."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds_service import warmed
from cds_service.app import create_app
from cds_service.completion import READ_AGAIN, STANDS_IN
from cds_service.settings import load
from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    SERVICE,
    TODAY,
    Client,
    Json,
    active,
    condition,
    egfr,
    has_kidney_card,
    order,
    order_select,
    order_sign,
    outcome,
    patient,
    post,
    search,
    text_of,
    topics,
)
from tests.conformance.trust import BASE, key, public, token
from tests.integration import broken
from tests.integration.broken import Behaviour, Broken, late, results, says, silence
from tests.integration.service import Service, without_uuids

TOKEN = "canary-token-of-one-session"  # noqa: S105  # made up


def chart(**changes: Behaviour) -> dict[str, Behaviour]:
    """What a FHIR server says of a patient with an eGFR of 20 who has an alcohol problem on the list."""
    said = {
        "Patient": says(patient()),
        "Observation": results(says(search(egfr(20)))),
        "MedicationRequest": says(search()),
        "Condition": says(search(condition("F10.20", "Alcohol dependence, uncomplicated"))),
        "": says(search()),
    }
    return {**said, **changes}


def call(request: Json, server: Broken, **authorization: Any) -> Json:
    sent = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300} | authorization
    request = request | {"fhirServer": server.base, "fhirAuthorization": sent}
    request.pop("prefetch")
    return request


def select(server: Broken, **authorization: Any) -> Json:
    return call(order_select(order(), selections=["MedicationRequest/d1"]), server, **authorization)


def sign(server: Broken, *drafts: Json, **authorization: Any) -> Json:
    return call(order_sign(*drafts), server, **authorization)


@pytest.fixture
def service() -> Service:
    return Service(fhir_seconds=0.4, warm_order_sign=True)


def asked_by(service: Service, server: Broken, request: Json) -> list[str]:
    before = len(server.requests)
    service.cards(request)
    return sorted(one.path.partition("?")[0] for one in server.requests[before:])


ALL = sorted(["AllergyIntolerance", "Condition", "MedicationRequest", "Observation", "Observation", "Patient/p1",
              "Procedure"])  # fmt: skip
AGAIN = ["MedicationRequest", "Observation"]


def test_order_sign_reads_only_what_the_dose_hangs_on(service: Service) -> None:
    assert sorted(READ_AGAIN) == ["kidney", "medications"]
    with broken.running(chart()) as server:
        assert asked_by(service, server, select(server)) == ALL
        assert asked_by(service, server, sign(server)) == AGAIN
        assert asked_by(service, server, sign(server)) == AGAIN
        assert asked_by(service, server, select(server)) == ALL, "order-select itself reads anew"


def test_the_cards_are_those_of_a_cold_order_sign(service: Service) -> None:
    with broken.running(chart()) as server:
        cold = Service(fhir_seconds=0.4).cards(sign(server))
        service.cards(select(server))
        assert without_uuids(service.cards(sign(server))) == without_uuids(cold)
    assert has_kidney_card(cold)
    assert "dataUnavailable" not in topics(cold)


def test_it_is_off_by_default() -> None:
    service = Service(fhir_seconds=0.4)
    with broken.running(chart()) as server:
        service.cards(select(server))
        assert asked_by(service, server, sign(server)) == ALL


@pytest.mark.parametrize(
    "other",
    [
        {"context": {"patientId": "p2"}},
        {"context": {"userId": "Practitioner/u2"}},
        {"context": {"userId": ""}},
        {"fhirAuthorization": {"access_token": TOKEN + "2"}},
        {"fhirAuthorization": {}},
    ],
    ids=["patient", "user", "no user", "token", "no token"],
)
def test_another_patient_user_or_token_gets_nothing_of_it(other: Json, service: Service) -> None:
    with broken.running(chart(Patient=says(patient(id="p2")))) as server:
        service.cards(select(server))
        request = sign(server)
        request["context"] |= other.get("context", {})
        if "fhirAuthorization" in other:
            request["fhirAuthorization"] = other["fhirAuthorization"]
        assert len(asked_by(service, server, request)) == len(ALL)


def test_another_server_gets_nothing_of_it(service: Service) -> None:
    with broken.running(chart()) as server, broken.running(chart()) as other:
        service.cards(select(server))
        assert asked_by(service, other, sign(other)) == ALL


def test_another_client_gets_nothing_of_it(tmp_path: Path) -> None:
    """The same patient id, user id and token, as they could be in the test and the live system of one EHR."""
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    names = ("live", "test")
    tables = {
        name: {"issuers": [f"https://{name}.example"], "jwks_file": str(tmp_path / "jwks.json")} for name in names
    }
    given: Json = {"public_base_url": BASE, "today": date.fromisoformat(TODAY), "clients": tables}
    # The deadline is generous: this is about what is asked.
    client = Client(create_app(load(mode="sandbox", warm_order_sign=True, fhir_seconds=5, **given)))

    def asked(name: str, request: Json, server: Broken) -> int:
        before, now = len(server.requests), int(time.time())
        sent = token(iss=f"https://{name}.example", aud=BASE + SERVICE, iat=now, exp=now + 300)
        response = post(client, request, authorization=f"Bearer {sent}")
        assert response.status_code == 200, response.text
        return len(server.requests) - before

    with broken.running(chart()) as server:
        assert asked("live", select(server), server) == len(ALL)
        assert asked("test", sign(server), server) == len(ALL)
        assert asked("live", sign(server), server) == len(AGAIN)


def test_after_two_minutes_everything_is_read(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmed, "LASTS", 0.3)
    with broken.running(chart()) as server:
        service.cards(select(server))
        assert asked_by(service, server, sign(server)) == AGAIN
        time.sleep(0.3)
        assert asked_by(service, server, sign(server)) == ALL


# ------------------------------------------------------------------------------------------------ the chart has changed


def test_a_medicine_that_was_ordered_meanwhile_is_seen(service: Service) -> None:
    with broken.running(chart()) as server:
        assert "xycodone" not in text_of(service.cards(select(server)))
        server.behaviours["MedicationRequest"] = says(search(active("m1", OXYCODONE)))
        assert "xycodone" in text_of(service.cards(sign(server)))


def test_baclofen_that_was_stopped_meanwhile_is_no_duplicate(service: Service) -> None:
    with broken.running(chart(MedicationRequest=says(search(active("m1", BACLOFEN_10))))) as server:
        assert "duplicateBaclofen" in topics(service.cards(select(server)))
        server.behaviours["MedicationRequest"] = says(search(active("m1", BACLOFEN_10, status="cancelled")))
        assert "duplicateBaclofen" not in topics(service.cards(sign(server)))


def test_a_kidney_result_that_came_meanwhile_is_seen(service: Service) -> None:
    with broken.running(chart(Observation=results(says(search(egfr(88)))))) as server:
        assert not has_kidney_card(service.cards(select(server)))
        server.behaviours["Observation"] = results(says(search(egfr(88), egfr(12, "2026-11-24", "new"))))
        assert has_kidney_card(service.cards(sign(server)))


# ---------------------------------------------------------------------------------------- the server is in trouble


TROUBLE = {
    "hangs": silence,
    "500": says(b"", 500),
    "503": says(b"", 503),
    "429": says(outcome("error"), 429),
    "too late": late(0.6, says(search())),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_then_what_was_read_before_is_used_and_that_is_said(trouble: Behaviour, service: Service) -> None:
    """Never fewer warnings than what is known; and never a list that passes for today's."""
    opioid = says(search(active("m1", OXYCODONE)))
    with broken.running(chart(MedicationRequest=opioid)) as server:
        service.cards(select(server))
        server.behaviours |= {"Observation": results(trouble), "MedicationRequest": trouble}
        shown = service.cards(sign(server))
    assert has_kidney_card(shown)
    assert "xycodone" in text_of(shown)
    assert "dataUnavailable" in topics(shown)
    assert re.search(rf"medication list and kidney results .*{re.escape(STANDS_IN)}", text_of(shown))


@pytest.mark.parametrize("refusal", [401, 403, 404, 410])
def test_what_is_refused_is_not_answered_from_memory(refusal: int, service: Service) -> None:
    with broken.running(chart()) as server:
        service.cards(select(server))
        server.behaviours["Observation"] = results(says(outcome("error"), refusal))
        shown = service.cards(sign(server))
    assert not has_kidney_card(shown)
    assert "kidney results" in text_of(shown)


@pytest.mark.parametrize("bad", [says(b"<html>"), says(search(outcome("error"))), says(search(total=9)), silence])
def test_what_was_not_read_whole_is_read_again(bad: Behaviour, service: Service) -> None:
    with broken.running(chart(Condition=bad)) as server:
        service.cards(select(server))
        server.behaviours["Condition"] = says(search())
        assert asked_by(service, server, sign(server)) == ["Condition", *AGAIN]
        assert "problem list" not in text_of(service.cards(sign(server)))


def test_pages_that_were_read_are_not_read_again(service: Service) -> None:
    first = search(
        condition("G35", "Multiple sclerosis"), total=2, link=[{"relation": "next", "url": "Condition?page=2"}]
    )
    second = says(search(condition("Z99.2", "Dependence on renal dialysis"), total=2))
    with broken.running({"Condition?page=2": second, **chart(Condition=says(first))}) as server:
        service.cards(select(server))
        assert asked_by(service, server, sign(server)) == AGAIN
        assert "ialysis" in text_of(service.cards(sign(server)))


def test_a_part_that_was_prefetched_at_order_select_is_no_warmth(service: Service) -> None:
    """Only what came from the FHIR server itself is kept: a prefetch is the client's, and it sends it again."""
    with broken.running(chart()) as server:
        request = select(server) | {"prefetch": {"conditions": search(), "kidney": search(egfr(20))}}
        service.cards(request)
        assert asked_by(service, server, sign(server)) == ["Condition", *AGAIN]

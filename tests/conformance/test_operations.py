"""Addresses for operators and integrators: health, metrics, documentation; and the command line."""

from __future__ import annotations

import re

import pytest

from cds_service.__main__ import main
from cds_service.store import Store
from tests.conformance.calls import SERVICE, Client, assert_refused, order_sign, post, severe, without


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_says_mode_and_content_version(client: Client, path: str) -> None:
    body = client.get(path).json()
    assert body["status"] in ("alive", "ready")
    assert body["mode"] == "sandbox"
    assert re.fullmatch(r"[0-9a-f]{8,64}", body["contentVersion"])


def test_metrics_count_calls_and_cards_without_patient_data(client: Client) -> None:
    post(client, severe())
    post(client, "{")
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert 'baclofen_cds_calls_total{client="anybody",hook="order-sign",status="200"}' in response.text
    assert 'baclofen_cds_calls_total{client="anybody",hook="none",status="400"}' in response.text
    assert re.search(
        r'baclofen_cds_cards_total\{client="anybody",indicator="critical",rule="renal-avoid-severe"\}', response.text
    )
    assert "p1" not in response.text


def test_openapi_describes_the_addresses_that_there_are(client: Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            named = {one["name"]: one["example"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert client.request(method.upper(), path.format(**named)).status_code not in (404, 405)
    assert SERVICE in document["paths"]


def test_documentation_loads_nothing_from_elsewhere(client: Client) -> None:
    response = client.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert SERVICE in response.text
    assert not re.search(r"<(script|link|img|iframe)\b|(src|href)=.?https?://|url\(", response.text)


def test_a_call_is_logged_once_without_patient_data(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    post(client, order_sign(userId="Practitioner/somebody"))
    (line,) = capsys.readouterr().err.splitlines()
    assert '"event":"call"' in line
    assert "somebody" not in line
    assert "Baclofen" not in line


def test_the_log_says_why_a_call_was_refused(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Few EHRs show their people what a service answers: the operator has to see it."""
    post(client, without(order_sign(), "context.draftOrders"))
    (line,) = capsys.readouterr().err.splitlines()
    assert '"problem":"The request has no context.draftOrders."' in line


def test_serve_refuses_production_with_the_cure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BACLOFEN_CDS_MODE", raising=False)
    assert main(["serve"]) == 2
    assert "--sandbox" in capsys.readouterr().err


def test_ready_as_long_as_records_can_be_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").json()["records"] == "database"
    monkeypatch.setattr(Store, "spooling", property(lambda _: True))
    assert client.get("/readyz").json()["records"] == "spool"
    monkeypatch.setattr(Store, "healthy", lambda _: False)
    assert_refused(client.get("/readyz"), 503)
    assert post(client, severe()).status_code == 200, "an order does not go unchecked for that"
    assert client.get("/healthz").status_code == 200

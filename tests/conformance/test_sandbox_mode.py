"""Sandbox mode says so everywhere (design 2), production never: a tester's service must not pass for a hospital's."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import SERVICE, Client, order_sign, post
from tests.conformance.trust import BASE, ISSUER

MARK = "x-baclofen-cds-mode"
GETS = [
    "/cds-services",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/content",
    "/insights",
    "/workbench",
]
PAGES = ["/docs", "/content", "/insights", "/workbench"]


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Client:
    table = {"issuers": [ISSUER], "jku": ["https://ehr.example/jwks.json"]}
    folder: Path = tmp_path_factory.mktemp("production")
    return Client(create_app(load(public_base_url=BASE, clients={"north": table}, state_dir=folder)))


@pytest.mark.parametrize("path", [*GETS, "/nowhere", f"{SERVICE}/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_every_answer_is_marked(client: Client, production: Client, method: str, path: str) -> None:
    assert client.request(method, path).headers[MARK] == "sandbox"
    assert MARK not in production.request(method, path).headers


def test_every_answer_to_a_call_is_marked(client: Client, production: Client) -> None:
    for status, body, headers in ((200, order_sign(), {}), (400, "{", {}), (401, "{}", {"authorization": "Bearer x"})):
        response = post(client, body, **headers)
        assert (response.status_code, response.headers[MARK]) == (status, "sandbox")
        assert MARK not in post(production, body, **headers).headers
    preflight = client.options(SERVICE, origin="http://localhost:9", access_control_request_method="POST")
    assert preflight.headers[MARK] == "sandbox"
    assert client.request("GET", "/cds-services", headers={"x-long": "v" * 40_000}).headers[MARK] == "sandbox"


def test_a_page_that_calls_may_read_the_mark(client: Client) -> None:
    response = client.get("/cds-services", origin="http://localhost:9")
    assert MARK in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_so(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["content-type"].startswith("text/html")
    assert "sandbox" in response.text.lower()
    assert "synthetic patients" in response.text.lower()


@pytest.mark.parametrize("path", ["/docs", "/content"])
def test_no_page_of_production_says_so(production: Client, path: str) -> None:
    assert "sandbox" not in production.get(path).text.lower()


def test_health_and_discovery_say_so(client: Client, production: Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert client.get(path).json()["mode"] == "sandbox"
        assert production.get(path).json()["mode"] == "production"
    for service in client.get("/cds-services").json()["services"]:
        assert "sandbox" in service["title"]
        assert service["description"].startswith("Sandbox mode: ")
        assert service["usageRequirements"].startswith("Sandbox mode: ")
    assert "andbox" not in production.get("/cds-services").text
    assert "sandbox" in client.get("/openapi.json").json()["info"]["title"]


@pytest.mark.parametrize("path", ["/", "/workbench", "/workbench/fhir/metadata", "/workbench/patients/x"])
def test_production_has_no_workbench(production: Client, path: str) -> None:
    assert production.get(path).status_code == 404

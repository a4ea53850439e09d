"""Checklist 2.3 in production mode: pages of the origins that a client's profile lists, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.app import create_app
from cds_service.errors import PreconditionFailed, TooBusy, TooLarge, TooManyCalls
from cds_service.settings import load
from tests.conformance.calls import SERVICE, Client
from tests.conformance.trust import BASE, ISSUER, Door, key, public, token

ORIGIN = "https://ehr.example:8443"
PATHS = ["/cds-services", SERVICE, f"{SERVICE}/feedback"]
PREFLIGHT = {
    "access_control_request_method": "POST",
    "access_control_request_headers": "authorization,content-type",
}


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, public(key()), origins=[ORIGIN], settings={"protect_discovery": True})


@pytest.mark.parametrize("path", PATHS)
def test_C1_C3_a_listed_page_may_ask_without_a_token(tmp_path: Path, path: str) -> None:
    table = {"issuers": [ISSUER], "jku": ["https://ehr.example/jwks.json"], "origins": [ORIGIN]}
    client = Client(
        create_app(load(public_base_url=BASE, clients={"north": table}, protect_discovery=True, state_dir=tmp_path))
    )
    response = client.options(path, origin=ORIGIN, **PREFLIGHT)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert set(response.headers["access-control-allow-methods"].split(", ")) == {"GET", "POST"}
    assert set(response.headers["access-control-allow-headers"].split(", ")) == {"authorization", "content-type"}
    assert "access-control-allow-credentials" not in response.headers
    assert response.headers["vary"] == "Origin"


def test_C1_a_call_of_a_listed_page(door: Door) -> None:
    response = door.call(token(), origin=ORIGIN)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://ehr.example", "http://ehr.example:8443", "https://ehr.example:8443.evil.example",
     "https://EHR.example:8443", "null", "*", "http://localhost:8080", "https://ehr.example:8443/", ""],
)  # fmt: skip
def test_C2_other_pages_get_no_permission(door: Door, origin: str) -> None:
    for response in (
        door.client.options(SERVICE, origin=origin, **PREFLIGHT),
        door.call(token(), origin=origin),
        door.call(None, origin=origin),
    ):
        assert "access-control-allow-origin" not in response.headers
        assert "Origin" in response.headers["vary"]


def test_C2_nobody_is_listed_by_default(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()))
    response = door.client.options(SERVICE, origin="http://localhost:8080", **PREFLIGHT)
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert door.call(token(), origin="http://localhost:8080").status_code == 200, "CORS protects browsers, not us"


def test_C4_errors_carry_the_permission_too(door: Door) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token()}", "origin": ORIGIN}
    for status, response in (
        (401, door.call(None, origin=ORIGIN)),
        (401, door.client.get("/cds-services", origin=ORIGIN)),
        (404, door.client.get("/nowhere", origin=ORIGIN)),
        (405, door.client.get(SERVICE, origin=ORIGIN)),
        (400, door.client.request("POST", SERVICE, content="{", headers=headers)),
        (431, door.client.get("/cds-services", origin=ORIGIN, x="v" * 40_000)),
    ):
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (412, PreconditionFailed("nothing", "send it")),
        (413, TooLarge("much", "send less")),
        (429, TooManyCalls(seconds=1)),
        (500, KeyError("a fault of ours")),
        (503, TooBusy(headers={"retry-after": "1"})),
    ],
)
def test_C4_a_page_reads_why_a_call_failed(tmp_path: Path, status: int, error: Exception) -> None:
    async def fails(*_: object) -> bytes:
        raise error

    response = Door(tmp_path, public(key()), origins=[ORIGIN], answer=fails).call(token(), origin=ORIGIN)
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert {"retry-after", "x-request-id"} <= set(response.headers["access-control-expose-headers"].split(", "))

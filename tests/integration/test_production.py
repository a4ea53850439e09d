"""Reading a FHIR server as in production: clients with keys, https with a certificate that is checked, networks that
are listed, and for each client its own servers only (F8, rows 61 to 63)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import SERVICE, Json, assert_refused, chart, egfr, has_kidney_card, order_sign, search
from tests.conformance.trust import BASE, key, public, token
from tests.integration import broken, certificates
from tests.integration.broken import Broken, results, says

ACCESS = "canary-access-token"  # made up
TODAY = datetime.now(UTC).date()
SEVERE = results(says(search(egfr(20, (TODAY - timedelta(days=10)).isoformat()))))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def servers(authority: certificates.Authority) -> Iterator[dict[str, Broken]]:
    """One of each hospital."""
    said = {"Observation": SEVERE, "": says(search())}
    with (
        broken.running(dict(said), tls=authority.server("localhost")) as north,
        broken.running(dict(said), tls=authority.server("localhost")) as south,
    ):
        yield {"north": north, "south": south}


def at(server: Broken) -> str:
    return server.base.replace("127.0.0.1", "localhost")


def service(folder: Path, authority: certificates.Authority, servers: dict[str, Broken], **settings: Any) -> FastAPI:
    (folder / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    clients = {
        name: {
            "issuers": [f"https://{name}.example"],
            "jwks_file": str(folder / "jwks.json"),
            "fhir_servers": [at(one)],
        }
        for name, one in servers.items()
    }
    # The deadline is generous: this is about what is read.
    (folder / "state").mkdir()
    whole: Json = {
        "fhir_networks": ["127.0.0.0/8", "::1/128"],
        "ca_file": authority.file,
        "fhir_seconds": 5,
    } | settings
    given: Json = {"public_base_url": BASE, "state_dir": folder / "state", "clients": clients}
    return create_app(load(mode="production", **given, **whole))


def call(app: FastAPI, client: str, server: str, prefetch: Json) -> httpx.Response:
    now = int(time.time())
    signed = token(iss=f"https://{client}.example", iat=now, exp=now + 300)
    authorization = {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs"}
    request = order_sign(prefetch=prefetch) | {"fhirServer": server, "fhirAuthorization": authorization}
    headers = {"authorization": f"Bearer {signed}", "content-type": "application/json"}

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as caller:
            answer = await caller.post(SERVICE, content=json.dumps(request), headers=headers)
        for close in app.state.closing:
            await close()
        return answer

    return asyncio.run(run())


def test_F8_a_client_reads_its_own_server(
    tmp_path: Path, authority: certificates.Authority, servers: dict[str, Broken]
) -> None:
    app = service(tmp_path, authority, servers)
    answer = call(app, "north", at(servers["north"]), {})
    assert answer.status_code == 200, answer.text
    assert has_kidney_card(answer.json()["cards"])
    assert {one.headers["authorization"] for one in servers["north"].requests} == {f"Bearer {ACCESS}"}
    assert ACCESS not in answer.text


def test_63_never_that_of_another_client(
    tmp_path: Path, authority: certificates.Authority, servers: dict[str, Broken]
) -> None:
    app = service(tmp_path, authority, servers)
    answer = call(app, "north", at(servers["south"]), chart(kidney=...))
    assert "kidney results" in answer.text
    assert "the EHR did not send it" in answer.text
    assert_refused(call(app, "north", at(servers["south"]), {}), 412, ACCESS)
    assert servers["south"].connections == 0


def test_61_http_is_refused(tmp_path: Path, authority: certificates.Authority, servers: dict[str, Broken]) -> None:
    app = service(tmp_path, authority, servers)
    insecure = at(servers["north"]).replace("https://", "http://")
    issue = assert_refused(call(app, "north", insecure, chart()), 400, ACCESS)
    assert issue["expression"] == ["fhirServer"]
    assert servers["north"].connections == 0


def test_62_a_private_address_needs_its_network_in_the_settings(
    tmp_path: Path, authority: certificates.Authority, servers: dict[str, Broken]
) -> None:
    app = service(tmp_path, authority, servers, fhir_networks=["10.0.0.0/8"])
    answer = call(app, "north", at(servers["north"]), chart(kidney=...))
    assert "the EHR could not be reached" in answer.text
    assert servers["north"].connections == 0


def test_67_a_certificate_needs_its_authority_in_the_settings(
    tmp_path: Path, authority: certificates.Authority, servers: dict[str, Broken]
) -> None:
    app = service(tmp_path, authority, servers, ca_file=None)
    answer = call(app, "north", at(servers["north"]), chart(kidney=...))
    assert "the EHR could not be reached" in answer.text
    assert servers["north"].requests == []

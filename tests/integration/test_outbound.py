"""F8, F11, rows 37, 48, 60 to 63: in production no packet goes anywhere but to the FHIR server of the client.

Every attempt to connect, from whatever library, is seen where the event loop makes it; nothing is mocked above that.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cds_service.app import create_app
from cds_service.fhir_client import Base, FhirClient, Unread
from cds_service.fhir_client.connections import transports
from cds_service.settings import load
from tests.conformance.calls import OXYCODONE, SERVICE, Json, active, chart, egfr, order_sign, search
from tests.conformance.trust import BASE, key, public, token
from tests.integration import broken

ACCESS = "canary-access-token"
EHR = "https://ehr.example/fhir"
PUBLIC = "93.184.215.14"


@dataclass
class Network:
    """Names, and who was connected to. Nobody answers."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    """Name → the addresses of each look-up in turn; the last stays."""
    looked_up: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    found = Network()
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *given: Any, **named: Any) -> Any:
        found.looked_up.append(host)
        if host not in found.names:
            return real(host, port, *given, **named)
        turns = found.names[host]
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        kinds = [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in addresses]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (one, port, 0, 0) if ":" in one else (one, port)) for kind, one in kinds
        ]

    async def connect(_: Any, __: Any, address: Any) -> None:
        found.connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", connect)
    return found


def made(folder: Path) -> FastAPI:
    (folder / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    table = {"issuers": ["https://north.example"], "jwks_file": str(folder / "jwks.json"), "fhir_servers": [EHR]}
    given: Json = {"public_base_url": BASE, "state_dir": folder, "clients": {"north": table}, "fhir_seconds": 2}
    return create_app(load(**given))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return made(tmp_path_factory.mktemp("outbound"))


@pytest.fixture
def fresh(tmp_path: Path) -> FastAPI:
    """One that has not yet seen a server fail: it would leave it alone."""
    return made(tmp_path)


def called(service: FastAPI, prefetch: Json | None = None, **more: Any) -> httpx.Response:
    now = int(time.time())
    signed = token(iss="https://north.example", iat=now, exp=now + 300)
    authorization = {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 300}
    request = order_sign(prefetch=chart(kidney=...) if prefetch is None else prefetch)
    request |= {"fhirServer": EHR, "fhirAuthorization": authorization} | more
    headers = {"authorization": f"Bearer {signed}", "content-type": "application/json"}

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url=BASE) as caller:
            answer = await caller.post(SERVICE, content=json.dumps(request), headers=headers)
        for close in service.state.closing:
            await close()
        return answer

    return asyncio.run(run())


async def read(url: str, *networks: str) -> bytes | Unread:
    """By the client itself, as in production."""
    client = FhirClient(transports(networks))
    base = Base.of(url)
    assert base is not None
    with client.server(base, ACCESS, asyncio.get_running_loop().time() + 2) as server:
        found = await server.get("Patient/p1")
    await client.close()
    return found


def test_its_own_server_is_connected_to(network: Network, fresh: FastAPI) -> None:
    """Else the other tests show nothing."""
    network.names["ehr.example"] = [[PUBLIC]]
    assert called(fresh).status_code == 200
    assert set(network.connected) == {PUBLIC}


ELSEWHERE = """
https://169.254.169.254/latest/meta-data https://169.254.170.2/ https://metadata.google.internal/ https://[fd00:ec2::254]/
https://100.100.100.200/ https://168.63.129.16/ https://10.0.0.5/fhir https://172.16.0.1/fhir https://192.168.1.1/fhir
https://127.0.0.1/fhir https://127.0.0.1:8443/fhir https://localhost/fhir https://localhost./fhir https://[::1]/fhir
https://[::]/fhir https://0.0.0.0/fhir https://0/fhir https://2130706433/fhir https://0x7f000001/fhir https://0177.0.0.1/fhir
https://127.1/fhir https://[::ffff:127.0.0.1]/fhir https://[::ffff:7f00:1]/fhir https://[::127.0.0.1]/fhir
https://[64:ff9b::7f00:1]/fhir https://127.0.0.1.nip.io/fhir https://user@ehr.example/fhir https://user:pw@ehr.example/fhir
https://ehr.example@evil.example/fhir https://ehr.example%40evil.example/fhir https://ehr.example.evil.example/fhir
https://evil.example/https://ehr.example/fhir https://evil.example?https://ehr.example/fhir https://evil.example#ehr.example/fhir
https://ehr.example:22/fhir https://ehr.example:8443/fhir https://ehr.example/fhir/../admin https://ehr.example/fhir/x
https://ehr.example/FHIR https://ehr.example/fhir%2f.. https://ehr.example\\@evil.example/fhir https://ehr.example/fhir;x
https://ehr.example/fhir?x=1 https://ehr.example/fhir#x https://EHR。example/fhir https://éhr.example/fhir
https:evil.example https:///fhir https:/evil.example/fhir https://evil.example\\.ehr.example/fhir https://
""".split()  # noqa: SIM905  # one list of addresses, not of words
NO_HTTPS = """
http://ehr.example/fhir http://169.254.169.254/ http://localhost:8090/fhir file:///etc/passwd gopher://ehr.example/fhir
ftp://ehr.example/fhir javascript:alert(1) ldap://ehr.example/ dict://127.0.0.1:11211/ evil.example/fhir ws://ehr.example/
jar:https://ehr.example/fhir data:text/plain,x HTTP://ehr.example/fhir //evil.example/fhir
""".split()  # noqa: SIM905


@pytest.mark.parametrize("server", ELSEWHERE)
def test_F8_61_63_no_other_server_is_connected_to_or_looked_up(network: Network, service: FastAPI, server: str) -> None:
    answer = called(service, fhirServer=server)
    assert (network.looked_up, network.connected) == ([], [])
    assert answer.status_code == 200
    assert "the EHR did not send it" in answer.text


@pytest.mark.parametrize("server", NO_HTTPS)
def test_F8_61_what_is_not_https_is_refused(network: Network, service: FastAPI, server: str) -> None:
    assert called(service, fhirServer=server).status_code == 400
    assert (network.looked_up, network.connected) == ([], [])


NOT_PUBLIC = (
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.31.255.255", "192.168.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "168.63.129.16", "::1", "::", "fe80::1",
    "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "::ffff:0:10.0.0.1", "64:ff9b::a00:5", "64:ff9b:1::a00:5", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe",
)  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_62_the_own_name_that_leads_to_a_private_address(network: Network, address: str) -> None:
    network.names["ehr.example"] = [[address]]
    assert asyncio.run(read(EHR)) is Unread.UNREACHABLE
    assert "ehr.example" in network.looked_up
    assert network.connected == []


def test_62_that_is_said(network: Network, fresh: FastAPI) -> None:
    network.names["ehr.example"] = [["10.0.0.5"]]
    assert "could not be reached" in called(fresh).text
    assert network.connected == []


def test_62_of_several_addresses_only_the_public_ones(network: Network, fresh: FastAPI) -> None:
    network.names["ehr.example"] = [["10.0.0.1", PUBLIC, "::1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]]
    called(fresh)
    assert network.connected
    assert set(network.connected) <= {PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"}


def test_62_a_name_that_changes_between_look_ups(network: Network, fresh: FastAPI) -> None:
    network.names["ehr.example"] = [[PUBLIC], ["127.0.0.1"], ["169.254.169.254"]]
    for _ in range(3):
        called(fresh)
    assert set(network.connected) == {PUBLIC}
    assert network.looked_up.count("ehr.example") >= 2


def test_the_environment_cannot_send_it_elsewhere(
    network: Network, fresh: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies would see the access token, and connect to what this fresh would not."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    network.names |= {"ehr.example": [[PUBLIC]], "proxy.example": [["93.184.215.15"]]}
    called(fresh)
    assert set(network.connected) == {PUBLIC}
    assert "proxy.example" not in network.looked_up


LINKS = """
https://evil.example/fhir?page=2 http://ehr.example/fhir?page=2 //evil.example/fhir?page=2 https://ehr.example:8443/fhir?page=2
https://ehr.example@evil.example/fhir?page=2 https://ehr.example.evil.example/fhir https://169.254.169.254/ file:///etc/passwd
https://ehr.example/other?page=2 /admin ../../admin https://ehr.example/fhir/../admin \\\\evil.example\\x
https:\\\\evil.example
""".split()  # noqa: SIM905


@pytest.mark.parametrize("link", LINKS)
def test_48_no_link_of_a_prefetched_list_is_followed_elsewhere(network: Network, service: FastAPI, link: str) -> None:
    paged = search(egfr(20), total=9, link=[{"relation": "next", "url": link}])
    answer = called(service, chart(kidney=paged))
    assert answer.status_code == 200
    assert (network.looked_up, network.connected) == ([], [])


REFERENCES = """
https://evil.example/fhir/Medication/o1 http://ehr.example/fhir/Medication/o1 https://ehr.example/other/Medication/o1
https://ehr.example@evil.example/fhir/Medication/o1 //evil.example/Medication/o1 https://169.254.169.254/Medication/o1
urn:uuid:7d53b5c7-e85e-4f0f-9e7d-dc69a346482c file:///Medication/o1 Medication/../../admin Medication/o1?x=y
Medication/o1%2f.. Medication/o1/../Patient Patient/p2 #gone
""".split()  # noqa: SIM905


@pytest.mark.parametrize("reference", REFERENCES)
def test_37_F11_no_reference_is_followed_elsewhere(network: Network, service: FastAPI, reference: str) -> None:
    other = active("m1", OXYCODONE, medicationCodeableConcept=None, medicationReference={"reference": reference})
    answer = called(service, chart(medications=search(other)))
    assert answer.status_code == 200
    assert (network.looked_up, network.connected) == ([], [])


# ------------------------------------------------------------ a server that listens, under names that a site could list

SPELLINGS = """
127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 0x7f.1 localhost localhost. [::ffff:127.0.0.1] [::ffff:7f00:1]
[0:0:0:0:0:ffff:127.0.0.1]
""".split()  # noqa: SIM905


@pytest.fixture
def listening() -> Iterator[broken.Broken]:
    with broken.running() as server:
        yield server


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_61_62_a_listed_server_on_this_machine_sees_no_packet(listening: broken.Broken, spelling: str) -> None:
    """Also when the profile itself names it: its network would have to be listed too."""

    url = f"http://{spelling}:{listening.port}/fhir"
    assert asyncio.run(read(url)) is Unread.UNREACHABLE
    assert listening.connections == 0
    asyncio.run(read(url, "127.0.0.0/8"))
    assert listening.connections == 1 or spelling not in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]")

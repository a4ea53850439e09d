"""Rows 36, 48, 54 to 68: a FHIR server that misbehaves costs the inputs that it was asked for, never more. It is said,
and the answer never waits beyond the deadline."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from cds_service.fhir_client import Base, FhirClient, Unread
from cds_service.fhir_client.breaker import CALLS
from cds_service.fhir_client.connections import transports
from cds_service.fhir_client.networks import LOOPBACK
from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    SERVICE,
    Json,
    active,
    assert_refused,
    chart,
    egfr,
    has_kidney_card,
    order,
    order_sign,
    outcome,
    patient,
    search,
    text_of,
    topics,
)
from tests.integration import broken, certificates
from tests.integration.broken import Behaviour, Broken, drip, head, in_turn, late, packed, raw, says, silence
from tests.integration.service import Service

TOKEN = "canary-token-of-the-faults"  # noqa: S105  # made up
DEADLINE = 0.4
MARGIN = 0.25
"""For a machine that is busy with other things; benchmarks/README.md has the figures of a quiet one."""
MOST_BYTES = 1 << 16


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(fhir_seconds=DEADLINE, max_body_bytes=MOST_BYTES)


def reading(server: Broken | str, prefetch: Any = ..., draft: Json | None = None) -> Json:
    """A call whose prefetch lacks the kidney results, with a token."""
    whole = chart(kidney=..., allergies=search(), observations=search()) if prefetch is ... else prefetch
    return order_sign(draft or order(mg=5), prefetch=whole) | {
        "fhirServer": server if isinstance(server, str) else server.base,
        "fhirAuthorization": {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
        },
    }


def timed(service: Service, request: Json) -> tuple[list[Json], float]:
    started = time.perf_counter()
    shown = service.cards(request)
    return shown, time.perf_counter() - started


GOOD = says(search(egfr(20)))
BUNDLE = json.dumps(search(egfr(20))).encode()
BIG = b'{"resourceType":"Bundle","entry":[' + b" " * (MOST_BYTES + 1) + b"]}"

FAULTS: dict[str, tuple[Behaviour, str, int]] = {
    "54 401": (says(outcome("error"), 401, www_authenticate="Bearer"), "did not allow it", 1),
    "54 403": (says(outcome("error"), 403), "did not allow it", 1),
    "55 404": (says(outcome("error"), 404), "does not have it", 1),
    "55 410": (says(b"", 410), "does not have it", 1),
    "56 429": (says(outcome("error"), 429, retry_after=3600), "too busy", 1),
    "57 500": (says(outcome("error"), 500), "answered with an error", 2),
    "57 502": (says(b"<html>", 502), "answered with an error", 2),
    "57 503": (says(b"", 503, retry_after=1), "too busy", 2),
    "57 504": (says(b"", 504), "answered with an error", 2),
    "58 accepts and says nothing": (silence, "did not answer in time", 1),
    "58 answers after the deadline": (late(DEADLINE + 0.2, GOOD), "did not answer in time", 1),
    "58 a head that drips": (drip(b"HTTP/1.1 200 OK\r\nx-", b"x"), "did not answer in time", 1),
    "58 a body that drips": (drip(head(content_length=1_000_000) + b"{"), "did not answer in time", 1),
    "59 cut off, with its length": (raw(head(content_length=len(BUNDLE)) + BUNDLE[:-20]), "could not be reached", 2),
    "59 cut off, without": (raw(head(connection="close") + BUNDLE[:-20]), "something else in its place", 1),
    "59 cut off in the head": (raw(b"HTTP/1.1 200 OK\r\ncontent-ty"), "could not be reached", 2),
    "59 closes at once": (raw(b""), "could not be reached", 2),
    "59 no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "could not be reached", 2),
    "59 HTML": (says(b"<html><body>Login</body></html>", content_type="text/html"), "something else in its place", 1),
    "59 XML": (says(b'<Bundle xmlns="http://hl7.org/fhir"/>', content_type="application/fhir+xml"),
               "something else in its place", 1),
    "59 another type": (says({"resourceType": "CapabilityStatement"}), "something else in its place", 1),
    "59 a failed search with 200": (says(outcome("error")), "could not read it", 1),
    "59 empty": (says(b""), "something else in its place", 1),
    "59 no content": (raw(head(204)), "answered with an error", 1),
    "59 part of it": (says(BUNDLE, 206, content_range="bytes 0-9/99"), "answered with an error", 1),
    "59 too large by a byte": (says(BIG[: MOST_BYTES + 1]), "more than can be read", 1),
    "59 1 GB announced": (drip(head(content_length=1 << 30), b" " * 65_536, 0), "more than can be read", 1),
    "59 without an end": (drip(head(transfer_encoding="chunked"), b"4000\r\n" + b" " * 0x4000 + b"\r\n", 0),
                          "more than can be read", 1),
    "59 a gzip bomb": (packed(b" " * 50_000_000), "more than can be read", 1),
    "59 gzip cut off": (says(gzip.compress(BUNDLE)[:-9], content_encoding="gzip"), "cannot be read", 1),
    "59 not gzip": (says(BUNDLE, content_encoding="gzip"), "cannot be read", 1),
    "59 brotli": (says(b"\x0b\x02\x80", content_encoding="br"), "cannot be read", 1),
    "59 a head without an end": (drip(b"HTTP/1.1 200 OK\r\n", b"x-long: " + b"x" * 900 + b"\r\n", 0),
                                 "could not be reached", 2),
    "60 to the metadata address": (says(b"", 302, location="http://169.254.169.254/"), "answered with an error", 1),
    "60 to itself": (says(b"", 307, location="/fhir/Observation"), "answered with an error", 1),
    "another patient's": (says(search(egfr(20, subject={"reference": "Patient/p2"}))), "another patient", 1),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "said", "asked"), FAULTS.values(), ids=FAULTS)
def test_a_fault_costs_one_input_and_is_said(
    fault: Behaviour, said: str, asked: int, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with broken.running({"": fault}) as server:
        shown, seconds = timed(service, reading(server))
        assert len(server.requests) == asked
        assert all(one.method == "GET" for one in server.requests)
    assert "dataUnavailable" in topics(shown)
    assert said in text_of(shown)
    assert "kidney" in text_of(shown)
    assert seconds < DEADLINE + MARGIN
    assert TOKEN not in json.dumps(shown) + "".join(capsys.readouterr())


@pytest.mark.parametrize(("fault", "said"), [(fault, said) for fault, said, _ in FAULTS.values()], ids=FAULTS)
def test_68_with_nothing_else_it_is_412_and_says_why(
    fault: Behaviour, said: str, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with broken.running({"": fault}) as server:
        started = time.perf_counter()
        (response,) = service.post(reading(server, {}))
        seconds = time.perf_counter() - started
    issue = assert_refused(response, 412, TOKEN)
    assert said in issue["details"]["text"]
    assert seconds < DEADLINE + MARGIN
    assert TOKEN not in "".join(capsys.readouterr())


WELL = {
    "plain": GOOD,
    "gzip": packed(BUNDLE),
    "in time": late(0.05, GOOD),
    "after one 503": in_turn(says(b"", 503), GOOD),
    "after one broken connection": in_turn(raw(b""), GOOD),
    "without length": raw(head(connection="close") + BUNDLE),
}


@pytest.mark.parametrize("good", WELL.values(), ids=WELL)
def test_what_is_well_is_used(good: Behaviour, service: Service) -> None:
    with broken.running({"": good}) as server:
        shown = service.cards(reading(server))
    assert has_kidney_card(shown)
    assert "dataUnavailable" not in topics(shown)


def test_58_one_search_that_hangs_delays_nothing_else(service: Service) -> None:
    """G9: the answer goes out by the deadline, with everything that came."""
    others = {"Patient": says(patient()), "Observation": GOOD, "": says(search())}
    with broken.running({"Condition": silence, **others}) as server:
        shown, seconds = timed(service, reading(server, {}))
    assert has_kidney_card(shown)
    assert "problem list" in text_of(shown)
    assert "did not answer in time" in text_of(shown)
    assert DEADLINE - 0.05 < seconds < DEADLINE + MARGIN


def test_57_the_retry_is_inside_the_deadline(service: Service) -> None:
    with broken.running({"": late(DEADLINE * 0.75, says(b"", 500))}) as server:
        shown, seconds = timed(service, reading(server))
        assert len(server.requests) == 2
    assert "did not answer in time" in text_of(shown)
    assert seconds < DEADLINE + MARGIN


def test_36_58_the_medicine_of_the_draft_and_all_else_have_one_deadline(service: Service) -> None:
    draft = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/b1"})
    medication = {"resourceType": "Medication", "id": "b1", "code": BACLOFEN_10}
    with broken.running({"Medication/b1": late(DEADLINE * 0.75, says(medication)), "": silence}) as server:
        shown, seconds = timed(service, reading(server, draft=draft))
    assert "did not answer in time" in text_of(shown)
    assert DEADLINE - 0.05 < seconds < DEADLINE + MARGIN


def test_58_no_connection_comes_about(service: Service) -> None:
    """A server whose queue is full: it drops what would open a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        address = deaf.getsockname()
        fillers = [socket.socket() for _ in range(8)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(address)
        shown, seconds = timed(service, reading(f"http://127.0.0.1:{address[1]}/fhir"))
        for one in fillers:
            one.close()
    assert "did not answer in time" in text_of(shown)
    assert seconds < DEADLINE + MARGIN


def test_58_nobody_listens(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shown, seconds = timed(service, reading(f"http://127.0.0.1:{port}/fhir"))
    assert "could not be reached" in text_of(shown)
    assert seconds < DEADLINE


def test_60_no_redirect_is_followed(service: Service) -> None:
    with broken.running() as elsewhere:
        where = f"{elsewhere.base}/Observation"
        for status in (301, 302, 303, 307, 308):
            with broken.running({"": says(b"", status, location=where)}) as server:
                assert "answered with an error" in text_of(service.cards(reading(server)))
        assert elsewhere.connections == 0


def test_65_a_token_that_expires_during_the_call(service: Service) -> None:
    first = search(egfr(20), total=2, link=[{"relation": "next", "url": "Observation?page=2"}])
    with broken.running({"Observation?page=2": says(b"", 401), "": says(first)}) as server:
        shown = service.cards(reading(server))
        assert len(server.requests) == 2
    assert has_kidney_card(shown), "what had come is used"


# ------------------------------------------------------------------------------------------- who is connected to at all


@pytest.mark.parametrize("host", ["127.0.0.2", "127.1.1.1"])
def test_61_a_server_that_is_not_allowed_sees_no_packet(host: str, service: Service) -> None:
    with broken.running(host=host) as server:
        shown = service.cards(reading(server))
        assert server.connections == 0
    assert "the EHR did not send it" in text_of(shown)


SPELLINGS = (
    "0.0.0.0:{}", "2130706433:{}", "0x7f000001:{}", "127.1:{}", "[::ffff:127.0.0.1]:{}", "localhost.:{}",
    "127.0.0.1.nip.io:{}", "user@127.0.0.1:{}", "127.0.0.1:{}@ehr.example",
)  # fmt: skip


@pytest.mark.parametrize("way", SPELLINGS)
def test_61_nor_under_another_spelling(way: str, service: Service) -> None:
    with broken.running() as server:
        shown = service.cards(reading(f"http://{way.format(server.port)}/fhir"))
        assert server.connections == 0
    assert "the EHR did not send it" in text_of(shown)


def get(base: str, networks: tuple[str, ...]) -> bytes | Unread:
    async def run() -> bytes | Unread:
        client = FhirClient(transports(networks))
        at = Base.of(base)
        assert at is not None
        with client.server(at, TOKEN, asyncio.get_running_loop().time() + 2) as server:
            found = await server.get("Patient/p1")
        await client.close()
        return found

    return asyncio.run(run())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_62_an_allowed_name_that_leads_to_this_machine(host: str) -> None:
    """As in production: only public addresses are connected to, and those that the site lists."""
    with broken.running() as server:
        address = f"http://{host}:{server.port}/fhir"
        assert get(address, ()) is Unread.UNREACHABLE
        assert server.connections == 0
        assert isinstance(get(address, LOOPBACK), bytes)
        assert server.connections == 1


def test_62_a_name_that_changes_its_address_after_it_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a look-up says, the address of the socket decides."""
    real = socket.getaddrinfo
    looked_up = []

    def rebinding(host: Any, port: Any, *given: Any, **more: Any) -> Any:
        looked_up.append(host)
        return real("127.0.0.1" if host == "ehr.example" else host, port, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with broken.running() as server:
        assert get(f"http://ehr.example:{server.port}/fhir", ()) is Unread.UNREACHABLE
        assert server.connections == 0
    assert "ehr.example" in looked_up


def test_36_F11_references_to_another_server_are_not_followed(service: Service) -> None:
    listed = search(
        active("m1", OXYCODONE, medicationCodeableConcept=None, medicationReference={"reference": "Medication/o1"})
    )
    medication = {"resourceType": "Medication", "id": "o1", "code": OXYCODONE}
    with broken.running() as elsewhere, broken.running({"Medication/o1": says(medication), "": GOOD}) as server:
        request = reading(
            server, chart(kidney=search(egfr()), medications=listed, allergies=search(), observations=search())
        )
        assert "xycodone" in text_of(service.cards(request))
        assert [one.path for one in server.requests] == ["Medication/o1"]
        reference = listed["entry"][0]["resource"]["medicationReference"]
        reference["reference"] = f"{elsewhere.base}/Medication/o1"
        assert "xycodone" not in text_of(service.cards(request))
        assert (elsewhere.connections, len(server.requests)) == (0, 1)


def test_36_the_medicine_of_a_draft_is_only_on_the_server(service: Service) -> None:
    draft = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/b1"})
    medication = {"resourceType": "Medication", "id": "b1", "code": BACLOFEN_10}
    with broken.running({"Medication/b1": says(medication), "": GOOD}) as server:
        assert has_kidney_card(service.cards(reading(server, draft=draft)))
        assert [one.path.partition("?")[0] for one in server.requests] == ["Medication/b1", "Observation"]


@pytest.mark.parametrize("fault", [silence, says(b"", 404), says(b"", 403), says(b"<html>"), says(patient())])
def test_36_when_it_cannot_be_read_that_is_said(fault: Behaviour, service: Service) -> None:
    draft = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/b1"})
    with broken.running({"": fault}) as server:
        (card,) = service.cards(reading(server, {}, draft=draft))
        assert [one.path for one in server.requests] == ["Medication/b1"], "nothing about the patient was asked"
    assert "The medicine of an order could not be read" in card["summary"]


def test_Q8_without_baclofen_nothing_is_read(service: Service) -> None:
    with broken.running() as server:
        assert service.cards(reading(server, {}, draft=order(drug=OXYCODONE))) == []
        assert server.connections == 0


@pytest.mark.parametrize(
    ("following", "asked"),
    [
        ("{elsewhere}/Observation?page=2", 1),
        ("Observation?page=2", 2),
        ("/admin?page=2", 1),
        ("//evil.example/fhir?x", 1),
    ],
    ids=["another server", "a loop", "outside the base", "another host"],
)
def test_48_pages(following: str, asked: int, service: Service) -> None:
    with broken.running() as elsewhere:
        url = following.format(elsewhere=elsewhere.base)
        page = search(egfr(20, "2026-11-10"), total=9, link=[{"relation": "next", "url": url}])
        with broken.running({"": says(page)}) as server:
            shown = service.cards(reading(server))
            assert len(server.requests) == asked
        assert elsewhere.connections == 0
    assert has_kidney_card(shown)


def test_F2_F9_what_the_server_sees(service: Service) -> None:
    with broken.running({"Patient": says(patient()), "": says(search())}) as server:
        service.cards(reading(server, {}))
    assert len(server.requests) == 7
    assert {one.headers["authorization"] for one in server.requests} == {f"Bearer {TOKEN}"}
    assert {one.headers["accept"] for one in server.requests} == {"application/fhir+json"}
    assert not any("cookie" in one.headers or "referer" in one.headers for one in server.requests)


def test_cookies_of_a_server_are_not_kept(service: Service) -> None:
    with broken.running({"": says(search(egfr(20)), set_cookie="session=1; Path=/")}) as server:
        service.post(reading(server), reading(server))
        service.cards(reading(server))
        assert not any("cookie" in one.headers for one in server.requests)


# ----------------------------------------------------------------------------------------------- connections and time


def test_connections_are_kept_and_used_again(service: Service) -> None:
    async def run(server: Broken) -> None:
        client = FhirClient(transports(LOOPBACK))
        at = Base.of(server.base)
        assert at is not None
        for _ in range(20):
            with client.server(at, TOKEN, asyncio.get_running_loop().time() + 5) as one:
                await asyncio.gather(*(one.get(f"Observation?n={number}") for number in range(5)))
        await client.close()

    with broken.running({"": says(search())}) as server:
        asyncio.run(run(server))
        assert len(server.requests) == 100
        assert server.connections <= 5
        _until(lambda: server.open_now == 0)


def _until(true: Any, seconds: float = 2) -> None:
    end = time.perf_counter() + seconds
    while not true():
        assert time.perf_counter() < end
        time.sleep(0.01)


def test_calls_that_end_at_the_deadline_leave_no_connection_behind(service: Service) -> None:
    with broken.running({"": silence}) as server:
        service.post(*[reading(server, {})] * 3)
        assert server.connections == 21
        _until(lambda: server.open_now == 0)


def test_20_a_client_that_hangs_up_ends_its_reads(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.dumps(reading("PLACE", {})).encode()

    async def run(server: Broken) -> float:
        whole = body.replace(b"PLACE", server.base.encode())
        gone = asyncio.Event()
        messages: Iterator[MutableMapping[str, Any]] = iter(
            [{"type": "http.request", "body": whole, "more_body": False}]
        )

        async def receive() -> MutableMapping[str, Any]:
            for message in messages:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(_: MutableMapping[str, Any]) -> None:
            raise AssertionError("nobody is there")

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": SERVICE, "raw_path": SERVICE.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/json")], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }  # fmt: skip
        calling = asyncio.ensure_future(service.app(scope, receive, send))
        await asyncio.to_thread(_until, lambda: len(server.requests) == 7)
        hung_up = time.perf_counter()
        gone.set()
        await calling
        took = time.perf_counter() - hung_up
        await asyncio.to_thread(_until, lambda: server.open_now == 0)
        for close in service.app.state.closing:
            await close()
        return took

    with broken.running({"": silence}) as server:
        assert asyncio.run(run(server)) < 0.1
    assert '"status":499' in capsys.readouterr().err


def test_a_server_that_has_not_answered_for_some_calls_is_left_alone() -> None:
    own = Service(fhir_seconds=0.1)
    with broken.running({"": silence}) as server:
        for _ in range(CALLS):
            assert "did not answer in time" in text_of(own.cards(reading(server)))
        before = server.connections
        shown, seconds = timed(own, reading(server))
        assert "has not been answering" in text_of(shown)
        assert server.connections == before
        assert seconds < 0.1
        with broken.running({"": GOOD}) as healthy:
            assert has_kidney_card(own.cards(reading(healthy))), "each server for itself"


# ---------------------------------------------------------------------------------------------------------------- TLS


def test_67_certificates(tmp_path: Path) -> None:
    authority = certificates.authority(tmp_path)
    trusting = Service(fhir_seconds=2, ca_file=authority.file)
    doubting = Service(fhir_seconds=2)
    for name, tls in authority.bad_servers().items():
        with broken.running({"": GOOD}, tls=tls) as server:
            request = reading(server.base.replace("127.0.0.1", "localhost"))
            assert "could not be reached" in text_of(trusting.cards(request)), name
            assert server.requests == [], name
    with broken.running({"": GOOD}, tls=authority.server("localhost")) as server:
        request = reading(server.base.replace("127.0.0.1", "localhost"))
        assert "could not be reached" in text_of(doubting.cards(request))
        assert server.requests == []
        assert has_kidney_card(trusting.cards(request))

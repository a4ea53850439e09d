"""Rows 7 and 19 of the faults over real sockets: heads without an end, slow ones, silence."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from cds_service import listener
from tests.conformance.calls import SERVICE
from tests.conformance.process import Service, serving

SECONDS = 1.0
SHORTER = f"""
import cds_service.listener
cds_service.listener.LONGEST_HEAD = {SECONDS}
cds_service.listener.LONGEST_STANDSTILL = {SECONDS}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With less patience than usual, so that the tests need not wait."""
    folder = tmp_path_factory.mktemp("listener")
    (folder / "sitecustomize.py").write_text(SHORTER)
    root = Path(__file__).parents[2]
    with serving(folder, "--sandbox", PYTHONPATH=f"{folder}:{root}") as running:
        yield running


def talk(service: Service, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the service says until it hangs up; it must."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=SECONDS * 10) as line:
        with suppress(OSError):
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
        heard = b""
        with suppress(ConnectionResetError):
            while chunk := line.recv(65536):
                heard += chunk
        return heard


def test_the_usual_patience() -> None:
    assert listener.LONGEST_HEAD == 10
    assert listener.LONGEST_STANDSTILL == 10
    assert listener.LARGEST_HEAD == 65536


def test_row_19_a_head_without_an_end(service: Service) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n"
    assert talk(service, request, *[b"x-%d: %s\r\n" % (n, b"v" * 1000) for n in range(100)]).startswith(b"HTTP/1.1 431")
    assert talk(service, request, b"x: ", *[b"v" * 10_000] * 10).startswith(b"HTTP/1.1 431")
    assert talk(service, b"GET /" + b"x" * 100_000).startswith(b"HTTP/1.1 4")


def test_row_19_a_large_head_that_ends_is_told_with_an_outcome(service: Service) -> None:
    response = httpx.get(f"{service.url}/healthz", headers={"x": "v" * 40_000})
    assert response.status_code == 431
    assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "parts",
    [[], [b"G"], [b"GET /healthz HTTP/1.1\r\nhost: x\r\n"], [b"\r\n"], [b"GET /healthz HTTP/1.1\r\n", b"x: y\r\n"],
     [b"POST " + SERVICE.encode() + b" HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 99999\r\n\r\nabc"]],
)  # fmt: skip
def test_row_07_whoever_falls_silent_is_hung_up_on(service: Service, parts: list[bytes]) -> None:
    started = time.monotonic()
    talk(service, *parts)
    assert SECONDS * 0.9 < time.monotonic() - started < SECONDS * 6


def test_row_07_a_head_that_drips(service: Service) -> None:
    """A byte now and then, for ever: the time for the whole head counts."""
    started = time.monotonic()
    said = talk(service, *[bytes([byte]) for byte in b"GET /healthz HTTP/1.1\r\n" + b"x" * 60], pause=0.05)
    assert said == b"" or said.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < SECONDS * 6


def test_a_further_request_has_its_own_time(service: Service) -> None:
    request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as line:
        for _ in range(4):
            line.sendall(request[:20])
            time.sleep(SECONDS * 0.4)
            line.sendall(request[20:])
            heard = b""
            while b"alive" not in heard:
                heard += line.recv(65536)
            assert heard.startswith(b"HTTP/1.1 200")


def test_many_silent_lines_do_not_keep_others_out(service: Service) -> None:
    lines = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(200)]
    try:
        for line in lines:
            line.sendall(b"POST ")
        assert httpx.get(f"{service.url}/cds-services").status_code == 200
        assert httpx.get(f"{service.url}/healthz").status_code == 200
    finally:
        for line in lines:
            line.close()


def line_of(service: Service, receives: int) -> socket.socket:
    """A connection whose own buffer is small."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    line.settimeout(SECONDS * 10)
    line.connect(("127.0.0.1", service.port))
    return line


def heard_from(line: socket.socket, pause: float = 0.0) -> bytes:
    parts = []
    with suppress(ConnectionResetError):
        while part := line.recv(65536):
            parts.append(part)
            time.sleep(pause)
    return b"".join(parts)


PAGES = 30
PAGE = b"GET /content HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET /content HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def test_row_07_answers_that_nobody_takes_are_thrown_away(service: Service) -> None:
    """A client that asks and does not read would let the service keep each answer in memory, for ever."""
    whole = len(httpx.get(f"{service.url}/content").content)
    with line_of(service, 4096) as line:
        line.sendall(PAGE * PAGES + LAST)
        time.sleep(SECONDS * 2)
        assert len(heard_from(line)) < whole * PAGES


def test_a_slow_reader_that_goes_on_gets_all_of_it(service: Service) -> None:
    whole = len(httpx.get(f"{service.url}/content").content)
    with line_of(service, 65536) as line:
        line.sendall(PAGE * 3 + LAST)
        assert len(heard_from(line, pause=0.005)) > whole * 4


def test_an_upgrade_to_another_protocol_is_not_made(service: Service) -> None:
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "x"}
    response = httpx.get(f"{service.url}{SERVICE}", headers=upgrade)
    assert response.status_code == 405

"""Malformed HTTP over real sockets: every line is answered or hung up on in time, and the service lives on."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.calls import SERVICE, order_sign
from tests.conformance.process import Service, serving
from tests.properties.search import examples

SECONDS = 0.3
LONGEST = 15.0
"""On a busy machine."""
IMPATIENT = f"""
import cds_service.listener
cds_service.listener.LONGEST_HEAD = cds_service.listener.LONGEST_STANDSTILL = {SECONDS}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "sitecustomize.py").write_text(IMPATIENT)
    root = Path(__file__).parents[2]
    with serving(folder, "--sandbox", PYTHONPATH=f"{folder}:{root}", BACLOFEN_CDS_BODY_SECONDS=str(SECONDS)) as running:
        yield running


def talk(service: Service, *parts: bytes) -> bytes:
    """What the service says until it hangs up, in time."""
    started = time.monotonic()
    heard = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=LONGEST) as line:
        with suppress(OSError):
            for part in parts:
                line.sendall(part)
        with suppress(ConnectionResetError):
            while chunk := line.recv(65536):
                heard += chunk
    assert time.monotonic() - started < LONGEST
    return heard


def statuses(heard: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)]


BODY = json.dumps(order_sign()).encode()
POST = b"POST " + SERVICE.encode() + b" HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"

SMUGGLED = {
    "length and chunked": (b"content-length: %d\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", True),
    "two lengths": (b"content-length: 0\r\ncontent-length: %d\r\n\r\n", True),
    "a list of lengths": (b"content-length: 0, %d\r\n\r\n", True),
    "a length with a sign": (b"content-length: +%d\r\n\r\n", True),
    "a negative length": (b"content-length: -%d\r\n\r\n", True),
    "a length in hexadecimal": (b"content-length: 0x%d\r\n\r\n", True),
    "a length of many digits": (b"content-length: 1844674407370955161600%d\r\n\r\n", True),
    "a blank before the colon": (b"content-length : %d\r\n\r\n", True),
    "chunked, written oddly": (b"transfer-encoding: xchunked\r\ncontent-length: %d\r\n\r\n", True),
    "chunked after a tab": (b"transfer-encoding:\x0bchunked\r\ncontent-length: %d\r\n\r\n", True),
    "chunked twice": (b"transfer-encoding: chunked, identity\r\ncontent-length: %d\r\n\r\n", True),
    "a folded header": (b"x: y\r\n transfer-encoding: chunked\r\ncontent-length: %d\r\n\r\n", False),
    "a line end without a return": (b"x: y\ncontent-length: %d\r\n\r\n", False),
    "a return without a line end": (b"x: y\rtransfer-encoding: chunked\r\ncontent-length: %d\r\n\r\n", True),
    "a zero byte": (b"x: y\x00\r\ncontent-length: %d\r\n\r\n", True),
    "a name with a blank": (b"x y: z\r\ncontent-length: %d\r\n\r\n", True),
    "no name": (b": z\r\ncontent-length: %d\r\n\r\n", True),
}
"""Heads that two servers in a row could read in two ways: header lines, and whether they must be refused."""


def test_a_request_behind_another_is_answered(service: Service) -> None:
    """Else the next test shows nothing."""
    assert b"alive" in talk(service, POST + b"content-length: 2\r\n\r\n{}" + HIDDEN)


@pytest.mark.parametrize("name", SMUGGLED)
def test_no_request_is_hidden_in_another(service: Service, name: str) -> None:
    """Whatever the head says of its length, the request inside the body is never answered as one of its own."""
    lines, must_be_refused = SMUGGLED[name]
    head = POST + (lines % len(HIDDEN) if b"%d" in lines else lines)
    heard = talk(service, head + HIDDEN)
    assert b"alive" not in heard
    if must_be_refused:
        assert statuses(heard) in ([400], [])


CHUNKS = {
    "no number": b"x\r\nabc\r\n",
    "a negative size": b"-1\r\nabc\r\n",
    "a size with a sign": b"+3\r\nabc\r\n",
    "a size of many digits": b"f" * 40 + b"\r\nabc\r\n",
    "more than was said": b"2\r\nabcdef\r\n0\r\n\r\n",
    "no line end": b"3\r\nabcdef",
    "an endless extension": b"3;" + b"x" * 200_000 + b"\r\nabc\r\n",
    "endless trailers": b"0\r\n" + b"x: y\r\n" * 20_000,
    "nothing": b"",
    "a size and silence": b"ffff\r\n",
}


@pytest.mark.parametrize("name", CHUNKS)
def test_chunks_that_are_none(service: Service, name: str) -> None:
    heard = talk(service, POST + b"transfer-encoding: chunked\r\n\r\n" + CHUNKS[name])
    assert set(statuses(heard)) <= {400, 408, 413, 431}


_LINES = st.sampled_from(
    (
        POST,
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n",
        b"GET / HTTP/1.0\r\n",
        b"GET * HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM",
        b"GET http://evil.example/healthz HTTP/1.1\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET  /  HTTP/1.1\r\n",
        b"\r\n\r\n",
        b"GET",
        b"host: x\r\n",
        b"host: y\r\nhost: z\r\n",
        b"expect: 100-continue\r\n",
        b"transfer-encoding: chunked\r\n",
        b"content-length: 5\r\n",
        b"content-length: 99999999999\r\n",
        b"connection: keep-alive, upgrade\r\n",
        b"upgrade: h2c\r\n",
        b"x: " + b"y" * 9000 + b"\r\n",
        b"content-encoding: gzip\r\n",
        b"authorization: Bearer x\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"0\r\n\r\n",
        b"5\r\nhello\r\n",
        BODY,
        BODY[:50],
        b"%d\r\n" % len(BODY),
        b"\x00",
        b"\xff" * 20,
        b"\n",
        b": \r\n",
    )
)


@examples(100)
@given(st.lists(_LINES | st.binary(max_size=20), min_size=1, max_size=8))
def test_any_lines(service: Service, parts: list[bytes]) -> None:
    heard = talk(service, *parts)
    assert set(statuses(heard)) <= {200, 204, 307, 400, 404, 405, 408, 412, 413, 415, 431}
    assert b"Traceback" not in heard


def test_afterwards_it_lives_and_has_said_nothing_of_it(service: Service) -> None:
    assert httpx.get(f"{service.url}/healthz").status_code == 200
    assert httpx.post(f"{service.url}{SERVICE}", content=BODY).status_code == 200
    said = service.log()
    assert "Traceback" not in said
    assert "evil.example" not in said

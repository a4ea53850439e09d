"""Fetching JWK Sets over real sockets, from a server on this machine that behaves and misbehaves."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from joserfc.jwk import ECKey

from cds_service.auth import key_sets
from cds_service.auth.key_sets import KeySets

KEY = ECKey.generate_key("P-384")
SET = json.dumps({"keys": [{**KEY.as_dict(private=False), "kid": "k1"}]}).encode()


class Server(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        match self.path:
            case "/keys":
                self._send(SET)
            case "/redirect":
                self.send_response(302)
                self.send_header("location", "/keys")
                self.end_headers()
            case "/endless":
                self._send(b" " * (64 << 20))
            case "/drip":
                self.send_response(200)
                self.end_headers()
                for _ in range(100):
                    self.wfile.write(b" ")
                    time.sleep(0.05)
            case _:
                self.send_error(404)

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with suppress(OSError):  # the client hung up, as it should
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Server.asked.clear()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    listening.daemon_threads = True
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def found(*urls: str) -> list[bool]:
    async def ask() -> list[bool]:
        sets = KeySets()
        return [await sets.find(url, "k1", "ES384") is not None for url in urls]

    return asyncio.run(ask())


def test_a_set_is_fetched_once_and_plainly(server: str) -> None:
    assert found(f"{server}/keys", f"{server}/keys") == [True, True]
    ((path, headers),) = Server.asked
    assert path == "/keys"
    assert headers["accept-encoding"] == "identity"
    assert {"authorization", "cookie"}.isdisjoint(headers)


def test_calls_at_the_same_time_share_one_fetch(server: str) -> None:
    async def together() -> list[bool]:
        sets = KeySets()
        keys = await asyncio.gather(*(sets.find(f"{server}/keys", "k1", "ES384") for _ in range(20)))
        return [key is not None for key in keys]

    assert asyncio.run(together()) == [True] * 20
    assert len(Server.asked) == 1


def test_a_caller_that_hangs_up_does_not_take_the_fetch_with_it(server: str) -> None:
    async def one_leaves() -> bool:
        sets = KeySets()
        leaving = asyncio.create_task(sets.find(f"{server}/keys", "k1", "ES384"))
        await asyncio.sleep(0)
        staying = asyncio.create_task(sets.find(f"{server}/keys", "k1", "ES384"))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying is not None

    assert asyncio.run(one_leaves())


def test_redirects_are_not_followed(server: str) -> None:
    assert found(f"{server}/redirect") == [False]
    assert [path for path, _ in Server.asked] == ["/redirect"]


def test_a_huge_body_is_cut_off(server: str) -> None:
    assert found(f"{server}/endless", f"{server}/nowhere") == [False, False]


def test_a_slow_body_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte, each in time: the time for the whole counts."""
    monkeypatch.setattr(key_sets, "LONGEST_FETCH", 0.2)
    started = time.monotonic()
    assert found(f"{server}/drip") == [False]
    assert time.monotonic() - started < 2


def test_nobody_listens() -> None:
    assert found("http://127.0.0.1:9/keys", "https://127.0.0.1:9/keys") == [False, False]


def test_an_old_set_is_renewed_beside_the_call(server: str) -> None:
    async def over_time() -> tuple[bool, int, int]:
        now = [0.0]
        sets = KeySets(clock=lambda: now[0])
        await sets.find(f"{server}/keys", "k1", "ES384")
        now[0] = key_sets.RENEWED_AFTER + 1
        key = await sets.find(f"{server}/keys", "k1", "ES384")
        before = len(Server.asked)
        while len(Server.asked) < 2:  # noqa: ASYNC110  # the server is a thread
            await asyncio.sleep(0.005)
        return key is not None, before, len(Server.asked)

    assert asyncio.run(over_time()) == (True, 1, 2)

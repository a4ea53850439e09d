"""One GET: what is sent, and that every way to fail is a value. Faults of real connections: tests/integration."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest

from cds_service.fhir_client import Base, FhirClient, Unread
from cds_service.fhir_client.breaker import CALLS
from cds_service.fhir_client.client import TOGETHER
from cds_service.fhir_client.connections import Slots

TOKEN = "canary-token"  # noqa: S105  # made up
EHR = Base("https", "ehr.example", 443, "/fhir")
Handler = Callable[[httpx.Request], httpx.Response]


class Stream(httpx.AsyncByteStream):
    """A body that has not been looked at yet, as it comes from a socket."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.taken += 1
            yield part

    async def aclose(self) -> None:
        self.closed = True


def answer(*parts: bytes, status: int = 200, encoding: str = "", location: str = "") -> httpx.Response:
    headers = {"content-encoding": encoding, "location": location}
    sent = {name: value for name, value in headers.items() if value}
    return httpx.Response(status, stream=Stream(*parts), headers=sent)


Answering = Handler | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


async def read(handler: Answering, *, token: str = TOKEN, seconds: float = 5, most: int = 1 << 20) -> bytes | Unread:
    client = FhirClient(lambda: httpx.MockTransport(handler), most_bytes=most)
    with client.server(EHR, token, asyncio.get_running_loop().time() + seconds) as server:
        return await server.get("Patient/p1")


def test_F2_F9_what_is_sent() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(b"{}")

    assert asyncio.run(read(handler)) == b"{}"
    (request,) = sent
    assert (request.method, str(request.url)) == ("GET", "https://ehr.example/fhir/Patient/p1")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept"] == "application/fhir+json"
    assert request.headers["accept-encoding"] == "gzip"
    assert "cookie" not in request.headers
    assert request.content == b""


def test_without_a_token_there_is_no_authorization() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "authorization" not in request.headers
        return answer(b"{}")

    assert asyncio.run(read(handler, token="")) == b"{}"


@pytest.mark.parametrize(
    ("status", "unread", "asked"),
    [
        (401, Unread.DENIED, 1),
        (403, Unread.DENIED, 1),
        (404, Unread.NOT_FOUND, 1),
        (410, Unread.NOT_FOUND, 1),
        (400, Unread.FAILED, 1),
        (429, Unread.BUSY, 1),
        (301, Unread.FAILED, 1),
        (302, Unread.FAILED, 1),
        (307, Unread.FAILED, 1),
        (204, Unread.FAILED, 1),
        (206, Unread.FAILED, 1),
        (500, Unread.FAILED, 2),
        (502, Unread.FAILED, 2),
        (503, Unread.BUSY, 2),
        (504, Unread.FAILED, 2),
        (501, Unread.FAILED, 1),
    ],
)
def test_54_to_57_60_every_other_status_is_unread(status: int, unread: Unread, asked: int) -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(b'{"resourceType":"Patient"}', status=status, location="https://evil.example/")

    assert asyncio.run(read(handler)) is unread
    assert len(sent) == asked


def test_57_one_retry_may_help() -> None:
    answers = iter([answer(status=503), answer(b"{}")])
    assert asyncio.run(read(lambda _: next(answers))) == b"{}"


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadError,
        httpx.RemoteProtocolError,
        OSError,
        ConnectionResetError,
    ],
)
def test_58_no_answer_is_retried_once(error: Any) -> None:
    sent = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        raise error(f"failed with {TOKEN}")

    assert asyncio.run(read(handler)) is Unread.UNREACHABLE
    assert sent == 2


def test_58_the_deadline_holds_over_all() -> None:
    async def handler(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(10)
        raise AssertionError

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert await read(handler, seconds=0.05) is Unread.LATE
        return loop.time() - started

    assert 0.05 <= asyncio.run(timed()) < 0.5


def test_58_a_drip_that_never_pauses_is_late() -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.005)
                yield b" "

    assert asyncio.run(read(lambda _: httpx.Response(200, stream=Drip()), seconds=0.05)) is Unread.LATE


# ------------------------------------------------------------------------------------------------------ size, gzip


def test_59_the_body_is_cut_off_at_the_cap_not_after_it() -> None:
    stream = Stream(*[b" " * 1000] * 1000)
    assert asyncio.run(read(lambda _: httpx.Response(200, stream=stream), most=2000)) is Unread.TOO_LARGE
    assert stream.taken == 3
    assert stream.closed


@pytest.mark.parametrize("over", [False, True], ids=["at the cap", "one byte over"])
def test_59_the_cap_is_exact(*, over: bool) -> None:
    body = b" " * (2000 + over)
    for one in (answer(body), answer(gzip.compress(body), encoding="gzip")):
        result = asyncio.run(read(lambda _, one=one: one, most=2000))
        assert result is Unread.TOO_LARGE if over else result == body


def test_59_pages_without_an_end_stay_within_the_cap_of_the_call() -> None:
    async def run() -> list[bytes | Unread]:
        client = FhirClient(lambda: httpx.MockTransport(lambda _: answer(b" " * 2000)), most_bytes=2000)
        with client.server(EHR, TOKEN, asyncio.get_running_loop().time() + 5) as server:
            return [await server.get(f"Observation?page={number}") for number in range(TOGETHER + 1)]

    assert asyncio.run(run()) == [b" " * 2000] * TOGETHER + [Unread.TOO_LARGE]


@pytest.mark.parametrize("over", [0, 1, 2])
def test_59_nor_beyond_it_when_several_came_at_once(over: int) -> None:
    """What is left may then be less than nothing, which to the inflater would mean: without limit."""

    async def run() -> bytes | Unread:
        sizes = iter([2000, 2000, over])

        async def handler(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0)
            if "gzip" in str(request.url):
                return answer(gzip.compress(b" " * 1000), encoding="gzip")
            return answer(b" " * next(sizes))

        client = FhirClient(lambda: httpx.MockTransport(handler), most_bytes=2000)
        with client.server(EHR, TOKEN, asyncio.get_running_loop().time() + 5) as server:
            await asyncio.gather(*(server.get(f"Observation?page={number}") for number in range(3)))
            assert server.bytes_left == -over
            return await server.get("Observation?gzip")

    assert asyncio.run(run()) is Unread.TOO_LARGE


def test_gzip_is_read_in_whatever_pieces_it_comes() -> None:
    packed = gzip.compress(b'{"resourceType":"Patient"}')
    pieces = [packed[at : at + 1] for at in range(len(packed))]
    assert asyncio.run(read(lambda _: answer(*pieces, encoding="gzip"))) == b'{"resourceType":"Patient"}'


def test_59_a_gzip_bomb_is_never_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB of blanks in 100 KB: no more is inflated than the cap and a byte."""
    bomb = gzip.compress(b" " * 100_000_000, 9)
    inflated: list[int] = []
    real = zlib.decompressobj

    class Watched:
        def __init__(self, bits: int) -> None:
            self._real = real(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            out = self._real.decompress(data, most)
            inflated.append(len(out))
            return out

        @property
        def eof(self) -> bool:
            return self._real.eof

    monkeypatch.setattr(zlib, "decompressobj", Watched)
    assert asyncio.run(read(lambda _: answer(bomb, encoding="gzip"), most=5000)) is Unread.TOO_LARGE
    assert sum(inflated) == 5001


@pytest.mark.parametrize("damage", ["cut off", "not gzip", "empty"])
def test_59_damaged_gzip(damage: str) -> None:
    body = {"cut off": gzip.compress(b"{}" * 500)[:-12], "not gzip": b"<html>", "empty": b""}[damage]
    assert asyncio.run(read(lambda _: answer(body, encoding="gzip"))) is Unread.GARBLED


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
def test_59_other_encodings_were_not_asked_for(encoding: str) -> None:
    assert asyncio.run(read(lambda _: answer(b"x", encoding=encoding))) is Unread.GARBLED


# -------------------------------------------------------------------------------- the server as a whole


def test_a_silent_server_rests_and_an_answering_one_does_not() -> None:
    async def run(status: int) -> tuple[int, bytes | Unread]:
        sent = 0

        def handler(_: httpx.Request) -> httpx.Response:
            nonlocal sent
            sent += 1
            return answer(status=status)

        client = FhirClient(lambda: httpx.MockTransport(handler))
        result: bytes | Unread = b""
        for _ in range(CALLS + 3):
            with client.server(EHR, TOKEN, asyncio.get_running_loop().time() + 5) as server:
                result = await server.get("Patient/p1")
        return sent, result

    assert asyncio.run(run(500)) == (CALLS * 2, Unread.RESTING)
    assert asyncio.run(run(429)) == (CALLS, Unread.RESTING)
    assert asyncio.run(run(403)) == (CALLS + 3, Unread.DENIED)


def test_one_search_that_fails_beside_others_rests_nothing() -> None:
    async def run() -> bytes | Unread:
        def handler(request: httpx.Request) -> httpx.Response:
            return answer(b"{}", status=200 if "Patient" in str(request.url) else 500)

        client = FhirClient(lambda: httpx.MockTransport(handler))
        result: bytes | Unread = b""
        for _ in range(CALLS + 3):
            with client.server(EHR, TOKEN, asyncio.get_running_loop().time() + 5) as server:
                await asyncio.gather(server.get("Observation"), server.get("Patient/p1"))
                result = await server.get("Patient/p1")
        return result

    assert asyncio.run(run()) == b"{}"


def test_a_call_that_asked_nothing_says_nothing_about_the_server() -> None:
    async def run() -> bytes | Unread:
        client = FhirClient(lambda: httpx.MockTransport(lambda _: answer(b"{}")))
        for _ in range(CALLS + 3):
            with client.server(EHR, TOKEN, 0):
                pass
        with client.server(EHR, TOKEN, asyncio.get_running_loop().time() + 5) as server:
            return await server.get("Patient/p1")

    assert asyncio.run(run()) == b"{}"


def test_when_connections_do_not_suffice_the_lower_rank_goes_first() -> None:
    async def run() -> list[int]:
        slots, order = Slots(free=1), []

        async def work(rank: int) -> None:
            async with slots.taken(rank):
                order.append(rank)
                await asyncio.sleep(0)

        await asyncio.gather(*(work(rank) for rank in (3, 2, 1, 0, 1)))
        assert slots.free == 1
        return order

    assert asyncio.run(run()) == [3, 0, 1, 1, 2]


def test_who_gives_up_waiting_takes_no_slot_with_them() -> None:
    async def run() -> None:
        slots = Slots(free=1)

        async def work() -> None:
            async with slots.taken(0):
                await asyncio.sleep(0.01)

        first, gone, late = (asyncio.create_task(work()) for _ in range(3))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(first, late)
        # Cancelled in the very moment in which its turn comes.
        first, gone = (asyncio.create_task(work()) for _ in range(2))
        await first
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert slots.free == 1

    asyncio.run(run())


def test_F3_the_token_stands_in_no_text_of_the_client() -> None:
    client = FhirClient(lambda: httpx.MockTransport(lambda _: answer()))

    async def run() -> str:
        with client.server(EHR, TOKEN, 0) as server:
            return repr(server) + repr(client) + str(vars(Unread))

    assert TOKEN not in asyncio.run(run())

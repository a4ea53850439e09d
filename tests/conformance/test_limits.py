"""Checklist X6, rows 6 to 8 and 19 to 21 of the faults in production mode: what one client may ask of the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_service.app import create_app
from cds_service.errors import TooBusy
from cds_service.settings import load
from tests.conformance.calls import SERVICE, Client, Json, assert_refused, order, order_sign, post, severe
from tests.conformance.trust import BASE, ISSUER, Door, header, key, public, token

HEADERS = {"content-type": "application/json"}


def sent(**changes: Any) -> dict[str, str]:
    return HEADERS | {"authorization": f"Bearer {token(**changes)}"}


# ---------------------------------------------------------------------------------------------- quotas of each client


def test_X6_row_21_calls_in_a_minute(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), calls_per_minute=3)
    assert [door.call(token()).status_code for _ in range(4)] == [200, 200, 200, 429]
    response = door.call(token())
    issue = assert_refused(response, 429)
    assert issue["code"] == "throttled"
    assert 1 <= int(response.headers["retry-after"]) <= 20
    assert door.client.get("/cds-services").status_code == 200
    assert door.client.get("/healthz").status_code == 200
    assert door.client.get("/metrics").status_code == 200


def test_X6_one_client_does_not_use_up_what_another_may_ask(tmp_path: Path) -> None:
    table = {"jwks_file": str(tmp_path / "jwks.json"), "calls_per_minute": 1}
    both = {"north": table | {"issuers": [ISSUER]}, "south": table | {"issuers": ["https://south.example"]}}
    door = Door(tmp_path, public(key()), settings={"clients": both})
    assert [door.call(token()).status_code for _ in range(2)] == [200, 429]
    assert door.call(token(iss="https://south.example")).status_code == 200


def test_X6_a_stranger_uses_up_nothing(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), calls_per_minute=1)
    for _ in range(5):
        assert door.call(token(key(number=1))).status_code == 401
    assert door.call(token()).status_code == 200


def test_X6_strangers_take_no_place_while_a_key_set_is_fetched(tmp_path: Path) -> None:
    """Whoever names an unknown key of a known issuer makes the service ask for keys: that must keep nobody out."""
    asked = asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.sleep(0.5)
        return httpx.Response(404)

    few = {"max_calls": 2}
    door = Door(tmp_path, public(key()), jku=["https://ehr.example/jwks.json"], fetch=slow, settings=few)

    async def run() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door.app), base_url="http://cds.example") as client:

            def call(**head: Any) -> asyncio.Task[httpx.Response]:
                bearer = {"authorization": f"Bearer {token(head=header(**head))}"}
                return asyncio.create_task(
                    client.post(SERVICE, content=json.dumps(order_sign()), headers=HEADERS | bearer)
                )

            strangers = [call(kid=f"unknown-{number}") for number in range(10)]
            await asked.wait()
            known = await call()
            return [known.status_code, *{(await stranger).status_code for stranger in strangers}]

    assert asyncio.run(run()) == [200, 401]


def test_row_21_a_call_that_finds_no_place_is_counted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _found_no_place(client)
    monkeypatch.setattr("cds_service.routes._Places.refuse_when_full", _full)
    assert_refused(post(client, order_sign()), 503)
    assert _found_no_place(client) == before + 1


def _found_no_place(client: Client) -> float:
    counted = 'baclofen_cds_calls_total{client="none",hook="none",status="503"} '
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.removeprefix(counted)) for line in lines if line.startswith(counted)), 0)


def _full(_: object) -> None:
    raise TooBusy(headers={"retry-after": "1"})


def test_X6_row_21_calls_at_once(tmp_path: Path) -> None:
    """While one call still sends its body, a second one of the same client is told to come back."""
    door = Door(tmp_path, public(key()), calls_at_once=1)

    async def run() -> list[httpx.Response]:
        release = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            await release.wait()
            yield json.dumps(order_sign()).encode()

        transport = httpx.ASGITransport(door.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://cds.example") as client:
            first = asyncio.create_task(client.post(SERVICE, content=slow(), headers=sent()))
            await asyncio.sleep(0.05)
            second = await client.post(SERVICE, content=json.dumps(order_sign()), headers=sent())
            discovery = await client.get("/cds-services")
            release.set()
            third = await first
            fourth = await client.post(SERVICE, content=json.dumps(order_sign()), headers=sent())
        return [second, discovery, third, fourth]

    refused, discovery, first, again = asyncio.run(run())
    assert_refused(refused, 429)
    assert refused.headers["retry-after"] == "1"
    assert [discovery.status_code, first.status_code, again.status_code] == [200, 200, 200]


def test_row_20_a_client_that_hangs_up_gives_its_place_back(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), calls_at_once=1)
    raw = [(name.encode(), value.encode()) for name, value in sent().items()]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
             "path": SERVICE, "raw_path": SERVICE.encode(), "query_string": b"", "root_path": "", "headers": raw,
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080)}  # fmt: skip
    messages = iter([{"type": "http.request", "body": b'{"ho', "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        raise AssertionError(message)

    asyncio.run(door.app(scope, receive, send))
    assert door.call(token()).status_code == 200


def test_X6_feedback_counts_too(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    table = {"issuers": [ISSUER], "jwks_file": str(tmp_path / "jwks.json"), "calls_per_minute": 1}
    whole = Client(create_app(load(public_base_url=BASE, clients={"north": table}, state_dir=tmp_path)))
    path = f"{SERVICE}/feedback"

    def told() -> int:
        import time

        now = int(time.time())
        bearer = f"Bearer {token(aud=BASE + path, iat=now, exp=now + 60)}"
        return post(whole, '{"feedback": []}', path, authorization=bearer).status_code

    assert [told(), told()] == [200, 429]


def test_row_21_no_card_is_lost_silently_under_ten_times_the_load(tmp_path: Path) -> None:
    """Ten times as many calls as may run at once: each is answered, with its card or with the time to come back."""

    async def one_card(_call: object, _course: object, _hung_up: object) -> bytes:
        return b'{"cards":[1]}'

    door = Door(tmp_path, public(key()), calls_at_once=5, answer=one_card)

    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(door.app)

        async def slow() -> AsyncIterator[bytes]:
            await asyncio.sleep(0.05)
            yield json.dumps(order_sign()).encode()

        async with httpx.AsyncClient(transport=transport, base_url="http://cds.example") as client:
            return await asyncio.gather(*(client.post(SERVICE, content=slow(), headers=sent()) for _ in range(50)))

    responses = asyncio.run(run())
    taken = [one for one in responses if one.status_code == 200]
    others = [one for one in responses if one.status_code != 200]
    assert len(taken) == 5
    assert {one.content for one in taken} == {b'{"cards":[1]}'}
    assert {one.status_code for one in others} == {429}
    assert all("retry-after" in one.headers for one in others)


# -------------------------------------------------------------------------------------------------- sizes of a request


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, public(key()), settings={"max_body_bytes": 1 << 16})


def test_row_06_a_body_over_the_limit_of_a_known_client(door: Door) -> None:
    response = door.client.request("POST", SERVICE, content=b" " * (1 << 17), headers=sent())
    assert_refused(response, 413)


def test_row_19_two_authorization_headers(door: Door) -> None:
    headers = [*sent().items(), ("authorization", f"Bearer {token()}")]
    assert_refused(door.client.request("POST", SERVICE, content=b"{}", headers=headers), 400)


def test_row_19_the_longest_token(door: Door) -> None:
    assert door.call(token(extra="x" * 5500)).status_code == 200
    assert door.call(token(extra="x" * 6500)).status_code == 401
    assert door.call(token(head=header(extra="x" * 2000))).status_code == 200


def nested(levels: int, kind: str) -> str:
    begin, end = ('{"a":', "}") if kind == "object" else ("[", "]")
    return begin * levels + "1" + end * levels


DEEP = ["context.x", "x", "prefetch.x", "extension", "context.draftOrders.entry.0.resource.extension",
        "context.draftOrders.entry.0.resource.dosageInstruction.0.x", "prefetch.kidney.entry.0.resource.extension",
        "context.draftOrders.entry.0.resource.contained", "fhirAuthorization"]  # fmt: skip


def deep(path: str, levels: int, kind: str) -> str:
    request = severe()
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inside: Any = request
    for name in parents:
        inside = inside[name]
    inside[last] = "@"
    return json.dumps(request, separators=(",", ":")).replace('"@"', nested(levels, kind))


@pytest.mark.parametrize("kind", ["object", "array"])
@pytest.mark.parametrize("path", DEEP)
def test_row_08_nesting_never_breaks_the_service(client: Client, path: str, kind: str) -> None:
    """Up to the depth that the interpreter can follow it is read; beyond, it is the request's fault, at every level."""
    statuses = {
        levels: post(client, deep(path, levels, kind)).status_code for levels in (60, 300, *range(860, 1010, 5))
    }
    assert statuses[60] == 200 or path in ("extension", "fhirAuthorization")
    assert set(statuses.values()) <= {200, 400}
    assert statuses[1005] == 400
    assert post(client, deep(path, 100_000, kind)).status_code == 400


def test_X6_a_text_of_more_than_fhir_allows(client: Client) -> None:
    def with_note(size: int) -> httpx.Response:
        return post(client, order_sign(order(note=[{"text": "x" * size}])))

    assert with_note(1 << 20).status_code == 200
    assert assert_refused(with_note((1 << 20) + 1), 413)["code"] == "too-long"


def test_X6_many_texts_may_be_as_large_together(client: Client) -> None:
    draft: Json = order(note=[{"text": "x" * 1000}] * 2000)
    assert post(client, order_sign(draft)).status_code == 200


def test_X6_a_huge_text_in_prefetch_costs_at_most_its_resource(client: Client) -> None:
    request = severe()
    request["prefetch"]["kidney"]["entry"][0]["resource"]["note"] = [{"text": "x" * 2_000_000}]
    assert post(client, request).status_code == 200

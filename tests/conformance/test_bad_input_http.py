"""Checklist section 5, rows 1 to 21: HTTP and JSON. Row 20 (a client that hangs up) is in the last test."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest

from cards.facts import Input
from cds_service import clients, services
from cds_service.app import application
from cds_service.gate import Gate
from cds_service.hooks import HookCall
from cds_service.settings import load
from cds_service.store import Store
from tests.conformance.calls import (
    SERVICE,
    Client,
    assert_refused,
    cards,
    has_kidney_card,
    no_cards,
    order_sign,
    post,
    severe,
)
from tests.conformance.conftest import Shell

CANARY = "canary-7f3a"


@pytest.mark.parametrize("body", ["{", '{"hook":', "{'hook': 1}", "{} {}", '{"a":1,}', "hello", '{"a":1}//x', "{\x00}"])
def test_row_01_malformed_json(client: Client, body: str) -> None:
    assert assert_refused(post(client, body), 400)["code"] == "structure"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
             "application/json; charset=utf-16", "application/jsonx", "json", "text/json"]
)  # fmt: skip
def test_row_02_wrong_content_type(client: Client, kind: str) -> None:
    response = client.request("POST", SERVICE, content=json.dumps(order_sign()), headers={"content-type": kind})
    assert_refused(response, 415)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"',
             "application/fhir+json", "application/json+fhir"]
)  # fmt: skip
def test_row_02_json_in_all_its_spellings(client: Client, kind: str) -> None:
    response = client.request("POST", SERVICE, content=json.dumps(order_sign()), headers={"content-type": kind})
    assert response.status_code == 200


def test_row_03_no_content_type_is_accepted_if_it_parses(client: Client) -> None:
    assert client.request("POST", SERVICE, content=json.dumps(order_sign())).status_code == 200
    assert_refused(client.request("POST", SERVICE, content="no json"), 400)


def test_row_04_empty_body(client: Client) -> None:
    assert_refused(post(client, ""), 400)
    assert_refused(post(client, "   "), 400)


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "true", json.dumps([order_sign()])])
def test_row_05_top_level_is_no_object(client: Client, body: str) -> None:
    assert_refused(post(client, body), 400)


def test_row_06_body_over_the_limit(shell: Shell) -> None:
    """At the limit and one byte above."""
    small = shell(max_body_bytes=1 << 16)
    body = json.dumps(order_sign())
    assert post(small, body + " " * ((1 << 16) - len(body))).status_code == 200
    assert_refused(post(small, body + " " * ((1 << 16) - len(body) + 1)), 413)


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(10_000):
        yield b" " * 1024
    raise AssertionError("read far beyond the limit")


def test_row_06_a_body_without_length_is_stopped_at_the_limit(shell: Shell) -> None:
    response = shell(max_body_bytes=1 << 16).request("POST", SERVICE, content=_endless())
    issue = assert_refused(response, 413)
    assert "65536" in issue["details"]["text"]


def test_row_07_a_body_that_drips_is_cut_off(shell: Shell) -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    started = time.monotonic()
    assert_refused(shell(body_seconds=0.2).request("POST", SERVICE, content=drip()), 408)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("where", ["top", "context", "draft", "prefetch"])
def test_row_08_nesting_100_000_deep(client: Client, opening: str, where: str) -> None:
    deep = opening * 100_000
    body = {
        "top": deep,
        "context": f'{{"hook":"order-sign","hookInstance":"x","context":{deep}',
        "draft": json.dumps(order_sign()).replace('"authoredOn"', f'"x":{"[" * 100_000}{"]" * 100_000},"authoredOn"'),
        "prefetch": json.dumps(order_sign()).replace('"birthDate"', f'"x":{"[" * 100_000}{"]" * 100_000},"birthDate"'),
    }[where]
    assert_refused(post(client, body), 400)


@pytest.mark.parametrize(
    ("member", "twice"),
    [
        ('"hook": "order-sign"', '"hook": "order-select", "hook": "order-sign"'),
        ('"patientId": "p1"', '"patientId": "p2", "patientId": "p1"'),
        ('"patientId": "p1"', '"patientId": "p1", "patientId": "p1"'),
        ('"patientId": "p1"', '"patientId": "p1", "patient\\u0049d": "p2"'),
        ('"status": "draft"', '"status": "draft", "status": "active"'),
        ('"prefetch": {', '"prefetch": {}, "prefetch": {'),
        ('"context": {', '"context": {}, "context": {'),
    ],
)
def test_row_09_the_same_member_twice(client: Client, member: str, twice: str) -> None:
    body = json.dumps(order_sign())
    assert member in body
    issue = assert_refused(post(client, body.replace(member, twice, 1)), 400)
    assert "twice" in issue["details"]["text"]


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "-0", "-0.0", "1e400", "-1e400", "1e-400", "1e999999999"]
)
@pytest.mark.parametrize("where", ['"value": 10', '"period": 1', '"hook"'])
def test_row_10_numbers_that_are_none(client: Client, number: str, where: str) -> None:
    body = json.dumps(order_sign())
    assert where in body
    replacement = f'"odd": {number}, "hook"' if where == '"hook"' else f"{where.partition(':')[0]}: {number}"
    assert_refused(post(client, body.replace(where, replacement, 1)), 400)


def test_row_10_not_a_number_inside_prefetch(client: Client) -> None:
    body = json.dumps(severe()).replace('"value": 20', '"value": NaN', 1)
    assert_refused(post(client, body), 400)


def test_row_10_a_number_out_of_range_inside_prefetch_costs_only_that_result(client: Client) -> None:
    request = severe()
    body = json.dumps(request).replace('"value": 20', '"value": 1e400', 1)
    response = post(client, body)
    assert response.status_code == 200
    assert not has_kidney_card([card for card in response.json()["cards"] if "renalAvoid" in json.dumps(card)])


@pytest.mark.parametrize("where", ['"value": 10', '"hook"'])
def test_row_11_a_5000_digit_integer(client: Client, where: str) -> None:
    body = json.dumps(order_sign())
    number = "1" * 5000
    replacement = f'"odd": {number}, "hook"' if where == '"hook"' else f'"value": {number}'
    assert_refused(post(client, body.replace(where, replacement, 1)), 400)


@pytest.mark.parametrize("where", ['"p1"', '"Baclofen 10 MG', '"female"'])
def test_row_12_invalid_utf8(client: Client, where: str) -> None:
    body = json.dumps(order_sign()).encode()
    assert_refused(post(client, body.replace(where.encode(), where.encode() + b"\xff", 1)), 400)


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_row_12_other_encodings(client: Client, coding: str) -> None:
    assert_refused(post(client, json.dumps(order_sign()).encode(coding)), 400)


def test_row_12_a_byte_order_mark_is_ignored(client: Client) -> None:
    assert has_kidney_card(cards(client, severe()))
    assert post(client, json.dumps(severe()).encode("utf-8-sig")).status_code == 200


@pytest.mark.parametrize("surrogate", ["\\ud800", "\\uDFFF", "\\ud800\\ud800", "\\udc00\\ud800", "\\\\\\ud83d"])
@pytest.mark.parametrize("where", ["Baclofen 10 MG", "eGFR", "female"])
def test_row_13_a_lone_surrogate_is_replaced_and_the_check_goes_on(client: Client, surrogate: str, where: str) -> None:
    body = json.dumps(severe())
    response = post(client, body.replace(where, where + surrogate, 1))
    assert response.status_code == 200
    assert has_kidney_card(response.json()["cards"])


def test_row_13_pairs_and_escaped_backslashes_are_left_alone(shell: Shell) -> None:
    seen: list[HookCall] = []

    def keep(call: HookCall) -> bytes:
        seen.append(call)
        return b'{"cards":[]}'

    body = json.dumps(order_sign()).replace(
        '"status": "draft"', '"status": "draft", "note": "\\ud83d\\ude00 \\\\ud800 \\ud83d"'
    )
    assert post(shell(keep), body).status_code == 200
    assert seen[0].drafts[0].json["note"] == "\U0001f600 \\ud800 \ufffd"


@pytest.mark.parametrize("text", ["\\u0000", "\\u0007", "\\u202e", "\\u2066", "\\u200b"])
def test_row_14_control_and_bidi_characters_do_not_reach_a_card(client: Client, text: str) -> None:
    body = json.dumps(severe()).replace("Baclofen 10 MG Oral Tablet", f"Baclofen 10 MG {text}Oral Tablet")
    response = post(client, body)
    assert response.status_code == 200
    shown = response.json()["cards"]
    assert has_kidney_card(shown)
    visible = "".join(card["summary"] + card["detail"] for card in shown)
    assert json.loads(f'"{text}"') not in visible


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_row_15_compressed_bodies_are_refused_unread(client: Client, coding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert_refused(post(client, bomb, **{"content-encoding": coding}), 415)
    assert post(client, order_sign(), **{"content-encoding": "identity"}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "TRACE"])
def test_row_16_other_methods_on_the_service(client: Client, method: str) -> None:
    response = client.request(method, SERVICE)
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


def test_row_16_post_on_discovery(client: Client) -> None:
    response = post(client, order_sign(), "/cds-services")
    assert_refused(response, 405)
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("path", ["/cds-services/", f"{SERVICE}/", "http://x//cds-services", f"http://x/{SERVICE}"])
def test_row_17_trailing_slash_is_never_a_redirect(client: Client, path: str) -> None:
    assert_refused(client.request("GET", path, headers={"host": "evil.example"}), 404)


@pytest.mark.parametrize(
    "path",
    ["/cds-services/nope", "/cds-services/..%2fhealthz", "/cds-services/baclofen-safety%2f..", "/cds-services/%00",
     "/cds-services/BACLOFEN-SAFETY", "/cds-services/baclofen-safety%20", "/cds-services/baclofen-safety/x"],
)  # fmt: skip
def test_row_18_unknown_service_ids(client: Client, path: str) -> None:
    assert_refused(post(client, order_sign(), path), 404)


def test_row_19_two_authorization_headers(client: Client) -> None:
    headers = [
        ("authorization", f"Bearer {CANARY}"),
        ("authorization", "Bearer b"),
        ("content-type", "application/json"),
    ]
    response = client.request("POST", SERVICE, content=json.dumps(order_sign()), headers=headers)
    assert_refused(response, 400, canary=CANARY)


@pytest.mark.parametrize("headers", [[(f"x-{n}", "v") for n in range(200)], [("x-long", "v" * 40_000)]])
def test_row_19_header_bomb(client: Client, headers: list[tuple[str, str]]) -> None:
    assert_refused(client.request("GET", "/cds-services", headers=headers), 431)


Message = MutableMapping[str, Any]
Asgi = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


def _app(**given: Any) -> Asgi:
    chosen = load(mode="sandbox", **given)
    service = services.baclofen_safety(frozenset(Input))
    gate = Gate.of(chosen, clients.load(chosen), Store.open(chosen))
    return application(chosen, service, lambda client: no_cards, {"mode": "sandbox"}, gate)


def _scope(path: str = SERVICE) -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }  # fmt: skip


def test_row_20_a_client_that_hangs_up_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[Message] = []
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b'{"ho', "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(_app()(_scope(), receive, send))  # type: ignore[arg-type]
    assert sent == []
    assert "failed" not in capsys.readouterr().err


def test_row_21_too_many_calls_at_once_are_told_to_come_back() -> None:
    """The second call while the first still sends its body; discovery and health answer on."""
    app = _app(max_calls=1)

    async def one_waits() -> list[int]:
        release = asyncio.Event()

        async def slow() -> Message:
            await release.wait()
            return {"type": "http.request", "body": json.dumps(order_sign()).encode()}

        async def at_once() -> Message:
            return {"type": "http.request", "body": json.dumps(order_sign()).encode()}

        statuses: dict[str, int] = {}
        retry: list[bytes] = []

        async def call(name: str, receive: Any, path: str = SERVICE, method: str = "POST") -> None:
            async def send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    statuses[name] = message["status"]
                    retry.extend(value for header, value in message["headers"] if header == b"retry-after")

            await app(_scope(path) | {"method": method}, receive, send)

        first = asyncio.create_task(call("first", slow))
        await asyncio.sleep(0.01)
        await call("second", at_once)
        await call("discovery", at_once, "/cds-services", "GET")
        await call("health", at_once, "/healthz", "GET")
        release.set()
        await first
        await call("third", at_once)
        assert retry == [b"1"]
        return [statuses[name] for name in ("first", "second", "discovery", "health", "third")]

    assert asyncio.run(one_waits()) == [200, 503, 200, 200, 200]


@pytest.mark.parametrize("path", ["hook", "hookInstance", "context.patientId", "context.draftOrders"])
def test_no_token_and_no_input_in_an_error_or_in_the_log(
    client: Client, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stock frameworks repeat the whole body, the access token included (checklist X5)."""
    request = order_sign() | {
        "fhirServer": "https://ehr.example/fhir",
        "fhirAuthorization": {"access_token": CANARY, "token_type": "Bearer"},
    }
    body = json.dumps(request).replace(f'"{path.rpartition(".")[2]}"', f'"{CANARY}"')
    assert_refused(post(client, body), 400, canary=CANARY)
    assert_refused(post(client, body, authorization=f"Bearer {CANARY}"), 401, canary=CANARY)
    captured = capsys.readouterr()
    assert CANARY not in captured.out + captured.err

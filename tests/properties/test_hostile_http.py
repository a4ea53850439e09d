"""Whatever is sent over HTTP gets one of the answers of the guide: no 5xx, no stack trace, no echo, no long wait."""

from __future__ import annotations

import json
import time
from datetime import date
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import SERVICE, TODAY, Client, Json
from tests.properties.hostile import (
    FEEDBACK,
    HEADERS,
    METHODS,
    ODD,
    PATHS,
    SEEDS,
    assert_sound,
    requests,
    torn,
)
from tests.properties.search import examples

SECONDS = 1.0
"""Of work; an odd request takes milliseconds. Time that passes says little on a busy machine."""
JSON = {"content-type": "application/json"}


@cache
def client() -> Client:
    made = Client(create_app(load(mode="sandbox", today=date.fromisoformat(TODAY))))
    for slow_at_first in ("/insights", "/content", "/workbench"):
        assert made.get(slow_at_first).status_code == 200
    return made


@cache
def described() -> Any:
    components = client().get("/openapi.json").json()["components"]
    return Draft202012Validator({"$ref": "#/components/schemas/Cards", "components": components})


def sent(body: bytes, path: str = SERVICE) -> Any:
    service, started = client(), time.thread_time()
    response = service.request("POST", path, content=body, headers=JSON)
    assert time.thread_time() - started < SECONDS
    return response


def assert_sound_call(body: bytes) -> None:
    response = sent(body)
    assert_sound(response, 200, 400, 412, 413)
    if response.status_code == 200:
        assert [error.message for error in described().iter_errors(json.loads(response.content))] == []


@examples(400)
@given(requests())
def test_odd_values(body: bytes) -> None:
    assert_sound_call(body)


@examples(400)
@given(torn())
def test_torn_bytes(body: bytes) -> None:
    assert_sound_call(body)


@examples(100)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    assert_sound_call(body)


@examples(200)
@given(torn(FEEDBACK))
def test_torn_feedback(body: bytes) -> None:
    assert_sound(sent(body, f"{SERVICE}/feedback"), 200, 400, 413)


_ENTRY = (
    "card",
    "outcome",
    "outcomeTimestamp",
    "acceptedSuggestions",
    "overrideReason",
    "overrideReasons",
    "extension",
)
_MEMBERS = st.sampled_from((*_ENTRY, "feedback"))


@examples(200)
@given(_MEMBERS, ODD, st.sampled_from(FEEDBACK))
def test_odd_feedback(member: str, odd: str, told: Json) -> None:
    whole = json.dumps({"feedback": [{**told["feedback"][0], member: "@"}]} if member != "feedback" else {member: "@"})
    body = whole.replace('"@"', odd).encode("utf-8", "surrogatepass")
    assert_sound(sent(body, f"{SERVICE}/feedback"), 200, 400, 413)


@examples(400)
@given(METHODS, PATHS, HEADERS, st.sampled_from((b"", b"{}", b"x", b"[]", json.dumps(FEEDBACK[0]).encode())))
def test_any_head(method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    given_headers: Any = headers
    service, started = client(), time.thread_time()
    response = service.request(method, f"http://cds.example{path}", content=body, headers=given_headers)
    assert "/insights" in path or time.thread_time() - started < SECONDS, "figures are drawn beside the calls"
    assert_sound(response, 200, 204, 307, 400, 401, 404, 405, 412, 413, 415, 422, 431)
    if response.status_code == 405:
        assert response.headers["allow"]


def test_the_searched_requests_reach_the_rules() -> None:
    """Else nothing was searched."""
    for request in SEEDS:
        assert sent(json.dumps(request).encode()).status_code == 200

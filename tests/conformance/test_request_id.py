"""X-Request-Id: the name under which client and operator speak of the same request."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

from tests.conformance.calls import SERVICE, Client, order_sign, post

THEIRS = "0B7E5F9C-64C1-4C9B-9E0B-6A0C3F3B6D11"


def named(response: httpx.Response) -> uuid.UUID:
    (value,) = response.headers.get_list("x-request-id")
    return uuid.UUID(value)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/cds-services", {}),
        ("GET", "/healthz", {}),
        ("GET", "/metrics", {}),
        ("GET", "/nowhere", {}),
        ("GET", SERVICE, {}),
        ("POST", SERVICE, {"content-type": "application/json"}),
        ("POST", f"{SERVICE}/feedback", {"authorization": "Bearer x"}),
        ("POST", SERVICE, {"x": "y" * 40_000}),
        ("OPTIONS", SERVICE, {"origin": "http://localhost:8000", "access-control-request-method": "POST"}),
    ],
)
def test_every_answer_has_one(client: Client, method: str, path: str, headers: dict[str, str]) -> None:
    assert named(client.request(method, path, headers=headers)).version == 4


def test_no_two_are_equal(client: Client) -> None:
    assert len({named(client.get("/healthz")) for _ in range(20)}) == 20


def test_a_clients_own_is_taken_when_it_is_a_uuid(client: Client) -> None:
    assert named(post(client, order_sign(), **{"x-request-id": THEIRS})) == uuid.UUID(THEIRS)


@pytest.mark.parametrize("theirs", ["jane-doe", "MRN-1", THEIRS + "x", f"{{{THEIRS}}}", THEIRS.replace("-", ""), ""])
def test_anything_else_is_not_repeated(client: Client, theirs: str) -> None:
    answer = post(client, order_sign(), **{"x-request-id": theirs})
    assert named(answer).version == 4
    assert not theirs or theirs not in str(answer.headers)


def test_it_stands_on_each_line_of_the_log(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    request = order_sign() | {"fhirServer": "https://ehr.example/fhir", "prefetch": {}}
    answer = post(client, request)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["event"] for line in lines} >= {"call", "FHIR server not read"}
    assert {line["request_id"] for line in lines} == {str(named(answer))}


def test_a_browser_page_may_read_it(client: Client) -> None:
    answer = client.get("/cds-services", origin="http://localhost:8000")
    assert "x-request-id" in answer.headers["access-control-expose-headers"]

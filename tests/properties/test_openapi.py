"""The OpenAPI document against the service: what is generated from it gets the answers that it describes, no other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import TODAY, Client, Json, post
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.trust import BASE, ISSUER
from tests.properties.search import examples

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def production() -> FastAPI:
    table = {"issuers": [ISSUER], "jku": ["https://ehr.example/jwks.json"]}
    folder = tempfile.mkdtemp(prefix="baclofen-cds-test-")
    return create_app(load(public_base_url=BASE, clients={"north": table}, protect_discovery=True, state_dir=folder))


SANDBOX = Client(create_app(load(mode="sandbox", today=date.fromisoformat(TODAY))))
PRODUCTION = Client(production())
OPEN = schemathesis.openapi.from_dict(SANDBOX.get("/openapi.json").json())
GUARDED = schemathesis.openapi.from_dict(PRODUCTION.get("/openapi.json").json())


def check(case: Case[Any], client: Client) -> None:
    given: Json = case.as_transport_kwargs(base_url="http://cds.example")
    made = httpx.Request(**{name: value for name, value in given.items() if name not in ("data", "cookies")},
                         content=given.get("data"))  # fmt: skip
    headers = made.headers.multi_items()
    answer = client.request(made.method, made.url.raw_path.decode(), content=made.content, headers=headers)
    case.validate_response(answer, checks=CHECKS)


@OPEN.parametrize()
@examples(40)
def test_every_answer_is_one_that_is_described(case: Case[Any]) -> None:
    check(case, SANDBOX)


@GUARDED.parametrize()
@examples(10)
def test_every_answer_to_a_stranger_is_one_that_is_described(case: Case[Any]) -> None:
    check(case, PRODUCTION)


@pytest.fixture(scope="module")
def document() -> Json:
    described: Json = SANDBOX.get("/openapi.json").json()
    return described


def wrong(document: Json, name: str, value: Any) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_card_is_one_that_is_described(document: Json, name: str) -> None:
    answer = post(SANDBOX, SCENARIOS[name])
    assert wrong(document, "Cards", answer.json()) == []


def spoiled(value: Any) -> Iterator[Any]:
    """Each member in turn missing, null or doubled in another name; what FHIR says of its own is left alone."""
    if isinstance(value, dict):
        for name, inside in value.items():
            if name == "resource":
                continue
            yield {**value, name: None}
            yield {**value, name + "X": inside}
            for one in spoiled(inside):
                yield {**value, name: one}
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            for one in spoiled(inside):
                yield [*value[:number], one, *value[number + 1 :]]


def test_the_description_of_cards_is_not_met_by_anything(document: Json) -> None:
    answer = post(SANDBOX, SCENARIOS["opioid and sedative"]).json()
    others = list(spoiled(answer))
    assert len(others) > 100
    assert [other for other in others if not wrong(document, "Cards", other)] == []

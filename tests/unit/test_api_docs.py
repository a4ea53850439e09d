"""The OpenAPI document: every address is described, with examples that are right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from cds_service.api_docs import examples
from cds_service.api_docs.sandbox import FHIR_TYPES
from cds_service.app import create_app
from cds_service.settings import load
from cds_service.workbench.search import TYPES
from tests.conformance.calls import Client, Json, post

APP: FastAPI = create_app(load(mode="sandbox", today=date(2026, 11, 24)))
CLIENT = Client(APP)
DOCUMENT: Json = CLIENT.get("/openapi.json").json()
OPERATIONS = {
    f"{method} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
OF_THE_DOCUMENTS = {"/docs", "/openapi.json"}
OF_THE_PAGE = {"/", "/workbench/assets/{name}", "/workbench/patients/{identity}", "/workbench/chart",
               "/workbench/prefetch", "/workbench/markdown"}  # fmt: skip
"""What only the workbench's own page asks for."""


def contents(operation: Json) -> Iterator[tuple[str, Json]]:
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for response in operation["responses"].values():
        yield from response.get("content", {}).items()


def valid(schema: Json, example: Any) -> bool:
    return bool(Draft202012Validator(schema | {"components": DOCUMENT["components"]}).is_valid(example))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_examples_that_fit(name: str) -> None:
    found = list(contents(OPERATIONS[name]))
    assert found
    for media_type, content in found:
        assert content["example"], media_type
        assert valid(content["schema"], content["example"]), (media_type, content["example"])
    for parameter in OPERATIONS[name].get("parameters", []):
        assert parameter["description"]
        assert valid(parameter["schema"], parameter["example"])


def test_a_wrong_example_would_be_seen() -> None:
    (content,) = OPERATIONS["post /cds-services/baclofen-safety"]["responses"]["200"]["content"].values()
    assert not valid(content["schema"], {"cards": [{**content["example"]["cards"][0], "indicator": "grave"}]})


def test_every_address_is_described() -> None:
    routes = {getattr(route, "path", "") for route in APP.routes}
    roles = OPERATIONS["post /workbench/as/{role}/explain"]["parameters"][0]["schema"]["enum"]
    others = OPERATIONS["get /workbench/as/{role}/cds-services"]["parameters"][0]["schema"]["enum"]
    described: set[str] = set()
    for path in (path.replace("baclofen-safety", "{service_id}") for path in DOCUMENT["paths"]):
        listed = roles if path.endswith("explain") else others
        described |= {path.replace("{role}", role) for role in listed} if "{role}" in path else {path}
    assert described == routes - OF_THE_DOCUMENTS - OF_THE_PAGE
    assert routes >= OF_THE_PAGE


def test_the_fixture_server_has_these_types() -> None:
    assert set(FHIR_TYPES) == set(TYPES)


def test_the_example_of_a_call_gets_the_example_of_cards() -> None:
    card = post(CLIENT, examples.CALL).json()["cards"][0]
    (example,) = examples.CARDS["cards"]
    assert {name: card[name] for name in ("summary", "indicator", "selectionBehavior")} == {
        name: example[name] for name in ("summary", "indicator", "selectionBehavior")
    }
    assert card["source"]["topic"] == example["source"]["topic"]
    assert example["detail"] in card["detail"]
    assert example["overrideReasons"][0] in card["overrideReasons"]
    (shown,), (told,) = card["suggestions"][0]["actions"], example["suggestions"][0]["actions"]
    assert card["suggestions"][0]["label"] == example["suggestions"][0]["label"]
    assert shown["resource"] == told["resource"]
    assert shown["description"] == told["description"]


def test_the_example_of_feedback_is_taken() -> None:
    assert post(CLIENT, examples.FEEDBACK, "/cds-services/baclofen-safety/feedback").status_code == 200


def test_the_page_shows_every_operation_and_loads_nothing() -> None:
    page = CLIENT.get("/docs").text
    for path in DOCUMENT["paths"]:
        assert f" {path}</code>" in page
    assert "<script" not in page
    assert "src=" not in page
    assert json.dumps(examples.CALL["hookInstance"]).strip('"') in page

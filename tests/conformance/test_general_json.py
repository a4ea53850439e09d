"""Checklist 2.1: JSON and transport."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.settings import SettingsError, load
from tests.conformance.calls import SERVICE, Client, Json, cards, order_sign, post, walk
from tests.conformance.scenarios import SCENARIOS

EVERY = pytest.mark.parametrize("request_", SCENARIOS.values(), ids=SCENARIOS.keys())


def test_G1_production_does_not_start_without_protection(tmp_path: Path) -> None:
    """Production exchange is over TLS between known parties: without either, the service does not start."""
    known = {"north": {"issuers": ["https://ehr.example"], "jku": ["https://ehr.example/jwks.json"]}}
    with pytest.raises(SettingsError, match="no CDS Client is configured"):
        load(mode="production", public_base_url="https://cds.example")
    with pytest.raises(SettingsError, match="only https is safe"):
        load(mode="production", public_base_url="http://cds.example", clients=known)
    assert load(public_base_url="https://cds.example", clients=known, state_dir=tmp_path).mode == "production"


@EVERY
def test_G2_every_emitted_resource_is_fhir_r4(client: Client, request_: Json) -> None:
    for card in cards(client, request_):
        for suggestion in card.get("suggestions", []):
            for action in suggestion["actions"]:
                if resource := action.get("resource"):
                    get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))


@EVERY
def test_G3_responses_are_strict_json(client: Client, request_: Json) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(post(client, request_).text, parse_constant=refuse)
    json.loads(client.get("/cds-services").text, parse_constant=refuse)


@EVERY
def test_G4_G5_nothing_is_null_or_empty(client: Client, request_: Json) -> None:
    _assert_nothing_empty({"cards": cards(client, request_)})


def test_G4_G5_discovery_and_errors_have_nothing_empty(client: Client) -> None:
    _assert_nothing_empty(client.get("/cds-services").json())
    _assert_nothing_empty(post(client, "{").json())
    _assert_nothing_empty(client.get("/healthz").json())


def _assert_nothing_empty(body: Any) -> None:
    empty = [
        path for path, value in walk(body) if value in (None, "", [], {}) and path not in ("$.cards", "$.services")
    ]
    assert empty == []


@EVERY
def test_G6_G7_extensions_are_objects_with_globally_unique_names(client: Client, request_: Json) -> None:
    for path, value in walk({"cards": cards(client, request_)}):
        if path.endswith(".extension"):
            assert isinstance(value, dict)
            assert all(re.fullmatch(r"[a-z]+(\.[\w-]+){2,}", name) for name in value)


def test_G8_unknown_members_and_extensions_change_nothing(client: Client) -> None:
    plain = order_sign()
    noisy = json.loads(json.dumps(plain))
    unknown = {"x-unknown": {"a": [1, 2.5, None, {"b": "c"}]}, "extension": {"com.example.thing": "text"}}
    noisy.update(unknown)
    noisy["context"].update(unknown)
    noisy["context"]["draftOrders"].update(unknown)
    noisy["context"]["draftOrders"]["entry"][0].update({"x-unknown": 1})
    noisy["context"]["draftOrders"]["entry"][0]["resource"]["x-unknown"] = {"deep": [True]}
    noisy["prefetch"]["patient"]["x-unknown"] = {"deep": [True]}
    noisy["prefetch"]["kidney"].update({"x-unknown": 1})
    assert _words(cards(client, noisy)) == _words(cards(client, plain))


def _words(shown: list[Json]) -> list[tuple[Any, ...]]:
    return [(card["summary"], card.get("detail"), card["indicator"], card["source"]) for card in shown]


@pytest.mark.parametrize("body", ["{", json.dumps(order_sign())])
def test_G9_json_in_utf8_and_never_stored(client: Client, body: str) -> None:
    for response in (post(client, body), client.get("/cds-services"), client.get("/nowhere"), client.get(SERVICE)):
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        response.content.decode("utf-8")

"""Checklist 2.2: discovery, and 2.3: CORS."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from cards import terminology
from cards.catalogue import Catalogue
from cards.facts import Input
from cds_service import services
from cds_service.gather.body import body_measure
from cds_service.gather.codes import Codes
from cds_service.gather.drinking_tests import test_kind as kind_of_test
from cds_service.gather.pregnancy_status import pregnancy_sign
from cds_service.records import EXPECTED
from cds_service.resources import CodeableConcept, Coding
from tests.conformance.calls import SERVICE, Client, assert_refused, order_select, order_sign, post
from tests.conformance.conftest import Shell

READS = [frozenset(Input), frozenset({Input.AGE}), frozenset({Input.KIDNEY_RESULTS, Input.ORDER}), frozenset[Input]()]


def test_D1_discovery_is_always_there(client: Client) -> None:
    assert client.get("/cds-services").status_code == 200


@pytest.mark.parametrize("path", ["/x/y/cds-services", "/cds-services"])
def test_D1_discovery_under_a_base_path(shell: Shell, path: str) -> None:
    """Whether or not the proxy in front takes the base path off."""
    assert shell(public_base_url="https://cds.example/x/y").get(path).status_code == 200


def test_D2_body_is_an_object_with_an_array(client: Client) -> None:
    body = client.get("/cds-services").json()
    assert list(body) == ["services"]
    assert isinstance(body["services"], list)


def test_D3_D4_D6_each_service_says_what_it_is(client: Client) -> None:
    for service in client.get("/cds-services").json()["services"]:
        for member in ("hook", "id", "title", "description", "usageRequirements"):
            assert isinstance(service[member], str)
            assert service[member]
        assert "opioid" in service["description"], "what is out of scope is said where integrators look"
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", service["id"])


def test_D3_has_no_member_that_2_0_1_does_not_know_but_version(client: Client) -> None:
    known = {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version"}
    for service in client.get("/cds-services").json()["services"]:
        assert set(service) <= known


def test_D5_prefetch_maps_keys_to_templates(client: Client) -> None:
    for service in client.get("/cds-services").json()["services"]:
        assert service["prefetch"]
        assert all(isinstance(template, str) and template for template in service["prefetch"].values())


def test_D5_every_declared_key_is_read_and_every_key_read_is_declared() -> None:
    assert set(services.prefetch(frozenset(Input))) == set(EXPECTED)
    assert set(services.PURPOSES) == set(EXPECTED)


def test_D5_templates_follow_from_what_the_rules_read(client: Client) -> None:
    reads = Catalogue.load().reads
    for service in client.get("/cds-services").json()["services"]:
        assert set(service["prefetch"]) == set().union(*(services.FEEDS[one] for one in reads))


def test_D5_an_input_that_no_rule_reads_is_not_asked_for() -> None:
    """Minimum necessary: no allergy list unless a rule looks at it."""
    assert set(services.prefetch(frozenset({Input.AGE, Input.KIDNEY_RESULTS}))) == {"patient", "kidney"}
    assert services.prefetch(frozenset({Input.ORDER})) == {}


def test_D5_the_codes_that_are_asked_for_are_those_that_are_read() -> None:
    """Minimum necessary, and nothing forgotten."""
    template = services.prefetch(frozenset(Input))["observations"]
    asked = set(re.findall(r"http://loinc.org\|([\d-]+)", template))
    codes, read = Codes.load(), set[str]()
    for path in terminology.FOLDER.glob("*.loinc.csv"):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            code = line.split(",")[1]
            concept = CodeableConcept(coding=(Coding(system="http://loinc.org", code=code),))
            found = codes.observation(concept)
            if body_measure(found) or kind_of_test(found) or pregnancy_sign(found):
                read.add(code)
    assert asked == read
    assert {"75626-2", "97607-6", "5643-2", "82810-3", "11778-8", "29463-7", "8302-2"} <= asked


def test_D5_the_integrators_guide_names_every_key_and_its_purpose() -> None:
    guide = Path("docs/integrators.md").read_text(encoding="utf-8")
    for key, template in services.prefetch(frozenset(Input)).items():
        assert f"`{key}`" in guide
        assert services.PURPOSES[key] in guide
        assert template.partition("&code=")[0] in guide


def test_D7_version_is_the_semver_of_the_specification(client: Client) -> None:
    for service in client.get("/cds-services").json()["services"]:
        assert service["version"] == "2.0.1"


def test_D8_hook_version_is_not_claimed(client: Client) -> None:
    for service in client.get("/cds-services").json()["services"]:
        assert "hookVersion" not in service


def test_D9_D10_both_hooks_are_answered_at_one_address(client: Client) -> None:
    listed = [(service["id"], service["hook"]) for service in client.get("/cds-services").json()["services"]]
    assert sorted(listed) == [("baclofen-safety", "order-select"), ("baclofen-safety", "order-sign")]
    assert post(client, order_sign()).status_code == 200
    assert post(client, order_select(*_drafts(), selections=["MedicationRequest/d1"])).status_code == 200


def _drafts() -> list[dict[str, object]]:
    return [entry["resource"] for entry in order_sign()["context"]["draftOrders"]["entry"]]


def test_D11_no_services_is_an_empty_array() -> None:
    assert services.discovery(()) == b'{"services":[]}'


def test_D12_discovery_is_static(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get("/cds-services").content

    def no_network(*args: object) -> None:
        raise AssertionError("discovery opened a connection")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert client.get("/cds-services").content == first


def test_D13_discovery_is_open(client: Client) -> None:
    """Protecting it comes with client authentication; until then any token, and none, is answered alike."""
    assert client.get("/cds-services", authorization="Bearer nonsense").status_code == 200


def test_D14_head_options_and_other_methods(client: Client) -> None:
    head = client.request("HEAD", "/cds-services")
    assert (head.status_code, head.content) == (200, b"")
    for path, methods in {"/cds-services": {"GET", "HEAD", "OPTIONS"}, SERVICE: {"POST", "OPTIONS"}}.items():
        options = client.options(path)
        assert options.status_code == 204
        assert set(options.headers["allow"].split(", ")) == methods
        refused = client.request("DELETE", path)
        assert_refused(refused, 405)
        assert set(refused.headers["allow"].split(", ")) == methods


def test_D15_capabilities_are_documented_for_people() -> None:
    guide = Path("docs/integrators.md").read_text(encoding="utf-8")
    for word in ("order-sign", "order-select", "prefetch", "412", "suggestion", "8 MiB"):
        assert word in guide


# ------------------------------------------------------------------------------------------ prefetch templates (P2, P4)

TOKEN = re.compile(r"\{\{(.*?)\}\}")


@pytest.mark.parametrize("reads", READS)
def test_P2_tokens_are_first_level_context_fields(reads: frozenset[Input]) -> None:
    for template in services.prefetch(reads).values():
        assert set(TOKEN.findall(template)) == {"context.patientId"}


@pytest.mark.parametrize("reads", READS)
def test_P4_queries_use_only_the_allowed_subset(reads: frozenset[Input]) -> None:
    for template in services.prefetch(reads).values():
        query = TOKEN.sub("p1", template)
        assert "{" not in query
        if "?" not in query:
            assert re.fullmatch(r"[A-Z]\w+/p1", query)
            continue
        kind, _, parameters = query.partition("?")
        assert re.fullmatch(r"[A-Z][A-Za-z]+", kind)
        names = [parameter.partition("=")[0] for parameter in parameters.split("&")]
        assert names[0] == "patient"
        assert set(names) <= {"patient", "code", "status", "_sort", "_count"}, "no modifiers, chains or _include"
        assert len(names) == len(set(names))
        assert len(query) < 2000, "some servers and proxies cut longer URLs"


def test_P3_no_path_expressions_by_default(client: Client) -> None:
    text = client.get("/cds-services").text
    assert "today()" not in text
    assert "resolve()" not in text


# ------------------------------------------------------------------------------------------------------------- 2.3 CORS

ORIGIN = "http://localhost:8080"
PREFLIGHT = {
    "access_control_request_method": "POST",
    "access_control_request_headers": "authorization,content-type",
}


@pytest.mark.parametrize("path", ["/cds-services", SERVICE])
@pytest.mark.parametrize("origin", [ORIGIN, "http://127.0.0.1", "https://[::1]:4000"])
def test_C1_C3_browsers_on_this_machine_may_call(client: Client, path: str, origin: str) -> None:
    """In sandbox mode, without a token, and without credentials."""
    response = client.options(path, origin=origin, **PREFLIGHT)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == origin
    assert set(response.headers["access-control-allow-methods"].split(", ")) == {"GET", "POST"}
    assert set(response.headers["access-control-allow-headers"].split(", ")) == {"authorization", "content-type"}
    assert "access-control-allow-credentials" not in response.headers
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "null",
        "http://127.0.0.12",
    ],
)
def test_C2_other_origins_get_no_permission(client: Client, origin: str) -> None:
    for response in (
        client.options(SERVICE, origin=origin, **PREFLIGHT),
        client.get("/cds-services", origin=origin),
    ):
        assert "access-control-allow-origin" not in response.headers
        assert "Origin" in response.headers["vary"]


def test_C4_errors_carry_the_permission_too(client: Client, shell: Shell) -> None:
    def broken(_: object) -> bytes:
        raise RuntimeError

    for response in (
        post(client, "{", origin=ORIGIN),
        client.get("/nowhere", origin=ORIGIN),
        post(shell(broken), order_sign(), origin=ORIGIN),
    ):
        assert response.status_code >= 400
        assert response.headers["access-control-allow-origin"] == ORIGIN

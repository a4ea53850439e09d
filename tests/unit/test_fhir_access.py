"""F1 to F8: whether a call lets us read its FHIR server, and until when."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from cards.facts import Hook
from cds_service import hooks
from cds_service.errors import FieldInvalid
from cds_service.fhir_access import Access, NoAccess, Reading
from cds_service.fhir_client import FhirClient
from cds_service.settings import Settings, load
from tests.conformance.calls import order_sign

TOKEN = "canary-token"  # noqa: S105  # made up
EHR = "https://ehr.example/fhir"
HERE = "http://127.0.0.1:8090/fhir"


def client() -> FhirClient:
    return FhirClient(lambda: httpx.MockTransport(lambda _: httpx.Response(500)))


SANDBOX = Reading.of(load(mode="sandbox", fhir_seconds=0.41), client(), {}, ["https://bound.example/fhir"])
PRODUCTION = Reading.of(Settings.model_construct(mode="production", fhir_seconds=0.41), client(), {}, [EHR])


def access(reading: Reading, server: Any = EHR, **authorization: Any) -> Access | NoAccess:
    whole = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs"} | authorization
    sent = {name: value for name, value in whole.items() if value is not ...}
    request = order_sign() | {"fhirServer": server} | ({"fhirAuthorization": sent} if sent else {})
    request = {name: value for name, value in request.items() if value is not ...}
    return reading.access(hooks.parse(json.dumps(request).encode(), list(Hook)), 100.0)


def without_authorization(reading: Reading, server: Any) -> Access | NoAccess:
    request = order_sign() | ({} if server is ... else {"fhirServer": server})
    return reading.access(hooks.parse(json.dumps(request).encode(), list(Hook)), 100.0)


def test_F1_server_and_token_are_both_needed() -> None:
    granted = access(PRODUCTION)
    assert isinstance(granted, Access)
    assert (str(granted.base), granted.token, granted.deadline) == (EHR, TOKEN, 100.4)
    assert without_authorization(PRODUCTION, EHR) == NoAccess()
    assert without_authorization(PRODUCTION, ...) == NoAccess()


@pytest.mark.parametrize("token", ["", None, 7, ["x"], "two words", "line\r\nhost: evil.example", "é", ...])
def test_F1_what_is_no_token_counts_as_none(token: Any) -> None:
    assert access(PRODUCTION, access_token=token) == NoAccess()


def test_28_a_sandbox_reads_open_servers_of_this_machine_only() -> None:
    granted = without_authorization(SANDBOX, HERE)
    assert isinstance(granted, Access)
    assert granted.token == ""
    assert isinstance(access(SANDBOX, HERE, access_token=""), Access)
    assert without_authorization(SANDBOX, "https://bound.example/fhir") == NoAccess()
    assert isinstance(access(SANDBOX, "https://bound.example/fhir"), Access)


@pytest.mark.parametrize(("kind", "granted"), [("Bearer", True), ("bearer", True), ("BEARER", True), (..., True),
                                               ("MAC", False), ("Bearer ", False), ("basic", False)])  # fmt: skip
def test_F4_bearer_in_any_case(kind: Any, *, granted: bool) -> None:
    assert isinstance(access(PRODUCTION, token_type=kind), Access) == granted


@pytest.mark.parametrize(
    ("expires_in", "deadline"),
    [
        (300, 100.4), ("300", 100.4), (1e12, 100.4), (1.5, 100.4), (1, 100.4), (..., 100.4), (None, 100.4),
        ("soon", 100.4), (True, 100.4), ([], 100.4), ("1e999", 100.4),
        (0, None), (-1, None), ("0", None), ("-5", None), (0.99, None),
    ],
)  # fmt: skip
def test_F5_65_a_token_that_runs_out_is_not_used(expires_in: Any, deadline: float | None) -> None:
    granted = access(PRODUCTION, expires_in=expires_in)
    if deadline is None:
        assert granted == NoAccess("token has expired")
    else:
        assert isinstance(granted, Access)
        assert granted.deadline == deadline


def test_F5_the_deadline_is_not_after_the_expiry() -> None:
    slow = Reading.of(Settings.model_construct(mode="production", fhir_seconds=9.01), client(), {}, [EHR])
    granted = access(slow, expires_in=2)
    assert isinstance(granted, Access)
    assert granted.deadline == 102.0


@pytest.mark.parametrize(("seconds", "reading"), [(0.4, 0.39), (0.02, 0.01), (0.01, 0.005)])
def test_time_is_left_to_judge_what_was_read(seconds: float, reading: float) -> None:
    asked = Reading.of(Settings.model_construct(mode="production", fhir_seconds=seconds), client(), {}, [EHR])
    assert asked.seconds == pytest.approx(reading)


@pytest.mark.parametrize(
    "scope",
    [
        "patient/*.read",
        "user/Observation.rs",
        "MedicationRequest.Read (R4) Patient.Read (R4)",
        "",
        ...,
        None,
        7,
        "launch",
    ],
)
def test_F6_scopes_are_for_the_server_to_judge(scope: Any) -> None:
    assert isinstance(access(PRODUCTION, scope=scope), Access)


@pytest.mark.parametrize(("patient", "granted"), [("p1", True), ("Patient/p1", True), ("", True), (None, True),
                                                  ("p2", False), ("Patient/p2", False), ("p11", False)])  # fmt: skip
def test_F7_66_a_token_for_another_patient_is_not_used(patient: Any, *, granted: bool) -> None:
    found = access(PRODUCTION, patient=patient)
    assert isinstance(found, Access) == granted
    assert granted or found == NoAccess("token is for another patient")


@pytest.mark.parametrize(
    "server",
    ["https://ehr.example/fhir/", "https://EHR.example:443/fhir"],
)
def test_F8_64_the_bound_server_in_other_words(server: str) -> None:
    assert isinstance(access(PRODUCTION, server), Access)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("https://other.example/fhir", "not a server of this client"),
        ("https://ehr.example/fhir/tenant", "not a server of this client"),
        ("https://localhost/fhir", "not a server of this client"),
        ("https://[::1]/fhir", "not a server of this client"),
        ("https://10.0.0.5/fhir", "not a server of this client"),
        ("https://0x7f000001/fhir", "not a server of this client"),
        ("https://ehr.example:22/fhir", "not a server of this client"),
        ("https://user@ehr.example/fhir", "not the base of a FHIR server"),
        ("https://ehr.example/fhir?x=1", "not the base of a FHIR server"),
        ("https://ehr.example/fhir#x", "not the base of a FHIR server"),
    ],
)
def test_F8_61_63_64_any_other_server_is_not_read(server: str, reason: str) -> None:
    assert access(PRODUCTION, server) == NoAccess(reason)


@pytest.mark.parametrize(
    "server",
    [
        "http://ehr.example/fhir",
        "http://169.254.169.254/",
        "http://localhost:8090",
        "file:///etc/passwd",
        "gopher://x/",
    ],
)
def test_61_production_takes_https_only(server: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        access(PRODUCTION, server)
    assert refused.value.at == "fhirServer"
    assert server not in refused.value.outcome().decode()


@pytest.mark.parametrize(
    "server", ["http://169.254.169.254/", "http://10.0.0.5/fhir", "file:///etc/passwd", "gopher://x/"]
)
def test_61_a_sandbox_does_not_leave_the_machine(server: str) -> None:
    assert isinstance(access(SANDBOX, server), NoAccess)


def test_F3_the_token_stands_in_no_text() -> None:
    granted = access(PRODUCTION)
    assert TOKEN not in repr(granted)

"""P1, P5: the same patient gets the same cards by prefetch, by part of it, and from a real FHIR server alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from cards.facts import Input
from cds_service import services
from tests.conformance.calls import Json, topics
from tests.integration.ehr import Ehr
from tests.integration.people import Person, everyone
from tests.integration.service import Service, without_uuids

TEMPLATES = services.prefetch(frozenset(Input))
PEOPLE = everyone()

Way = Callable[[Json], Any]
"""From a whole prefetch to what the EHR sends of it."""
WAYS: dict[str, Way] = {
    "partial: patient and kidney": lambda whole: {key: whole[key] for key in ("patient", "kidney")},
    "partial: all but kidney": lambda whole: {key: value for key, value in whole.items() if key != "kidney"},
    "partial: medications alone": lambda whole: {"medications": whole["medications"]},
    "partial: every second key": lambda whole: dict(list(whole.items())[::2]),
    "HTML in place of lists": lambda whole: whole | dict.fromkeys(["conditions", "medications"], "<html>"),
    "empty": lambda whole: {},
    "null": lambda whole: None,
    "none": lambda whole: ...,
}


@cache
def _service() -> Service:
    return Service()


def service(person: Person) -> Service:
    """On the day after the newest entries of this chart."""
    found = _service()
    found.today = person.today
    return found


def call(person: Person, server: Ehr | None, prefetch: Any, **more: Any) -> Json:
    request = copy.deepcopy(person.request) | {"prefetch": prefetch} | more
    request.pop("fhirServer", None)
    if server is not None:
        request["fhirServer"] = server.base
    return {name: value for name, value in request.items() if value is not ...}


def authorization(token: str, person: Person) -> Json:
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "baclofen-cds",
        "patient": person.id,
    }


@pytest.fixture(params=PEOPLE, ids=lambda person: person.name)
def person(request: pytest.FixtureRequest) -> Person:
    found: Person = request.param
    return found


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_P1_the_same_cards_by_every_way(person: Person, way: Way, open_ehr: Ehr) -> None:
    whole = open_ehr.prefetch(TEMPLATES, person.id)
    expected = without_uuids(service(person).cards(call(person, open_ehr, whole)))
    assert without_uuids(service(person).cards(call(person, open_ehr, way(whole)))) == expected
    assert "dataUnavailable" not in topics(expected)


def test_P1_the_prefetch_of_a_server_is_that_of_the_fixture(person: Person, open_ehr: Ehr) -> None:
    """Without what the tests add: what the FHIR server hands out is what it was given."""
    added = {one["id"] for one in (*person.added(), *person.further())}
    whole = open_ehr.prefetch(TEMPLATES, person.id)
    for listed in (value for value in whole.values() if value["resourceType"] == "Bundle"):
        listed["entry"] = [one for one in listed.get("entry", ()) if one["resource"]["id"] not in added]
        listed["total"] = len(listed["entry"])
    by_server = service(person).cards(call(person, None, whole))
    by_fixture = service(person).cards(call(person, None, person.request["prefetch"]))
    assert without_uuids(by_server) == without_uuids(by_fixture)


def test_the_orders_that_were_added_are_seen(open_ehr: Ehr) -> None:
    """Else "the same cards" would say little: the reference leads to the drug only through the server."""
    seen = 0
    for person in PEOPLE:
        shown = str(service(person).cards(call(person, open_ehr, ...)))
        if any(one["id"].startswith("oxycodone") for one in person.added()):
            assert "xycodone" in shown, person.name
            seen += 1
    assert seen >= 3


def test_no_search_could_be_lost_unnoticed(open_ehr: Ehr) -> None:
    """Else "the same cards" would say little: each key matters to somebody, and most people get a card."""
    matters: dict[str, int] = dict.fromkeys(TEMPLATES, 0)
    shown = []
    for person in PEOPLE:
        whole = open_ehr.prefetch(TEMPLATES, person.id)
        expected = without_uuids(service(person).cards(call(person, open_ehr, whole)))
        shown.append(topics(expected))
        for key in TEMPLATES:
            without = without_uuids(service(person).cards(call(person, open_ehr, whole | {key: None})))
            matters[key] += without != expected
    assert all(matters.values()), matters
    assert sum(map(bool, shown)) >= 12
    assert len({topic for one in shown for topic in one}) >= 8, shown


@pytest.mark.parametrize("page", [1, 3])
def test_P9_a_prefetch_of_first_pages_is_read_to_the_end(person: Person, page: int, open_ehr: Ehr) -> None:
    small = {key: text.replace("_count=100", f"_count={page}").replace("_count=200", f"_count={page}")
             for key, text in TEMPLATES.items()}  # fmt: skip
    whole = open_ehr.prefetch(TEMPLATES, person.id)
    first = open_ehr.prefetch(small, person.id)
    pages = max(value.get("total", 0) / page for value in whole.values())
    if pages > 20:
        pytest.skip("more pages than are followed")
    assert without_uuids(service(person).cards(call(person, open_ehr, first))) == without_uuids(
        service(person).cards(call(person, open_ehr, whole))
    )


# --------------------------------------------------------------------------------------------------- with a token


SCOPES = " ".join(f"system/{kind}.rs" for kind in ("Patient", "Observation", "MedicationRequest", "Medication",
                                                     "Condition", "Procedure", "AllergyIntolerance"))  # fmt: skip
"""What docs/integrators.md asks for, and nothing else."""
TOKENS: dict[str, Callable[[Ehr], str]] = {
    "static": lambda ehr: ehr.token,
    "SMART, just the scopes": lambda ehr: str(ehr.smart_token(SCOPES)["access_token"]),
}
KINDS = {name: WAYS[name] for name in ("partial: every second key", "null", "none")}


@pytest.mark.parametrize("way", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_P1_F2_the_same_cards_with_a_token(
    person: Person, way: Way, token: Callable[[Ehr], str], protected_ehr: Ehr
) -> None:
    whole = protected_ehr.prefetch(TEMPLATES, person.id)
    with_token = {"fhirAuthorization": authorization(token(protected_ehr), person)}
    by_prefetch = service(person).cards(call(person, protected_ehr, whole, **with_token))
    by_token = service(person).cards(call(person, protected_ehr, way(whole), **with_token))
    assert without_uuids(by_token) == without_uuids(by_prefetch)
    assert "dataUnavailable" not in topics(by_token)


@pytest.mark.parametrize("scope", ["system/*.read", "system/*.rs"])
def test_F6_smart_scopes_of_both_versions(scope: str, protected_ehr: Ehr) -> None:
    person = PEOPLE[0]
    token = protected_ehr.smart_token(scope)
    sent = authorization(token["access_token"], person) | {"scope": token["scope"], "expires_in": token["expires_in"]}
    shown = service(person).cards(call(person, protected_ehr, ..., fhirAuthorization=sent))
    assert "dataUnavailable" not in topics(shown)


def test_66_what_the_scopes_leave_out_is_said(protected_ehr: Ehr) -> None:
    person = next(one for one in PEOPLE if one.name == "ckd-3b-new-order")
    scopes = "system/Patient.rs system/MedicationRequest.rs system/Medication.rs system/Condition.rs"
    token = protected_ehr.smart_token(scopes)["access_token"]
    shown = service(person).cards(call(person, protected_ehr, ..., fhirAuthorization=authorization(token, person)))
    assert "dataUnavailable" in topics(shown)
    assert "the EHR did not allow it" in str(shown)
    assert token not in str(shown)


@pytest.mark.parametrize("token", ["expired-or-revoked", "", None])
def test_65_68_without_a_good_token_and_prefetch_it_is_412(token: Any, protected_ehr: Ehr) -> None:
    person = PEOPLE[0]
    sent = authorization(token, person)
    (response,) = service(person).post(call(person, protected_ehr, ..., fhirAuthorization=sent))
    assert response.status_code == 412
    assert "fhirAuthorization" in response.json()["issue"][0]["diagnostics"]


def test_F7_a_token_for_another_patient_is_never_sent(protected_ehr: Ehr) -> None:
    person, other = PEOPLE[0], PEOPLE[1]
    sent = authorization(protected_ehr.token, other)
    (response,) = service(person).post(call(person, protected_ehr, ..., fhirAuthorization=sent))
    assert response.status_code == 412

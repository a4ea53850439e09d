"""Checklist 2.5: prefetch. P2 and P4 are checked on discovery; pages and reading from a FHIR server come later."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest

from cards.facts import Hook
from cds_service import hooks
from cds_service.records import NotAvailable, PatientRecords, Records, collect
from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    Client,
    Json,
    active,
    assert_refused,
    cards,
    chart,
    egfr,
    has_kidney_card,
    order,
    order_sign,
    outcome,
    patient,
    post,
    search,
    severe,
    text_of,
    topics,
)

KEYS = ("patient", "kidney", "medications", "conditions", "procedures", "allergies", "observations")


def read(prefetch: Any, aliases: dict[str, str] | None = None) -> PatientRecords:
    call = hooks.parse(json.dumps(order_sign(prefetch=prefetch)).encode(), list(Hook))
    return collect(call, aliases)


def read_kidney(value: Any) -> Records | NotAvailable:
    return read(chart(kidney=value)).kidney


def ids(found: Records | NotAvailable) -> list[str | None]:
    assert isinstance(found, Records)
    return [getattr(one, "id", None) for one in found.resources]


# ---------------------------------------------------------------------------------------------------------- the P-table


def test_P_table_key_absent_is_not_available() -> None:
    found = read_kidney(...)
    assert isinstance(found, NotAvailable)
    assert "not send" in found.reason


@pytest.mark.parametrize(
    "value",
    [
        None,
        search(),
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": None},
        {"resourceType": "Bundle", "total": 0},
        {"resourceType": "Bundle", "entry": [None, {}, {"resource": None}]},
        search(outcome("warning"), total=0),
        search(outcome("information"), total=0),
        {
            "resourceType": "Bundle",
            "total": 0,
            "entry": [{"resource": outcome("warning"), "search": {"mode": "outcome"}}],
        },
    ],
    ids=str,
)
def test_P_table_read_and_nothing_there(value: Any) -> None:
    assert read_kidney(value) == Records()


@pytest.mark.parametrize(
    "value",
    [
        outcome("error"),
        outcome("fatal"),
        outcome("warning"),
        {"resourceType": "OperationOutcome"},
        search(outcome("error")),
        search(outcome("fatal"), total=0),
        search({"resourceType": "OperationOutcome", "id": "x"}),
        {"response": {"status": "404 Not Found"}},
        {"response": {"status": "500"}, "resource": egfr()},
    ],
    ids=str,
)
def test_P_table_failed(value: Any) -> None:
    found = read_kidney(value)
    assert isinstance(found, NotAvailable)
    assert "could not read" in found.reason


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "<html><body>Apache Tomcat</body></html>",
        7,
        True,
        [],
        [egfr()],
        {},
        {"resourceType": "Condition", "id": "c"},
        {"resourceType": "CarePlan"},
        search(patient()),
        search({"resourceType": "CarePlan", "id": "x"}),
    ],
    ids=str,
)
def test_P_table_something_else(value: Any) -> None:
    found = read_kidney(value)
    assert isinstance(found, NotAvailable)
    assert "something else" in found.reason


def test_P_table_matches_beside_a_warning_may_be_partial() -> None:
    found = read_kidney(search(egfr(), outcome("warning"), total=1))
    assert ids(found) == ["egfr-1"]
    assert isinstance(found, Records)
    assert "partial" in found.incomplete


def test_P_table_matches_beside_an_information_are_whole() -> None:
    found = read_kidney(search(egfr(), outcome("information"), total=1))
    assert isinstance(found, Records)
    assert found.incomplete == ""


def test_P_table_matches_beside_an_error_are_used_and_prove_no_absence() -> None:
    """What was read is true; that nothing else is there is not known."""
    found = read_kidney(search(egfr(), outcome("error"), total=1))
    assert ids(found) == ["egfr-1"]
    assert isinstance(found, Records)
    assert "error" in found.incomplete


def test_P_table_a_read_answered_by_a_bundle_and_a_search_by_one_resource() -> None:
    found = read(chart(patient=search(patient()), kidney=egfr()))
    assert ids(found.patient) == ["p1"]
    assert ids(found.kidney) == ["egfr-1"]


def test_P_table_the_wrapper_of_before_1_0() -> None:
    found = read(
        chart(
            patient={"response": {"status": "200 OK"}, "resource": patient()},
            kidney={"response": {"status": "200 OK"}, "resource": search(egfr())},
            medications={"response": {"status": "200 OK"}, "resource": None},
        )
    )
    assert ids(found.patient) == ["p1"]
    assert ids(found.kidney) == ["egfr-1"]
    assert found.medications == Records()


@pytest.mark.parametrize(
    "bad",
    [
        {"resource": egfr(value=1, identity="bad") | {"effectivePeriod": "text"}},
        {"resource": {"resourceType": "Observation", "id": "bad", "status": 7}},
        {"resource": "text"},
        {"resource": []},
        "text",
        {"resource": egfr(), "search": "text"},
        {"resource": {"id": "no type"}},
    ],
    ids=str,
)
def test_a_bad_entry_costs_only_itself_and_is_said(bad: Any) -> None:
    bundle = search(egfr(20, identity="good"))
    bundle["entry"].append(bad)
    found = read_kidney(bundle)
    assert ids(found) == ["good"]
    assert isinstance(found, Records)
    assert found.incomplete


def test_an_unreadable_answer_is_never_an_empty_one() -> None:
    for bad in ("text", {"resourceType": "Observation", "status": 7}):
        found = read_kidney({"resourceType": "Bundle", "entry": [{"resource": bad}]})
        assert isinstance(found, Records)
        assert found.unreadable
        assert found.incomplete


# -------------------------------------------------------------------------------------------------------- rows P1 - P12


def test_P1_works_from_prefetch_alone(client: Client) -> None:
    assert has_kidney_card(cards(client, severe()))


@pytest.mark.parametrize(
    "keys",
    [keys for n in range(len(KEYS)) for keys in itertools.combinations(KEYS, n)],
    ids=lambda keys: "+".join(keys) or "none",
)
def test_P5_every_subset_of_keys_says_what_it_could_not_check(client: Client, keys: tuple[str, ...]) -> None:
    """2^n: with nothing at all 412, else cards that name the gaps. Never silence."""
    request = order_sign(order(mg=5), prefetch={key: chart()[key] for key in keys})
    if not keys:
        assert_refused(post(client, request), 412)
        return
    shown = cards(client, request)
    assert "dataUnavailable" in topics(shown) or "Could not" in text_of(shown)


@pytest.mark.parametrize("prefetch", [{}, None, {"unknown": None}, {"patient": outcome("error")}, {"kidney": "<html>"}])
def test_P6_baclofen_and_nothing_about_the_patient_is_412(client: Client, prefetch: Any) -> None:
    request = order_sign() | {"prefetch": prefetch}
    issue = assert_refused(post(client, request), 412)
    for key in KEYS:
        assert key in issue["diagnostics"]


def test_P6_measured_and_absent_is_never_412(client: Client) -> None:
    assert cards(client, order_sign(prefetch=dict.fromkeys(KEYS)))


def test_P7_an_operation_outcome_is_a_gap_that_is_said(client: Client) -> None:
    shown = cards(client, order_sign(order(mg=5), prefetch=chart(kidney=outcome("error", "transient"))))
    assert "kidney" in text_of(shown)


def test_P8_missing_null_and_empty_are_different(client: Client) -> None:
    missing = cards(client, order_sign(order(mg=5), prefetch=chart(kidney=...)))
    null = cards(client, order_sign(order(mg=5), prefetch=chart(kidney=None)))
    empty = cards(client, order_sign(order(mg=5), prefetch=chart(kidney=search())))
    assert "dataUnavailable" in topics(missing)
    assert topics(null) == topics(empty)
    assert "renalFunctionUnknown" in topics(null)
    assert "dataUnavailable" not in topics(null)


FIVE: Json = {"allergies": ..., "observations": ...}
"""What a client does not send that types the keys of an earlier release in by hand."""
ON_CHART: Json = {"medications": search(active("m1", BACLOFEN_10))}
RENEWED: Json = {"priorPrescription": {"reference": "MedicationRequest/m1"}}


def test_P8_keys_that_are_not_sent_are_said_in_one_card(client: Client) -> None:
    shown = cards(client, order_sign(order(mg=5), prefetch=chart(**FIVE)))
    assert topics(shown) == ["dataUnavailable"]
    for name in ("allergy list", "alcohol, pregnancy and body measurements"):
        assert shown[0]["detail"].count(name) == 1
    assert shown[0]["indicator"] == "info"


@pytest.mark.parametrize(
    ("draft", "keys", "named"),
    [
        (order(mg=5), {"observations": ...}, True),
        (order(mg=5, times=2, **RENEWED), ON_CHART | {"observations": ...}, True),
        (order(mg=5, times=1, **RENEWED), ON_CHART | {"observations": ...}, True),
        (order(mg=5, times=1, **RENEWED), ON_CHART | {"observations": ..., "patient": patient(gender="male")}, False),
        (order(mg=5, times=2, status="stopped"), ON_CHART | FIVE, False),
    ],
    ids=["start", "renewal", "a decrease, she may be pregnant", "a decrease, a man", "a stop"],
)
def test_P8_a_key_that_is_not_sent_is_named_only_where_it_could_matter(
    client: Client, draft: Json, keys: Json, named: bool
) -> None:
    text = text_of(cards(client, order_sign(draft, prefetch=chart(**keys))))
    assert ("alcohol, pregnancy and body measurements" in text) is named


@pytest.mark.parametrize("url", ["https://ehr.example/fhir?page=2", "?page=2", "https://evil.example/"])
def test_P9_further_pages_make_the_list_incomplete(url: str) -> None:
    """Nothing is followed in this release: absence then proves nothing."""
    found = read(chart(medications=search(link=[{"relation": "self", "url": "x"}, {"relation": "next", "url": url}])))
    assert isinstance(found.medications, Records)
    assert "further pages" in found.medications.incomplete


def test_P9_fewer_entries_than_the_total_make_the_list_incomplete() -> None:
    found = read(chart(medications=search(active("m1", OXYCODONE), total=120)))
    assert isinstance(found.medications, Records)
    assert "part" in found.medications.incomplete


NEWEST_FIRST = [
    {"relation": "self", "url": "https://ehr.example/fhir/Observation?patient=p1&_sort=-date&_count=2"},
    {"relation": "next", "url": "https://ehr.example/fhir?page=2"},
]


@pytest.mark.parametrize(
    ("dates", "link", "whole"),
    [
        (("2026-11-10", "2025-11-23"), NEWEST_FIRST, True),
        (("2026-11-10", "2025-11-24"), NEWEST_FIRST, False),
        (("2025-11-23", "2026-11-10"), NEWEST_FIRST, False),
        (("2026-11-10", "2025-11-23"), NEWEST_FIRST[1:], False),
    ],
    ids=["366 days back", "365 days back", "not sorted", "the server does not say how it sorted"],
)
def test_P9_kidney_results_cut_off_newest_first_lack_only_older_ones(
    client: Client, dates: tuple[str, str], link: list[Json], whole: bool
) -> None:
    results = [egfr(95, day, f"e{number}") for number, day in enumerate(dates)]
    shown = cards(client, order_sign(order(mg=5), prefetch=chart(kidney=search(*results, total=9, link=link))))
    assert ("further pages" not in text_of(shown)) == whole


def test_P9_an_incomplete_list_is_said(client: Client) -> None:
    medications = search(link=[{"relation": "next", "url": "https://ehr.example/fhir?page=2"}])
    shown = cards(client, order_sign(order(mg=5), prefetch=chart(medications=medications)))
    assert "medication list" in text_of(shown)
    assert "further pages" in text_of(shown)


@pytest.mark.parametrize(
    "subject", ["Patient/p2", "https://ehr.example/fhir/Patient/p2", "Group/p1", "urn:uuid:p2", "Patient/p11", "p2"]
)
def test_P10_another_patients_result_is_not_used(client: Client, subject: str) -> None:
    foreign = egfr(20, "2026-11-20", "foreign", subject={"reference": subject})
    found = read(chart(kidney=search(egfr(), foreign)))
    assert ids(found.kidney) == ["egfr-1"]
    assert found.dropped == 1
    assert not has_kidney_card(cards(client, order_sign(prefetch=chart(kidney=search(egfr(), foreign)))))


@pytest.mark.parametrize(
    "subject", ["Patient/p1", "https://ehr.example/fhir/Patient/p1", "Patient/p1/_history/3", "urn:uuid:p1", "p1", "#p"]
)
def test_P10_the_context_patient_in_other_words(subject: str) -> None:
    assert ids(read_kidney(search(egfr(subject={"reference": subject})))) == ["egfr-1"]


def test_P10_a_list_of_another_patient_alone_is_not_an_empty_list() -> None:
    found = read_kidney(search(egfr(20, subject={"reference": "Patient/p2"})))
    assert isinstance(found, NotAvailable)
    assert "another patient" in found.reason


def test_P10_another_patient_under_the_patient_key() -> None:
    found = read(chart(patient=patient(id="p2")))
    assert isinstance(found.patient, NotAvailable)
    assert found.dropped == 1


def test_P10_resources_of_another_type_are_used_where_they_belong() -> None:
    """An answer that was mixed up or widened with _include: nothing is lost, and it answers only its own key."""
    found = read(chart(kidney=search(egfr(), active("m1", OXYCODONE)), medications=...))
    assert ids(found.kidney) == ["egfr-1"]
    assert isinstance(found.medications, NotAvailable)
    assert ids(found.others) == ["m1"]
    assert found.others.incomplete


def test_P11_filters_and_order_of_the_client_are_not_trusted(client: Client) -> None:
    """Unsorted, unfiltered: the same answer."""
    other = egfr(5, "2026-11-20", "sodium") | {
        "code": {"coding": [{"system": "http://loinc.org", "code": "2951-2", "display": "Sodium"}]}
    }
    wanted = severe(order(mg=2.5, times=2))
    noisy = copy.deepcopy(wanted)
    noisy["prefetch"]["kidney"] = search(
        egfr(88, "2024-01-01", "old"), other, egfr(20), egfr(90, "2026-11-20", "error", status="entered-in-error")
    )
    assert topics(cards(client, noisy)) == topics(cards(client, wanted))


def test_P12_unknown_keys_are_used_and_prove_no_absence(client: Client) -> None:
    prefetch = chart(kidney=..., labs2=search(egfr(20)))
    assert has_kidney_card(cards(client, order_sign(prefetch=prefetch)))


def test_P12_a_site_may_name_the_keys_otherwise() -> None:
    aliases = {"egfr": "kidney", "creatinine": "kidney"}
    found = read({"egfr": search(egfr(20)), "creatinine": search(egfr(identity="second"))}, aliases)
    assert ids(found.kidney) == ["egfr-1", "second"]
    assert isinstance(found.kidney, Records)
    assert found.kidney.incomplete == ""


def test_P12_one_of_two_aliases_failed() -> None:
    aliases = {"egfr": "kidney", "creatinine": "kidney"}
    found = read({"egfr": outcome("error"), "creatinine": search(egfr())}, aliases)
    assert ids(found.kidney) == ["egfr-1"]
    assert isinstance(found.kidney, Records)
    assert found.kidney.incomplete


def test_P12_the_keys_of_common_test_clients_in_sandbox_mode(client: Client) -> None:
    prefetch = {
        "patient": patient(),
        "egfr": search(egfr(20)),
        "meds": search(active("m1", OXYCODONE)),
        "conditions": search(),
        "procedures": search(),
        "allergies": search(),
        "observations": search(),
    }
    shown = cards(client, order_sign(prefetch=prefetch))
    assert has_kidney_card(shown)
    assert "dataUnavailable" not in topics(shown)


def test_patient_found_under_another_key() -> None:
    """The CRD request generator sends everything under one key."""
    found = read({"medicationRequestBundle": search(patient())})
    assert ids(found.patient) == ["p1"]


def test_a_second_value_for_one_key_is_ambiguous(client: Client) -> None:
    body = json.dumps(order_sign(prefetch={"kidney": search(egfr(20)), "kidnez": search(egfr(90))}))
    assert_refused(post(client, body.replace("kidnez", "kidney")), 400)


def test_a_wide_chart_keeps_every_resource() -> None:
    many: list[Json] = [egfr(60 + n % 30, identity=f"e{n}") for n in range(500)]
    assert len(ids(read_kidney(search(*many)))) == 500

"""The chart as it was: what came later is not there, and what has ended since was running."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.replay.chart import as_of, in_turn, read_line

MARCH_5 = datetime(2024, 3, 5, 23, 59, 59, 999999, tzinfo=UTC)


def line(kind: str, **elements: Any) -> Any:
    return read_line(kind, json.dumps({"resourceType": kind, "id": "x", **elements}).encode())


def seen(kind: str, **elements: Any) -> dict[str, Any] | None:
    found = as_of([line(kind, **elements)], MARCH_5).get(kind)
    return json.loads(found[0]) if found else None


@pytest.mark.parametrize(
    ("kind", "elements"),
    [
        ("Observation", {"effectiveDateTime": "{}"}),
        ("Observation", {"effectivePeriod": {"start": "{}"}}),
        ("Observation", {"issued": "{}"}),
        ("Condition", {"recordedDate": "{}"}),
        ("Condition", {"onsetDateTime": "{}"}),
        ("Procedure", {"performedDateTime": "{}"}),
        ("Procedure", {"performedPeriod": {"start": "{}"}}),
        ("AllergyIntolerance", {"recordedDate": "{}"}),
        ("MedicationRequest", {"authoredOn": "{}", "status": "active"}),
        ("MedicationStatement", {"effectivePeriod": {"start": "{}"}, "status": "active"}),
        ("MedicationDispense", {"whenHandedOver": "{}"}),
    ],
)
def test_what_is_known_that_day_is_there_and_what_came_the_next_day_is_not(kind: str, elements: dict[str, Any]) -> None:
    def on(day: str) -> dict[str, Any]:
        return json.loads(json.dumps(elements).replace("{}", day))  # type: ignore[no-any-return]

    assert seen(kind, **on("2024-03-05")) == {"resourceType": kind, "id": "x", **on("2024-03-05")}
    assert seen(kind, **on("2024-03-05T23:00:00Z")) is not None
    assert seen(kind, **on("2024-03-06")) is None
    assert seen(kind, **on("2024-03-05T23:00:00-05:00")) is None


def test_a_result_without_a_date_stays_for_the_rules_to_say_so() -> None:
    assert seen("Observation", status="final") is not None


def test_a_problem_that_was_resolved_later_was_active() -> None:
    resolved = {"clinicalStatus": {"coding": [{"code": "resolved"}]}, "recordedDate": "2020-01-01"}
    before = seen("Condition", **resolved, abatementDateTime="2024-03-05")
    after = seen("Condition", **resolved, abatementDateTime="2024-03-06")
    assert before is not None
    assert after is not None
    assert before["clinicalStatus"]["coding"][0]["code"] == "resolved"
    assert after["clinicalStatus"]["coding"][0]["code"] == "active"
    assert "abatementDateTime" not in after


def test_a_person_who_died_later_was_alive() -> None:
    assert seen("Patient", deceasedDateTime="2024-03-04") == {
        "resourceType": "Patient", "id": "x", "deceasedDateTime": "2024-03-04",
    }  # fmt: skip
    assert seen("Patient", deceasedDateTime="2024-04-01") == {"resourceType": "Patient", "id": "x"}
    assert seen("Patient", deceasedBoolean=True) == {"resourceType": "Patient", "id": "x"}


@pytest.mark.parametrize(
    ("authored", "supply", "status"),
    [
        ("2023-12-06", {}, "active"),  # 90 days: the assumed supply
        ("2023-12-05", {}, "completed"),  # 91
        ("2024-02-04", {"expectedSupplyDuration": {"value": 30, "unit": "days", "code": "d"}}, "active"),
        ("2024-02-03", {"expectedSupplyDuration": {"value": 30, "unit": "days", "code": "d"}}, "completed"),
        ("2023-01-01", {"validityPeriod": {"end": "2024-03-05"}}, "active"),
        ("2024-03-01", {"validityPeriod": {"end": "2024-03-04"}}, "completed"),
        ("2024", {}, "completed"),  # nobody knows when
    ],
)
def test_an_order_that_has_ended_since_ran_as_long_as_its_supply(authored: str, supply: Any, status: str) -> None:
    order = seen("MedicationRequest", authoredOn=authored, status="completed", dispenseRequest=supply)
    assert order is not None
    assert order["status"] == status


def test_the_next_order_for_the_same_medicine_took_its_place() -> None:
    first = line("MedicationRequest", authoredOn="2024-02-01", status="completed")
    second = line("MedicationRequest", authoredOn="2024-03-01", status="completed")
    third = line("MedicationRequest", authoredOn="2024-03-06", status="completed")
    chart = as_of(in_turn([third, first, second]), MARCH_5)["MedicationRequest"]
    assert {json.loads(one)["authoredOn"]: json.loads(one)["status"] for one in chart} == {
        "2024-02-01": "completed",
        "2024-03-01": "active",
    }


def test_orders_without_a_date_are_not_lost_in_turn() -> None:
    assert [one.known for one in in_turn([line("MedicationRequest", status="active")])] == [None]


def test_decimals_stay_as_they_were_written() -> None:
    raw = b'{"resourceType":"MedicationRequest","authoredOn":"2024-03-01","status":"stopped","value":1.20}'
    assert b"1.20" in as_of([read_line("MedicationRequest", raw)], MARCH_5)["MedicationRequest"][0]

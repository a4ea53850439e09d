"""A prefetch value is read in one pass where all of it is known, else entry by entry: both must say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from cds_service import answers
from cds_service.answers import Answer
from cds_service.records import EXPECTED

Json = dict[str, Any]

MINE, FOREIGN = ({"subject": {"reference": f"Patient/{identity}"}} for identity in ("p1", "p2"))
SEVERITIES = ("information", "warning", "error")
RESOURCES: tuple[Any, ...] = (
    {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": 1.10}, **MINE},
    {"resourceType": "Observation", "id": "o", **FOREIGN},
    {"id": "o", "resourceType": "Observation", "code": {"coding": {"code": 7}}, "status": None},
    {"resourceType": "Condition", "id": "c", "patient": {"reference": "Patient/p2"}},
    {"resourceType": "MedicationRequest", "id": "m", "contained": [{"resourceType": "Medication"}]},
    {"resourceType": "Patient", "id": "p1", "link": [{"type": "seealso"}]},
    {"resourceType": "Patient", "id": "p2"},
    *({"resourceType": "OperationOutcome", "issue": [{"severity": one}]} for one in SEVERITIES),
    {"resourceType": "OperationOutcome"},
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, 5, "x", [], {}, {"id": "x"},
    {"resourceType": "Immunization"}, {"resourceType": "Bundle", "entry": []}, {"resourceType": 7},
    {"resourceType": "Observation", "id": "bad", "status": 5, **MINE},
    {"resourceType": "Condition", "id": "bad", "code": "G35"},
    {"resourceType": "OperationOutcome", "issue": "none"},
)  # fmt: skip
SEARCHES: tuple[Any, ...] = (None, {"mode": "match"}, {"mode": "include"}, {"mode": None}, {}, "match")
RESPONSES: tuple[Any, ...] = (None, {"status": "200 OK"}, {"status": "404"}, {"status": 500}, {})
LINKS: tuple[Any, ...] = (
    None,
    [],
    [{"relation": "next"}],
    [None, {"relation": "self", "url": "x?_sort=-date"}],
    "next",
)
TOTALS: tuple[Any, ...] = (None, 0, 1, 9, 2.5, "3", [])


def some(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def without_absent(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=members)


ENTRIES = st.none() | without_absent(
    resource=some((*RESOURCES, *ODD)), search=some(SEARCHES), response=some(RESPONSES)
) | some(RESOURCES).map(lambda resource: {"resource": resource})  # fmt: skip
BUNDLES = without_absent(
    entry=st.none() | st.lists(ENTRIES, max_size=6), link=some(LINKS), total=some(TOTALS)
).map(lambda members: {"resourceType": "Bundle", **members})  # fmt: skip
VALUES = BUNDLES | some((*RESOURCES, *ODD[1:])) | without_absent(
    resource=some((*RESOURCES, *ODD)) | BUNDLES, response=some(RESPONSES)
)  # fmt: skip


@given(VALUES, some(tuple(EXPECTED)))
@example({"resourceType": "Bundle", "entry": [{"resource": one} for one in RESOURCES]}, "kidney")
@example({"resourceType": "Bundle", "entry": [{"resource": one} for one in (*RESOURCES, *ODD)]}, "kidney")
def test_one_pass_and_entry_by_entry_say_the_same(value: Any, key: str) -> None:
    raw = Raw(json.dumps(value).encode())
    at_once, with_care = Answer("p1", EXPECTED[key]), Answer("p1", EXPECTED[key])
    at_once.read(raw)
    with_care.read_with_care(raw)
    assert at_once == with_care
    assert at_once.records() == with_care.records()


def test_a_usual_bundle_is_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def careful(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Answer, "read_with_care", careful)
    answer = Answer("p1", EXPECTED["kidney"])
    answer.read(Raw(json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in RESOURCES]}).encode()))
    assert len(answer.matches) == 2
    assert answer.dropped == 3
    assert answer.failure == answers.FAILED

"""What is left out of a chart unread: only what a code of ours calls something else, and it changes no reading."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.gather.conditions import problems, procedures
from cds_service.gather.kidney import kidney_results
from cds_service.gather.observations import observations
from cds_service.gather.relevant import relevant
from cds_service.records import NotAvailable, PatientRecords, Records
from tests.unit.charts import ICD10CM, LOINC, NOW, SNOMED, codes, concept, observation, records

CREATININE, GLUCOSE, AUDIT_C = "2160-0", "2345-7", "75626-2"
LOCAL = {"coding": [{"system": "urn:local", "code": "CREA"}]}
BOTH = {"coding": [{"system": LOINC, "code": GLUCOSE}, {"system": LOINC, "code": CREATININE}]}
ONE = {"value": 1, "unit": "mg/dL"}
PANEL: dict[str, Any] = {"component": [{"code": concept(LOINC, CREATININE), "valueQuantity": ONE}]}
HYPERTENSION, DIALYSIS = concept(ICD10CM, "I10"), concept(ICD10CM, "Z99.2")


def condition(code: Any, kind: str = "Condition") -> dict[str, Any]:
    return {"resourceType": kind, "id": "1", "status": "completed", "code": code}


def left(found: Records | NotAvailable) -> int:
    assert isinstance(found, Records)
    return len(found.resources)


@pytest.mark.parametrize(
    ("test", "stays"),
    [
        (observation(GLUCOSE, 5), False),
        (observation(CREATININE, 1), True),
        (observation(AUDIT_C, 3), True),
        (observation(BOTH, 1), True),
        (observation(LOCAL, 1), True),
        (observation({"text": "creatinine"}, 1), True),
        (observation({"coding": [{"system": LOINC}]}, 1), True),
        (observation(GLUCOSE, **PANEL), True),
    ],
    ids=str,
)
@pytest.mark.parametrize("key", ["kidney", "observations"])
def test_tests(key: str, test: dict[str, Any], *, stays: bool) -> None:
    assert left(getattr(relevant(records(**{key: [test]}), codes()), key)) == stays


@pytest.mark.parametrize(
    ("code", "stays"),
    [
        (HYPERTENSION, False), (DIALYSIS, True), ({"text": "dialysis"}, True), (LOCAL, True), (None, True),
        ({"coding": [*HYPERTENSION["coding"], *DIALYSIS["coding"]]}, True), (concept(SNOMED, "38341003"), False),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize(("key", "kind"), [("conditions", "Condition"), ("procedures", "Procedure")])
def test_problems(key: str, kind: str, code: Any, *, stays: bool) -> None:
    assert left(getattr(relevant(records(**{key: [condition(code, kind)]}), codes()), key)) == stays


def test_nothing_else_is_touched() -> None:
    sent = records(patient=[{"resourceType": "Patient"}], others=[observation(GLUCOSE, 5)], allergies=[])
    assert relevant(sent, codes()) == sent
    cut_off = Records(left_whole().resources, incomplete="further pages were not read", newest_first=True)
    assert relevant(replace(sent, kidney=cut_off), codes()).kidney == cut_off


def left_whole() -> Records:
    kidney = records(kidney=[observation(GLUCOSE, 5), observation(CREATININE, 1)]).kidney
    assert isinstance(kidney, Records)
    return kidney


def test_the_readings_are_the_same() -> None:
    sent = records(
        kidney=[observation(code, 1, "mg/dL") for code in (GLUCOSE, CREATININE, AUDIT_C)]
        + [observation(LOCAL, 1), observation(GLUCOSE, **PANEL)],
        observations=[observation(code, 4) for code in (GLUCOSE, AUDIT_C)],
        conditions=[condition(HYPERTENSION), condition(DIALYSIS), condition({"text": "dialysis"})],
        procedures=[condition(code, "Procedure") for code in (HYPERTENSION, DIALYSIS, None)],
    )
    assert readings(relevant(sent, codes())) == readings(sent)


def readings(found: PatientRecords) -> list[Any]:
    return [read(found, codes(), NOW) for read in (kidney_results, observations, problems, procedures)]


@pytest.mark.parametrize("malformed", [5, "creatinine", {"coding": "2160-0"}, {"coding": [{"code": ["2160-0"]}]}])
@pytest.mark.parametrize("key", ["kidney", "observations"])
def test_a_malformed_code_is_said(key: str, malformed: Any) -> None:
    sent = records(**{key: [observation(CREATININE, 1), observation(CREATININE, 1) | {"code": malformed}]})
    found = getattr(relevant(sent, codes()), key)
    assert (left(found), found.incomplete) == (2, "1 of its entries could not be read")
    cut_off = replace(getattr(sent, key), incomplete="further pages were not read")
    assert getattr(relevant(replace(sent, **{key: cut_off}), codes()), key) == cut_off

"""Problems and procedures out of Conditions and Procedures (checklist row 52)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.dialysis import GRAFT_FAILURE
from cards.facts import ChartText, Input, Missing, Origin, Problem, ProblemEntry, ProblemList, Why
from cds_service.gather.conditions import problems, procedures
from cds_service.records import Records
from tests.unit.charts import ICD10CM, NOT_SENT, NOW, SNOMED, Key, codes, concept, records

DIALYSIS, TRANSPLANT, AKI, MS = "Z99.2", "Z94.0", "N17.9", "G35"
HAEMODIALYSIS = concept(SNOMED, "34897002", "Hemodialysis, maintenance in hospital")


def status(code: str) -> dict[str, Any]:
    return concept("http://terminology.hl7.org/CodeSystem/condition-clinical", code)


def condition(code: str | dict[str, Any] = DIALYSIS, **more: Any) -> dict[str, Any]:
    coded = concept(ICD10CM, code) if isinstance(code, str) else code
    given = {"resourceType": "Condition", "id": "1", "code": coded, "clinicalStatus": status("active")}
    return {name: element for name, element in (given | more).items() if element is not None}


def procedure(**more: Any) -> dict[str, Any]:
    given = {"resourceType": "Procedure", "id": "1", "status": "completed", "code": HAEMODIALYSIS}
    return {name: element for name, element in (given | more).items() if element is not None}


def listed(*conditions: dict[str, Any] | str, **keys: Key) -> tuple[ProblemEntry, ...]:
    found = problems(records(conditions=conditions, **keys), codes(), NOW)
    assert isinstance(found, ProblemList)
    return found.entries


def performed(*given: dict[str, Any], **keys: Key) -> tuple[ProblemEntry, ...]:
    found = procedures(records(procedures=given, **keys), codes(), NOW)
    assert isinstance(found, ProblemList)
    return found.entries


# ------------------------------------------------------------------------------------------------------- problems


def test_an_active_problem_with_class_label_and_origin() -> None:
    coded = concept(ICD10CM, DIALYSIS, "Dependence on renal dialysis")
    (entry,) = listed(condition(code=coded, recordedDate="2024-05-06"))
    assert entry == ProblemEntry(
        kinds=frozenset({Problem.DIALYSIS}),
        label=ChartText("Dependence on renal dialysis"),
        active=True,
        recorded=date(2024, 5, 6),
        flags=frozenset(),
        origin=Origin("Condition/1", "ICD-10-CM Z99.2"),
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Z992", Problem.DIALYSIS), (TRANSPLANT, Problem.KIDNEY_TRANSPLANT), (AKI, Problem.ACUTE_KIDNEY_INJURY),
        ("N18.32", Problem.CHRONIC_KIDNEY_DISEASE), ("F10.20", Problem.ALCOHOL_USE_DISORDER),
        ("F32.1", Problem.DEPRESSION), (MS, Problem.SPASTICITY),
    ],
)  # fmt: skip
def test_classes_by_code(code: str, kind: Problem) -> None:
    (entry,) = listed(condition(code))
    assert kind in entry.kinds


def test_all_codings_count_and_one_entry_may_be_of_several_classes() -> None:
    codings = [
        {"system": "urn:local", "code": "X"},
        {"system": ICD10CM, "code": DIALYSIS},
        {"system": ICD10CM, "code": AKI},
    ]
    (entry,) = listed(condition(code={"coding": codings}))
    assert {Problem.DIALYSIS, Problem.ACUTE_KIDNEY_INJURY} <= entry.kinds


def test_flags_of_the_code_are_kept() -> None:
    (entry,) = listed(condition(MS))
    assert "ms" in entry.flags


@pytest.mark.parametrize(("code", "failed"), [("T86.12", True), ("T86.11", True), ("Z94.0", False), ("T86.13", False)])
def test_a_failed_graft_is_flagged_for_the_kidney_resolver(code: str, failed: bool) -> None:
    (entry,) = listed(condition(code))
    assert Problem.KIDNEY_TRANSPLANT in entry.kinds
    assert (GRAFT_FAILURE in entry.flags) is failed


@pytest.mark.parametrize("code", ["J06.9", "Z00.0"])
def test_other_problems_are_of_no_class(code: str) -> None:
    assert listed(condition(code)) == ()


@pytest.mark.parametrize(
    "code", [{"text": "Dependence on renal dialysis"}, concept("urn:local", "X"), {}, None],
    ids=["text", "a system that we do not hold", "empty", "none"],
)  # fmt: skip
def test_text_alone_is_no_diagnosis_but_a_gap(code: dict[str, Any] | None) -> None:
    found = problems(records(conditions=[condition() | {"code": code}, condition(MS)]), codes(), NOW)
    assert isinstance(found, ProblemList)
    assert [entry.label for entry in found.entries] == ["ICD-10-CM G35"]
    assert found.incomplete == "entries without a code that is known here: 1"


@pytest.mark.parametrize("over", [{"clinicalStatus": status("resolved")}, {"verificationStatus": status("refuted")}])
def test_text_that_is_over_or_refuted_is_no_gap(over: dict[str, Any]) -> None:
    found = problems(records(conditions=[condition({"text": "Dialysis"}, **over)]), codes(), NOW)
    assert found == ProblemList()


def test_a_procedure_without_a_name_is_a_gap() -> None:
    found = procedures(records(procedures=[procedure(code=None)]), codes(), NOW)
    assert found == ProblemList((), "entries without a name and a code: 1")


@pytest.mark.parametrize(
    ("clinical", "active"),
    [
        (status("active"), True), (status("recurrence"), True), (status("relapse"), True), (status("inactive"), False),
        (status("remission"), False), (status("resolved"), False), ("active", True), ("resolved", False),
        ("Resolved", False), ({"text": "Resolved"}, False), ({"text": "Active"}, True), (None, True),
        (status("unknown"), True),
    ],
)  # fmt: skip
def test_what_is_past_is_history(clinical: Any, active: bool) -> None:
    (entry,) = listed(condition(clinicalStatus=clinical))
    assert entry.active is active


@pytest.mark.parametrize(
    ("clinical", "abated", "active"),
    [
        (None, "2026-11-23", False), (None, "2026-11-24", True), (None, "2020", False), (None, "long ago", True),
        (status("active"), "2020-01-01", True),
    ],
)  # fmt: skip
def test_abatement_counts_when_there_is_no_status(clinical: Any, abated: str, active: bool) -> None:
    (entry,) = listed(condition(clinicalStatus=clinical, abatementDateTime=abated))
    assert entry.active is active


@pytest.mark.parametrize("verification", [status("entered-in-error"), status("refuted"), "entered-in-error", "refuted"])
def test_errors_and_refuted_problems_do_not_count(verification: Any) -> None:
    assert listed(condition(verificationStatus=verification)) == ()


@pytest.mark.parametrize("verification", [status("confirmed"), status("provisional"), "unconfirmed", None])
def test_unconfirmed_problems_count(verification: Any) -> None:
    assert len(listed(condition(verificationStatus=verification))) == 1


@pytest.mark.parametrize(
    ("dates", "recorded"),
    [
        ({"onsetDateTime": "2020-01-02", "recordedDate": "2024-05-06"}, date(2024, 5, 6)),
        ({"onsetDateTime": "2024-05-06T10:00:00Z", "recordedDate": "2020-01-02"}, date(2024, 5, 6)),
        ({"onsetPeriod": {"start": "2020-01-02"}}, date(2020, 1, 2)),
        ({"assertedDate": "2020-01-02"}, date(2020, 1, 2)),
        ({"dateRecorded": "2020-01-02"}, date(2020, 1, 2)),
        ({"onsetDateTime": "2025", "recordedDate": "2020-01-02"}, date(2020, 1, 2)),
        ({"onsetDateTime": "2020-03"}, date(2020, 3, 31)),
        ({"onsetDateTime": "2026"}, date(2026, 11, 23)),
        ({"onsetDateTime": "childhood"}, None),
        ({}, None),
    ],
)
def test_the_newest_exact_date(dates: dict[str, Any], recorded: date | None) -> None:
    (entry,) = listed(condition(**dates))
    assert entry.recorded == recorded


def test_an_inexact_transplant_is_as_old_as_it_can_be() -> None:
    (entry,) = listed(condition(TRANSPLANT, onsetDateTime="2023"))
    assert entry.recorded == date(2023, 1, 1)


def test_a_label_without_text_is_a_display_or_the_code() -> None:
    shown = {"coding": [{"system": ICD10CM, "code": DIALYSIS, "display": "On\ndialysis"}]}
    assert [entry.label for entry in listed(condition(code=shown))] == ["On dialysis"]
    assert [entry.label for entry in listed(condition(DIALYSIS))] == ["ICD-10-CM Z99.2"]


# ----------------------------------------------------------------------------------------------------- procedures


def test_a_dialysis_session() -> None:
    (entry,) = performed(procedure(performedDateTime="2026-11-20T09:00:00Z"))
    assert (entry.kinds, entry.active) == (frozenset({Problem.DIALYSIS}), False)
    assert entry.recorded == date(2026, 11, 20)
    assert (entry.label, entry.origin.resource) == ("Hemodialysis, maintenance in hospital", "Procedure/1")


@pytest.mark.parametrize(
    ("state", "counts", "active"),
    [
        ("completed", True, False), ("in-progress", True, True), ("not-done", False, False),
        ("entered-in-error", False, False), ("preparation", False, False), ("unknown", False, False),
        (None, False, False),
    ],
)  # fmt: skip
def test_only_what_was_performed_counts(state: str | None, counts: bool, active: bool) -> None:
    found = performed(procedure(status=state))
    assert bool(found) is counts
    assert all(entry.active is active for entry in found)


@pytest.mark.parametrize(
    "dates",
    [
        {"performedPeriod": {"start": "2026-11-01", "end": "2026-11-20"}},
        {"performedPeriod": {"start": "2026-11-20"}},
        {"occurrenceDateTime": "2026-11-20"},
        {"occurrencePeriod": {"start": "2026-11-01", "end": "2026-11-20"}},
    ],
)
def test_when_it_was_performed(dates: dict[str, Any]) -> None:
    (entry,) = performed(procedure(**dates))
    assert entry.recorded == date(2026, 11, 20)


# ------------------------------------------------------------------------------------------------- absence and keys


def test_read_and_nothing_there_is_an_empty_list() -> None:
    assert problems(records(conditions=[]), codes(), NOW) == ProblemList()
    assert procedures(records(procedures=[]), codes(), NOW) == ProblemList()


def test_not_sent_is_missing() -> None:
    assert problems(records(), codes(), NOW) == Missing(Input.PROBLEMS, Why.NOT_AVAILABLE, NOT_SENT.reason)
    assert procedures(records(), codes(), NOW) == Missing(Input.PROCEDURES, Why.NOT_AVAILABLE, NOT_SENT.reason)


def test_entries_under_other_keys_count_but_leave_the_list_incomplete() -> None:
    found = problems(records(others=[condition(), procedure()]), codes(), NOW)
    assert isinstance(found, ProblemList)
    assert ([entry.origin.resource for entry in found.entries], found.incomplete) == (["Condition/1"], NOT_SENT.reason)
    done = procedures(records(others=[condition(), procedure()]), codes(), NOW)
    assert isinstance(done, ProblemList)
    assert ([entry.origin.resource for entry in done.entries], done.incomplete) == (["Procedure/1"], NOT_SENT.reason)


def test_doubles_count_once() -> None:
    assert len(listed(condition(), others=[condition()])) == 1


def test_an_incomplete_list_stays_incomplete() -> None:
    found = problems(records(conditions=Records(incomplete="further pages were not read")), codes(), NOW)
    assert found == ProblemList((), "further pages were not read")


def test_a_malformed_condition_costs_only_itself_and_is_said() -> None:
    found = problems(records(conditions=[condition(), '{"resourceType": "Condition", "code": 7}']), codes(), NOW)
    assert isinstance(found, ProblemList)
    assert (len(found.entries), found.incomplete) == (1, "1 of its entries could not be read")


@pytest.mark.parametrize("element", ["clinicalStatus", "verificationStatus"])
@pytest.mark.parametrize("malformed", [7, [], {"coding": "resolved"}, {"text": ["refuted"]}])
def test_a_malformed_status_ends_nothing(element: str, malformed: Any) -> None:
    (entry,) = listed(condition() | {element: malformed})
    assert entry.active

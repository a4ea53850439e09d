"""The allergy list: what counts as a reaction to baclofen (rules.md 2, IN-ALG)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.facts import Allergy, Input, Missing, Problem, Why
from cds_service.gather.allergies import allergies
from cds_service.records import NotAvailable, Records
from tests.unit.charts import ICD10CM, NOT_SENT, NOW, SNOMED, codes, concept, records

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
BACLOFEN = concept(RXNORM, "1292", "Baclofen")


def allergy(**changes: Any) -> dict[str, Any]:
    given = {
        "resourceType": "AllergyIntolerance", "id": "a1", "clinicalStatus": concept(CLINICAL, "active"),
        "verificationStatus": concept(VERIFICATION, "confirmed"), "type": "allergy", "code": BACLOFEN,
        "patient": {"reference": "Patient/p1"}, "recordedDate": "2021-03-04",
    }  # fmt: skip
    return {name: value for name, value in (given | changes).items() if value is not None}


def read(*entries: Any, **keys: Any) -> tuple[Allergy, ...] | Missing:
    return allergies(records(allergies=entries, **keys), codes(), NOW)


def one(**changes: Any) -> Allergy:
    found = read(allergy(**changes))
    assert isinstance(found, tuple)
    (entry,) = found
    return entry


def test_an_entry() -> None:
    entry = one(recorder={"reference": "Practitioner/1", "display": "Dr Grey"})
    assert (entry.label, entry.intolerance, entry.recorded) == ("Baclofen", False, date(2021, 3, 4))
    assert (entry.recorder, entry.reactions) == ("Dr Grey", ())
    assert (entry.origin.resource, entry.origin.coding) == ("AllergyIntolerance/a1", "RxNorm 1292")


@pytest.mark.parametrize(
    ("type_", "intolerance"),
    [("allergy", False), ("intolerance", True), (None, False), ({"text": "Intolerance"}, True),
     (concept("http://hl7.org/fhir/allergy-intolerance-type", "intolerance"), True), ("other", False)],
)  # fmt: skip
def test_only_what_is_called_an_intolerance_is_one(type_: Any, intolerance: bool) -> None:
    assert one(type=type_).intolerance is intolerance


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"clinicalStatus": concept(CLINICAL, "inactive")}, False),
        ({"clinicalStatus": concept(CLINICAL, "resolved")}, False),
        ({"clinicalStatus": "resolved"}, False),
        ({"clinicalStatus": None}, True),
        ({"verificationStatus": concept(VERIFICATION, "refuted")}, False),
        ({"verificationStatus": concept(VERIFICATION, "entered-in-error")}, False),
        ({"verificationStatus": concept(VERIFICATION, "unconfirmed")}, True),
        ({"verificationStatus": None}, True),
        ({"status": "refuted", "clinicalStatus": None, "verificationStatus": None}, False),
        ({"status": "confirmed", "clinicalStatus": None, "verificationStatus": None}, True),
    ],
)
def test_status(changes: dict[str, Any], counts: bool) -> None:
    assert (read(allergy(**changes)) != ()) is counts


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        (BACLOFEN, True), (concept(SNOMED, "387342009"), True), (concept(RXNORM, "197391"), True),
        (concept("http://www.whocc.no/atc", "M03BX01"), True), ({"text": "Baclofen"}, True),
        ({"text": "Allergy to baclofen"}, True), ({"text": "LIORESAL"}, True), ({"text": "baclofen intolerance"}, True),
        ({"text": "No known allergy to baclofen"}, False), ({"text": "Denies baclofen allergy"}, False),
        (concept(RXNORM, "7804", "oxycodone"), False), (concept(SNOMED, "716186003", "No known allergy"), False),
        ({"text": "arbaclofenium"}, False),
    ],
)  # fmt: skip
def test_which_entries_name_baclofen(code: dict[str, Any] | None, counts: bool) -> None:
    assert (read(allergy(code=code)) != ()) is counts


@pytest.mark.parametrize("code", [None, {}, {"coding": []}])
def test_an_entry_without_a_name_may_be_about_baclofen(code: dict[str, Any] | None) -> None:
    gap = Missing(Input.ALLERGIES, Why.NOT_AVAILABLE, "entries without a name and a code: 1")
    assert read(allergy(code=code)) == gap
    assert read(allergy(code=code, clinicalStatus=concept(CLINICAL, "resolved"))) == ()
    assert read(allergy(code=code), allergy(id="a2")) == (one(id="a2"),)


def test_text_alone_is_marked() -> None:
    assert one(code={"text": "Allergy to baclofen"}).origin.by_text
    assert not one().origin.by_text


def test_baclofen_named_by_the_reaction_or_in_the_old_place() -> None:
    muscle_relaxants = {"text": "Muscle relaxants"}
    assert one(code=muscle_relaxants, reaction=[{"substance": BACLOFEN}]).label == "Muscle relaxants"
    assert one(code=None, substance=BACLOFEN).label == "Baclofen"
    assert read(allergy(code=muscle_relaxants)) == ()


def test_reactions_in_words_and_in_classes() -> None:
    entry = one(
        reaction=[
            {"manifestation": [concept(ICD10CM, "R44.1", "Visual hallucinations"), {"text": "Rash"}]},
            {"manifestation": [{"concept": concept(SNOMED, "7011001", "Hallucinations")}]},
            {"description": "went blue"},
            {"manifestation": [{"text": "Rash"}], "description": "not needed"},
        ]
    )
    assert entry.reactions == ("Visual hallucinations", "Rash", "Hallucinations", "went blue")
    assert entry.reaction_kinds == {Problem.DELIRIUM_HALLUCINATION}


def test_chart_text_is_made_safe() -> None:
    entry = one(code={"text": "baclofen\x07\u202e" + " x" * 200}, reaction=[{"manifestation": [{"text": "a\nb"}]}])
    assert len(entry.label) <= 80
    assert entry.reactions == ("a b",)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"recordedDate": None, "assertedDate": "2020-01-02"}, date(2020, 1, 2)),
        ({"recordedDate": None, "onsetDateTime": "2019"}, date(2019, 1, 1)),
        ({"recordedDate": None}, None),
        ({"recordedDate": "last spring"}, None),
        ({"recordedDate": "2030-01-01"}, NOW.date()),
    ],
)
def test_dates(dates: dict[str, Any], expected: date | None) -> None:
    assert one(**dates).recorded == expected


def test_a_list_that_was_read_and_names_no_baclofen() -> None:
    assert read() == ()
    assert read(allergy(code={"text": "Penicillin"})) == ()


def test_a_list_that_was_not_read_or_not_whole() -> None:
    assert allergies(records(), codes(), NOW) == Missing(Input.ALLERGIES, Why.NOT_AVAILABLE, NOT_SENT.reason)
    failed = NotAvailable("the EHR could not read it")
    assert allergies(records(allergies=failed), codes(), NOW) == Missing(
        Input.ALLERGIES, Why.NOT_AVAILABLE, failed.reason
    )
    cut = Records(incomplete="further pages were not read")
    assert allergies(records(allergies=cut), codes(), NOW) == Missing(
        Input.ALLERGIES, Why.NOT_AVAILABLE, cut.incomplete
    )


def test_a_bad_entry_costs_itself_and_makes_the_list_incomplete() -> None:
    found = read('{"resourceType": "AllergyIntolerance", "id": "bad", "code": 7}')
    assert isinstance(found, Missing)
    both = read('{"resourceType": "AllergyIntolerance", "id": "bad", "code": 7}', allergy())
    assert isinstance(both, tuple)
    assert len(both) == 1


def test_entries_under_other_keys_count_once() -> None:
    found = allergies(records(others=[allergy()]), codes(), NOW)
    assert isinstance(found, tuple)
    assert len(found) == 1
    assert len(tuple(read(allergy(), others=[allergy()]) or ())) == 1  # type: ignore[arg-type]

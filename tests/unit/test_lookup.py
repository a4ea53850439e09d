"""What is kept of the meanings of codings: codes only, with an end, and never a wrong one."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.gather import lookup
from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.lookup import HAS_CODE, Kept, Lookup, codes_of
from cds_service.resources import Code, CodeableConcept, Coded, Coding

LOINC = "http://loinc.org"


def concept(*codes: str | int | None, system: str = LOINC) -> Coded:
    return Coded(coding=tuple([None if code is None else Code(system=system, code=code) for code in codes]))


@pytest.fixture
def asked() -> list[Coded]:
    return []


@pytest.fixture
def meanings(asked: list[Coded]) -> Lookup[str]:
    def meaning(one: Coded) -> str:
        asked.append(one)
        codings = one.coding if isinstance(one.coding, tuple) else [one.coding]
        return "+".join(str(coding.code) for coding in codings if coding is not None)

    return Lookup(meaning)


def test_a_coding_is_worked_out_once(meanings: Lookup[str], asked: list[Coded]) -> None:
    assert meanings[concept("2160-0")] == meanings[concept("2160-0")] == "2160-0"
    assert len(asked) == 1


def test_words_are_left_behind() -> None:
    said = CodeableConcept(coding=(Coding(system=LOINC, code="2160-0", display="a word"), None), text="more words")
    assert codes_of(said) == concept("2160-0")
    assert codes_of(CodeableConcept(coding=Coding(system=LOINC, code="2160-0"))) == concept("2160-0")
    assert codes_of(CodeableConcept(text="words")) is None
    assert codes_of(None) is None


@pytest.mark.parametrize(
    "other",
    [
        concept("2160-0", system="http://snomed.info/sct"),
        concept("2160-0", "98979-8"),
        concept("98979-8", "2160-0"),
        concept("98979-8"),
        concept(2160),
    ],
    ids=str,
)
def test_other_codings_are_not_taken_for_it(meanings: Lookup[str], asked: list[Coded], other: Coded) -> None:
    assert meanings[concept("2160-0")] == "2160-0"
    assert meanings[other]
    assert len(asked) == 2


def test_one_coding_means_the_same_in_a_list_and_alone(meanings: Lookup[str]) -> None:
    assert meanings[Coded(coding=Code(system=LOINC, code="2160-0"))] == meanings[concept("2160-0")]
    assert meanings[concept("2160-0", None)] == "2160-0"


@pytest.mark.parametrize("nothing", [None, Coded(), concept()], ids=str)
def test_without_a_coding_nothing_is_meant(meanings: Lookup[str], nothing: Coded | None) -> None:
    assert meanings[nothing] is None


def test_what_is_kept_has_an_end() -> None:
    kept = Kept(str, most=3)
    for number in range(20):
        assert kept[number] == str(number)
        assert len(kept) <= 3


def test_a_long_coding_is_not_kept(meanings: Lookup[str]) -> None:
    long = "9" * lookup.LONGEST_KEPT
    assert meanings[concept(long)] == long
    assert not meanings


def test_each_reader_has_its_own_meanings() -> None:
    def first(found: Recognition) -> str:
        return f"first {found.coding}"

    def second(found: Recognition) -> str:
        return f"second {found.coding}"

    codes = Codes.load()
    creatinine = msgspec.json.encode(concept("2160-0"))
    assert codes.observations_as(first)[creatinine] == "first LOINC 2160-0"
    assert codes.observations_as(second)[creatinine] == "second LOINC 2160-0"
    assert codes.observations_as(first) is codes.observations_as(first)
    assert codes.problems_as(first)[concept("2160-0")] == "first "


@pytest.mark.parametrize("nothing", [b"null", b"5", b'"x"', b"[]", b"{}", b'{"coding":[]}', b'{"coding":{"code":[]}}'])
def test_a_test_without_codes_or_with_malformed_ones_means_nothing(nothing: bytes) -> None:
    assert Codes.load().observations_as(lambda found: found.coding)[nothing] is None
    assert not HAS_CODE[nothing]

"""Each code of the vocabulary means what the vignettes take it for: these classes and flags, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from cards.facts import DrugClass, Problem
from cards.vignettes import VOCABULARY
from cds_service.gather.codes import Codes
from cds_service.resources import CodeableConcept, Coding
from tests.vignettes.fhir import ATC, ICD10, ICD10CM, NALOXONE, NALOXONE_NAME, RXNORM, SNOMED

_SYSTEMS = {"icd10cm": ICD10CM, "icd10": ICD10, "snomed": SNOMED, "atc": ATC, "ingredient": RXNORM, "products": RXNORM}


@pytest.fixture(scope="module")
def codes() -> Codes:
    return Codes.load()


def _each(kind: str) -> Iterator[Any]:
    for word, meaning in VOCABULARY[kind].items():
        named = meaning.get("codes", {}) | {system: meaning[system] for system in _SYSTEMS if system in meaning}
        for system, given in named.items():
            for code in [one["code"] for one in given] if system == "products" else [given]:
                yield pytest.param(meaning, system, code, id=f"{word}-{system}-{code}")


def _concept(system: str, code: str) -> CodeableConcept:
    return CodeableConcept(coding=(Coding(system=_SYSTEMS[system], code=code),))


def _flags(meaning: dict[str, Any], system: str) -> set[str]:
    return set(meaning.get("flags_of", {}).get(system, meaning.get("flags", ())))


@pytest.mark.parametrize(("meaning", "system", "code"), list(_each("problems")))
def test_problem(codes: Codes, meaning: dict[str, Any], system: str, code: str) -> None:
    found = codes.problem(_concept(system, code)).value_sets
    read = found.keys() & {kind.value for kind in Problem}
    assert read == set(meaning["kinds"])
    assert {flag for kind in read for flag in found[kind]} == _flags(meaning, system)


@pytest.mark.parametrize(("meaning", "system", "code"), list(_each("medicines")))
def test_medicine(codes: Codes, meaning: dict[str, Any], system: str, code: str) -> None:
    found = codes.drug(_concept(system, code)).value_sets
    assert found.keys() == set(meaning["classes"]) <= {kind.value for kind in DrugClass}
    assert {flag for flags in found.values() for flag in flags} == _flags(meaning, system)


@pytest.mark.parametrize("word", list(VOCABULARY["medicines"]))
def test_the_bare_name_of_a_medicine_says_the_same(codes: Codes, word: str) -> None:
    """One style of the requests names medicines by text only."""
    assert codes.drug(CodeableConcept(text=word)).value_sets.keys() == set(VOCABULARY["medicines"][word]["classes"])


@pytest.mark.parametrize("word", [word for word, one in VOCABULARY["medicines"].items() if "opioid" in one])
def test_strength_of_opioid_products(codes: Codes, word: str) -> None:
    meaning = VOCABULARY["medicines"][word]
    for product in meaning["products"]:
        (read,) = codes.opioid_ingredients(_concept("products", product["code"]))
        assert (read.name, read.mg_per_unit) == (meaning["opioid"], Decimal(product["mg"]))


def test_rescue_products(codes: Codes) -> None:
    coded = [CodeableConcept(coding=(Coding(system=system, code=code),)) for system, code in NALOXONE.items()]
    for concept in (*coded, CodeableConcept(text=NALOXONE_NAME)):
        assert DrugClass.OPIOID_RESCUE in codes.drug(concept).value_sets

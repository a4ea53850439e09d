"""What a CodeableConcept means to us: the value sets that its codings, or failing these its text, put it in.

Every coding is looked at, not only the first: EHRs send local codes, ingredients and products side by side. A coding
that is in a drug's set beats any text. A code that is in no set does not say what the drug is (new and retired products
are in no list), so the text may still name it. Problems and observations are never recognised from text: free text
asserts no diagnosis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from cards.facts import Route
from cards.terminology import FOLDER, NOTHING, Kind, Sets, System, Terminology
from cds_service.gather.code_systems import LABELS, known_system, spellings
from cds_service.gather.drug_text import DrugWords, Named, read_route, read_strength
from cds_service.gather.fhir_values import codings
from cds_service.gather.lookup import Lookup, TestLookup
from cds_service.gather.products import Key, Products, Strength
from cds_service.resources import CodeableConcept, Coded

T = TypeVar("T")

HasCodings = CodeableConcept | Coded | None

ORAL = "baclofen-oral-products"
INTRATHECAL = "baclofen-intrathecal-products"
INGREDIENT = "baclofen-ingredient"
BACLOFEN = frozenset({ORAL, INTRATHECAL, INGREDIENT})
"""A concept in one of these sets is baclofen."""
OPIOIDS = "opioid-medications"


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a concept was recognised as. With no value set and not ``covered`` it was not recognised: to be said."""

    value_sets: Mapping[str, frozenset[str]]
    """Value set id → concept flags: drug classes, and others ("baclofen-oral-products", "arbaclofen")."""
    coding: str = ""
    """The first coding that matched, "RxNorm 197391"; empty when none did."""
    by_text: bool = False
    covered: bool = False
    """Some coding is of a system that we cover: without a value set it is "another drug" (resolutions.md 16)."""


UNRECOGNISED = Recognition(NOTHING)
_ANOTHER = Recognition(NOTHING, covered=True)
_KEPT = 50_000
"""Answers kept at most: codings come from outside."""


@dataclass(frozen=True, slots=True)
class BaclofenProduct:
    route: Route | None
    """None: the product does not tell; look at the dosage."""
    mg_per_unit: Decimal | None
    """Milligrams in one tablet, capsule or packet."""
    mg_per_ml: Decimal | None
    label: str
    by_text: bool = False
    """The strength was read from the product's name."""
    doubt: str = ""
    """Why strength or route is left out although the record names one: "its codes name different strengths"."""


@dataclass(frozen=True, slots=True)
class OpioidIngredient:
    name: str
    """Generic name in lower case, "oxycodone"."""
    mg_per_unit: Decimal | None
    mg_per_ml: Decimal | None


class Codes:
    """Looks concepts up. Build once with ``Codes.load()``; safe to share between requests."""

    def __init__(self, terminology: Terminology, words: DrugWords, products: Products) -> None:
        self._terminology = terminology
        self._words = words
        self._products = products
        self._answers: dict[tuple[Kind, str, str | int | float], Recognition] = {}
        self._problems: dict[Callable[[Recognition], Any], Lookup[Any]] = {}
        self._tests: dict[Callable[[Recognition], Any], TestLookup[Any]] = {}

    @classmethod
    def load(cls, snomed: bool = True, dmd: bool = True, folder: Path = FOLDER) -> Codes:
        """``snomed`` and ``dmd``: whether the site may use the files with codes of SNOMED CT and of dm+d."""
        left_out = [system for system, wanted in ((System.SNOMED, snomed), (System.DMD, dmd)) if not wanted]
        return cls(Terminology.load(folder, left_out), DrugWords.load(folder), Products.load(folder, left_out))

    # ------------------------------------------------------------------------------------------- recognition

    def drug(self, concept: CodeableConcept | None) -> Recognition:
        coded = self._by_code(Kind.DRUG, concept)
        if coded.value_sets:
            return coded
        named = self._named(concept)
        if named.refused:
            return UNRECOGNISED
        return Recognition(named.value_sets, by_text=True, covered=coded.covered) if named.value_sets else coded

    def allergen(self, concept: CodeableConcept | None) -> Recognition:
        """What an entry of an allergy list is about; also "allergy to baclofen"."""
        coded = self._by_code(Kind.DRUG, concept)
        named = self._named(concept, allergen=True)
        return coded if coded.value_sets or not named.value_sets else Recognition(named.value_sets, by_text=True)

    def problem(self, concept: HasCodings) -> Recognition:
        """A condition, procedure or reason: by code only."""
        return self._by_code(Kind.PROBLEM, concept)

    def observation(self, concept: HasCodings) -> Recognition:
        """A laboratory result, measurement or questionnaire answer: by code only."""
        return self._by_code(Kind.OBSERVATION, concept)

    def problems_as(self, meaning: Callable[[Recognition], T]) -> Lookup[T]:
        """``problem`` in the eyes of one reader, kept for as long as the value sets are loaded."""
        if meaning not in self._problems:
            self._problems[meaning] = Lookup(lambda coded: meaning(self._by_code(Kind.PROBLEM, coded)))
        return self._problems[meaning]

    def observations_as(self, meaning: Callable[[Recognition], T]) -> TestLookup[T]:
        if meaning not in self._tests:
            self._tests[meaning] = TestLookup(lambda coded: meaning(self._by_code(Kind.OBSERVATION, coded)))
        return self._tests[meaning]

    # ---------------------------------------------------------------------------------------------- products

    def baclofen_product(self, concept: CodeableConcept | None) -> BaclofenProduct | None:
        """Route and strength; ``None`` when the concept is not baclofen. Codes that disagree give no strength."""
        found = self.drug(concept)
        if BACLOFEN.isdisjoint(found.value_sets):
            return None
        rows = [self._products.baclofen[key] for key in self._known(concept) if key in self._products.baclofen]
        texts = list(_texts(concept))
        coded = {row.strength for row in rows if row.strength.known}
        named = {strength for text in texts if (strength := read_strength(text)) is not None}
        routes = {_ROUTES[value_set] for value_set in found.value_sets if value_set in _ROUTES}
        routes = routes or {route for text in texts if (route := read_route(text)) is not None}
        strength, doubt = Strength(), ""
        if len(routes) > 1:
            doubt = "it is named as oral and as another product at once"
        elif len(coded | named) > 1:
            doubt = "its codes or names give different strengths"
        elif coded or named:
            strength = next(iter(coded or named))
        return BaclofenProduct(
            route=next(iter(routes)) if len(routes) == 1 else None,
            mg_per_unit=strength.mg_per_unit,
            mg_per_ml=strength.mg_per_ml,
            label=next((row.display for row in rows), "") or next(iter(texts), "baclofen"),
            by_text=strength.known and not coded,
            doubt=doubt,
        )

    def opioid_ingredients(self, concept: CodeableConcept | None) -> tuple[OpioidIngredient, ...]:
        """The opioids in a product; a strength where the codes that give one agree. Empty for any other drug."""
        if OPIOIDS not in self.drug(concept).value_sets:
            return ()
        strengths: dict[str, set[Strength]] = {}
        for key in self._known(concept):
            for row in self._products.opioids.get(key, ()):
                strengths.setdefault(row.ingredient, set()).update({row.strength} if row.strength.known else ())
        if not strengths:
            strengths = {name: set() for name in self._named(concept).opioids}
        agreed = {name: next(iter(given)) if len(given) == 1 else Strength() for name, given in strengths.items()}
        return tuple(OpioidIngredient(name, one.mg_per_unit, one.mg_per_ml) for name, one in agreed.items())

    # ---------------------------------------------------------------------------------------------- look-ups

    def _by_code(self, kind: Kind, concept: HasCodings) -> Recognition:
        answers = [
            answer
            for coding in codings(concept)
            if coding.system and coding.code is not None
            if (answer := self._answer(kind, coding.system, coding.code)).covered
        ]
        if len(answers) <= 1:
            return answers[0] if answers else UNRECOGNISED
        merged: dict[str, frozenset[str]] = {}
        for answer in answers:
            for value_set, flags in answer.value_sets.items():
                merged[value_set] = merged.get(value_set, frozenset()) | flags
        return Recognition(merged, next((one.coding for one in answers if one.coding), ""), covered=True)

    def _answer(self, kind: Kind, uri: str, code: str | int | float) -> Recognition:
        """What one coding says. Kept: a chart repeats few codings."""
        key = (kind, uri, code)
        answer = self._answers.get(key)
        if answer is None:
            answer = UNRECOGNISED
            system = known_system(uri)
            if system is not None:
                written = _written(code)
                forms = spellings(system, written)
                sets = self._agreed(kind, system, forms)
                if sets:
                    answer = Recognition(sets, f"{LABELS[system]} {written}", covered=True)
                elif forms and self._covers(kind, system):
                    answer = _ANOTHER
            if len(self._answers) >= _KEPT:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def _agreed(self, kind: Kind, system: System, forms: Iterable[str]) -> Sets:
        """The sets of one coding. Where a code can be read in several ways, the readings that are known must agree."""
        known = [sets for form in forms if (sets := self._find(kind, system, form))]
        return known[0] if known and all(sets == known[0] for sets in known) else NOTHING

    def _find(self, kind: Kind, system: System, code: str) -> Sets:
        if system not in _ONE_NUMBERING:
            return self._terminology.find(kind, system, code)
        first, second = (self._terminology.find(kind, either, code) for either in _ONE_NUMBERING)
        if not (first and second):
            return first or second
        return {key: first.get(key, frozenset()) | second.get(key, frozenset()) for key in (*first, *second)}

    def _covers(self, kind: Kind, system: System) -> bool:
        """NDC does not count: we hold the products of a few classes as of one year, so a miss proves nothing."""
        return system is not System.NDC and self._terminology.loaded(kind, system)

    def _known(self, concept: CodeableConcept | None) -> Iterator[Key]:
        """The codings as keys of the product lists; an ambiguous NDC only when its readings agree on the drug."""
        for system, code in _codings(concept):
            forms = spellings(system, code)
            if self._agreed(Kind.DRUG, system, forms):
                either = _ONE_NUMBERING if system in _ONE_NUMBERING else (system,)
                yield from ((one, form) for one in either for form in forms)

    def _named(self, concept: CodeableConcept | None, *, allergen: bool = False) -> Named:
        return self._words.find(" | ".join(text[:400] for text in _texts(concept)), allergen=allergen)


_ONE_NUMBERING = (System.SNOMED, System.DMD)
"""dm+d identifiers are SNOMED CT identifiers and come under either URI."""
_ROUTES = {ORAL: Route.ORAL, INTRATHECAL: Route.INTRATHECAL}


def _codings(concept: HasCodings) -> Iterator[Key]:
    for coding in codings(concept):
        if coding.system and coding.code is not None:
            system = known_system(coding.system)
            if system is not None:
                yield system, _written(coding.code)


def _written(code: str | int | float) -> str:
    """197391 and 197391.0 are "197391"."""
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code).strip()


def _texts(concept: CodeableConcept | None) -> Iterator[str]:
    """The concept's text, then the displays of its codings."""
    if concept is None:
        return
    if concept.text:
        yield concept.text
    yield from (coding.display for coding in codings(concept) if coding.display)

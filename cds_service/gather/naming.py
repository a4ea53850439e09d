"""What names the medicine of an order: its concept, or the Medication that it refers to with all ingredients."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from msgspec import Raw

from cds_service.gather.amounts import Amount, Measure, amount, unit_named
from cds_service.gather.codes import BACLOFEN, Codes
from cds_service.gather.fhir_values import codings, first, number, texts
from cds_service.gather.products import Strength
from cds_service.gather.shelf import Shelf, Shelved
from cds_service.resources import CodeableConcept, CodeableReference, Condition, Ratio, Reference, Substance

_DEEPEST = 3
"""Medication → ingredient → Medication ...: a circle ends here."""


class HasMedicine(Protocol):
    """MedicationRequest, MedicationStatement, MedicationDispense."""

    medicationCodeableConcept: CodeableConcept | None
    medicationReference: Reference | None
    medication: CodeableReference | None
    contained: list[Raw] | None


@dataclass(slots=True)
class Naming:
    """One of the places that name the medicine, and what it leads to."""

    concepts: list[CodeableConcept] = field(default_factory=list)
    """Product first, then ingredients."""
    display: CodeableConcept | None = None
    """The text of a reference: asked only when nothing else was recognised, and for the strength."""
    strengths: list[Strength] = field(default_factory=list)
    """Of a baclofen ingredient, as the Medication resource states it."""
    form: str = ""


def namings(order: HasMedicine, shelf: Shelf, codes: Codes) -> list[Naming]:
    """In the places of R4 and R5; of a reference also its display."""
    concepts = (order.medicationCodeableConcept, order.medication.concept if order.medication else None)
    references = (order.medicationReference, order.medication.reference if order.medication else None)
    found = [Naming([concept]) for concept in concepts if concept is not None]
    return found + [_referenced(one, order.contained, shelf, codes) for one in references if one is not None]


def _referenced(reference: Reference, contained: list[Raw] | None, shelf: Shelf, codes: Codes) -> Naming:
    naming = Naming(display=CodeableConcept(text=reference.display) if reference.display else None)
    _open(naming, shelf.get(reference, contained), _Opening(shelf, codes, tuple(contained or ()), _DEEPEST))
    return naming


@dataclass(frozen=True, slots=True)
class _Opening:
    shelf: Shelf
    codes: Codes
    contained: tuple[Raw, ...]
    depth: int


def _open(naming: Naming, found: Shelved | None, at: _Opening) -> None:
    """Add the code of a Medication or Substance, and of all that it is made of."""
    if found is None or isinstance(found, Condition) or not at.depth:
        return
    if found.code is not None:
        naming.concepts.append(found.code)
    if isinstance(found, Substance):
        return
    naming.form = naming.form or " ".join(texts_of(first(found.form, found.doseForm)))
    deeper = replace(at, contained=(*(found.contained or ()), *at.contained), depth=at.depth - 1)
    for ingredient in found.ingredient or ():
        item = ingredient.item
        concept = first(ingredient.itemCodeableConcept, item.concept if item else None)
        if concept is not None:
            naming.concepts.append(concept)
            if BACLOFEN & at.codes.drug(concept).value_sets.keys():
                naming.strengths += _stated_strength(first(ingredient.strength, ingredient.strengthRatio))
        reference = first(ingredient.itemReference, item.reference if item else None)
        if reference is not None:
            part = at.shelf.get(reference, list(deeper.contained))
            if part is None and reference.display:
                naming.concepts.append(CodeableConcept(text=reference.display))
            _open(naming, part, deeper)


def _stated_strength(ratio: Ratio | None) -> list[Strength]:
    """10 mg per 1 tablet, 5 mg per 1 mL. One mass per another (as some EHRs fill it in) says nothing."""
    if ratio is None or ratio.denominator is None:
        return []
    top, bottom = amount(ratio.numerator, "strength"), number(ratio.denominator.value)
    per = ratio.denominator.code or ratio.denominator.unit or "1"
    unit = "each" if per.strip() == "1" else unit_named(per)
    if not isinstance(bottom, Decimal) or bottom <= 0 or unit not in ("each", "ml"):
        return []
    if not isinstance(top, Amount) or top.measure is not Measure.MG or not top.value:
        return []
    share = top.value / bottom
    return [Strength(mg_per_unit=share) if unit == "each" else Strength(mg_per_ml=share)]


def texts_of(concept: CodeableConcept | None) -> list[str]:
    """Its text, then the displays of its codings."""
    if concept is None:
        return []
    displays = (coding.display for coding in codings(concept))
    return list(texts(concept.text, *displays))

"""Which medicine a resource means: every coding and ingredient is looked at; text is the last resort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from cards.facts import ChartText, DrugClass, Route
from cards.values import frozen_with_once, once
from cds_service.gather.codes import BACLOFEN, BaclofenProduct, Codes, OpioidIngredient, Recognition
from cds_service.gather.drug_text import read_route, tokens
from cds_service.gather.fhir_values import codings
from cds_service.gather.naming import HasMedicine, Naming, namings, texts_of
from cds_service.gather.products import Strength
from cds_service.gather.shelf import Shelf
from cds_service.resources import CodeableConcept, Medication, Reference


@frozen_with_once
class Medicine:
    """What was recognised, from everything that names the medicine."""

    label: ChartText
    name: tuple[str, ...]
    """Equal for two orders of the same drug: its opioids, else the first word of its label."""
    words: frozenset[str]
    """Of the label, folded."""
    value_sets: Mapping[str, frozenset[str]]
    classes: frozenset[DrugClass]
    coding: str
    by_text: bool
    """No code decided."""
    covered: bool
    is_baclofen: bool
    strength: Strength
    """Of baclofen in the product; unknown for other drugs."""
    route: Route | None
    """That the product itself tells, baclofen only."""
    opioids: tuple[OpioidIngredient, ...]
    doubt: str = ""
    """Why no dose of this baclofen can be computed: two medicines are named, or it is a mixture."""
    strength_doubt: str = ""
    """Why ``strength`` is unknown although the record names one."""

    @once
    def recognised(self) -> bool:
        """Some drug, ours or another one (resolutions.md 16)."""
        return bool(self.value_sets) or self.covered

    @once
    def is_asked_of_the_past(self) -> bool:
        """How long ago it was taken matters too."""
        return self.is_baclofen or DrugClass.OPIOID_RESCUE in self.classes

    @property
    def nameless(self) -> bool:
        """Nothing says which medicine it is: no code, no word, and a reference that leads nowhere."""
        return self.label == NAMELESS and not self.recognised

    @once
    def flags(self) -> frozenset[str]:
        return frozenset[str]().union(*self.value_sets.values())


NAMELESS = "a medicine without a name"
_CLASSES = frozenset(kind.value for kind in DrugClass)


# -------------------------------------------------------------------------------------------------- recognising


_Named = tuple[CodeableConcept | None, str | None]
"""The concept of a medicine, and the words of the reference that led to it."""
_KEPT = 4096
_LONGEST_KEPT = 1000
_read_before: WeakKeyDictionary[Codes, dict[_Named, Medicine]] = WeakKeyDictionary()
"""Medicines by what names them, for as long as the value sets are loaded: prescribers use few drugs."""


class Medicines:
    """Reads the medicines of one call."""

    def __init__(self, shelf: Shelf, codes: Codes) -> None:
        self._shelf = shelf
        self._codes = codes
        self._known = _read_before.setdefault(codes, {})
        self._pointed_to: dict[tuple[str | bytes | None, ...], Medicine] = {}

    def of(self, order: HasMedicine) -> Medicine:
        """Both ``medicationCodeableConcept`` and ``medicationReference`` are looked at where both are given."""
        concept, reference = order.medicationCodeableConcept, order.medicationReference
        if order.medication is not None or (concept is None) == (reference is None):
            return self._read(order)
        if reference is None:
            return self._known.get((concept, None)) or self._keep((concept, None), order)
        pointer = (reference.reference, reference.display, *map(bytes, order.contained or ()))
        medicine = self._pointed_to.get(pointer)
        if medicine is None:
            medicine = self._pointed_to[pointer] = self._referenced(reference, order)
        return medicine

    def _referenced(self, reference: Reference, order: HasMedicine) -> Medicine:
        """A Medication that is no more than its code is known by that."""
        pointed = self._shelf.get(reference, order.contained)
        if pointed is not None and not (isinstance(pointed, Medication) and _is_plain(pointed)):
            return self._read(order)
        named = (pointed.code if pointed else None, reference.display)
        return self._known.get(named) or self._keep(named, order)

    def _keep(self, named: _Named, order: HasMedicine) -> Medicine:
        medicine = self._read(order)
        if len(self._known) >= _KEPT:
            self._known.clear()
        if len(str(named)) <= _LONGEST_KEPT:
            self._known[named] = medicine
        return medicine

    def _read(self, order: HasMedicine) -> Medicine:
        codes = self._codes
        named = namings(order, self._shelf, codes)
        read = [(naming, _recognised(naming, codes)) for naming in named]
        value_sets = _union(recognition.value_sets for _, found in read for recognition in found)
        ours = [naming for naming, found in read if any(BACLOFEN & one.value_sets.keys() for one in found)]
        others = [naming for naming, found in read if naming not in ours and any(_known(one) for one in found)]
        recognitions = [one for _, found in read for one in found if one.value_sets]
        coded = [one for one in recognitions if not one.by_text]
        if ours:
            coded = [one for one in coded if BACLOFEN & one.value_sets.keys()]
        strength, route, strength_doubt = _baclofen(ours, codes) if ours else (Strength(), None, "")
        doubt = ""
        if ours and others:
            doubt = "the order names two different medicines"
        elif any(_is_mixture(found) for _, found in read):
            doubt = "baclofen is one of several drugs in this product"
        label = _label(named)
        words = tokens(label)
        opioids = _opioids(named, codes) if DrugClass.OPIOID in value_sets else ()
        first_word = next((word for word in words if word.isalpha() and len(word) > 2), label)
        return Medicine(
            label=label,
            name=tuple(sorted(one.name for one in opioids)) or (first_word,),
            words=frozenset(words),
            value_sets=value_sets,
            classes=frozenset(DrugClass(one) for one in value_sets if one in _CLASSES),
            coding=next((one.coding for one in coded), ""),
            by_text=bool(recognitions) and not coded,
            covered=any(one.covered for _, found in read for one in found),
            is_baclofen=bool(ours),
            strength=strength,
            route=route,
            opioids=opioids,
            doubt=doubt,
            strength_doubt=strength_doubt,
        )


def _is_plain(medication: Medication) -> bool:
    return not (medication.ingredient or medication.form or medication.doseForm)


def _known(recognition: Recognition) -> bool:
    return bool(recognition.value_sets) or recognition.covered


def _recognised(naming: Naming, codes: Codes) -> list[Recognition]:
    found = [codes.drug(concept) for concept in naming.concepts]
    if naming.display is not None and not any(one.value_sets for one in found):
        found.append(codes.drug(naming.display))
    return found


def _union(parts: Iterable[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    union: dict[str, frozenset[str]] = {}
    for part in parts:
        for name, flags in part.items():
            union[name] = union.get(name, frozenset()) | flags
    # Naloxone as an ingredient beside an opioid is no rescue product.
    if DrugClass.OPIOID in union:
        union.pop(DrugClass.OPIOID_RESCUE, None)
    return union


def _is_mixture(found: list[Recognition]) -> bool:
    """Ingredients that are all recognised, one of them another drug."""
    return any(BACLOFEN & one.value_sets.keys() for one in found) and any(
        one.value_sets and not BACLOFEN & one.value_sets.keys() for one in found
    )


def _products(naming: Naming, codes: Codes) -> list[BaclofenProduct]:
    named = [*naming.concepts, *([naming.display] if naming.display else [])]
    return [product for concept in named if (product := codes.baclofen_product(concept)) is not None]


def _baclofen(ours: list[Naming], codes: Codes) -> tuple[Strength, Route | None, str]:
    products = [product for naming in ours for product in _products(naming, codes)]
    strengths = {Strength(one.mg_per_unit, one.mg_per_ml) for one in products} - {Strength()}
    strengths = strengths or {strength for naming in ours for strength in naming.strengths}
    routes = {one.route for one in products if one.route is not None}
    routes = routes or {route for naming in ours if (route := read_route(naming.form)) is not None}
    doubt = next((one.doubt for one in products if one.doubt), "")
    if len(strengths) > 1:
        doubt = doubt or "its codes or names give different strengths"
    if len(routes) > 1:
        doubt = doubt or "it is named as oral and as another product at once"
    return (
        next(iter(strengths)) if len(strengths) == 1 and not doubt else Strength(),
        next(iter(routes)) if len(routes) == 1 else None,
        doubt,
    )


def _opioids(named: list[Naming], codes: Codes) -> tuple[OpioidIngredient, ...]:
    """Each ingredient once; the one whose strength is known goes before its bare name."""
    found: dict[str, OpioidIngredient] = {}
    for naming in named:
        concepts = naming.concepts or ([naming.display] if naming.display else [])
        for one in (ingredient for concept in concepts for ingredient in codes.opioid_ingredients(concept)):
            known = found.get(one.name)
            if known is None or (known.mg_per_unit is None and known.mg_per_ml is None):
                found[one.name] = one
    return tuple(found.values())


# ---------------------------------------------------------------------------------------------------------- texts


def _label(named: list[Naming]) -> ChartText:
    concepts = [
        concept for naming in named for concept in (*naming.concepts[:1], naming.display) if concept is not None
    ]
    text = next((text for concept in concepts for text in texts_of(concept)), "")
    code = next((str(coding.code) for concept in concepts for coding in codings(concept) if coding.code), "")
    return ChartText.clean(text or (f"code {code}" if code else "a medicine without a name"))

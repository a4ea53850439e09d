"""Route and dose of one baclofen order or statement (rules.md 3.5; resolutions.md 9, 10), and the doses of opioids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cards.facts import Dose, DrugClass, Ingredient, Route, Unreadable
from cards.quantities import DailyDose
from cds_service.gather.codes import OpioidIngredient
from cds_service.gather.dosage import MALFORMED, plausible, schedule_of
from cds_service.gather.drug_text import tokens
from cds_service.gather.fhir_values import codings, many, texts
from cds_service.gather.instructions import Instructions
from cds_service.gather.lookup import Kept
from cds_service.gather.medicine import Medicine
from cds_service.gather.products import Strength
from cds_service.gather.pump import pump_dose
from cds_service.gather.sig import read_sig
from cds_service.resources import CodeableConcept, Dosage

_ROUTE_CODES = {"72607000": Route.INTRATHECAL, "26643006": Route.ORAL}
"""SNOMED CT."""
_ROUTE_WORDS = {
    Route.INTRATHECAL: frozenset({"intrathecal", "intrathecally"}),
    Route.ORAL: frozenset(
        {"oral", "orally", "mouth", "po", "enteral", "gastrostomy", "nasogastric", "orogastric", "jejunostomy", "peg"}
    ),
    Route.TOPICAL: frozenset({"topical", "topically", "transdermal", "cutaneous", "skin"}),
}


def prescribed(medicine: Medicine, instructions: Instructions) -> tuple[Route, Dose]:
    """The product's own route decides; an instruction that contradicts it makes the dose unreadable. Where neither
    tells, the order counts as oral, and its dose is read if it is surely one by mouth."""
    if instructions.lost:
        return medicine.route or Route.ORAL, MALFORMED
    dosages = instructions.read
    stated = {route for dosage in dosages if (route := _stated(dosage)) is not None}
    route = medicine.route or (next(iter(stated)) if len(stated) == 1 else None)
    if route is None and not stated and any(_is_infusion(dosage) for dosage in dosages):
        route = Route.INTRATHECAL
    if medicine.doubt:
        return route or Route.ORAL, Unreadable(medicine.doubt)
    if len(stated) > 1:
        return route or Route.ORAL, Unreadable("its instructions name different routes")
    if route is not None and stated - {route}:
        return route, Unreadable(f"the product is {route.value} and the instruction {stated.pop().value}")
    if route is Route.INTRATHECAL:
        dose: Dose = pump_dose(dosages, medicine.strength)
    else:
        dose = plausible(schedule_of(instructions, medicine.strength), route_stated=route is not None)
    if isinstance(dose, Unreadable) and medicine.strength_doubt and dose.given:
        dose = replace(dose, reason=f"{dose.reason}; {medicine.strength_doubt}")
    return route or Route.ORAL, dose


_SURFACE_FORMS = frozenset({"cream", "gel", "ointment", "lotion", "shampoo", "ophthalmic", "ophth", "otic"})
_SURFACE_ROUTES = frozenset({"topical", "topically", "cutaneous", "skin", "ophthalmic", "eye", "eyes", "otic", "ear"})


def is_on_the_surface(medicine: Medicine, dosages: Sequence[Dosage]) -> bool:
    """Creams, eye drops and the like, of baclofen too (rules.md 1, IN-CNS). A patch is not one: where the route of an
    opioid or of a known oral product says "topical", only its form decides."""
    if medicine.route is Route.TOPICAL or _SURFACE_FORMS & medicine.words:
        return True
    if medicine.route is not None or DrugClass.OPIOID in medicine.classes:
        return False
    routes = [_ON_THE_SURFACE[dosage.route] for dosage in dosages if dosage.route is not None]
    return bool(routes) and all(routes)


def _stated(dosage: Dosage) -> Route | None:
    """From the route element, by code or by its words; else from a text that is read whole."""
    return (_OF_ELEMENT[dosage.route] if dosage.route else None) or _of_text(dosage)


def _of_element(concept: CodeableConcept) -> Route | None:
    told = {_ROUTE_CODES[str(coding.code)] for coding in codings(concept) if str(coding.code) in _ROUTE_CODES}
    told = told or _in_words(_written(concept))
    return told.pop() if len(told) == 1 else None


def _in_words(written: Sequence[str]) -> set[Route]:
    words = {word for text in written for word in tokens(text)}
    named = {route for route, known in _ROUTE_WORDS.items() if words & known}
    return named | {Route.INTRATHECAL for text in written if text.strip().upper() == "IT"}


def _written(concept: CodeableConcept) -> list[str]:
    coded = codings(concept)
    codes = (coding.code for coding in coded if isinstance(coding.code, str) and coding.code.isalpha())
    return list(texts(concept.text, *(coding.display for coding in coded), *codes))


_OF_ELEMENT = Kept(_of_element, 256)
_ON_THE_SURFACE: Kept[CodeableConcept, bool] = Kept(
    lambda route: bool(_SURFACE_ROUTES.intersection(tokens(" ".join(_written(route))))), 256
)


def _of_text(dosage: Dosage) -> Route | None:
    sig = read_sig(next(texts(dosage.text, dosage.patientInstruction), None))
    return sig.route if sig else None


def _is_infusion(dosage: Dosage) -> bool:
    """Nobody swallows baclofen by rate: a pump dosage without a route (rules.md 3.5)."""
    return any(entry.rateQuantity or entry.rateRatio for entry in many(dosage.doseAndRate))


# --------------------------------------------------------------------------------------------------------- opioids


def opioid_doses(medicine: Medicine, instructions: Instructions) -> tuple[Ingredient, ...]:
    """Each opioid ingredient with its most mg a day, where that can be computed."""
    combined = len(medicine.opioids) > 1 or "combination" in medicine.flags
    return tuple(Ingredient(one.name, _opioid_mg(one, instructions, combined)) for one in medicine.opioids)


def _opioid_mg(one: OpioidIngredient, instructions: Instructions, combined: bool) -> DailyDose | None:
    schedule = schedule_of(instructions, Strength(one.mg_per_unit, one.mg_per_ml))
    if isinstance(schedule, Unreadable):
        return None
    if combined and not schedule.counted and not one.mg_per_ml:
        # "5 mg" of a combination is taken as its opioid only when it is so many halves of a tablet.
        single = schedule.dose.steps[0].largest_single.value
        if not one.mg_per_unit or single % (one.mg_per_unit / 2) or single > 4 * one.mg_per_unit:
            return None
    return schedule.dose.highest

"""Draft orders → baclofen orders, the other drafts of the session, and what could not be read of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal

from cards.facts import (
    BaclofenOrder,
    ChartText,
    Dose,
    Medication,
    OralDose,
    Origin,
    Problem,
    PumpDose,
    Recognised,
    Setting,
    Standing,
    Unreadable,
)  # fmt: skip
from cards.values import frozen
from cds_service.gather.codes import Codes
from cds_service.gather.drafts import DraftOrder, draft_orders, selected, unreadable_drafts
from cds_service.gather.fhir_values import codings, first_when, many, same_resource, target
from cds_service.gather.instruction import taken_as_needed
from cds_service.gather.medicine import Medicine, Medicines
from cds_service.gather.naming import texts_of
from cds_service.gather.prescribed import is_on_the_surface, opioid_doses, prescribed
from cds_service.gather.setting import setting_of
from cds_service.gather.shelf import Shelf, type_name
from cds_service.hooks import HookCall
from cds_service.records import PatientRecords, Records
from cds_service.resources import CodeableConcept, Condition, Encounter, MedicationRequest, Reference, Resource


@frozen
class Orders:
    orders: tuple[BaclofenOrder, ...]
    drafted: tuple[Medication, ...]
    drafted_unrecognised: tuple[ChartText, ...]
    for_other_patients: int
    setting: Setting
    unread: int = 0
    """Drafts of this patient whose medicine could not be read: any of them may be baclofen."""
    products: Mapping[str, Product] = field(default_factory=dict)
    """The recognised product of each baclofen draft, by its reference: its strength decides how a dose is written."""


@frozen
class Product:
    label: str
    mg_per_unit: Decimal | None
    mg_per_ml: Decimal | None


def concerns_baclofen(call: HookCall, codes: Codes) -> bool:
    """Whether some draft may be baclofen. Asked before any record is read; where the medicine of a draft is only in the
    prefetch, that counts as "may be"."""
    medicines = Medicines(Shelf(call), codes)
    for draft in draft_orders(call):
        medicine = medicines.of(draft.order)
        if medicine.is_baclofen or (not medicine.recognised and _is_prefetched(draft.order, call)):
            return True
    return False


def has_unread(call: HookCall, codes: Codes) -> bool:
    """Whether the medicine of some draft could not be read: it may be baclofen, and nobody would know."""
    medicines = Medicines(Shelf(call), codes)
    return any(_leads_nowhere(draft, medicines.of(draft.order)) for draft in draft_orders(call))


def _leads_nowhere(draft: DraftOrder, medicine: Medicine) -> bool:
    order = draft.order
    refers = order.medicationReference is not None or (order.medication is not None and order.medication.reference)
    return bool(refers) and medicine.nameless


def _is_prefetched(order: MedicationRequest, call: HookCall) -> bool:
    reference = order.medicationReference or (order.medication.reference if order.medication else None)
    pointed = target(reference.reference) if reference else None
    if pointed is None or pointed.contained:
        return False
    identity = pointed.id.rpartition(":")[2].encode()
    return any(identity in bytes(raw).lower() or identity in bytes(raw) for raw in call.prefetch.values())


def read_orders(call: HookCall, records: PatientRecords, codes: Codes, _now: datetime) -> Orders:
    """At order-select the baclofen orders that were selected; the other drafts are context in any case."""
    shelf = Shelf(call, records)
    medicines = Medicines(shelf, codes)
    session = _Session(call, records, codes, shelf)
    drafts = draft_orders(call)
    chosen = {id(draft) for draft in selected(drafts, call.selections)}
    orders: list[BaclofenOrder] = []
    drafted: list[Medication] = []
    unrecognised = [ChartText("a draft order that could not be read")] * unreadable_drafts(call)
    products: dict[str, Product] = {}
    others = unread = 0
    setting = Setting.UNKNOWN
    for draft in drafts:
        medicine = medicines.of(draft.order)
        if not draft.is_for(call.patient_id):
            others += medicine.is_baclofen and id(draft) in chosen
            continue
        unread += id(draft) in chosen and _leads_nowhere(draft, medicine)
        if is_on_the_surface(medicine, draft.instructions.read):
            continue
        if medicine.is_baclofen and id(draft) in chosen:
            orders.append(session.baclofen(draft, medicine))
            strength = medicine.strength
            products[draft.reference] = Product(medicine.label, strength.mg_per_unit, strength.mg_per_ml)
            setting = setting if setting is not Setting.UNKNOWN else setting_of(draft.order.category)
        if draft.has_ended:
            continue
        if medicine.classes or (medicine.recognised and not medicine.is_baclofen):
            drafted.append(_medication(draft, medicine))
        elif draft.names_a_medicine and not medicine.recognised:
            unrecognised.append(medicine.label)
    if setting is Setting.UNKNOWN:
        setting = _setting_of_encounter(call, records)
    return Orders(tuple(orders), tuple(drafted), tuple(unrecognised), others, setting, unread, products)


@frozen
class _Session:
    call: HookCall
    records: PatientRecords
    codes: Codes
    shelf: Shelf

    def baclofen(self, draft: DraftOrder, medicine: Medicine) -> BaclofenOrder:
        order = draft.order
        route, dose = prescribed(medicine, draft.instructions)
        prior = target(order.priorPrescription.reference) if order.priorPrescription else None
        reason = _reason(order, self.shelf, self.codes)
        authored = first_when(order.authoredOn, order.dateWritten)
        return BaclofenOrder(
            reference=draft.reference,
            label=medicine.label,
            route=route,
            dose=dose,
            stops=draft.has_ended or is_nothing(dose),
            prior=prior.key if prior else None,
            prior_found=prior is None or self._is_known(prior.key, draft),
            reasons=reason.problems,
            reason_given=reason.given,
            reason_mentions_alcohol=reason.mentions_alcohol,
            recognised=Recognised.BY_TEXT if medicine.by_text else Recognised.BY_CODE,
            authored=authored.day if authored else None,
            origin=Origin(draft.reference, medicine.coding, medicine.by_text),
        )

    def _is_known(self, prior: str, by: DraftOrder) -> bool:
        """Whether the order that is replaced is on the chart or among the other drafts."""
        parts = (self.records.medications, self.records.others)
        chart = (one for part in parts if isinstance(part, Records) for one in part.resources)
        known = [f"{type_name(one)}/{one.id}" for one in chart if isinstance(one, MedicationRequest) and one.id]
        known += [draft.reference for draft in draft_orders(self.call) if draft.reference != by.reference]
        return any(same_resource(prior, one) for one in known)


def is_nothing(dose: Dose) -> bool:
    """A dose of 0: a way to stop (resolutions.md 8)."""
    match dose:
        case OralDose():
            return dose.highest.value == 0
        case PumpDose():
            return dose.daily.value == 0
        case Unreadable():
            return False


def _medication(draft: DraftOrder, medicine: Medicine) -> Medication:
    return Medication(
        label=medicine.label,
        classes=medicine.classes,
        flags=medicine.flags,
        standing=Standing.DRAFT,
        started=None,
        ended=None,
        as_needed=bool(medicine.classes) and taken_as_needed(draft.instructions.read),
        opioids=opioid_doses(medicine, draft.instructions),
        origin=Origin(draft.reference, medicine.coding, medicine.by_text),
    )


# ------------------------------------------------------------------------------------------------------ the reason


@frozen
class _Reason:
    problems: frozenset[Problem]
    given: bool
    mentions_alcohol: bool


_PROBLEMS = frozenset(problem.value for problem in Problem)


def _reason(order: MedicationRequest, shelf: Shelf, codes: Codes) -> _Reason:
    concepts = list(_reason_concepts(order, shelf))
    said = [text.casefold() for concept in concepts for text in texts_of(concept)]
    classes = (name for concept in concepts for name in codes.problem(concept).value_sets)
    return _Reason(
        problems=frozenset(Problem(name) for name in classes if name in _PROBLEMS),
        given=any(codings(concept) or concept.text for concept in concepts),
        mentions_alcohol=any("alcohol" in text for text in said),
    )


def _reason_concepts(order: MedicationRequest, shelf: Shelf) -> Iterator[CodeableConcept]:
    """Of R4, DSTU2 and R5; a reference counts with the Condition that it leads to, else with its text."""
    yield from many(order.reasonCode)
    yield from many(order.reasonCodeableConcept)
    references: list[Reference] = list(many(order.reasonReference))
    for reason in order.reason or ():
        yield from many(reason.concept)
        references += many(reason.reference)
    for reference in references:
        condition = shelf.get(reference, order.contained)
        if isinstance(condition, Condition) and condition.code is not None:
            yield condition.code
        if reference.display or reference.reference:
            yield CodeableConcept(text=reference.display or "a reason on the problem list")


def _setting_of_encounter(call: HookCall, records: PatientRecords) -> Setting:
    everything: list[Resource] = [
        one for part in (records.patient, records.others) if isinstance(part, Records) for one in part.resources
    ]
    for one in everything:
        if isinstance(one, Encounter) and one.id and one.id == call.encounter_id:
            return setting_of(one.class_)
    return Setting.UNKNOWN

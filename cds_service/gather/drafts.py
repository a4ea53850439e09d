"""The medication orders among the drafts. A malformed element costs that element, not the order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from cards.values import frozen_with_once, once
from cds_service.gather.fhir_values import is_patient, target
from cds_service.gather.instructions import Instructions
from cds_service.gather.shelf import type_name
from cds_service.hooks import Draft, HookCall
from cds_service.resources import (
    CodeableConcept,
    Coding,
    Junk,
    MedicationOrder,
    MedicationRequest,
    read,
)

_ORDERS = {"MedicationRequest": MedicationRequest, "MedicationOrder": MedicationOrder}
_MEDICINE = ("medicationCodeableConcept", "medicationReference", "medication")
_DEAD = frozenset({"stopped", "cancelled", "completed", "ended"})
_MOST_WORDS = 20
_encode = msgspec.json.Encoder(decimal_format="number").encode


@frozen_with_once
class DraftOrder:
    order: MedicationRequest
    full_url: str

    @once
    def instructions(self) -> Instructions:
        return Instructions(self.order.dosageInstruction)

    @property
    def reference(self) -> str:
        """Empty when the draft has no id."""
        return f"{type_name(self.order)}/{self.order.id}" if self.order.id else ""

    @property
    def has_ended(self) -> bool:
        """It stops the medicine, or says not to take it (resolutions.md 8)."""
        return self.order.status in _DEAD or self.order.doNotPerform is True

    @property
    def names_a_medicine(self) -> bool:
        return any(getattr(self.order, element) is not None for element in _MEDICINE)

    def is_for(self, patient_id: str) -> bool:
        """Without a subject it is for the patient of the call."""
        subject = self.order.subject or self.order.patient
        return subject is None or subject.reference is None or is_patient(subject.reference, patient_id)

    def is_selected_by(self, selection: str) -> bool:
        chosen = target(selection)
        if chosen is None:
            return False
        own = target(self.full_url)
        if own is not None and own.key == chosen.key:
            return True
        return chosen.id == self.order.id and chosen.type in (type_name(self.order), "")


def draft_orders(call: HookCall) -> tuple[DraftOrder, ...]:
    """In the order sent, each once; what was entered in error is left out."""
    found: dict[str, DraftOrder] = {}
    for number, draft in enumerate(call.drafts):
        read_order = _read(draft)
        if read_order is not None and read_order.order.status != "entered-in-error":
            found.setdefault(read_order.reference or draft.full_url or f"#{number}", read_order)
    return tuple(found.values())


def unreadable_drafts(call: HookCall) -> int:
    """Entries that are not even recognisable as a resource of some type."""
    return sum(_is_nameless(draft) and not _names_a_medicine(draft) for draft in call.drafts)


def selected(orders: tuple[DraftOrder, ...], selections: frozenset[str] | None) -> tuple[DraftOrder, ...]:
    """Those that the prescriber has just chosen. Selections that point to nothing leave all of them."""
    if not selections:
        return orders
    chosen = tuple(order for order in orders if any(map(order.is_selected_by, selections)))
    if chosen:
        return chosen
    elsewhere = [named for one in selections if (named := target(one)) is not None and named.type not in ("", *_ORDERS)]
    return () if len(elsewhere) == len(selections) else orders


def _read(draft: Draft) -> DraftOrder | None:
    match draft.resource:
        case MedicationRequest() as order:
            return DraftOrder(order, draft.full_url)
        case Junk(resource_type=kind) if kind in _ORDERS:
            return _salvaged(draft, kind)
        case _ if _is_nameless(draft) and _names_a_medicine(draft):
            return _salvaged(draft, "MedicationRequest")
        case _:
            return None


def _is_nameless(draft: Draft) -> bool:
    return isinstance(draft.resource, Junk) and not draft.resource.resource_type


def _names_a_medicine(draft: Draft) -> bool:
    """Only orders have these elements: one without a resourceType must not be overlooked."""
    return any(draft.json.get(element) is not None for element in _MEDICINE)


def _salvaged(draft: Draft, kind: str) -> DraftOrder:
    """Element by element. A medicine that is lost keeps its words, so that baclofen in it is not overlooked."""
    names = [name for name in MedicationRequest.__struct_fields__ if draft.json.get(name) is not None]
    kept = {name: draft.json[name] for name in names if _reads(kind, {name: draft.json[name]})}
    order = read(_encode({"resourceType": kind, **kept}))
    if not isinstance(order, MedicationRequest):
        order = _ORDERS[kind]()
    lost = frozenset(names) - kept.keys()
    words = [text for name in _MEDICINE if name in lost for text in _strings(draft.json[name])]
    if words and order.medicationCodeableConcept is None:
        named = tuple([Coding(display=text) for text in words[:_MOST_WORDS]])
        order.medicationCodeableConcept = CodeableConcept(coding=named)
    return DraftOrder(order, draft.full_url)


def _reads(kind: str, elements: dict[str, Any]) -> bool:
    return isinstance(read(_encode({"resourceType": kind, **elements})), MedicationRequest)


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _strings(inner)
        case list():
            for inner in value:
                yield from _strings(inner)

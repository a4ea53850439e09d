"""Whose resource a line is, and whether an order names baclofen: as little of a line is read as tells it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from cards.facts import Hook
from cds_service import resources
from cds_service.answers import Records
from cds_service.gather.codes import Codes
from cds_service.gather.fhir_values import target
from cds_service.gather.medicine import Medicines
from cds_service.gather.shelf import Shelf
from cds_service.hooks import HookCall
from cds_service.records import NOT_READ, PatientRecords
from cds_service.resources import UNREADABLE, Medication, MedicationRequest, Reference

MOST_KEPT = 100_000
"""Names of medicines that are remembered with what they are; a hospital writes some thousands."""


class UnreadError(Exception):
    """A line that tells nothing. ``str`` is the reason; it quotes nothing of the line."""


class _OfPatient(Struct, gc=False):
    subject: Reference | None = None
    patient: Reference | None = None


class _Patient(Struct, gc=False):
    id: str | None = None


class _Order(Struct, gc=False):
    subject: Reference | None = None
    medicationCodeableConcept: Raw | UnsetType = UNSET
    medicationReference: Reference | None = None
    medication: Raw | UnsetType = UNSET


_of_patient = msgspec.json.Decoder(_OfPatient).decode
_patient = msgspec.json.Decoder(_Patient).decode
_order = msgspec.json.Decoder(_Order).decode


def patient_of(line: bytes) -> str:
    """The bare id of the patient that a resource is about. Raises ``UnreadError``."""
    try:
        read = _of_patient(line)
    except UNREADABLE:
        raise UnreadError("is not JSON, or its subject is malformed") from None
    return _id(read.subject or read.patient)


def id_of_patient(line: bytes) -> str:
    """The id of a Patient. Raises ``UnreadError``."""
    try:
        identity = _patient(line).id
    except UNREADABLE:
        raise UnreadError("is not JSON, or its id is malformed") from None
    if not identity:
        raise UnreadError("has no id")
    return identity


def _id(reference: Reference | None) -> str:
    pointed = target(reference.reference) if reference else None
    if pointed is None or pointed.type not in ("Patient", "") or pointed.contained:
        raise UnreadError("names no patient")
    return pointed.id.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Named:
    """What an order names."""

    is_baclofen: bool
    medicine: tuple[str | bytes, ...]
    """Equal for two orders of the same drug."""


_NO_CALL = HookCall(
    hook=Hook.ORDER_SIGN, hook_instance="", user_id="", patient_id="", encounter_id=None, drafts=(), selections=None,
    prefetch={},
)  # fmt: skip


@dataclass(slots=True)
class Baclofen:
    """Tells the orders for baclofen from all others. Most lines repeat a name that was judged before."""

    codes: Codes
    products: Collection[str] = ()
    """Ids of the Medication resources that are baclofen."""
    _judged: dict[bytes, bool] = field(default_factory=dict)

    def patient_on_it(self, line: bytes) -> str | None:
        """The patient, if this MedicationRequest orders baclofen. Raises ``UnreadError``."""
        try:
            order = _order(line)
        except UNREADABLE:
            raise UnreadError("is not JSON, or its subject or medicine is malformed") from None
        return _id(order.subject) if self._is_ordered(order, line) else None

    def _is_ordered(self, order: _Order, line: bytes) -> bool:
        if order.medicationReference is None and order.medication is UNSET:
            return order.medicationCodeableConcept is not UNSET and self._named(order.medicationCodeableConcept, line)
        pointed = target(order.medicationReference.reference) if order.medicationReference else None
        return (pointed is not None and pointed.id in self.products) or self._read(line)

    def _named(self, concept: Raw | UnsetType, line: bytes) -> bool:
        name = bytes(concept) if isinstance(concept, Raw) else b""
        judged = self._judged.get(name)
        if judged is None:
            if len(self._judged) >= MOST_KEPT:
                self._judged.clear()
            judged = self._judged[name] = self._read(line)
        return judged

    def _read(self, line: bytes) -> bool:
        return self.named(line).is_baclofen

    def named(self, line: bytes) -> Named:
        """The medicine of a MedicationRequest. Raises ``UnreadError``."""
        match resources.read(line):
            case MedicationRequest() as order:
                medicine = Medicines(Shelf(_NO_CALL), self.codes).of(order)
                pointed = target(order.medicationReference.reference) if order.medicationReference else None
                if pointed is not None and not pointed.contained and medicine.nameless:
                    return Named(pointed.id in self.products, (pointed.id,))
                known = pointed is not None and pointed.id in self.products
                return Named(medicine.is_baclofen or known, medicine.name)
            case resources.Junk() as junk:
                raise UnreadError(f"cannot be read at {junk.reason}")
            case _:
                raise UnreadError("is no MedicationRequest")

    def product(self, line: bytes) -> tuple[str, bool]:
        """The id of a Medication, and whether it is baclofen. Raises ``UnreadError``."""
        match resources.read(line):
            case Medication(id=str() as identity) as product if identity:
                shelf = Shelf(_NO_CALL, _holding(product))
                order = MedicationRequest(medicationReference=Reference(reference=f"Medication/{identity}"))
                return identity, Medicines(shelf, self.codes).of(order).is_baclofen
            case resources.Junk() as junk:
                raise UnreadError(f"cannot be read at {junk.reason}")
            case _:
                raise UnreadError("is no Medication with an id")


def _holding(product: Medication) -> PatientRecords:
    return replace(NOT_READ, others=Records((product,)))

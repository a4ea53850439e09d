"""Lenient Structs for the FHIR resources that the rules need: only the elements that we read.

R4 first; the STU3, DSTU2 and R5 positions of the same element stand beside it. Elements that real EHRs send in the
wrong shape (one object where R4 has a list, a number where it has a string) are declared as what may come; a wrong
shape beyond that costs the one resource, never the request. ``Raw`` is what is large, repeats, or differs between
versions: it is read only where it matters, and a wrong shape in it costs that element alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bad input; the last two are not MsgspecErrors."""


_NULL = Raw(b"null")


class Lenient(Struct, gc=False, kw_only=True):
    """Base: unknown members are ignored, every element may be absent."""


class Code(Struct, gc=False, frozen=True):
    """A Coding whose display is not read."""

    system: str | None = None
    code: str | int | float | None = None


class Coding(Code, frozen=True, kw_only=True):
    display: str | None = None


class Coded(Struct, gc=False, frozen=True):
    """A CodeableConcept of which only the codes are read."""

    coding: tuple[Code | None, ...] | Code | None = None


class CodeableConcept(Struct, gc=False, kw_only=True, frozen=True):
    coding: tuple[Coding | None, ...] | Coding | None = None
    text: str | None = None


class Reference(Lenient):
    reference: str | None = None
    display: str | None = None


class Subject(Struct, gc=False, kw_only=True, frozen=True):
    """A Reference to a patient: its display is not read."""

    reference: str | None = None


class Clinical(Lenient):
    """Base of what is about one patient."""

    id: str | None = None
    subject: Subject | None = None
    patient: Subject | None = None
    """The same in other resource types, and in DSTU2."""


class CodeableReference(Lenient):
    """R5 ``medication``."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Quantity(Lenient):
    value: Raw | UnsetType = UNSET
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(Lenient):
    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(Lenient):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Period(Lenient):
    start: str | None = None
    end: str | None = None


class Extension(Lenient):
    url: str | None = None
    valueCode: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    extension: list[Extension] | None = None


# ---------------------------------------------------------------------------------------------------- Patient


class Patient(Lenient, tag_field="resourceType", tag="Patient"):
    id: str | None = None
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    deceasedDateTime: str | None = None
    extension: list[Extension] | None = None


# ------------------------------------------------------------------------------------------------ Observation


class Component(Lenient):
    code: Raw = _NULL
    valueQuantity: Raw = _NULL
    valueString: str | None = None
    valueInteger: Raw | UnsetType = UNSET
    valueCodeableConcept: CodeableConcept | None = None
    valueDateTime: str | None = None


class Observation(Clinical, tag_field="resourceType", tag="Observation"):
    status: str | None = None
    code: Raw = _NULL
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    issued: str | None = None
    valueQuantity: Raw = _NULL
    valueString: str | None = None
    valueInteger: Raw | UnsetType = UNSET
    valueCodeableConcept: CodeableConcept | None = None
    valueDateTime: str | None = None
    component: list[Component] | None = None


_decode_coded: Callable[[bytes], Coded | None] = msgspec.json.Decoder(Coded | None).decode
_decode_quantity: Callable[[Raw], Quantity | None] = msgspec.json.Decoder(Quantity | None).decode


def coded(written: bytes) -> Coded | None:
    """The codes of a test. Raises ``UNREADABLE``."""
    return _decode_coded(written)


def quantity(part: Observation | Component) -> Quantity | None:
    """``valueQuantity``; one that is malformed has a value that is no number."""
    try:
        return _decode_quantity(part.valueQuantity)
    except UNREADABLE:
        return Quantity(value=Raw(b"{}"))


# ---------------------------------------------------------------------------------------- Condition, Procedure


class Condition(Clinical, tag_field="resourceType", tag="Condition"):
    clinicalStatus: Raw | UnsetType = UNSET
    verificationStatus: Raw | UnsetType = UNSET
    code: CodeableConcept | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    abatementDateTime: str | None = None
    recordedDate: str | None = None
    assertedDate: str | None = None
    dateRecorded: str | None = None


class Procedure(Clinical, tag_field="resourceType", tag="Procedure"):
    status: str | None = None
    code: CodeableConcept | None = None
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None


class Manifestation(CodeableConcept, frozen=True):
    concept: CodeableConcept | None = None
    """R5."""


class Reaction(Lenient):
    substance: CodeableConcept | None = None
    manifestation: list[Manifestation] | None = None
    description: str | None = None


class AllergyIntolerance(Clinical, tag_field="resourceType", tag="AllergyIntolerance"):
    clinicalStatus: Raw | UnsetType = UNSET
    verificationStatus: Raw | UnsetType = UNSET
    status: str | None = None
    """DSTU2: both in one."""
    type: Raw | UnsetType = UNSET
    code: CodeableConcept | None = None
    substance: CodeableConcept | None = None
    """DSTU2."""
    recordedDate: str | None = None
    assertedDate: str | None = None
    """STU3."""
    onsetDateTime: str | None = None
    recorder: Reference | None = None
    reaction: list[Reaction] | None = None


class Encounter(Clinical, tag_field="resourceType", tag="Encounter"):
    status: str | None = None
    class_: Raw | UnsetType = field(default=UNSET, name="class")
    """A Coding in R4, a list of CodeableConcepts in R5, a code in DSTU2."""


# --------------------------------------------------------------------------------------------------- medicines


class Repeat(Lenient):
    boundsDuration: Quantity | None = None
    boundsPeriod: Period | None = None
    boundsRange: Range | None = None
    count: Raw | UnsetType = UNSET
    frequency: Raw | UnsetType = UNSET
    frequencyMax: Raw | UnsetType = UNSET
    period: Raw | UnsetType = UNSET
    periodMax: Raw | UnsetType = UNSET
    periodUnit: str | None = None
    periodUnits: str | None = None
    """DSTU2."""
    dayOfWeek: list[str] | None = None
    timeOfDay: list[str] | None = None
    when: list[str] | str | None = None


class Timing(Lenient):
    event: list[str] | None = None
    repeat: Repeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(Lenient):
    type: CodeableConcept | None = None
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None
    rateQuantity: Quantity | None = None
    rateRatio: Ratio | None = None


class Dosage(Lenient):
    sequence: Raw | UnsetType = UNSET
    text: str | None = None
    patientInstruction: str | None = None
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    route: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | DoseAndRate | None = None
    doseQuantity: Quantity | None = None
    """STU3 and DSTU2; Epic's prefetched orders."""
    doseRange: Range | None = None
    maxDosePerPeriod: Ratio | list[Ratio] | None = None
    """A list in R5."""


_decode_dosages = msgspec.json.Decoder(list[Dosage] | Dosage | None).decode


def dosages(raw: Raw | UnsetType) -> tuple[Dosage, ...] | None:
    """The instructions of an order, a statement or a dispense; ``None`` when they are malformed."""
    if isinstance(raw, UnsetType):
        return ()
    try:
        read = _decode_dosages(raw)
    except UNREADABLE:
        return None
    return tuple(read) if isinstance(read, list) else (read,) if read else ()


class Ingredient(Lenient):
    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    item: CodeableReference | None = None
    """R5."""
    strength: Ratio | None = None
    strengthRatio: Ratio | None = None


class Substance(Lenient, tag_field="resourceType", tag="Substance"):
    id: str | None = None
    code: CodeableConcept | None = None


class Medication(Lenient, tag_field="resourceType", tag="Medication"):
    id: str | None = None
    code: CodeableConcept | None = None
    form: CodeableConcept | None = None
    doseForm: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None
    contained: list[Raw] | None = None


class DispenseRequest(Lenient):
    validityPeriod: Period | None = None
    expectedSupplyDuration: Quantity | None = None


class MedicationRequest(Clinical, tag_field="resourceType", tag="MedicationRequest"):
    status: str | None = None
    intent: str | None = None
    doNotPerform: bool | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    authoredOn: str | None = None
    dateWritten: str | None = None
    requester: Raw | UnsetType = UNSET
    reasonCode: list[CodeableConcept] | CodeableConcept | None = None
    reasonReference: list[Reference] | Reference | None = None
    reasonCodeableConcept: CodeableConcept | None = None
    reason: list[CodeableReference] | None = None
    dosageInstruction: Raw | UnsetType = UNSET
    dispenseRequest: DispenseRequest | None = None
    priorPrescription: Reference | None = None
    category: Raw | UnsetType = UNSET
    contained: list[Raw] | None = None


class MedicationOrder(MedicationRequest, tag_field="resourceType", tag="MedicationOrder"):
    """DSTU2's name for the same thing."""


class MedicationStatement(Clinical, tag_field="resourceType", tag="MedicationStatement"):
    status: str | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    dateAsserted: str | None = None
    dosage: Raw | UnsetType = UNSET
    contained: list[Raw] | None = None


class MedicationDispense(Clinical, tag_field="resourceType", tag="MedicationDispense"):
    status: str | None = None
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    whenHandedOver: str | None = None
    whenPrepared: str | None = None
    daysSupply: Quantity | None = None
    dosageInstruction: Raw | UnsetType = UNSET
    contained: list[Raw] | None = None


class Issue(Lenient):
    severity: str | None = None
    code: str | None = None


class OperationOutcome(Lenient, tag_field="resourceType", tag="OperationOutcome"):
    issue: list[Issue] | None = None


Resource = (
    Patient | Observation | Condition | Procedure | AllergyIntolerance | Encounter | Substance | Medication
    | MedicationRequest | MedicationOrder | MedicationStatement | MedicationDispense | OperationOutcome
)  # fmt: skip


class Junk(Struct, frozen=True):
    """A resource that could not be read: that one resource is lost, and said."""

    resource_type: str
    resource_id: str
    reason: str


class _Peek(Struct):
    resourceType: str = ""
    id: Any = None


_decode: Callable[[bytes | Raw], Resource] = msgspec.json.Decoder(Resource).decode
_peek = msgspec.json.Decoder(_Peek).decode
_READ = frozenset(kind.__struct_config__.tag for kind in Resource.__args__)


def read(raw: bytes | Raw) -> Resource | Junk | None:
    """One resource; ``None`` for a type that we do not read, ``Junk`` for one that we do and that is malformed."""
    try:
        return _decode(raw)
    except UNREADABLE as error:
        try:
            peeked = _peek(raw)
        except UNREADABLE:
            return Junk("", "", "not a FHIR resource")
        if not peeked.resourceType:
            return Junk("", str(peeked.id or ""), "no resourceType")
        if peeked.resourceType not in _READ:
            return None
        return Junk(peeked.resourceType, str(peeked.id or ""), _where(error))


def _where(error: Exception) -> str:
    """The path that msgspec names, never the value: the message of a bad UTF-8 would quote the input."""
    text = str(error)
    return text[text.rfind("`$") :].strip("`") if "`$" in text else "malformed"

"""Prefetch key → resources of this patient, or why there are none. A key that is absent was not sent; what a value that
was sent means is read by ``answers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds_service import log, resources
from cds_service.answers import NOT_SENT, Answer, NotAvailable, Records
from cds_service.errors import PreconditionFailed
from cds_service.hooks import HookCall

__all__ = ["Aliases", "NotAvailable", "PatientRecords", "Records", "collect"]

Aliases = Mapping[str, str]
"""Prefetch key as a site sends it → our key. Several may feed one."""

_MEDICATION_TYPES: tuple[type[Any], ...] = (
    resources.MedicationRequest, resources.MedicationOrder, resources.MedicationStatement,
    resources.MedicationDispense, resources.Medication, resources.Substance,
)  # fmt: skip
EXPECTED: Mapping[str, tuple[type[Any], ...]] = {
    "patient": (resources.Patient,),
    "kidney": (resources.Observation,),
    "medications": _MEDICATION_TYPES,
    "conditions": (resources.Condition,),
    "procedures": (resources.Procedure,),
    "allergies": (resources.AllergyIntolerance,),
    "observations": (resources.Observation,),
}
"""Our prefetch keys, and the types that answer each."""
_NOT_SENT = NotAvailable(NOT_SENT)


@dataclass(frozen=True, slots=True)
class PatientRecords:
    patient: Records | NotAvailable
    kidney: Records | NotAvailable
    medications: Records | NotAvailable
    conditions: Records | NotAvailable
    procedures: Records | NotAvailable
    allergies: Records | NotAvailable
    observations: Records | NotAvailable
    others: Records
    """Resources under keys that we did not name, or of types that we did not ask for: used, but their absence proves
    nothing."""
    dropped: int
    """Resources of other patients: not used."""


def collect(call: HookCall, aliases: Aliases | None = None) -> PatientRecords:
    """For calls with a baclofen order. Raises ``PreconditionFailed`` (412) if nothing about the patient can be had."""
    answers: dict[str, list[Answer]] = {}
    unnamed: list[Answer] = []
    for sent_as, raw in call.prefetch.items():
        key = sent_as if sent_as in EXPECTED else (aliases or {}).get(sent_as)
        answer = Answer(call.patient_id, EXPECTED[key] if key else ())
        answer.read(raw)
        (answers.setdefault(key, []) if key else unnamed).append(answer)
    found = {key: _merged(answers[key]) if key in answers else _NOT_SENT for key in EXPECTED}
    everything = [*unnamed, *(answer for key in EXPECTED for answer in answers.get(key, ()))]
    others = Records(
        tuple(one for answer in everything for one in answer.others),
        tuple(junk for answer in everything for junk in answer.other_junk),
        NOT_SENT,
    )
    patients = tuple(one for one in others.resources if isinstance(one, resources.Patient))
    if patients and not (isinstance(found["patient"], Records) and found["patient"].resources):
        found["patient"] = Records(patients)
    if not others.resources and all(isinstance(one, NotAvailable) for one in found.values()):
        raise PreconditionFailed(cure=f"Send the prefetch keys that GET /cds-services lists: {', '.join(EXPECTED)}.")
    dropped = sum(answer.dropped for answer in everything)
    if dropped:
        log.other_patients(dropped)
    return PatientRecords(**found, others=others, dropped=dropped)


def _merged(answers: list[Answer]) -> Records | NotAvailable:
    """Several keys that feed one: what could be read, and incomplete when any of them is."""
    parts = [answer.records() for answer in answers]
    if len(parts) == 1:
        return parts[0]
    read = [part for part in parts if isinstance(part, Records)]
    if not read:
        return parts[0]
    gaps = [part.reason if isinstance(part, NotAvailable) else part.incomplete for part in parts]
    return Records(
        tuple(one for part in read for one in part.resources),
        tuple(junk for part in read for junk in part.unreadable),
        next(filter(None, gaps), ""),
        newest_first=all(isinstance(part, Records) and (part.newest_first or not part.incomplete) for part in parts),
    )

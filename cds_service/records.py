"""Prefetch key → resources of this patient, or why there are none. A key that is absent was not sent; what a value that
was sent means is read by ``answers``; what is missing then is read from the FHIR server by ``completion``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from cards.values import frozen
from cds_service import log, resources
from cds_service.answers import NOT_SENT, Answer, NotAvailable, Records
from cds_service.bundles import Prefetch
from cds_service.errors import PreconditionFailed
from cds_service.hooks import HookCall

__all__ = ["NOT_READ", "Aliases", "NotAvailable", "PatientRecords", "Received", "Records", "collect"]

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
NOTHING_READ = "A baclofen order was drafted, and nothing about the patient could be read ({}). It was not checked."
NOTHING_SENT = (
    f"Send the prefetch keys that GET /cds-services lists: {', '.join(EXPECTED)}. Or send fhirServer and "
    "fhirAuthorization for a FHIR server that this service may read."
)
_ABOUT_NOBODY = (resources.Medication, resources.Substance)
_NOT_SENT = NotAvailable(NOT_SENT)


@frozen
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


NOT_READ = PatientRecords(**dict.fromkeys(EXPECTED, _NOT_SENT), others=Records(), dropped=0)
"""Of a patient about whom nothing was asked."""


@frozen
class Received:
    """What has come for one call so far, sorted: the prefetch, and then what was read from the FHIR server."""

    patient_id: str
    by_key: dict[str, list[Answer]] = field(default_factory=dict)
    unnamed: list[Answer] = field(default_factory=list)
    """Values that answer none of our keys, or no longer: what is in them of other types is used."""

    @classmethod
    def prefetched(cls, call: HookCall, aliases: Aliases | None = None) -> Received:
        received = cls(call.patient_id)
        known = call.prefetch.read if isinstance(call.prefetch, Prefetch) else None
        if known is not None:
            for sent_as, value in known.items():
                received._place(sent_as, aliases).take(value)
        else:
            for sent_as, raw in call.prefetch.items():
                received._place(sent_as, aliases).read(raw)
        return received

    def _place(self, sent_as: str, aliases: Aliases | None) -> Answer:
        key = sent_as if sent_as in EXPECTED else (aliases or {}).get(sent_as)
        answer = self.blank(key)
        (self.by_key.setdefault(key, []) if key else self.unnamed).append(answer)
        return answer

    def blank(self, key: str | None) -> Answer:
        return Answer(self.patient_id, EXPECTED[key] if key else ())

    def unmet(self) -> list[str]:
        """Keys that were not sent, or whose values the FHIR server itself may know better."""
        return [key for key in EXPECTED if all(answer.unmet for answer in self.by_key.get(key, ()))]

    def answers(self) -> Iterator[Answer]:
        yield from self.unnamed
        for key in EXPECTED:
            yield from self.by_key.get(key, ())

    def replace(self, key: str, answer: Answer) -> None:
        """With what the FHIR server answered; a part of a list that was sent stands if the server has failed."""
        before = self.by_key.get(key, [])
        if isinstance(answer.records(), Records) or not any(isinstance(one.records(), Records) for one in before):
            self.unnamed.extend(before)
            self.by_key[key] = [answer]

    def records(self) -> PatientRecords:
        """Raises ``PreconditionFailed`` (412) if nothing about the patient can be had."""
        found = {key: _merged(self.by_key[key]) if key in self.by_key else _NOT_SENT for key in EXPECTED}
        everything = list(self.answers())
        others = Records(
            tuple([one for answer in everything for one in answer.others]),
            tuple([junk for answer in everything for junk in answer.other_junk]),
            NOT_SENT,
        )
        patients = tuple([one for one in others.resources if isinstance(one, resources.Patient)])
        if patients and not (isinstance(found["patient"], Records) and found["patient"].resources):
            found["patient"] = Records(patients)
        about_nobody = all(isinstance(one, _ABOUT_NOBODY) for one in others.resources)
        gaps = [one.reason for one in found.values() if isinstance(one, NotAvailable)]
        if about_nobody and len(gaps) == len(found):
            raise PreconditionFailed(NOTHING_READ.format("; ".join(dict.fromkeys(gaps))), NOTHING_SENT)
        dropped = sum([answer.dropped for answer in everything])
        if dropped:
            log.other_patients(dropped)
        return PatientRecords(**found, others=others, dropped=dropped)


def collect(call: HookCall, aliases: Aliases | None = None) -> PatientRecords:
    """From the prefetch alone, for calls with a baclofen order. Raises ``PreconditionFailed`` (412)."""
    return Received.prefetched(call, aliases).records()


def _merged(answers: list[Answer]) -> Records | NotAvailable:
    """Several keys that feed one: what could be read, and incomplete when any of them is."""
    if len(answers) == 1:
        return answers[0].records()
    parts = [answer.records() for answer in answers]
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

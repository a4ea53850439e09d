"""Findings other than kidney results: weight and height, tests of drinking, pregnancy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cards.facts import Input, Missing, Observations, Why
from cds_service.gather.body import BodyMeasure, body, body_measure
from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.drinking_tests import TestKind, alcohol_finding, test_kind
from cds_service.gather.measured import lacks_older_only, observations_in
from cds_service.gather.person import sex
from cds_service.gather.pregnancy_status import PregnancySign, pregnancy_sign, pregnancy_status
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import Component, Observation

_Meaning = BodyMeasure | TestKind | PregnancySign
_Part = tuple[_Meaning, Observation, Observation | Component]

_LONGEST_WINDOW = timedelta(days=365)
"""An AUDIT-C counts for so long (rules.md 2); nothing that is older is asked for."""


def observations(records: PatientRecords, codes: Codes, now: datetime) -> Observations | Missing:
    """Missing only when nothing of this kind was sent under any key."""
    today = now.date()
    parts = _parts(observations_in(records.observations, records.kidney, records.others), codes)
    sent = records.observations
    if isinstance(sent, NotAvailable) and not parts:
        return Missing(Input.OBSERVATIONS, Why.NOT_AVAILABLE, sent.reason)
    patient_sex = sex(records)
    findings = (
        alcohol_finding(meaning, one, part, patient_sex, today)
        for meaning, one, part in parts
        if isinstance(meaning, TestKind)
    )
    signs = ((meaning, one, part) for meaning, one, part in parts if isinstance(meaning, PregnancySign))
    return Observations(
        body=body([(meaning, one) for meaning, one, _ in parts if isinstance(meaning, type)], today),
        alcohol=tuple(dict.fromkeys(finding for finding in findings if finding is not None)),
        pregnant=pregnancy_status(signs, codes, today),
        incomplete=_gap(sent, now),
    )


def _gap(sent: Records | NotAvailable, now: datetime) -> str:
    if isinstance(sent, NotAvailable):
        return sent.reason
    return "" if sent.incomplete and lacks_older_only(sent, now.date(), _LONGEST_WINDOW) else sent.incomplete


def _meaning(found: Recognition) -> _Meaning | None:
    return body_measure(found) or test_kind(found) or pregnancy_sign(found)


def _parts(found: Sequence[Observation], codes: Codes) -> list[_Part]:
    """The results themselves, and the members of panels."""
    lookup = codes.observations_as(_meaning)
    parts: list[_Part] = []
    for one in found:
        if (own := lookup[bytes(one.code)]) is not None:
            parts.append((own, one, one))
        if one.component:
            parts += [(kind, one, part) for part in one.component if (kind := lookup[bytes(part.code)]) is not None]
    return parts

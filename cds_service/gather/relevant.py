"""What no rule asks about is left out of a chart before anything is read of it: most of what an EHR sends.

Left out is only what a code of ours calls something else. Whatever has no code, or one of a system that we do not hold,
stays, for the readers to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.lookup import MALFORMED, codes_of
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import Condition, Observation, Procedure, Resource


def relevant(records: PatientRecords, codes: Codes) -> PatientRecords:
    return PatientRecords(
        patient=records.patient,
        kidney=_tests(records.kidney, codes),
        medications=records.medications,
        conditions=_problems(records.conditions, codes),
        procedures=_problems(records.procedures, codes),
        allergies=records.allergies,
        observations=_tests(records.observations, codes),
        others=records.others,
        dropped=records.dropped,
    )


def _tests(sent: Records | NotAvailable, codes: Codes) -> Records | NotAvailable:
    # A list that was cut off is judged by how far back it reaches, with everything in it.
    if isinstance(sent, NotAvailable) or sent.newest_first:
        return sent
    other = codes.observations_as(_is_something_else)
    tests = [one for one in sent.resources if isinstance(one, Observation)]
    kept = [one for one in tests if not other[bytes(one.code)] or one.component]
    malformed = sum([MALFORMED[bytes(one.code)] for one in kept])
    if malformed and not sent.incomplete:
        return Records(tuple(kept), sent.unreadable, f"{malformed} of its entries could not be read")
    return _only(sent, kept)


def _problems(sent: Records | NotAvailable, codes: Codes) -> Records | NotAvailable:
    if isinstance(sent, NotAvailable):
        return sent
    other = codes.problems_as(_is_something_else)
    problems = [one for one in sent.resources if isinstance(one, Condition | Procedure)]
    return _only(sent, [one for one in problems if not other[codes_of(one.code)]])


def _only(sent: Records, kept: Sequence[Resource]) -> Records:
    return sent if len(kept) == len(sent.resources) else replace(sent, resources=tuple(kept))


def _is_something_else(found: Recognition) -> bool:
    return found.covered and not found.value_sets

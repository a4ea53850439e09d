"""Kidney results: eGFR, creatinine and cystatin C out of every Observation that was sent.

A result that is there and cannot be used becomes a clause for the prescriber and never hides an older, good one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, TypeVar

from cards.facts import (
    CreatinineResult,
    CystatinResult,
    EgfrMethod,
    EgfrResult,
    Input,
    KidneyResults,
    Missing,
    Origin,
    Why,
)  # fmt: skip
from cards.quantities import CystatinC, Egfr, SerumCreatinine
from cards.values import frozen
from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.kidney_values import Kind, Measured, Unusable, has_value, read
from cds_service.gather.lookup import HAS_CODE
from cds_service.gather.measured import (
    NO_RESULT,
    USABLE,
    days_before,
    lacks_older_only,
    observations_in,
    taken,
    written_day,
)  # fmt: skip
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import Component, Observation

_R = TypeVar("_R", EgfrResult, CreatinineResult, CystatinResult)

_SETS = {
    "egfr-observations": Kind.EGFR,
    "serum-creatinine-observations": Kind.CREATININE,
    "cystatin-c-observations": Kind.CYSTATIN_C,
}
_CLEARANCE = "creatinine-clearance-observations"
_METHODS = {
    "schwartz-paediatric": EgfrMethod.SCHWARTZ,
    "race-black": EgfrMethod.RACE_BLACK,
    "race-nonblack": EgfrMethod.RACE_NON_BLACK,
    "mdrd": EgfrMethod.MDRD,
    "ckd-epi-2009": EgfrMethod.CKD_EPI_2009,
    "ckd-epi-2021": EgfrMethod.CKD_EPI_2021_CR,
    "cystatin-c": EgfrMethod.CYSTATIN_C,
    "ckd-epi-2012-cr-cys": EgfrMethod.CKD_EPI_2012_CR_CYS,
    "ckd-epi-2021-cr-cys": EgfrMethod.CKD_EPI_2021_CR_CYS,
}
"""Concept flag → method, the less trusted first: codings of one result that disagree count as the weaker method."""
_STILL_MATTERS = timedelta(days=7)
"""An unreadable result is named unless a readable one is newer by more than the window of acute kidney injury."""

_LONGEST_WINDOW = timedelta(days=365)
"""R8 and R9 of rules.md 4: what is older only counts when it is the newest value of all."""
_LOOK_BACK = 402
"""Days: beyond every window of rules.md 4, counted from the newest result of the same kind."""
_OF_ONE_COLLECTION = 32
"""Of an eGFR without cystatin C only the newest collection counts (R1)."""
_WITH_CYSTATIN = (EgfrMethod.CYSTATIN_C, EgfrMethod.CKD_EPI_2012_CR_CYS, EgfrMethod.CKD_EPI_2021_CR_CYS)


@dataclass(slots=True)
class _Sheet:
    """Results as they are read; ``unread`` with their day, to name the newest first."""

    egfrs: list[EgfrResult] = field(default_factory=list)
    creatinines: list[CreatinineResult] = field(default_factory=list)
    cystatins: list[CystatinResult] = field(default_factory=list)
    unread: list[tuple[date | None, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.egfrs or self.creatinines or self.cystatins or self.unread)

    def add(self, meaning: _Meaning, measured: Measured, moment: datetime, origin: Origin) -> None:
        value, bound, kind = measured.value, measured.bound, meaning.kind
        if kind is Kind.EGFR:
            self.egfrs.append(EgfrResult(Egfr(value), bound, meaning.method, moment, measured.indexed, origin))
        elif kind is Kind.CREATININE:
            self.creatinines.append(CreatinineResult(SerumCreatinine(value), moment, origin, bound))
        else:
            self.cystatins.append(CystatinResult(CystatinC(value), moment, origin))

    def clauses(self, today: date) -> tuple[str, ...]:
        """What could not be used and might have mattered, newest first, those without a date last."""
        if not self.unread:
            return ()
        moments = (
            [r.taken for r in self.egfrs] + [r.taken for r in self.creatinines] + [r.taken for r in self.cystatins]
        )
        newest = max((moment.date() for moment in moments if moment.date() <= today), default=date.min)
        kept = {
            (day or date.min, clause)
            for day, clause in self.unread
            if day is None or (day <= today and newest - day <= _STILL_MATTERS)
        }
        return tuple(clause for _, clause in sorted(kept, key=lambda one: (-one[0].toordinal(), one[1])))


def kidney_results(records: PatientRecords, codes: Codes, now: datetime) -> KidneyResults | Missing:
    """Missing only when nothing was sent under any key; results under a key that we did not name count."""
    sheet = _Sheet()
    asked_since: dict[str, str] = {}
    found = observations_in(records.kidney, records.observations, records.others)
    for part in _newest_parts_first(found, codes):
        series = part.meaning.series
        if part.written_day >= asked_since.get(series, ""):
            taken_at = _read_part(part, sheet)
            if taken_at is not None and taken_at <= now and series not in asked_since:
                asked_since[series] = days_before(taken_at.date(), part.meaning.asked_for)
    sent = records.kidney
    for observation in observations_in(sent):
        if not (HAS_CODE[bytes(observation.code)] or observation.component or observation.status in NO_RESULT):
            moment = taken(observation)
            sheet.unread.append((moment.day if moment else None, "a result without a code"))
    if isinstance(sent, NotAvailable) and sheet.is_empty:
        return Missing(Input.KIDNEY_RESULTS, Why.NOT_AVAILABLE, sent.reason)
    return KidneyResults(
        egfrs=_newest_first(sheet.egfrs),
        creatinines=_newest_first(sheet.creatinines),
        cystatins=_newest_first(sheet.cystatins),
        unreadable=sheet.clauses(now.date()),
        incomplete=_gap(sent, sheet, now.date()),
    )


def _gap(sent: Records | NotAvailable, sheet: _Sheet, today: date) -> str:
    """Why results that decide may be missing. A list that was cut off newest first lacks only older ones: they decide
    nothing when a readable one is here and the list reaches back beyond every window of rules.md 4."""
    if isinstance(sent, NotAvailable):
        return sent.reason
    decided = bool(sheet.egfrs or sheet.creatinines) and lacks_older_only(sent, today, _LONGEST_WINDOW)
    return "" if decided else sent.incomplete


def _newest_first(results: list[_R]) -> tuple[_R, ...]:
    """Without the doubles that come when one Observation stands under two prefetch keys."""
    ordered = sorted(results, key=_MOMENT, reverse=True)
    if len(set(map(_MOMENT, ordered))) == len(ordered):
        return tuple(ordered)
    return tuple(one for _, together in groupby(ordered, _MOMENT) for one in dict.fromkeys(together))


_MOMENT, _WRITTEN_DAY = attrgetter("taken"), attrgetter("written_day")


@frozen
class _Meaning:
    kind: Kind
    method: EgfrMethod
    after_dialysis: bool
    coding: str
    series: str
    """Of whose results the newest decides."""
    asked_for: int
    """How many days before its newest result others of the series are asked about."""


def _meaning(found: Recognition) -> _Meaning | None:
    if not found.value_sets or _CLEARANCE in found.value_sets:
        return None
    named = [value_set for value_set in _SETS if value_set in found.value_sets]
    if not named:
        return None
    flags = frozenset[str]().union(*(found.value_sets[value_set] for value_set in named))
    method = next((method for flag, method in _METHODS.items() if flag in flags), EgfrMethod.UNSTATED)
    kind = _SETS[named[0]]
    series, asked_for = kind.value, _LOOK_BACK
    if kind is Kind.EGFR:
        series = method.value
        asked_for = _LOOK_BACK if method in _WITH_CYSTATIN else _OF_ONE_COLLECTION
    return _Meaning(kind, method, "post-dialysis" in flags, found.coding, series, asked_for)


class _Part(NamedTuple):
    written_day: str
    meaning: _Meaning
    observation: Observation
    part: Observation | Component
    """The result itself, or a member of a panel; a panel's own code carries no value."""


def _newest_parts_first(found: Iterable[Observation], codes: Codes) -> list[_Part]:
    meaning = codes.observations_as(_meaning)
    parts: list[_Part] = []
    for observation in found:
        own, members = meaning[bytes(observation.code)], observation.component
        if own is None and not members:
            continue
        day = written_day(observation)
        named = [_Part(day, kind, observation, one) for one in members or () if (kind := meaning[bytes(one.code)])]
        parts += named
        if own and (not named or has_value(observation)):
            parts.append(_Part(day, own, observation, observation))
    return sorted(parts, key=_WRITTEN_DAY, reverse=True)


def _read_part(part: _Part, sheet: _Sheet) -> datetime | None:
    """When it was taken, if it can be used."""
    _, meaning, observation, measured = part
    if observation.status in NO_RESULT:
        return None
    kind, moment = meaning.kind, taken(observation)
    day = moment.day if moment else None
    if moment is None or day is None:
        dated = observation.effectiveDateTime or observation.effectivePeriod or observation.effectiveInstant
        sheet.unread.append((None, f"{kind.value} with {'an inexact date' if dated else 'no date'}"))
        return None
    result = _refused(observation.status, after_dialysis=meaning.after_dialysis) or read(kind, measured)
    if isinstance(result, Unusable):
        sheet.unread.append((day, f"{kind.value} of {day} {result.reason}"))
        return None
    origin = Origin(f"Observation/{observation.id}" if observation.id else "Observation", meaning.coding)
    sheet.add(meaning, result, moment.earliest, origin)
    return moment.earliest


def _refused(status: str | None, *, after_dialysis: bool) -> Unusable | None:
    if status == "preliminary":
        return Unusable("is preliminary")
    if status not in USABLE:
        return Unusable("is not marked as final")
    return Unusable("was taken after dialysis") if after_dialysis else None

"""A proposed dose in words, complete without a suggestion: many EHRs apply none, and some cannot change a dose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cards.outcome import ChangeDose, Proposal, Regimen, Taper, TaperStep

TIMES: Mapping[int, str] = {1: "once a day", 2: "twice a day", 3: "three times a day", 4: "four times a day"}
MOMENTS: Mapping[int, tuple[str, ...]] = {
    2: ("in the morning", "at night"),
    3: ("in the morning", "in the afternoon", "at night"),
    4: ("in the morning", "in the afternoon", "in the evening", "at night"),
}
"""Unequal doses are said by the time of day, by how many there are."""


def in_words(regimen: Regimen) -> str:
    """ "2.5 mg three times a day (7.5 mg/day)"; "10 mg in the morning, 5 mg at night (15 mg/day)"."""
    if len(set(regimen.doses)) == 1:
        return f"{regimen.doses[0]} {TIMES[len(regimen.doses)]} ({regimen.daily})"
    said = (f"{dose} {moment}" for dose, moment in zip(regimen.doses, MOMENTS[len(regimen.doses)], strict=True))
    return f"{', '.join(said)} ({regimen.daily})"


SMALLEST_TABLET = Decimal(5)
"""mg; a dose that is no whole number of them is half of one, or a liquid."""


def instead(proposals: Iterable[Proposal]) -> str:
    """The doses to order instead, each whole, with the product that they need; empty when none is proposed."""
    offered = list(proposals)
    said = "; or ".join(filter(None, map(_said, offered)))
    doses = [dose for proposal in offered for regimen in _regimens(proposal) for dose in regimen.doses]
    halves = any(dose.value % SMALLEST_TABLET for dose in doses)
    return f"{said} – needs 5 mg tablets or a liquid" if halves else said


def _regimens(proposal: Proposal) -> Iterable[Regimen]:
    match proposal:
        case ChangeDose(regimen=regimen):
            return (regimen,)
        case Taper(steps=steps):
            return [step.regimen for step in steps]
        case _:
            return ()


def _said(proposal: Proposal) -> str:
    match proposal:
        case ChangeDose(regimen=regimen, note=note):
            return ", ".join(filter(None, [in_words(regimen), note]))
        case Taper(steps=steps, stays_at_last=stays):
            return _taper([step for step in steps if step.regimen.daily.value], stays_at_last=stays)
        case _:
            return ""


def _taper(steps: list[TaperStep], *, stays_at_last: bool) -> str:
    lasting = [f"{in_words(step.regimen)} for {step.lasts}" for step in steps]
    if stays_at_last:
        return ", then ".join([*lasting[:-1], f"{in_words(steps[-1].regimen)} from then on"])
    return ", then ".join([*lasting, "stop"])

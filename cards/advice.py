"""What the kidney and dose questions share when they advise: which doses may be offered, which sentences belong."""

from __future__ import annotations

from collections.abc import Iterable

from cards.case import Case, Kind
from cards.facts import OralDose, Problem, Unreadable
from cards.kidney import KidneyFunction, Tier
from cards.outcome import ChangeDose, DoseProposal, Proposal, Taper, WithdrawOrder
from cards.quantities import NO_DOSE, DailyDose, SingleDose


def new_without_a_dose(case: Case) -> bool:
    """A draft that has no dose yet, for a patient who takes no baclofen: the start is still to be chosen."""
    unfinished = isinstance(case.dose, Unreadable) and not case.dose.given
    return unfinished and case.current.is_nothing


def starting(case: Case) -> bool:
    """A first order, or what is treated as one because the current dose could not be read (resolutions.md 2)."""
    return case.kind is Kind.INITIATION or new_without_a_dose(case)


def instead(case: Case, daily: DailyDose, note: str = "") -> tuple[ChangeDose, ...]:
    """Order this daily dose, for good; nothing when that is what is ordered."""
    regimen = case.dosing.regimen(daily)
    as_ordered = isinstance(case.dose, OralDose) and [step.daily for step in case.dose.steps] == [regimen.daily]
    return () if as_ordered else (ChangeDose(regimen, note),)


def not_above_ordered(case: Case, daily: DailyDose) -> DailyDose:
    """A dose to offer for now; where the order begins lower and only a later step is too high, the lower one."""
    current = case.current.dose if isinstance(case.current.dose, DailyDose) else NO_DOSE
    begun = max(case.dose.start, current) if isinstance(case.dose, OralDose) else daily
    return min(daily, begun) if begun > NO_DOSE else daily


def permitted(case: Case, proposals: Iterable[DoseProposal]) -> tuple[DoseProposal, ...]:
    """Nothing lowers or removes a dose that nobody could read; acute injury offers no dose (resolutions.md 2, 12)."""
    if not case.current.known:
        return ()
    return tuple(proposal for proposal in proposals if not acute(case) or isinstance(proposal, WithdrawOrder))


def acute(case: Case) -> bool:
    """Possible acute kidney injury; creatinine says nothing of the kind in dialysis (R8)."""
    kidney = case.kidney
    return isinstance(kidney, KidneyFunction) and kidney.acute is not None and kidney.tier is not Tier.DIALYSIS


def closing(case: Case, proposals: Iterable[Proposal]) -> tuple[str, ...]:
    """Shared paragraphs that end a detail: muscle mass (R11), half tablets, an unread current dose."""
    names = []
    if low_muscle_mass(case) and isinstance(case.kidney, KidneyFunction) and case.kidney.creatinine_only:
        names.append("S-MUSC")
    whole = case.dosing.single_dose_unit.value
    if any(dose.value % whole for proposal in proposals for dose in _single_doses(proposal)):
        names.append("S-TABLET")
    if not case.current.known:
        names.append("S-CURRENT-UNKNOWN")
    return tuple(names)


def low_muscle_mass(case: Case) -> bool:
    """A condition on the problem list that makes creatinine misleading (L-MUSC)."""
    return bool(case.active(Problem.LOW_MUSCLE_MASS))


def _single_doses(proposal: Proposal) -> tuple[SingleDose, ...]:
    match proposal:
        case ChangeDose(regimen=regimen):
            return regimen.doses
        case Taper(steps=steps):
            return tuple(dose for step in steps for dose in step.regimen.doses)
        case _:
            return ()

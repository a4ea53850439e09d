"""Does this order end or cut baclofen so fast that withdrawal may follow? (rules.md 5.3)"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cards.advice import permitted
from cards.case import Case, Kind
from cards.facts import Input, Missing, OralDose, Problem, ProblemEntry
from cards.gaps import unread
from cards.kidney import KidneyFunction, Tier
from cards.outcome import (
    CannotAssess,
    ChangeDose,
    DoseProposal,
    Finding,
    Indicator,
    NotIndicated,
    Outcome,
    Regimen,
    WithdrawOrder,
)
from cards.quantities import DailyDose, Days, Ratio
from cards.rule import Rule
from cards.values import frozen

STOP = "abrupt-discontinuation"
CUT = "large-dose-reduction"

TOXIC_TIERS = frozenset({Tier.K4, Tier.K5, Tier.DIALYSIS})
"""Kidney function at which baclofen may have accumulated."""

ENCEPHALOPATHY = (Problem.ENCEPHALOPATHY, Problem.HEPATIC_ENCEPHALOPATHY)


@frozen
class Limits:
    stop_warning_above: DailyDose
    stop_critical_at_least: DailyDose
    exposure_below: Days
    cut_above: DailyDose
    cut_share_at_least: Ratio
    cut_share_critical_above: Ratio
    cut_critical_at_least: DailyDose
    encephalopathy_max_age: Days


@frozen
class _Toxicity:
    """Why stopping may be right: kidneys that let baclofen accumulate, a confused patient."""

    kidneys: str
    encephalopathy: Sequence[ProblemEntry]

    def __bool__(self) -> bool:
        return bool(self.kidneys or self.encephalopathy)

    def __str__(self) -> str:
        said = sorted({f"{entry.label} ({entry.recorded})" for entry in self.encephalopathy})
        return "; ".join(part for part in (self.kidneys, *said) if part)


# --------------------------------------------------------------------------------------------------------- stopping


def abrupt_discontinuation(case: Case, limits: Limits) -> Outcome:
    if case.kind is Kind.INTRATHECAL and all(order.stops for order in case.orders):
        return _pump_stop()
    if case.kind is not Kind.STOP:
        return NotIndicated(STOP, "baclofen goes on: {}", (case.kind,))
    toxicity = _toxicity(case, limits)
    match case.current.dose:
        case Missing() as missing:
            # Nobody knows how much is being stopped: not critical without a reason, and never silent.
            return _stop(case, Indicator.WARNING, "dose_unknown", toxicity, unchecked=(missing,))
        case _ if case.current.is_nothing:
            return NotIndicated(STOP, "no baclofen on record that could be stopped")
        case dose:
            indicator = stop_indicator(dose, case.current.exposure, limits)
            more = unread(case.facts, Input.MEDICATIONS) if indicator is not Indicator.CRITICAL else ()
            return _stop(case, indicator, "stop", toxicity, unchecked=more)


def stop_indicator(dose: DailyDose, exposure: Days | None, limits: Limits) -> Indicator:
    """An exposure that the record does not show is not taken as short."""
    short = exposure is not None and exposure < limits.exposure_below
    if short or dose <= limits.stop_warning_above:
        return Indicator.INFO
    return Indicator.CRITICAL if dose >= limits.stop_critical_at_least else Indicator.WARNING


def _pump_stop() -> Finding:
    """Always critical: withdrawal of intrathecal baclofen can kill."""
    return Finding(STOP, Indicator.CRITICAL, "pump", ("S-ORDER", "pump", "pump_advice"), proposals=(WithdrawOrder(),))


def _stop(
    case: Case, indicator: Indicator, summary: str, toxicity: _Toxicity, unchecked: tuple[Missing, ...] = ()
) -> Finding:
    schedule = () if toxicity.encephalopathy else _taper(case)
    return Finding(
        STOP,
        indicator.lowered() if toxicity else indicator,
        summary="toxicity" if toxicity and summary == "stop" else summary,
        detail=(
            "S-ORDER",
            *(("toxicity", "S-KIDNEY") if toxicity else ()),
            *(("exposure",) if case.current.exposure is not None else ()),
            "withdrawal",
            *(("schedule", "pace") if schedule else ()),
            "contact",
            *(() if case.current.known else ("S-CURRENT-UNKNOWN",)),
        ),
        values={
            "toxicity": str(toxicity),
            "exposure": case.current.exposure or "",
            "schedule": _schedule(case) if schedule else "",
        },
        proposals=schedule,
        unchecked=(*unchecked, *_doubts(case, toxicity)),
    )


def _taper(case: Case) -> tuple[DoseProposal, ...]:
    """Down to nothing whatever the kidneys: the prescriber wants to end it (resolutions.md 7)."""
    if isinstance(case.current.dose, Missing):
        return ()
    return permitted(case, [case.dosing.taper_off(case.current.dose)])


def _schedule(case: Case) -> str:
    """ "10 mg/day from 2026-11-23, 5 from 2026-11-30, none from 2026-12-07": with dates, for the patient's calendar."""
    if isinstance(case.current.dose, Missing):
        return ""
    day = case.facts.today
    said: list[str] = []
    for step in case.dosing.taper_off(case.current.dose).steps:
        dose = step.regimen.daily
        said.append(f"{format(dose, 'n') if said else dose} from {day}")
        day += timedelta(days=int(step.lasts.value))
    return ", ".join([*said, f"none from {day}"])


# ---------------------------------------------------------------------------------------------------------- cutting


def large_dose_reduction(case: Case, limits: Limits) -> Outcome:
    """Only the first step of the order counts: later steps of a taper are meant to be lower."""
    if isinstance(case.current.dose, Missing) and case.kind is Kind.INITIATION:
        return CannotAssess(CUT, (case.current.dose,))
    if case.kind is not Kind.DECREASE or not isinstance(case.dose, OralDose) or isinstance(case.current.dose, Missing):
        return NotIndicated(CUT, "not a decrease that could be read: {}", (case.kind,))
    current, ordered = case.current.dose, case.dose.start
    indicator = cut_indicator(current, ordered, limits)
    if indicator is None:
        small = "{} to {} is not above {} and a quarter of the dose"
        return NotIndicated(CUT, small, (current, ordered, limits.cut_above))
    toxicity = _toxicity(case, limits)
    first = case.dosing.regimen(case.dosing.first_taper_step(current))
    proposals = () if toxicity.encephalopathy else permitted(case, [ChangeDose(first)])
    return Finding(
        CUT,
        indicator.lowered() if toxicity else indicator,
        summary="toxicity" if toxicity else "cut",
        detail=(
            "S-ORDER",
            *(("toxicity", "S-KIDNEY") if toxicity else ()),
            "withdrawal",
            *(("first",) if proposals else ()),
            "pace",
            "contact",
        ),
        values=_cut_values(current, first, case, toxicity),
        proposals=proposals,
        unchecked=_doubts(case, toxicity),
    )


def cut_indicator(current: DailyDose, ordered: DailyDose, limits: Limits) -> Indicator | None:
    """None is silence."""
    cut = current - ordered
    if cut <= limits.cut_above or cut < _share(current, limits.cut_share_at_least):
        return None
    halved = cut > _share(current, limits.cut_share_critical_above)
    return Indicator.CRITICAL if halved and current >= limits.cut_critical_at_least else Indicator.WARNING


def _cut_values(current: DailyDose, first: Regimen, case: Case, toxicity: _Toxicity) -> dict[str, object]:
    return {
        "step": current - first.daily,
        "first": str(first),
        "toxicity": str(toxicity),
        "lasts": case.dosing.taper_step_lasts,
    }


def _share(dose: DailyDose, share: Ratio) -> DailyDose:
    return DailyDose(dose.value * share.value)


# --------------------------------------------------------------------------------------------------------- toxicity


def _toxicity(case: Case, limits: Limits) -> _Toxicity:
    oldest = limits.encephalopathy_max_age.before(case.facts.today)
    # Without a date nothing shows that it is recent (resolutions.md 19), and only what is shown may lower the urgency.
    recent = [one for one in case.active(*ENCEPHALOPATHY) if one.recorded is not None and one.recorded >= oldest]
    return _Toxicity(_kidneys(case), recent)


def _doubts(case: Case, toxicity: _Toxicity) -> tuple[Missing, ...]:
    """What of the kidney function could not be read: with it the urgency might not have been lowered."""
    kidney = case.kidney
    return kidney.unchecked if toxicity.kidneys and isinstance(kidney, KidneyFunction) else ()


def _kidneys(case: Case) -> str:
    match case.kidney:
        case KidneyFunction(tier=Tier.DIALYSIS):
            return "dialysis"
        case KidneyFunction(acute=acute) if acute is not None:
            return "possible acute kidney injury"
        case KidneyFunction(tier=tier, egfr=egfr) if tier in TOXIC_TIERS:
            return f"eGFR {egfr}"
        case _:
            return ""


RULES = (
    Rule(STOP, frozenset({Input.MEDICATIONS, Input.KIDNEY_RESULTS, Input.PROBLEMS}), abrupt_discontinuation),
    Rule(CUT, frozenset({Input.MEDICATIONS, Input.KIDNEY_RESULTS, Input.PROBLEMS}), large_dose_reduction),
)

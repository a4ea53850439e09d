"""How much, and in how many doses: dose-above-labelled-max, start-dose-too-high, dosing-interval (rules.md 5.2)."""

from __future__ import annotations

from cards.advice import acute, closing, instead, not_above_ordered, permitted
from cards.case import Case, Indication, Kind
from cards.dose.limits import Limits
from cards.facts import DoseStep, Missing, OralDose
from cards.kidney import Tier
from cards.outcome import ChangeDose, Finding, Indicator, NotIndicated, Outcome
from cards.quantities import Count, DailyDose

MAXIMUM = "dose-above-labelled-max"
START = "start-dose-too-high"
INTERVAL = "dosing-interval"

NOT_ASKED = frozenset({Kind.STOP, Kind.INTRATHECAL})
RISES = frozenset({Kind.INITIATION, Kind.INCREASE})
"""Of a dose that could be read."""


def oral_dose_of(case: Case, rule: str) -> OralDose | NotIndicated:
    """The computable oral dose of an adult's running order, or why there is none to judge."""
    if case.kind in NOT_ASKED:
        return NotIndicated(rule, "not asked for: {}", (case.kind,))
    if not case.adult:
        return NotIndicated(rule, "{} is under 18: adult doses do not apply", (case.age,))
    if not isinstance(case.dose, OralDose):
        return NotIndicated(rule, "the dose could not be computed; order-dose-unparseable says so")
    return case.dose


def tier_of(case: Case) -> Tier:
    """Kidney function that could not be read counts as unknown here; the kidney rules say that it is."""
    return Tier.UNKNOWN if isinstance(case.kidney, Missing) else case.kidney.tier


# ------------------------------------------------------------------------------------------------- labelled maximum


def dose_above_labelled_max(case: Case, limits: Limits) -> Outcome:
    dose = oral_dose_of(case, MAXIMUM)
    if isinstance(dose, NotIndicated):
        return dose
    if dose.highest <= limits.maximum_above:
        return NotIndicated(MAXIMUM, "{} is not above {}", (dose.highest, limits.maximum_above))
    doses = permitted(case, _not_above_maximum(case))
    alcohol = case.indication.is_alcohol
    own = ("why", *(("alcohol",) if alcohol else ()), *_act(case), "overdose")
    beyond = ("beyond_french_maximum",) if dose.highest > limits.french_maximum_above else ()
    return Finding(
        MAXIMUM,
        maximum_indicator(case.kind, dose.highest, limits, stable=case.stable),
        _maximum_summary(case.kind, alcohol=alcohol),
        ("S-ORDER", *own, *beyond, *closing(case, doses)),
        {"maximum": limits.maximum_above, "aud": _indication(case)},
        doses,
    )


def maximum_indicator(kind: Kind, highest: DailyDose, limits: Limits, *, stable: bool) -> Indicator:
    """The table of rules.md 5.2, for a dose above the labelled maximum."""
    serious, deaths = highest > limits.serious_events_above, highest >= limits.deaths_at_least
    match kind:
        case Kind.UNCHANGED if deaths:
            return Indicator.CRITICAL
        case Kind.UNCHANGED:
            return Indicator.INFO if stable and not serious else Indicator.WARNING
        case Kind.DECREASE:
            return Indicator.WARNING if deaths else Indicator.INFO
        case _:
            return Indicator.CRITICAL if serious else Indicator.WARNING


def _not_above_maximum(case: Case) -> tuple[ChangeDose, ...]:
    """An increase goes to the maximum where one allowed step reaches it, else nowhere. The start card owns a start."""
    current, maximum = case.current.dose, case.dosing.labelled_maximum
    if case.kind is not Kind.INCREASE or isinstance(current, Missing):
        return ()
    since = case.current.since_change
    rested = since is None or since >= case.dosing.step_every(tier_of(case))
    reached = current < maximum <= current + case.dosing.step_up(tier_of(case), case.indication)
    highest = not_above_ordered(case, maximum)
    return instead(case, highest) if reached and rested and highest > current else instead(case, current, "no increase")


def _maximum_summary(kind: Kind, *, alcohol: bool) -> str:
    match kind:
        case Kind.UNCHANGED:
            return "unchanged"
        case Kind.DECREASE:
            return "decrease"
        case _:
            return "alcohol" if alcohol else "default"


def _act(case: Case) -> tuple[str, ...]:
    match case.kind:
        case Kind.INCREASE:
            current = case.current.dose
            already = isinstance(current, DailyDose) and current >= case.dosing.labelled_maximum
            return ("act_no_increase" if already else "act_increase",)
        case Kind.INITIATION if case.current.known:
            return ("act_initiation",)
        case Kind.UNCHANGED:
            return ("act_unchanged",)
        case _:
            return ()


def _indication(case: Case) -> str:
    inferred = case.indication is Indication.APPARENTLY_ALCOHOL_USE_DISORDER
    return "apparently for alcohol use disorder" if inferred else "for alcohol use disorder"


# ----------------------------------------------------------------------------------------------------------- start


def start_dose_too_high(case: Case, limits: Limits) -> Outcome:
    dose = oral_dose_of(case, START)
    if isinstance(dose, NotIndicated):
        return dose
    if case.kind is not Kind.INITIATION:
        return NotIndicated(START, "{}, not a first order", (case.kind,))
    if not too_high_to_start(case, dose, limits):
        return NotIndicated(START, "{} is not above {}", (dose.start, _accepted_start(case, limits)))
    start = case.dosing.recommended_start(tier_of(case), case.age)
    doses = permitted(case, instead(case, start) if start is not None else ())
    values: dict[str, object] = {
        "step": case.dosing.step_up(tier_of(case), case.indication),
        "every": case.dosing.step_every(tier_of(case)),
    }
    if start is not None:
        values["start"] = start
    summary = _start_summary(case, start)
    return Finding(
        START,
        Indicator.CRITICAL if dose.start >= limits.start_critical_at_least else Indicator.WARNING,
        summary,
        ("S-ORDER", "why", *(("act",) if summary == "default" else ()), "S-WATCH", *closing(case, doses)),
        values,
        doses,
    )


def _start_summary(case: Case, start: DailyDose | None) -> str:
    """No start is named where kidneys leave none to offer, or are changing (resolutions.md 12)."""
    if start is None or acute(case):
        return "no_start"
    return "default" if case.current.known else "current_unknown"


def too_high_to_start(case: Case, dose: OralDose, limits: Limits) -> bool:
    return case.kind is Kind.INITIATION and dose.start > _accepted_start(case, limits)


def _accepted_start(case: Case, limits: Limits) -> DailyDose:
    return limits.start_alcohol_above if case.indication.is_alcohol else limits.start_above


# -------------------------------------------------------------------------------------------------------- interval


def dosing_interval(case: Case, limits: Limits) -> Outcome:
    dose = oral_dose_of(case, INTERVAL)
    if isinstance(dose, NotIndicated):
        return dose
    if case.kind not in RISES:
        return NotIndicated(INTERVAL, "{}: asked for new or raised doses", (case.kind,))
    step = next((step for step in dose.steps if _too_few(step, limits)), None)
    if step is None:
        return NotIndicated(INTERVAL, "single doses at most {}, not once daily", (limits.single_dose_above,))
    regimen = case.dosing.regimen(step.daily)
    divisible = len(dose.steps) == 1 and regimen.daily == step.daily
    doses = permitted(case, (ChangeDose(regimen),) if divisible else ())
    return Finding(
        INTERVAL,
        Indicator.INFO,
        "default",
        ("S-ORDER", "S-HALF", "act", *closing(case, doses)),
        {
            "daily": step.daily,
            "single": step.largest_single,
            "n": Count.of(step.times_per_day),
            "divided": str(regimen),
        },
        doses,
    )


def _too_few(step: DoseStep, limits: Limits) -> bool:
    once_daily = step.times_per_day <= 1 and step.daily >= limits.once_daily_at_least
    return once_daily or (step.largest_single > limits.single_dose_above and step.daily <= limits.divided_at_most)

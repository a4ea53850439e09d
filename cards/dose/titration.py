"""How fast, and how often: titration-too-fast, tolerance-escalation (rules.md 5.2)."""

from __future__ import annotations

from itertools import pairwise

from cards.advice import closing, instead, permitted
from cards.case import Case, Indication, Kind
from cards.dose.amount import oral_dose_of, tier_of, too_high_to_start
from cards.dose.limits import Limits
from cards.facts import Input, Missing, OralDose, Route, Why
from cards.kidney import Tier
from cards.outcome import CannotAssess, ChangeDose, Finding, Indicator, NotIndicated, Outcome, quiet
from cards.quantities import Count, DailyDose, Days
from cards.values import frozen

TITRATION = "titration-too-fast"
TOLERANCE = "tolerance-escalation"


@frozen
class StepUp:
    """One rise of the daily dose, of the current dose by this order or inside its sequence."""

    before: DailyDose
    after: DailyDose
    gap: Days | None
    """Days that ``before`` is taken until the rise; None: not recorded."""
    from_current: bool

    @property
    def increase(self) -> DailyDose:
        return self.after - self.before


def titration_too_fast(case: Case, limits: Limits) -> Outcome:
    dose = oral_dose_of(case, TITRATION)
    if isinstance(dose, NotIndicated):
        return dose
    steps = steps_up(case, dose)
    if not steps:
        return quiet(TITRATION, _unread(case, steps, None, limits), "{}: no step up", case.kind)
    judged = [(judge(case, step, tier_of(case), limits), step) for step in steps]
    indicator, worst = max(judged, key=lambda pair: pair[0] or 0, default=(None, None))
    unread = _unread(case, steps, indicator, limits)
    if indicator is None or worst is None:
        largest, allowed = max(step.increase for step in steps), case.dosing.step_up(tier_of(case), case.indication)
        return quiet(TITRATION, unread, "largest step {}, allowed {}, none too soon", largest, allowed)
    doses = permitted(case, _slower(case, dose, worst, limits))
    return Finding(
        TITRATION,
        indicator,
        "default" if worst.gap is not None else "no_gap",
        ("S-ORDER", "which", "why", "act", *closing(case, doses)),
        _values(case, worst, indicator),
        doses,
        unread,
    )


def steps_up(case: Case, dose: OralDose) -> tuple[StepUp, ...]:
    """Every rise, in time; a first order has no rise before its own sequence."""
    current = case.current.dose
    found = []
    if case.kind is Kind.INCREASE and isinstance(current, DailyDose) and dose.start > current:
        found.append(StepUp(current, dose.start, case.current.since_change, from_current=True))
    for one, other in pairwise(dose.steps):
        if other.daily > one.daily:
            found.append(StepUp(one.daily, other.daily, one.lasts, from_current=False))
    return tuple(found)


def judge(case: Case, step: StepUp, tier: Tier, limits: Limits) -> Indicator | None:
    """Too large, or too soon; None is an allowed step. A gap that is not known is not called too short."""
    if step.increase > limits.step_critical_above:
        return Indicator.CRITICAL
    too_soon = step.gap is not None and step.gap < case.dosing.step_every(tier)
    if too_soon or step.increase > case.dosing.step_up(tier, Indication.SPASTICITY):
        return Indicator.WARNING
    return Indicator.INFO if step.increase > case.dosing.step_up(tier, case.indication) else None


def _unread(case: Case, steps: tuple[StepUp, ...], indicator: Indicator | None, limits: Limits) -> tuple[Missing, ...]:
    """What was not known and could have made a step too fast, or faster."""
    missing = []
    if isinstance(case.current.dose, Missing) and indicator is not Indicator.CRITICAL:
        missing.append(case.current.dose)
    if (indicator or 0) < Indicator.WARNING:
        missing += [_gap_of(step) for step in steps if step.gap is None]
    if isinstance(case.kidney, Missing):
        reduced = max((judge(case, step, Tier.K3A, limits) or 0 for step in steps), default=0)
        if reduced > (indicator or 0):
            missing.append(case.kidney)
    return tuple(missing)


def _gap_of(step: StepUp) -> Missing:
    if step.from_current:
        return Missing(Input.MEDICATIONS, Why.NOT_RECORDED, "the date of the last baclofen dose change is not recorded")
    return Missing(Input.ORDER, Why.UNREADABLE, f"the step of {step.before} does not say how long it lasts")


def _slower(case: Case, dose: OralDose, worst: StepUp, limits: Limits) -> tuple[ChangeDose, ...]:
    every = case.dosing.step_every(tier_of(case))
    if not worst.from_current:
        return _first_step_only(case, dose, limits)
    if worst.gap is not None and worst.gap < every:
        return instead(case, worst.before, f"no increase until day {every:n}")
    if worst.before >= case.dosing.labelled_maximum:
        return instead(case, worst.before, "no increase")
    allowed = worst.before + case.dosing.step_up(tier_of(case), case.indication)
    return instead(case, min(allowed, case.dosing.labelled_maximum))


def _first_step_only(case: Case, dose: OralDose, limits: Limits) -> tuple[ChangeDose, ...]:
    """A step inside a sequence is too fast: order its first step alone, never a cut. A lowered dose keeps its plan."""
    current = case.current.dose
    if case.kind is Kind.DECREASE:
        return ()
    if isinstance(current, DailyDose) and current > dose.start:
        return instead(case, current, "no increase")
    start: DailyDose | None = dose.start
    if too_high_to_start(case, dose, limits):
        start = case.dosing.recommended_start(tier_of(case), case.age)
    return instead(case, start, "first step only") if start is not None else ()


def _values(case: Case, worst: StepUp, indicator: Indicator) -> dict[str, object]:
    tier = tier_of(case)
    indication = case.indication if indicator is Indicator.INFO else Indication.SPASTICITY
    return {
        "before": worst.before,
        "after": worst.after,
        "inc": worst.increase,
        "gap": worst.gap if worst.gap is not None else "an unknown time",
        "limit": case.dosing.step_up(tier, indication),
        "days": case.dosing.step_every(tier),
    }


# ------------------------------------------------------------------------------------------------------- tolerance


def tolerance_escalation(case: Case, limits: Limits) -> Outcome:
    dose = oral_dose_of(case, TOLERANCE)
    if isinstance(dose, NotIndicated):
        return dose
    if isinstance(case.current.dose, Missing):
        return CannotAssess(TOLERANCE, (case.current.dose,))
    if case.kind is not Kind.INCREASE:
        return NotIndicated(TOLERANCE, "{}, not an increase", (case.kind,))
    raised = Count.of(case.current.earlier_increases)
    earlier = _earlier_dose(case, limits)
    grown = earlier is not None and dose.highest.value >= earlier.value * limits.tolerance_rise_at_least.value
    if raised < limits.earlier_increases_at_least and not grown:
        return NotIndicated(TOLERANCE, "raised {} times before in {}", (raised, limits.tolerance_window))
    often = raised >= limits.earlier_increases_at_least
    return Finding(
        TOLERANCE,
        Indicator.INFO,
        "often" if often else "grown",
        ("S-ORDER", "why"),
        {
            "n": raised,
            "window": limits.tolerance_window,
            "earlier": earlier if earlier is not None else case.current.dose,
        },
    )


def _earlier_dose(case: Case, limits: Limits) -> DailyDose | None:
    """The daily dose of the newest oral order that is at least the window old; of two of one day the lower."""
    oldest = limits.tolerance_window.before(case.facts.today)
    dated = [
        (entry.since, entry.dose.highest)
        for entry in case.charted_baclofen
        if entry.route is Route.ORAL and isinstance(entry.dose, OralDose) and entry.since and entry.since <= oldest
    ]
    newest = max((day for day, _ in dated), default=None)
    return min((dose for day, dose in dated if day == newest), default=None)

"""renal-dose-exceeds-limit: eGFR 30-89 (rules.md 5.1, first table)."""

from __future__ import annotations

from cards.advice import acute, instead, not_above_ordered, permitted, starting
from cards.case import Case, Kind
from cards.facts import Missing, OralDose
from cards.kidney import KidneyFunction, Tier
from cards.kidney_function.judged import RISES, kidney_of, paragraphs, recheck
from cards.kidney_function.limits import Limits
from cards.outcome import ChangeDose, DoseProposal, Finding, Indicator, Outcome, Taper, WithdrawOrder, quiet
from cards.quantities import DailyDose

RULE = "renal-dose-exceeds-limit"


def renal_dose_exceeds_limit(case: Case, limits: Limits) -> Outcome:
    kidney = kidney_of(case, RULE)
    match kidney:
        case KidneyFunction(tier=Tier.K2):
            return _mild(case, kidney, limits)
        case KidneyFunction(tier=Tier.K3A | Tier.K3B):
            return _moderate(case, kidney, limits)
        case KidneyFunction():
            return quiet(RULE, kidney.unchecked, "{} is not between 30 and 89", kidney)
        case _:
            return kidney


# ------------------------------------------------------------------------------------------------------------- K2


def _mild(case: Case, kidney: KidneyFunction, limits: Limits) -> Outcome:
    """A note above 50 mg/day; a start of 15 mg/day is accepted silently (resolutions.md 11)."""
    ceiling = limits.mild_impairment_above
    if not (case.kind in RISES and isinstance(case.dose, OralDose) and case.dose.highest > ceiling):
        return quiet(RULE, kidney.unchecked, "{}: no new or raised dose above {}", kidney, ceiling)
    tests = recheck(kidney, limits)
    return Finding(
        RULE,
        Indicator.INFO,
        "mild",
        paragraphs(case, kidney, limits, ("why_mild", "S-WATCH"), tests),
        {"note_above": ceiling},
        tests,
        kidney.unchecked,
    )


# ------------------------------------------------------------------------------------------------------------- K3


def under_65(kind: Kind, dose: OralDose, tier: Tier, limits: Limits) -> Indicator | None:
    """The K3 table under 65; None is silence."""
    k3b = tier is Tier.K3B
    harmful = dose.highest >= limits.harm_at_least
    over_half = dose.highest > limits.half_maximum_above
    over_maximum = dose.highest > limits.maximum_above
    match kind:
        case Kind.INITIATION:
            if over_half or (k3b and harmful):
                return Indicator.CRITICAL
            if dose.start > limits.low_start_above:
                return Indicator.WARNING
            return Indicator.INFO if harmful else None
        case Kind.INCREASE:
            if over_maximum or (k3b and over_half):
                return Indicator.CRITICAL
            if over_half or (k3b and harmful):
                return Indicator.WARNING
            return Indicator.INFO if harmful else None
        case Kind.UNCHANGED:
            return Indicator.CRITICAL if over_maximum else Indicator.WARNING if over_half else None
        case _:
            return Indicator.INFO if over_half else None


def from_65(kind: Kind, dose: OralDose, limits: Limits) -> Indicator | None:
    """The K3 table at 65 and over (Beers: avoid); None is silence."""
    harmful = dose.highest >= limits.harm_at_least
    over_half = dose.highest > limits.half_maximum_above
    match kind:
        case Kind.INITIATION | Kind.INCREASE:
            return Indicator.CRITICAL if harmful else Indicator.WARNING
        case Kind.UNCHANGED:
            return Indicator.CRITICAL if over_half else Indicator.WARNING if harmful else Indicator.INFO
        case _:
            return Indicator.WARNING if over_half else Indicator.INFO if harmful else None


def _moderate(case: Case, kidney: KidneyFunction, limits: Limits) -> Outcome:
    if not isinstance(case.dose, OralDose):
        return _finding(case, kidney, limits, Indicator.WARNING, ())
    young, old = under_65(case.kind, case.dose, kidney.tier, limits), from_65(case.kind, case.dose, limits)
    indicator = old if case.dosing.older(case.age) else young
    # An unknown age is judged as under 65, and named wherever 65 would be worse.
    unread = (case.age,) if isinstance(case.age, Missing) and (old or 0) > (young or 0) else ()
    if indicator is None:
        within = "{} ({}) is within the limits for {}"
        return quiet(RULE, (*kidney.unchecked, *unread), within, case.dose.highest, case.kind, kidney)
    return _finding(case, kidney, limits, indicator, unread)


def _finding(
    case: Case, kidney: KidneyFunction, limits: Limits, indicator: Indicator, unread: tuple[Missing, ...]
) -> Finding:
    older = case.dosing.older(case.age)
    doses = permitted(case, _doses(case, kidney.tier, limits, older=older) if indicator > Indicator.INFO else ())
    proposals = (*doses, *recheck(kidney, limits))
    summary, act = _words(case, indicator, doses, older=older)
    own = ("why", "beers" if older else "extrapolated", *act, "S-WATCH", *(("S-OLD",) if older else ()))
    return Finding(
        RULE,
        indicator,
        summary,
        paragraphs(case, kidney, limits, own, proposals),
        _values(case, kidney.tier, limits, doses),
        proposals,
        (*kidney.unchecked, *unread),
    )


def _doses(case: Case, tier: Tier, limits: Limits, *, older: bool) -> tuple[DoseProposal, ...]:
    if starting(case):
        return (*instead(case, not_above_ordered(case, case.dosing.start_k3)), *((WithdrawOrder(),) if older else ()))
    current = case.current.dose
    # Going on with a dose whose renewal would be critical is nothing to suggest.
    too_high = limits.half_maximum_above if older else limits.maximum_above
    match case.kind:
        case Kind.INCREASE if isinstance(current, DailyDose) and current <= too_high:
            return _smaller_increase(case, current, tier)
        case Kind.INCREASE | Kind.UNCHANGED if isinstance(current, DailyDose):
            return (case.dosing.taper(current, tier, case.age),)
        case _:
            return ()


def _smaller_increase(case: Case, current: DailyDose, tier: Tier) -> tuple[ChangeDose, ...]:
    """One renal step up where the ceiling leaves room and the last change is long enough ago; else no increase."""
    every, since = case.dosing.step_every(tier), case.current.since_change
    if since is not None and since < every:
        return instead(case, current, f"no increase until day {every:n}")
    ceiling = case.dosing.ceiling(tier, case.age, established=False)
    higher = current + case.dosing.step_up(tier, case.indication)
    higher = not_above_ordered(case, higher if ceiling is None else min(higher, ceiling))
    if isinstance(case.dose, OralDose) and current < higher < case.dose.highest:
        return instead(case, higher)
    return instead(case, current, "no increase")


# ---------------------------------------------------------------------------------------------------------- words


def _words(
    case: Case, indicator: Indicator, doses: tuple[DoseProposal, ...], *, older: bool
) -> tuple[str, tuple[str, ...]]:
    """Summary and the paragraph that says what to do instead."""
    if acute(case):
        return "acute", ("act_acute",)
    if not isinstance(case.dose, OralDose):
        return "no_dose", ("act_start",) if starting(case) else ("act_unreadable",)
    if not case.current.known:
        return "current_unknown", ("act_if_first",)
    match case.kind:
        case Kind.INITIATION | Kind.INCREASE if indicator is Indicator.INFO:
            return "target", ("act_target",)
        case Kind.INITIATION:
            return "start_older" if older else "start", ("act_start",)
        case Kind.INCREASE if any(isinstance(dose, Taper) for dose in doses):
            return "unchanged", ("act_taper",)
        case Kind.INCREASE:
            higher = any(isinstance(dose, ChangeDose) and not dose.note for dose in doses)
            return "increase_older" if older else "increase", ("act_step" if higher else "act_no_increase",)
        case Kind.UNCHANGED if not doses:
            return "unchanged_low", ("act_review",)
        case Kind.UNCHANGED:
            return "unchanged", ("act_taper",)
        case _:
            return "decrease", ("act_go_on",)


def _values(case: Case, tier: Tier, limits: Limits, doses: tuple[DoseProposal, ...]) -> dict[str, object]:
    dosing = case.dosing
    established = case.kind in (Kind.UNCHANGED, Kind.DECREASE) or any(isinstance(dose, Taper) for dose in doses)
    values: dict[str, object] = {
        "start": not_above_ordered(case, dosing.start_k3) if starting(case) else dosing.start_k3,
        "step": dosing.step_up(tier, case.indication),
        "every": dosing.step_every(tier),
        "limit": dosing.ceiling(tier, case.age, established),
        "harm": limits.harm_at_least,
    }
    for dose in doses:
        match dose:
            case ChangeDose(regimen=regimen):
                values["suggested"] = str(regimen)
            case Taper(steps=steps):
                values["first"] = str(steps[0].regimen)
            case _:
                pass
    return values

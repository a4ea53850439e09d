"""The kidney resolver (rules.md section 4): kidney results, problems and procedures in, one tier out.

Dialysis first (``dialysis``), then which estimate counts (``kidney_estimates``, ``kidney_choice``), whether it is
fresh, and whether it is in steady state (``acute_kidney_injury``).
"""

from __future__ import annotations

from datetime import date

from cards.acute_kidney_injury import AcuteInjury, acute_injury, undated_diagnosis
from cards.dialysis import dialysis
from cards.facts import Bound, ChartText, Input, KidneyResults, Missing, Observations, PatientFacts, Why
from cards.gaps import unread
from cards.kidney_choice import choose
from cards.kidney_estimates import Estimate, adult_estimates, black_variants, child_estimates, days_between, past
from cards.kidney_tiers import KidneyLimits, Tier
from cards.quantities import Days, Egfr, Height
from cards.values import frozen

__all__ = ["AcuteInjury", "KidneyFunction", "KidneyLimits", "Tier", "resolve"]


@frozen
class KidneyFunction:
    tier: Tier
    egfr: Egfr | None
    method: str
    """Words for the card: "CKD-EPI 2021, computed from creatinine 1.25 mg/dL"; empty without a value."""
    taken: date | None
    age: Days | None
    """Days since the value was taken."""
    stale: bool
    """Older than 365 days, used because it was below 60 (R9)."""
    creatinine_only: bool
    acute: AcuteInjury | None
    dialysis: ChartText | None
    """The evidence of dialysis that decided the tier."""
    notes: tuple[str, ...]
    """Clauses for the card: "reported only as below 30", "both sexes computed, lower value used" ..."""
    last_known: tuple[Egfr, date] | None = None
    """The newest value even when it is too old to use."""
    unchecked: tuple[Missing, ...] = ()
    """Inputs of the resolver that could not be read although a tier was found."""
    bound: Bound = Bound.EXACT
    """ABOVE or BELOW: ``egfr`` is only a stated limit; the tier is that of the values beyond it."""

    def __str__(self) -> str:
        """ "eGFR 75 mL/min/1.73 m² (K2)"."""
        return f"{'no eGFR' if self.egfr is None else f'eGFR {self.egfr}'} ({self.tier})"


def resolve(facts: PatientFacts, limits: KidneyLimits) -> KidneyFunction | Missing:
    """One tier for this patient; ``Missing`` only when nothing at all could be read."""
    evidence, notes = dialysis(facts, limits)
    if evidence is not None:
        return _without_value(Tier.DIALYSIS, None, (), notes, dialysis=evidence.label)
    unchecked = unread(facts, Input.PROBLEMS, Input.PROCEDURES)
    if undated_diagnosis(facts):
        undated = "acute kidney injury is on the problem list without a date"
        notes += (undated,)
        unchecked += (Missing(Input.PROBLEMS, Why.UNREADABLE, undated),)

    if isinstance(facts.kidney, Missing) and facts.kidney.why is not Why.NOT_RECORDED:
        acute = acute_injury(facts, (), limits)
        return _without_value(Tier.UNKNOWN, acute, (facts.kidney, *unchecked), notes) if acute else facts.kidney
    given = facts.kidney if isinstance(facts.kidney, KidneyResults) else KidneyResults()
    results, some_dated_later = past(given, facts.today)
    acute = acute_injury(facts, results.creatinines, limits)
    if some_dated_later:
        notes += ("results dated after today are not used",)
    if results.unreadable:
        clauses = "; ".join(results.unreadable[:3]) + ("; and more" if len(results.unreadable) > 3 else "")
        unchecked += (Missing(Input.KIDNEY_RESULTS, Why.UNREADABLE, clauses),)
        notes += (clauses,)

    child = not isinstance(facts.age, Missing) and facts.age < limits.child_below
    reading = _child(facts, results, limits) if child else _adult(facts, results, limits)
    notes += reading.notes
    unchecked += reading.unchecked
    estimate = reading.estimate
    last_known = (reading.newest.egfr, reading.newest.day) if reading.newest else None
    if results.incomplete:
        gap = Missing(Input.KIDNEY_RESULTS, Why.NOT_AVAILABLE, results.incomplete)
        if estimate is None and acute is None:
            return gap
        unchecked += (gap,)
    if estimate is None:
        return _without_value(Tier.CHILD if child else Tier.UNKNOWN, acute, unchecked, notes, last_known=last_known)
    if estimate.contradiction:
        unchecked += (Missing(Input.KIDNEY_RESULTS, Why.UNREADABLE, estimate.contradiction),)
    age = days_between(estimate.day, facts.today)
    return KidneyFunction(
        tier=Tier.CHILD if child else limits.tier(estimate.decides),
        egfr=estimate.egfr,
        method=estimate.method,
        taken=estimate.day,
        age=age,
        stale=age > limits.usable_max_age,
        creatinine_only=not estimate.with_cystatin,
        acute=acute,
        dialysis=None,
        notes=(*estimate.notes, *notes),
        last_known=last_known,
        unchecked=unchecked,
        bound=estimate.bound,
    )


def _without_value(
    tier: Tier,
    acute: AcuteInjury | None,
    unchecked: tuple[Missing, ...],
    notes: tuple[str, ...],
    *,
    dialysis: ChartText | None = None,
    last_known: tuple[Egfr, date] | None = None,
) -> KidneyFunction:
    return KidneyFunction(
        tier=tier, egfr=None, method="", taken=None, age=None, stale=False, creatinine_only=False, acute=acute,
        dialysis=dialysis, notes=notes, last_known=last_known, unchecked=unchecked,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ value and freshness


@frozen
class _Reading:
    estimate: Estimate | None
    newest: Estimate | None
    notes: tuple[str, ...] = ()
    unchecked: tuple[Missing, ...] = ()


def _adult(facts: PatientFacts, results: KidneyResults, limits: KidneyLimits) -> _Reading:
    age = None if isinstance(facts.age, Missing) else facts.age
    notes: tuple[str, ...] = ()
    unchecked: tuple[Missing, ...] = ()
    estimates = adult_estimates(results, age, facts.sex, facts.today, limits)
    newest = choose(estimates, results.creatinines, facts.today, limits)
    used = _usable(newest, facts.today, limits)
    if used is None:
        last_resort = choose(black_variants(results), (), facts.today, limits)
        used = _usable(last_resort, facts.today, limits)
        newest = used or newest or last_resort
    if isinstance(facts.age, Missing) and results.creatinines:
        notes += ("age not known: no eGFR can be computed from creatinine",)
        unchecked += (facts.age,)
    return _Reading(used, newest, notes, unchecked)


def _usable(estimate: Estimate | None, today: date, limits: KidneyLimits) -> Estimate | None:
    """A year old at most; a reduced one up to five years (R9)."""
    if estimate is None:
        return None
    max_age = limits.stale_max_age if estimate.decides < limits.stale_below else limits.usable_max_age
    return estimate if estimate.day >= max_age.before(today) else None


def _child(facts: PatientFacts, results: KidneyResults, limits: KidneyLimits) -> _Reading:
    height = _height(facts, limits)
    newest = choose(child_estimates(results, height), (), facts.today, limits)
    used = newest if newest and newest.day >= limits.usable_max_age.before(facts.today) else None
    if used or height or not results.creatinines:
        return _Reading(used, newest)
    note = f"no height of the last {limits.height_max_age}: no eGFR can be computed under 18"
    return _Reading(None, newest, (note,), unread(facts, Input.OBSERVATIONS))


def _height(facts: PatientFacts, limits: KidneyLimits) -> Height | None:
    if not isinstance(facts.observations, Observations) or facts.observations.body.height is None:
        return None
    height, measured = facts.observations.body.height
    return height if limits.height_max_age.before(facts.today) <= measured <= facts.today else None

"""Signs of acute kidney injury (rules.md R8): creatinine rising, or a fresh diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from statistics import median

from cards.facts import CreatinineResult, PatientFacts, Problem, ProblemList
from cards.kidney_estimates import day, reaches, shown
from cards.kidney_tiers import KidneyLimits
from cards.quantities import SerumCreatinine
from cards.values import frozen


@frozen
class AcuteInjury:
    """Possible acute kidney injury (R8)."""

    before: SerumCreatinine | None
    """None when only a diagnosis is known."""
    now: SerumCreatinine | None
    because: str
    """"creatinine 1.6 times its lowest value of the last 7 days"."""


def acute_injury(
    facts: PatientFacts, creatinines: Sequence[CreatinineResult], limits: KidneyLimits
) -> AcuteInjury | None:
    """``creatinines`` hold none of the future. A patient on dialysis is not asked for."""
    return _rising(creatinines, facts.today, limits) or _diagnosed(facts, limits)


def undated_diagnosis(facts: PatientFacts) -> bool:
    """An active diagnosis that may be of today or of years ago: named, not counted."""
    if not isinstance(facts.problems, ProblemList):
        return False
    return any(entry.recorded is None for entry in facts.problems.active(Problem.ACUTE_KIDNEY_INJURY))


def _rising(creatinines: Sequence[CreatinineResult], today: date, limits: KidneyLimits) -> AcuteInjury | None:
    """The newest creatinine, if of the last days, against what stood before it.

    Windows count back from the newest creatinine: the comparison is with what preceded it, also when it is itself a few
    days old. Values without a time stand at the start of their day, so two days apart still counts as 48 hours.
    """
    if len(creatinines) < 2:
        return None
    newest = max(creatinines, key=lambda result: (result.taken, result.value))
    taken, now = day(newest.taken), newest.value
    if taken < limits.acute_lowest_max_age.before(today):
        return None
    others = [result for result in creatinines if result is not newest]

    hours_ago = newest.taken - limits.acute_rise_within_at_most.span
    before = _lowest([r for r in others if r.taken >= hours_ago])
    if before and reaches((rise := now - before).value, limits.acute_rise_at_least.value):
        return _injury(before, now, f"creatinine up by {shown(rise)} within {limits.acute_rise_within_at_most}")

    ratio = limits.acute_ratio_at_least.value
    recent = limits.acute_lowest_max_age.before(taken)
    before = _lowest([r for r in others if day(r.taken) >= recent])
    if before and reaches(now.value, ratio * before.value):
        lowest = f"its lowest value of the last {limits.acute_lowest_max_age}"
        return _injury(before, now, f"creatinine {_times(now, before)} times {lowest}")

    year = limits.acute_baseline_max_age.before(taken)
    baseline = [r.value.value for r in others if year <= day(r.taken) < recent]
    if baseline:
        before = SerumCreatinine(median(baseline))
        if reaches(now.value, ratio * before.value):
            return _injury(before, now, f"creatinine {_times(now, before)} times its median of the year before")
    return None


def _diagnosed(facts: PatientFacts, limits: KidneyLimits) -> AcuteInjury | None:
    if not isinstance(facts.problems, ProblemList):
        return None
    recorded = [
        entry.recorded
        for entry in facts.problems.active(Problem.ACUTE_KIDNEY_INJURY)
        if entry.recorded is not None
        and limits.acute_diagnosis_max_age.before(facts.today) <= entry.recorded <= facts.today
    ]
    return AcuteInjury(None, None, f"acute kidney injury recorded on {max(recorded)}") if recorded else None


def _lowest(results: Iterable[CreatinineResult]) -> SerumCreatinine | None:
    return min((result.value for result in results), default=None)


def _times(now: SerumCreatinine, before: SerumCreatinine) -> str:
    return format((now.value / before.value).quantize(Decimal("0.1")), "f")


def _injury(before: SerumCreatinine, now: SerumCreatinine, because: str) -> AcuteInjury:
    return AcuteInjury(shown(before), shown(now), because)

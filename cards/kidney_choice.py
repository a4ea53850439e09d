"""Which estimate counts: the newest collection's best method, or an older one that still holds (rules.md R1, R3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from cards.facts import Bound, CreatinineResult
from cards.kidney_estimates import COMPUTED, Estimate, days_between, duration, reaches
from cards.kidney_tiers import KidneyLimits
from cards.quantities import SerumCreatinine


def choose(
    estimates: Sequence[Estimate], creatinines: Sequence[CreatinineResult], today: date, limits: KidneyLimits
) -> Estimate | None:
    """The newest collection's best method, unless an older cystatin-based value still holds (R3)."""
    if not estimates:
        return None
    within = duration(limits.same_collection_at_most)
    newest = max(estimate.taken for estimate in estimates)
    collection = [estimate for estimate in estimates if newest - estimate.taken <= within]
    best = _best(collection)
    if best.with_cystatin:
        return _naming_others(best, collection, limits)
    held = [
        estimate
        for estimate in estimates
        if estimate.with_cystatin
        and estimate.bound is Bound.EXACT
        and days_between(estimate.day, today) <= limits.cystatin_max_age
    ]
    older = choose(held, (), today, limits) if held else None
    if older and _unchanged(_near(older.taken, creatinines, within), _near(newest, creatinines, within), limits):
        note = f"newer eGFR without cystatin C: {best.egfr:n}; creatinine changed little, so the one with it is used"
        return replace(older, notes=(*older.notes, note))
    return _naming_others(best, collection, limits)


def _best(collection: Sequence[Estimate]) -> Estimate:
    best = min(collection, key=_preference)
    if best.rank == COMPUTED:
        # The laboratory's own "below 15" is not lifted by our computation.
        below = [e for e in collection if e.bound is Bound.BELOW and e.egfr <= best.egfr]
        return min(below, key=lambda estimate: (estimate.value, _preference(estimate)), default=best)
    return best


def _preference(estimate: Estimate) -> tuple[int, Decimal, float, str]:
    """The better method, then the lower value (R1); the rest only makes the choice independent of the order sent."""
    return estimate.rank, estimate.value, -estimate.taken.timestamp(), estimate.method


def _naming_others(best: Estimate, collection: Iterable[Estimate], limits: KidneyLimits) -> Estimate:
    """Other methods of the collection are named too; our own computation only where it changes the tier."""
    exact = [other for other in collection if other.bound is Bound.EXACT and other.egfr != best.egfr]
    if not exact:
        return best
    elsewhere = [other for other in exact if limits.tier(other.decides) is not limits.tier(best.decides)]
    named = sorted({_words(other) for other in exact if other.reported or other in elsewhere})
    worse = sorted(
        {_words(other) for other in elsewhere if other.value < limits.contradiction_below.value * best.value}
    )
    contradiction = f"results of {best.day} contradict each other: {'; '.join((_words(best), *worse))}" if worse else ""
    notes = (*best.notes, *(f"of the same collection, {words}" for words in named))
    return replace(best, notes=notes, contradiction=contradiction)


def _words(estimate: Estimate) -> str:
    return f"{estimate.method}: {estimate.egfr:n}"


def _near(moment: datetime, results: Iterable[CreatinineResult], within: timedelta) -> SerumCreatinine | None:
    """The highest creatinine of one collection."""
    near = [r.value for r in results if abs(r.taken - moment) <= within and r.bound is Bound.EXACT]
    return max(near, default=None)


def _unchanged(before: SerumCreatinine | None, now: SerumCreatinine | None, limits: KidneyLimits) -> bool:
    if before is None or now is None:
        return False
    return not reaches(abs(now.value - before.value), limits.creatinine_change_below.value * before.value)

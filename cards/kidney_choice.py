"""Which estimate counts: the newest collection's best method, or an older one that still holds (rules.md R1, R3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter

from cards.facts import Bound, CreatinineResult
from cards.kidney_estimates import COMPUTED, Estimate, reaches
from cards.kidney_tiers import KidneyLimits
from cards.quantities import SerumCreatinine


def choose(
    estimates: Sequence[Estimate], creatinines: Sequence[CreatinineResult], today: date, limits: KidneyLimits
) -> Estimate | None:
    """The newest collection's best method, unless an older cystatin-based value still holds (R3)."""
    if not estimates:
        return None
    within = limits.same_collection_at_most.span
    newest = max(estimate.taken for estimate in estimates)
    collection = [estimate for estimate in estimates if newest - estimate.taken <= within]
    best = _best(collection)
    if best.with_cystatin:
        return _naming_others(best, collection, limits)
    with_cystatin = [one for one in estimates if one.with_cystatin and one.bound is Bound.EXACT]
    if not with_cystatin:
        return _naming_others(best, collection, limits)
    oldest = limits.cystatin_max_age.before(today)
    older = choose([estimate for estimate in with_cystatin if estimate.day >= oldest], (), today, limits)
    if older and _unchanged(_near(older.taken, creatinines, within), _near(newest, creatinines, within), limits):
        note = f"newer eGFR without cystatin C: {best.egfr:n}; creatinine changed little, so the one with it is used"
        return replace(older, notes=(*older.notes, note))
    return _naming_others(best, collection, limits)


def _best(collection: Sequence[Estimate]) -> Estimate:
    preferences = [_preference(estimate) for estimate in collection]
    highest = min(preferences)
    equals = [one for one, preference in zip(collection, preferences, strict=True) if preference == highest]
    # Which of two equal ones is named must not depend on the order sent.
    best = equals[0] if len(equals) == 1 else min(equals, key=attrgetter("method"))
    if best.rank == COMPUTED:
        # The laboratory's own "below 15" is not lifted by our computation.
        below = [e for e in collection if e.bound is Bound.BELOW and e.egfr <= best.egfr]
        return min(below, key=lambda estimate: (estimate.value, _preference(estimate), estimate.method), default=best)
    return best


def _preference(estimate: Estimate) -> tuple[int, Decimal, float]:
    """The better method, then the lower value (R1), then the newer one."""
    return estimate.rank, estimate.value, -estimate.taken.timestamp()


def _naming_others(best: Estimate, collection: Iterable[Estimate], limits: KidneyLimits) -> Estimate:
    """Other methods of the collection are named too; our own computation only where it changes the tier."""
    exact = [other for other in collection if other.bound is Bound.EXACT and other.egfr != best.egfr]
    if not exact:
        return best
    tier = limits.tier(best.decides)
    elsewhere = [other for other in exact if limits.tier(other.decides) is not tier]
    named = sorted({_words(other) for other in exact if other.reported or other in elsewhere})
    if not named:
        return best
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

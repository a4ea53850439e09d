"""Every estimate of kidney function that the results allow: as reported, and computed by us (rules.md R1-R7, R10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Protocol, TypeVar

from cards.facts import Bound, CreatinineResult, CystatinResult, EgfrMethod, EgfrResult, KidneyResults, Sex
from cards.kidney_equations import bedside_schwartz, ckd_epi_2021_creatinine, ckd_epi_2021_creatinine_cystatin
from cards.kidney_tiers import KidneyLimits
from cards.quantities import Age, Days, Egfr, Height, Quantity, half_up
from cards.values import frozen_with_once, once

_PREFERENCE = (
    EgfrMethod.CKD_EPI_2021_CR_CYS, EgfrMethod.CKD_EPI_2012_CR_CYS, EgfrMethod.CYSTATIN_C, EgfrMethod.CKD_EPI_2021_CR,
    EgfrMethod.CKD_EPI_2009, EgfrMethod.MDRD, EgfrMethod.UNSTATED,
)  # fmt: skip
"""Reported methods that stand above our own computation from creatinine, best first (R1)."""
_WITH_CYSTATIN = frozenset(_PREFERENCE[:3])
COMPUTED = len(_PREFERENCE)
"""Rank of our own computation from creatinine alone."""
_RACE = COMPUTED + 1
_HUNDREDTH, _THOUSANDTH = Decimal("0.01"), Decimal("0.001")
_NOT_FOR_ADULTS = frozenset({EgfrMethod.RACE_BLACK, EgfrMethod.SCHWARTZ})
_ONLY_BOUND = COMPUTED + 2
"""A value known only as "above 60" comes after everything exact: with a creatinine, that is computed instead (R5)."""


@frozen_with_once
class Estimate:
    value: Decimal
    """mL/min/1.73 m², unrounded; for a bound the bound itself."""
    taken: datetime
    rank: int
    """Smaller is the better method."""
    equation: str
    computed_from: tuple[tuple[str, Quantity], ...] = ()
    """Names and amounts; empty for an estimate that was reported."""
    with_cystatin: bool = False
    bound: Bound = Bound.EXACT
    notes: tuple[str, ...] = ()
    contradiction: str = ""
    """Another result of the same collection says something much worse."""

    @property
    def reported(self) -> bool:
        return not self.computed_from

    @property
    def method(self) -> str:
        """ "CKD-EPI 2021, computed from creatinine 1.25 mg/dL"."""
        if self.reported:
            return f"{self.equation}, as reported"
        return (
            f"{self.equation}, computed from {' and '.join(f'{what} {shown(of)}' for what, of in self.computed_from)}"
        )

    @once
    def egfr(self) -> Egfr:
        """Whole number, half up (R2)."""
        return Egfr.of(half_up(self.value))

    @once
    def decides(self) -> Egfr:
        """The whole number that the tier is read from: "below 30" is in the tier of 29."""
        return self.egfr - Egfr.of(1) if self.bound is Bound.BELOW else self.egfr

    @property
    def day(self) -> date:
        return day(self.taken)


def day(moment: datetime) -> date:
    """The UTC calendar day, in which windows of days are counted (resolutions.md 18)."""
    return moment.date() if moment.tzinfo is UTC else moment.astimezone(UTC).date()


def days_between(earlier: date, later: date) -> Days:
    return Days.of((later - earlier).days)


def reaches(value: Decimal, limit: Decimal) -> bool:
    """At least, to a thousandth mg/dL: 26.5 µmol/L is the limit of 0.3 mg/dL, and converted values are not exact."""
    return value.quantize(_THOUSANDTH) >= limit.quantize(_THOUSANDTH)


class _Taken(Protocol):
    @property
    def taken(self) -> datetime: ...


def _taken(results: Iterable[_Taken]) -> list[datetime]:
    return [result.taken for result in results]


def past(results: KidneyResults, today: date) -> tuple[KidneyResults, bool]:
    """The results without those dated after today, and whether there were any such."""
    end = datetime.combine(today + timedelta(days=1), time.min, UTC)
    moments = [*_taken(results.egfrs), *_taken(results.creatinines), *_taken(results.cystatins)]
    if not moments or max(moments) < end:
        return results, False
    kept = replace(
        results,
        egfrs=tuple(r for r in results.egfrs if r.taken < end),
        creatinines=tuple(r for r in results.creatinines if r.taken < end),
        cystatins=tuple(r for r in results.cystatins if r.taken < end),
    )
    return kept, True


# -------------------------------------------------------------------------------------------------------- adults


def adult_estimates(
    results: KidneyResults, age: Age | None, sex: Sex, today: date, limits: KidneyLimits
) -> list[Estimate]:
    """Those that can decide: of the newest collection, and every older one with cystatin C. Black variants of
    race-based values are none of them; without an age only what was reported."""
    reported = [r for r in results.egfrs if r.method not in _NOT_FOR_ADULTS]
    if age is None:
        return [_reported(result) for result in reported]
    within = limits.same_collection_at_most.span
    with_cystatin = _with_cystatin(results, age, sex, today, limits) if results.cystatins else []
    moments = [*_taken(reported), *_taken(results.creatinines), *_taken(with_cystatin)]
    newest = max(moments, default=datetime.min.replace(tzinfo=UTC))
    return [
        *(_reported(r) for r in reported if newest - r.taken <= within or r.method in _WITH_CYSTATIN),
        *(_from_creatinine(r, age, sex) for r in results.creatinines if newest - r.taken <= within),
        *with_cystatin,
    ]


def _with_cystatin(results: KidneyResults, age: Age, sex: Sex, today: date, limits: KidneyLimits) -> list[Estimate]:
    """Every recent cystatin C with every creatinine of the same collection."""
    within, oldest = limits.same_collection_at_most.span, limits.cystatin_max_age.before(today)
    return [
        _from_both(creatinine, cystatin, age, sex)
        for cystatin in results.cystatins
        if day(cystatin.taken) >= oldest
        for creatinine in results.creatinines
        if abs(creatinine.taken - cystatin.taken) <= within
    ]


def black_variants(results: KidneyResults) -> list[Estimate]:
    """The last resort: they run high, and nothing else was to be had (R4)."""
    note = "only the Black variant of a race-based eGFR was reported: true function may be lower"
    return [
        replace(_reported(result), notes=(*_reported(result).notes, note))
        for result in results.egfrs
        if result.method is EgfrMethod.RACE_BLACK
    ]


def _reported(result: EgfrResult) -> Estimate:
    rank = _PREFERENCE.index(result.method) if result.method in _PREFERENCE else _RACE
    notes = []
    if result.method is EgfrMethod.RACE_NON_BLACK:
        notes.append("race-based eGFR without a creatinine to recompute it: the non-Black value is used")
    if result.bound is not Bound.EXACT:
        rank += _ONLY_BOUND
        side = "above" if result.bound is Bound.ABOVE else "below"
        notes.append(f"reported only as {side} {result.value:n}")
    if not result.indexed:
        # Whether it is an eGFR at all is open: beside our own computation the lower of both is used.
        rank = max(rank, COMPUTED)
        notes.append("reported in mL/min, not indexed to body surface")
    return Estimate(
        value=result.value.value,
        taken=result.taken,
        rank=rank,
        equation=result.method.value,
        with_cystatin=result.method in _WITH_CYSTATIN,
        bound=result.bound,
        notes=tuple(notes),
    )


def _from_creatinine(result: CreatinineResult, age: Age, sex: Sex) -> Estimate:
    value = min(ckd_epi_2021_creatinine(result.value, age, female=female) for female in _sexes(sex))
    return Estimate(
        value=Decimal(value),
        taken=result.taken,
        rank=COMPUTED,
        equation="CKD-EPI 2021",
        computed_from=(("creatinine", result.value),),
        notes=(*_sex_note(sex), *_limit_note(result)),
    )


def _from_both(creatinine: CreatinineResult, cystatin: CystatinResult, age: Age, sex: Sex) -> Estimate:
    value = min(
        ckd_epi_2021_creatinine_cystatin(creatinine.value, cystatin.value, age, female=female) for female in _sexes(sex)
    )
    return Estimate(
        value=Decimal(value),
        taken=max(creatinine.taken, cystatin.taken),
        rank=_PREFERENCE.index(EgfrMethod.CKD_EPI_2021_CR_CYS),
        equation=EgfrMethod.CKD_EPI_2021_CR_CYS.value,
        computed_from=(("creatinine", creatinine.value), ("cystatin C", cystatin.value)),
        with_cystatin=True,
        notes=(*_sex_note(sex), *_limit_note(creatinine)),
    )


def _sexes(sex: Sex) -> tuple[bool, ...]:
    """For the equations: is it female? Both when the sex is not known, and the lower value is taken (R7)."""
    match sex:
        case Sex.FEMALE:
            return (True,)
        case Sex.MALE:
            return (False,)
        case Sex.UNKNOWN:
            return (True, False)


def _sex_note(sex: Sex) -> tuple[str, ...]:
    return ("sex not known: computed for both, the lower value is used",) if sex is Sex.UNKNOWN else ()


def _limit_note(result: CreatinineResult) -> tuple[str, ...]:
    if result.bound is Bound.EXACT:
        return ()
    return (f"creatinine reported only as {'above' if result.bound is Bound.ABOVE else 'below'} {shown(result.value)}",)


_A = TypeVar("_A", bound=Quantity)


def shown(amount: _A) -> _A:
    """A result as it is read: to a hundredth. Never for computing; a height is shown as it was measured."""
    return amount if isinstance(amount, Height) else amount.__class__(amount.value.quantize(_HUNDREDTH))


# ------------------------------------------------------------------------------------------------------ children


def child_estimates(results: KidneyResults, height: Height | None) -> list[Estimate]:
    """Bedside Schwartz, computed where there is a height, else as reported (R10)."""
    found = [_reported(result) for result in results.egfrs if result.method is EgfrMethod.SCHWARTZ]
    if height is not None:
        found += (
            Estimate(
                value=Decimal(bedside_schwartz(result.value, height)),
                taken=result.taken,
                rank=0,
                equation="bedside Schwartz",
                computed_from=(("creatinine", result.value), ("height", height)),
                notes=_limit_note(result),
            )
            for result in results.creatinines
        )
    return found

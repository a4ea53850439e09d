"""Dose and taper arithmetic (rules.md sections 4 and 6): recommended starts, ceilings, regimens, steps and tapers.

Everything here is a daily dose in mg of oral baclofen for an adult. What may be taken is never rounded up; only a step
down is, so that it stays a small one.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from cards.facts import Missing
from cards.kidney import Tier
from cards.outcome import Regimen, Taper, TaperStep
from cards.quantities import NO_DOSE, Age, DailyDose, Days, SingleDose
from cards.values import frozen

if TYPE_CHECKING:
    from cards.case import Indication

REDUCED = frozenset({Tier.K3A, Tier.K3B, Tier.K4, Tier.K5, Tier.DIALYSIS})
"""Kidney function at which steps up are smaller and further apart."""


@frozen
class Dosing:
    """The parameters of ``dosing.toml``, one field each, and what is computed from them."""

    start_k1: DailyDose
    start_k2: DailyDose
    start_k3: DailyDose
    start_k4: DailyDose
    start_dialysis: DailyDose
    start_older_at_most: DailyDose
    older_at_least: Age
    labelled_maximum: DailyDose
    ceiling_k3: DailyDose
    ceiling_k3_strict: DailyDose
    ceiling_k4: DailyDose
    ceiling_k5: DailyDose
    ceiling_dialysis: DailyDose
    step_at_most: DailyDose
    step_alcohol_at_most: DailyDose
    step_kidney_at_most: DailyDose
    step_every_at_least: Days
    step_kidney_every_at_least: Days
    once_daily_at_most: DailyDose
    twice_daily_at_most: DailyDose
    three_doses_at_most: DailyDose
    single_dose_unit: SingleDose
    single_dose_half_unit: SingleDose
    single_dose_avoided: SingleDose
    taper_large_cut_at_least: DailyDose
    taper_large_cut: DailyDose
    taper_small_cut: DailyDose
    taper_step_lasts: Days

    # ------------------------------------------------------------------------------------ by kidney function and age

    def older(self, age: Age | Missing) -> bool:
        """65 and over. An unknown age is not called older; the rules say that it is unknown."""
        return isinstance(age, Age) and age >= self.older_at_least

    def recommended_start(self, tier: Tier, age: Age | Missing) -> DailyDose | None:
        """What to start with instead. None: nothing without a specialist (K5), or dosed by weight (children)."""
        match tier:
            case Tier.K1:
                return min(self.start_k1, self.start_older_at_most) if self.older(age) else self.start_k1
            case Tier.K2 | Tier.UNKNOWN:
                return min(self.start_k2, self.start_older_at_most) if self.older(age) else self.start_k2
            case Tier.K3A | Tier.K3B:
                return self.start_k3
            case Tier.K4:
                return self.start_k4
            case Tier.DIALYSIS:
                return self.start_dialysis
            case Tier.K5 | Tier.CHILD:
                return None

    def ceiling(self, tier: Tier, age: Age | Missing, established: bool) -> DailyDose | None:
        """The highest daily dose that a suggestion may leave or reach; None for children.

        ``established``: the patient takes baclofen already and the order does not raise it.
        """
        match tier:
            case Tier.K1 | Tier.K2 | Tier.UNKNOWN:
                return self.labelled_maximum
            case Tier.K3A:
                return self.ceiling_k3_strict if self.older(age) else self.ceiling_k3
            case Tier.K3B:
                return self.ceiling_k3 if established and not self.older(age) else self.ceiling_k3_strict
            case Tier.K4:
                return self.ceiling_k4
            case Tier.K5:
                return self.ceiling_k5
            case Tier.DIALYSIS:
                return self.ceiling_dialysis
            case Tier.CHILD:
                return None

    def step_up(self, tier: Tier, indication: Indication) -> DailyDose:
        """The largest increase at one time."""
        if tier in REDUCED:
            return self.step_kidney_at_most
        return self.step_alcohol_at_most if indication.is_alcohol else self.step_at_most

    def step_every(self, tier: Tier) -> Days:
        """The shortest time between two increases."""
        return self.step_kidney_every_at_least if tier in REDUCED else self.step_every_at_least

    # -------------------------------------------------------------------------------------------------------- regimen

    def regimen(self, daily: DailyDose) -> Regimen:
        """The single doses of a day (rules.md 6.2), morning to night; empty for 0 mg.

        A daily dose that steps of 2.5 mg cannot give is taken down to the next that they can.
        """
        if daily > self.once_daily_at_most:
            daily = self._givable(daily)
        if daily <= self.once_daily_at_most:
            return Regimen((SingleDose(daily.value),) if daily > NO_DOSE else ())
        for times, unit, at_most in (
            (2, self.single_dose_half_unit, self.twice_daily_at_most),
            (3, self.single_dose_half_unit, self.three_doses_at_most),
            (4, self.single_dose_unit, None),
        ):
            single = SingleDose(daily.value / times)
            if (at_most is None or daily <= at_most) and single.value % unit.value == 0 and self._exists(single):
                return Regimen((single,) * times)
        for times in (3, 4) if daily <= self.three_doses_at_most else (4,):
            doses = self._uneven(daily, times)
            if all(self._exists(dose) for dose in doses):
                return Regimen(doses)
        return self.regimen(DailyDose(daily.value - self.single_dose_half_unit.value))

    def _uneven(self, daily: DailyDose, times: int) -> tuple[SingleDose, ...]:
        """Whole 5 mg units, what is over to night, then morning, then evening; 2.5 mg to the smallest, latest dose."""
        unit, half_unit = self.single_dose_unit.value, self.single_dose_half_unit.value
        units, rest = divmod(daily.value, unit)
        each, over = divmod(int(units), times)
        doses = [each * unit] * times
        for position in (times - 1, 0, times - 2)[:over]:
            doses[position] += unit
        if rest:
            smallest = max(n for n, dose in enumerate(doses) if dose == min(doses))
            doses[smallest] += half_unit
        return tuple(SingleDose(dose) for dose in doses)

    def _exists(self, single: SingleDose) -> bool:
        return single != self.single_dose_avoided

    def _givable(self, daily: DailyDose) -> DailyDose:
        half_unit = self.single_dose_half_unit.value
        return DailyDose(daily.value // half_unit * half_unit)

    # ---------------------------------------------------------------------------------------------------------- taper

    def first_taper_step(self, current: DailyDose) -> DailyDose:
        """The next lower daily dose on the way to nothing. The last 5 mg go over 2.5 mg, never to 0 at once.

        From a dose that the steps do not fit (9 mg/day) to the next that can be given, never a larger cut.
        """
        cut = self.taper_large_cut if current >= self.taper_large_cut_at_least else self.taper_small_cut
        half_unit = self.single_dose_half_unit.value
        halves = ((current.value - cut.value) / half_unit).to_integral_value(ROUND_CEILING)
        lower = DailyDose(max(halves * half_unit, Decimal(0)))
        if self.regimen(lower).daily < lower:
            lower = DailyDose(lower.value + half_unit)
        return lower if lower > NO_DOSE else min(current, self.once_daily_at_most)

    def taper(self, current: DailyDose, tier: Tier, age: Age | Missing) -> Taper:
        """Down to what the kidneys allow: K3 stays at its ceiling, every other tier ends at nothing.

        For ending baclofen whatever the tier, ``taper_off``.
        """
        ceiling = self.ceiling(tier, age, established=True)
        if tier not in (Tier.K3A, Tier.K3B) or ceiling is None or current <= ceiling:
            return self.taper_off(current)
        steps = []
        while current > ceiling:
            current = max(self.first_taper_step(current), ceiling)
            steps.append(TaperStep(self.regimen(current), self.taper_step_lasts))
        return Taper(tuple(steps), stays_at_last=True)

    def taper_off(self, current: DailyDose) -> Taper:
        """Down to nothing: 60 mg/day by 50, 40, 30, 25, 20, 15, 10, 5. At least one step, also from 5 mg/day."""
        steps = [self.first_taper_step(current)]
        while steps[-1] > self.taper_small_cut:
            steps.append(self.first_taper_step(steps[-1]))
        return Taper(tuple(TaperStep(self.regimen(step), self.taper_step_lasts) for step in steps), stays_at_last=False)

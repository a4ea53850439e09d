"""Dose arithmetic: every example of rules.md 4, 6.2, 6.4 and of resolutions.md 7, 12b."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.case import Indication
from cards.facts import Input, Missing
from cards.kidney import Tier
from cards.outcome import Taper
from cards.quantities import Age, DailyDose, Days
from tests.unit.cases import dosing, mg, not_recorded

ADULT, AT_65, UNDER_65 = Age.of(50), Age.of(65), Age.of(64)
NO_AGE = not_recorded(Input.AGE)
DAILY = st.decimals(min_value=Decimal("0.5"), max_value=Decimal(400), places=1)


def doses(daily: str | float) -> str:
    return "/".join(format(dose, "n") for dose in dosing().regimen(mg(daily)).doses)


def steps(taper: Taper) -> list[str]:
    return [format(step.regimen.daily, "n") for step in taper.steps]


# --------------------------------------------------------------------------------------------- starts and ceilings


@pytest.mark.parametrize(
    ("tier", "under_65", "from_65"),
    [
        (Tier.K1, "15", "10"), (Tier.K2, "10", "10"), (Tier.UNKNOWN, "10", "10"), (Tier.K3A, "7.5", "7.5"),
        (Tier.K3B, "7.5", "7.5"), (Tier.K4, "5", "5"), (Tier.DIALYSIS, "2.5", "2.5"),
    ],
)  # fmt: skip
def test_recommended_start(tier: Tier, under_65: str, from_65: str) -> None:
    assert dosing().recommended_start(tier, UNDER_65) == mg(under_65)
    assert dosing().recommended_start(tier, AT_65) == mg(from_65)


@pytest.mark.parametrize("tier", [Tier.K5, Tier.CHILD])
def test_nothing_is_recommended_where_a_specialist_or_the_weight_decides(tier: Tier) -> None:
    assert dosing().recommended_start(tier, ADULT) is None


@pytest.mark.parametrize("tier", [t for t in Tier if t not in (Tier.K5, Tier.CHILD)])
def test_an_unknown_age_starts_as_an_adult_under_65(tier: Tier) -> None:
    assert dosing().recommended_start(tier, NO_AGE) == dosing().recommended_start(tier, UNDER_65)
    assert not dosing().older(NO_AGE)


@pytest.mark.parametrize(
    ("tier", "age", "established", "ceiling"),
    [
        (Tier.K1, ADULT, True, "80"), (Tier.K2, AT_65, False, "80"), (Tier.UNKNOWN, ADULT, False, "80"),
        (Tier.K3A, UNDER_65, True, "40"), (Tier.K3A, UNDER_65, False, "40"),
        (Tier.K3A, AT_65, True, "15"), (Tier.K3A, AT_65, False, "15"),
        (Tier.K3B, UNDER_65, True, "40"), (Tier.K3B, UNDER_65, False, "15"),
        (Tier.K3B, AT_65, True, "15"), (Tier.K3B, AT_65, False, "15"),
        (Tier.K4, ADULT, True, "7.5"), (Tier.K5, ADULT, True, "5"), (Tier.DIALYSIS, AT_65, True, "2.5"),
    ],
)  # fmt: skip
def test_ceiling(tier: Tier, age: Age, established: bool, ceiling: str) -> None:
    assert dosing().ceiling(tier, age, established) == mg(ceiling)


def test_children_have_no_ceiling_by_tier() -> None:
    assert dosing().ceiling(Tier.CHILD, Age.of(9), True) is None


@pytest.mark.parametrize(
    ("tier", "indication", "step", "days"),
    [
        (Tier.K1, Indication.SPASTICITY, "15", 3), (Tier.UNKNOWN, Indication.SPASTICITY, "15", 3),
        (Tier.K2, Indication.ALCOHOL_USE_DISORDER, "10", 3),
        (Tier.K2, Indication.APPARENTLY_ALCOHOL_USE_DISORDER, "10", 3),
        (Tier.K3A, Indication.SPASTICITY, "7.5", 7), (Tier.K3B, Indication.ALCOHOL_USE_DISORDER, "7.5", 7),
        (Tier.K4, Indication.SPASTICITY, "7.5", 7),
    ],
)  # fmt: skip
def test_step_up(tier: Tier, indication: Indication, step: str, days: int) -> None:
    assert dosing().step_up(tier, indication) == mg(step)
    assert dosing().step_every(tier) == Days.of(days)


# ------------------------------------------------------------------------------------------------------- regimens


@pytest.mark.parametrize(
    ("daily", "expected"),
    [
        ("2.5", "2.5"), ("5", "2.5/2.5"), ("7.5", "2.5/2.5/2.5"), ("10", "5/5"), ("15", "5/5/5"), ("20", "5/5/5/5"),
        ("22.5", "7.5/7.5/7.5"), ("25", "10/5/10"), ("30", "10/10/10"), ("35", "10/10/15"), ("37.5", "12.5/12.5/12.5"),
        ("40", "10/10/10/10"), ("45", "15/15/15"), ("50", "15/15/20"), ("55", "20/15/20"), ("60", "20/20/20"),
        ("65", "15/15/15/20"), ("70", "20/15/15/20"), ("75", "20/15/20/20"), ("80", "20/20/20/20"),
        ("90", "25/20/20/25"), ("100", "25/25/25/25"), ("110", "30/25/25/30"), ("150", "40/35/35/40"),
        ("180", "45/45/45/45"),
    ],
)  # fmt: skip
def test_regimen(daily: str, expected: str) -> None:
    assert doses(daily) == expected


@pytest.mark.parametrize(
    ("daily", "expected"),
    [
        ("12.5", "5/2.5/5"), ("17.5", "5/5/7.5"), ("27.5", "10/7.5/10"), ("32.5", "10/10/12.5"), ("42.5", "15/12.5/15"),
        ("47.5", "10/10/12.5/15"), ("52.5", "15/10/12.5/15"), ("57.5", "15/12.5/15/15"),
    ],
)  # fmt: skip
def test_one_half_tablet_a_day_where_5_mg_steps_do_not_reach(daily: str, expected: str) -> None:
    assert doses(daily) == expected


@pytest.mark.parametrize(("daily", "given"), [("1", "1"), ("3", "2.5"), ("16", "15"), ("62.5", "60"), ("77.5", "75")])
def test_a_dose_that_cannot_be_given_goes_down_never_up(daily: str, given: str) -> None:
    assert dosing().regimen(mg(daily)).daily == mg(given)


def test_no_dose_is_an_empty_regimen() -> None:
    assert dosing().regimen(mg(0)).doses == ()


@given(DAILY)
def test_every_regimen_can_be_given_and_never_exceeds_the_daily_dose(daily: Decimal) -> None:
    regimen = dosing().regimen(DailyDose(daily))
    assert regimen.daily <= DailyDose(daily)
    assert daily - regimen.daily.value < 5
    assert 1 <= len(regimen.doses) <= 4
    assert mg("17.5").value not in {dose.value for dose in regimen.doses}
    assert max(regimen.doses).value - min(regimen.doses).value <= 5
    if daily > mg("2.5").value:
        assert all(dose.value % Decimal("2.5") == 0 and dose.value > 0 for dose in regimen.doses)


@given(st.integers(min_value=1, max_value=80))
def test_multiples_of_5_mg_are_given_exactly(fives: int) -> None:
    assert dosing().regimen(mg(fives * 5)).daily == mg(fives * 5)


# --------------------------------------------------------------------------------------------------------- tapers


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ("80", "70 60 50 40 30 25 20 15 10 5"), ("60", "50 40 30 25 20 15 10 5"), ("40", "30 25 20 15 10 5"),
        ("35", "30 25 20 15 10 5"), ("20", "15 10 5"), ("15", "10 5"), ("22.5", "17.5 12.5 7.5 2.5"), ("7.5", "2.5"),
        ("5", "2.5"), ("2.5", "2.5"), ("16", "12.5 7.5 2.5"), ("9", "5"), ("72.5", "65 55 45 35 30 25 20 15 10 5"),
    ],
)  # fmt: skip
def test_taper_to_nothing(current: str, expected: str) -> None:
    taper = dosing().taper(mg(current), Tier.K4, ADULT)
    assert steps(taper) == expected.split()
    assert not taper.stays_at_last
    assert {step.lasts for step in taper.steps} == {Days.of(7)}


@pytest.mark.parametrize(("current", "first"), [("60", "50"), ("40", "30"), ("35", "30"), ("30", "25"), ("20", "15")])
def test_first_taper_step(current: str, first: str) -> None:
    assert dosing().first_taper_step(mg(current)) == mg(first)


@pytest.mark.parametrize(
    ("current", "age", "expected"),
    [
        ("60", UNDER_65, "50 40"), ("45", UNDER_65, "40"), ("60", NO_AGE, "50 40"),
        ("60", AT_65, "50 40 30 25 20 15"), ("30", AT_65, "25 20 15"), ("22.5", AT_65, "17.5 15"), ("20", AT_65, "15"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tier", [Tier.K3A, Tier.K3B])
def test_taper_in_k3_stays_at_the_ceiling(tier: Tier, current: str, age: Age | Missing, expected: str) -> None:
    taper = dosing().taper(mg(current), tier, age)
    assert steps(taper) == expected.split()
    assert taper.stays_at_last


def test_stopping_goes_to_nothing_in_k3_too() -> None:
    assert steps(dosing().taper_off(mg(60)))[-1] == "5"
    assert steps(dosing().taper(mg(15), Tier.K3A, AT_65)) == ["10", "5"], "already at the ceiling: the way is off"


@given(DAILY)
def test_no_taper_step_is_a_cliff(current: Decimal) -> None:
    daily = [current, *(step.regimen.daily.value for step in dosing().taper_off(DailyDose(current)).steps)]
    assert len(daily) > 1
    assert daily[-1] <= 5
    assert all(before >= after for before, after in pairwise(daily))
    assert all(before - after <= (10 if before >= 40 else 5) for before, after in pairwise(daily)), "rules.md 6.4"

"""The test vectors of the evidence base (section 3), and what every estimate must obey."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.kidney_equations import (
    bedside_schwartz,
    ckd_epi_2021_creatinine,
    ckd_epi_2021_creatinine_cystatin,
    cockcroft_gault,
)
from cards.quantities import Age, CystatinC, Height, SerumCreatinine, Weight, half_up

TOLERANCE = 0.01
F, M = True, False


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "value", "whole"),
    [
        ("0.9", 55, F, 75.499, 75),
        ("1.0", 50, M, 91.691, 92),
        ("1.0", 50, F, 68.633, 69),
        ("0.7", 30, F, 119.245, 119),
        ("0.9", 30, M, 117.831, 118),
        ("0.6", 30, F, 123.758, 124),
        ("0.5", 25, M, 145.163, 145),
        ("1.5", 70, M, 49.774, 50),
        ("1.2", 72, F, 48.095, 48),
        ("2.5", 60, M, 28.694, 29),
        ("4.5", 66, F, 10.220, 10),
        ("1.34", 63, M, 59.524, 60),
        ("1.0", 18, M, 111.882, 112),
        ("1.1", 90, F, 47.734, 48),
        (str(141 / Decimal("88.4")), 69, F, 34.825, 35),
    ],
)
def test_ckd_epi_2021_from_creatinine(creatinine: str, age: int, female: bool, value: float, whole: int) -> None:
    estimate = ckd_epi_2021_creatinine(SerumCreatinine.of(creatinine), Age.of(age), female=female)
    assert estimate == pytest.approx(value, abs=TOLERANCE)
    assert half_up(estimate) == whole


@pytest.mark.parametrize(
    ("creatinine", "cystatin", "age", "female", "value", "whole"),
    [
        ("1.0", "1.0", 50, M, 88.144, 88),
        ("1.0", "1.0", 50, F, 74.036, 74),
        ("0.6", "0.7", 30, F, 124.865, 125),
        ("0.7", "1.6", 59, M, 64.822, 65),
        ("1.5", "1.5", 70, M, 47.693, 48),
        ("2.5", "2.4", 60, F, 21.887, 22),
    ],
)
def test_ckd_epi_2021_from_creatinine_and_cystatin(
    *, creatinine: str, cystatin: str, age: int, female: bool, value: float, whole: int
) -> None:
    estimate = ckd_epi_2021_creatinine_cystatin(
        SerumCreatinine.of(creatinine), CystatinC.of(cystatin), Age.of(age), female=female
    )
    assert estimate == pytest.approx(value, abs=TOLERANCE)
    assert half_up(estimate) == whole


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "weight", "value"),
    [
        ("1.0", 50, M, 70, 87.500),
        ("1.0", 50, F, 60, 63.750),
        ("1.2", 72, F, 60, 40.139),
        ("2.5", 60, M, 80, 35.556),
    ],
)
def test_cockcroft_gault(creatinine: str, age: int, female: bool, weight: int, value: float) -> None:
    estimate = cockcroft_gault(SerumCreatinine.of(creatinine), Age.of(age), Weight.of(weight), female=female)
    assert estimate == pytest.approx(value, abs=TOLERANCE)


@pytest.mark.parametrize(
    ("creatinine", "height", "value", "whole"),
    [("0.40", 112, 115.640, 116), ("0.40", 118, 121.835, 122), ("1.30", 165, 52.419, 52), ("1.31", 175, 55.172, 55)],
)
def test_bedside_schwartz(creatinine: str, height: int, value: float, whole: int) -> None:
    estimate = bedside_schwartz(SerumCreatinine.of(creatinine), Height.of(height))
    assert estimate == pytest.approx(value, abs=TOLERANCE)
    assert half_up(estimate) == whole


@pytest.mark.parametrize(("value", "whole"), [(59.5, 60), (59.4999, 59), (60.5, 61), (14.5, 15)])
def test_rounds_half_up_and_not_to_even(value: float, whole: int) -> None:
    assert half_up(value) == whole


creatinines = st.decimals("0.1", "30", places=2)
adults = st.integers(18, 110)


@given(creatinines, creatinines, adults, st.booleans())
def test_more_creatinine_never_means_more_kidney_function(a: Decimal, b: Decimal, age: int, female: bool) -> None:
    low, high = sorted((a, b))
    estimate = [ckd_epi_2021_creatinine(SerumCreatinine(c), Age.of(age), female=female) for c in (low, high)]
    both = [
        ckd_epi_2021_creatinine_cystatin(SerumCreatinine(c), CystatinC.of(1), Age.of(age), female=female)
        for c in (low, high)
    ]
    assert estimate[0] >= estimate[1] > 0
    assert both[0] >= both[1] > 0


@given(creatinines, adults, st.booleans())
def test_a_year_more_never_means_more_kidney_function(creatinine: Decimal, age: int, female: bool) -> None:
    now, later = (
        ckd_epi_2021_creatinine(SerumCreatinine(creatinine), Age.of(years), female=female) for years in (age, age + 1)
    )
    assert now > later

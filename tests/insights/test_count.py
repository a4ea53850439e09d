"""Numbers as they may be shown, shares and their intervals."""

from __future__ import annotations

from math import inf

import pytest

from cds_service.insights.count import UNKNOWN, ZERO, Count, Rate, percent, total, wilson

SMALL = Count(1, 4, 5)


def exactly(number: int) -> Count:
    return Count.exactly(number)


@pytest.mark.parametrize(
    ("those", "others", "low", "high"),
    [
        # z² = 3.8415. None of 10: z²/(10 + z²) = 0.2775. Half of 10: 0.5 ± 0.2634.
        (0, 10, 0, 0.2775),
        (10, 0, 0.7225, 1),
        (5, 5, 0.2366, 0.7634),
        # One of one: 1/(1 + z²) = 0.2065.
        (1, 0, 0.2065, 1),
        (0, 1, 0, 0.7935),
        # R. G. Newcombe, Stat Med 1998;17:857, method 3: 81 of 263, 15 of 148.
        (81, 182, 0.2553, 0.3662),
        (15, 133, 0.0624, 0.1605),
    ],
)
def test_wilson(those: int, others: int, low: float, high: float) -> None:
    assert wilson(those, others) == pytest.approx((low, high), abs=0.0001)


def test_a_share_of_exact_numbers() -> None:
    rate = Rate.of(exactly(81), exactly(182), exactly(263), 5)
    assert rate
    assert rate.exact
    assert rate.lowest == pytest.approx(81 / 263)
    assert str(rate) == "31 %"


def test_a_share_of_hidden_numbers_lies_where_they_allow_it() -> None:
    """1 to 4 of 20: 5 to 20 %. The interval reaches from that of 1 of 20 to that of 4 of 20."""
    rate = Rate.of(SMALL, Count(16, 19), exactly(20), 5)
    assert rate
    assert (rate.lowest, rate.highest) == pytest.approx((0.05, 0.20))
    assert rate.interval == pytest.approx((wilson(1, 19)[0], wilson(4, 16)[1]))
    assert str(rate) == "5 to 20 %"


def test_the_whole_binds_its_parts() -> None:
    """Two hidden parts of 5, 1 to 4 each: one is 20 to 80 %, never 4 of 8."""
    rate = Rate.of(SMALL, SMALL, exactly(5), 5)
    assert rate
    assert (rate.lowest, rate.highest) == pytest.approx((0.2, 0.8))


@pytest.mark.parametrize(("whole", "known"), [(4, False), (5, True)])
def test_few_have_no_share(whole: int, *, known: bool) -> None:
    assert (Rate.of(exactly(1), exactly(whole - 1), exactly(whole), 5) is not None) is known


def test_none_have_no_share_even_where_nothing_is_hidden() -> None:
    assert Rate.of(ZERO, ZERO, ZERO, 1) is None


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (ZERO, "0"),
        (exactly(5), "5"),
        (SMALL, "<5"),
        (Count(16, 19), "16 to 19"),
        (Count(5, inf), "5 or more"),
        (UNKNOWN, "–"),
    ],
)
def test_in_words(count: Count, said: str) -> None:
    assert str(count) == said


def test_a_sum_says_no_more_than_its_parts() -> None:
    assert total([exactly(7), SMALL]) == Count(8, 11)
    assert total([SMALL, SMALL]) == Count(2, 8)
    assert total([ZERO, SMALL, ZERO]) == SMALL
    assert total([]) == ZERO


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.004, "0.4 %"), (0.0099, "1.0 %"), (0.01, "1 %"), (0.99, "99 %"), (0.996, "99.6 %"), (1, "100 %")],
)
def test_percent(share: float, said: str) -> None:
    assert percent(share) == said

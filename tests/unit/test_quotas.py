"""Calls at once, and calls in a minute, of one client in one worker."""

from __future__ import annotations

import pytest

from cds_service.errors import TooManyCalls
from cds_service.quotas import Quota


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def wait_of(quota: Quota) -> int:
    """Seconds to wait; 0 when the call was taken."""
    try:
        with quota:
            return 0
    except TooManyCalls as error:
        return int(error.headers["retry-after"])


def test_the_number_of_a_minute_may_come_at_once() -> None:
    clock = Clock()
    quota = Quota(100, 10, clock)
    assert [wait_of(quota) for _ in range(12)] == [0] * 10 + [6, 6]
    clock.now += 5.9
    assert wait_of(quota) == 1
    clock.now += 0.1
    assert wait_of(quota) == 0
    assert wait_of(quota) == 6


def test_after_a_quiet_minute_all_of_it_is_there_again() -> None:
    clock = Clock()
    quota = Quota(100, 10, clock)
    for _ in range(10):
        assert wait_of(quota) == 0
    clock.now += 60
    assert [wait_of(quota) for _ in range(11)] == [0] * 10 + [6]


def test_whoever_comes_back_when_told_is_taken() -> None:
    clock = Clock()
    quota = Quota(100, 7, clock)
    taken = 0
    for _ in range(500):
        if wait := wait_of(quota):
            clock.now += wait
            assert wait_of(quota) == 0
        taken += 1
    assert taken / (clock.now - 1000 + 60) * 60 == pytest.approx(7, rel=0.2)


def test_calls_at_once() -> None:
    quota = Quota(2, 1000, Clock())
    with quota, quota:
        assert wait_of(quota) == 1
    assert wait_of(quota) == 0


def test_a_call_that_fails_gives_its_place_back() -> None:
    quota = Quota(1, 1000, Clock())
    for _ in range(3):
        with pytest.raises(KeyError), quota:
            raise KeyError
    assert wait_of(quota) == 0


def test_a_call_that_is_refused_costs_nothing() -> None:
    clock = Clock()
    quota = Quota(1, 3, clock)
    with quota:
        for _ in range(50):
            assert wait_of(quota) == 1
    assert [wait_of(quota) for _ in range(3)] == [0, 0, 20]

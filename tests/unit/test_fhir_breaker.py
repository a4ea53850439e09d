"""A server that does not answer rests, and is tried again by one call at a time."""

from __future__ import annotations

from cds_service.fhir_client.breaker import CALLS, LONGEST_REST, REST, Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(CALLS):
        assert breaker.admit()
        breaker.silent()
    return breaker, clock


def test_it_takes_several_silent_calls_in_a_row() -> None:
    breaker = Breaker(Clock())
    for _ in range(CALLS - 1):
        breaker.silent()
    assert breaker.admit()
    breaker.answered()
    for _ in range(CALLS - 1):
        breaker.silent()
    assert breaker.admit()
    breaker.silent()
    assert not breaker.admit()


def test_after_the_rest_one_call_may_try() -> None:
    breaker, clock = opened()
    clock.now += REST - 0.001
    assert not breaker.admit()
    clock.now += 0.001
    assert breaker.admit()
    assert not breaker.admit(), "the outcome of the first is awaited"
    breaker.answered()
    assert breaker.admit()
    assert breaker.admit()


def test_a_trial_in_vain_doubles_the_rest_up_to_a_limit() -> None:
    breaker, clock = opened()
    for rest in (REST, REST * 2, REST * 4, REST * 8, LONGEST_REST, LONGEST_REST):
        assert not breaker.admit()
        clock.now += rest
        assert breaker.admit()
        breaker.silent()


def test_a_trial_whose_client_hung_up_leaves_it_to_the_next() -> None:
    breaker, clock = opened()
    clock.now += REST
    assert breaker.admit()
    breaker.left()
    assert breaker.admit()

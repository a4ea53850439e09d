"""How much one client may ask of one worker: calls at the same time, and calls in a minute."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from time import monotonic

from cds_service.errors import TooManyCalls


class Quota:
    """``with quota:`` holds one call. Calls come as they like until the number of a minute is used up, then each at its
    pace (a leaky bucket)."""

    def __init__(self, at_once: int, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._at_once = at_once
        self._pause = 60 / per_minute
        """Seconds between two calls at the pace that is allowed for ever."""
        self._ahead = 60 - self._pause
        """Seconds by which calls may be ahead of that pace."""
        self._clock = clock
        self._running = 0
        self._next = 0.0
        """When the next call would be due at that pace."""

    def __enter__(self) -> None:
        """Raises ``TooManyCalls``."""
        if self._running >= self._at_once:
            raise TooManyCalls(seconds=1)
        now = self._clock()
        early = self._next - self._ahead - now
        if early > 0:
            raise TooManyCalls(seconds=ceil(early))
        self._next = max(now, self._next) + self._pause
        self._running += 1

    def __exit__(self, *_: object) -> None:
        self._running -= 1

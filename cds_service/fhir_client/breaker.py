"""A server that does not answer is left alone for a while, so that no call waits for it in vain.

A call counts as answered when any of its requests was. After some calls in a row without an answer no further call
asks; when the rest is over one call may try, and its outcome decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

CALLS = 5
"""In a row, without any answer."""
REST, LONGEST_REST = 5.0, 60.0
"""Seconds; doubled whenever the trial fails."""


@dataclass(slots=True)
class Breaker:
    """Of one server."""

    clock: Callable[[], float]
    """Seconds, monotonic."""
    unanswered: int = 0
    rest: float = REST
    resting_until: float = 0.0
    trying: bool = field(default=False, init=False)

    def admit(self) -> bool:
        """Whether a call may ask. Each admitted call reports once, by ``answered``, ``silent`` or ``left``."""
        if self.unanswered < CALLS:
            return True
        if self.trying or self.clock() < self.resting_until:
            return False
        self.trying = True
        return True

    def answered(self) -> None:
        self.unanswered, self.rest, self.trying = 0, REST, False

    def silent(self) -> None:
        self.unanswered += 1
        if self.trying:
            self.rest = min(self.rest * 2, LONGEST_REST)
        if self.unanswered >= CALLS:
            self.resting_until = self.clock() + self.rest
        self.trying = False

    def left(self) -> None:
        """The client hung up before anything was known."""
        self.trying = False

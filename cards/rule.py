"""How a rule is declared: its id, what it reads, and the function that judges a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cards.case import Case
from cards.facts import Input
from cards.outcome import Outcome
from cards.values import frozen


@frozen
class Rule:
    """``assess(case, limits)`` is pure; ``limits`` is the question's frozen ``Limits`` filled from its card.toml."""

    id: str
    reads: frozenset[Input]
    """Inputs whose absence this rule must answer: each has a ``[when_unknown.<NAME>]`` table in card.toml, and prefetch
    templates are derived from the union over all rules."""
    assess: Callable[[Case, Any], Outcome]


@frozen
class GapRule:
    """A rule about the other rules: asked last, with all their outcomes, once per signing."""

    id: str
    reads: frozenset[Input]
    assess: Callable[[Case, Sequence[Outcome]], Outcome]

"""The parameters of this question's card.toml."""

from __future__ import annotations

from dataclasses import dataclass

from cards.quantities import Days


@dataclass(frozen=True, slots=True)
class Limits:
    seizure_max_age: Days

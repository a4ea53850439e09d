"""The parameters of this question's card.toml."""

from __future__ import annotations

from cards.quantities import Days
from cards.values import frozen


@frozen
class Limits:
    seizure_max_age: Days

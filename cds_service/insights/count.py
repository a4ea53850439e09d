"""A number as it may be shown: exact, "<5", or a range. What is worked out of such numbers says no more than they."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, sqrt

Z = 1.959964
"""Standard normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many. ``lowest`` equals ``highest`` where the number is shown as it is."""

    lowest: int
    highest: float
    """``inf`` when nothing shown says how many at most."""
    under: int = 0
    """5 where it is shown as "<5"; 0 for any other number."""

    @classmethod
    def exactly(cls, number: int) -> Count:
        return cls(number, number)

    @property
    def exact(self) -> bool:
        return self.lowest == self.highest

    def __add__(self, other: Count) -> Count:
        if ZERO in (self, other):
            return other if self == ZERO else self
        return Count(self.lowest + other.lowest, self.highest + other.highest)

    def __str__(self) -> str:
        if self.under:
            return f"<{self.under}"
        if self.exact:
            return str(self.lowest)
        return f"{self.lowest} or more" if self.highest == inf else f"{self.lowest} to {self.highest:.0f}"


ZERO = Count.exactly(0)


def total(counts: Iterable[Count]) -> Count:
    """A range when one of them is."""
    return sum(counts, start=ZERO)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share, 0 to 1, with its 95 % Wilson score interval. ``lowest`` equals ``highest`` when both counts are exact;
    otherwise every rate that the counts allow lies between them, and the interval is the widest of those."""

    lowest: float
    highest: float
    interval: tuple[float, float]

    @property
    def exact(self) -> bool:
        return self.lowest == self.highest

    @classmethod
    def of(cls, those: Count, others: Count) -> Rate | None:
        """Of ``those`` and ``others`` together, the share of ``those``. None when there may be none at all."""
        if those.lowest + others.lowest == 0:
            return None
        fewest, most = (those.lowest, others.highest), (those.highest, others.lowest)
        return cls(_share(*fewest), _share(*most), (wilson(*fewest)[0], wilson(*most)[1]))

    def __str__(self) -> str:
        """ "24 %", "24 to 26 %"."""
        low, high = f"{self.lowest:.0%}"[:-1], f"{self.highest:.0%}"[:-1]
        return f"{low} %" if low == high else f"{low} to {high} %"


def _share(those: float, others: float) -> float:
    if others == inf:
        return 0
    return 1 if those == inf or not others else those / (those + others)


def wilson(those: float, others: float) -> tuple[float, float]:
    """The 95 % Wilson score interval of ``those`` among ``those`` and ``others`` (J Am Stat Assoc 1927)."""
    of = those + others
    if of == inf:
        return (0, 1)
    share, z2 = those / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return (max(0, middle - half) if those else 0, min(1, middle + half) if others else 1)

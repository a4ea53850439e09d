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
        if self == UNKNOWN:
            return "–"
        return f"{self.lowest} or more" if self.highest == inf else f"{self.lowest} to {self.highest:.0f}"


ZERO = Count.exactly(0)
UNKNOWN = Count(0, inf)


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
    def of(cls, those: Count, others: Count, whole: Count, least: int) -> Rate | None:
        """Of ``whole``, which are ``those`` and ``others``, the share of ``those``. None when there may be fewer than
        ``least``: so few tell nothing."""
        if whole.lowest < max(least, 1):
            return None
        # What is known of the whole may bind its parts closer than they are known themselves.
        fewest = those.lowest, min(others.highest, whole.highest - those.lowest)
        most = min(those.highest, whole.highest - others.lowest), max(others.lowest, whole.lowest - those.highest, 0)
        return cls(_share(*fewest), _share(*most), (wilson(*fewest)[0], wilson(*most)[1]))

    def __str__(self) -> str:
        """ "24 %", "24 to 26 %"."""
        low, high = percent(self.lowest), percent(self.highest)
        return high if low == high else f"{low.removesuffix(' %')} to {high}"


def percent(share: float) -> str:
    """ "24 %"; tenths below 1 and above 99."""
    near_an_end = 0 < share < 0.01 or 0.99 < share < 1
    return f"{100 * share:.1f} %" if near_an_end else f"{100 * share:.0f} %"


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

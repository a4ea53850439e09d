"""The dose words of the vignettes as single doses: "2.5 mg TID for 7 d, then 5 mg TID", "25/20/20/25 mg"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

MOMENTS = {
    2: ("MORN", "NIGHT"),
    3: ("MORN", "AFT", "NIGHT"),
    4: ("MORN", "NOON", "EVE", "NIGHT"),
}
"""Of the unequal doses of one day (FHIR EventTiming)."""
_MORE_THAN_IS_SWALLOWED = 4
"""Tablets at once; before that a stronger tablet is ordered."""


@dataclass(frozen=True, slots=True)
class Step:
    doses: tuple[Decimal, ...]
    """mg: one that is taken ``often``, or several, each at its own moment of the day."""
    often: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    steps: tuple[Step, ...]
    as_needed: bool

    @classmethod
    def read(cls, text: str) -> Schedule:
        return cls(tuple(map(_step, text.removesuffix(" PRN").split(", then "))), text.endswith(" PRN"))

    @property
    def doses(self) -> set[Decimal]:
        return {dose for step in self.steps for dose in step.doses}

    def tablet(self, available: Iterable[Decimal]) -> Decimal:
        """The strongest tablet of which every dose is a few whole ones, else the strongest that must only be halved."""
        strongest_first = sorted(available, reverse=True)
        whole = [mg for mg in strongest_first if all(dose % mg == 0 for dose in self.doses)]
        few = [mg for mg in whole if max(self.doses) / mg <= _MORE_THAN_IS_SWALLOWED]
        halved = [mg for mg in strongest_first if all(dose % (mg / 2) == 0 for dose in self.doses)]
        return (few or halved)[0]


def _step(text: str) -> Step:
    text, _, days = text.partition(" for ")
    found = re.fullmatch(r"([\d./]+) mg ?(.*)", text)
    assert found, text
    doses = tuple(map(Decimal, found[1].split("/")))
    return Step(doses, found[2], int(days.split(maxsplit=1)[0]) if days else None)

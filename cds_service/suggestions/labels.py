"""What the button of a suggestion says."""

from __future__ import annotations

from collections.abc import Sequence

from cards.outcome import Taper, TaperStep
from cards.quantities import Days


def joined(*parts: str) -> str:
    return " – ".join(filter(None, parts))


def supply(limit: Days | None) -> str:
    return f"{limit:n}-day supply" if limit else ""


def taper(whole: Taper, steps: Sequence[TaperStep]) -> str:
    """ "Taper: first week 10/5/10 mg (25 mg/day), then down every 7 days to 15 mg/day"."""
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        return f"Taper: {first.regimen}" + ("" if whole.stays_at_last else f" for {first.lasts}, then stop")
    pace = {step.lasts for step in (steps[:-1] if whole.stays_at_last else steps)}
    every = f"every {first.lasts}" if len(pace) == 1 else "step by step"
    week = "first week" if first.lasts == Days.of(7) else f"first {first.lasts}"
    end = last.regimen.daily if whole.stays_at_last else "stop"
    return f"Taper: {week} {first.regimen}, then down {every} to {end}"

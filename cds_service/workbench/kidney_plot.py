"""Kidney function over time as the geometry of a small plot: eGFR, or creatinine where no eGFR was reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 230, 112
LEFT, RIGHT, TOP, BOTTOM = 26, 8, 16, 18
"""Room for the axes, in units of the drawing."""
MOST_YEARS = 3
"""What is older is in the table."""
TIERS: tuple[float, ...] = (90, 60, 45, 30, 15)
"""mL/min/1.73 m²: where the stages of kidney disease begin."""


@dataclass(frozen=True, slots=True)
class Point:
    taken: date
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    value: str
    taken: date


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    title: str
    unit: str
    dots: tuple[Dot, ...]
    """Oldest first."""
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM

    @property
    def path(self) -> str:
        """The line through the dots, as an SVG polyline has it."""
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots)

    @property
    def newest(self) -> Dot:
        return self.dots[-1]


def plot(egfrs: Sequence[Point], creatinines: Sequence[Point], today: date) -> Plot | None:
    """None when there is no value with a date; the newest of several on one day, and of several units the newest's."""
    points = egfrs or creatinines
    if not points:
        return None
    newest = max(points, key=lambda point: point.taken)
    start = newest.taken - timedelta(days=366 * MOST_YEARS)
    shown = {point.taken: point for point in reversed(points) if point.unit == newest.unit and point.taken >= start}
    days = sorted(shown)
    highest = max(shown[one].value for one in days) or 1
    top = max(100.0, highest * 1.1) if egfrs else highest * 1.3
    rows = TIERS if egfrs else (round(top / 3, 1), round(top * 2 / 3, 1))
    first, last = min(days[0], today - timedelta(days=180)), max(today, days[-1])
    span = (last - first).days or 1

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / span, 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 1)

    return Plot(
        title="eGFR" if egfrs else "Creatinine",
        unit=newest.unit.replace("m2", "m²").replace("{1.73_m²}", "1.73 m²").replace("umol", "µmol"),
        dots=tuple(Dot(x(one), y(shown[one].value), f"{shown[one].value:.3g}", one) for one in days),
        rows=tuple(Tick(y(value), f"{value:g}") for value in rows),
        columns=tuple(Tick(x(date(year, 1, 1)), str(year)) for year in _years(first, last)),
    )


def _years(first: date, last: date) -> range:
    """Those that get a label: at most four."""
    years = last.year - first.year
    return range(last.year, first.year, -max(1, -(-years // 4)))

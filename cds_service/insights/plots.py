"""The plots of the page. Each is drawn for a column as narrow as a telephone's; labels stand above what they name.

Matplotlib is an extra (``insights``) and is loaded when the first plot is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf, isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any

from cds_service.insights.count import ZERO, Count, Rate, percent
from cds_service.insights.figures import TARGET, Figures, OfRule
from cds_service.insights.names import Names
from cds_service.insights.selection import iso_week
from cds_service.insights.svg import OF, inline
from cds_service.insights.tables import said_rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

PANELS = 8
"""Rules that have a plot of their own by week; the table has all."""
MOST_RULES = 12
WIDTH = 5.0
"""Inches; 72 units of the SVG each."""
FONT = 9.0
HATCH = "////"
"""A number that is not shown is drawn as hatched as far as it could go."""
_INK, _FAINT, _LINE = OF["ink"], OF["faint"], OF["line"]
_WHYS = {"not recorded": "info", "not available": "critical", "unreadable": "warning", "incomplete": "overridden"}

_one_at_a_time = Lock()
"""Matplotlib is not made for several threads."""


class PlotsMissingError(Exception):
    """Matplotlib is not installed."""

    cure = 'Plots need the extra "insights": pip install "baclofen-cds[insights]". The tables have every figure.'


@dataclass(frozen=True, slots=True)
class Plot:
    title: str
    svg: str


def plots(figures: Figures, names: Names) -> Mapping[str, Sequence[Plot]]:
    """By the table that says the same. Raises ``PlotsMissingError``."""
    try:
        import matplotlib as mpl  # noqa: PLC0415
    except ImportError:
        raise PlotsMissingError from None
    ours: Any = {
        "font.size": FONT, "text.color": _INK, "axes.labelcolor": _INK, "axes.edgecolor": _LINE,
        "xtick.color": _FAINT, "ytick.color": _FAINT, "xtick.labelcolor": _INK, "ytick.labelcolor": _INK,
        "axes.spines.top": False, "axes.spines.right": False, "hatch.linewidth": 0.8, "grid.color": _LINE,
    }  # fmt: skip
    with _one_at_a_time, mpl.rc_context(ours):
        drawn = {
            "weeks": _share(figures),
            "rules_by_week": _fired(figures, names),
            "became": _became(figures, names),
            "reasons": _reasons(figures, names),
            "gaps": _gaps(figures, names),
            "latency": _latency(figures, names),
        }
        return {table: list(found) for table, found in drawn.items()}


def _figure(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


# -------------------------------------------------------------------------------------------------------------- by week


def _weeks(axes: Axes, weeks: Sequence[date], labels: int) -> None:
    """Weeks along the bottom, as many named as have room."""
    every = max(1, -(-len(weeks) // labels))
    places = range(0, len(weeks), every)
    axes.set_xticks(list(places), [iso_week(weeks[place]) for place in places])
    room = max(0.6, len(weeks) * 0.02)
    axes.set_xlim(-room, len(weeks) - 1 + room)


def _share(figures: Figures) -> Iterator[Plot]:
    weeks = [(place, of.share) for place, of in enumerate(figures.weeks.values()) if of.share]
    if not weeks:
        return
    figure, axes = _figure(2.6)
    points = [(place, rate.lowest) for place, rate in weeks if rate.exact]
    for place, rate in weeks:
        axes.plot([place, place], rate.interval, color=OF["info"], linewidth=1.2, alpha=0.55)
        if not rate.exact:
            axes.bar(place, rate.highest - rate.lowest, 0.5, rate.lowest, **_look(OF["info"], rate))
    if points:
        size = 3.2 if len(weeks) > 20 else 4.5
        axes.plot(*zip(*points, strict=True), color=OF["info"], marker="o", markersize=size, linewidth=1.0)
    line = axes.axhline(TARGET, color=OF["critical"], linewidth=1.2, linestyle=(0, (5, 3)))
    line.set_label(f"target: at most {percent(TARGET)}")
    figure.legend(handles=[line], loc="outside upper left", frameon=False, fontsize=FONT)
    top = max(TARGET * 1.25, *(rate.interval[1] for _, rate in weeks))
    axes.set_ylim(0, min(1, top * 1.05))
    axes.yaxis.set_major_formatter(lambda share, _: percent(share))
    axes.grid(axis="y", linewidth=0.5)
    axes.set_axisbelow(True)
    _weeks(axes, list(figures.weeks), 5)
    whole = figures.signings.share
    said = (
        f"Share of signings with a card, week by week; in the whole period {whole}, target at most {percent(TARGET)}."
    )
    yield Plot("Share of signings with a card", inline(figure, "weeks", said))


def _fired(figures: Figures, names: Names) -> Iterator[Plot]:
    shown = [rule for rule in figures.rules if any(count.exact and count != ZERO for count in rule.weeks.values())]
    for place, rule in enumerate(shown[:PANELS]):
        figure, axes = _figure(1.35, 3.3)
        _bars(axes, rule, figures)
        _weeks(axes, list(rule.weeks), 3)
        axes.tick_params(labelsize=FONT - 1)
        title = f"{names.rule(rule.rule)}, {rule.indicator}"
        said = f"{title}: cards shown, week by week; {rule.cards.shown} in the whole period."
        yield Plot(title, inline(figure, f"fired{place}", said))


def _bars(axes: Axes, rule: OfRule, figures: Figures) -> None:
    colour = OF.get(rule.indicator, _FAINT)
    counts = [(place, count) for place, count in enumerate(rule.weeks.values()) if count != ZERO]
    for place, count in counts:
        axes.bar(place, _top(count), 0.8, **_look(colour, count))
    axes.set_ylim(0, max([figures.limit, *(_top(count) for _, count in counts)]) * 1.1)
    axes.yaxis.set_major_locator(_whole_numbers(3))


def _look(colour: str, number: Count | Rate) -> dict[str, Any]:
    if number.exact:
        return {"color": colour, "linewidth": 0}
    return {"fill": False, "hatch": HATCH, "edgecolor": colour, "linewidth": 0.6}


def _whole_numbers(most: int) -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(most, integer=True)


def _percents(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(lambda share, _: percent(share))


def _top(count: Count) -> float:
    return count.highest if isfinite(count.highest) else count.lowest


# ---------------------------------------------------------------------------------------------- rows with a label above


_LABEL, _BAR, _GAP = 0.19, 0.13, 0.08
"""Inches of a row."""


def _rows(labels: Sequence[str], bars: int, legend: int = 0) -> tuple[Figure, Axes]:
    """One row for each label, with room for so many bars under it, and for so many lines of legend above. The first row
    is on top; heights are in inches."""
    row = _LABEL + _BAR * bars + _GAP
    figure, axes = _figure(0.55 + 0.27 * legend + len(labels) * row)
    axes.set_ylim(0, len(labels) * row)
    for place, label in enumerate(labels):
        axes.annotate(
            label, (0, (len(labels) - place) * row - _LABEL), xycoords=("axes fraction", "data"), xytext=(1, 1.5),
            textcoords="offset points", va="bottom", ha="left", fontsize=FONT,
        )  # fmt: skip
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", linewidth=0.5)
    axes.set_axisbelow(True)
    return figure, axes


def _bar(rows: int, place: int, bar: int = 0, bars: int = 1) -> tuple[float, float]:
    """Middle and thickness of a bar of a row."""
    top = (rows - place) * (_LABEL + _BAR * bars + _GAP) - _LABEL
    return top - _BAR * (bar + 0.5), _BAR * 0.8


def _became(figures: Figures, names: Names) -> Iterator[Plot]:
    whole = figures.all_cards
    if not whole.acceptance:
        return
    rows = [("All rules", whole), *((f"{names.rule(one.rule)}, {one.indicator}", one.cards) for one in figures.rules)]
    rows = [(name, of) for name, of in rows if of.acceptance][:MOST_RULES]
    figure, axes = _rows([f"{name} ({of.judged})" for name, of in rows], 3, legend=1)
    for place, (_, of) in enumerate(rows):
        for bar, (name, rate) in enumerate(
            (("accepted", of.acceptance), ("overridden", of.overriding), ("ignored", of.ignoring))
        ):
            if rate:
                _rate_bar(axes, rate, *_bar(len(rows), place, bar, 3), OF[name])
    axes.set_xlim(0, 1)
    _percents(axes)
    _legend(figure, {"accepted": OF["accepted"], "overridden": OF["overridden"], "ignored": OF["ignored"]})
    said = (
        "Share of judged cards that were accepted, overridden and ignored, for each rule, with 95 % intervals. "
        f"All rules: accepted {said_rate(whole.acceptance)}, overridden {said_rate(whole.overriding)}, "
        f"ignored {said_rate(whole.ignoring)}."
    )
    yield Plot("What became of the cards", inline(figure, "became", said))


def _rate_bar(axes: Axes, rate: Rate, middle: float, thick: float, colour: str) -> None:
    axes.barh(middle, rate.lowest, thick, color=colour, linewidth=0)
    if not rate.exact:
        axes.barh(middle, rate.highest - rate.lowest, thick, rate.lowest, **_look(colour, rate))
    axes.plot(rate.interval, [middle, middle], color=_INK, linewidth=0.9)


def _legend(figure: Figure, entries: Mapping[str, str]) -> None:
    from matplotlib.patches import Patch  # noqa: PLC0415

    patches = [Patch(facecolor=colour, linewidth=0, label=name) for name, colour in entries.items()]
    figure.legend(
        handles=patches, loc="outside upper left", ncols=2 if len(entries) > 3 else 3, frameon=False, fontsize=FONT
    )


def _reasons(figures: Figures, names: Names) -> Iterator[Plot]:
    reasons = [(code, part.count) for code, part in figures.all_cards.reasons.items()][:MOST_RULES]
    if not reasons:
        return
    figure, axes = _rows([f"{names.reason(code)}: {count}" for code, count in reasons], 1)
    for place, (_, count) in enumerate(reasons):
        middle, thick = _bar(len(reasons), place)
        axes.barh(middle, _top(count), thick, **_look(OF["overridden"], count))
    axes.set_xlim(0, max(figures.limit, *(_top(count) for _, count in reasons)) * 1.04)
    axes.xaxis.set_major_locator(_whole_numbers(6))
    said = "How often each reason was given: " + "; ".join(f"{names.reason(code)} {count}" for code, count in reasons)
    yield Plot("Reasons of overrides", inline(figure, "reasons", f"{said}."))


def _gaps(figures: Figures, names: Names) -> Iterator[Plot]:
    if not figures.gaps:
        return
    gaps = figures.gaps
    figure, axes = _rows([f"{names.input(gap.what)}: {said_rate(gap.share)}" for gap in gaps], 1, legend=2)
    for place, gap in enumerate(gaps):
        begin = 0.0
        for why, name in _WHYS.items():
            count = gap.whys.get(why, ZERO)
            width = _top(count) / figures.signings.whole.lowest
            middle, thick = _bar(len(gaps), place)
            axes.barh(middle, width, thick, begin, **_look(OF[name], count))
            begin += width
    axes.set_xlim(left=0)
    _percents(axes)
    _legend(figure, {why: OF[name] for why, name in _WHYS.items()})
    said = "Share of signings that lacked an input: " + "; ".join(
        f"{names.input(gap.what)} {said_rate(gap.share)}" for gap in gaps
    )
    yield Plot("Data gaps", inline(figure, "gaps", f"{said}."))


def _latency(figures: Figures, names: Names) -> Iterator[Plot]:
    if not figures.whole:
        return
    timed = [figures.whole, *figures.stages]
    labels = [f"{names.stage(one.stage)}: {one.p50:.1f} / {one.p90:.1f} / {one.p99:.1f} ms" for one in timed]
    figure, axes = _rows(labels, 1)
    for place, one in enumerate(timed):
        middle, thick = _bar(len(timed), place)
        axes.barh(middle, one.p50, thick, color=OF["info"], linewidth=0)
        axes.barh(middle, one.p90 - one.p50, thick, one.p50, color=OF["info"], alpha=0.45, linewidth=0)
        axes.plot([one.p90, one.p99], [middle, middle], color=_INK, linewidth=0.9)
        axes.plot([one.p99, one.p99], [middle - thick / 3, middle + thick / 3], color=_INK, linewidth=0.9)
    axes.set_xlim(0, max(one.p99 for one in timed if one.p99 < inf) * 1.04)
    axes.set_xlabel("milliseconds: half, 90 %, 99 % of the calls within")
    said = f"Whole calls: half within {timed[0].p50:.1f} milliseconds, 99 % within {timed[0].p99:.1f}."
    yield Plot("Time to answer", inline(figure, "latency", said))

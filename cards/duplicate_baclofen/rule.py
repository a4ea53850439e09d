"""Will baclofen be taken twice? (rules.md 3.3, 5.9)"""

from __future__ import annotations

from collections.abc import Sequence

from cards import naming
from cards.advice import permitted
from cards.case import Case, Kind
from cards.facts import ChartBaclofen, ChartText, Input, Missing, OralDose, Route, Standing, Why
from cards.gaps import unread
from cards.intention import dose_now
from cards.kidney import KidneyFunction
from cards.outcome import (
    DoseProposal,
    Finding,
    Indicator,
    NotIndicated,
    Outcome,
    StopExisting,
    WithdrawOrder,
    quiet,
)
from cards.quantities import DailyDose
from cards.rule import Rule
from cards.values import frozen

RULE = "duplicate-baclofen"


@frozen
class Limits:
    """The limits are those of dosing.toml."""


@frozen
class _Beside:
    """What is taken beside the draft."""

    oral: Sequence[ChartBaclofen]
    """Active oral orders of the chart that nothing marks as replaced."""
    pump: Sequence[ChartBaclofen]
    drafts: int
    """Running oral drafts of this session."""

    def __bool__(self) -> bool:
        return bool(self.oral or self.pump or self.drafts > 1)


def duplicate_baclofen(case: Case, _: Limits) -> Outcome:
    if case.stops or case.kind is Kind.INTRATHECAL:
        return NotIndicated(RULE, "not asked for: {}", (case.kind,))
    beside = _Beside(case.current.beside, _pump(case), sum(not order.stops for order in case.orders))
    gaps = _not_known(case)
    if not beside:
        return quiet(RULE, gaps, "no other active baclofen order")
    total = _total(case, beside)
    limit = _limit(case)
    over = isinstance(total, DailyDose) and bool(beside.oral) and total > limit
    proposals = permitted(case, _proposals(case, beside))
    said = {
        "oral": bool(beside.oral),
        "total": bool(beside.oral) and isinstance(total, DailyDose),
        "total_unread": bool(beside.oral) and isinstance(total, Missing),
        "over": over,
        "pump": bool(beside.pump),
        "drafts": beside.drafts > 1,
        "replace": bool(beside.oral),
        "S-CURRENT-UNKNOWN": not case.current.known,
    }
    return Finding(
        RULE,
        _indicator(beside, over=over),
        summary=_summary(beside, total),
        detail=("S-ORDER", *(name for name, wanted in said.items() if wanted)),
        values={
            "sum": total if isinstance(total, DailyDose) else "",
            "limit": limit,
            "oral": naming.joined(_entry(entry) for entry in beside.oral),
            "pump": naming.joined(_entry(entry) for entry in beside.pump),
            "drafts": str(beside.drafts),
        },
        proposals=proposals,
        unchecked=() if over else (*gaps, *(_could_be_over(case, total) if beside.oral else ())),
    )


def _indicator(beside: _Beside, *, over: bool) -> Indicator:
    """Two drafts alone are often two strengths of one dose, and their sum is judged by the other questions."""
    if over:
        return Indicator.CRITICAL
    return Indicator.WARNING if beside.oral or beside.pump else Indicator.INFO


def _summary(beside: _Beside, total: DailyDose | Missing) -> str:
    if beside.oral:
        return "default" if isinstance(total, DailyDose) else "sum_unknown"
    return "pump" if beside.pump else "drafts"


def _total(case: Case, beside: _Beside) -> DailyDose | Missing:
    """All that is taken a day if the draft and the orders beside it are taken together."""
    if not isinstance(case.dose, OralDose):
        return Missing(Input.ORDER, Why.UNREADABLE, "its dose could not be computed")
    total = case.dose.highest
    for entry in beside.oral:
        if not isinstance(entry.dose, OralDose):
            return Missing(Input.MEDICATIONS, Why.UNREADABLE, f"the dose of {entry.label} could not be computed")
        total += dose_now(entry.dose, entry.since, case.facts.today)
    return total


def _limit(case: Case) -> DailyDose:
    """The ceiling of these kidneys and this age; the labelled maximum where there is none of their own."""
    maximum = case.dosing.labelled_maximum
    match case.kidney:
        case KidneyFunction(tier=tier):
            return case.dosing.ceiling(tier, case.age, established=True) or maximum
        case Missing():
            return maximum


def _pump(case: Case) -> Sequence[ChartBaclofen]:
    charted = case.charted_baclofen
    if not charted:
        return ()
    running = [one for one in charted if one.standing is Standing.ACTIVE and not one.ended]
    return [one for one in running if one.route is Route.INTRATHECAL]


def _proposals(case: Case, beside: _Beside) -> Sequence[DoseProposal]:
    """Never a change of the pump, nothing that could end baclofen, no replacement by a dose that nobody could read."""
    if case.current.replaced:
        return ()
    if len(beside.oral) == 1 and isinstance(case.dose, OralDose):
        return (StopExisting(beside.oral[0].reference), WithdrawOrder())
    first = case.current.is_nothing
    return (WithdrawOrder(),) if beside.oral or (beside.pump and first) else ()


def _not_known(case: Case) -> tuple[Missing, ...]:
    """Another order may be there that nobody sees; which one the draft replaces may not be known."""
    lost = (case.current.dose,) if isinstance(case.current.dose, Missing) and not case.current.beside else ()
    return tuple(dict.fromkeys((*unread(case.facts, Input.MEDICATIONS), *lost)))


def _could_be_over(case: Case, total: DailyDose | Missing) -> tuple[Missing, ...]:
    """What could have made the sum too much for this patient."""
    kidney = (case.kidney,) if isinstance(case.kidney, Missing) else case.kidney.unchecked
    return (*kidney, *((total,) if isinstance(total, Missing) else ()))


def _entry(entry: ChartBaclofen) -> ChartText:
    """ "Baclofen 20 MG Oral Tablet, 60 mg/day, since 2026-09-24, by Dr Grey"."""
    dose = f", {entry.dose.highest}" if isinstance(entry.dose, OralDose) else ""
    since = f", since {entry.since}" if entry.since else ", no start date"
    by = f", by {entry.prescriber}" if entry.prescriber else ""
    return ChartText(f"{entry.label}{dose}{since}{by}")


RULES = (
    Rule(
        RULE,
        frozenset({Input.MEDICATIONS, Input.KIDNEY_RESULTS, Input.AGE, Input.ORDER}),
        duplicate_baclofen,
    ),
)

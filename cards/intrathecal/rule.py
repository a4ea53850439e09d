"""Is this intrathecal order in the right unit, and does oral baclofen go on beside it? (rules.md 5.9)"""

from __future__ import annotations

from collections.abc import Sequence

from cards import naming
from cards.case import Case, Kind
from cards.facts import ChartText, Input, PumpDose, Route, Standing
from cards.gaps import unread
from cards.kidney import KidneyFunction, Tier
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, WithdrawOrder
from cards.quantities import IntrathecalBolus, IntrathecalDose
from cards.rule import Rule
from cards.values import frozen

RULE = "intrathecal-baclofen"

POOR_KIDNEYS = frozenset({Tier.K4, Tier.K5, Tier.DIALYSIS})


@frozen
class Limits:
    daily_above: IntrathecalDose
    daily_critical_at_least: IntrathecalDose
    bolus_above: IntrathecalBolus
    bolus_critical_at_least: IntrathecalBolus


def intrathecal_baclofen(case: Case, limits: Limits) -> Outcome:
    if case.kind is not Kind.INTRATHECAL or case.stops:
        return NotIndicated(RULE, "no running intrathecal order")
    daily, bolus = _daily(case), _bolus(case)
    oral = _oral_beside(case)
    indicator = _by_dose(daily, bolus, limits)
    if indicator is Indicator.INFO and oral:
        indicator = Indicator.WARNING
    slip = indicator is Indicator.CRITICAL
    said = {
        "slip": slip,
        "high": not slip and _by_dose(daily, bolus, limits) is Indicator.WARNING,
        "usual": True,
        "oral": bool(oral),
        "S-KIDNEY": _poor_kidneys(case),
        "kidneys": _poor_kidneys(case),
        "morphine": True,
        "pump": True,
    }
    return Finding(
        RULE,
        indicator,
        summary=("slip" if slip else "default") if daily is not None or bolus is not None else "dose_unknown",
        detail=("S-ORDER", *(name for name, wanted in said.items() if wanted)),
        values={"dose": _dose(daily, bolus), "oral": naming.joined(oral), "daily_limit": limits.daily_above},
        proposals=(WithdrawOrder(),) if slip else (),
        unchecked=unread(case.facts, Input.MEDICATIONS) if indicator is Indicator.INFO else (),
    )


def _by_dose(daily: IntrathecalDose | None, bolus: IntrathecalBolus | None, limits: Limits) -> Indicator:
    """Milligrams where micrograms are meant are a slip of unit or route."""
    levels = [Indicator.INFO]
    if daily is not None:
        levels.append(_level(high=daily > limits.daily_above, slip=daily >= limits.daily_critical_at_least))
    if bolus is not None:
        levels.append(_level(high=bolus > limits.bolus_above, slip=bolus >= limits.bolus_critical_at_least))
    return max(levels)


def _level(*, high: bool, slip: bool) -> Indicator:
    if slip:
        return Indicator.CRITICAL
    return Indicator.WARNING if high else Indicator.INFO


def _daily(case: Case) -> IntrathecalDose | None:
    """What the running orders deliver a day, added up; None without a readable one."""
    doses = [dose.daily.value for dose in _readable(case) if not dose.bolus]
    return IntrathecalDose(sum(doses, start=IntrathecalDose.of(0).value)) if doses else None


def _bolus(case: Case) -> IntrathecalBolus | None:
    doses = [IntrathecalBolus(dose.daily.value) for dose in _readable(case) if dose.bolus]
    return max(doses, default=None)


def _readable(case: Case) -> Sequence[PumpDose]:
    return [order.dose for order in case.orders if not order.stops and isinstance(order.dose, PumpDose)]


def _dose(daily: IntrathecalDose | None, bolus: IntrathecalBolus | None) -> str:
    """ "400 micrograms/day", "a bolus of 50 micrograms"."""
    parts = [str(daily)] if daily is not None else []
    parts += [f"a bolus of {bolus}"] if bolus is not None else []
    return " and ".join(parts)


def _oral_beside(case: Case) -> Sequence[ChartText]:
    """Oral baclofen that is taken or ordered now, and that no order of this session ends."""
    drafts = case.facts.orders
    ended = {name for order in drafts if order.stops for name in (order.reference, order.prior)}
    on_chart = [
        entry.label
        for entry in case.charted_baclofen
        if entry.route is Route.ORAL and entry.standing is Standing.ACTIVE and not entry.ended
        if entry.reference not in ended
    ]
    return [*on_chart, *(order.label for order in drafts if order.route is Route.ORAL and not order.stops)]


def _poor_kidneys(case: Case) -> bool:
    kidney = case.kidney
    return isinstance(kidney, KidneyFunction) and (kidney.tier in POOR_KIDNEYS or kidney.acute is not None)


RULES = (Rule(RULE, frozenset({Input.ORDER, Input.MEDICATIONS, Input.KIDNEY_RESULTS}), intrathecal_baclofen),)

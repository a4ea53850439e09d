"""Gaps reach the prescriber: a dose that cannot be computed, an input that could not be read (rules.md 5.9, 9, M10)."""

from __future__ import annotations

from collections.abc import Sequence

from cards.case import Case, Kind
from cards.facts import BaclofenOrder, ChartText, Input, MedicationList, Missing, OralDose, Unreadable, Why
from cards.outcome import CannotAssess, Finding, Indicator, NotIndicated, Outcome
from cards.quantities import DailyDose
from cards.rule import GapRule, Rule
from cards.values import frozen
from cards.wording import unchecked


@frozen
class Limits:
    """This question has no numbers."""


def order_dose_unparseable(case: Case, _: Limits) -> Outcome:
    rule = "order-dose-unparseable"
    reasons = [reason for order in case.orders if (reason := _not_computable(order, case))]
    if reasons:
        return Finding(rule, Indicator.INFO, "default", ("why", "what"), {"reason": reasons[0]})
    return NotIndicated(rule, "every ordered dose could be computed")


def _not_computable(order: BaclofenOrder, case: Case) -> str:
    """Why the dose of this order decides nothing; empty when it does. A dose of 0 means stop, where there is something
    to stop (resolutions.md 8, 9)."""
    match order.dose:
        case Unreadable(reason=reason) if not order.stops:
            return reason
        case OralDose(highest=DailyDose(value=0)) if case.current.is_nothing:
            return "a dose of 0 mg, and no baclofen on the chart that it could stop"
        case _:
            return ""


def data_unavailable(case: Case, outcomes: Sequence[Outcome]) -> Outcome:
    """Every input that some rule needed and could not read, each once, in the order in which rules are asked."""
    rule = "data-unavailable"
    heard = [outcome for outcome in outcomes if not isinstance(outcome, NotIndicated)]
    missing = list(dict.fromkeys(gap for outcome in heard for gap in _gaps(outcome)))
    if others := case.facts.orders_for_other_patients:
        reason = f"{others} baclofen order{'s' if others > 1 else ''} in this session name another patient: not checked"
        missing.insert(0, Missing(Input.ORDER, Why.UNREADABLE, reason))
    if unread := 0 if case.orders else case.facts.orders_unread:
        reason = f"the medicine of {unread} order{'s' if unread > 1 else ''} in this session, which may be baclofen"
        missing.insert(0, Missing(Input.ORDER, Why.UNREADABLE, reason))
    if not missing:
        return NotIndicated(rule, "every input that a rule needed could be read")
    names = ", ".join(dict.fromkeys(str(gap.what) for gap in missing))
    summary = "unread_order" if unread and len(missing) == 1 else "default"
    return Finding(rule, Indicator.INFO, summary, ("what", "how"), {"inputs": names, "gaps": unchecked(missing)})


def medicines_not_identified(names: Sequence[ChartText]) -> Finding:
    """``data-unavailable`` for unrecognised medicines when no other card carries the sentence (resolutions.md 16)."""
    values = {"inputs": "some medicines", "unrecognised_count": str(len(names)), "unrecognised": tuple(names)}
    return Finding("data-unavailable", Indicator.INFO, "default", ("S-UNRECOGNISED",), values)


def unrecognised(case: Case) -> tuple[ChartText, ...]:
    """Active or drafted medicines that nothing identified; a stop or a decrease does not depend on them."""
    if case.kind in (Kind.STOP, Kind.DECREASE):
        return ()
    listed = case.facts.medications.unrecognised if isinstance(case.facts.medications, MedicationList) else ()
    return (*case.facts.drafted_unrecognised, *listed)


def _gaps(outcome: Finding | CannotAssess) -> tuple[Missing, ...]:
    return outcome.unchecked if isinstance(outcome, Finding) else outcome.missing


RULES = (
    Rule("order-dose-unparseable", frozenset({Input.ORDER}), order_dose_unparseable),
    GapRule("data-unavailable", frozenset({Input.ORDER}), data_unavailable),
)

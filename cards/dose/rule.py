"""Is this dose, or this step, larger than it should be? The five rules of rules.md 5.2, in the order of its family."""

from __future__ import annotations

from cards.dose.amount import dose_above_labelled_max, dosing_interval, start_dose_too_high
from cards.dose.limits import Limits
from cards.dose.titration import titration_too_fast, tolerance_escalation
from cards.facts import Input
from cards.rule import Rule

__all__ = ["RULES", "Limits"]

ORDER_AND_CURRENT = frozenset({Input.ORDER, Input.MEDICATIONS, Input.PROBLEMS, Input.AGE})
BY_KIDNEY = ORDER_AND_CURRENT | {Input.KIDNEY_RESULTS}

RULES = (
    Rule("dose-above-labelled-max", ORDER_AND_CURRENT, dose_above_labelled_max),
    Rule("titration-too-fast", BY_KIDNEY, titration_too_fast),
    Rule("start-dose-too-high", BY_KIDNEY, start_dose_too_high),
    Rule("dosing-interval", ORDER_AND_CURRENT, dosing_interval),
    Rule("tolerance-escalation", ORDER_AND_CURRENT, tolerance_escalation),
)

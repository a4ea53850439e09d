"""Is this dose safe for these kidneys? The seven rules of rules.md 5.1, in the order in which they are asked."""

from __future__ import annotations

from cards.facts import Input
from cards.kidney_function.acute import renal_aki
from cards.kidney_function.avoid import renal_avoid_severe, renal_dialysis
from cards.kidney_function.limits import Limits
from cards.kidney_function.renal_dose import renal_dose_exceeds_limit
from cards.kidney_function.results import renal_egfr_unreliable, renal_function_unknown, renal_recheck
from cards.rule import Rule

__all__ = ["RULES", "Limits"]

KIDNEY = frozenset({Input.KIDNEY_RESULTS, Input.PROBLEMS, Input.PROCEDURES, Input.AGE, Input.SEX, Input.MEDICATIONS})
"""What the kidney resolver reads, and the medication list for the current baclofen dose."""

RULES = (
    Rule("renal-dose-exceeds-limit", KIDNEY, renal_dose_exceeds_limit),
    Rule("renal-avoid-severe", KIDNEY, renal_avoid_severe),
    Rule("renal-dialysis", KIDNEY, renal_dialysis),
    Rule("renal-aki", KIDNEY, renal_aki),
    Rule("renal-function-unknown", KIDNEY, renal_function_unknown),
    Rule("renal-egfr-unreliable", KIDNEY, renal_egfr_unreliable),
    Rule("renal-recheck", KIDNEY, renal_recheck),
)

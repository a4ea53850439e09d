"""Do opioids, sedatives or lung disease make this baclofen order dangerous? The three rules of rules.md 5.4."""

from __future__ import annotations

from cards.facts import Input
from cards.opioids_and_sedatives.limits import Limits
from cards.opioids_and_sedatives.opioids import opioid_coprescription
from cards.opioids_and_sedatives.sedatives import cns_depressant_load, respiratory_disease
from cards.rule import Rule

__all__ = ["RULES", "Limits"]

RULES = (
    Rule(
        "opioid-coprescription",
        frozenset({Input.MEDICATIONS, Input.PROBLEMS, Input.KIDNEY_RESULTS, Input.AGE, Input.OBSERVATIONS}),
        opioid_coprescription,
    ),
    Rule("cns-depressant-load", frozenset({Input.MEDICATIONS, Input.AGE, Input.PROBLEMS}), cns_depressant_load),
    Rule("respiratory-disease", frozenset({Input.PROBLEMS}), respiratory_disease),
)

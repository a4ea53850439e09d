"""Do epilepsy or another disease of the nervous system change what baclofen does? The two rules of rules.md 5.7."""

from __future__ import annotations

from cards.facts import Input
from cards.neurology.comorbidity import neurologic_comorbidity
from cards.neurology.limits import Limits
from cards.neurology.seizures import seizure_disorder
from cards.rule import Rule

__all__ = ["RULES", "Limits"]

RULES = (
    Rule("seizure-disorder", frozenset({Input.PROBLEMS, Input.MEDICATIONS}), seizure_disorder),
    Rule("neurologic-comorbidity", frozenset({Input.PROBLEMS, Input.MEDICATIONS}), neurologic_comorbidity),
)

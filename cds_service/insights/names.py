"""Codes and ids in words that a pharmacist reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cards.catalogue import Catalogue
from cards.facts import Input
from cards.logic import Offer
from cards.triage import SUMMARY_CARD
from cds_service.course import Stage
from cds_service.insights.tally import NO_REASON, NOT_SAID, OTHER_LIST

_OFFERS: Mapping[str, str] = {
    Offer.CHANGE_DOSE: "another dose",
    Offer.TAPER: "a taper",
    Offer.WITHDRAW_ORDER: "remove the order",
    Offer.STOP_EXISTING: "stop the order on the chart",
    Offer.ORDER_CREATININE: "order creatinine and eGFR",
    Offer.ORDER_CYSTATIN_C: "order cystatin C",
    Offer.CO_PRESCRIBE_NALOXONE: "prescribe naloxone",
    Offer.LIMIT_SUPPLY: "limit the supply",
    NOT_SAID: "accepted, not said what",
}
_STAGES: Mapping[str, str] = {
    Stage.TOKEN: "who calls",
    Stage.BODY: "receiving the request",
    Stage.PARSE: "reading the request",
    Stage.PREFETCH: "reading the prefetch",
    Stage.FHIR: "asking the FHIR server",
    Stage.FACTS: "facts of the patient",
    Stage.RULES: "rules",
    Stage.OVERRIDES: "earlier overrides",
    Stage.CARDS: "writing the cards",
    Stage.RECORD: "keeping the record",
}
_REASONS: Mapping[str, str] = {NO_REASON: "No reason given", OTHER_LIST: "A reason of the EHR's own list"}


@dataclass(frozen=True, slots=True)
class Names:
    rules: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    """By code; those that a report may name."""

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        words = catalogue.words
        reasons = {one.code: one.display for group in catalogue.library.override_groups.values() for one in group}
        return cls({rule: words.title(rule) for rule in (*words.texts, SUMMARY_CARD)}, reasons)

    def rule(self, rule: str) -> str:
        return self.rules.get(rule) or rule.replace("-", " ").capitalize()

    def reason(self, code: str) -> str:
        return self.reasons.get(code) or _REASONS.get(code, code)

    @staticmethod
    def offer(kinds: str) -> str:
        """ "another dose and order creatinine and eGFR"."""
        return "; ".join(_OFFERS.get(kind, kind) for kind in kinds.split(" + "))

    @staticmethod
    def input(name: str) -> str:
        return str(Input[name.upper()]) if name.upper() in Input.__members__ else name.replace("_", " ")

    @staticmethod
    def stage(name: str) -> str:
        return _STAGES.get(name, name)

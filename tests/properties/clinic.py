"""The whole clinic, asked with facts; and what a property wants to know of its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property

from cards.case import Case
from cards.catalogue import Assessment, Catalogue
from cards.facts import PatientFacts
from cards.outcome import CannotAssess, ChangeDose, DoseProposal, Finding, Indicator, Proposal, Regimen, Taper
from cards.quantities import DailyDose
from cards.triage import FAMILIES
from cards.wording import CardWords


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


class Answer:
    """What the clinic says to these facts."""

    def __init__(self, facts: PatientFacts) -> None:
        self.facts = facts
        self.assessment: Assessment = catalogue().assess(facts)

    @property
    def cases(self) -> tuple[Case, ...]:
        return self.assessment.cases

    @cached_property
    def found(self) -> Mapping[str, Indicator]:
        """Rule → its most urgent finding."""
        found: dict[str, Indicator] = {}
        for finding in self.findings:
            found[finding.rule] = max(finding.indicator, found.get(finding.rule, finding.indicator))
        return found

    @property
    def findings(self) -> Iterator[Finding]:
        return (outcome for _, outcome in self.assessment.outcomes if isinstance(outcome, Finding))

    @property
    def not_assessed(self) -> frozenset[str]:
        return frozenset(one.rule for _, one in self.assessment.outcomes if isinstance(one, CannotAssess))

    @property
    def highest(self) -> int:
        """The highest indicator that is shown; 0 without cards."""
        return max((card.indicator for card in self.assessment.triaged.cards), default=0)

    def highest_but(self, *families: str) -> int:
        """The highest indicator of any rule outside these families."""
        left_out = {rule for family in families for rule in FAMILIES[family]}
        return max((indicator for rule, indicator in self.found.items() if rule not in left_out), default=0)

    def by_family(self) -> Mapping[str, Indicator]:
        named = {rule: family for family, rules in FAMILIES.items() for rule in rules}
        highest: dict[str, Indicator] = {}
        for rule, indicator in self.found.items():
            family = named.get(rule, rule)
            highest[family] = max(indicator, highest.get(family, indicator))
        return highest

    @cached_property
    def words(self) -> list[tuple[str, Indicator, CardWords]]:
        return [(card.rule, card.indicator, catalogue().words.of(card)) for card in self.assessment.triaged.cards]

    @property
    def text(self) -> str:
        return "\n".join(f"{said.summary}\n{said.detail}" for _, _, said in self.words)

    @property
    def proposals(self) -> list[tuple[Case, Proposal]]:
        """Everything that the shown cards offer, with the case that it changes."""
        return [(card.case, proposal) for card in self.assessment.triaged.cards for proposal in card.proposals]

    @property
    def dose_proposals(self) -> list[tuple[Case, DoseProposal]]:
        return [(case, proposal) for case, proposal in self.proposals if isinstance(proposal, DoseProposal)]

    @property
    def highest_suggested(self) -> DailyDose | None:
        suggested = [regimen.daily for _, proposal in self.proposals for regimen in regimens(proposal)]
        return max(suggested, default=None)


def regimens(proposal: Proposal) -> tuple[Regimen, ...]:
    """The daily regimens that a proposal would order, in time."""
    match proposal:
        case ChangeDose(regimen=regimen):
            return (regimen,)
        case Taper(steps=steps):
            return tuple(step.regimen for step in steps)
        case _:
            return ()

"""Has this patient reacted to baclofen before? (rules.md 5.9)"""

from __future__ import annotations

from cards import naming
from cards.advice import permitted
from cards.case import Case, Kind
from cards.facts import Allergy, ChartText, Input, Missing
from cards.outcome import CannotAssess, DoseProposal, Finding, Indicator, NotIndicated, Outcome, WithdrawOrder
from cards.rule import Rule
from cards.values import frozen

RULE = "baclofen-hypersensitivity"


@frozen
class Limits:
    """This question has no numbers."""


def baclofen_hypersensitivity(case: Case, _: Limits) -> Outcome:
    """At every order after which baclofen is taken, long established ones included."""
    if case.stops:
        return NotIndicated(RULE, "baclofen is being stopped")
    if isinstance(case.facts.allergies, Missing):
        return CannotAssess(RULE, (case.facts.allergies,))
    entries = case.facts.allergies
    if not entries:
        return NotIndicated(RULE, "no allergy or intolerance to baclofen is recorded")
    allergies = [entry for entry in entries if not entry.intolerance]
    kind = "allergy" if allergies else "intolerance"
    reactions = naming.joined(reaction for entry in allergies or entries for reaction in entry.reactions)
    return Finding(
        RULE,
        Indicator.CRITICAL if allergies else Indicator.WARNING,
        summary=kind if reactions else f"{kind}_plain",
        detail=("S-ORDER", "entries", "why", *_established(case), "clarify"),
        values={"reaction": reactions, "entries": naming.joined(_entry(entry) for entry in entries)},
        proposals=_remove(case),
    )


def _remove(case: Case) -> tuple[DoseProposal, ...]:
    """Only a first oral order: without its renewal, or without the pump, baclofen would end at once."""
    first = case.kind is not Kind.INTRATHECAL and case.current.is_nothing
    return permitted(case, [WithdrawOrder()]) if first else ()


def _established(case: Case) -> tuple[str, ...]:
    if case.kind is Kind.INTRATHECAL:
        return ("pump",)
    if not case.current.known:
        return ("S-CURRENT-UNKNOWN",)
    return () if case.current.is_nothing else ("taken_already",)


def _entry(entry: Allergy) -> ChartText:
    """ "Baclofen: allergy, urticaria, recorded 2021-03-04 by Dr Grey"."""
    kind = "intolerance" if entry.intolerance else "allergy"
    reactions = "; ".join(sorted(entry.reactions)) or "reaction not stated"
    recorded = f"recorded {entry.recorded}" if entry.recorded else "no date"
    by = f" by {entry.recorder}" if entry.recorder else ""
    return ChartText(f"{entry.label}: {kind}, {reactions}, {recorded}{by}")


RULES = (Rule(RULE, frozenset({Input.ALLERGIES, Input.MEDICATIONS}), baclofen_hypersensitivity),)

"""What every kidney rule shares: which cases it judges, when it may be silent, paragraphs and laboratory suggestion."""

from __future__ import annotations

from collections.abc import Sequence

from cards.advice import closing
from cards.case import Case, Kind
from cards.facts import Input, Missing
from cards.gaps import unread
from cards.kidney import KidneyFunction, Tier
from cards.kidney_function.limits import Limits
from cards.outcome import CannotAssess, NotIndicated, OrderTest, Proposal, Test

NOT_ASKED = frozenset({Kind.STOP, Kind.INTRATHECAL})
RISES = frozenset({Kind.INITIATION, Kind.INCREASE})


def kidney_of(case: Case, rule: str) -> KidneyFunction | NotIndicated | CannotAssess:
    """The kidney function that a running oral order of an adult is judged by, or why it is not judged."""
    if case.kind in NOT_ASKED:
        return NotIndicated(rule, "not asked for: {}", (case.kind,))
    if not case.adult:
        return NotIndicated(rule, "{} is under 18: adult kidney tiers do not apply", (case.age,))
    if isinstance(case.kidney, Missing):
        return CannotAssess(rule, (case.kidney, *unread(case.facts, Input.PROBLEMS, Input.PROCEDURES)))
    return case.kidney


def recheck(kidney: KidneyFunction, limits: Limits) -> tuple[OrderTest, ...]:
    """R9 and resolutions.md 14: every kidney card whose value is over 90 days old asks for a new one."""
    if kidney.tier is Tier.DIALYSIS or kidney.age is None or kidney.age <= limits.recheck_above:
        return ()
    return (OrderTest(Test.CREATININE, urgent=kidney.acute is not None),)


def paragraphs(
    case: Case, kidney: KidneyFunction, limits: Limits, own: Sequence[str], proposals: Sequence[Proposal]
) -> tuple[str, ...]:
    """A rule's own paragraphs between the opening and closing ones that all kidney cards share."""
    stale = ("S-STALE",) if kidney.stale else ()
    again = ("S-RECHECK",) if recheck(kidney, limits) and not kidney.stale else ()
    return ("S-ORDER", "S-KIDNEY", *stale, *own, *again, *closing(case, proposals))

"""What could not be read, and so may hold something that nobody sees (rules.md 9)."""

from __future__ import annotations

from cards.facts import Input, Missing, PatientFacts, Why


def not_known(facts: PatientFacts, *inputs: Input) -> tuple[Missing, ...]:
    """Why each of these inputs may lack something; empty when all were read whole."""
    gaps = facts.gaps
    if not gaps:
        return ()
    return tuple([gaps[what] for what in inputs if what in gaps])


def unread(facts: PatientFacts, *inputs: Input) -> tuple[Missing, ...]:
    """The same where "not recorded" is clinical information and no gap; an age is never that."""
    if not facts.gaps:
        return ()
    gaps = not_known(facts, *inputs)
    return tuple([gap for gap in gaps if gap.why is not Why.NOT_RECORDED or gap.what is Input.AGE])

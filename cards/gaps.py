"""What could not be read, and so may hold something that nobody sees (rules.md 9)."""

from __future__ import annotations

from typing import Protocol

from cards.facts import Input, Missing, PatientFacts, Why


class _List(Protocol):
    @property
    def incomplete(self) -> str: ...


def unread(facts: PatientFacts, *inputs: Input) -> tuple[Missing, ...]:
    """Why each of these inputs may lack something; empty when all were read whole.

    "Not recorded" is clinical information, no gap.
    """
    found = (_gap(what, facts) for what in inputs)
    return tuple(gap for gap in found if gap is not None)


def _gap(what: Input, facts: PatientFacts) -> Missing | None:
    match what:
        case Input.PROBLEMS:
            return _of_list(what, facts.problems)
        case Input.PROCEDURES:
            return _of_list(what, facts.procedures)
        case Input.MEDICATIONS:
            return _of_list(what, facts.medications)
        case Input.OBSERVATIONS:
            return _of_list(what, facts.observations)
        case Input.KIDNEY_RESULTS:
            return _of_list(what, facts.kidney)
        case Input.ALLERGIES:
            return facts.allergies if isinstance(facts.allergies, Missing) and _counts(facts.allergies) else None
        case Input.AGE:
            return facts.age if isinstance(facts.age, Missing) else None
        case Input.SEX | Input.ORDER:
            return None


def _of_list(what: Input, read: _List | Missing) -> Missing | None:
    if isinstance(read, Missing):
        return read if _counts(read) else None
    return Missing(what, Why.NOT_AVAILABLE, read.incomplete) if read.incomplete else None


def _counts(missing: Missing) -> bool:
    return missing.why is not Why.NOT_RECORDED

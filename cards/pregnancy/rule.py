"""Does this order concern an unborn or a breast-fed child? (rules.md 5.9)"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cards import naming
from cards.case import Case
from cards.facts import Input, Missing, Observations, Problem, ProblemEntry, Sex, Why
from cards.gaps import unread
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, quiet
from cards.quantities import Age, Days
from cards.rule import Rule
from cards.values import frozen

PREGNANCY = "pregnancy"
BREAST_FEEDING = "breast-feeding"

NOT_NOW = frozenset({"puerperium", "sequela", "history-or-remission", "observable-read-the-value"})
"""Flags of codes that do not say that the patient is pregnant, or breast-feeds, at this time."""


@frozen
class Limits:
    age_at_least: Age
    age_at_most: Age
    pregnancy_max_age: Days
    breast_feeding_max_age: Days


def pregnancy(case: Case, limits: Limits) -> Outcome:
    if case.stops:
        return NotIndicated(PREGNANCY, "baclofen is being stopped")
    if not possible(case, limits):
        return _impossible(PREGNANCY, case, limits)
    signs = _signs(case, limits)
    if not signs:
        gaps = (*unread(case.facts, Input.PROBLEMS, Input.OBSERVATIONS), *_unread_status(case, limits))
        return quiet(PREGNANCY, gaps, "no pregnancy on record within {}", limits.pregnancy_max_age)
    return Finding(
        PREGNANCY,
        Indicator.WARNING if case.kind.rises else Indicator.INFO,
        summary="default",
        detail=("S-ORDER", "recorded", "newborn", "data", "plan", "stopping"),
        values={"recorded": naming.joined(signs)},
    )


def breast_feeding(case: Case, limits: Limits) -> Outcome:
    if not case.kind.rises:
        return NotIndicated(BREAST_FEEDING, "asked for at a start or an increase; this is {}", (case.kind,))
    if not possible(case, limits):
        return _impossible(BREAST_FEEDING, case, limits)
    found = _active(case, Problem.LACTATION, limits.breast_feeding_max_age)
    if not found:
        gaps = unread(case.facts, Input.PROBLEMS)
        none = "no breast-feeding on record within {}"
        return quiet(BREAST_FEEDING, gaps, none, limits.breast_feeding_max_age)
    return Finding(
        BREAST_FEEDING,
        Indicator.INFO,
        summary="default",
        detail=("S-ORDER", "recorded", "milk", "watch"),
        values={"recorded": naming.problems(found)},
    )


def possible(case: Case, limits: Limits) -> bool:
    """Not recorded as male, and of an age to bear a child; an unknown age does not exclude it."""
    of_age = isinstance(case.age, Missing) or limits.age_at_least <= case.age <= limits.age_at_most
    return case.facts.sex is not Sex.MALE and of_age


def _impossible(rule: str, case: Case, limits: Limits) -> NotIndicated:
    asked = "{}, age {}; asked for women from {:n} to {}"
    return NotIndicated(rule, asked, (case.facts.sex, case.age, limits.age_at_least, limits.age_at_most))


def _signs(case: Case, limits: Limits) -> Sequence[str]:
    """What says that the patient is pregnant. A later "not pregnant" takes a dated problem entry back."""
    pregnant, said_on = _status(case, limits)
    entries = _active(case, Problem.PREGNANCY, limits.pregnancy_max_age)
    if pregnant is False and said_on is not None:
        entries = [entry for entry in entries if entry.recorded is None or entry.recorded > said_on]
    measured = [f"pregnancy status or due date of {said_on}"] if pregnant else []
    return [*map(naming.dated, entries), *measured]


def _status(case: Case, limits: Limits) -> tuple[bool | None, date | None]:
    """The measured status and its day; no day: none within the time that a pregnancy can last."""
    observed = case.facts.observations
    if not isinstance(observed, Observations) or observed.pregnant is None:
        return None, None
    pregnant, said_on = observed.pregnant
    return (pregnant, said_on) if said_on >= limits.pregnancy_max_age.before(case.facts.today) else (None, None)


def _unread_status(case: Case, limits: Limits) -> tuple[Missing, ...]:
    pregnant, said_on = _status(case, limits)
    if said_on is None or pregnant is not None:
        return ()
    return (Missing(Input.OBSERVATIONS, Why.UNREADABLE, f"pregnancy status of {said_on} has an unknown answer"),)


def _active(case: Case, kind: Problem, max_age: Days) -> Sequence[ProblemEntry]:
    """Active entries of that time."""
    return [entry for entry in case.lately(max_age, kind) if entry.active and not entry.flags & NOT_NOW]


RULES = (
    Rule(PREGNANCY, frozenset({Input.PROBLEMS, Input.OBSERVATIONS, Input.AGE, Input.SEX}), pregnancy),
    Rule(BREAST_FEEDING, frozenset({Input.PROBLEMS, Input.AGE, Input.SEX}), breast_feeding),
)

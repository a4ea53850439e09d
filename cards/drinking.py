"""Signs of drinking, each within its own time (rules.md IN-ALC, resolutions.md 19).

A diagnosis of alcohol use disorder is no such sign: it says why baclofen is given, not that the patient drinks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from cards import naming
from cards.facts import (
    AlcoholFinding,
    AlcoholTest,
    Input,
    Missing,
    Observations,
    PatientFacts,
    Problem,
    ProblemEntry,
    ProblemList,
    Why,
)
from cards.quantities import Days
from cards.values import frozen


class Windows(Protocol):
    """For how long each sign counts: fields of the ``Limits`` of a question."""

    @property
    def audit_c_max_age(self) -> Days: ...
    @property
    def peth_max_age(self) -> Days: ...
    @property
    def ethanol_max_age(self) -> Days: ...
    @property
    def intoxication_max_age(self) -> Days: ...


@frozen
class Drinking:
    acute: tuple[str, ...]
    """Alcohol in the blood or an intoxication in these days."""
    lately: tuple[str, ...]
    """A positive AUDIT-C or PEth."""
    unread: tuple[Missing, ...]
    """Results of that time that are there and could not be read."""

    def __bool__(self) -> bool:
        return bool(self.acute or self.lately)

    def __str__(self) -> str:
        return naming.joined((*self.acute, *self.lately))


NO_SIGN = Drinking((), (), ())


def drinking(facts: PatientFacts, windows: Windows) -> Drinking:
    newest, intoxications = _newest(facts, windows), _intoxications(facts, windows)
    if not (newest or intoxications):
        return NO_SIGN
    positive = [one for one in newest if one.positive]
    return Drinking(
        acute=(
            *(_shown(one) for one in positive if one.test is AlcoholTest.ETHANOL),
            *(naming.dated(entry) for entry in intoxications),
        ),
        lately=tuple(_shown(one) for one in positive if one.test is not AlcoholTest.ETHANOL),
        unread=tuple(
            Missing(Input.OBSERVATIONS, Why.UNREADABLE, str(one.shown)) for one in newest if one.positive is None
        ),
    )


def _newest(facts: PatientFacts, windows: Windows) -> list[AlcoholFinding]:
    """The newest result of each test in its window; of one day a positive one before an unread one."""
    if not isinstance(facts.observations, Observations) or not facts.observations.alcohol:
        return []
    max_age = {
        AlcoholTest.AUDIT_C: windows.audit_c_max_age,
        AlcoholTest.PETH: windows.peth_max_age,
        AlcoholTest.ETHANOL: windows.ethanol_max_age,
    }
    newest: dict[AlcoholTest, AlcoholFinding] = {}
    for one in sorted(facts.observations.alcohol, key=lambda one: (one.measured, _weight(one))):
        if timedelta(0) <= facts.today - one.measured <= timedelta(days=int(max_age[one.test].value)):
            newest[one.test] = one
    return list(newest.values())


def _weight(one: AlcoholFinding) -> int:
    return {True: 2, None: 1, False: 0}[one.positive]


def _intoxications(facts: PatientFacts, windows: Windows) -> list[ProblemEntry]:
    """Only a dated one: nothing else shows that it was in these days."""
    if not isinstance(facts.problems, ProblemList):
        return []
    entries = facts.problems.of(Problem.ALCOHOL_INTOXICATION)
    if not entries:
        return []
    oldest = windows.intoxication_max_age.before(facts.today)
    return [entry for entry in entries if entry.recorded is not None and entry.recorded >= oldest]


def _shown(one: AlcoholFinding) -> str:
    return f"{one.shown} ({one.measured})"

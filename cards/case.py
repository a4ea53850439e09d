"""The case: the facts, and what follows from them before any rule is asked.

Kidney tier (rules.md 4), order kind, current dose and stability (3.3), indication (3.4). Each rule is a function of a
``Case`` and of its own limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from cards.dosing import Dosing
from cards.facts import (
    BaclofenOrder,
    ChartBaclofen,
    MedicationList,
    Missing,
    OralDose,
    PatientFacts,
    Problem,
    ProblemEntry,
    Route,
    Unreadable,
)
from cards.kidney import KidneyFunction
from cards.quantities import NO_DOSE, Age, DailyDose, Days
from cards.values import frozen, frozen_with_once, once

ADULT = Age.of(18)


class Kind(StrEnum):
    """What the signing does to the patient's oral baclofen (rules.md 3.3)."""

    INITIATION = "initiation"
    INCREASE = "increase"
    UNCHANGED = "unchanged"
    DECREASE = "decrease"
    STOP = "stop"
    UNKNOWN = "unknown"
    """The ordered dose could not be read."""
    INTRATHECAL = "intrathecal order"

    @property
    def rises(self) -> bool:
        """More baclofen than before, or possibly so: an unread dose is judged as a start."""
        return self in _RISING


_RISING = frozenset({Kind.INITIATION, Kind.INCREASE, Kind.UNKNOWN})


class Indication(StrEnum):
    SPASTICITY = "spasticity"
    ALCOHOL_USE_DISORDER = "alcohol use disorder"
    APPARENTLY_ALCOHOL_USE_DISORDER = "apparently alcohol use disorder"

    @property
    def is_alcohol(self) -> bool:
        return self is not Indication.SPASTICITY


@frozen
class CurrentBaclofen:
    """The oral baclofen that this signing replaces or continues."""

    dose: DailyDose | Missing
    """0 mg/day when the record shows none; Missing when it could not be read or computed (resolutions.md 2)."""
    replaced: tuple[ChartBaclofen, ...]
    """Chart orders that the draft replaces or renews."""
    beside: tuple[ChartBaclofen, ...]
    """Active oral chart orders that nothing marks as replaced: for duplicate-baclofen."""
    exposure: Days | None
    """Days on baclofen without a break, as far as the record shows."""
    since_change: Days | None
    """Days since the daily dose last differed."""
    earlier_increases: int
    """Increases in the last 180 days before this order."""

    @property
    def known(self) -> bool:
        return not isinstance(self.dose, Missing)

    @property
    def is_nothing(self) -> bool:
        return self.dose == NO_DOSE


@frozen_with_once
class Case:
    facts: PatientFacts
    orders: tuple[BaclofenOrder, ...]
    """The drafts that are read as one intention, the leading one (the one that suggestions change) first."""
    route: Route
    kind: Kind
    dose: OralDose | Unreadable | None
    """The ordered oral schedule, several running drafts added up; None for stop and intrathecal orders."""
    current: CurrentBaclofen
    stable: bool
    """Unchanged and the same daily dose for at least 30 days."""
    indication: Indication
    kidney: KidneyFunction | Missing
    dosing: Dosing
    """Dose arithmetic: recommended starts, ceilings, regimens, tapers."""

    @property
    def order(self) -> BaclofenOrder:
        return self.orders[0]

    @once
    def stops(self) -> bool:
        """Baclofen ends with this signing; an order for a pump can be a stop too."""
        return self.kind is Kind.STOP or all(order.stops for order in self.orders)

    @property
    def age(self) -> Age | Missing:
        return self.facts.age

    @once
    def adult(self) -> bool:
        """An unknown age counts as adult: adult rules then run, and age is said to be missing."""
        return isinstance(self.facts.age, Missing) or self.facts.age >= ADULT

    def ever(self, *kinds: Problem) -> Sequence[ProblemEntry]:
        """Entries of the problem list, active or not. None of a list that could not be read: ask ``gaps`` as well."""
        problems = self.facts.problems
        return () if isinstance(problems, Missing) else problems.of(*kinds)

    def active(self, *kinds: Problem) -> Sequence[ProblemEntry]:
        problems = self.facts.problems
        return () if isinstance(problems, Missing) else problems.active(*kinds)

    def lately(self, max_age: Days, *kinds: Problem) -> Sequence[ProblemEntry]:
        """Those of the time that ends today; an active one without a date counts."""
        entries = self.ever(*kinds)
        if not entries:
            return ()
        oldest = max_age.before(self.facts.today)
        return [entry for entry in entries if entry.is_since(oldest)]

    @property
    def charted_baclofen(self) -> Sequence[ChartBaclofen]:
        """None of a list that could not be read: ask ``gaps`` as well."""
        listed = self.facts.medications
        return listed.baclofen if isinstance(listed, MedicationList) else ()

"""Drafts and chart read as one intention: what this signing does to the patient's baclofen (rules.md 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter

from cards.case import Case, CurrentBaclofen, Indication, Kind
from cards.dosing import Dosing
from cards.facts import (
    BaclofenOrder,
    ChartBaclofen,
    Dose,
    DoseStep,
    Input,
    MedicationList,
    Missing,
    OralDose,
    PatientFacts,
    Problem,
    ProblemList,
    Route,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cards.kidney import KidneyFunction
from cards.quantities import NO_DOSE, DailyDose, Days
from cards.values import frozen

MOST_RUNNING = 50
"""Baclofen entries that can run at once; a list with more is not right, and no dose can be added up from it."""


@frozen
class CaseLimits:
    """The parameters of ``case.toml``."""

    same_dose_at_most: DailyDose
    renewal_supply_at_most: Days
    stable_at_least: Days
    earlier_increase_max_age: Days

    def same(self, one: DailyDose, other: DailyDose) -> bool:
        return one <= other + self.same_dose_at_most and other <= one + self.same_dose_at_most


def read_cases(
    facts: PatientFacts, kidney: KidneyFunction | Missing, limits: CaseLimits, dosing: Dosing
) -> tuple[Case, ...]:
    """One case for the oral drafts together, one for the intrathecal ones; topical baclofen makes none (rules.md 1)."""
    found = []
    for route in (Route.ORAL, Route.INTRATHECAL):
        orders = [order for order in facts.orders if order.route is route]
        running = [order for order in orders if not order.stops]
        if not orders:
            continue
        dose = _added([order.dose for order in running]) if running and route is Route.ORAL else None
        current = _current(facts, orders, dose, limits) if route is Route.ORAL else _none_to_compare()
        kind = _kind(route, dose, current.dose, limits)
        lasting = current.since_change is not None and current.since_change >= limits.stable_at_least
        case = Case(
            facts=facts,
            orders=(*running, *(order for order in orders if order.stops)),
            route=route,
            kind=kind,
            dose=dose,
            current=current,
            stable=kind is Kind.UNCHANGED and lasting,
            indication=_indication(orders, facts.problems),
            kidney=kidney,
            dosing=dosing,
        )
        found.append(case)
    return tuple(found)


def _added(doses: Sequence[Dose]) -> OralDose | Unreadable:
    """Several running drafts are all taken: step by step their daily doses add up."""
    readable: list[OralDose] = []
    for dose in doses:
        match dose:
            case OralDose():
                readable.append(dose)
            case Unreadable():
                return dose
            case _:
                return Unreadable("an intrathecal dose on an oral order")
    if len(readable) == 1:
        return readable[0]
    longest = max(len(dose.steps) for dose in readable)
    steps = []
    for n in range(longest):
        together = [dose.steps[min(n, len(dose.steps) - 1)] for dose in readable]
        daily = DailyDose(sum((step.daily.value for step in together), start=NO_DOSE.value))
        single = max(step.largest_single for step in together)
        lasts = [step.lasts for step in together if step.lasts is not None]
        steps.append(
            DoseStep(daily, single, max(step.times_per_day for step in together), min(lasts) if lasts else None)
        )
    return OralDose(tuple(steps), any(d.as_needed for d in readable), any(d.from_text for d in readable))


def _kind(route: Route, dose: OralDose | Unreadable | None, current: DailyDose | Missing, limits: CaseLimits) -> Kind:
    if route is Route.INTRATHECAL:
        return Kind.INTRATHECAL
    match dose:
        case None:
            return Kind.STOP
        case Unreadable():
            return Kind.UNKNOWN
    if isinstance(current, Missing) or current == NO_DOSE:
        return Kind.INITIATION
    if dose.highest > current + limits.same_dose_at_most:
        return Kind.INCREASE
    return Kind.UNCHANGED if limits.same(dose.start, current) else Kind.DECREASE


# -------------------------------------------------------------------------------------------------- current dose


def _none_to_compare() -> CurrentBaclofen:
    return CurrentBaclofen(NO_DOSE, (), (), None, None, 0)


def _current(
    facts: PatientFacts, orders: Sequence[BaclofenOrder], dose: OralDose | Unreadable | None, limits: CaseLimits
) -> CurrentBaclofen:
    lost = [order for order in orders if order.prior is not None and not order.prior_found]
    stopped = [order for order in orders if order.stops]
    match facts.medications:
        case Missing() as missing:
            return CurrentBaclofen(_dose_of_stopped(stopped) or missing, (), (), None, None, 0)
        case chart:
            pass
    if lost:
        unknown = Missing(Input.MEDICATIONS, Why.UNREADABLE, "the order that this one replaces could not be found")
        return CurrentBaclofen(unknown, (), (), None, None, 0)
    priors = {order.prior for order in orders}
    named = {order.reference for order in orders} | priors
    live = []
    for entry in chart.baclofen:
        match _taken(entry, dose, limits, facts.today, named=entry.reference in priors):
            case Missing() as missing:
                return CurrentBaclofen(_dose_of_stopped(stopped) or missing, (), (), None, None, 0)
            case True:
                live.append(entry)
    if len(live) > MOST_RUNNING:
        unknown = Missing(Input.MEDICATIONS, Why.UNREADABLE, f"more than {MOST_RUNNING} baclofen orders run at once")
        return CurrentBaclofen(_dose_of_stopped(stopped) or unknown, (), (), None, None, 0)
    replaced = tuple(
        e for e in live if e.reference in named or (_ends_soon(e, limits, facts.today) and _same_dose(e, dose, limits))
    )
    beside = tuple(e for e in live if e not in replaced and e.standing is Standing.ACTIVE)
    taken = replaced or beside
    if not taken:
        none = _nothing(chart) if len(stopped) < len(orders) else _NOT_SAID
        return CurrentBaclofen(_dose_of_stopped(stopped) or none, (), (), None, None, 0)
    now = _sum(taken, facts.today)
    if isinstance(now, Missing):
        return CurrentBaclofen(now, replaced, beside, None, None, 0)
    history = _newest_first(chart.baclofen)
    changed = [_run(entry, history, limits, same_dose=True) for entry in taken]
    began = [_run(entry, history, limits, same_dose=False) for entry in taken]
    return CurrentBaclofen(
        dose=now,
        replaced=replaced,
        beside=beside,
        exposure=max((_days_since(day, facts.today) for day in began if day), default=None) if all(began) else None,
        since_change=min((_days_since(day, facts.today) for day in changed if day), default=None)
        if all(changed)
        else None,
        earlier_increases=_increases(history, limits, facts.today),
    )


_NOT_SAID = Missing(Input.MEDICATIONS, Why.UNREADABLE, "neither the list nor the stopped order gives its dose")
"""Baclofen that is being stopped was taken, also when the list does not hold it."""


def _nothing(chart: MedicationList) -> DailyDose | Missing:
    """No baclofen on a whole list is 0 mg/day; on a list with gaps it is not known."""
    if chart.incomplete:
        return Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, chart.incomplete)
    return NO_DOSE


def _dose_of_stopped(stopped: Sequence[BaclofenOrder]) -> DailyDose | None:
    """A stop order is often the chart's own order with another status: its dosage then is the current dose."""
    doses = [order.dose.highest for order in stopped if isinstance(order.dose, OralDose)]
    return DailyDose(sum((dose.value for dose in doses), start=NO_DOSE.value)) if doses else None


def _taken(
    entry: ChartBaclofen, dose: OralDose | Unreadable | None, limits: CaseLimits, today: date, *, named: bool
) -> bool | Missing:
    """Active orders count. One that is over counts while it is renewed at the same dose, and, when the draft names it
    as the one that it replaces, as long as it had supply: many EHRs stop the old order before the new one is signed."""
    if entry.route is not Route.ORAL:
        return False
    if entry.standing is Standing.ACTIVE and not entry.ended:
        return True
    if _ends_soon(entry, limits, today) and _same_dose(entry, dose, limits):
        return True
    if not named:
        return False
    if entry.standing is Standing.ON_HOLD or entry.withdrawn or entry.supply_ends is None:
        over = "is on hold" if entry.standing is Standing.ON_HOLD else "has ended, and nothing says when"
        return Missing(Input.MEDICATIONS, Why.UNREADABLE, f"the order that this one replaces {over}")
    return (today - entry.supply_ends).days <= limits.renewal_supply_at_most.value


def _ends_soon(entry: ChartBaclofen, limits: CaseLimits, today: date) -> bool:
    return (
        entry.supply_ends is not None and abs((entry.supply_ends - today).days) <= limits.renewal_supply_at_most.value
    )


def _same_dose(entry: ChartBaclofen, dose: Dose | None, limits: CaseLimits) -> bool:
    return (
        isinstance(entry.dose, OralDose) and isinstance(dose, OralDose) and limits.same(entry.dose.highest, dose.start)
    )


def _sum(entries: Sequence[ChartBaclofen], today: date) -> DailyDose | Missing:
    total = NO_DOSE
    for entry in entries:
        match entry.dose:
            case OralDose() as dose:
                total += dose_now(dose, entry.since, today)
            case Unreadable(reason=reason):
                return Missing(Input.MEDICATIONS, Why.UNREADABLE, f"dose of {entry.label}: {reason}")
            case _:
                return Missing(Input.MEDICATIONS, Why.UNREADABLE, f"dose of {entry.label} is intrathecal")
    return total


def dose_now(dose: OralDose, since: date | None, today: date) -> DailyDose:
    """The step of a running schedule that today falls in; the last one where that cannot be told."""
    if since is None:
        return dose.steps[-1].daily
    passed = (today - since).days
    for step in dose.steps:
        if step.lasts is None or passed < step.lasts.value:
            return step.daily
        passed -= int(step.lasts.value)
    return dose.steps[-1].daily


# -------------------------------------------------------------------------------------------------------- history


def _newest_first(entries: Sequence[ChartBaclofen]) -> Sequence[ChartBaclofen]:
    """Those with a date; of one day the one with the longest supply first, in whatever order they were sent."""
    dated = [(entry.since, entry.supply_ends or date.max, entry) for entry in entries if entry.since is not None]
    oral = [one for one in dated if one[2].route is Route.ORAL]
    return [entry for _, _, entry in sorted(oral, key=itemgetter(0, 1), reverse=True)]


def _run(entry: ChartBaclofen, history: Sequence[ChartBaclofen], limits: CaseLimits, *, same_dose: bool) -> date | None:
    """Earliest date of the unbroken run that ends in ``entry``; a run breaks at another dose or a gap in supply.
    Of the entries of one day another dose counts before the same one. ``history`` is the newest first."""
    if entry.since is None:
        return None
    start, oldest = entry.since, entry
    for day, entries in groupby(history, key=attrgetter("since")):
        if day >= start:
            continue
        of_day = list(entries)
        changed = (one for one in of_day if same_dose and not _same_dose(entry, one.dose, limits))
        older = next(changed, of_day[0])
        gap = older.supply_ends is not None and (start - older.supply_ends).days > limits.renewal_supply_at_most.value
        if gap or (same_dose and not _same_dose(oldest, older.dose, limits)):
            break
        start, oldest = day, older
    return start


def _increases(history: Sequence[ChartBaclofen], limits: CaseLimits, today: date) -> int:
    since = limits.earlier_increase_max_age.before(today)
    dated = sorted(
        (entry.since, entry.dose.highest) for entry in history if entry.since and isinstance(entry.dose, OralDose)
    )
    return sum(
        1 for (_, before), (day, after) in pairwise(dated) if day >= since and after > before + limits.same_dose_at_most
    )


def _days_since(day: date, today: date) -> Days:
    return Days.of(max((today - day).days, 0))


# ----------------------------------------------------------------------------------------------------- indication


def _indication(orders: Sequence[BaclofenOrder], problems: ProblemList | Missing) -> Indication:
    """rules.md 3.4: the stated reason, else an alcohol use disorder without any spasticity on the problem list."""
    if any(Problem.ALCOHOL_USE_DISORDER in order.reasons or order.reason_mentions_alcohol for order in orders):
        return Indication.ALCOHOL_USE_DISORDER
    if any(order.reason_given for order in orders) or isinstance(problems, Missing):
        return Indication.SPASTICITY
    inferred = problems.active(Problem.ALCOHOL_USE_DISORDER) and not problems.active(Problem.SPASTICITY)
    return Indication.APPARENTLY_ALCOHOL_USE_DISORDER if inferred else Indication.SPASTICITY

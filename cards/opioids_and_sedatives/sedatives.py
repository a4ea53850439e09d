"""Other CNS depressants, and lung disease, beside baclofen (rules.md 5.4)."""

from __future__ import annotations

from cards.case import Case, Kind
from cards.facts import DrugClass, Input, Missing, Problem
from cards.gaps import not_known
from cards.opioids_and_sedatives import medicines, triggers
from cards.opioids_and_sedatives.limits import Limits
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, quiet
from cards.quantities import Count
from cards.values import frozen

LOAD = "cns-depressant-load"
RESPIRATORY = "respiratory-disease"

STARTS = frozenset({Kind.INITIATION, Kind.UNKNOWN})
"""An unread dose is judged as a start."""
RISES = STARTS | {Kind.INCREASE}

ALONE = frozenset({DrugClass.BENZODIAZEPINE, DrugClass.Z_DRUG, DrugClass.BARBITURATE, DrugClass.MUSCLE_RELAXANT})
"""Depressants that deserve a word at the start even when there is no other."""


@frozen
class _Load:
    depressants: tuple[DrugClass, ...]
    cns_active: Count
    """Classes that the Beers criteria count, baclofen included."""

    def __str__(self) -> str:
        """ "Benzodiazepine", "Benzodiazepine, antipsychotic"."""
        names = ", ".join(medicines.DEPRESSANTS[kind] for kind in self.depressants)
        return names[:1].upper() + names[1:] or "no other CNS depressant"


def cns_depressant_load(case: Case, limits: Limits) -> Outcome:
    if case.stops:
        return NotIndicated(LOAD, "baclofen is being stopped")
    if case.facts.classes_taken.isdisjoint(medicines.CNS_ACTIVE):
        return quiet(LOAD, not_known(case.facts, Input.MEDICATIONS), "no other CNS depressant; {}", case.kind)
    load = _Load(
        medicines.classes_among(case.facts, medicines.DEPRESSANTS),
        Count.of(len(medicines.classes_among(case.facts, medicines.CNS_ACTIVE)) + 1),
    )
    lines = {
        "oxybate": _sodium_oxybate(case, load),
        "several": _several(case, load, limits),
        "beers": _beers(case, load, limits),
        "one": _one(case, load),
    }
    met = {line: indicator for line, indicator in lines.items() if indicator is not None}
    unread = _unread(case, load, limits)
    if not met:
        return quiet(LOAD, unread, "{}; {}", load, case.kind)
    leading = max(met, key=lambda line: met[line])
    counted = medicines.CNS_ACTIVE if "beers" in met else medicines.DEPRESSANTS
    return Finding(
        LOAD,
        met[leading],
        summary=leading,
        detail=("S-ORDER", "medicines", *(line for line in ("oxybate", "beers") if line in met), "additive", "advice"),
        values={
            "n": Count.of(len(load.depressants)),
            "cns_active": load.cns_active,
            "cns_active_limit": limits.cns_active_at_least,
            "depressant": str(load) if load.depressants else "",
            "medicines": medicines.with_classes(medicines.of(case.facts, *counted), counted),
        },
        unchecked=unread,
    )


def _sodium_oxybate(case: Case, load: _Load) -> Indicator | None:
    """A pump order does not say whether it starts, so it is not judged as a start here."""
    if DrugClass.SODIUM_OXYBATE not in load.depressants:
        return None
    return Indicator.CRITICAL if case.kind in RISES else Indicator.WARNING


def _several(case: Case, load: _Load, limits: Limits) -> Indicator | None:
    n = Count.of(len(load.depressants))
    if n < limits.depressants_at_least or case.kind is Kind.DECREASE:
        return None
    many = n >= limits.many_depressants_at_least
    return Indicator.INFO if case.stable and not many else Indicator.WARNING


def _beers(case: Case, load: _Load, limits: Limits) -> Indicator | None:
    """Three or more CNS-active medicines at 65 and over; not in hospice care."""
    older = not isinstance(case.age, Missing) and case.age >= limits.cns_active_age_at_least
    if not older or load.cns_active < limits.cns_active_at_least or case.kind is Kind.DECREASE:
        return None
    if case.active(Problem.HOSPICE):
        return None
    return Indicator.INFO if case.stable else Indicator.WARNING


def _one(case: Case, load: _Load) -> Indicator | None:
    starts = case.kind in STARTS or case.kind is Kind.INTRATHECAL
    return Indicator.INFO if starts and len(load.depressants) == 1 and ALONE.issuperset(load.depressants) else None


def _unread(case: Case, load: _Load, limits: Limits) -> tuple[Missing, ...]:
    """Gaps in the medication list, and an unread age where it decides."""
    age_decides = load.cns_active >= limits.cns_active_at_least and case.kind is not Kind.DECREASE
    age = (case.age,) if age_decides and isinstance(case.age, Missing) else ()
    return (*not_known(case.facts, Input.MEDICATIONS), *age)


def respiratory_disease(case: Case, _limits: Limits) -> Outcome:
    if case.kind not in STARTS:
        return NotIndicated(RESPIRATORY, "only a start is judged; this is {}", (case.kind,))
    found = case.active(Problem.RESPIRATORY_RISK)
    if not found:
        gaps = not_known(case.facts, Input.PROBLEMS)
        return quiet(RESPIRATORY, gaps, "no lung disease or sleep apnoea on the problem list")
    detail = ("S-ORDER", "condition", "apnoea", "advice")
    return Finding(RESPIRATORY, Indicator.INFO, "default", detail, values={"condition": triggers.named(found)})

"""What makes an opioid beside baclofen more dangerous (trigger T of rules.md 5.4).

Each trigger says what it met, with its numbers, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cards import gaps
from cards.case import Case
from cards.drinking import drinking
from cards.facts import DrugClass, Input, Missing, OralDose, Problem, ProblemEntry
from cards.kidney import KidneyFunction, Tier
from cards.opioids_and_sedatives import medicines, mme
from cards.opioids_and_sedatives.limits import Limits

REDUCED = frozenset({Tier.K3A, Tier.K3B})
SEVERE = frozenset({Tier.K4, Tier.K5})


def many_morphine_equivalents(case: Case, limits: Limits) -> str | None:
    total = mme.total(medicines.of(case.facts, DrugClass.OPIOID), limits.factors)
    if total.counted < limits.mme_at_least:
        return None
    return f"opioids come to {total.said} (limit {limits.mme_at_least})"


def another_depressant(case: Case, _limits: Limits) -> str | None:
    found = medicines.of(case.facts, *medicines.DEPRESSANTS)
    return f"other CNS depressant: {medicines.with_classes(found, medicines.DEPRESSANTS)}" if found else None


def respiratory_disease(case: Case, _limits: Limits) -> str | None:
    return _of("breathing", case.active(Problem.RESPIRATORY_RISK))


def earlier_overdose(case: Case, _limits: Limits) -> str | None:
    """At any time, also long resolved."""
    return _of("earlier overdose", case.ever(Problem.OVERDOSE))


def severe_kidney_disease(case: Case, _limits: Limits) -> str | None:
    match case.kidney:
        case KidneyFunction(dialysis=evidence) if evidence is not None:
            return "dialysis"
        case KidneyFunction(acute=acute) if acute is not None:
            return "possible acute kidney injury"
        case KidneyFunction(tier=tier, egfr=egfr) if tier in SEVERE:
            return f"eGFR {egfr}"
        case _:
            return None


def older_with_reduced_kidneys(case: Case, limits: Limits) -> str | None:
    match case.kidney:
        case KidneyFunction(tier=tier, egfr=egfr) if tier in REDUCED:
            if not isinstance(case.age, Missing) and case.age >= limits.reduced_kidney_age_at_least:
                return f"age {case.age:n} with eGFR {egfr}"
    return None


def high_baclofen_dose(case: Case, limits: Limits) -> str | None:
    match case.dose:
        case OralDose(highest=highest) if highest > limits.baclofen_above:
            return f"baclofen {highest} (above {limits.baclofen_above})"
        case _:
            return None


def alcohol(case: Case, limits: Limits) -> str | None:
    """The indication, or signs of drinking; an F10 code alone is not drinking (resolutions.md 19)."""
    if case.indication.is_alcohol:
        return f"indication {case.indication.value}"
    signs = drinking(case.facts, limits)
    return f"alcohol: {signs}" if signs else None


TRIGGERS: tuple[Callable[[Case, Limits], str | None], ...] = (
    many_morphine_equivalents,
    another_depressant,
    respiratory_disease,
    earlier_overdose,
    severe_kidney_disease,
    older_with_reduced_kidneys,
    high_baclofen_dose,
    alcohol,
)


def met(case: Case, limits: Limits) -> tuple[str, ...]:
    """What was met, with its numbers, in a fixed order."""
    said = (trigger(case, limits) for trigger in TRIGGERS)
    return tuple(words for words in said if words is not None)


def not_known(case: Case, limits: Limits) -> tuple[Missing, ...]:
    """Inputs beside the medication list that could have met a trigger, had they been read."""
    kidney: tuple[Missing, ...]
    match case.kidney:
        case Missing() as missing:
            kidney = (missing, *gaps.unread(case.facts, Input.PROBLEMS, Input.PROCEDURES))
        case KidneyFunction(tier=tier, unchecked=unchecked) if tier in REDUCED and isinstance(case.age, Missing):
            kidney = (*unchecked, case.age)
        case KidneyFunction(unchecked=unchecked):
            kidney = unchecked
    tests = (*gaps.unread(case.facts, Input.OBSERVATIONS), *drinking(case.facts, limits).unread)
    return tuple(dict.fromkeys((*gaps.not_known(case.facts, Input.PROBLEMS), *kidney, *tests)))


def named(entries: Sequence[ProblemEntry]) -> str:
    """ "COPD (2021-03-04), sleep apnoea (no date)", each once, in an order that does not depend on the record's."""
    return ", ".join(sorted({f"{entry.label} ({entry.recorded or 'no date'})" for entry in entries}))


def _of(what: str, entries: Sequence[ProblemEntry]) -> str | None:
    return f"{what}: {named(entries)}" if entries else None

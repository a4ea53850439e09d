"""Which facts of a chart a call rested on: names of ours and dates, never a value, an identifier or a word of it.

A name is an input ("age", "medications"), or an input and what of it counted: a value set of problems or drug classes
("problems/seizure-epilepsy", "medications/opioid-medications"), or a measurement ("observations/AUDIT-C").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from cards.facts import (
    Allergy,
    Input,
    KidneyResults,
    MedicationList,
    Missing,
    Observations,
    PatientFacts,
    ProblemList,
    Sex,
)
from cards.kidney import KidneyFunction

Fact = tuple[str, date | None]

NAMES = {item: item.name.lower() for item in Input}
"""Stable, while the words of ``Input`` are for prescribers and may change."""


def facts_used(facts: PatientFacts, kidney: KidneyFunction | Missing) -> dict[str, str | None]:
    """Name → newest date, ISO. What was read and holds nothing stands with its input alone, without a date."""
    newest: dict[str, date | None] = {}
    for name, day in _facts(facts, kidney):
        known = newest.setdefault(name, day)
        if day is not None and (known is None or day > known):
            newest[name] = day
    return {name: day.isoformat() if day else None for name, day in newest.items()}


def missing(facts: PatientFacts) -> dict[str, str]:
    """Input → why it could not be had, or ``incomplete``."""
    gaps = {}
    for item, value in _read(facts):
        if isinstance(value, Missing):
            gaps[NAMES[item]] = value.why.value
        elif getattr(value, "incomplete", ""):
            gaps[NAMES[item]] = "incomplete"
    if facts.sex is Sex.UNKNOWN:
        gaps[NAMES[Input.SEX]] = "not recorded"
    return gaps


def _read(facts: PatientFacts) -> Iterable[tuple[Input, object]]:
    return (
        (Input.AGE, facts.age),
        (Input.KIDNEY_RESULTS, facts.kidney),
        (Input.PROBLEMS, facts.problems),
        (Input.PROCEDURES, facts.procedures),
        (Input.MEDICATIONS, facts.medications),
        (Input.ALLERGIES, facts.allergies),
        (Input.OBSERVATIONS, facts.observations),
    )


def _facts(facts: PatientFacts, kidney: KidneyFunction | Missing) -> Iterator[Fact]:
    for order in facts.orders:
        yield NAMES[Input.ORDER], order.authored
    if facts.sex is not Sex.UNKNOWN:
        yield NAMES[Input.SEX], None
    for item, value in _read(facts):
        if not isinstance(value, Missing):
            yield NAMES[item], None
            yield from _inside(NAMES[item], value, kidney)


def _inside(name: str, value: object, kidney: KidneyFunction | Missing) -> Iterator[Fact]:
    match value:
        case KidneyResults() if isinstance(kidney, KidneyFunction) and kidney.taken:
            yield f"{name}/egfr", kidney.taken
        case ProblemList(entries=entries):
            for entry in entries:
                for kind in entry.kinds:
                    yield f"{name}/{kind.value}", entry.recorded
        case MedicationList():
            yield from _medicines(name, value)
        case Observations():
            yield from _observations(name, value)
        case tuple():
            for one in value:
                if isinstance(one, Allergy):
                    yield f"{name}/baclofen", one.recorded
        case _:
            return


def _medicines(name: str, found: MedicationList) -> Iterator[Fact]:
    for medicine in found.others:
        for group in medicine.classes:
            yield f"{name}/{group.value}", medicine.started
    for one in found.baclofen:
        yield f"{name}/baclofen", one.since
    if found.rescue_on_file:
        yield f"{name}/rescue", found.rescue_on_file


def _observations(name: str, found: Observations) -> Iterator[Fact]:
    for alcohol in found.alcohol:
        yield f"{name}/{alcohol.test.value}", alcohol.measured
    if found.pregnant:
        yield f"{name}/pregnancy", found.pregnant[1]
    if found.body.weight:
        yield f"{name}/weight", found.body.weight[1]
    if found.body.height:
        yield f"{name}/height", found.body.height[1]

"""Every vignette as FHIR, in every style: what is gathered from it are the facts that the pure rules are tested with.

This also holds for vignettes whose rules come with a later release.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest

from cards.facts import (
    BaclofenOrder,
    Dose,
    DrugClass,
    KidneyResults,
    Medication,
    MedicationList,
    Observations,
    OralDose,
    PatientFacts,
    Problem,
    ProblemList,
    Unreadable,
)  # fmt: skip
from cards.vignettes import TODAY, Vignette, all_vignettes, facts_of
from cds_service import hooks, records
from cds_service.app import wire
from cds_service.respond import Deps, consult
from cds_service.services import HOOKS
from cds_service.settings import load
from tests.vignettes.fhir import Style
from tests.vignettes.styles import STYLES


@cache
def deps() -> Deps:
    return wire(load(mode="sandbox", today=TODAY))


def gathered(given: dict[str, Any], style: Style) -> PatientFacts:
    body = json.dumps(style.order_sign(given)).encode()
    call = hooks.parse(body, HOOKS)
    return consult(call, records.collect(call, deps().aliases), deps()).facts


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_facts(vignette: Vignette, style: Style) -> None:
    read, meant = gathered(vignette.given, style), facts_of(vignette.given)
    assert read.now == meant.now
    assert (read.age, read.sex, read.deceased) == (meant.age, meant.sex, meant.deceased)
    assert [_order(one) for one in read.orders] == [_order(one) for one in meant.orders]
    assert [_medicine(one) for one in read.drafted] == [_medicine(one) for one in meant.drafted]
    assert read.drafted_unrecognised == ()
    assert read.orders_for_other_patients == 0
    assert _medications(read) == _medications(meant)
    assert _kidney(read) == _kidney(meant)
    assert _problems(read) == _problems(meant)
    assert isinstance(read.procedures, ProblemList)
    assert not read.procedures.incomplete
    assert isinstance(read.observations, Observations)
    assert isinstance(meant.observations, Observations)
    assert read.observations.body == meant.observations.body


def _order(order: BaclofenOrder) -> object:
    if order.stops:
        # Styles differ in how a stop is written: with the old dose or none, as the old order or a new one.
        return (order.route, "stops")
    dose = _dose(order.dose)
    for_alcohol = Problem.ALCOHOL_USE_DISORDER in order.reasons or order.reason_mentions_alcohol
    reason = (order.reasons, order.reason_given, for_alcohol)
    return (order.route, dose, order.prior, order.prior_found, reason, order.recognised, order.authored)


def _dose(dose: Dose) -> Dose:
    """Whatever it was read from, and whyever it could not be."""
    match dose:
        case OralDose():
            return replace(dose, from_text=False)
        case Unreadable():
            return Unreadable("")
        case _:
            return dose


def _medicine(one: Medication) -> object:
    started = None if one.standing.name == "DRAFT" else one.started
    opioids = tuple((opioid.name, opioid.daily) for opioid in one.opioids)
    return (sorted(one.classes), one.standing, started, one.ended, one.as_needed, opioids)


def _medications(facts: PatientFacts) -> object:
    match facts.medications:
        case MedicationList() as found:
            baclofen = [(one.reference, one.route, _dose(one.dose), one.standing, one.since, one.supply_ends, one.ended)
                        for one in found.baclofen]  # fmt: skip
            others = [_medicine(one) for one in found.others if DrugClass.OPIOID_RESCUE not in one.classes]
            return (baclofen, sorted(others, key=str), found.rescue_on_file, found.unrecognised, found.incomplete)
        case missing:
            return missing.why


def _kidney(facts: PatientFacts) -> object:
    assert isinstance(facts.kidney, KidneyResults)
    egfrs = [(one.value, one.bound, one.method, one.taken.date(), one.indexed) for one in facts.kidney.egfrs]
    creatinines = [(one.value, one.bound, one.taken.date()) for one in facts.kidney.creatinines]
    return (sorted(egfrs, key=str), sorted(creatinines, key=str), facts.kidney.unreadable, facts.kidney.incomplete)


def _problems(facts: PatientFacts) -> object:
    assert isinstance(facts.problems, ProblemList)
    entries = [(sorted(one.kinds), one.active, one.recorded or date.min) for one in facts.problems.entries if one.kinds]
    return (sorted(entries), facts.problems.incomplete)

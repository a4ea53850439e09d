"""The facts, one line each, with the resource and coding that each came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from cards.facts import (
    Allergy,
    BaclofenOrder,
    Bound,
    ChartBaclofen,
    Dose,
    Medication,
    MedicationList,
    Missing,
    Observations,
    OralDose,
    PumpDose,
    Unreadable,
)
from cds_service.explain.words import came_from, in_words
from cds_service.respond import Consultation


def fact_lines(found: Consultation) -> Iterator[str]:
    facts = found.facts
    yield f"age: {in_words(facts.age)}; sex: {facts.sex.value}; setting: {facts.setting.value}"
    yield f"words of: {facts.jurisdiction.value}"
    if facts.deceased:
        yield "the patient is recorded as deceased: no card"
    for order in facts.orders:
        yield f"order: {_order(order)}"
    for draft in facts.drafted:
        yield f"also drafted: {_medicine(draft)}"
    yield from _listed("kidney result", facts.kidney, ("egfrs", "creatinines", "cystatins"))
    if not isinstance(facts.kidney, Missing):
        yield from (f"kidney result not used: {clause}" for clause in facts.kidney.unreadable)
    yield from _listed("problem", facts.problems, ("entries",))
    yield from _listed("procedure", facts.procedures, ("entries",))
    match facts.medications:
        case Missing() as missing:
            yield f"medications: {in_words(missing)}"
        case MedicationList() as chart:
            yield from (f"baclofen on the chart: {_chart(entry)}" for entry in chart.baclofen)
            yield from (f"medicine: {_medicine(entry)}" for entry in chart.others)
            yield from (f"medicine not recognised: {label}" for label in chart.unrecognised)
            yield f"naloxone on file: {chart.rescue_on_file or 'none'}"
            if chart.incomplete:
                yield f"medication list incomplete: {chart.incomplete}"
            if not chart.baclofen and not chart.others:
                yield "medicines that matter here: none on the list"
            if chart.other_drugs:
                yield f"other drugs, which no rule asks about: {chart.other_drugs}"
    yield from _allergies(facts.allergies)
    yield from _observations(facts.observations)


def _allergies(read: Sequence[Allergy] | Missing) -> Iterator[str]:
    if isinstance(read, Missing):
        yield f"allergies: {in_words(read)}"
        return
    for entry in read:
        kind = "intolerance" if entry.intolerance else "allergy"
        reactions = "; ".join(entry.reactions) or "reaction not stated"
        recorded = f"recorded {entry.recorded or 'at an unknown time'}"
        yield f"{kind}: {entry.label}, {reactions}, {recorded}{came_from(entry.origin)}"
    if not read:
        yield "allergies: read, none to baclofen"


def _observations(read: Observations | Missing) -> Iterator[str]:
    if isinstance(read, Missing):
        yield f"observations: {in_words(read)}"
        return
    for name, measured in (("weight", read.body.weight), ("height", read.body.height)):
        if measured is not None:
            yield f"{name}: {measured[0]} on {measured[1]}"
    for one in read.alcohol:
        result = "not readable" if one.positive is None else "positive" if one.positive else "negative"
        yield f"test of drinking: {one.shown}, {result}, {one.measured}{came_from(one.origin)}"
    if read.pregnant is not None:
        says, said_on = read.pregnant
        status = "not readable" if says is None else "pregnant" if says else "not pregnant"
        yield f"pregnancy status: {status}, {said_on}"
    if not (read.body.weight or read.body.height or read.alcohol or read.pregnant):
        yield "observations: read, none that matters here"
    if read.incomplete:
        yield f"observations incomplete: {read.incomplete}"


def _listed(name: str, value: Any, lists: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, Missing):
        yield f"{name}s: {in_words(value)}"
        return
    entries = [entry for each in lists for entry in getattr(value, each)]
    yield from (f"{name}: {_entry(entry)}" for entry in entries)
    if not entries:
        yield f"{name}s: read, none that matters here"
    if value.incomplete:
        yield f"{name}s incomplete: {value.incomplete}"


def _entry(entry: Any) -> str:
    """A result or a problem; what is as usual (exact, indexed, active) is not said."""
    shown = {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in ("origin", "flags")}
    usual = (None, (), Bound.EXACT, True)
    return ", ".join(_named(name, value) for name, value in shown.items() if value not in usual) + came_from(
        entry.origin
    )


def _named(name: str, value: object) -> str:
    return f"not {name}" if value is False else in_words(value)


def _order(order: BaclofenOrder) -> str:
    parts = [order.label, order.route.value, "stops baclofen" if order.stops else _dose(order.dose)]
    if order.prior:
        parts.append(f"replaces {order.prior}" + ("" if order.prior_found else " (not found)"))
    if order.reason_given:
        parts.append(f"reason given ({', '.join(sorted(order.reasons)) or 'in no class that matters here'})")
    return ", ".join(parts) + came_from(order.origin, order.reference)


def _chart(entry: ChartBaclofen) -> str:
    since = f"since {entry.since}" if entry.since else "no start date"
    return (
        f"{entry.label}, {_dose(entry.dose)}, {'ended' if entry.ended else entry.standing.value}, {since}"
        + came_from(entry.origin)
    )


def _medicine(medicine: Medication) -> str:
    classes = ", ".join(sorted(medicine.classes)) or "another drug"
    amounts = "; ".join(f"{one.name} {one.daily or 'amount not computable'}" for one in medicine.opioids)
    return f"{medicine.label} ({classes}), {medicine.standing.value}{', ' + amounts if amounts else ''}" + came_from(
        medicine.origin
    )


def _dose(dose: Dose) -> str:
    match dose:
        case Unreadable(reason=reason):
            return f"dose not computable: {reason}"
        case PumpDose(daily=daily):
            return str(daily)
        case OralDose(steps=steps):
            each = (f"{s.daily} in {s.times_per_day} dose(s){f' for {s.lasts}' if s.lasts else ''}" for s in steps)
            return (
                ", then ".join(each)
                + (" as needed" if dose.as_needed else "")
                + (" (read from text)" if dose.from_text else "")
            )

"""The chart that matters for a baclofen order, as an EHR shows it: as it is written, judged by nobody."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from cards.terminology import FOLDER
from cds_service.workbench.fhir_json import Json, at, codings, concept, day, objects, reference, text
from cds_service.workbench.kidney_plot import Plot, Point, plot

LOINC = "http://loinc.org"
_RUNNING = ("active", "on-hold")


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    more: str
    date: str
    past: bool
    """Resolved, stopped, completed."""


@dataclass(frozen=True, slots=True)
class KidneyRow:
    date: str
    egfr: str
    creatinine: str


@dataclass(frozen=True, slots=True)
class Running:
    """A baclofen order of the chart, which a new order may replace."""

    reference: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    age: str
    sex: str
    born: str
    plot: Plot | None
    kidney: tuple[KidneyRow, ...]
    """Newest first."""
    medicines: tuple[Line, ...]
    problems: tuple[Line, ...]
    allergies: tuple[Line, ...]
    procedures: tuple[Line, ...]
    others: tuple[Line, ...]
    """Results that are no kidney results, newest of each kind."""


def chart(resources: Iterable[Json], today: date) -> Chart:
    of: dict[str, list[Json]] = {}
    for one in resources:
        of.setdefault(text(one, "resourceType"), []).append(one)
    patient = next(iter(of.get("Patient", ())), {})
    results = sorted(of.get("Observation", ()), key=day, reverse=True)
    egfrs = [one for one in results if _is(one, "egfr-observations")]
    creatinines = [one for one in results if _is(one, "serum-creatinine-observations")]
    kidney = {id(one) for one in (*egfrs, *creatinines)}
    orders = [*of.get("MedicationRequest", ()), *of.get("MedicationStatement", ())]
    return Chart(
        name=_name(patient),
        age=_age(text(patient, "birthDate"), today),
        sex=text(patient, "gender") or "sex not recorded",
        born=text(patient, "birthDate"),
        plot=plot(_points(egfrs), _points(creatinines), today),
        kidney=tuple(_rows(egfrs, creatinines)),
        medicines=_sorted(_medicine(one) for one in orders),
        problems=_sorted(_problem(one) for one in of.get("Condition", ())),
        allergies=_sorted(_allergy(one) for one in of.get("AllergyIntolerance", ())),
        procedures=_sorted(Line(concept(one, "code"), "", day(one), past=False) for one in of.get("Procedure", ())),
        others=tuple(_newest_of_each(one for one in results if id(one) not in kidney)),
    )


def running_baclofen(resources: Iterable[Json]) -> list[Running]:
    """Active orders whose words or codes say baclofen."""
    orders = (one for one in resources if one.get("resourceType") == "MedicationRequest")
    running = (one for one in orders if text(one, "status") in _RUNNING and "baclof" in _label(one).lower())
    return [Running(reference(one), f"{_label(one)}, {_sig(one)}") for one in running]


def _name(patient: Json) -> str:
    given = at(patient, "name", 0, "given")
    parts = [part for part in given if isinstance(part, str)] if isinstance(given, list) else []
    return " ".join(filter(None, (*parts, text(patient, "name", 0, "family")))) or text(patient, "name", 0, "text")


def _age(birth: str, today: date) -> str:
    try:
        born = date.fromisoformat(birth)
    except ValueError:
        return "age not known"
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return f"{years} y"


# ---------------------------------------------------------------------------------------------------- kidney results


@cache
def _codes(value_set: str) -> frozenset[str]:
    with (FOLDER / f"{value_set}.loinc.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["code"] for row in csv.DictReader(file))


def _is(observation: Json, value_set: str) -> bool:
    return any(system == LOINC and code in _codes(value_set) for system, code in codings(observation))


def _points(observations: Iterable[Json]) -> list[Point]:
    found = []
    for one in observations:
        value, unit = at(one, "valueQuantity", "value"), text(one, "valueQuantity", "unit")
        try:
            taken = date.fromisoformat(day(one))
        except ValueError:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.append(Point(taken, float(value), unit))
    return found


def _rows(egfrs: list[Json], creatinines: list[Json]) -> Iterable[KidneyRow]:
    by_day: dict[str, dict[str, str]] = {}
    for kind, results in (("egfr", egfrs), ("creatinine", creatinines)):
        for one in results:
            by_day.setdefault(day(one), {}).setdefault(kind, _value(one))
    for taken in sorted(by_day, reverse=True):
        yield KidneyRow(taken, by_day[taken].get("egfr", ""), by_day[taken].get("creatinine", ""))


def _value(observation: Json) -> str:
    value = at(observation, "valueQuantity", "value")
    if isinstance(value, int | float):
        comparator, unit = text(observation, "valueQuantity", "comparator"), text(observation, "valueQuantity", "unit")
        return f"{comparator}{round(value, 2):g} {_UNITS.get(unit, unit)}".strip()
    return text(observation, "valueString") or concept(observation, "valueCodeableConcept") or "no value"


_UNITS = {
    "mL/min/1.73 m2": "mL/min/1.73 m²", "mL/min/{1.73_m2}": "mL/min/1.73 m²", "umol/L": "µmol/L",
}  # fmt: skip


# --------------------------------------------------------------------------------------------------- the other lists


def _sorted(lines: Iterable[Line]) -> tuple[Line, ...]:
    """What is current before what is past, newest first."""
    newest = sorted(lines, key=lambda line: line.date, reverse=True)
    return tuple(sorted(newest, key=lambda line: line.past))


def _medicine(order: Json) -> Line:
    status = text(order, "status")
    more = ", ".join(filter(None, (_sig(order), status if status != "active" else "", _prescriber(order))))
    return Line(_label(order), more, day(order), past=status not in _RUNNING)


def _label(order: Json) -> str:
    words = concept(order, "medicationCodeableConcept") or text(order, "medicationReference", "display")
    return words or text(order, "medicationReference", "reference") or "medicine not named"


def _sig(order: Json) -> str:
    dosages = objects(order, "dosageInstruction") or objects(order, "dosage")
    return "; ".join(filter(None, map(_dosage, dosages))) or "no dose recorded"


def _dosage(dosage: Json) -> str:
    if words := text(dosage, "text"):
        return words
    quantity = at(dosage, "doseAndRate", 0, "doseQuantity") or at(dosage, "doseQuantity")
    repeat = at(dosage, "timing", "repeat")
    often, period = at(repeat, "frequency"), at(repeat, "period")
    amount = f"{at(quantity, 'value')} {text(quantity, 'unit') or text(quantity, 'code')}".strip() if quantity else ""
    times = f"{often}× per {'' if period == 1 else f'{period} '}{text(repeat, 'periodUnit')}" if often else ""
    needed = "as needed" if at(dosage, "asNeededBoolean") is True else ""
    return ", ".join(filter(None, (amount, times, needed)))


def _prescriber(order: Json) -> str:
    name = text(order, "requester", "display")
    return f"by {name}" if name else ""


def _problem(condition: Json) -> Line:
    status = text(condition, "clinicalStatus", "coding", 0, "code")
    shown = "" if status == "active" else status or "status not recorded"
    return Line(concept(condition, "code"), shown, day(condition), past=status in ("resolved", "inactive", "remission"))


def _allergy(allergy: Json) -> Line:
    reactions = [concept(m) for one in objects(allergy, "reaction") for m in objects(one, "manifestation")]
    return Line(concept(allergy, "code"), ", ".join(filter(None, reactions)), day(allergy), past=False)


def _newest_of_each(results: Iterable[Json]) -> Iterable[Line]:
    seen: set[str] = set()
    for one in results:
        name = concept(one, "code")
        if name and name not in seen:
            seen.add(name)
            yield Line(name, _value(one), day(one), past=False)

"""Vignettes, the clinic's worked examples, as the facts that the rules read.

Tests run them; the clinical document shows them. ``vocabulary.toml`` holds the words that they may use for problems and
medicines.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cards.content import HERE, read_toml
from cards.facts import (
    AlcoholFinding,
    AlcoholTest,
    Allergy,
    BaclofenOrder,
    BodyMeasurements,
    Bound,
    ChartBaclofen,
    ChartText,
    CreatinineResult,
    DoseStep,
    DrugClass,
    EgfrMethod,
    EgfrResult,
    Hook,
    Ingredient,
    Input,
    Jurisdiction,
    KidneyResults,
    Medication,
    MedicationList,
    Missing,
    Observations,
    OralDose,
    Origin,
    PatientFacts,
    Problem,
    ProblemEntry,
    ProblemList,
    PumpDose,
    Recognised,
    Route,
    Setting,
    Sex,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cards.quantities import Age, DailyDose, Days, Egfr, Height, IntrathecalDose, SerumCreatinine, SingleDose, Weight
from cards.values import frozen

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()
VOCABULARY = read_toml(HERE / "vocabulary.toml")
NOWHERE = Origin("vignette")


@frozen
class Vignette:
    number: str
    name: str
    question: str
    """Folder of the clinical question."""
    given: dict[str, Any]
    expect: dict[str, Any]
    note: str

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


def all_vignettes() -> list[Vignette]:
    found = []
    for path in sorted(HERE.glob("*/vignettes.toml")):
        found += [
            Vignette(one["number"], one["name"], path.parent.name, one["given"], one["expect"], one.get("note", ""))
            for one in read_toml(path)["vignette"]
        ]
    return sorted(found, key=lambda vignette: vignette.number)


# ---------------------------------------------------------------------------------------------------------- facts


def facts_of(given: dict[str, Any]) -> PatientFacts:
    """Defaults are those stated at the top of each vignettes.toml."""
    order, chart = _order(given), _chart(given)
    drafted = tuple(_medicine(entry) for entry in given.get("medicines", ()) if entry.get("draft"))
    medications: MedicationList | Missing = MedicationList(
        others=tuple(_medicine(entry) for entry in given.get("medicines", ()) if not entry.get("draft")),
        baclofen=chart,
        rescue_on_file=_ago(given["naloxone_days_ago"]) if "naloxone_days_ago" in given else None,
    )
    if given.get("medicines_unreadable"):
        medications = Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, "the EHR could not read it")
    return PatientFacts(
        now=NOW,
        hook=Hook.ORDER_SIGN,
        orders=(order,),
        drafted=drafted,
        drafted_unrecognised=(),
        orders_for_other_patients=0,
        age=Age.of(given["age"]),
        sex=Sex(given["sex"]),
        deceased=False,
        setting=Setting.AMBULATORY,
        kidney=KidneyResults(
            egfrs=tuple(_egfr(entry) for entry in given.get("egfr", ())),
            creatinines=tuple(_creatinine(entry) for entry in given.get("creatinine", ())),
        ),
        problems=ProblemList(tuple(_problem(entry) for entry in given.get("problems", ()))),
        procedures=ProblemList(),
        medications=medications,
        allergies=_allergies(given),
        observations=Observations(
            body=BodyMeasurements(
                weight=(Weight.of(given["weight_kg"]), _ago(10)) if "weight_kg" in given else None,
                height=(Height.of(given["height_cm"]), _ago(10)) if "height_cm" in given else None,
            ),
            alcohol=tuple(_alcohol(entry) for entry in given.get("alcohol", ())),
        ),
        jurisdiction=Jurisdiction(given.get("jurisdiction", "US")),
    )


def _order(given: dict[str, Any]) -> BaclofenOrder:
    asked = given["order"]
    current = given.get("current") or given.get("pump") or {}
    linked = bool(current) and current.get("linked", True)
    reason = asked.get("reason", "multiple sclerosis")
    return BaclofenOrder(
        reference="MedicationRequest/draft",
        label=ChartText("baclofen oral tablet" if "intrathecal" not in asked else "baclofen intrathecal"),
        route=Route.INTRATHECAL if "intrathecal" in asked else Route.ORAL,
        dose=_ordered(asked),
        stops=asked.get("stops", False),
        prior="MedicationRequest/current" if linked else None,
        prior_found=True,
        reasons=frozenset(Problem(k) for k in VOCABULARY["problems"][reason]["kinds"]) if reason else frozenset(),
        reason_given=bool(reason),
        reason_mentions_alcohol="alcohol" in reason,
        recognised=Recognised.BY_CODE,
        authored=TODAY,
        origin=NOWHERE,
    )


def _ordered(asked: dict[str, Any]) -> OralDose | PumpDose | Unreadable:
    if "intrathecal" in asked:
        return PumpDose(IntrathecalDose.of(asked["intrathecal"].split()[0]))
    return oral_dose(asked["dose"]) if "dose" in asked else Unreadable(f"free text only: {asked['text']}")


def _chart(given: dict[str, Any]) -> tuple[ChartBaclofen, ...]:
    entries = []
    if current := given.get("current"):
        ends = _ago(-current["supply_days_left"]) if "supply_days_left" in current else None
        entries.append(_baclofen("MedicationRequest/current", current["dose"], current["for_days"], ends))
        for number, earlier in enumerate(current.get("earlier", ())):
            before = _baclofen(
                f"MedicationRequest/earlier-{number}", earlier["dose"], earlier["since_days_ago"], None, ended=True
            )
            entries.append(before)
    if pump := given.get("pump"):
        dose = PumpDose(IntrathecalDose.of(pump["dose"].split()[0]))
        label = ChartText("baclofen intrathecal")
        entries.append(
            ChartBaclofen(
                "MedicationRequest/current", label, Route.INTRATHECAL, dose, Standing.ACTIVE, _ago(pump["for_days"]),
                None, False, None, NOWHERE,
            )
        )  # fmt: skip
    return tuple(entries)


def _baclofen(reference: str, dose: str, days: int, ends: date | None, *, ended: bool = False) -> ChartBaclofen:
    standing = Standing.RECENT if ended else Standing.ACTIVE
    label = ChartText("baclofen oral tablet")
    return ChartBaclofen(
        reference, label, Route.ORAL, oral_dose(dose), standing, _ago(days), ends, ended, None, NOWHERE
    )


def _medicine(entry: dict[str, Any]) -> Medication:
    word = VOCABULARY["medicines"][entry["name"]]
    dose = oral_dose(entry["dose"]) if "dose" in entry else None
    opioids = (Ingredient(word["opioid"], dose.highest if dose else None),) if "opioid" in word else ()
    draft = entry.get("draft", False)
    return Medication(
        label=ChartText(entry["name"]),
        classes=frozenset(DrugClass(name) for name in word["classes"]),
        flags=frozenset(word.get("flags", ())),
        standing=Standing.DRAFT if draft else Standing.ACTIVE,
        started=TODAY if draft else _ago(entry["for_days"]),
        ended=None,
        as_needed="PRN" in entry.get("dose", ""),
        opioids=opioids,
        origin=NOWHERE,
    )


def _problem(entry: str | dict[str, Any]) -> ProblemEntry:
    entry = {"name": entry} if isinstance(entry, str) else entry
    word = VOCABULARY["problems"][entry["name"]]
    recorded = date.fromisoformat(entry["recorded"]) if "recorded" in entry else _ago(entry.get("days_ago", 400))
    kinds = frozenset(Problem(kind) for kind in word["kinds"])
    return ProblemEntry(kinds, ChartText(entry["name"]), True, recorded, frozenset(word.get("flags", ())), NOWHERE)


def _creatinine(entry: dict[str, Any]) -> CreatinineResult:
    return CreatinineResult(
        SerumCreatinine.of(entry["value"].split()[0]), NOW - timedelta(days=entry["days_ago"]), NOWHERE
    )


def _egfr(entry: dict[str, Any]) -> EgfrResult:
    bound = Bound(entry["value"][0]) if entry["value"][0] in "<>" else Bound.EXACT
    taken = NOW - timedelta(days=entry["days_ago"])
    return EgfrResult(Egfr.of(entry["value"].lstrip("<>")), bound, EgfrMethod.CKD_EPI_2021_CR, taken, True, NOWHERE)


def _alcohol(entry: dict[str, Any]) -> AlcoholFinding:
    shown = ChartText(f"{entry['test']} {entry.get('value', 'positive')}")
    return AlcoholFinding(AlcoholTest(entry["test"]), entry["positive"], shown, _ago(entry["days_ago"]), NOWHERE)


def _allergies(given: dict[str, Any]) -> tuple[Allergy, ...]:
    if "allergy" not in given:
        return ()
    return (Allergy(ChartText("baclofen"), given["allergy"] == "intolerance", (), frozenset(), _ago(400), NOWHERE),)


def _ago(days: int) -> date:
    return TODAY - timedelta(days=days)


# ---------------------------------------------------------------------------------------------------------- doses

TIMES = {"once daily": 1, "at night": 1, "BID": 2, "TID": 3, "QID": 4, "Q6H": 4}


def oral_dose(text: str) -> OralDose:
    """ "5 mg TID", "2.5 mg TID for 7 d, then 5 mg TID", "25/20/20/25 mg", "5 mg Q6H PRN"."""
    as_needed = text.endswith(" PRN")
    return OralDose(tuple(_step(part) for part in text.removesuffix(" PRN").split(", then ")), as_needed=as_needed)


def _step(text: str) -> DoseStep:
    text, _, days = text.partition(" for ")
    lasts = Days.of(days.split()[0]) if days else None
    if match := re.fullmatch(r"([\d.]+) mg (.+)", text):
        single, times = Decimal(match[1]), TIMES[match[2]]
        return DoseStep(DailyDose(single * times), SingleDose(single), times, lasts)
    doses = [Decimal(part) for part in text.removesuffix(" mg").split("/")]
    return DoseStep(DailyDose(sum(doses, start=Decimal(0))), SingleDose(max(doses)), len(doses), lasts)

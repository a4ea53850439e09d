"""A regimen as FHIR dosage instructions and as the words of a sig.

Instructions are written in R4 form and validated so; ``placed`` then puts back what the draft's own instruction says
about route, method, site and "as needed", and moves the elements to where the draft's FHIR version has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

from cards.dose_in_words import MOMENTS, TIMES
from cards.outcome import Regimen, Taper
from cards.quantities import Days, SingleDose, plain_number
from cards.values import frozen

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"


class Version(Enum):
    """FHIR versions that differ in where a dosage has its elements; R5 has them where R4 has."""

    R4 = "R4"
    STU3 = "STU3"
    DSTU2 = "DSTU2"

    @classmethod
    def of(cls, draft: Mapping[str, Any]) -> Version:
        """By the shape of the draft itself: vendors send an older dosage inside R4 orders."""
        if draft.get("resourceType") == "MedicationOrder":
            return cls.DSTU2
        first = _instructions(draft)[:1]
        older = first and "doseAndRate" not in first[0] and ("doseQuantity" in first[0] or "doseRange" in first[0])
        return cls.STU3 if older else cls.R4


class OrderedProduct(Protocol):
    """What decides which doses the ordered product can give."""

    @property
    def mg_per_unit(self) -> Decimal | None: ...  # tablet, capsule, packet
    @property
    def mg_per_ml(self) -> Decimal | None: ...
    @property
    def label(self) -> str: ...


# ------------------------------------------------------------------------------------------ what a product can give


def units(dose: SingleDose, product: OrderedProduct | None) -> Decimal | None:
    """Tablets (in halves), capsules, packets or mL of the product for one dose; None when it cannot give the dose."""
    if product is None:
        return None
    if product.mg_per_unit:
        amount = dose.value / product.mg_per_unit
        return amount if amount % (Decimal("0.5") if _can_be_halved(product) else 1) == 0 else None
    if product.mg_per_ml:
        amount = dose.value / product.mg_per_ml
        return amount if amount == amount.quantize(Decimal("0.01")) else None
    return None


def can_give(regimen: Regimen, product: OrderedProduct | None) -> bool | None:
    """None when the strength of the product is not known."""
    if product is None or not (product.mg_per_unit or product.mg_per_ml):
        return None
    return all(units(dose, product) is not None for dose in set(regimen.doses))


def _can_be_halved(product: OrderedProduct) -> bool:
    """Granule packets, capsules and disintegrating tablets are given whole."""
    label = product.label.lower()
    return not any(word in label for word in ("granule", "packet", "capsule", "disintegrating", "odt"))


_COUNTS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight")


def _noun(product: OrderedProduct) -> str:
    label = product.label.lower()
    if "granule" in label or "packet" in label:
        return "packet"
    return "capsule" if "capsule" in label else "tablet"


def _counted(count: Decimal, strength: Decimal, noun: str) -> str:
    whole, half = int(count), count % 1 != 0
    name = f"{plain_number(strength)} mg {noun}"
    if whole == 0:
        return f"half of a {name}"
    number = _COUNTS[whole] if whole < len(_COUNTS) else str(whole)
    return f"{number}{' and a half' if half else ''} {name}{'s' if half or whole > 1 else ''}"


def _given_as(dose: SingleDose, product: OrderedProduct | None) -> str:
    """ " (half of a 5 mg tablet)"; what to use instead when the ordered product cannot give the dose."""
    amount = units(dose, product)
    if product is not None and amount is not None:
        if product.mg_per_ml and not product.mg_per_unit:
            return f" ({plain_number(amount)} mL of {plain_number(product.mg_per_ml)} mg/mL)"
        return f" ({_counted(amount, product.mg_per_unit or Decimal(1), _noun(product))})"
    fives = dose.value / 5
    known = can_give(Regimen((dose,)), product) is not None
    if fives % Decimal("0.5"):
        return " (a measured liquid dose)"
    return f" ({_counted(fives, Decimal(5), 'tablet')} or a liquid)" if known or fives % 1 else ""


# ---------------------------------------------------------------------------------------------- the draft's own part


_KEPT = ("asNeededBoolean", "asNeededCodeableConcept", "asNeeded", "asNeededFor", "site", "siteCodeableConcept",
         "siteReference", "route", "method")  # fmt: skip
_AS_NEEDED = frozenset(_KEPT[:4])
_BY_MOUTH = {"text": "oral"}
"""For a draft that names no route: without one, a small dose in mg is not surely a dose by mouth (rules.md 3.5)."""
_BOUNDS = ("boundsPeriod", "boundsDuration", "boundsRange", "boundsQuantity")


@frozen
class Kept:
    """What the draft's instruction says beside dose and frequency, as sent. All else of it spoke of the old dose."""

    version: Version
    elements: Json = field(default_factory=dict)
    bounds: Json = field(default_factory=dict)
    """Start and end, when all instructions of the draft share them."""
    as_needed: bool = False
    by: str = " by mouth"

    @classmethod
    def of(cls, draft: Mapping[str, Any], *, scheduled: bool = False) -> Kept:
        """``scheduled``: a taper or a revived order is taken by the clock and has its own duration."""
        instructions = _instructions(draft)
        first = instructions[0] if instructions else {}
        kept = {name: first[name] for name in _KEPT if name in first and not (scheduled and name in _AS_NEEDED)}
        kept.setdefault("route", _BY_MOUTH)
        bounds = [_bounds(instruction) for instruction in instructions]
        shared = bounds[0] if bounds and not scheduled and all(one == bounds[0] for one in bounds) else {}
        needed = any(kept.get(name) not in (None, False) for name in _AS_NEEDED)
        return cls(Version.of(draft), kept, shared, needed, _by(first.get("route")))


def _instructions(draft: Mapping[str, Any]) -> list[Json]:
    found = draft.get("dosageInstruction")
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def _bounds(instruction: Json) -> Json:
    timing = instruction.get("timing")
    repeat = timing.get("repeat") if isinstance(timing, dict) else None
    return {name: repeat[name] for name in _BOUNDS if name in repeat} if isinstance(repeat, dict) else {}


_ORAL = frozenset({"oral", "orally", "mouth", "po", "26643006"})
"""Words and codes (SNOMED CT, v3 RouteOfAdministration) that mean by mouth."""


def _by(route: object) -> str:
    """The order is oral, but a feeding tube is not "by mouth"; it is told without quoting the chart."""
    if not isinstance(route, dict) or not route:
        return " by mouth"
    codings = route.get("coding")
    parts = [route.get("text")]
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict):
            parts += [coding.get("display"), coding.get("code")]
    words = {word for part in parts if isinstance(part, str) for word in part.lower().replace(".", "").split()}
    return " by mouth" if words & _ORAL else ", route as ordered,"


# ----------------------------------------------------------------------------------------------------- instructions


_MOMENTS = {"in the morning": "MORN", "in the afternoon": "AFT", "in the evening": "EVE", "at night": "NIGHT"}
"""The words of the clinic → EventTiming codes that STU3 and R4 share."""


def _often(times: int) -> str:
    return TIMES.get(times, f"{times} times a day")


def for_regimen(
    regimen: Regimen, product: OrderedProduct | None, by: str, *, sequence: int | None = None, lead: str = "",
    tail: str = "", lasts: Days | None = None,
) -> list[Json]:  # fmt: skip
    """Equal doses are one instruction, n times a day; unequal ones an instruction each, of the same sequence."""
    if len(set(regimen.doses)) == 1:
        moments: Sequence[tuple[str, str]] = (("", _often(len(regimen.doses))),)
    else:
        moments = [(_MOMENTS[moment], moment) for moment in MOMENTS[len(regimen.doses)]]
        sequence = sequence or 1
    instructions = []
    for dose, (when, moment) in zip(regimen.doses, moments, strict=False):
        repeat: Json = {"boundsDuration": days(lasts)} if lasts else {}
        repeat |= {"frequency": 1 if when else len(regimen.doses), "period": 1, "periodUnit": "d"}
        instruction: Json = {"sequence": sequence} if sequence else {}
        instruction["text"] = f"{lead}{dose}{_given_as(dose, product)}{by} {moment}{tail}"
        instruction["timing"] = {"repeat": repeat | ({"when": [when]} if when else {})}
        quantity = {"value": number(dose.value), "unit": "mg", "system": UCUM, "code": "mg"}
        instruction["doseAndRate"] = [{"doseQuantity": quantity}]
        instructions.append(instruction)
    return instructions


def for_taper(taper: Taper, product: OrderedProduct | None, by: str) -> list[Json]:
    """Step after step, ``sequence`` 1 to n; the last without an end where baclofen goes on (resolutions.md 1, 7)."""
    steps = [step for step in taper.steps if step.regimen.daily.value]
    weekly = all(step.lasts == Days.of(7) for step in steps)
    instructions = []
    for n, step in enumerate(steps, start=1):
        goes_on = taper.stays_at_last and n == len(steps)
        name = f"Week {n}" if weekly else f"Step {n} ({step.lasts})"
        lead = f"From {name.lower().split(' (')[0]} on: " if goes_on else f"{name}: "
        lasts = None if goes_on else step.lasts
        instructions += for_regimen(step.regimen, product, by, sequence=n, lead=lead, lasts=lasts)
    return instructions


def days(count: Days) -> Json:
    return {"value": number(count.value), "unit": "days", "system": UCUM, "code": "d"}


def number(value: Decimal) -> int | Decimal:
    """7.50 as 7.5, 10.0 as 10: a dose has no trailing zeros."""
    plain = Decimal(plain_number(value))
    return int(plain) if plain == plain.to_integral_value() else plain


def placed(instructions: Sequence[Json], kept: Kept) -> list[Json]:
    """R4 instructions with the draft's own part, in the form of the draft's FHIR version."""
    return [_placed(instruction, kept) for instruction in instructions]


def _placed(instruction: Json, kept: Kept) -> Json:
    repeat = kept.bounds | instruction["timing"]["repeat"]
    placed_instruction = {**instruction, "timing": {"repeat": repeat}, **kept.elements}
    if kept.version is not Version.R4:
        dose = placed_instruction.pop("doseAndRate")
        placed_instruction["doseQuantity"] = dose[0]["doseQuantity"]
    if kept.version is Version.DSTU2:
        placed_instruction.pop("sequence", None)
        repeat.pop("when", None)
        repeat["periodUnits"] = repeat.pop("periodUnit")
    return placed_instruction

"""What becomes of ``dispenseRequest`` when the dose or the supply changes (resolutions.md 6, 12a).

The quantity is recalculated where the product, the ordered supply and the new doses leave no doubt, and removed
otherwise. Stated days of supply stay true at another dose. Refills, performer and all the rest stay as sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from cards.facts import Dose, OralDose
from cards.outcome import Regimen
from cards.quantities import DailyDose, Days, plain_number
from cards.values import frozen
from cds_service.suggestions.dosage import UCUM, Json, OrderedProduct, can_give, days, number

_UNITS = frozenset({
    "{tbl}", "{tablet}", "{pill}", "{capsule}", "{packet}", "tbl", "tab", "tabs", "tablet", "tablets", "tablet(s)",
    "cap", "caps", "capsule", "capsules", "packet", "packets",
})  # fmt: skip
_ML = frozenset({"ml", "milliliter", "milliliters", "millilitre", "millilitres"})
MOST_UNITS = 100_000
"""A larger quantity is not an order for one patient; nothing is computed from it."""
_DAYS = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}


@frozen
class Supply:
    """The new ``dispenseRequest``; None: the element is left out."""

    request: Json | None
    written: Json = field(default_factory=dict)
    """The part of it that we wrote, for validation."""
    said: str = ""
    """A sentence for the description; empty when nothing changed."""


def at_dose(draft: Mapping[str, Any], product: OrderedProduct | None, old: Dose, new: Regimen) -> Supply:
    """The same days of supply at the new dose."""
    request = _request(draft)
    if "quantity" not in request:
        return Supply(request or None)
    length = _length(request, product, old)
    return _written(request, product, _amount(new.daily, length, product) if can_give(new, product) else None)


def for_taper(draft: Mapping[str, Any]) -> Supply:
    """Doses that change by the week have no one quantity: it is counted anew from the instructions."""
    request = _request(draft)
    left = {name: value for name, value in request.items() if name not in ("quantity", "expectedSupplyDuration")}
    said = " Quantity and days of supply are left out: enter them for the taper." if left != request else ""
    return Supply(left or None, said=said)


def limited(draft: Mapping[str, Any], product: OrderedProduct | None, daily: DailyDose | None, limit: Days) -> Supply:
    """``limit`` days of supply, and the quantity for them where ``daily`` and the product allow to count it."""
    request = _request(draft)
    supply = _written(request, product, _amount(daily, limit, product), limit)
    refills = request.get("numberOfRepeatsAllowed")
    more = f" Refills stay as ordered ({refills}): check them." if isinstance(refills, int) and refills > 0 else ""
    return Supply(supply.request, supply.written, f" Supply for {limit}.{supply.said}{more}")


def ordered_days(draft: Mapping[str, Any]) -> Days | None:
    """The days of supply that the draft states."""
    return _duration(_request(draft))


def daily_for(dose: Dose, limit: Days) -> DailyDose | None:
    """The one daily dose of the first ``limit`` days; None where it changes within them or cannot be read."""
    first = dose.steps[0] if isinstance(dose, OralDose) else None
    return first.daily if first and first.lasts is not None and first.lasts >= limit else _constant(dose)


def _constant(dose: Dose) -> DailyDose | None:
    return dose.start if isinstance(dose, OralDose) and len(dose.steps) == 1 else None


# --------------------------------------------------------------------------------------------------------- counting


def _written(
    request: Json, product: OrderedProduct | None, amount: Decimal | None, limit: Days | None = None
) -> Supply:
    ours: Json = {"expectedSupplyDuration": days(limit)} if limit else {}
    form = request.get("quantity", _form_of(product))
    said = ""
    if amount is not None and isinstance(form, dict) and _counts(form, product):
        ours["quantity"] = form | {"value": number(amount)}
        said = f" Quantity to dispense: {plain_number(amount)}."
    elif "quantity" in request:
        said = " The quantity to dispense is left out: enter it for the new order."
    kept = {name: value for name, value in request.items() if name != "quantity" or name in ours}
    return Supply((kept | ours) or None, ours, said)


def _amount(daily: DailyDose | None, length: Days | None, product: OrderedProduct | None) -> Decimal | None:
    """Tablets or mL for so many days; a part of one is dispensed as a whole one."""
    strength = _strength(product)
    if daily is None or length is None or strength is None:
        return None
    return (daily.value * length.value / strength).to_integral_value(ROUND_CEILING)


def _length(request: Json, product: OrderedProduct | None, old: Dose) -> Days | None:
    """The days that the ordered supply was for: as stated, else as long as its quantity lasts at the ordered dose."""
    if "expectedSupplyDuration" in request:
        return _duration(request)
    quantity, strength = request["quantity"], _strength(product)
    if not isinstance(quantity, dict) or not _counts(quantity, product) or strength is None:
        return None
    ordered, daily = _value(quantity), _constant(old)
    if ordered is None or daily is None or daily.value <= 0:
        return None
    lasts = ordered * strength / daily.value
    return Days(lasts) if lasts > 0 and lasts == lasts.to_integral_value() else None


def _duration(request: Json) -> Days | None:
    stated = request.get("expectedSupplyDuration")
    value = _value(stated)
    if value is None or value <= 0 or not isinstance(stated, dict):
        return None
    names = [stated.get("code"), stated.get("unit")]
    factors = {_DAYS.get(name.lower()) for name in names if isinstance(name, str)}
    factor = factors.pop() if len(factors) == 1 else None
    return Days(value * factor) if factor else None


def _value(quantity: object) -> Decimal | None:
    value = quantity.get("value") if isinstance(quantity, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number_of_units = Decimal(value)
    return number_of_units if abs(number_of_units) < MOST_UNITS else None


def _strength(product: OrderedProduct | None) -> Decimal | None:
    return (product.mg_per_unit or product.mg_per_ml) if product else None


def _request(draft: Mapping[str, Any]) -> Json:
    found = draft.get("dispenseRequest")
    return found if isinstance(found, dict) else {}


def _counts(quantity: Json, product: OrderedProduct | None) -> bool:
    """Whether the quantity counts what the strength of the product speaks of: its units, or its mL."""
    names = {name.lower() for name in (quantity.get("unit"), quantity.get("code")) if isinstance(name, str)} - {"1"}
    known = _UNITS if product and product.mg_per_unit else _ML
    return product is not None and bool(names) and names <= known


def _form_of(product: OrderedProduct | None) -> Json | None:
    """The form of a quantity that the draft does not have yet."""
    if product and product.mg_per_unit and "tablet" in product.label.lower():
        return {"value": 0, "unit": "tablet"}
    return {"value": 0, "unit": "mL", "system": UCUM, "code": "mL"} if product and product.mg_per_ml else None

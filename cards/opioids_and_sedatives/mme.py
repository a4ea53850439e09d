"""Oral morphine milligram equivalents (MME) per day of the opioids on record (evidence.md E-OPI-09).

Only ingredients with a sure factor count. The others (methadone, tramadol, fentanyl, hydromorphone ...) are named as
left out and never decide; buprenorphine has no equivalent, and methadone for opioid use disorder must have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from itertools import groupby

from cards.facts import Ingredient, Medication, Standing
from cards.quantities import DailyDose, Mme, MmeFactor
from cards.values import frozen

NONE = Mme.of(0)


@frozen
class OpioidTotal:
    counted: Mme
    """Sum of what could be converted: the patient takes at least this."""
    left_out: tuple[str, ...]
    """Each a clause: "tramadol (conversion uncertain)"."""

    @property
    def said(self) -> str:
        """ "90 MME/day", "at least 45 MME/day"; empty when nothing could be converted."""
        if self.counted == NONE:
            return ""
        return f"at least {shown(self.counted)}" if self.left_out else str(shown(self.counted))


@frozen
class _Counted:
    ingredient: str
    product: str
    drafted: bool
    ended: bool
    mme: Mme


def total(opioids: Sequence[Medication], factors: Mapping[str, MmeFactor]) -> OpioidTotal:
    """``opioids``: chart and drafts. A product that is on the chart and drafted again is one, at the higher dose; an
    ended order of an ingredient that is also running was replaced by it, and the higher of the two counts."""
    counted: list[_Counted] = []
    left_out: list[str] = []
    for medicine in opioids:
        if not medicine.opioids:
            left_out.append(f"{medicine.label} (ingredient and strength not known)")
        for ingredient in medicine.opioids:
            factor = factors.get(ingredient.name)
            if factor is None or ingredient.daily is None or "parenteral" in medicine.flags:
                left_out.append(f"{ingredient.name} ({_why_not(medicine, ingredient, factor)})")
            else:
                counted.append(_count(medicine, ingredient.name, ingredient.daily, factor))
    by_ingredient = _grouped(counted, lambda one: one.ingredient)
    return OpioidTotal(_sum(_of_one_ingredient(group) for group in by_ingredient), tuple(dict.fromkeys(left_out)))


def shown(amount: Mme) -> Mme:
    """One decimal, cut off: what lies below a limit never reads as the limit."""
    return Mme(amount.value.quantize(Decimal("0.1"), rounding=ROUND_DOWN))


def _count(medicine: Medication, ingredient: str, daily: DailyDose, factor: MmeFactor) -> _Counted:
    return _Counted(
        ingredient=ingredient,
        product=medicine.label.casefold(),
        drafted=medicine.standing is Standing.DRAFT,
        ended=medicine.standing is Standing.RECENT and medicine.ended is not None,
        mme=Mme(daily.value * factor.value),
    )


def _of_one_ingredient(group: Sequence[_Counted]) -> Mme:
    ended = _sum(one.mme for one in group if one.ended)
    running = [one for one in group if not one.ended]
    products = _grouped(running, lambda one: one.product)
    return max(ended, _sum(max(_drafted(product), _charted(product)) for product in products))


def _drafted(product: Sequence[_Counted]) -> Mme:
    return _sum(one.mme for one in product if one.drafted)


def _charted(product: Sequence[_Counted]) -> Mme:
    return _sum(one.mme for one in product if not one.drafted)


def _why_not(medicine: Medication, ingredient: Ingredient, factor: MmeFactor | None) -> str:
    if ingredient.name == "buprenorphine":
        return "has no equivalent"
    if factor is None:
        return "conversion uncertain"
    if "parenteral" in medicine.flags:
        return "not taken by mouth"
    return "dose not computable"


def _grouped(counted: Iterable[_Counted], key: Callable[[_Counted], str]) -> list[list[_Counted]]:
    return [list(group) for _, group in groupby(sorted(counted, key=key), key)]


def _sum(amounts: Iterable[Mme]) -> Mme:
    return sum(amounts, start=NONE)

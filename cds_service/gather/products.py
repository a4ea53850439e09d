"""Strengths of products by code: baclofen and opioids, from two reviewed lists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cards.facts import Route
from cards.terminology import FOLDER, System, TerminologyError, read_rows


@dataclass(frozen=True, slots=True)
class Strength:
    """Milligrams in one solid unit, or in one millilitre; neither when unknown or meaningless (patch, injection)."""

    mg_per_unit: Decimal | None = None
    mg_per_ml: Decimal | None = None

    @property
    def known(self) -> bool:
        return self.mg_per_unit is not None or self.mg_per_ml is not None


@dataclass(frozen=True, slots=True)
class BaclofenRow:
    route: Route
    strength: Strength
    display: str


@dataclass(frozen=True, slots=True)
class OpioidRow:
    ingredient: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class Products:
    baclofen: dict[tuple[System, str], list[BaclofenRow]]
    opioids: dict[tuple[System, str], list[OpioidRow]]
    """One row for each opioid ingredient of the product."""

    @classmethod
    def load(cls, folder: Path = FOLDER, leave_out: Collection[System] = ()) -> Products:
        baclofen: dict[tuple[System, str], list[BaclofenRow]] = {}
        name = "baclofen-product-strengths.csv"
        columns = ("system", "code", "route", "mg_per_unit", "mg_per_ml", "display", "verification", "source")
        for line, (system, code, route, per_unit, per_ml, display, _, _) in read_rows(folder / name, columns):
            try:
                row = BaclofenRow(Route(route), _strength(per_unit, per_ml), display)
                baclofen.setdefault((System(system), code), []).append(row)
            except (ValueError, InvalidOperation) as error:
                raise TerminologyError(f"{name}, line {line}: {error}; write system, route and strength as above") from error

        opioids: dict[tuple[System, str], list[OpioidRow]] = {}
        name = "opioid-product-strengths.csv"
        for line, (system, code, ingredient, per_unit, per_ml) in read_rows(
            folder / name, ("system", "code", "ingredient", "mg_per_unit", "mg_per_ml")
        ):
            try:
                key = (System(system), code)
                opioids.setdefault(key, []).append(OpioidRow(ingredient, _strength(per_unit, per_ml)))
            except (ValueError, InvalidOperation) as error:
                raise TerminologyError(f"{name}, line {line}: {error}; write system and strength as above") from error
        return cls(
            {key: rows for key, rows in baclofen.items() if key[0] not in leave_out},
            {key: rows for key, rows in opioids.items() if key[0] not in leave_out},
        )


_made: dict[tuple[str, str], Strength] = {}


def _strength(per_unit: str, per_ml: str) -> Strength:
    made = _made.get((per_unit, per_ml))
    if made is None:
        made = Strength(Decimal(per_unit) if per_unit else None, Decimal(per_ml) if per_ml else None)
        _made[per_unit, per_ml] = made
    return made

"""Strengths of products by code: baclofen and opioids, from two reviewed lists."""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cards.facts import Route
from cards.terminology import FOLDER, System, TerminologyError, read_rows
from cards.values import frozen

Key = tuple[System, str]
"""Code system and code, an NDC as labeler-product."""


@frozen
class Strength:
    """Milligrams in one solid unit, or in one millilitre; neither when unknown or meaningless (patch, injection)."""

    mg_per_unit: Decimal | None = None
    mg_per_ml: Decimal | None = None

    @classmethod
    def read(cls, per_unit: str, per_ml: str) -> Strength:
        return cls(Decimal(per_unit) if per_unit else None, Decimal(per_ml) if per_ml else None)

    @property
    def known(self) -> bool:
        return self.mg_per_unit is not None or self.mg_per_ml is not None


@frozen
class BaclofenRow:
    route: Route
    strength: Strength
    display: str


@frozen
class OpioidRow:
    ingredient: str
    strength: Strength


@frozen
class Products:
    baclofen: dict[Key, BaclofenRow]
    opioids: dict[Key, tuple[OpioidRow, ...]]
    """One row for each opioid ingredient of the product. Products that hold the same share their rows."""

    @classmethod
    def load(cls, folder: Path = FOLDER, leave_out: Collection[System] = ()) -> Products:
        products = cls({}, {})
        contents: dict[tuple[OpioidRow, ...], tuple[OpioidRow, ...]] = {}

        def add_baclofen(row: list[str]) -> None:
            system, code, route, per_unit, per_ml, display, _, _ = row
            strength = Strength.read(per_unit, per_ml)
            products.baclofen[System(system), code] = BaclofenRow(Route(route), strength, display)

        def add_opioid(row: list[str]) -> None:
            system, code, ingredient, per_unit, per_ml = row
            if System(system) not in leave_out:
                key = (System(system), code)
                rows = (*products.opioids.get(key, ()), OpioidRow(ingredient, Strength.read(per_unit, per_ml)))
                products.opioids[key] = contents.setdefault(rows, rows)

        _for_each(folder / "baclofen-product-strengths.csv", _BACLOFEN_COLUMNS, add_baclofen)
        _for_each(folder / "opioid-product-strengths.csv", _OPIOID_COLUMNS, add_opioid)
        return products


_BACLOFEN_COLUMNS = ("system", "code", "route", "mg_per_unit", "mg_per_ml", "display", "verification", "source")
_OPIOID_COLUMNS = ("system", "code", "ingredient", "mg_per_unit", "mg_per_ml")


def _for_each(path: Path, columns: tuple[str, ...], add: Callable[[list[str]], None]) -> None:
    for line, row in read_rows(path, columns):
        try:
            add(row)
        except (ValueError, InvalidOperation) as error:
            cure = "correct the system, the route or the number"
            raise TerminologyError(f"{path.name}, line {line}: {error!r}; {cure}") from error

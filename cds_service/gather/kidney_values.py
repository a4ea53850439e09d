"""The value of one kidney result in the one unit of its kind, or why it cannot be used."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum

from msgspec import UnsetType

from cards.facts import Bound
from cards.values import frozen
from cds_service.gather.fhir_values import NotANumber, number, texts
from cds_service.gather.measured import Factor, UnitProblem, Units, converted
from cds_service.resources import Component, Observation, Quantity, quantity


class Kind(Enum):
    """The value is the name that a clause uses."""

    EGFR = "eGFR"
    CREATININE = "creatinine"
    CYSTATIN_C = "cystatin C"


@frozen
class Measured:
    value: Decimal
    """mL/min/1.73 m², mg/dL or mg/L by kind."""
    bound: Bound
    indexed: bool = True


@frozen
class Unusable:
    reason: str
    """Reads on after "creatinine of 2026-10-01"."""


# ---------------------------------------------------------------------------------------------------------- tables

_INDEXED = Units(
    {
        **dict.fromkeys(
            (
                "mL/min/{1.73_m2}", "mL/min/1.73", "mL/min/1.73/m2", "mL/min per 1.73 m2", "mL/min/1.73 sq m",
                "mL/min/1.73 sq. m", "mL/min/1.73 sq.m.", "mL/min/1.73 m2 BSA", "mL/min/BSA", "mL/min/173.10*-2.m2",
                "cc/min/1.73 m2",
            ),
            True,
        ),
        **dict.fromkeys(("mL/min", "cc/min"), False),
    }
)  # fmt: skip
"""Unit of an eGFR → whether it is indexed to body surface."""
_ONE, _TEN, _UMOL_PER_L = Decimal(1), Decimal(10), Decimal("88.4")
"""88.4 µmol/L of creatinine is 1 mg/dL (resolutions.md 13)."""
_CREATININE: dict[str, Factor] = {
    **dict.fromkeys(("mg/dL", "mg/100 mL", "mg%"), (_ONE, _ONE)),
    **dict.fromkeys(("umol/L", "mcmol/L", "micromol/L", "micromoles/L"), (_ONE, _UMOL_PER_L)),
    "mmol/L": (Decimal(1000), _UMOL_PER_L),
    "mg/L": (_ONE, _TEN),
}
_CYSTATIN: dict[str, Factor] = {**dict.fromkeys(("mg/L", "ug/mL", "mcg/mL"), (_ONE, _ONE)), "mg/dL": (_TEN, _ONE)}
_TO_MG_PER_DL, _TO_MG_PER_L = Units(_CREATININE), Units(_CYSTATIN)

_BOUNDS = {
    "": Bound.EXACT,
    "<": Bound.BELOW, "<=": Bound.BELOW, "≤": Bound.BELOW,
    ">": Bound.ABOVE, ">=": Bound.ABOVE, "≥": Bound.ABOVE,
}  # fmt: skip
_TEXT = re.compile(r"(<=?|>=?|≤|≥)\s*(\d{1,3}(?:\.\d{1,2})?)\s*(\D.{0,39})?", re.DOTALL)
"""">60", "> 90 mL/min/1.73m2": a bound; a text with a number alone is not a number."""

# Outside these, unit or decimal point are wrong, not the patient's kidneys.
_LOWEST_CREATININE, _HIGHEST_CREATININE = Decimal("0.1"), Decimal(30)
_HIGHEST_EGFR = Decimal(250)
_IMPLAUSIBLE = Unusable("is not plausible")


# --------------------------------------------------------------------------------------------------------- reading


def read(kind: Kind, part: Observation | Component) -> Measured | Unusable:
    """``part``: an Observation, or a component of one."""
    if kind is Kind.EGFR:
        return _egfr(part)
    return _creatinine(part) if kind is Kind.CREATININE else _cystatin(part)


def has_value(part: Observation | Component) -> bool:
    given = quantity(part)
    return (given is not None and number(given.value) is not None) or _text(part) != ""


def _egfr(part: Observation | Component) -> Measured | Unusable:
    of = quantity(part)
    given = (None if of else _bound_in_text(part)) or _number(part, of)
    if isinstance(given, Unusable):
        return given
    value, bound, of = given
    # A bound in a text may stand without a unit: the code says what it is.
    indexed = _INDEXED.of(of) if of else frozenset({True})
    if isinstance(indexed, UnitProblem):
        return Unusable(indexed.value)
    if not 0 < value <= _HIGHEST_EGFR:
        return _IMPLAUSIBLE
    # Where code and text of the unit differ only in naming the body surface, the longer one is meant.
    return Measured(value, bound, indexed=True in indexed)


def _creatinine(part: Observation | Component) -> Measured | Unusable:
    measured = _concentration(part, _TO_MG_PER_DL)
    if isinstance(measured, Measured) and not _LOWEST_CREATININE <= measured.value <= _HIGHEST_CREATININE:
        return _IMPLAUSIBLE
    return measured


def _cystatin(part: Observation | Component) -> Measured | Unusable:
    measured = _concentration(part, _TO_MG_PER_L)
    if isinstance(measured, Measured) and measured.bound is not Bound.EXACT:
        return Unusable("is given only as a limit")
    return measured if isinstance(measured, Unusable) or measured.value > 0 else _IMPLAUSIBLE


def _concentration(part: Observation | Component, factors: Units[Factor]) -> Measured | Unusable:
    given = _number(part, quantity(part))
    if isinstance(given, Unusable):
        return given
    value, bound, of = given
    amount = converted(of, value, factors)
    return Unusable(amount.value) if isinstance(amount, UnitProblem) else Measured(amount, bound)


def _number(part: Observation | Component, of: Quantity | None) -> tuple[Decimal, Bound, Quantity] | Unusable:
    value = number(of.value) if of else None
    if of is None or value is None:
        if _text(part):
            return Unusable("is text, not a number")
        return Unusable("has no value" if isinstance(part.valueInteger, UnsetType) else UnitProblem.MISSING.value)
    if isinstance(value, NotANumber):
        return Unusable(value.reason)
    bound = _BOUNDS.get(of.comparator.strip()) if of.comparator else Bound.EXACT
    return Unusable("has a comparator that is not known") if bound is None else (value, bound, of)


def _bound_in_text(part: Observation | Component) -> tuple[Decimal, Bound, Quantity | None] | None:
    found = _TEXT.fullmatch(_text(part))
    if not found:
        return None
    sign, digits, unit = found.groups()
    return Decimal(digits), _BOUNDS[sign], Quantity(unit=unit) if unit else None


def _text(part: Observation | Component) -> str:
    coded = part.valueCodeableConcept.text if part.valueCodeableConcept else None
    return next(texts(part.valueString, coded), "")

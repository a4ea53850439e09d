"""Values of the clinic as plain words."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

from cards.facts import Missing, Origin
from cards.quantities import Quantity


def came_from(origin: Origin, reference: str = "") -> str:
    resource = origin.resource or reference
    how = ", by text only" if origin.by_text else ""
    return f"  [{resource}{': ' + origin.coding if origin.coding else ''}{how}]" if resource else ""


def in_words(value: object) -> str:
    match value:
        case Missing(what=what, why=why, reason=reason):
            return f"{why.value}: {what} ({reason})"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d}"
        case Quantity() | str() | int() | date():
            return str(value)
        case Enum():
            return str(value.value)
        case tuple() | frozenset() | list():
            return ", ".join(sorted(in_words(one) for one in value))
        case None:
            return "unknown"
        case _:
            return type(value).__name__

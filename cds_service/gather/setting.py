"""Inpatient or ambulatory, from the category of an order or the class of an encounter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, UnsetType

from cards.facts import Setting

_SETTINGS = {
    "inpatient": Setting.INPATIENT, "imp": Setting.INPATIENT, "acute": Setting.INPATIENT, "nonac": Setting.INPATIENT,
    "outpatient": Setting.AMBULATORY, "community": Setting.AMBULATORY, "discharge": Setting.AMBULATORY,
    "amb": Setting.AMBULATORY, "ambulatory": Setting.AMBULATORY, "vr": Setting.AMBULATORY, "hh": Setting.AMBULATORY,
}  # fmt: skip
"""MedicationRequest categories and encounter classes (HL7 v3 ActCode), in lower case. An emergency visit is neither."""


def setting_of(raw: Raw | UnsetType) -> Setting:
    """From one code, one concept or a list of them; UNKNOWN where they differ."""
    if isinstance(raw, UnsetType):
        return Setting.UNKNOWN
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Setting.UNKNOWN
    found = {_SETTINGS[code] for code in _codes(value) if code in _SETTINGS}
    return found.pop() if len(found) == 1 else Setting.UNKNOWN


def _codes(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value.strip().casefold()
        case list():
            for one in value:
                yield from _codes(one)
        case dict():
            for element in ("code", "text", "coding"):
                if element in value:
                    yield from _codes(value[element])

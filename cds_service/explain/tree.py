"""One consultation as a JSON object, for tools."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from cards.quantities import Quantity
from cds_service.card_builder import encode
from cds_service.hooks import HookCall
from cds_service.respond import Consultation


def as_json(call: HookCall, found: Consultation) -> str:
    """The same as one JSON object, for tools."""
    outcomes = [{"outcome": type(o).__name__, **_plain(o)} for _, o in found.assessment.outcomes]
    dropped = [_plain(one) for one in found.assessment.triaged.dropped]
    whole = {
        "hook": call.hook.value,
        "facts": _plain(found.facts),
        "kidney": _plain(found.assessment.kidney),
        "outcomes": outcomes,
        "dropped": dropped,
        "cards": json.loads(encode(found.built.cards))["cards"],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case Quantity():
            return {"value": float(value.value), "unit": value.unit}
        case Enum():
            return value.value if isinstance(value.value, str) else str(value)
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case tuple() | list() | frozenset():
            plain = [_plain(one) for one in value]
            return sorted(plain) if isinstance(value, frozenset) else plain
        case _ if is_dataclass(value):
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value

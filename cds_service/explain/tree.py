"""One consultation as a JSON object, for tools."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from cards.outcome import NotIndicated
from cards.quantities import Quantity
from cds_service.card_builder import encode
from cds_service.explain.fact_lines import fact_lines
from cds_service.explain.steps import case_lines, outcome_says, record_lines
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
        "words": _words(found),
        "cards": json.loads(encode(found.built.cards))["cards"],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _words(found: Consultation) -> dict[str, Any]:
    """What the text form of explain says, in parts for a page to lay out."""
    return {
        "at": f"{found.facts.now:%Y-%m-%d %H:%M} UTC",
        "records": list(record_lines(found)),
        "facts": [_parted(line) for line in fact_lines(found)],
        "cases": [list(case_lines(case)) for case in found.assessment.cases],
        "rules": [{"rule": one.rule, "says": outcome_says(one)} for _, one in found.assessment.outcomes],
    }


def _parted(line: str) -> dict[str, str]:
    """Two spaces stand before the origin and nowhere else: texts of the chart have none (``ChartText``)."""
    said, _, source = line.partition("  [")
    fact, _, value = said.partition(": ")
    return {"fact": fact, "value": value, "from": source.removesuffix("]")}


def _plain(value: Any) -> Any:
    match value:
        case NotIndicated():
            return {"rule": value.rule, "because": value.because}
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

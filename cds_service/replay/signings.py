"""Patient by patient: the signings of baclofen in an export, each as the order-sign call that the EHR would have sent.

Orders of one patient with the same ``authoredOn`` were signed together. The prefetch holds the chart of that moment
(``chart.as_of``) in the keys that discovery asks for; a type that was not exported is not sent, and the rules say so.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec
from msgspec import Raw

from cds_service.gather.fhir_values import Precision
from cds_service.replay.chart import Json, Line, as_of, in_turn
from cds_service.replay.whose import Baclofen, Named, UnreadError

_encode = msgspec.json.Encoder(decimal_format="number").encode

KEYS = {
    "kidney": ("Observation",),
    "medications": ("MedicationRequest", "MedicationStatement", "MedicationDispense", "Medication"),
    "conditions": ("Condition",),
    "procedures": ("Procedure",),
    "allergies": ("AllergyIntolerance",),
}
"""Prefetch key → what is sent under it. All observations go under one key: the reader looks through both."""
_NEVER_SIGNED = frozenset({"entered-in-error", "draft"})
_NO_ORDERS = frozenset({"proposal", "option", "reflex-order", "filler-order", "instance-order"})
"""rules.md 2."""
_CALLS = uuid.UUID("6f1c6b57-8f0c-5d0a-9a43-6a3f0f2e7b21")
"""Name space of the calls: the same signing has the same id in each replay."""


@dataclass(frozen=True, slots=True)
class Signing:
    moment: datetime
    """End of the day, where only the day is known."""
    body: bytes


@dataclass(frozen=True, slots=True)
class NotDated:
    """An order for baclofen that tells no day on which it was written."""


def signings(
    patient: str, lines: list[Line], baclofen: Baclofen, exported: frozenset[str]
) -> Iterator[Signing | NotDated]:
    """Of one patient, in their order."""
    named = [(line, _named(line, baclofen)) for line in lines if line.type == "MedicationRequest"]
    chart = [line for line in lines if line.type != "MedicationRequest"] + _in_turn(named)
    together: dict[datetime, list[Line]] = defaultdict(list)
    for line, name in named:
        if not name.is_baclofen or not _is_signed(line.json):
            continue
        if line.known is None or line.known.precision < Precision.DAY:
            yield NotDated()
        else:
            together[line.known.latest].append(line)
    for moment, orders in sorted(together.items()):
        beside = [line for line, _ in named if _is_signed(line.json) and _is_at(line, moment) and line not in orders]
        drafts = [*orders, *beside]
        rest = [line for line in chart if not any(line.raw is draft.raw for draft in drafts)]
        yield Signing(moment, _call(patient, moment, drafts, as_of(rest, moment), exported))


def _named(line: Line, baclofen: Baclofen) -> Named:
    """A malformed order stays on the chart, where the reader says that it cannot be read."""
    try:
        return baclofen.named(line.raw)
    except UnreadError:
        return Named(is_baclofen=False, medicine=("", line.raw))


def _in_turn(named: list[tuple[Line, Named]]) -> list[Line]:
    by_medicine: dict[object, list[Line]] = defaultdict(list)
    for line, name in named:
        by_medicine[name.medicine].append(line)
    return [line for same in by_medicine.values() for line in in_turn(same)]


def _is_signed(order: Json) -> bool:
    return order.get("status") not in _NEVER_SIGNED and order.get("intent") not in _NO_ORDERS


def _is_at(line: Line, moment: datetime) -> bool:
    return line.known is not None and line.known.precision is Precision.TIME and line.known.latest == moment


def _call(
    patient: str, moment: datetime, drafts: list[Line], chart: dict[str, list[bytes]], exported: frozenset[str]
) -> bytes:
    prefetch: dict[str, object] = {
        key: _bundle([raw for one in types for raw in chart.get(one, ())])
        for key, types in KEYS.items()
        if exported & set(types)
    }
    if "Observation" in exported:
        prefetch["observations"] = _bundle([])
    if persons := chart.get("Patient"):
        prefetch["patient"] = Raw(persons[0])
    return _encode(
        {
            "hook": "order-sign",
            "hookInstance": str(uuid.uuid5(_CALLS, f"{patient} {moment.isoformat()}")),
            "context": {
                "patientId": patient,
                "draftOrders": {
                    "resourceType": "Bundle",
                    "type": "collection",
                    "entry": [{"resource": {**line.json, "status": "draft"}} for line in drafts],
                },
            },
            "prefetch": prefetch,
        }
    )


def _bundle(resources: list[bytes]) -> dict[str, object]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": Raw(one)} for one in resources],
    }

"""What the suggestions of one hook call may act upon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from cards.values import frozen
from cds_service.dialects import Dialect
from cds_service.hooks import HookCall
from cds_service.suggestions.chart import find_order
from cds_service.suggestions.dosage import Json, OrderedProduct


class CannotActError(Exception):
    """The proposal has no safe action on these drafts. The text holds nothing of the request."""


class InvalidError(Exception):
    """What we wrote is not valid FHIR: a fault of this service."""


@frozen
class Session:
    patient_id: str
    encounter_id: str | None
    drafts: Mapping[str, Json] = field(repr=False)
    """ "MedicationRequest/d1" → the draft as sent. A reference that two different drafts share is left out."""
    products: Mapping[str, OrderedProduct] = field(default_factory=dict)
    """The product of each draft, by the same reference, where it was recognised."""
    dialect: Dialect = Dialect.GENERIC
    chart_order: Callable[[str], Json | None] = field(default=lambda _: None, repr=False)
    """An order on the chart as sent, for ``StopExisting`` alone."""

    @classmethod
    def of(cls, call: HookCall, products: Mapping[str, OrderedProduct], dialect: Dialect = Dialect.GENERIC) -> Session:
        found: dict[str, Json | None] = {}
        for draft in call.drafts:
            kind, identity = draft.json.get("resourceType"), draft.json.get("id")
            if isinstance(kind, str) and isinstance(identity, str) and identity:
                reference = f"{kind}/{identity}"
                found[reference] = draft.json if found.get(reference, draft.json) == draft.json else None
        drafts = {reference: draft for reference, draft in found.items() if draft is not None}
        return cls(
            call.patient_id,
            call.encounter_id,
            drafts,
            products,
            dialect,
            lambda name: find_order(call.prefetch.values(), name),
        )

"""``baclofen-cds export``: what was written down, as NDJSON for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Engine

from cds_service.audit import kept
from cds_service.audit.audit_event import audit_event
from cds_service.audit.fhir_common import Json
from cds_service.audit.guidance_response import guidance_response
from cds_service.audit.kept import Kept
from cds_service.comments import Comments

FORMATS: Mapping[str, Callable[[Kept], Json]] = {
    "audit-event": audit_event,
    "guidance-response": guidance_response,
}
_encode = msgspec.json.Encoder().encode


def lines(engine: Engine, since: datetime, until: datetime, resource_of: Callable[[Kept], Json]) -> Iterator[bytes]:
    """One FHIR resource a line, for each call from ``since`` up to ``until``, oldest first."""
    for one in kept.calls(engine, since, until):
        yield _encode(resource_of(one)) + b"\n"


def comments(engine: Engine, since: datetime, until: datetime, keys: Comments) -> Iterator[bytes]:
    """What prescribers wrote when they dismissed a card, oldest first. PHI, in the clear."""
    for told, rule in kept.comments(engine, since, until):
        yield (
            _encode(
                {
                    "receivedAt": told.received_at,
                    "client": told.client,
                    "card": told.card_uuid,
                    "rule": rule,
                    "reason": told.reason_code,
                    "comment": keys.opened(told.comment),
                }
            )
            + b"\n"
        )

"""``baclofen-cds export``: what was written down, as NDJSON for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Engine

from cds_service.audit.audit_event import audit_event
from cds_service.audit.fhir_common import Json
from cds_service.audit.guidance_response import guidance_response
from cds_service.audit.kept import Kept, calls

Format = Literal["audit-event", "guidance-response"]

FORMATS: Mapping[Format, Callable[[Kept], Json]] = {
    "audit-event": audit_event,
    "guidance-response": guidance_response,
}
_encode = msgspec.json.Encoder().encode


def lines(engine: Engine, since: datetime, until: datetime, form: Format) -> Iterator[bytes]:
    """One FHIR resource a line, for each call from ``since`` up to ``until``, oldest first."""
    resource_of = FORMATS[form]
    for kept in calls(engine, since, until):
        yield _encode(resource_of(kept)) + b"\n"

"""Names that the exported resources share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

Json = dict[str, Any]

BASE = "https://baclofen-cds.example/fhir"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
URI = "urn:ietf:rfc:3986"


def hashed(kind: str, call: Row[Any], value: str) -> Json:
    """A logical reference by keyed hash. Hashes of two keys are in two systems: they cannot be compared."""
    return {"identifier": {"system": f"{BASE}/sid/{kind}-hash/{call.hash_key_id}", "value": value}}


def without_empty(written: Json) -> Json:
    """FHIR knows no empty members."""
    return {name: value for name, value in written.items() if value not in (None, "", [], {})}

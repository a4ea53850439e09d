"""One order of the chart as the client sent it: the typed reading keeps only what the rules need."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec import Raw

from cds_service.suggestions.dosage import Json


def find_order(prefetched: Iterable[Raw], reference: str) -> Json | None:
    """The resource with this type and id, decimals as written. Decodes whole Bundles: few calls need it."""
    kind, _, identity = reference.partition("/")
    for raw in prefetched:
        if identity.encode() not in bytes(raw):
            continue
        try:
            value = json.loads(bytes(raw), parse_float=Decimal)
        except (ValueError, RecursionError, ArithmeticError):
            continue
        for resource in _resources(value):
            if resource.get("resourceType") == kind and resource.get("id") == identity:
                return resource
    return None


def _resources(value: Any) -> Iterable[Json]:
    if not isinstance(value, dict):
        return
    yield value
    entries = value.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            yield entry["resource"]

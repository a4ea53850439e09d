"""What we write is valid FHIR R4, checked with the R4B models of ``fhir.resources``.

Only what this service wrote is checked. R4 puts no condition on a MedicationRequest that ties dosage or supply to
another element, so a draft that was valid stays valid when they are replaced by valid ones; a draft that was not valid
(the Sandbox's ``category`` object) is echoed all the same. What we write comes from a small set of regimens and
wordings: each distinct writing is checked once and the verdict remembered, for one check costs as much as all the rest
of a small request.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

_MODELS: dict[str, Any] = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}
_REQUIRED: dict[str, dict[str, Any]] = {
    "MedicationRequest": {
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "baclofen"},
        "subject": {"reference": "Patient/p"},
    },
    "ServiceRequest": {"status": "draft", "intent": "order", "subject": {"reference": "Patient/p"}},
}
"""What R4 requires of the resource besides the elements under test."""

encode = msgspec.json.Encoder(decimal_format="number").encode
"""JSON with decimals as numbers, digit for digit: 1.20 stays 1.20."""


def fault(resource_type: str, written: Mapping[str, Any]) -> str:
    """Why these elements are not valid R4, as paths without values; empty when they are valid."""
    return _fault(resource_type, encode(written))


@lru_cache(maxsize=4096)
def _fault(resource_type: str, written: bytes) -> str:
    elements = {"resourceType": resource_type, **_REQUIRED[resource_type], **msgspec.json.decode(written)}
    try:
        _MODELS[resource_type].model_validate(elements)
    except ValueError as error:
        return _paths(error) or type(error).__name__
    return ""


def _paths(error: Any) -> str:
    """Where pydantic found the faults; its own message would quote values."""
    found = error.errors(include_input=False) if hasattr(error, "errors") else ()
    return "; ".join(".".join(map(str, one["loc"])) or str(one["type"]) for one in found)

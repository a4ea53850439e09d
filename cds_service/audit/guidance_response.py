"""A call as FHIR R4 GuidanceResponse: what was asked of the content, what it answered, what it lacked, what came of it.

The cards stand in ``outputParameters``, a contained Parameters resource, one parameter each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Row

from cds_service.audit import detail
from cds_service.audit.detail import Detail
from cds_service.audit.fhir_common import BASE, URI, Json, hashed, without_empty
from cds_service.audit.kept import Kept, KeptCard
from cds_service.card_builder import RULE_SYSTEM, topic_code

TYPES: Mapping[str, str] = {
    "age": "Patient",
    "sex": "Patient",
    "kidney_results": "Observation",
    "medications": "MedicationRequest",
    "problems": "Condition",
    "procedures": "Procedure",
    "allergies": "AllergyIntolerance",
    "observations": "Observation",
    "order": "MedicationRequest",
}
"""Input → the FHIR type that would have held it."""


def guidance_response(kept: Kept) -> Json:
    call = kept.call
    said = detail.decode(call.detail)
    missing = said.missing
    return without_empty(
        {
            "resourceType": "GuidanceResponse",
            "id": call.id,
            "contained": [*_parameters(kept), *_failure(call, said)],
            "requestIdentifier": _uuid(call.hook_instance) if call.hook_instance else None,
            "identifier": [_uuid(call.id)],
            "moduleCanonical": f"{BASE}/Library/baclofen-cds|{call.content_version}",
            "status": _status(call.status, missing),
            "subject": hashed("patient", call, call.patient_hash),
            "occurrenceDateTime": call.at.isoformat(),
            "performer": {"display": f"Baclofen CDS {call.service_version}"},
            "evaluationMessage": [{"reference": "#failure"}] if said.error else [],
            "outputParameters": {"reference": "#cards"} if kept.cards else None,
            "dataRequirement": [{"id": name.replace("_", "-"), "type": TYPES[name]} for name in missing],
        }
    )


def _status(status: int, missing: Mapping[str, str]) -> str:
    """``data-requested``: answered, and would have been more exact with what was missing."""
    if status == 412:
        return "data-required"
    if status >= 400:
        return "failure"
    return "data-requested" if missing else "success"


def _failure(call: Row, said: Detail) -> Iterator[Json]:  # type: ignore[type-arg]
    if said.error:
        issue = {"severity": "error", "code": "processing", "diagnostics": f"HTTP {call.status}, {said.error}"}
        yield {"resourceType": "OperationOutcome", "id": "failure", "issue": [issue]}


def _parameters(kept: Kept) -> Iterator[Json]:
    if kept.cards:
        yield {"resourceType": "Parameters", "id": "cards", "parameter": [_card(one) for one in kept.cards]}


def _card(kept: KeptCard) -> Json:
    one = kept.card
    parts: list[Json] = [
        {"name": "uuid", "valueUri": f"urn:uuid:{one.uuid}"},
        {"name": "rule", "valueCoding": _rule(one.rule)},
        {"name": "indicator", "valueCode": one.indicator},
        {"name": "shown", "valueBoolean": not one.silent},
    ]
    parts += [{"name": "merged", "valueCoding": _rule(rule)} for rule in detail.names(one.merged)]
    for made in detail.suggestions(one.suggestions):
        inside = [{"name": "kind", "valueCode": made.kind}]
        if made.uuid:
            inside += [
                {"name": "uuid", "valueUri": f"urn:uuid:{made.uuid}"},
                {"name": "label", "valueString": made.label},
            ]
        parts.append({"name": "suggestion", "part": inside})
    parts += [{"name": "feedback", "part": list(_feedback(told))} for told in kept.feedback]
    return {"name": "card", "part": parts}


def _feedback(told: Row) -> Iterator[Json]:  # type: ignore[type-arg]
    yield {"name": "outcome", "valueCode": told.outcome}
    yield {"name": "received", "valueInstant": told.received_at.isoformat()}
    if told.reason_code:
        reason = {"system": told.reason_system, "code": told.reason_code}
        yield {"name": "reason", "valueCoding": without_empty(reason)}
    for accepted in detail.names(told.accepted_suggestions):
        yield {"name": "accepted", "valueString": accepted}


def _uuid(value: str) -> Json:
    return {"system": URI, "value": f"urn:uuid:{value.lower()}"}


def _rule(rule: str) -> Json:
    return {"system": RULE_SYSTEM, "code": topic_code(rule)}

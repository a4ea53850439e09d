"""A call as FHIR R4 AuditEvent: who asked about whom, when, and what was answered by which content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.audit import detail
from cds_service.audit.fhir_common import BASE, TERMINOLOGY, URI, Json, hashed, without_empty
from cds_service.audit.kept import Kept, KeptCard

HOOKS = f"{BASE}/CodeSystem/hook"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"


def audit_event(kept: Kept) -> Json:
    call = kept.call
    return {
        "resourceType": "AuditEvent",
        "id": call.id,
        "type": _coding("audit-event-type", "rest", "Restful Operation"),
        "subtype": [{"system": HOOKS, "code": call.hook}],
        "action": "E",
        "recorded": call.at.isoformat(),
        "outcome": _outcome(call.status),
        "outcomeDesc": f"HTTP {call.status}",
        "agent": list(_agents(kept)),
        "source": without_empty(
            {
                "site": call.tenant,
                "observer": {"display": f"Baclofen CDS {call.service_version}"},
                "type": [_coding("security-source-type", "4", "Application Server")],
            }
        ),
        "entity": list(_entities(kept)),
    }


def _outcome(status: int) -> str:
    """Success, minor failure (the client's), serious failure (ours)."""
    return "0" if status < 400 else "4" if status < 500 else "8"


def _agents(kept: Kept) -> Iterator[Json]:
    call = kept.call
    if call.user_hash:
        yield {"who": hashed("user", call, call.user_hash), "requestor": True}
    application = {"coding": [{"system": _DICOM, "code": "110150", "display": "Application"}]}
    yield {"type": application, "who": {"display": call.client}, "requestor": not call.user_hash}


def _entities(kept: Kept) -> Iterator[Json]:
    call = kept.call
    said = detail.decode(call.detail)
    yield {
        "what": hashed("patient", call, call.patient_hash),
        "type": _coding("audit-entity-type", "1", "Person"),
        "role": _coding("object-role", "1", "Patient"),
    }
    about = [
        ("content version", [call.content_version]),
        ("request", [said.request_id]),
        ("hook instance", [call.hook_instance]),
        ("order", [call.order_kind]),
        ("milliseconds", [f"{call.milliseconds:g}"]),
        ("fact used", [f"{name} of {day}" if day else name for name, day in said.facts.items()]),
        ("fact missing", [f"{name}: {why}" for name, why in said.missing.items()]),
        ("fired", [f"{rule}: {indicator}" for rule, indicator in said.fired.items()]),
        ("cannot assess", [f"{rule}: {', '.join(inputs)}" for rule, inputs in said.cannot_assess.items()]),
        ("no card of its own", [f"{rule}: {why}" for rule, why in said.dropped.items()]),
        ("error", [said.error]),
    ]
    yield _entity(f"urn:uuid:{call.id}", "hook call", about)
    for one in kept.cards:
        yield _entity(f"urn:uuid:{one.card.uuid}", f"card {one.card.rule}", _about_card(one))


def _about_card(kept: KeptCard) -> Iterator[tuple[str, list[str]]]:
    one = kept.card
    yield "indicator", [one.indicator]
    yield "shown", ["no: the rule is silent" if one.silent else "yes"]
    yield "merged", detail.names(one.merged)
    yield "suggestion", [f"{made.kind} {made.label}".strip() for made in detail.suggestions(one.suggestions)]
    yield "feedback", [" ".join(filter(None, (told.outcome, told.reason_code))) for told in kept.feedback]


def _entity(identifier: str, name: str, about: Iterable[tuple[str, Iterable[str | None]]]) -> Json:
    return without_empty(
        {
            "what": {"identifier": {"system": URI, "value": identifier}},
            "type": _coding("audit-entity-type", "2", "System Object"),
            "name": name,
            "detail": [{"type": said, "valueString": value} for said, values in about for value in values if value],
        }
    )


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": f"{TERMINOLOGY}/{system}", "code": code, "display": display}

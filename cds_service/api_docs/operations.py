"""One address, one method: what is sent and what is answered, each with an example."""

from __future__ import annotations

from typing import Any

from cds_service.api_docs import examples
from cds_service.services import CdsService

Json = dict[str, Any]
JSON = "application/json"
_TEXT: Json = {"type": "string"}
HTML: Json = {"text/html": {"schema": _TEXT, "example": examples.PAGE}}
METRICS: Json = {"text/plain": {"schema": _TEXT, "example": examples.METRICS}}
FIGURES: Json = {
    **HTML,
    "text/csv": {"schema": _TEXT, "example": examples.FIGURES_CSV},
    JSON: {"schema": {"type": "object"}, "example": examples.FIGURES},
}


def named(schema: str, example: Json) -> Json:
    """``schema``: its name among the components."""
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}}


def get(summary: str, content: Json, *refusals: str, **more: Any) -> Json:
    responses = {"200": {"description": "OK", "content": content}, **refused(*refusals, "431")}
    return {"summary": summary, **more, "responses": responses}


def post(summary: str, schema: Json, example: Json, ok: Json, *refusals: str, **more: Any) -> Json:
    body = {"required": True, "content": {JSON: {"schema": schema, "example": example}}}
    return {"summary": summary, **more, "requestBody": body, "responses": {"200": ok, **refused(*refusals)}}


def refused(*statuses: str) -> Json:
    return {
        status: {
            "description": f"OperationOutcome: {examples.ERRORS[status]['issue'][0]['details']['text']}",
            "content": named("OperationOutcome", examples.ERRORS[status]),
        }
        for status in sorted(statuses)
    }


def parameter(name: str, description: str, example: str, *, values: tuple[str, ...] = (), where: str = "query") -> Json:
    schema = _TEXT | ({"enum": list(values)} if values else {})
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
        "example": example,
    }


def hook_call(service: CdsService) -> Json:
    context = {
        "type": "object",
        "required": ["patientId", "draftOrders"],
        "properties": {
            "userId": _TEXT,
            "patientId": _TEXT,
            "encounterId": _TEXT,
            "draftOrders": {"type": "object", "description": "FHIR Bundle of the unsigned orders"},
            "selections": {
                "type": "array",
                "items": _TEXT,
                "description": "order-select only, and required there",
            },
        },
    }
    schema = {
        "type": "object",
        "required": ["hook", "hookInstance", "context"],
        "properties": {
            "hook": {"enum": [hook.value for hook in service.hooks]},
            "hookInstance": {"type": "string", "description": "UUID of this call"},
            "context": context,
            "fhirServer": {"type": "string", "description": "one of the FHIR servers of the client's profile"},
            "fhirAuthorization": {"type": "object", "description": "the access token for it"},
            "prefetch": {"type": "object", "description": f"keys: {', '.join(service.prefetch)}"},
        },
    }
    cards = {
        "description": "CDS Hooks cards; none when there is nothing to say",
        "content": named("Cards", examples.CARDS),
    }
    refusals = ("400", "401", "408", "412", "413", "415", "429", "431", "500", "503")
    return post(service.title, schema, examples.CALL, cards, *refusals, description=service.description)


def feedback() -> Json:
    """Its entries are read as EHRs send them: the schema asks for no more than what is needed to find them."""
    schema = {
        "type": "object",
        "required": ["feedback"],
        "properties": {"feedback": {"type": "array", "description": "what became of each card", "items": {}}},
    }
    taken = {"description": "Taken; without a body"}
    refusals = ("400", "401", "408", "413", "415", "429", "431", "500", "503")
    return post("What became of the cards", schema, examples.FEEDBACK, taken, *refusals)

"""OpenAPI for people who integrate the service, and a page that shows it without loading anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from cds_service.api_schemas import schemas
from cds_service.services import CdsService
from cds_service.settings import Settings

Json = dict[str, Any]


def document(settings: Settings, service: CdsService, version: str) -> Json:
    """OpenAPI 3.1."""
    token: list[Json] = [{"clientToken": []}, *([{}] if settings.sandbox else [])]
    discovery = _get("Discovery: the CDS Services of this server", _json("Discovery"))
    if settings.protect_discovery:
        discovery["responses"] |= _refusals("401")
        discovery["security"] = token
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baclofen CDS (sandbox)" if settings.sandbox else "Baclofen CDS",
            "version": version,
            "description": service.usage_requirements,
        },
        "servers": [{"url": settings.public_base_url or "/"}],
        "paths": {
            "/cds-services": {"get": discovery},
            f"/cds-services/{service.id}": {"post": _call(service) | {"security": token}},
            f"/cds-services/{service.id}/feedback": {"post": _feedback() | {"security": token}},
            "/healthz": {"get": _get("The process is alive", _json("Health"))},
            "/readyz": {"get": _ready()},
            "/content": {"get": _get("The clinical content, for reading and printing", {"text/html": {}})},
            "/insights": {"get": _insights() | {"security": token}},
            "/metrics": {"get": _get("Counters for Prometheus", {"text/plain": {}})},
        },
        "components": {
            "securitySchemes": {"clientToken": _CLIENT_TOKEN},
            "schemas": schemas([hook.value for hook in service.hooks]),
        },
    }


_CLIENT_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A new JWT for each call, as CDS Hooks 2.0 defines it",
}


def _call(service: CdsService) -> Json:
    context = {
        "type": "object",
        "required": ["patientId", "draftOrders"],
        "properties": {
            "userId": {"type": "string"},
            "patientId": {"type": "string"},
            "encounterId": {"type": "string"},
            "draftOrders": {"type": "object", "description": "FHIR Bundle of the unsigned orders"},
            "selections": {
                "type": "array",
                "items": {"type": "string"},
                "description": "order-select only, and required there",
            },
        },
    }
    hook_call = {
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
    refusals = _refusals("400", "401", "408", "412", "413", "415", "429", "431", "500", "503")
    return {
        "summary": service.title,
        "description": service.description,
        "requestBody": _body(hook_call),
        "responses": {
            "200": {"description": "CDS Hooks cards; none when there is nothing to say", "content": _json("Cards")},
            **refusals,
        },
    }


def _feedback() -> Json:
    """Its entries are read as EHRs send them: the schema asks for no more than what is needed to find them."""
    told = {
        "type": "object",
        "required": ["feedback"],
        "properties": {"feedback": {"type": "array", "description": "what became of each card", "items": {}}},
    }
    return {
        "summary": "What became of the cards",
        "requestBody": _body(told),
        "responses": {
            "200": {"description": "Taken; without a body"},
            **_refusals("400", "401", "408", "413", "415", "429", "431", "500", "503"),
        },
    }


def _ready() -> Json:
    said = _get("The clinical content is loaded, and records can be kept", _json("Readiness"))
    said["responses"] |= _refusals("503")
    return said


def _insights() -> Json:
    kinds: Json = {"text/html": {}, "text/csv": {}, "application/json": {}}
    figures = _get("Figures of what was advised and what became of it", kinds)
    figures["responses"] |= _refusals("400", "401", "403", "503")
    return figures


def _body(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _get(summary: str, content: Json) -> Json:
    return {"summary": summary, "responses": {"200": {"description": "OK", "content": content}, **_refusals("431")}}


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _refusals(*statuses: str) -> Json:
    problem = {"description": "OperationOutcome with the problem and its cure", "content": _json("OperationOutcome")}
    return dict.fromkeys(statuses, problem)


def page(openapi: Json) -> bytes:
    """Plain HTML: hospitals' networks rarely reach the script servers that the usual viewers load from."""
    info = openapi["info"]
    rows = [
        f"<h2><code>{method.upper()} {escape(path)}</code></h2><p><b>{escape(operation['summary'])}</b></p>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<ul>{''.join(_response(status, said) for status, said in operation['responses'].items())}</ul>"
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(info['title'])}</title>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        f"<p>Machine-readable: <a href=openapi.json>openapi.json</a>. This page loads nothing from the internet.</p>"
        f"{''.join(rows)}</html>"
    ).encode()


def _response(status: str, said: dict[str, str]) -> str:
    return f"<li><code>{status}</code> {escape(said['description'])}</li>"

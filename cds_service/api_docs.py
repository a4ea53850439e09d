"""OpenAPI for people who integrate the service, and a page that shows it without loading anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

from cds_service.services import CdsService
from cds_service.settings import Settings


def document(settings: Settings, service: CdsService, version: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    hook_call = {
        "type": "object",
        "required": ["hook", "hookInstance", "context"],
        "properties": {
            "hook": {"enum": [hook.value for hook in service.hooks]},
            "hookInstance": {"type": "string", "description": "UUID of this call"},
            "context": {
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
            },
            "prefetch": {"type": "object", "description": f"keys: {', '.join(service.prefetch)}"},
        },
    }
    problem = {"description": "OperationOutcome with the problem and its cure"}
    refusals = dict.fromkeys(("400", "401", "404", "408", "412", "413", "415", "429", "431", "500", "503"), problem)
    call = {
        "summary": service.title,
        "description": service.description,
        "requestBody": {"required": True, "content": {"application/json": {"schema": hook_call}}},
        "responses": {"200": {"description": "CDS Hooks cards; none when there is nothing to say"}, **refusals},
        "security": _token(optional=settings.sandbox),
    }
    discovery = _get("Discovery: the CDS Services of this server")
    if settings.protect_discovery:
        discovery |= {"security": _token(optional=settings.sandbox)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Baclofen CDS", "version": version, "description": service.usage_requirements},
        "servers": [{"url": settings.public_base_url or "/"}],
        "paths": {
            "/cds-services": {"get": discovery},
            f"/cds-services/{service.id}": {"post": call},
            "/healthz": {"get": _get("The process is alive")},
            "/readyz": {"get": _get("The clinical content is loaded and calls can be answered")},
            "/content": {"get": _get("The clinical content, for reading and printing (HTML)")},
            "/insights": {"get": _get("Figures (HTML, CSV, JSON)") | {"security": call["security"]}},
            "/metrics": {"get": _get("Counters for Prometheus")},
        },
        "components": {"securitySchemes": {"clientToken": _CLIENT_TOKEN}},
    }


_CLIENT_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A new JWT for each call, as CDS Hooks 2.0 defines it",
}


def _token(*, optional: bool) -> list[dict[str, list[str]]]:
    return [{"clientToken": []}, *([{}] if optional else [])]


def _get(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": "OK"}}}


def page(openapi: dict[str, Any]) -> bytes:
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

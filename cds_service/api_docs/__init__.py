"""OpenAPI for people who integrate the service: every address with examples, and a page that shows it."""

from __future__ import annotations

from typing import Any

import msgspec

from cds_service import services
from cds_service.api_docs import examples, sandbox
from cds_service.api_docs.operations import FIGURES, HTML, METRICS, feedback, get, hook_call, named, parameter
from cds_service.api_docs.page import page
from cds_service.api_schemas import schemas
from cds_service.services import CdsService
from cds_service.settings import Settings

__all__ = ["document", "page"]

Json = dict[str, Any]


def document(settings: Settings, service: CdsService, version: str) -> Json:
    """OpenAPI 3.1."""
    token: list[Json] = [{"clientToken": []}, *([{}] if settings.sandbox else [])]
    about = {"mode": settings.mode, "contentVersion": examples.CONTENT_VERSION}
    listed = named("Discovery", msgspec.json.decode(services.discovery((service,))))
    find = "Discovery: the CDS Services of this server"
    ready = named("Readiness", {"status": "ready", "records": "database", **about})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baclofen CDS (sandbox)" if settings.sandbox else "Baclofen CDS",
            "version": version,
            "description": service.usage_requirements,
        },
        "servers": [{"url": settings.public_base_url or "/"}],
        "paths": {
            "/cds-services": {
                "get": get(find, listed, "401", security=token) if settings.protect_discovery else get(find, listed)
            },
            f"/cds-services/{service.id}": {"post": hook_call(service) | {"security": token}},
            f"/cds-services/{service.id}/feedback": {"post": feedback() | {"security": token}},
            "/healthz": {"get": get("The process is alive", named("Health", {"status": "alive", **about}))},
            "/readyz": {"get": get("The clinical content is loaded, and records can be kept", ready, "503")},
            "/content": {"get": get("The clinical content, for reading and printing", HTML)},
            "/insights": {"get": _insights() | {"security": token}},
            "/metrics": {"get": get("Counters for Prometheus", METRICS)},
            **(sandbox.paths(settings, service, listed) if settings.sandbox else {}),
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


def _insights() -> Json:
    asked = [
        parameter("since", "The first day, in UTC; the Monday twelve weeks ago.", "2026-10-01"),
        parameter("until", "The last day; today.", "2026-10-31"),
        parameter("client", "Of one client; of all.", "north"),
        parameter("hook", "order-sign where none is named.", "order-sign", values=("order-sign", "order-select")),
        parameter("format", "html where none is named.", "json", values=("html", "csv", "json")),
    ]
    what = "Figures of what was advised and what became of it"
    return get(what, FIGURES, "400", "401", "403", "503", parameters=asked)

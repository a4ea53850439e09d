"""JSON Schemas of what this service sends, as the OpenAPI document holds them: exactly that, and nothing beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

Schema = dict[str, Any]


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def _list(of: Schema, *, least: int = 1) -> Schema:
    return {"type": "array", "items": of, "minItems": least}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


_TEXT: Schema = {"type": "string", "minLength": 1}
_UUID: Schema = {"type": "string", "format": "uuid"}
_URL: Schema = {"type": "string", "format": "uri"}
_CODING = _object({"system": _URL, "code": _TEXT, "display": _TEXT})
_RESOURCE: Schema = {
    "type": "object",
    "required": ["resourceType"],
    "properties": {"resourceType": _TEXT},
    "description": "FHIR; an update is the draft as it was sent, with only dosage and supply changed",
}
_ACTION: Schema = {
    "oneOf": [
        _object({"type": _one_of("create", "update"), "description": _TEXT, "resource": _RESOURCE}),
        _object({"type": _one_of("delete"), "description": _TEXT, "resourceId": _TEXT}),
    ]
}
_SUGGESTION = _object(
    {"label": _TEXT, "uuid": _UUID, "actions": _list(_ACTION)},
    {"isRecommended": {"const": True}},
)
_CARD = _object(
    {
        "uuid": _UUID,
        "summary": {"type": "string", "minLength": 1, "maxLength": 139},
        "indicator": _one_of("info", "warning", "critical"),
        "source": _object({"label": _TEXT, "topic": _CODING}, {"url": _URL}),
    },
    {
        "detail": {"type": "string", "minLength": 1, "description": "GitHub-flavoured Markdown without HTML"},
        "suggestions": _list(_SUGGESTION),
        "selectionBehavior": _one_of("at-most-one", "any"),
        "overrideReasons": _list(_CODING),
        "links": _list(_object({"label": _TEXT, "url": _URL, "type": _one_of("absolute")})),
    },
)
_ISSUE = _object(
    {"severity": _one_of("error"), "code": _TEXT, "details": _object({"text": _TEXT}), "diagnostics": _TEXT},
    {"expression": _list(_TEXT)},
)


def schemas(hooks: Collection[str]) -> dict[str, Schema]:
    """By name. ``hooks`` are those that discovery lists."""
    listed = _object(
        {
            "hook": _one_of(*hooks),
            "id": _TEXT,
            "title": _TEXT,
            "description": _TEXT,
            "usageRequirements": _TEXT,
            "version": _TEXT,
        },
        {"prefetch": {"type": "object", "minProperties": 1, "additionalProperties": _TEXT}},
    )
    return {
        "Cards": _object({"cards": _list(_CARD, least=0)}),
        "Discovery": _object({"services": _list(listed, least=0)}),
        "Health": _object(
            {"status": _TEXT, "mode": _one_of("production", "sandbox"), "contentVersion": _TEXT},
        ),
        "Readiness": _object(
            {"status": _TEXT, "mode": _one_of("production", "sandbox"), "contentVersion": _TEXT},
            {"records": _one_of("database", "spool")},
        ),
        "Resource": _RESOURCE | {"description": "FHIR R4"},
        "OperationOutcome": _object({"resourceType": _one_of("OperationOutcome"), "issue": _list(_ISSUE)}),
    }

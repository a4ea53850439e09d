"""The addresses that sandbox mode has beside the others: the workbench, a FHIR server of the fixture patients, and EHRs
of each dialect and jurisdiction. What only the workbench's own page asks for is not described."""

from __future__ import annotations

from typing import Any

from cards.facts import Jurisdiction
from cds_service.api_docs import examples
from cds_service.api_docs.operations import HTML, feedback, get, hook_call, parameter, post, refused
from cds_service.dialects import Dialect
from cds_service.services import CdsService
from cds_service.settings import Settings

Json = dict[str, Any]

FHIR_TYPES = (
    "Patient", "Observation", "MedicationRequest", "Medication", "Condition", "Procedure", "AllergyIntolerance",
)  # fmt: skip
_AT = "/workbench"


def paths(settings: Settings, service: CdsService, listed: Json) -> Json:
    """``listed``: what discovery answers."""
    everyone = [f"{dialect.value}-{where.value.lower()}" for dialect in Dialect for where in Jurisdiction]
    usual = f"{Dialect.GENERIC.value}-{settings.jurisdiction.value.lower()}"
    role = [_role(*everyone)]
    others = [_role(*(one for one in everyone if one != usual))]
    kind = parameter("kind", "A FHIR type.", "Observation", values=FHIR_TYPES, where="path")
    identity = parameter("identity", "Its id.", "ckd-3b-egfr-5", where="path")
    own = f"{_AT}/as/{{role}}/cds-services"
    return {
        _AT: {"get": get("The workbench: play the EHR", HTML)},
        f"{_AT}/fhir/metadata": {"get": get("The FHIR server of the fixture patients", _fhir(_CAPABILITIES))},
        f"{_AT}/fhir/{{kind}}": {
            "get": get("FHIR search", _fhir(examples.BUNDLE), "400", "404", parameters=[kind, *_SEARCH])
        },
        f"{_AT}/fhir/{{kind}}/{{identity}}": {
            "get": get("FHIR read", _fhir(examples.EGFR), "404", parameters=[kind, identity])
        },
        own: {"get": get("Discovery, as another EHR sees it", listed, "404", parameters=others)},
        f"{own}/{service.id}": {"post": _at_another(hook_call(service), "The same call by another EHR", others)},
        f"{own}/{service.id}/feedback": {
            "post": _at_another(feedback(), "What became of cards at another EHR", others)
        },
        f"{_AT}/as/{{role}}/explain": {"post": _explain(service) | {"parameters": role}},
    }


def _at_another(operation: Json, summary: str, others: list[Json]) -> Json:
    responses = operation["responses"] | refused("404")
    return operation | {"summary": summary, "parameters": others, "responses": responses}


def _role(*values: str) -> Json:
    return parameter(
        "role", "Which EHR calls: its dialect and its jurisdiction.", values[-1], values=values, where="path"
    )


def _fhir(example: Json) -> Json:
    return {"application/fhir+json": {"schema": {"$ref": "#/components/schemas/Resource"}, "example": example}}


def _explain(service: CdsService) -> Json:
    call = hook_call(service)
    (sent,) = call["requestBody"]["content"].values()
    said = {
        "description": "Facts, outcomes of all rules, cards",
        "content": {"application/json": {"schema": {"type": "object"}, "example": _EXPLAINED}},
    }
    refusals = ["404", *(status for status in call["responses"] if status not in ("200", "401", "429", "503"))]
    return post("Why a call got these cards", sent["schema"], sent["example"], said, *refusals)


_SEARCH = [
    parameter("patient", "Of one patient.", "ckd-3b"),
    parameter("code", "Codes, with a comma between them.", "http://loinc.org|98979-8"),
    parameter("_sort", "Oldest or newest first.", "-date", values=("date", "-date")),
]
_CAPABILITIES: Json = {"resourceType": "CapabilityStatement", "status": "active", "kind": "instance"}
_EXPLAINED: Json = {
    "hook": "order-sign",
    "outcomes": [
        {
            "outcome": "NotIndicated",
            "rule": "baclofen-hypersensitivity",
            "because": "no allergy or intolerance to baclofen is recorded",
        }
    ],
    "cards": examples.CARDS["cards"],
}
"""Cut short."""

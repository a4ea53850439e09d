"""The FHIR server of the fixture patients: read and search, R4, nothing is written.

What a suggestion creates or changes stays an unsigned order of the page's session, as in an EHR before signing: there
is nothing to write.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cds_service.errors import NotFound
from cds_service.routes import NO_STORE
from cds_service.workbench.fhir_json import Json
from cds_service.workbench.patients import patients
from cds_service.workbench.search import TYPES, bundle, search

MEDIA_TYPE = "application/fhir+json"
_PARAMETERS = [
    {"name": "_id", "type": "token"},
    {"name": "patient", "type": "reference"},
    {"name": "code", "type": "token"},
    {"name": "status", "type": "token"},
]


@lru_cache(maxsize=2)
def _resources(today: date) -> dict[str, Json]:
    """By reference, of all patients."""
    charts = (one for patient in patients(today) for one in patient.chart)
    return {f"{one['resourceType']}/{one['id']}": one for one in charts}


class FhirApi:
    def __init__(self, today: Callable[[], date]) -> None:
        self._today = today

    async def metadata(self, request: Request) -> Response:
        return _json(_capabilities(_base(request, "/metadata")))

    async def read(self, request: Request) -> Response:
        kind, identity = request.path_params["kind"], request.path_params["identity"]
        found = _resources(self._today()).get(f"{kind}/{identity}")
        if found is None:
            raise NotFound
        return _json(found)

    async def search(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in TYPES:
            raise NotFound
        query = request.query_params.multi_items()
        found = search(_resources(self._today()).values(), kind, query)
        base = _base(request, f"/{kind}")

        def address(offset: int | None) -> str:
            same = [(name, value) for name, value in query if offset is None or name != "_offset"]
            parameters = same if offset is None else [*same, ("_offset", str(offset))]
            return f"{base}/{kind}{'?' if parameters else ''}{urlencode(parameters, safe='/:|,')}"

        return _json(bundle(found, base, address))


def _base(request: Request, end: str) -> str:
    return str(request.url.replace(query="")).removesuffix(end)


def _json(value: Json) -> Response:
    return Response(msgspec.json.encode(value), 200, NO_STORE, MEDIA_TYPE)


def _capabilities(base: str) -> Json:
    interactions = [{"code": "read"}, {"code": "search-type"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "implementation": {"description": "Fixture patients of Baclofen CDS, synthetic; read only", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [{"type": kind, "interaction": interactions, "searchParam": _PARAMETERS} for kind in TYPES],
            }
        ],
    }

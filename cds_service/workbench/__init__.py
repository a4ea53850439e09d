"""The workbench: a page on which a tester plays the EHR. Sandbox mode only: in production its addresses do not exist.

The page itself is the CDS Client: it reads discovery, fills the prefetch templates from the FHIR API of the fixture
patients, posts the hook call and the feedback. What it asks of this package beside that are things to look at: charts,
rendered Markdown, and the why of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import msgspec
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from cds_service import services
from cds_service.course import Course
from cds_service.errors import FieldInvalid, NotFound, NotJson
from cds_service.explain.tree import as_json
from cds_service.gate import Gate
from cds_service.hooks import parse
from cds_service.respond import Deps, judge, read, tell
from cds_service.routes import (
    DISCOVERY,
    NO_STORE,
    ForClient,
    HookCalls,
    always,
    for_clients,
    json_response,
    read_body,
    read_headers,
)
from cds_service.services import CdsService
from cds_service.settings import Settings
from cds_service.workbench import page
from cds_service.workbench.bundles import patient_of, resources_of
from cds_service.workbench.chart import chart, running_baclofen
from cds_service.workbench.fhir_api import FhirApi
from cds_service.workbench.fhir_json import Json, at, objects, reference, text
from cds_service.workbench.patients import patients
from cds_service.workbench.roles import AT, Role
from cds_service.workbench.search import bundle, search

PATH = "/workbench"


@dataclass(frozen=True, slots=True)
class Workbench:
    """What the page needs of the service; wired in ``app.create_app``."""

    settings: Settings
    service: CdsService
    roles: tuple[Role, ...]
    deps: Mapping[str, Deps]
    """By the name of the client."""
    hook_calls: Callable[[Gate], HookCalls]
    feedback: Callable[[Gate], ForClient]

    def open_in(self, app: FastAPI) -> None:
        fhir = FhirApi(lambda: self._any.clock().date())
        app.add_route("/", self._here, ["GET"])
        app.add_route(PATH, self._page, ["GET"])
        app.add_route(f"{PATH}/assets/{{name}}", _asset, ["GET"])
        app.add_route(f"{PATH}/patients/{{identity}}", self._patient, ["GET"])
        app.add_route(f"{PATH}/chart", self._chart, ["POST"])
        app.add_route(f"{PATH}/prefetch", self._prefetch, ["POST"])
        app.add_route(f"{PATH}/markdown", self._markdown, ["POST"])
        app.add_route(f"{PATH}/fhir/metadata", fhir.metadata, ["GET"])
        app.add_route(f"{PATH}/fhir/{{kind}}", fhir.search, ["GET"])
        app.add_route(f"{PATH}/fhir/{{kind}}/{{identity}}", fhir.read, ["GET"])
        for role in self.roles:
            app.add_route(f"{AT}/{role.name}/explain", partial(self._explain, role), ["POST"])
            if role.discovery != DISCOVERY:
                calls, told = self.hook_calls(role.gate), for_clients(self.feedback(role.gate), role.gate, "")
                app.add_route(role.discovery, always(services.discovery((self.service,))), ["GET"])
                app.add_route(f"{role.discovery}/{{service_id}}", calls.routed, ["POST"])
                app.add_route(f"{role.discovery}/{{service_id}}/feedback", told, ["POST"])

    @property
    def _any(self) -> Deps:
        return self.deps[self.roles[0].client.name]

    async def _here(self, request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{PATH}", 307, NO_STORE)

    async def _page(self, request: Request) -> Response:
        now = self._any.clock()
        config = {
            "roles": {one.name: one.discovery.removeprefix("/") for one in self.roles},
            "jurisdiction": self.settings.jurisdiction.value,
            "service": self.service.id,
            "products": [row for rows in page.products().values() for row in rows],
            "titles": {rule: self._any.catalogue.words.title(rule) for rule in self._any.catalogue.words.texts},
        }
        values = {
            "config": config,
            "today": now.date().isoformat(),
            "fixed": self.settings.today is not None,
            "version": self._any.catalogue.content_version,
            "keys": services.PURPOSES,
            "insights": any(getattr(route, "path", "") == "/insights" for route in request.app.routes),
        }
        html = page.whole_page(values, patients(now.date()))
        return Response(html, 200, {**NO_STORE, "content-security-policy": page.POLICY}, "text/html")

    async def _patient(self, request: Request) -> Response:
        today = self._any.clock().date()
        for one in patients(today):
            if one.id == request.path_params["identity"]:
                shown = self._shown(one.patient_id, list(one.chart), list(one.unsigned))
                return _json(shown | {"id": one.id, "title": one.title, "shows": one.shows})
        raise NotFound

    async def _chart(self, request: Request) -> Response:
        """Of what somebody brought: a Bundle, or the prefetch of a hook request."""
        given = await self._body(request)
        if "request" in given:
            values = at(given, "request", "prefetch")
            prefetched = [{"resource": one} for one in values.values() if one] if isinstance(values, dict) else []
            resources = resources_of({"resourceType": "Bundle", "entry": prefetched}) if prefetched else []
            entries = objects(given, "request", "context", "draftOrders", "entry")
            drafts = [entry["resource"] for entry in entries if text(entry, "resource", "resourceType")]
            patient_id = text(given, "request", "context", "patientId").removeprefix("Patient/")
            return _json(self._shown(patient_id, resources, drafts))
        resources = resources_of(at(given, "bundle"))
        patient_id = patient_of(resources)
        drafts = [one for one in resources if text(one, "status") == "draft"]
        chart_of = [one for one in resources if one not in drafts]
        return _json(self._shown(patient_id, chart_of, drafts) | {"resources": chart_of})

    def _shown(self, patient_id: str, resources: list[Json], unsigned: list[Json]) -> Json:
        return {
            "patientId": patient_id,
            "unsigned": unsigned,
            "running": [{"reference": one.reference, "label": one.label} for one in running_baclofen(resources)],
            "held": {reference(one): one for one in resources if one["resourceType"] == "MedicationRequest"},
            "chart": page.chart_html(chart(resources, self._any.clock().date())),
        }

    async def _prefetch(self, request: Request) -> Response:
        """Templates filled from a Bundle that was brought, by the same search as the FHIR API's."""
        given = await self._body(request)
        held = objects(given, "resources")
        queries = at(given, "queries")
        if not isinstance(queries, dict):
            raise FieldInvalid("queries", "an object of searches")
        return _json({key: _answer(held, str(query)) for key, query in queries.items()})

    async def _markdown(self, request: Request) -> Response:
        texts = at(await self._body(request), "texts")
        if not isinstance(texts, list):
            raise FieldInvalid("texts", "an array of texts")
        return _json({"html": page.rendered(str(one) for one in texts)})

    async def _explain(self, role: Role, request: Request) -> Response:
        """What ``baclofen-cds explain --json`` says of the same request, for the client of the role."""
        body = await self._read(request)
        deps = self.deps[role.client.name]
        call, found = await read(parse(body, self.service.hooks), partial(_hung_up, request), deps)
        if found is None:
            return _json({"outcomes": [], "cards": []})
        course = Course()
        judged = judge(call, found, deps, course)
        overridden = await deps.overrides.of(role.client.name, "", call.patient_id, judged.facts.now)
        return json_response(as_json(call, tell(call, judged, deps, overridden, course)).encode())

    async def _read(self, request: Request) -> bytes | bytearray:
        return await read_body(request.receive, read_headers(request.scope["headers"]).length, self.settings)

    async def _body(self, request: Request) -> Json:
        body = await self._read(request)
        try:
            given: Json = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise NotJson from None
        return given


async def _asset(request: Request) -> Response:
    if (found := page.assets().get(request.path_params["name"])) is None:
        raise NotFound
    content, media_type = found
    return Response(content, 200, {**NO_STORE, "x-content-type-options": "nosniff"}, media_type)


def _answer(held: list[Json], query: str) -> Json:
    """A read or a search, as "Patient/1" and "Observation?patient=1&code=..."."""
    kind, _, asked = query.partition("?")
    if not asked:
        return next((one for one in held if reference(one) == kind), _NOT_THERE)
    pairs = [part.partition("=") for part in asked.split("&")]
    found = search(held, kind, [(name, value) for name, _, value in pairs])
    return bundle(found, "urn:brought", lambda _: query)


_NOT_THERE: Json = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "not-found", "details": {"text": "The Bundle has no such resource."}}],
}


async def _hung_up(request: Request) -> NoReturn:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect


def _json(value: Json) -> Response:
    return json_response(msgspec.json.encode(value))

"""The one place where the service is wired."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cards.catalogue import Catalogue
from cds_service import api_docs, clients, completion, first_order, log, retention, services, suggestions
from cds_service import settings as settings_of
from cds_service.audit import Clerk
from cds_service.clients import CdsClient
from cds_service.clinical_content.page import content_page
from cds_service.comments import Comments
from cds_service.errors import MethodNotAllowed, NotFound, ServiceError
from cds_service.fhir_access import Reading
from cds_service.fhir_client import FhirClient, connections
from cds_service.fhir_client.networks import LOOPBACK
from cds_service.gate import Gate
from cds_service.gather.codes import Codes
from cds_service.insights.names import Names
from cds_service.insights.reports import SANDBOX, Reports
from cds_service.middleware import SANDBOX_MARK, BasePath, DirectCall, Edge, on_this_machine
from cds_service.overrides import StoredOverrides
from cds_service.pseudonyms import Pseudonyms
from cds_service.recorder import StoreRecorder
from cds_service.respond import Deps, respond
from cds_service.routes import (
    DISCOVERY,
    NO_STORE,
    Answers,
    ForClient,
    HookCalls,
    always,
    counters,
    error_response,
    feedback_taker,
    figures_reader,
    for_clients,
    readiness,
    with_caller,
    written_once,
)
from cds_service.services import CdsService
from cds_service.settings import Settings
from cds_service.store import Store
from cds_service.traces import Traces
from cds_service.warmed import Warmed, never
from cds_service.workbench import Workbench
from cds_service.workbench.roles import roles


def create_app(settings: Settings) -> FastAPI:
    """The whole service. Loads the clinical content; raises its errors, each with a cure."""
    known = clients.load(settings)
    store = Store.open(settings)
    gate = Gate.of(settings, known, store)
    wired = wire(settings)
    suggestions.warm()
    first_order.warm(wired)
    deps, recorder = recorded(wired, settings, store)
    service = services.baclofen_safety(deps.catalogue.reads)
    service = services.in_sandbox(service) if settings.sandbox else service
    fhir = _fhir_client(settings)
    warmed = Warmed() if settings.warm_order_sign else None

    def reading(client: CdsClient) -> Reading:
        earlier = partial(warmed.earlier, client.name) if warmed else never
        return Reading.of(settings, fhir, completion.searches(service.prefetch), client.fhir_servers, earlier)

    about = {"mode": settings.mode, "contentVersion": deps.catalogue.content_version}
    of = {client.name: _deps_of(client, deps, reading(client)) for client in [clients.ANYBODY, *known]}
    playing = roles(settings) if settings.sandbox else ()
    for role in playing:
        of[role.client.name] = replace(
            _deps_of(role.client, deps, reading(role.client)), jurisdiction=role.jurisdiction
        )
    answers = {name: partial(respond, deps=its) for name, its in of.items()}
    traces = Traces.of(settings, _release())
    app = application(settings, service, lambda client: answers[client.name], about, gate, traces=traces)

    def feedback(through: Gate) -> ForClient:
        return feedback_taker(settings, service, through, lambda told, who: recorder.told(told, who, deps.clock()))

    path = f"{DISCOVERY}/{service.id}/feedback"
    app.add_route(f"{DISCOVERY}/{{service_id}}/feedback", with_caller(feedback(gate), gate, path), ["POST"])
    app.state.closing = [fhir.close]
    app.state.traces = traces
    app.state.store = store
    app.state.looking_after = partial(retention.daily, store, deps.clock, settings.audit_days)
    figures = figures_reader(_reports(settings, deps, store).written, gate, to_all=settings.sandbox)
    app.add_route("/insights", for_clients(figures, gate, "/insights"), ["GET"])
    app.add_route("/content", written_once(partial(content_page, deps.catalogue, sandbox=settings.sandbox)), ["GET"])
    if settings.sandbox:
        calls = partial(HookCalls, settings, service, lambda client: answers[client.name])
        Workbench(settings, service, playing, of, calls, feedback).open_in(app)
    return app


def _reports(settings: Settings, deps: Deps, store: Store) -> Reports:
    return Reports(
        engine=lambda: store.engine,
        names=Names.of(deps.catalogue),
        today=lambda: deps.clock().date(),
        small_number=settings.small_number,
        ignored_after=timedelta(days=settings.ignored_after_days),
        about=SANDBOX if settings.sandbox else "",
    )


def _deps_of(client: CdsClient, deps: Deps, reading: Reading) -> Deps:
    """What its profile gives a client."""
    return replace(
        deps,
        catalogue=deps.catalogue.for_site(client.rules_off, client.rules_silent),
        aliases={**deps.aliases, **client.key_aliases},
        reading=reading,
        dialect=client.dialect,
    )


def recorded(deps: Deps, settings: Settings, store: Store) -> tuple[Deps, StoreRecorder]:
    """The same, where every call is written down and overrides are remembered. Raises ``SettingsError``."""
    names = Pseudonyms.of(settings.hash_key.get_secret_value())
    comments = Comments.of(settings.comment_key.get_secret_value()) if settings.feedback_comments else None
    clerk = Clerk(names, deps.catalogue.content_version, _release())
    recorder = StoreRecorder(store, clerk, comments)
    return replace(deps, overrides=StoredOverrides(names, store), recorder=recorder), recorder


def wire(settings: Settings) -> Deps:
    """What answers a call, for the service and for the command line."""
    return Deps(
        catalogue=Catalogue.load(),
        codes=Codes.load(snomed=settings.snomed, dmd=settings.dmd),
        clock=_clock(settings),
        aliases=settings.aliases,
        reading=None,
        content_url=f"{settings.public_base_url}/content" if settings.public_base_url else "",
        jurisdiction=settings.jurisdiction,
    )


def _fhir_client(settings: Settings) -> FhirClient:
    """Connects to public addresses and to the networks of the settings; in sandbox mode to this machine as well."""
    networks = tuple(str(network) for network in settings.fhir_networks)
    networks += LOOPBACK if settings.sandbox else ()
    opens = connections.transports(networks, settings.ca_file)  # it was readable when the keys were made ready
    return FhirClient(opens, most_bytes=settings.max_body_bytes)


def _clock(settings: Settings) -> Callable[[], datetime]:
    if settings.sandbox and settings.today:
        noon = datetime.combine(settings.today, time(12), UTC)
        return lambda: noon
    return lambda: datetime.now(UTC)


def application(
    settings: Settings,
    service: CdsService,
    answers: Answers,
    about: dict[str, str],
    gate: Gate,
    *,
    traces: Traces | None = None,
) -> FastAPI:
    """The HTTP side of ``service``, whatever answers its calls."""
    app = _Inside(
        title="Baclofen CDS",
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    discovery = always(services.discovery((service,)))
    if settings.protect_discovery:
        app.add_route(DISCOVERY, for_clients(lambda request, _: discovery(request), gate, DISCOVERY), ["GET"])
    else:
        app.add_route(DISCOVERY, discovery, ["GET"])
    calls = HookCalls(settings, service, answers, gate, traces)
    app.add_route(f"{DISCOVERY}/{{service_id}}", calls.routed, ["POST"])
    app.add_route("/healthz", always(msgspec.json.encode({"status": "alive", **about})), ["GET"])
    app.add_route("/readyz", readiness(gate.store, about), ["GET"])
    app.add_route("/metrics", counters, ["GET"])
    openapi = api_docs.document(settings, service, _release())
    app.add_route("/openapi.json", always(msgspec.json.encode(openapi)), ["GET"])
    app.add_route("/docs", always(api_docs.page(openapi), "text/html"), ["GET"])
    app.add_exception_handler(ServiceError, _refused)
    app.add_exception_handler(HTTPException, _refused)
    router = BasePath(app.routed, settings.base_path) if settings.base_path else app.routed
    pages = on_this_machine if settings.sandbox else gate.origins.__contains__ if gate.origins else None
    calls_first = DirectCall(router, f"{DISCOVERY}/{service.id}", calls)
    app.outside = Edge(calls_first, [SANDBOX_MARK] if settings.sandbox else [], pages)
    return app


class _Inside(FastAPI):
    """FastAPI with its router and middleware, behind what every request meets first."""

    outside: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.outside(scope, receive, send)

    async def routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)


def from_environment() -> FastAPI:
    """For worker processes: ``uvicorn --factory cds_service.app:from_environment``."""
    return create_app(settings_of.load())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    if store := getattr(app.state, "store", None):
        store.start()
    # What was loaded at start lives for ever: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    log.event("started")
    looking_after = getattr(app.state, "looking_after", None)
    task = asyncio.create_task(looking_after()) if looking_after else None
    yield
    if task:
        task.cancel()
    for close in getattr(app.state, "closing", ()):
        await close()
    if store:
        await store.close()
    if traces := getattr(app.state, "traces", None):
        await asyncio.to_thread(traces.close)
    log.event("stopped")


async def _refused(request: Request, error: Exception) -> Response:
    """Our errors, and the router's 404 and 405. OPTIONS on an address that exists is answered with what it allows."""
    if isinstance(error, ServiceError):
        return error_response(error)
    if isinstance(error, HTTPException) and error.status_code == 405:
        allow = {"allow": ", ".join([*(error.headers or {}).get("Allow", "").split(", "), "OPTIONS"])}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**NO_STORE, **allow})
        return error_response(MethodNotAllowed(headers=allow))
    return error_response(NotFound())


def _release() -> str:
    try:
        return version("baclofen-cds")
    except PackageNotFoundError:
        return "0"

"""The addresses of the service: short functions on the raw request. What a call means is in ``respond``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple, NoReturn

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive

from cds_service import log, metrics
from cds_service.aside import aside
from cds_service.clients import Caller, CdsClient
from cds_service.clinical_content.page import Page
from cds_service.completion import HungUp
from cds_service.course import Course, Stage
from cds_service.errors import (
    BadRequest,
    ClientHungUpError,
    FiguresUnavailable,
    InternalFault,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    ServiceError,
    SlowBody,
    TooBusy,
    TooDeep,
    TooLarge,
    TwoCredentials,
    UnsupportedMedia,
)
from cds_service.feedback import Feedback, read_feedback
from cds_service.gate import Gate
from cds_service.hooks import HookCall, parse
from cds_service.insights.reports import Document, NotReadError
from cds_service.insights.selection import SelectionError
from cds_service.services import CdsService
from cds_service.settings import Settings
from cds_service.store import Store
from cds_service.traces import Traces

Answer = Callable[[HookCall, Course, HungUp], Awaitable[bytes]]
"""``respond.respond`` with everything that it needs: the encoded CDS Hooks response."""

Answers = Callable[[CdsClient], Answer]
"""What answers the calls of one client."""
Endpoint = Callable[[Request], Awaitable[Response]]
ForClient = Callable[[Request, Caller], Awaitable[Response]]

Head = Iterable[tuple[bytes, bytes]]
"""The headers of a request, as ASGI has them."""

DISCOVERY = "/cds-services"
NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""On every answer: kept by nobody on the way, and taken for nothing but what it says it is."""


def json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, {**NO_STORE, **(headers or {})}, "application/json")


def error_response(error: ServiceError) -> Response:
    return json_response(error.outcome(), error.status, error.headers)


def always(body: bytes, media_type: str = "application/json") -> Endpoint:
    """An address that always says the same: discovery, health, documentation."""

    async def endpoint(_: Request) -> Response:
        return Response(body, 200, NO_STORE, media_type)

    return endpoint


def readiness(store: Store | None, about: dict[str, str]) -> Endpoint:
    """Whether calls should come here. The content was loaded, else nothing would answer; what changes is whether
    records can be kept. Another machine may have room; where none has, calls that arrive are answered all the same."""

    async def endpoint(_: Request) -> Response:
        if store and not store.healthy():
            raise NotReady
        records = {"records": "spool" if store.spooling else "database"} if store else {}
        return json_response(msgspec.json.encode({"status": "ready", **records, **about}))

    return endpoint


def written_once(write: Callable[[], Page]) -> Callable[[Request], Response]:
    """A page that takes a second to write. No coroutine: it is written in a thread, and no hook call waits for it."""

    def endpoint(_: Request) -> Response:
        page = write()
        return Response(page.body, 200, {**NO_STORE, "content-security-policy": page.policy}, "text/html")

    return endpoint


async def counters(_: Request) -> Response:
    return Response(metrics.exposition(), 200, NO_STORE, metrics.CONTENT_TYPE)


def for_clients(endpoint: ForClient, gate: Gate, path: str) -> Endpoint:
    """An address for authenticated clients only."""

    async def noted(request: Request, caller: Caller) -> Response:
        await gate.note(caller.use)
        return await endpoint(request, caller)

    return with_caller(noted, gate, path)


def with_caller(endpoint: ForClient, gate: Gate, path: str) -> Endpoint:
    """The same for an ``endpoint`` that notes the use of the token itself, with what it writes."""

    async def guarded(request: Request) -> Response:
        caller = None
        try:
            caller = await gate.authenticator.authenticate(read_headers(request.scope["headers"]).authorization, path)
            return await endpoint(request, caller)
        except NotAuthenticated as error:
            log.event("not authenticated", "warning", **_about(error))
            raise
        except ServiceError:
            gate.note_soon(caller and caller.use)
            raise

    return guarded


class HookCalls:
    """POST /cds-services/{service_id}."""

    def __init__(
        self, settings: Settings, service: CdsService, answers: Answers, gate: Gate, traces: Traces | None = None
    ) -> None:
        self._settings = settings
        self._service = service
        self._answers = answers
        self._gate = gate
        self._path = f"{DISCOVERY}/{service.id}"
        self._places = _Places(settings.max_calls)
        self._traces = traces

    async def routed(self, request: Request) -> Response:
        """A call that the router has matched."""
        if request.path_params["service_id"] != self._service.id:
            raise NotFound
        return json_response(await self.answer(request.scope["headers"], request.receive))

    async def answer(self, headers: Head, receive: Receive) -> bytes:
        """The encoded CDS Hooks response. Raises ``ServiceError`` and ``ClientDisconnect``."""
        course = Course(log.request_id.get())
        call: HookCall | None = None
        size, status = 0, 500
        fields = log.Fields()
        try:
            self._places.refuse_when_full()
            length, authorization = read_headers(headers)
            client, tenant, course.use = await self._gate.authenticator.authenticate(authorization, self._path)
            course.belongs_to(client.name, tenant, listed=tenant in client.tenants)
            fields["client"] = client.name
            course.done(Stage.TOKEN)
            with self._places, self._gate.quota(client):
                body = await read_body(receive, length, self._settings)
                size = len(body)
                course.done(Stage.BODY)
                call = await aside(size, parse, body, self._service.hooks)
                course.done(Stage.PARSE)
                answer = await self._answers(client)(call, course, partial(_hung_up, receive))
                await self._gate.note(course.take_use())
                status = 200
        except ServiceError as error:
            status = error.status
            if isinstance(error, NotAuthenticated):
                fields = _about(error)
            else:
                fields["problem"] = error.problem
            raise
        except (ClientDisconnect, ClientHungUpError):
            status = ClientHungUpError.status
            raise ClientDisconnect from None
        except RecursionError:
            status = TooDeep.status
            raise TooDeep from None
        except Exception as error:  # noqa: BLE001  # whatever failed: the order was not checked, and that must be said
            log.failed("call failed", error)
            raise InternalFault from None
        else:
            return answer
        finally:
            self._gate.note_soon(course.take_use())
            _account(call, course, status, log.Fields(body_bytes=size, **fields))
            if self._traces:
                hook = call.hook.value if call else "none"
                parent = next((value for name, value in headers if name == b"traceparent"), b"")
                self._traces.call(course, hook, status, parent.decode("latin-1"))


class _Places:
    """For calls at the same time. ``with places:`` takes one: only for who is known, however many strangers knock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0

    def refuse_when_full(self) -> None:
        if self._taken >= self._most:
            raise TooBusy(headers={"retry-after": "1"})

    def __enter__(self) -> None:
        self.refuse_when_full()
        self._taken += 1

    def __exit__(self, *_: object) -> None:
        self._taken -= 1


async def _hung_up(receive: Receive) -> NoReturn:
    """Once its body was read, the only thing that a client can still say is that it has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientHungUpError


def _about(refusal: NotAuthenticated) -> log.Fields:
    about = log.Fields(refused=refusal.reason)
    if refusal.client:
        about["client"] = refusal.client
    return about


def _account(call: HookCall | None, course: Course, status: int, fields: log.Fields) -> None:
    hook, seconds = call.hook.value if call else "none", course.elapsed
    metrics.call_answered(course.client, hook, status, seconds)
    if course.assessed:
        for stage, begin, end in course.stages():
            metrics.stage_took(stage, (end - begin) / 1e9)
    fields |= log.Fields(hook=hook, status=status, milliseconds=round(seconds * 1000, 2))
    if call and call.instance_is_uuid:
        fields["hook_instance"] = call.hook_instance
    elif call:
        fields["hook_instance_is_uuid"] = False
    log.event("call", "info" if status < 500 else "error", **fields)


async def read_body(receive: Receive, declared: int, settings: Settings) -> bytes | bytearray:
    """The whole body of a hook call, within the limits of size and time."""
    limit = settings.max_body_bytes
    if declared > limit:
        raise _too_large(limit)
    body: bytes | bytearray = b""
    try:
        async with asyncio.timeout(settings.body_seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                if len(body) + len(chunk) > limit:
                    raise _too_large(limit)
                if isinstance(body, bytearray):
                    body += chunk
                else:
                    # Grown in place: the whole beside its pieces would be twice the memory.
                    body = bytearray(body) + chunk if body else chunk
                more = message.get("more_body", False)
    except TimeoutError:
        raise SlowBody(headers={"connection": "close"}) from None
    return body


class Headers(NamedTuple):
    length: int
    """Content-Length; 0 without one."""
    authorization: str | None


def read_headers(headers: Head) -> Headers:
    """Raises ``UnsupportedMedia`` and ``TwoCredentials``. A missing Content-Type is accepted: the body then has to be
    JSON anyway."""
    length, authorization = 0, None
    for name, value in headers:
        if name == b"content-length" and value.isdigit():
            length = int(value[:20])
        elif name == b"authorization":
            if authorization is not None:
                raise TwoCredentials
            authorization = value.decode("latin-1")
        elif (name == b"content-type" and value != b"application/json" and not _is_json(value.decode("latin-1"))) or (
            name == b"content-encoding" and value != b"identity"
        ):
            raise UnsupportedMedia
    return Headers(length, authorization)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The request body is larger than {limit} bytes. The order was not checked.",
        "Send only the prefetch that GET /cds-services asks for, or ask the operator of this service for more.",
        headers={"connection": "close"},
    )


def _is_json(content_type: str) -> bool:
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")]
    known = media in ("application/json", "application/json+fhir") or (
        media.startswith("application/") and media.endswith("+json")
    )
    return known and all(charset in ("utf-8", "utf8", "us-ascii") for charset in charsets)


def figures_reader(written: Callable[[Mapping[str, str]], Document], gate: Gate, *, to_all: bool) -> ForClient:
    """GET /insights. ``to_all``: sandbox mode. One report at a time is written in a worker, in a thread."""
    turn = asyncio.Lock()

    async def endpoint(request: Request, caller: Caller) -> Response:
        if not (to_all or caller.client.insights):
            raise NotAllowed
        with gate.quota(caller.client):
            async with turn:
                try:
                    document = await asyncio.to_thread(written, dict(request.query_params))
                except SelectionError as wrong:
                    raise BadRequest(f"{wrong.name} cannot be used.", f"{wrong.cure}.", at=wrong.name) from None
                except NotReadError as error:
                    log.failed("figures not read", error)
                    raise FiguresUnavailable from None
        return Response(document.body, 200, {**NO_STORE, **document.headers}, document.media_type)

    return endpoint


def feedback_taker(
    settings: Settings, service: CdsService, gate: Gate, told: Callable[[Feedback, Caller], Awaitable[None]]
) -> ForClient:
    """POST /cds-services/{service_id}/feedback. Success is 200 without a body: no other form is specified. It leaves
    when all that was told is durable."""

    async def endpoint(request: Request, caller: Caller) -> Response:
        if request.path_params["service_id"] != service.id:
            raise NotFound
        with gate.quota(caller.client):
            feedback = read_feedback(
                await read_body(request.receive, read_headers(request.scope["headers"]).length, settings)
            )
            await told(feedback, caller)
        return Response(status_code=200, headers=NO_STORE)

    return endpoint

"""What may not leak (checklist F3, J16, X3, X5): nothing of a request in the log, metrics, error bodies or addresses;
in the store nothing but what docs/operations/records.md lists and justifies.

The service runs as a process of its own, so that what the server itself writes is seen too. Requests carry canaries in
every place; then all that the process wrote, to its streams and into files, is searched for them.
"""

from __future__ import annotations

import copy
import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from cds_service import log
from cds_service.audit.detail import Detail
from cds_service.store.rows import TABLES
from tests.conformance.calls import (
    SERVICE,
    TODAY,
    Json,
    active,
    chart,
    condition,
    egfr,
    order,
    order_sign,
    patient,
    search,
)
from tests.conformance.process import Service, serving
from tests.conformance.scenarios import SCENARIOS
from tests.conformance.trust import BASE, header, key, public, token

ROOT = Path(__file__).parents[2]
CANARY = re.compile(r"(?i)canary|1931-07-19|T04:05:06Z|876543219|13\.71975|17\.319753|Quetzalcoatl")
"""Whatever holds one of these came from a request."""

ACCESS_TOKEN = "eyJjYW5hcnkiOiJjYW5hcnkifQ.canary.canary"  # noqa: S105  # stands for one


def full() -> Json:
    """An order that gets cards, with a canary in each place where a value is free."""
    request = order_sign(
        order("canary-order", mg=13.71975, note=[{"text": "canary note"}], authoredOn="2026-11-03T04:05:06Z",
              requester={"reference": "Practitioner/canary-requester", "display": "Dr Quetzalcoatl"}),
        patientId="canary-patient",
        userId="Practitioner/canary-user",
        encounterId="canary-encounter",
        prefetch=chart(
            patient=patient("1931-07-19", id="canary-patient", name=[{"family": "Quetzalcoatl", "given": ["Canary"]}],
                            identifier=[{"system": "urn:canary", "value": "876543219"}]),
            kidney=search(egfr(17.319753, "2026-11-03", "canary-egfr")),
            medications=search(active("canary-med", {"text": "canarycillin 5 mg", "coding": [
                {"system": "urn:canary-codes", "code": "canary-code", "display": "Canarycillin"}]})),
            conditions=search(condition("876543219", "Canary disease"), condition("F20.0", "Canary schizophrenia")),
        ),
    )  # fmt: skip
    text = json.dumps(request).replace("Patient/p1", "Patient/canary-patient")
    whole: Json = json.loads(text)
    return whole | {
        "fhirServer": "https://canary.example/fhir",
        "fhirAuthorization": {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "scope": "canary",
                              "subject": "canary", "expires_in": 300},
        "extension": {"com.canary": "canary"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service keeps what it writes down."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, state: Path) -> Iterator[Service]:
    kept = {"BACLOFEN_CDS_STATE_DIR": str(state), "BACLOFEN_CDS_SPOOL_BYTES": str(1 << 20)}
    folder = tmp_path_factory.mktemp("leaks")
    with serving(folder, "--sandbox", BACLOFEN_CDS_TODAY=TODAY, **kept) as running:
        yield running
        assert_nothing_kept(state)


@pytest.fixture
def caller(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as client:
        yield client


def assert_clean(service: Service, caller: httpx.Client, *errors: httpx.Response) -> None:
    """Nothing in what the process wrote or counts, nothing in these answers."""
    said = service.log()
    assert not CANARY.search(said), CANARY.search(said)
    counted = caller.get("/metrics").text
    assert not CANARY.search(counted), CANARY.search(counted)
    for response in errors:
        assert not CANARY.search(response.text), response.text
        assert not CANARY.search(str(response.headers)), response.headers


def assert_nothing_kept(state: Path) -> None:
    """In no byte of the database, its journal and the spool."""
    files = [file for file in state.rglob("*") if file.is_file()]
    assert files
    for file in files:
        found = CANARY.search(file.read_bytes().decode("latin-1"))
        assert not found, (file.name, found)


def post(caller: httpx.Client, request: Any, path: str = SERVICE, **headers: str) -> httpx.Response:
    body = json.dumps(request) if isinstance(request, dict) else request
    return caller.post(path, content=body, headers={"content-type": "application/json", **headers})


# ------------------------------------------------------------------------------------------------------ the happy path


def test_what_is_answered_well_is_not_written_down(service: Service, caller: httpx.Client) -> None:
    response = post(caller, full())
    assert response.status_code == 200
    cards = response.json()["cards"]
    assert CANARY.search(json.dumps(cards)), "the request did reach the rules"
    assert_clean(service, caller)
    assert '"event":"call"' in service.log()


def test_what_is_answered_well_is_written_down_without_it(caller: httpx.Client, state: Path) -> None:
    answer = post(caller, full())
    with closing(sqlite3.connect(state / "store.sqlite3")) as store:
        asked = "SELECT detail FROM hook_call WHERE detail LIKE ?"
        ((written,),) = store.execute(asked, [f"%{answer.headers['x-request-id']}%"]).fetchall()
        cards = {uuid for (uuid,) in store.execute("SELECT uuid FROM card")}
    assert {card["uuid"] for card in answer.json()["cards"]} <= cards
    said = json.loads(written)
    assert said["facts"]["kidney_results/egfr"] == "2026-11-03", "the day, and neither the value nor the hour"
    assert said["facts"]["problems/psychosis-schizophrenia-spectrum"] == "2026-10-01"
    assert said["facts"]["age"] is None, "no birth date"
    assert_nothing_kept(state)


def test_no_address_or_topic_on_a_card_holds_anything_of_the_request(caller: httpx.Client) -> None:
    for card in post(caller, full()).json()["cards"]:
        fixed = json.dumps([card["source"], card.get("links", []), card["overrideReasons"]])
        assert not CANARY.search(fixed)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_kind_of_card(service: Service, caller: httpx.Client, name: str) -> None:
    text = json.dumps(SCENARIOS[name]).replace('"p1"', '"canary-p"').replace("Patient/p1", "Patient/canary-p")
    text = text.replace('"display": "', '"display": "canary ').replace('"text": "', '"text": "canary ')
    assert post(caller, text).status_code == 200
    assert_clean(service, caller)


# ------------------------------------------------------------------------------------------------- each place, in turn


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from places(inside, (*path, name))
    elif isinstance(value, list):
        for number, inside in enumerate(value[:2]):
            yield from places(inside, (*path, number))


def changed(request: Json, path: tuple[str | int, ...], value: Any) -> Json:
    whole = copy.deepcopy(request)
    inside: Any = whole
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return whole


def renamed(request: Json, path: tuple[str | int, ...]) -> Json:
    whole = copy.deepcopy(request)
    inside: Any = whole
    for name in path[:-1]:
        inside = inside[name]
    inside["canary"] = inside.pop(path[-1])
    return whole


@pytest.mark.parametrize(
    "value",
    [
        "canary",
        {"canary": "canary"},
        ["canary"],
        "canary" * 1000,
        "canary<script>\u202e\x00",
        {"resourceType": "canary"},
    ],
    ids=["text", "object", "array", "long text", "odd text", "resource"],
)
def test_a_canary_in_the_place_of_each_value(service: Service, caller: httpx.Client, value: Any) -> None:
    request = full()
    refused = []
    for path in places(request):
        response = post(caller, changed(request, path, value))
        assert response.status_code in (200, 400, 412), (path, response.text)
        if response.status_code != 200:
            refused.append(response)
    assert refused
    assert_clean(service, caller, *refused)


def test_a_canary_in_the_place_of_each_name(service: Service, caller: httpx.Client) -> None:
    request = full()
    responses = [post(caller, renamed(request, path)) for path in places(request) if isinstance(path[-1], str)]
    refused = [response for response in responses if response.status_code != 200]
    assert {response.status_code for response in responses} <= {200, 400, 412}
    assert refused
    assert_clean(service, caller, *refused)


# ------------------------------------------------------------------------------------------------------- every refusal


def refusals(caller: httpx.Client) -> Iterator[tuple[int, httpx.Response]]:
    body = json.dumps(full())
    yield 400, post(caller, body[:-1])
    yield 400, post(caller, f'"{body[1:20]} canary"')
    yield 400, post(caller, body.replace('"hook":', '"hook": "canary", "hook":'))
    yield 400, post(caller, body.encode("utf-16"))
    yield 400, post(caller, body.replace("canary-encounter", "canary\\u0000").encode() + b"\xff")
    yield 400, post(caller, body.replace("order-sign", "canary-hook"))
    yield 400, post(caller, body.replace('"canary-patient"', '"canary/../patient"', 1))
    yield 400, post(caller, body.replace('"context"', '"canary"'))
    yield (
        400,
        caller.post(
            SERVICE, content=body, headers=[("authorization", f"Bearer {ACCESS_TOKEN}"), ("authorization", "x")]
        ),
    )
    yield 401, post(caller, body, authorization=f"Bearer {ACCESS_TOKEN}")
    yield 401, post(caller, body, authorization="Basic Y2FuYXJ5OmNhbmFyeQ== canary")
    yield 404, post(caller, body, "/cds-services/canary?canary=canary")
    yield 404, post(caller, body, "/canary/canary-patient")
    yield 404, post(caller, body, "/cds-services/canary/feedback")
    yield 405, caller.request("PUT", f"{SERVICE}?canary=1", content=body)
    yield 405, caller.request("PATCH", f"{SERVICE}?canary", content=body)
    yield 412, post(caller, full() | {"prefetch": {}})
    yield 413, post(caller, b'{"canary": "' + b"canary" * 1_500_000 + b'"}')
    yield 413, post(caller, full() | {"canary": "canary" * 200_000})
    yield 415, post(caller, body, **{"content-type": "text/canary"})
    yield 415, post(caller, body, **{"content-encoding": "canary"})
    yield 431, post(caller, body, **{"x-canary": "canary" * 6000})


def test_every_refusal(service: Service, caller: httpx.Client) -> None:
    answers = list(refusals(caller))
    for status, response in answers:
        assert response.status_code == status, response.text
        assert response.json()["resourceType"] == "OperationOutcome"
    assert_clean(service, caller, *(response for _, response in answers))


def test_what_is_no_http(service: Service, caller: httpx.Client) -> None:
    for text in (b"canary canary\r\n\r\n", b"GET /canary\x00 HTTP/1.1\r\ncanary\r\n\r\n",
                 b"GET /canary HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: canary\r\n\r\n",
                 b"POST /canary HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\ncanary\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", service.port), timeout=5) as line:
            line.sendall(text)
            line.shutdown(socket.SHUT_WR)
            heard = line.recv(65536)
            assert b"canary" not in heard
    assert_clean(service, caller)


def test_feedback(service: Service, caller: httpx.Client, state: Path) -> None:
    path = f"{SERVICE}/feedback"
    (card, *_) = post(caller, full()).json()["cards"]
    text = {
        "reason": {"code": "canary words", "system": "canary", "display": "canary"},
        "userComment": "canary comment",
    }
    code = {"reason": {"code": "of-the-site", "system": "https://site.example", "display": "canary"}}
    epic = "com.epic.cdshooks.feedback.overrideReason"
    own = {"extension": {f"{epic}.reasonDisplay": "canary"}, "userComment": "canary comment"}
    told = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "canary"}
    entries = [
        *(told | {"overrideReason": reason} for reason in (text, code, {"reason": "canary"})),
        told | {"overrideReasons": own},
        {"card": "canary", "outcome": "accepted", "acceptedSuggestions": [{"id": "canary"}], "canary": "canary"},
        {"card": "canary", "outcome": "canary"},
    ]
    answers = [
        post(caller, {"feedback": entries}, path),
        post(caller, {"feedback": "canary"}, path),
        post(caller, "canary", path),
        post(caller, {"canary": "canary"}, path),
    ]
    assert answers[0].status_code == 200
    assert_clean(service, caller, *answers)
    with closing(sqlite3.connect(state / "store.sqlite3")) as store:
        kept = store.execute("SELECT reason_system, reason_code, comment FROM feedback WHERE outcome = 'overridden'")
        assert set(kept.fetchall()) == {(None, "other", None), ("https://site.example", "of-the-site", None)}
    assert_nothing_kept(state)


# ---------------------------------------------------------------------------------------------------- the FHIR server


class Fhir(BaseHTTPRequestHandler):
    """Fails in each way that it can, with canaries in what it says."""

    tokens: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        self.tokens.add(self.headers["authorization"])
        status = (500, 401, 404, 200, 302)[hash(self.path) % 5]
        body = b'{"resourceType": "Canary", "issue": [{"diagnostics": "canary"}]' + (b"}" if status == 500 else b"")
        self.send_response(status, "Canary")
        self.send_header("location", "https://canary.example/")
        self.send_header("x-canary", "canary")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        pass


def test_F3_the_access_token_and_what_a_fhir_server_says(service: Service, caller: httpx.Client) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Fhir) as fhir:
        thread = threading.Thread(target=fhir.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        request = full() | {"fhirServer": f"http://127.0.0.1:{fhir.server_address[1]}/canary"}
        answers = [post(caller, changed(request, ("prefetch",), {})) for _ in range(3)]
        answers.append(post(caller, changed(request, ("prefetch",), {"patient": request["prefetch"]["patient"]})))
        fhir.shutdown()
        thread.join()
    assert Fhir.tokens == {f"Bearer {ACCESS_TOKEN}"}
    assert {answer.status_code for answer in answers} == {412, 200}
    assert_clean(service, caller, *(answer for answer in answers if answer.status_code != 200))


# -------------------------------------------------------------------------------------------------- faults of our own

BROKEN = """
import cds_service.respond, cds_service.routes
from cds_service.errors import ServiceError

def fails(call, *_, **__):
    raise {error}(f"canary: {{call!r}} {{getattr(call, 'prefetch', '')}}")

{where} = fails
"""
PLACES = {
    "reading the facts": ("cds_service.gather.facts", "ValueError"),
    "parsing": ("cds_service.routes.parse", "KeyError"),
    "the answer itself": (
        "cds_service.respond.encode",
        "UnicodeDecodeError('canary', b'canary', 0, 1, 'canary') or str",
    ),
    "the log": ("cds_service.respond.cards_for", "ExceptionGroup('canary', [ValueError('canary')]) or str"),
}


@pytest.mark.parametrize("place", PLACES)
def test_our_own_faults(tmp_path: Path, place: str) -> None:
    """Whatever fails quotes its input in its message; the message goes nowhere."""
    where, error = PLACES[place]
    (tmp_path / "sitecustomize.py").write_text(BROKEN.format(where=where, error=error))
    with (
        serving(tmp_path, "--sandbox", PYTHONPATH=f"{tmp_path}:{ROOT}", BACLOFEN_CDS_TODAY=TODAY) as service,
        httpx.Client(base_url=service.url) as caller,
    ):
        response = post(caller, full())
        assert response.status_code == 500
        assert response.json()["resourceType"] == "OperationOutcome"
        assert '"event":"call failed"' in service.log()
        assert_clean(service, caller, response)


# ---------------------------------------------------------------------------------------------------------- production


def test_tokens_and_the_memory_of_them(tmp_path: Path) -> None:
    """Two workers, a shared store; tokens whose every claim is a canary. The store is searched too."""
    (tmp_path / "state").mkdir()
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key(), "canary-kid")]}))
    (tmp_path / "baclofen.toml").write_text(
        f'public_base_url = "{BASE}"\nworkers = 2\nstate_dir = "state"\nprotect_discovery = true\n'
        '[clients.north]\nissuers = ["https://ehr.example/canary"]\njwks_file = "jwks.json"\ncalls_per_minute = 4\n'
    )

    def sent(**changes: Any) -> str:
        now = int(time.time())
        claims: Json = {
            "iss": "https://ehr.example/canary",
            "iat": now,
            "exp": now + 300,
            "tenant": "canary",
            "sub": "canary",
        }
        return token(head=header(kid="canary-kid", jku="https://canary.example"), **claims | changes)

    with (
        serving(tmp_path, "--config", str(tmp_path / "baclofen.toml")) as service,
        httpx.Client(base_url=service.url, timeout=30) as caller,
    ):
        good = sent(jti="canary-jti-1")
        used = [post(caller, full(), authorization=f"Bearer {good}").status_code for _ in range(6)]
        assert used == [200, 401, 401, 401, 401, 401], "of two workers, the one that did not see it knows all the same"
        wrong = [sent(aud="canary"), sent(iss="canary"), sent(exp=1), sent(jti=""), good[:-8], "canary"]
        answers = [post(caller, full(), authorization=f"Bearer {one}") for one in wrong]
        answers.append(caller.get("/cds-services", headers={"authorization": f"Bearer {sent(aud='canary')}"}))
        assert {answer.status_code for answer in answers} == {401}
        statuses = {post(caller, full(), authorization=f"Bearer {sent()}").status_code for _ in range(12)}
        assert statuses == {200, 429}
        assert_clean(service, caller, *answers)
        said = service.log()
        for secret in [good, *good.split("."), *wrong[:5], ACCESS_TOKEN]:
            assert secret not in said
        for file in (tmp_path / "state").iterdir():
            assert b"canary" not in file.read_bytes().lower()
        assert '"client":"north"' in said


# --------------------------------------------------------------------------------------------------------- allow-list


def test_every_field_of_the_log_is_listed_and_justified() -> None:
    """docs/operations/records.md is where a privacy officer looks."""
    page = (ROOT / "docs" / "operations" / "records.md").read_text("utf-8")
    section = page.partition("## What the log says")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert listed == {"time", "level", "event"} | set(log.Fields.__annotations__)


def test_every_field_of_the_store_is_listed_and_justified() -> None:
    page = (ROOT / "docs" / "operations" / "records.md").read_text("utf-8")
    section = page.partition("## What is kept of a call")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE))
    columns = {f"{table}.{column}" for table, columns in TABLES.items() for column in columns}
    assert listed == columns | {f"detail.{name}" for name in Detail.__struct_fields__}


def test_every_counter_is_listed(caller: httpx.Client) -> None:
    page = (ROOT / "docs" / "operations" / "watching.md").read_text("utf-8")
    counted = set(re.findall(r"^# HELP (baclofen_cds_\w+)", caller.get("/metrics").text, re.MULTILINE))
    families = {re.sub("_(total|created)$", "", name) for name in counted}
    assert {name for name in families if f"`{name}`" not in page} == set()

"""A FHIR server of ours that fails: a fifth of its answers come late or never, are errors, broken, or somebody else's.

It writes down what became of each request of a call, which it knows by its token.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from benchmarks.soak.charts import MEDICATIONS, Chart, Json

Place = tuple[str, int]
"""A key of the prefetch, or ``MEDICATION``, and the number of a page."""
MEDICATION = "medication"

NO_USE = ("slow", "late", "hangs", "drips", "resets", "cut off", "damaged", "401", "403", "404", "429", "500", "503")
IN_ITS_PLACE = ("HTML", "an error with 200", "another patient's")
"""Told from a list only where nothing of it has come yet, so on first pages."""
ERROR: Json = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}


INSTEAD: Mapping[str, Json | str] = {"HTML": "<html>Login</html>", "an error with 200": ERROR}


@dataclass
class Told:
    """About one call."""

    patient: str
    sent: float
    """By the event loop's clock."""
    written: dict[Place, float] = field(default_factory=dict)
    """What was asked → when the right answer was written, by the same clock; never, or something else: 0."""


@dataclass
class Ehr:
    charts: Mapping[str, Chart]
    dice: Random
    failing: float
    """Share of the answers, from 0 to 1."""
    port: int = 0
    calls: dict[str, Told] = field(default_factory=dict)
    """By token."""
    open_now: set[asyncio.Transport] = field(default_factory=set)
    most_open: int = 0
    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def stranger(self, key: str, patient: str) -> Json | None:
        """The list of another patient, where there is one that is not empty."""
        others = [one for one in self.charts.values() if one.patient != patient and one.lists[key]]
        return self.dice.choice(others).page(key, 0) if others else None

    def find(self, target: str) -> tuple[Place, Json] | None:
        """What a request asks for, and the right answer."""
        kind = re.split(r"[/?]", target)[0]
        if kind == "Medication":
            return (MEDICATION, 0), _medications(target)
        if following := re.search(r"page=(.+)\.([a-z]+)\.(\d+)$", target):
            patient, key, number = following[1], following[2], int(following[3])
            return (key, number), self.charts[patient].page(key, number)
        named = re.search(r"(?:patient=|^Patient/)([^&]+)", target)
        if named is None or named[1] not in self.charts:
            return None
        key = _KEYS.get(kind) or ("kidney" if "98979-8" in target else "observations")
        return (key, 0), self.charts[named[1]].page(key, 0)


_KEYS = {"Patient": "patient", "MedicationRequest": "medications", "Condition": "conditions", "Procedure": "procedures",
         "AllergyIntolerance": "allergies"}  # fmt: skip


def _medications(target: str) -> Json:
    wanted = re.findall(r"[a-z]+-\d+", target)
    found = [MEDICATIONS[one] for one in wanted if one in MEDICATIONS]
    if target.startswith("Medication/"):
        return found[0]
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in found]}


def answer(body: Json | str, status: int = 200, *, packed: bool = False) -> bytes:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    content = gzip.compress(content, 3) if packed else content
    encoding = "content-encoding: gzip\r\n" if packed else ""
    kind = f"content-type: application/fhir+json\r\n{encoding}content-length: {len(content)}"
    return f"HTTP/1.1 {status} X\r\n{kind}\r\n\r\n".encode() + content


class Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, ehr: Ehr) -> None:
        self.ehr = ehr
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ehr.open_now.add(transport)
        self.ehr.most_open = max(self.ehr.most_open, len(self.ehr.open_now))

    def connection_lost(self, _: Exception | None) -> None:
        self.ehr.open_now.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            self.asked(head.decode())

    def asked(self, head: str) -> None:
        target = re.match(r"GET /fhir/?([^ ]*) HTTP", head)
        token = re.search(r"(?i)\r\nauthorization: Bearer (\S+)", head)
        assert target is not None, head
        self.ehr.requests += 1
        told = self.ehr.calls.get(token[1]) if token else None
        found = self.ehr.find(target[1])
        if told is None or found is None:
            self.transport.write(answer(ERROR, 404))
            return
        place, right = found
        told.written[place] = 0
        if self.ehr.dice.random() < self.ehr.failing:
            self._fail(told, place, right)
        else:
            self._serve(self.ehr.dice.uniform(0.001, 0.015), told, place, right)

    def _fail(self, told: Told, place: Place, right: Json) -> None:
        dice = self.ehr.dice
        first = place[0] != MEDICATION and place[1] == 0
        kind = dice.choice(NO_USE + IN_ITS_PLACE if first else NO_USE)
        instead = INSTEAD.get(kind)
        if kind == "another patient's" and (instead := self.ehr.stranger(place[0], told.patient)) is None:
            kind = "hangs"
        self.ehr.failures[kind] += 1
        match kind:
            case "slow":
                self._serve(dice.uniform(0.03, 0.2), told, place, right)
            case "late":
                self._write(dice.uniform(0.7, 2), answer(right))
            case "hangs":
                pass
            case "drips":
                self._drip(answer(right), 0)
            case "resets":
                self.transport.abort()
            case "cut off":
                self.transport.write(answer(right)[:-1])
                self.transport.close()
            case "damaged":
                self.transport.write(answer(right, packed=True)[:-8] + bytes(8))
            case _ if instead is not None:
                self._write(0.005, answer(instead))
            case status:
                self._write(0.005, answer(ERROR, int(status)))

    def _serve(self, seconds: float, told: Told, place: Place, body: Json) -> None:
        whole = answer(body, packed=self.ehr.dice.random() < 0.5)
        self._write(seconds, whole, lambda at: told.written.update({place: at}))

    def _write(self, seconds: float, content: bytes, then: Callable[[float], None] = lambda _: None) -> None:
        loop = asyncio.get_running_loop()

        def write() -> None:
            if not self.transport.is_closing():
                self.transport.write(content)
                then(loop.time())

        loop.call_later(seconds, write)

    def _drip(self, content: bytes, at: int) -> None:
        """A byte every 20 ms: never done in time."""
        if not self.transport.is_closing() and at < len(content):
            self.transport.write(content[at : at + 1])
            asyncio.get_running_loop().call_later(0.02, self._drip, content, at + 1)


@asynccontextmanager
async def serving(charts: Mapping[str, Chart], seed: int, failing: float) -> AsyncIterator[Ehr]:
    ehr = Ehr(charts, Random(seed), failing)  # noqa: S311  # faults, no secrets
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(ehr), "127.0.0.1", 0, backlog=1024)
    ehr.port = server.sockets[0].getsockname()[1]
    try:
        yield ehr
    finally:
        server.close()
        for transport in ehr.open_now:
            transport.abort()
        await asyncio.sleep(0)

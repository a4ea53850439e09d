"""What the cards have to be, by what could be read.

A second instance of the service is asked, one that reads no FHIR server: it gets as prefetch just what the first one
was given or was answered in time, and as missing what was not. Status and cards must be the same; only why something
could not be checked may be said in other words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

import aiohttp

from benchmarks.soak.charts import MEDICATIONS, TEMPLATES, Chart, Json
from benchmarks.soak.ehr import MEDICATION, Place, Told
from cards.facts import Input
from tests.conformance.calls import SERVICE

IN_TIME = 0.3
"""Seconds after the call within which an answer that was written has to be used; the deadline is 0.4."""
GAPS = re.compile(r"""(?<=\*\*Could not check:\*\* )[^"\\]*?(?=\.(?:\\n|"))""")
NAMES = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(str(one)) for one in Input)})(?!\w)")


class Verdict(Enum):
    RIGHT = "right"
    LOST = "right, but without something that could have been read in time"
    WRONG = "wrong"


@dataclass(frozen=True)
class Call:
    chart: Chart
    request: Json
    """As it was sent, with its prefetch."""
    told: Told

    @property
    def given(self) -> Json:
        prefetch: Json = self.request.get("prefetch", {})
        return prefetch


@dataclass
class Judge:
    url: str
    session: aiohttp.ClientSession
    known: dict[bytes, bytes] = field(default_factory=dict)

    async def verdict(self, call: Call, status: int, body: bytes) -> Verdict:
        got = normal(status, body)
        for number, prefetch in enumerate(readings(call)):
            if got == await self._expected(call, prefetch):
                return Verdict.LOST if number or not_asked(call) else Verdict.RIGHT
        return Verdict.WRONG

    async def _expected(self, call: Call, prefetch: Json) -> bytes:
        request = {name: value for name, value in call.request.items() if not name.startswith("fhir")}
        request |= {"prefetch": prefetch, "hookInstance": call.chart.request["hookInstance"]}
        sent = json.dumps(request, sort_keys=True).encode()
        if (asked := sha256(sent).digest()) not in self.known:
            headers = {"content-type": "application/json"}
            async with self.session.post(self.url + SERVICE, data=sent, headers=headers) as response:
                self.known[asked] = normal(response.status, await response.read())
        return self.known[asked]


def readings(call: Call) -> Iterator[Json]:
    """What was readable, as a prefetch: first with all that was written in time, then with less and less of the last,
    and with what was written close to the deadline."""
    written = sorted({at - call.told.sent for at in call.told.written.values() if at}, reverse=True)
    seen = []
    for until in (IN_TIME, *written, 0.0):
        prefetch = _readable(call, until)
        if prefetch not in seen:
            seen.append(prefetch)
            yield prefetch


def _readable(call: Call, until: float) -> Json:
    """A list of which pages are missing has fewer entries than its total."""
    prefetch: Json = dict(call.given)
    for key in TEMPLATES:
        if key not in prefetch and (pages := _read(call.told, key, until)):
            prefetch[key] = call.chart.whole(key, pages)
    if _read(call.told, MEDICATION, until):
        entries = [{"resource": one} for one in MEDICATIONS.values()]
        prefetch["read beside"] = {"resourceType": "Bundle", "entry": entries}
    return prefetch


def _read(told: Told, key: str, until: float) -> int:
    """Pages, from the first on as far as they go."""
    pages = 0
    while 0 < told.written.get((key, pages), 0) - told.sent <= until:
        pages += 1
    return pages


def not_asked(call: Call) -> list[Place]:
    """What a service that loses nothing would have asked for, in time for an answer."""
    places = []
    referring = False
    for key in TEMPLATES:
        pages = call.chart.pages(key)
        if key not in call.given:
            pages = _read(call.told, key, IN_TIME)
            places += [(key, pages)] * (pages < call.chart.pages(key))
        referring |= key == "medications" and call.chart.refers(pages)
    places += [(MEDICATION, 0)] * referring
    return [one for one in places if one not in call.told.written]


def normal(status: int, body: bytes) -> bytes:
    """What two answers have in common that say the same: without uuids, and of what could not be checked only what it
    is, not why. As a digest."""
    cards = _without_uuids(json.loads(GAPS.sub(_names, body.decode()))) if status == 200 else None
    return sha256(json.dumps([status, cards], sort_keys=True).encode()).digest()


def _names(gaps: re.Match[str]) -> str:
    return ", ".join(sorted(set(NAMES.findall(gaps[0]))))


def _without_uuids(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_uuids(inside) for name, inside in value.items() if name != "uuid"}
    return [_without_uuids(one) for one in value] if isinstance(value, list) else value

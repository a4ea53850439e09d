"""The calls: every patient, both hooks, with all, part or none of the prefetch, in a rhythm that waits for nobody."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from uuid import UUID

import aiohttp

from benchmarks.soak.charts import TEMPLATES, Chart, Json
from benchmarks.soak.ehr import Ehr, Told
from benchmarks.soak.judge import Call, Judge, Verdict
from tests.conformance.calls import SERVICE

HANGS_UP = 0.02
"""Share of the calls whose client hangs up."""
JSON = {"content-type": "application/json"}


@dataclass
class Load:
    url: str
    ehr: Ehr
    judge: Judge
    session: aiohttp.ClientSession
    dice: Random
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    prefetches: Counter[str] = field(default_factory=Counter)
    hung_up: int = 0
    milliseconds: list[float] = field(default_factory=list)
    wrong: list[tuple[Json, str]] = field(default_factory=list)
    """The first few: what was asked, what came."""
    with_gaps: int = 0

    async def run(self, charts: Sequence[Chart], seconds: float, rate: float) -> None:
        """Raises what a call raises."""
        loop = asyncio.get_running_loop()
        ends, due = loop.time() + seconds, loop.time()
        async with asyncio.TaskGroup() as calls:
            while (due := due + self.dice.expovariate(rate)) < ends:
                await asyncio.sleep(due - loop.time())
                calls.create_task(self._one(self.dice.choice(charts)))

    async def _one(self, chart: Chart) -> None:
        token = f"soak-{self.dice.getrandbits(64):016x}"
        request = self._request(chart, token)
        told = self.ehr.calls[token] = Told(chart.patient, asyncio.get_running_loop().time())
        gives_up = self.dice.random() < HANGS_UP
        started = perf_counter()
        try:
            async with asyncio.timeout(self.dice.uniform(0.005, 0.1) if gives_up else 30):
                async with self.session.post(self.url + SERVICE, data=json.dumps(request), headers=JSON) as response:
                    status, body = response.status, await response.read()
        except TimeoutError:
            if not gives_up:
                raise
            self.hung_up += 1
            return
        finally:
            del self.ehr.calls[token]
        self.milliseconds.append((perf_counter() - started) * 1000)
        self.statuses[status] += 1
        self.with_gaps += b"Could not check" in body
        verdict = await self.judge.verdict(Call(chart, request, told), status, body)
        self.verdicts[verdict] += 1
        if verdict is Verdict.WRONG and len(self.wrong) < 5:
            self.wrong.append((request, body.decode()))

    def _request(self, chart: Chart, token: str) -> Json:
        request = copy.deepcopy(chart.request)
        request["hookInstance"] = str(UUID(int=self.dice.getrandbits(128), version=4))
        if self.dice.random() < 0.2:
            drafts = request["context"]["draftOrders"]["entry"]
            request["hook"] = "order-select"
            request["context"]["selections"] = [f"MedicationRequest/{one['resource']['id']}" for one in drafts]
        kind = self.dice.choices(("whole", "part", "none"), (25, 40, 35))[0]
        self.prefetches[kind] += 1
        keys = list(TEMPLATES)
        if kind == "part":
            keys = self.dice.sample(keys, self.dice.randrange(1, len(keys)))
        if kind != "none":
            request["prefetch"] = {key: chart.whole(key) for key in keys}
        authorization = {"access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs"}
        return request | {"fhirServer": self.ehr.base, "fhirAuthorization": authorization}

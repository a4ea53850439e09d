"""A soak from start to finish: two services in processes of their own, the FHIR server and the calls in this one."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp

from benchmarks.soak import ehr as ehr_of
from benchmarks.soak.charts import TEMPLATES, TODAY, Chart, charts
from benchmarks.soak.judge import Judge, Verdict
from benchmarks.soak.load import Load
from benchmarks.soak.report import Report
from benchmarks.soak.watch import MIB, Watch
from tests.conformance.calls import SERVICE
from tests.conformance.process import Service, serving

QUIET = 65
"""Seconds; connections to a FHIR server are kept for 30, and looked after every 30."""
PROGRESS = 10
"""Seconds."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    seconds: float = 600
    rate: float = 15
    """Calls a second."""
    failing: float = 0.2
    """Share of the FHIR server's answers that are slow or failures."""
    seed: int = 1


def soak(plan: Plan, say: Say) -> Report:
    """Needs as many seconds as are asked for, and half a minute more where they are more than a minute."""
    environment = {"BACLOFEN_CDS_TODAY": TODAY.isoformat()}
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("service", "judge")]
        for one in places:
            one.mkdir()
        with ExitStack() as running:
            service, judge = (running.enter_context(serving(one, "--sandbox", **environment)) for one in places)
            return asyncio.run(_soak(service, judge, plan, say))


async def _soak(service: Service, judge: Service, plan: Plan, say: Say) -> Report:
    patients = {one.patient: one for one in charts()}
    unlimited = aiohttp.TCPConnector(limit=0)
    async with (
        ehr_of.serving(patients, plan.seed, plan.failing) as ehr,
        aiohttp.ClientSession(connector=unlimited) as session,
    ):
        watch = Watch(service.pid, ehr, service.url)
        dice = Random(plan.seed)  # noqa: S311  # a load, no secrets
        load = Load(service.url, ehr, Judge(judge.url, session), session, dice)
        await _first_call(service, patients["ckd-3b"])
        before = watch.sample(0)
        watching = asyncio.create_task(watch.run(session))
        telling = asyncio.create_task(_tell(load, watch, say))
        await load.run(tuple(patients.values()), plan.seconds, plan.rate)
        for task in (watching, telling):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        quiet = plan.seconds > 60
        say(f"quiet for {QUIET if quiet else 1} s")
        # The calls' own connections are closed by then too.
        await session.close()
        await asyncio.sleep(QUIET if quiet else 1)
        return Report(plan.seconds, load, watch, list(_logged(service)), before, watch.sample(plan.seconds), quiet)


async def _first_call(service: Service, chart: Chart) -> None:
    """What is opened once and stays open is open then."""
    whole = chart.request | {"prefetch": {key: chart.whole(key) for key in TEMPLATES}}
    async with aiohttp.ClientSession() as session, session.post(service.url + SERVICE, json=whole) as response:
        assert response.status == 200, await response.text()
    await asyncio.sleep(0.5)


async def _tell(load: Load, watch: Watch, say: Say) -> None:
    started = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(PROGRESS)
        now = watch.samples[-1]
        recent = sorted(load.milliseconds[-1000:]) or [0.0]
        say(
            f"{asyncio.get_running_loop().time() - started:5.0f} s  {len(load.milliseconds):6} calls  "
            f"{load.verdicts[Verdict.WRONG]} wrong  {load.verdicts[Verdict.LOST]} lost  "
            f"p99 {recent[len(recent) * 99 // 100]:4.0f} ms  RSS {now.rss / MIB:5.1f} MiB  "
            f"{now.descriptors} descriptors  {now.connections} connections  "
            f"healthz {max(watch.lags[-100:], default=0):.0f} ms"
        )


def _logged(service: Service) -> Iterator[float]:
    for line in service.log().splitlines():
        if '"event":"call"' in line:
            said = json.loads(line)
            if said["status"] in (200, 412):
                yield said["milliseconds"]

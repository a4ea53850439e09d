"""A process from outside, once a second, and how long a turn of the event loops takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from time import perf_counter

import aiohttp

from benchmarks.soak.ehr import Ehr

WARM = 0.3
"""The share of the time after which memory has to be flat."""
MIB = 1 << 20


@dataclass(frozen=True)
class Sample:
    seconds: float
    rss: int
    """Bytes."""
    descriptors: int
    connections: int
    """Open at the FHIR server."""


@dataclass
class Watch:
    pid: int
    ehr: Ehr
    url: str
    samples: list[Sample] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    """Of the service: milliseconds that GET /healthz takes."""
    own_lags: list[float] = field(default_factory=list)
    """Of the process that calls and plays the FHIR server: milliseconds that a sleep takes too long."""

    async def run(self, session: aiohttp.ClientSession) -> None:
        started = asyncio.get_running_loop().time()
        while True:
            self.samples.append(self.sample(asyncio.get_running_loop().time() - started))
            for _ in range(10):
                before = perf_counter()
                await asyncio.sleep(0.09)
                self.own_lags.append((perf_counter() - before - 0.09) * 1000)
                before = perf_counter()
                async with session.get(f"{self.url}/healthz") as response:
                    await response.read()
                self.lags.append((perf_counter() - before) * 1000)

    def sample(self, seconds: float) -> Sample:
        process = Path(f"/proc/{self.pid}")
        pages = int((process / "statm").read_text(encoding="ascii").split()[1])
        descriptors = sum(1 for _ in (process / "fd").iterdir())
        return Sample(seconds, pages * 4096, descriptors, len(self.ehr.open_now))

    @property
    def warm(self) -> list[Sample]:
        return [one for one in self.samples if one.seconds >= self.samples[-1].seconds * WARM]

    def growth(self) -> float:
        """Bytes a minute, by least squares over the time after the warm-up."""
        if len(self.warm) < 2:
            return 0.0
        return linear_regression([one.seconds for one in self.warm], [one.rss for one in self.warm]).slope * 60

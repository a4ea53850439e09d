"""What a soak comes to: a table, and what is not as it has to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.soak.judge import Verdict
from benchmarks.soak.load import Load
from benchmarks.soak.watch import MIB, Sample, Watch

DEADLINE = 400
"""Milliseconds: ``fhir_seconds`` as it comes."""
ANSWERED = DEADLINE + 50
"""p99 of the answers, in milliseconds."""
MOST_GROWTH = 0.5
"""MiB a minute after the warm-up, for a soak of minutes."""
MOST_CONNECTIONS = 64
LOST = 0.01
"""Share of the calls that may do without an answer that was written in time, on a machine with other work."""


@dataclass(frozen=True)
class Report:
    seconds: float
    load: Load
    watch: Watch
    own_milliseconds: list[float]
    """Of each call, as the service logged it."""
    before: Sample
    after: Sample
    """When nothing had been asked for longer than connections are kept; or sooner, in a short soak."""
    quiet: bool
    """Whether it was that long."""

    def wrong(self) -> Iterator[str]:
        """What no machine excuses."""
        load, verdicts = self.load, self.load.verdicts
        if not sum(verdicts.values()) or not self.watch.ehr.failures:
            yield "nothing was called, or nothing failed"
        if verdicts[Verdict.WRONG]:
            yield f"{verdicts[Verdict.WRONG]} wrong answers"
        if other := {status: count for status, count in load.statuses.items() if status not in (200, 412)}:
            yield f"statuses {other}"
        if self.quiet and self.after.connections:
            yield f"{self.after.connections} connections to the FHIR server were left open"
        if self.quiet and self.after.descriptors > self.before.descriptors + 2:
            yield f"{self.after.descriptors} file descriptors were left open, {self.before.descriptors} before"

    def too_slow(self) -> Iterator[str]:
        """What a machine that is busy with other things may excuse."""
        load = self.load
        if (p99 := _cut(load.milliseconds)[98]) > ANSWERED:
            yield f"p99 {p99:.0f} ms, more than {ANSWERED}"
        if self.watch.ehr.most_open > MOST_CONNECTIONS:
            # As the FHIR server sees it, which learns late of what was closed when everything is slow.
            yield f"{self.watch.ehr.most_open} connections to the FHIR server at once"
        if self.load.verdicts[Verdict.LOST] > LOST * len(load.milliseconds):
            yield f"{load.verdicts[Verdict.LOST]} answers did without something that was written in time"
        if self.seconds >= 300 and (growth := self.watch.growth() / MIB) > MOST_GROWTH:
            yield f"memory grows by {growth:.2f} MiB a minute"

    def table(self) -> str:
        load, watch, ehr = self.load, self.watch, self.watch.ehr
        calls, own = _cut(load.milliseconds), _cut(self.own_milliseconds)
        lag, own_lag = _cut(watch.lags), _cut(watch.own_lags)
        warm = watch.warm
        failed = ", ".join(f"{name} {count}" for name, count in sorted(ehr.failures.items()))
        kinds = ", ".join(f"{name} {count}" for name, count in load.prefetches.items())
        rows = {
            "seconds": f"{self.seconds:.0f}",
            "calls answered": f"{len(load.milliseconds)} ({len(load.milliseconds) / self.seconds:.1f} a second)",
            "prefetch": kinds,
            "clients that hung up": f"{load.hung_up}",
            "requests to the FHIR server": f"{ehr.requests}, of which {sum(ehr.failures.values())} slow or failed",
            "which": failed,
            "status 200, 412": f"{load.statuses[200]}, {load.statuses[412]}",
            "said what they could not check": f"{load.with_gaps}",
            "right": f"{load.verdicts[Verdict.RIGHT]}",
            "right, without something written in time": f"{load.verdicts[Verdict.LOST]}",
            "wrong": f"{load.verdicts[Verdict.WRONG]}",
            "client: p50, p99, max ms": f"{calls[49]:.1f}, {calls[98]:.1f}, {max(load.milliseconds):.1f}",
            "service's log: p50, p99, max ms": f"{own[49]:.1f}, {own[98]:.1f}, {max(self.own_milliseconds):.1f}",
            "GET /healthz: p50, p99, max ms": f"{lag[49]:.1f}, {lag[98]:.1f}, {max(watch.lags):.1f}",
            "lag of the caller: p50, p99, max ms": f"{own_lag[49]:.1f}, {own_lag[98]:.1f}, {max(watch.own_lags):.1f}",
            "memory (RSS) MiB: warm, at the end": f"{warm[0].rss / MIB:.1f}, {watch.samples[-1].rss / MIB:.1f}",
            "growth after the warm-up, MiB a minute": f"{watch.growth() / MIB:+.3f}",
            "file descriptors: before, most, after": f"{self.before.descriptors}, "
            f"{max(one.descriptors for one in watch.samples)}, {self.after.descriptors}",
            "FHIR connections: most, after": f"{ehr.most_open}, {self.after.connections}",
        }
        return "\n".join(f"| {name} | {said} |" for name, said in rows.items())

    def examples(self) -> str:
        """Of wrong answers: the first few, cut short."""
        return "\n".join(f"{json.dumps(asked)[:2000]}\n{came[:2000]}\n" for asked, came in self.load.wrong[:3])


def _cut(values: list[float]) -> list[float]:
    return quantiles(values, n=100, method="inclusive") if len(values) > 1 else [*values, 0.0] * 99

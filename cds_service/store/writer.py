"""One thread that writes: whoever comes while it commits shares the next commit. Between two it sleeps."""

from __future__ import annotations

import contextlib
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from cds_service import log, metrics
from cds_service.store.database import Write
from cds_service.store.outlet import Outlet, Question
from cds_service.store.rows import utc_text

MOST_AT_ONCE = 256
"""Writes in one commit."""
TOKENS_FORGOTTEN_EVERY = 1.0
"""Seconds; some at a time."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""A used token is remembered for that much longer than it is valid: another machine's clock may be behind."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True, eq=False)
class _Job:
    what: Write | Question[Any]
    done: Future[Any] | None
    """None: nobody waits for it."""
    answer: Any = None


class Writer:
    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._forget_again = 0.0
        self._thread = Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    async def write(self, write: Write) -> None:
        """Returns when it is durable."""
        await self._put(write)

    def note(self, write: Write) -> None:
        """Returns at once; it is written soon."""
        self._queue.put(_Job(write, None))

    async def ask(self, question: Question[_Answer]) -> _Answer:
        """After everything that was written before."""
        answer: _Answer = await self._put(question)
        return answer

    def _put(self, what: Write | Question[Any]) -> Future[Any]:
        done: Future[Any] = get_running_loop().create_future()
        self._queue.put(_Job(what, done))
        return done

    def close(self, patience: float) -> None:
        """What waits is written. ``patience`` in seconds."""
        self._queue.put(None)
        self._thread.join(patience)

    def _run(self) -> None:
        while jobs := self._next():
            try:
                self._do(jobs)
            except Exception as error:  # noqa: BLE001  # a fault of ours must not end the one thread that writes
                log.failed("the store failed", error)
                _failed(jobs)
            _answer(jobs)
            self._forget_tokens(jobs)

    def _next(self) -> list[_Job]:
        """All that wait, once there is one; nothing when it was closed."""
        jobs: list[_Job] = []
        with contextlib.suppress(Empty):
            job = self._queue.get()
            while job is not None:
                jobs.append(job)
                if len(jobs) == MOST_AT_ONCE:
                    return jobs
                job = self._queue.get_nowait()
            if jobs:
                self._queue.put(None)
        return jobs

    def _do(self, jobs: Sequence[_Job]) -> None:
        writes = [job.what for job in jobs if isinstance(job.what, Write)]
        if writes:
            self._outlet.write(writes)
        for job in jobs:
            if not isinstance(job.what, Write):
                job.answer = self._outlet.ask(job.what)

    def _forget_tokens(self, jobs: Iterable[_Job]) -> None:
        used = [job.what.use.at for job in jobs if isinstance(job.what, Write) and job.what.use]
        if used and monotonic() >= self._forget_again:
            self._forget_again = monotonic() + TOKENS_FORGOTTEN_EVERY
            self._outlet.forget_tokens(utc_text(max(used) - CLOCKS_DIFFER))


def _failed(jobs: Iterable[_Job]) -> None:
    for job in jobs:
        if isinstance(job.what, Write):
            job.what.kept = False
            metrics.store_records("lost", 1)
        else:
            job.answer = job.what.otherwise


def _answer(jobs: Iterable[_Job]) -> None:
    by_loop: dict[AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        if job.done:
            by_loop.setdefault(job.done.get_loop(), []).append(job)
    for loop, its in by_loop.items():
        # A loop that has ended has nobody in it who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, its)


def _resolve(jobs: Iterable[_Job]) -> None:
    for job in jobs:
        if job.done and not job.done.done():
            job.done.set_result(job.answer)

"""How the pieces of work are run: in this process, in several, or on a Ray cluster. The work is the same function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cds_service.replay.found import Found

Work = Callable[..., Found]
"""Its arguments and its result can be pickled."""
Tasks = Mapping[Path, tuple[Any, ...]]
"""Where the end of each is written down → the arguments."""
Done = Iterator[tuple[Path, Found]]
"""Results as they are ready, in any order."""
Run = Callable[[Work, Tasks], Done]


class NoRayError(Exception):
    """The message says how to install it."""


def in_turn(work: Work, tasks: Tasks) -> Done:
    for end, arguments in tasks.items():
        yield end, work(*arguments)


def in_processes(number: int) -> Run:
    def run(work: Work, tasks: Tasks) -> Done:
        # Fresh processes: a copy of this one would share what its libraries hold open.
        with ProcessPoolExecutor(number, mp_context=get_context("spawn")) as pool:
            ends = {pool.submit(work, *arguments): end for end, arguments in tasks.items()}
            try:
                for one in as_completed(ends):
                    yield ends[one], one.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    return run


def on_ray(address: str | None) -> Run:
    """``None``: a cluster of this machine alone, for as long as the replay runs. Raises ``NoRayError``."""
    try:
        import ray  # noqa: PLC0415  # an extra
    except ImportError:
        raise NoRayError("Ray is not installed: pip install 'baclofen-cds[ray]'") from None

    def run(work: Work, tasks: Tasks) -> Done:
        ray.init(address, ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
        remote = ray.remote(work)
        ends = {remote.remote(*arguments): end for end, arguments in tasks.items()}
        waiting = list(ends)
        while waiting:
            ready, waiting = ray.wait(waiting)
            for one in ready:
                yield ends[one], ray.get(one)

    return run

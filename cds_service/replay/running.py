"""How the pieces of work are run: in this process, in several, or on a Ray cluster. The work is the same function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
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

THIS_MACHINE = "local"


class NoRayError(Exception):
    """The message says how to install it."""


def in_turn(work: Work, tasks: Tasks) -> Done:
    for end, arguments in tasks.items():
        yield end, work(*arguments)


@contextmanager
def processes(number: int) -> Iterator[Run]:
    """So many on this machine."""
    # Fresh ones: a copy of this process would share what its libraries hold open.
    with ProcessPoolExecutor(number, mp_context=get_context("spawn")) as pool:

        def run(work: Work, tasks: Tasks) -> Done:
            ends = {pool.submit(work, *arguments): end for end, arguments in tasks.items()}
            try:
                for one in as_completed(ends):
                    yield ends[one], one.result()
            finally:
                for one in ends:
                    one.cancel()

        yield run


@contextmanager
def ray_cluster(address: str) -> Iterator[Run]:
    """``THIS_MACHINE``: one of this machine alone, for as long as the replay runs. All machines must see the export and
    the work folder under the same paths. Raises ``NoRayError``."""
    try:
        import ray  # noqa: PLC0415  # an extra
    except ImportError:
        raise NoRayError("Ray is not installed: pip install 'baclofen-cds[ray]'") from None

    def run(work: Work, tasks: Tasks) -> Done:
        remote = ray.remote(work)
        ends = {remote.remote(*arguments): end for end, arguments in tasks.items()}
        waiting = list(ends)
        while waiting:
            ready, waiting = ray.wait(waiting)
            for one in ready:
                yield ends[one], ray.get(one)

    ray.init(address, include_dashboard=False, log_to_driver=False)
    try:
        yield run
    finally:
        ray.shutdown()

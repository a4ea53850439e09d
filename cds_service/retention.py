"""What is older than the site keeps it goes: calls, their cards, and feedback with its comments, after ``audit_days``;
what was remembered of overrides when it counts no more (used tokens forget themselves).

The service does it once a day, in each worker, a little at a time between the records of calls: whoever comes second
finds nothing left. ``baclofen-cds purge`` does it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from cards.override_memory import LASTS
from cds_service import log
from cds_service.store import Store

Delete = Callable[[str, datetime], Awaitable[int]]
"""Table, moment → how many rows of before it were deleted; some are left as long as it is not 0."""

EVERY = 24 * 3600.0
FIRST_AFTER = 60.0
PAUSE = 0.05
"""In seconds, like the others."""


def ends(now: datetime, days: int) -> Mapping[str, datetime]:
    """Table → rows from before that moment go. Calls before their cards: none is left that seems to have had none."""
    old = now - timedelta(days=days)
    return {"feedback": old, "hook_call": old, "card": old, "override_memory": now - LASTS}


async def daily(store: Store, clock: Callable[[], datetime], days: int, *, pause: float = PAUSE) -> None:
    """Until it is cancelled."""
    await asyncio.sleep(FIRST_AFTER)
    while True:
        try:
            gone = await purge(store.delete_old, ends(clock(), days), pause=pause)
            log.event("purged", calls=gone["hook_call"], cards=gone["card"], entries=gone["feedback"])
        except Exception as error:  # noqa: BLE001  # tomorrow is another day
            log.failed("not purged", error)
        await asyncio.sleep(EVERY)


async def purge(delete: Delete, before: Mapping[str, datetime], *, pause: float = 0) -> Mapping[str, int]:
    """Table → rows that are gone."""
    gone = dict.fromkeys(before, 0)
    for table, end in before.items():
        while some := await delete(table, end):
            gone[table] += some
            await asyncio.sleep(pause)
    return gone

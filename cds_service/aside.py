"""Work on a large request goes to a thread, so that no other call and no health check waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

LARGE = 256 << 10
"""Bytes; below, the work takes a few milliseconds, and a thread would only add to them."""

P = ParamSpec("P")
T = TypeVar("T")


async def aside(size: int, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """``size`` in bytes: of what the work reads."""
    if size <= LARGE:
        return work(*given, **named)
    return await asyncio.to_thread(work, *given, **named)

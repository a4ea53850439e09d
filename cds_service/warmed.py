"""What order-select has read may answer order-sign: of the same patient, user, client, FHIR server and token, for two
minutes, in this process's memory only.

The chart may have changed meanwhile: which lists are read again all the same is for ``completion`` to say.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

from msgspec import Raw

from cards.facts import Hook
from cds_service.fhir_client import Base
from cds_service.hooks import HookCall

LASTS = 120.0
"""Seconds from the reading."""
MOST_BYTES = 32 << 20
"""Of one worker; the oldest go first."""

Bodies = Mapping[str, Raw]
"""By address, as it was asked."""


def _nowhere(_: Bodies) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Earlier:
    """For one call."""

    bodies: Bodies = field(default_factory=dict, repr=False)
    """What order-select has read."""
    keep: Callable[[Bodies], None] = field(default=_nowhere, repr=False)
    """Takes what this call has read."""


NOTHING = Earlier()
OfClient = Callable[[Base, HookCall, float], Earlier]
"""``Warmed.earlier`` of one client."""


def never(_: Base, __: HookCall, ___: float) -> Earlier:
    """The default."""
    return NOTHING


@dataclass(frozen=True, slots=True)
class _Session:
    """All of it has to be the same."""

    client: str
    base: Base
    patient_id: str
    user_id: str
    token: bytes
    """A digest: the token itself ends with its call."""


@dataclass(frozen=True, slots=True)
class _Kept:
    bodies: Bodies
    until: float
    size: int


class Warmed:
    """One worker's memory. Nothing of it is written anywhere, and nothing of it outlives its two minutes."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.size = 0
        """Bytes, of what is kept now."""
        self._secret = secrets.token_bytes(32)
        self._kept: OrderedDict[_Session, _Kept] = OrderedDict()

    def earlier(self, client: str, base: Base, call: HookCall, now: float) -> Earlier:
        """``now`` by the event loop's clock. Nothing without a user and a token: they would be anybody's."""
        if call.authorization is None or not call.user_id:
            return NOTHING
        token = blake2b(call.authorization.token.encode(), key=self._secret, digest_size=32).digest()
        session = _Session(client, base, call.patient_id, call.user_id, token)
        match call.hook:
            case Hook.ORDER_SELECT:
                lasts = LASTS if call.authorization.expires_in is None else min(LASTS, call.authorization.expires_in)
                return Earlier(keep=partial(self._keep, session, now + lasts))
            case Hook.ORDER_SIGN:
                kept = self._kept.get(session)
                return Earlier(kept.bodies) if kept is not None and now < kept.until else NOTHING

    def _keep(self, session: _Session, until: float, bodies: Bodies) -> None:
        self._forget(session)
        size = sum(map(len, bodies.values()))
        if not bodies or size > self._most_bytes:
            return
        self._kept[session] = _Kept(bodies, until, size)
        self.size += size
        while self.size > self._most_bytes:
            self._forget(next(iter(self._kept)))
        loop = asyncio.get_running_loop()
        loop.call_at(until, self._forget_old, until)

    def _forget_old(self, now: float) -> None:
        for session in [session for session, kept in self._kept.items() if kept.until <= now]:
            self._forget(session)

    def _forget(self, session: _Session) -> None:
        kept = self._kept.pop(session, None)
        if kept is not None:
            self.size -= kept.size

"""JWK Sets from the addresses that client profiles list: fetched when needed, kept, renewed, bounded (J14, J15).

The only place of the service that opens connections for authentication. An address comes from a profile, never from a
token; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import msgspec

from cds_service import log, metrics
from cds_service.auth import keys
from cds_service.auth.keys import Key, Keys
from cds_service.settings import SettingsError

RENEWED_AFTER = 300.0
"""Seconds after which a set is fetched again, while the old one still serves."""
FRESH = 900.0
"""Seconds after which a call waits for the new set, unless the address has just failed: so long a withdrawn key may
live."""
STALE = 12 * 3600.0
"""Seconds for which an old set serves while its address does not answer."""
PAUSE = 30.0
"""Least seconds between two fetches of one address, however many unknown keys are asked for."""
LONGEST_FETCH = 3.0
"""Seconds, all in."""
LARGEST_SET = 256 << 10
"""Bytes."""

_decode = msgspec.json.Decoder().decode


class FetchFailedError(Exception):
    """Why a set could not be had: words of ours."""


@dataclass(slots=True)
class _Set:
    keys: Keys = field(default_factory=dict)
    fetched: float = -inf
    tried: float = -inf
    failed: bool = False
    """The last time."""
    fetching: asyncio.Task[None] | None = None


class KeySets:
    def __init__(
        self,
        *,
        published_too: bool = False,
        ca_file: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``published_too``: test keys whose private half is public count as keys, in sandbox mode. ``ca_file``: PEM of
        authorities beside the public ones. Raises ``SettingsError`` when it holds none."""
        self._published_too = published_too
        self._transport = transport
        self._clock = clock
        self._sets: dict[str, _Set] = {}
        if ca_file is not None:
            try:
                self._tls.load_verify_locations(ca_file)
            except OSError as error:
                raise SettingsError(f"ca_file: {error.strerror}; name a PEM file with certificates") from None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made when it is needed: reading the certificates of all authorities takes a while."""
        return ssl.create_default_context()

    async def find(self, url: str, kid: str, algorithm: str) -> Key | None:
        """The key, from what is kept where possible. None: the set does not hold it, or cannot be had."""
        known = self._sets.setdefault(url, _Set())
        wanted = (kid, algorithm)
        age = self._clock() - known.fetched
        found = known.keys.get(wanted) if age <= STALE else None
        if found is not None and age <= RENEWED_AFTER:
            return found
        fetching = self._fetching(url, known)
        if found is not None and (age <= FRESH or known.failed):
            return found
        if fetching is not None:
            await asyncio.shield(fetching)
        return known.keys.get(wanted) if self._clock() - known.fetched <= STALE else None

    def _fetching(self, url: str, known: _Set) -> asyncio.Task[None] | None:
        """The fetch that is under way, a new one, or none because the last one was just now."""
        if known.fetching is not None and not known.fetching.done():
            return known.fetching
        if self._clock() - known.tried < PAUSE:
            return None
        known.tried = self._clock()
        known.fetching = asyncio.get_running_loop().create_task(self._renew(url, known))
        return known.fetching

    async def _renew(self, url: str, known: _Set) -> None:
        try:
            async with asyncio.timeout(LONGEST_FETCH):
                fetched = await self._fetch(url)
            found, wrong = keys.of_set(fetched, published_too=self._published_too)
            if not found:
                raise FetchFailedError("it holds no usable key")  # noqa: TRY301  # one place says that the old set stays
        except Exception as error:  # noqa: BLE001  # whatever it was: the old set serves on
            known.failed = True
            log.keys_not_fetched(url, error)
            metrics.keys_fetched("failed")
            return
        known.keys, known.fetched, known.failed = found, self._clock(), False
        log.keys_fetched(url, len(found), len(wrong))
        metrics.keys_fetched("fetched")

    async def _fetch(self, url: str) -> list[Mapping[str, Any]]:
        asked = {"accept": "application/json", "accept-encoding": "identity"}
        body = b""
        async with (
            httpx.AsyncClient(
                transport=self._transport, verify=True if self._transport else self._tls, timeout=LONGEST_FETCH
            ) as client,
            client.stream("GET", url, headers=asked, follow_redirects=False) as response,
        ):
            if response.status_code != 200:
                raise FetchFailedError("the status is not 200")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchFailedError("the body is compressed")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST_SET:
                    raise FetchFailedError("the body is too large")
        return _keys(body)


def _keys(body: bytes) -> list[Mapping[str, Any]]:
    """A JWK Set; or the bare array of keys that one known client serves."""
    try:
        document = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise FetchFailedError("the body is not JSON") from None
    found = document.get("keys") if isinstance(document, dict) else document
    if not isinstance(found, list) or not all(isinstance(key, dict) for key in found):
        raise FetchFailedError("the body is not a JWK Set")
    return found

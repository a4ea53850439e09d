"""Which cards were overridden with a reason within the last day (rules.md M6), as the store knows it for all workers.

Whatever fails on the way, a card is shown once more, never once too few.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cards.override_memory import LASTS, OverrideKey
from cds_service import log, metrics
from cds_service.pseudonyms import Pseudonyms
from cds_service.store import Store

PATIENCE = 0.25
"""Seconds that an answer waits for the memory, which is read after what others have just written."""

Overridden = Callable[[OverrideKey], bool]
"""Whether this patient's card of that key was overridden with a reason within the day."""


class OverrideMemory(Protocol):
    async def of(self, client: str, tenant: str, patient_id: str, now: datetime) -> Overridden:
        """Never raises."""


def nothing(_: OverrideKey) -> bool:
    return False


class NothingOverridden:
    """Where nobody gives feedback: on the command line."""

    async def of(self, client: str, tenant: str, patient_id: str, now: datetime) -> Overridden:  # noqa: ARG002
        return nothing


@dataclass(frozen=True, slots=True)
class StoredOverrides:
    names: Pseudonyms
    store: Store

    async def of(self, client: str, tenant: str, patient_id: str, now: datetime) -> Overridden:
        patient = self.names.patient(client, tenant, patient_id)
        try:
            async with asyncio.timeout(PATIENCE):
                keys = await self.store.overridden(client, patient, now - LASTS)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not cost the card
            log.failed("overrides not read", error)
            metrics.overrides_not_read()
            return nothing
        return (lambda key: self.names.override(client, tenant, key) in keys) if keys else nothing

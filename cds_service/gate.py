"""Who comes in: every client by its token, within its quota; browser pages by their origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from cds_service.auth import Authenticator
from cds_service.clients import Caller, CdsClient
from cds_service.quotas import Quota
from cds_service.settings import Settings

_NO_LIMIT: AbstractContextManager[None] = nullcontext()


class Authenticates(Protocol):
    async def authenticate(self, authorization: str | None, path: str) -> Caller:
        """Raises ``NotAuthenticated``."""


@dataclass(frozen=True, slots=True)
class Gate:
    authenticator: Authenticates
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """By the client's name. Who has none is bound by ``max_calls`` alone: sandbox mode's callers without a token."""
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings, clients: Sequence[CdsClient]) -> Gate:
        """Raises ``SettingsError``."""
        return cls(
            Authenticator(settings, clients),
            {client.name: Quota(client.calls_at_once, client.calls_per_minute) for client in clients},
            frozenset(origin for client in clients for origin in client.origins),
        )

    def quota(self, client: CdsClient) -> AbstractContextManager[None]:
        return self.quotas.get(client.name, _NO_LIMIT)

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
from cds_service.store import Store, TokenUse

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
    store: Store | None = None
    """Where tokens are noted; None: nobody has any."""

    @classmethod
    def of(cls, settings: Settings, clients: Sequence[CdsClient], store: Store) -> Gate:
        """Raises ``SettingsError``."""
        return cls(
            Authenticator(settings, clients, take=store.take),
            {client.name: Quota(client.calls_at_once, client.calls_per_minute) for client in clients},
            frozenset(origin for client in clients for origin in client.origins),
            store,
        )

    def quota(self, client: CdsClient) -> AbstractContextManager[None]:
        return self.quotas.get(client.name, _NO_LIMIT)

    async def note(self, use: TokenUse | None) -> None:
        """Returns when the use of a token is on record. Raises ``TokenUsedError``: another call has used it."""
        if self.store and use:
            await self.store.write(use=use)

    def note_soon(self, use: TokenUse | None) -> None:
        """For a call that was refused."""
        if self.store and use:
            self.store.note(use)

"""The CDS Clients that the workbench plays: an EHR of each dialect in each jurisdiction.

An EHR like the one that the service expects anyway calls the service's own addresses; the others have addresses of
their own, since in sandbox mode no token says who calls.
"""

from __future__ import annotations

from dataclasses import dataclass

from cards.facts import Jurisdiction
from cds_service.clients import ANYBODY, Caller, CdsClient
from cds_service.dialects import Dialect
from cds_service.gate import Gate
from cds_service.routes import DISCOVERY
from cds_service.settings import Settings

AT = "/workbench/as"


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    """ "epic-fr": part of its addresses."""
    client: CdsClient
    jurisdiction: Jurisdiction

    @property
    def discovery(self) -> str:
        """Path of its GET /cds-services."""
        return DISCOVERY if self.client is ANYBODY else f"{AT}/{self.name}{DISCOVERY}"

    @property
    def gate(self) -> Gate:
        """Lets in whoever calls, as this client."""
        return Gate(_Always(self.client))


@dataclass(frozen=True, slots=True)
class _Always:
    client: CdsClient

    async def authenticate(self, authorization: str | None, path: str) -> Caller:  # noqa: ARG002  # whoever calls
        return Caller(self.client)


def roles(settings: Settings) -> tuple[Role, ...]:
    return tuple(_role(dialect, where, settings) for dialect in Dialect for where in Jurisdiction)


def _role(dialect: Dialect, jurisdiction: Jurisdiction, settings: Settings) -> Role:
    name = f"{dialect.value}-{jurisdiction.value.lower()}"
    if dialect is Dialect.GENERIC and jurisdiction is settings.jurisdiction:
        return Role(name, ANYBODY, jurisdiction)
    return Role(name, CdsClient(f"workbench-{name}", (), dialect=dialect), jurisdiction)

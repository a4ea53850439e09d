"""Whether one call lets us read its FHIR server, and until when (checklist F1 to F8).

The site decides which servers may be read; the call only picks among them, and brings the token. Whatever is not right
about either means: nothing is read, and the operator's log says why when something was missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds_service.errors import FieldInvalid
from cds_service.fhir_client import Allowed, Base, FhirClient, loopback, nothing, only
from cds_service.hooks import Authorization, HookCall
from cds_service.settings import Settings, SettingsError
from cds_service.warmed import NOTHING, Earlier, OfClient, never

SHORTEST = 1.0
"""Seconds that a token must still be good for."""
JUDGING = 0.01
"""Seconds of ``fhir_seconds`` that are kept for what follows the reading."""


@dataclass(frozen=True, slots=True)
class Access:
    """To one FHIR server for one call."""

    client: FhirClient
    base: Base
    token: str = field(repr=False)
    """Empty for a server that is read without."""
    deadline: float
    """By the event loop's clock."""
    searches: Mapping[str, str]
    earlier: Earlier = NOTHING


@dataclass(frozen=True, slots=True)
class NoAccess:
    reason: str = ""
    """For the operator's log; empty when the call names no server, or brings no token for it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the calls of a client may read."""

    client: FhirClient
    searches: Mapping[str, str]
    """Key → search or read, relative to the base, with the templates of discovery."""
    allowed: Allowed = nothing
    without_token: Allowed = nothing
    """Of the allowed ones, those that may be read without a token."""
    https_only: bool = True
    seconds: float = 0.4
    """From the start of a call until what has come is judged, whatever the FHIR server is doing."""
    earlier: OfClient = never

    @classmethod
    def of(
        cls,
        settings: Settings,
        client: FhirClient,
        searches: Mapping[str, str],
        bases: Iterable[str],
        earlier: OfClient = never,
    ) -> Reading:
        """For a client that is bound to ``bases``. In sandbox mode the servers of this machine may be read too.
        Raises ``SettingsError``."""
        try:
            bound, seconds = only(bases), max(settings.fhir_seconds - JUDGING, settings.fhir_seconds / 2)
        except ValueError as error:
            raise SettingsError(f"fhir_servers: {error}; write it as https://ehr.example/fhir/R4") from None
        if not settings.sandbox:
            return cls(client, searches, bound, nothing, https_only=True, seconds=seconds, earlier=earlier)

        def or_here(base: Base) -> bool:
            return loopback(base) or bound(base)

        return cls(client, searches, or_here, loopback, https_only=False, seconds=seconds, earlier=earlier)

    def access(self, call: HookCall, now: float) -> Access | NoAccess:
        """``now`` by the event loop's clock. Raises ``FieldInvalid`` (400) for http where only https is safe."""
        if call.fhir_server is None:
            return NoAccess()
        base = Base.of(call.fhir_server)
        if self.https_only and (base.scheme != "https" if base else call.fhir_server[:6].lower() != "https:"):
            raise FieldInvalid("fhirServer", "an https URL", _OR_NOTHING)
        if base is None:
            return NoAccess("not the base of a FHIR server")
        if not self.allowed(base):
            return NoAccess("not a server of this client")
        authorization = call.authorization
        if authorization is None:
            if not self.without_token(base):
                return NoAccess()
            return Access(self.client, base, "", now + self.seconds, self.searches)
        if reason := _unusable(authorization, call.patient_id):
            return NoAccess(reason)
        seconds = min(self.seconds, authorization.expires_in or self.seconds)
        earlier = self.earlier(base, call, now)
        return Access(self.client, base, authorization.token, now + seconds, self.searches, earlier)


_OR_NOTHING = (
    "Send fhirServer as an https URL; or leave it and fhirAuthorization out, and all is read from the prefetch."
)


def _unusable(authorization: Authorization, patient_id: str) -> str:
    """Its scopes are not judged: their names differ between EHRs, and the server knows what it allows."""
    if authorization.token_type.lower() not in ("", "bearer"):
        return "token is not a bearer token"
    if authorization.expires_in is not None and authorization.expires_in < SHORTEST:
        return "token has expired"
    if authorization.patient not in ("", patient_id):
        return "token is for another patient"
    return ""

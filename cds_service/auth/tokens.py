"""A token as the client sent it: read, nothing believed yet; and which of its claims hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Literal

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry

from cds_service.auth.keys import LONGEST_KID, Key
from cds_service.client_values import ALGORITHMS
from cds_service.store import TokenUse

Reason = Literal[
    "no token", "not a bearer token", "unreadable", "header", "claims", "issuer or tenant", "algorithm",
    "key set address", "audience", "lifetime", "expired", "not yet valid", "key not found", "signature", "used before",
]  # fmt: skip
"""Why a token was refused: for our log and counters, never for the client."""

LONGEST_TOKEN = 8192
LONGEST_LIFE = 3600
"""Seconds from ``iat`` to ``exp``."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""
LONGEST_CLAIM = 512


class RefusedError(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


class Claims(msgspec.Struct, frozen=True, gc=False):
    """All claims that we read. Other members are ignored."""

    iss: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    jti: str
    nbf: int | float | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    signed: CompactSignature
    algorithm: str
    kid: str
    jku: str | None
    claims: Claims

    @property
    def audiences(self) -> Sequence[str]:
        return [self.claims.aud] if isinstance(self.claims.aud, str) else self.claims.aud


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises ``RefusedError``."""
    if authorization is None:
        raise RefusedError("no token")
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise RefusedError("not a bearer token")
    return token


_registry = JWSRegistry(strict_check_header=False)
_registry.max_header_length = 4096
_registries = {name: JWSRegistry(algorithms=[name], strict_check_header=False) for name in ALGORITHMS}
_decode = msgspec.json.Decoder(Claims).decode


def read(token: str) -> Token:
    """Raises ``RefusedError``."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise RefusedError("unreadable")
    try:
        signed = jws.extract_compact(token.encode(), None, _registry)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise RefusedError("unreadable") from None
    header = signed.protected
    if not isinstance(header, dict):
        raise RefusedError("unreadable")
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
    if (
        header.get("typ") != "JWT"
        or not isinstance(algorithm, str)
        or not isinstance(kid, str)
        or not 0 < len(kid) <= LONGEST_KID
        or not isinstance(jku, str | None)
        or "crit" in header
    ):
        raise RefusedError("header")
    try:
        claims = _decode(signed.payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RefusedError("claims") from None
    if not claims.jti or len(claims.jti) > LONGEST_CLAIM or len(claims.iss) > LONGEST_CLAIM:
        raise RefusedError("claims")
    return Token(signed, algorithm, kid, jku, claims)


def check_time(claims: Claims, now: float) -> None:
    """Raises ``RefusedError``. ``now`` in seconds since 1970."""
    if not 0 < claims.exp - claims.iat <= LONGEST_LIFE:
        raise RefusedError("lifetime")
    if claims.exp <= now - LEEWAY:
        raise RefusedError("expired")
    if claims.iat > now + LEEWAY or (claims.nbf is not None and claims.nbf > now + LEEWAY):
        raise RefusedError("not yet valid")


def use_of(claims: Claims, client: str, now: float) -> TokenUse:
    """``client`` is the name of its profile. What is remembered tells nothing of the token: one hash of issuer and
    ``jti``, for as long as the token could be believed."""
    name = blake2b(f"{len(claims.iss)} {claims.iss}{claims.jti}".encode(), digest_size=16).hexdigest()
    expires = datetime.fromtimestamp(claims.exp + LEEWAY, UTC)
    return TokenUse(client, name, datetime.fromtimestamp(now, UTC), expires)


def check_audience(token: Token, accepted: Collection[str]) -> None:
    """Raises ``RefusedError``."""
    if not any(one in accepted for one in token.audiences):
        raise RefusedError("audience")


def check_signature(token: Token, key: Key) -> None:
    """Raises ``RefusedError``. ``key`` is one for the algorithm of the token."""
    try:
        valid = jws.validate_compact(token.signed, key, registry=_registries[token.algorithm])
    except (JoseError, ValueError, TypeError):
        valid = False
    if not valid:
        raise RefusedError("signature")

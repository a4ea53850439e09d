"""A token as the client sent it: read, nothing believed yet; and which of its claims hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

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
    signed: bytes
    """Header and claims as they were signed."""
    signature: bytes
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


_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}
_decode_header = msgspec.json.Decoder(dict[str, Any]).decode
_decode = msgspec.json.Decoder(Claims).decode


def read(token: str) -> Token:
    """Raises ``RefusedError``."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise RefusedError("unreadable")
    signed, _, end = token.encode().rpartition(b".")
    head, dot, body = signed.partition(b".")
    if not dot or b"." in body:
        raise RefusedError("unreadable")
    try:
        header = _decode_header(urlsafe_b64decode(head))
        payload, signature = urlsafe_b64decode(body), urlsafe_b64decode(end)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RefusedError("unreadable") from None
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
    if (
        header.get("typ") != "JWT"
        or not isinstance(algorithm, str)
        or not isinstance(kid, str)
        or not 0 < len(kid) <= LONGEST_KID
        or not (jku is None or isinstance(jku, str))
        or "crit" in header
        or header.get("b64", True) is not True
    ):
        raise RefusedError("header")
    try:
        claims = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise RefusedError("claims") from None
    if not claims.jti or len(claims.jti) > LONGEST_CLAIM or len(claims.iss) > LONGEST_CLAIM:
        raise RefusedError("claims")
    return Token(signed, signature, algorithm, kid, jku, claims)


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
        valid = _ALGORITHMS[token.algorithm].verify(token.signed, token.signature, key)
    except (JoseError, ValueError, TypeError):
        valid = False
    if not valid:
        raise RefusedError("signature")

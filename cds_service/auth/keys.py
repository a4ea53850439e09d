"""JSON Web Keys as keys that can only verify: public, asymmetric, each for the algorithms of its type and curve."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

Key = ECKey | RSAKey
Keys = Mapping[tuple[str, str], Key]
"""By ``kid`` and algorithm."""

MOST_KEYS = 100
LONGEST_KID = 256
_SMALLEST_RSA, _LARGEST_RSA, _LARGEST_EXPONENT = 2048, 4096, 32
"""Bits. Larger ones cost the one who verifies."""
_OF_CURVE = {"P-384": ("ES384",), "P-256": ("ES256",)}
_OF_RSA = ("RS384", "RS256")
_OF_ONLY_A_PRIVATE_KEY = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

PUBLISHED: Mapping[str, str] = {
    "s9fOe-KDYD1myZ8YCzleUqJQgrYZL49kVijBxhnZvZc": "the CDS Hooks Sandbox",
    "RBFgQFFUIf4hfG8iUUZrf3vFZ_V2r3YRGPx9nKJXk5M": "the Inferno CRD test kit",
    "Q7fgcIzqt0bVAKsWaw_FyUFSDDpOTfsGdGtjJmAnzFY": "the Inferno CRD test kit",
}
"""Thumbprint (RFC 7638, SHA-256) of keys whose private half stands in a public repository → whose they are."""


class UnusableKeyError(ValueError):
    """What is wrong with a key, and the cure. Says nothing of its contents."""


def of_set(document: Sequence[Mapping[str, Any]], *, published_too: bool) -> tuple[Keys, tuple[str, ...]]:
    """The keys of a JWK Set, and what is wrong with those that were left out. The first of two equal names stands."""
    keys: dict[tuple[str, str], Key] = {}
    wrong = [f"has more than {MOST_KEYS} keys"] if len(document) > MOST_KEYS else []
    for number, jwk in enumerate(document[:MOST_KEYS], 1):
        try:
            kid, key, algorithms = _read(jwk, published_too=published_too)
        except UnusableKeyError as error:
            wrong.append(f"key {number} {error}")
        else:
            for algorithm in algorithms:
                keys.setdefault((kid, algorithm), key)
    return keys, tuple(wrong)


def _read(jwk: Mapping[str, Any], *, published_too: bool) -> tuple[str, Key, tuple[str, ...]]:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
        raise UnusableKeyError("has no kid, by which a token could name it; add one")
    if jwk.get("kty") == "oct":
        raise UnusableKeyError("is symmetric: who can verify with it can sign too; use an EC or RSA key")
    if not _OF_ONLY_A_PRIVATE_KEY.isdisjoint(jwk):
        raise UnusableKeyError("is a private key; replace it, since it is known here now, and give the public half")
    if jwk.get("use", "sig") != "sig" or not _may_verify(jwk.get("key_ops")):
        raise UnusableKeyError('is not for signatures; give one with "use": "sig"')
    key, algorithms = _key(jwk)
    if "alg" in jwk:
        algorithms = tuple(one for one in algorithms if one == jwk["alg"])
    if not algorithms:
        raise UnusableKeyError("is for no algorithm that is accepted; use ES384 or RS384")
    whose = PUBLISHED.get(_thumbprint(key))
    if whose and not published_too:
        raise UnusableKeyError(f"is the test key of {whose}: anybody can sign with it; use it in sandbox mode only")
    return kid, key, algorithms


def _thumbprint(key: Key) -> str:
    """Of the key itself, however its numbers were written: with zeros in front they would have another thumbprint."""
    return type(key).import_key(key.as_pem(private=False)).thumbprint()


def _may_verify(operations: object) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)


def _key(jwk: Mapping[str, Any]) -> tuple[Key, tuple[str, ...]]:
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    try:
        match jwk.get("kty"):
            case "EC" if jwk.get("crv") in _OF_CURVE:
                return ECKey.import_key(public), _OF_CURVE[jwk["crv"]]
            case "RSA" if _SMALLEST_RSA <= _bits(jwk["n"]) <= _LARGEST_RSA and _bits(jwk["e"]) <= _LARGEST_EXPONENT:
                return RSAKey.import_key(public), _OF_RSA
    except (JoseError, ValueError, TypeError, KeyError):
        raise UnusableKeyError("cannot be read; export it again") from None
    raise UnusableKeyError(
        f"is neither on curve P-384 or P-256 nor RSA of {_SMALLEST_RSA} to {_LARGEST_RSA} bits; use one that is"
    )


def _bits(base64url: str) -> int:
    padded = base64url + "=" * (-len(base64url) % 4)
    return int.from_bytes(urlsafe_b64decode(padded)).bit_length()

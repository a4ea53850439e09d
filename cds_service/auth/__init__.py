"""Who calls: a JSON Web Token → the CDS Client whose profile it fits, or ``NotAuthenticated`` (checklist 2.7).

Cheap checks come first, the signature after them, the memory of used tokens last: only a token that is right in all
else is remembered. Every refusal looks the same to the client; the reason goes to the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from cds_service import metrics
from cds_service.auth import keys as keys_of
from cds_service.auth import tokens
from cds_service.auth.key_sets import KeySets
from cds_service.auth.keys import Key, Keys
from cds_service.auth.tokens import RefusedError, Token
from cds_service.clients import ANYBODY, Caller, CdsClient
from cds_service.errors import NotAuthenticated
from cds_service.settings import Settings, SettingsError
from cds_service.store import TokenUse
from cds_service.store.uses import SeenHere


class Authenticator:
    def __init__(
        self,
        settings: Settings,
        clients: Sequence[CdsClient],
        *,
        take: Callable[[TokenUse], bool] | None = None,
        key_sets: KeySets | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``take`` tells whether a token is new, as ``Store.take``. Raises ``SettingsError`` for keys that cannot be
        used."""
        self._base = settings.public_base_url
        self._optional = settings.sandbox
        self._any_host = settings.sandbox and not settings.public_base_url
        self._static = _static_keys(clients, published_too=settings.sandbox)
        self._clients = _by_issuer(clients)
        self._take = take or SeenHere().take
        self._key_sets = key_sets or KeySets(published_too=settings.sandbox, ca_file=settings.ca_file)
        self._clock = clock

    async def authenticate(self, authorization: str | None, path: str) -> Caller:
        """``path`` is that of the address that was called, as "/cds-services". Raises ``NotAuthenticated``."""
        if authorization is None and self._optional:
            return Caller(ANYBODY)
        client = None
        try:
            token = tokens.read(tokens.bearer(authorization))
            client = self._client(token)
            use = await self._check(token, client, path)
        except RefusedError as refused:
            metrics.token_refused(refused.reason)
            raise NotAuthenticated(reason=refused.reason, client=client.name if client else "") from None
        return Caller(client, token.claims.tenant or "", use)

    def _client(self, token: Token) -> CdsClient:
        """Whose profile the token claims; nothing is believed before its signature is checked."""
        named = self._clients.get(token.claims.iss, {})
        client = named.get(token.claims.tenant) or named.get(None)
        if client is None:
            raise RefusedError("issuer or tenant")
        return client

    async def _check(self, token: Token, client: CdsClient, path: str) -> TokenUse | None:
        if token.algorithm not in client.algorithms:
            raise RefusedError("algorithm")
        if client.jku and token.jku is not None and token.jku not in client.jku:
            raise RefusedError("key set address")
        self._check_audience(token, client, path)
        now = self._clock()
        tokens.check_time(token.claims, now)
        key = await self._key(token, client)
        if key is None:
            raise RefusedError("key not found")
        tokens.check_signature(token, key)
        if client.reuses_tokens:
            return None
        use = tokens.use_of(token.claims, client.name, now)
        if not self._take(use):
            raise RefusedError("used before")
        return use

    def _check_audience(self, token: Token, client: CdsClient, path: str) -> None:
        """The address that was called, by the configured base: never by the Host header, which the caller writes."""
        if self._any_host and any(one.endswith(path) for one in token.audiences):
            return
        tokens.check_audience(token, (self._base + path, *client.audiences))

    async def _key(self, token: Token, client: CdsClient) -> Key | None:
        """From the file of the profile; else from the key set that the token names, or from each of the profile."""
        if key := self._static[client.name].get((token.kid, token.algorithm)):
            return key
        for url in [url for url in client.jku if token.jku in (None, url)]:
            if key := await self._key_sets.find(url, token.kid, token.algorithm):
                return key
        return None


def _by_issuer(clients: Sequence[CdsClient]) -> Mapping[str, Mapping[str | None, CdsClient]]:
    """Issuer → tenant → client; under None the client that takes any tenant."""
    found: dict[str, dict[str | None, CdsClient]] = {}
    for client in clients:
        for issuer in client.issuers:
            found.setdefault(issuer, {}).update(dict.fromkeys(client.tenants or [None], client))
    return found


def _static_keys(clients: Sequence[CdsClient], *, published_too: bool) -> Mapping[str, Keys]:
    keys: dict[str, Keys] = {}
    problems: list[str] = []
    for client in clients:
        keys[client.name], wrong = keys_of.of_set(client.keys, published_too=published_too)
        problems += [f"{client.jwks_file} (jwks_file of [clients.{client.name}]) {problem}" for problem in wrong]
    if problems:
        raise SettingsError("\n".join(problems))
    return keys

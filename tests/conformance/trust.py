"""Clients with keys of their own, made anew in each test run, and the tokens that they sign."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from cards.facts import Input
from cds_service import clients, services
from cds_service.app import application
from cds_service.auth import Authenticator
from cds_service.auth.key_sets import KeySets
from cds_service.gate import Gate
from cds_service.routes import Answer
from cds_service.settings import load
from cds_service.store import Store
from tests.conformance.calls import SERVICE, Client, Json, assert_refused, no_cards, order_sign

BASE = "https://cds.example"
URL = BASE + SERVICE
DISCOVERY = BASE + "/cds-services"
ISSUER = "https://ehr.example/fhir/R4"
JKU = "https://ehr.example/.well-known/jwks.json"
NOW = 1_795_000_000
"""The time of the service, seconds since 1970."""

Key = ECKey | RSAKey
ALGORITHM_OF = {"P-384": "ES384", "P-256": "ES256", "RSA": "RS384"}


def key(kind: str = "P-384", number: int = 0) -> Key:
    """A key pair; another ``number``, another pair."""
    return _made(kind, number)


@cache
def _made(kind: str, _: int) -> Key:
    return RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key(kind)


def public(signer: Key, kid: str = "k1", **more: Any) -> Json:
    return {**signer.as_dict(private=False), "kid": kid, "use": "sig", **more}


def private(signer: Key, kid: str = "k1", **more: Any) -> Json:
    return {**signer.as_dict(private=True), "kid": kid, **more}


def header(algorithm: str = "ES384", **changes: Any) -> Json:
    return _changed({"alg": algorithm, "kid": "k1", "typ": "JWT"}, changes)


def claims(**changes: Any) -> Json:
    """What CDS Hooks asks for; a change to ... takes the claim out."""
    return _changed({"iss": ISSUER, "aud": URL, "exp": NOW + 300, "iat": NOW, "jti": str(uuid4())}, changes)


def _changed(whole: Json, changes: Json) -> Json:
    return {name: value for name, value in {**whole, **changes}.items() if value is not ...}


def token(signer: Key | None = None, *, head: Json | None = None, **changes: Any) -> str:
    """A token that is right in all that is not changed."""
    return sign(signer or key(), head or header(), json.dumps(claims(**changes)).encode())


def sign(signer: Key, head: Json, payload: bytes) -> str:
    """Signs whatever it is given, by the algorithm that the key has; a library would refuse some of it."""
    signing = f"{b64(json.dumps(head).encode())}.{b64(payload)}"
    name = head.get("alg")
    algorithm = jws.JWSRegistry.algorithms[name if name in ("RS384", "RS256", "ES256") else "ES384"]
    return f"{signing}.{b64(algorithm.sign(signing.encode(), signer))}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(head: Json, payload: Json, signature: bytes = b"") -> str:
    return f"{b64(json.dumps(head).encode())}.{b64(json.dumps(payload).encode())}.{b64(signature)}"


def symmetric(algorithm: str, secret: bytes) -> str:
    """Signed with what everybody knows: the public key taken for a shared secret."""
    whole = unsigned(header(algorithm), claims())
    signing = whole.rpartition(".")[0]
    return f"{signing}.{b64(hmac.new(secret, signing.encode(), 'sha' + algorithm[2:]).digest())}"


class Slowly(httpx.AsyncByteStream):
    """A body that comes in pieces, as over a network."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 4096):
            yield self._content[start : start + 4096]


class Door:
    """The HTTP side of the service in production mode, with one client; what is asked of it, and what it fetched."""

    def __init__(
        self,
        folder: Path,
        *keys: Json,
        now: Callable[[], float] = lambda: NOW,
        fetch: Callable[[httpx.Request], Any] | None = None,
        settings: Json | None = None,
        answer: Answer = no_cards,
        **profile: Any,
    ) -> None:
        self.fetched: list[str] = []
        table: Json = {"issuers": [ISSUER], **profile}
        if keys:
            (folder / "jwks.json").write_text(json.dumps({"keys": keys}))
            table["jwks_file"] = str(folder / "jwks.json")
        kept = {"state_dir": folder}
        given = {"mode": "production", "public_base_url": BASE, "clients": {"north": table}, **kept, **(settings or {})}
        self.settings = load(**given)

        async def counted(request: httpx.Request) -> httpx.Response:
            self.fetched.append(str(request.url))
            answer = fetch(request) if fetch else httpx.Response(404)
            answer = await answer if hasattr(answer, "__await__") else answer
            return httpx.Response(answer.status_code, headers=answer.headers, stream=Slowly(answer.content))

        self.key_sets = KeySets(transport=httpx.MockTransport(counted), clock=now)
        known = clients.load(self.settings)
        store = Store.open(self.settings)
        self.authenticator = Authenticator(self.settings, known, take=store.take, key_sets=self.key_sets, clock=now)
        gate = replace(Gate.of(self.settings, known, store), authenticator=self.authenticator)
        service = services.baclofen_safety(frozenset(Input))
        self.app = application(self.settings, service, lambda client: answer, {"mode": "production"}, gate)
        self.client = Client(self.app)

    def call(self, sent: str | None, *, scheme: str = "Bearer", path: str = SERVICE, **headers: str) -> httpx.Response:
        body = json.dumps(order_sign())
        given = {"content-type": "application/json", **headers}
        if sent is not None:
            given["authorization"] = f"{scheme} {sent}"
        return self.client.request("POST", path, content=body, headers=given)


def refused(response: httpx.Response) -> httpx.Response:
    """A 401 that is like every other 401."""
    issue = assert_refused(response, 401)
    assert issue["code"] == "login"
    assert response.headers["www-authenticate"] == "Bearer"
    return response


def serves(*keys: Json) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, json={"keys": list(keys)})

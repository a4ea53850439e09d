"""Tokens that are torn, forged, or signed over odd claims: only one that is right in every claim lets anybody in."""

from __future__ import annotations

import json
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from tests.conformance.calls import SERVICE, Json, assert_refused
from tests.conformance.trust import ISSUER, NOW, URL, Door, b64, claims, header, key, public, token
from tests.properties.hostile import ODD
from tests.properties.search import examples

SECONDS = 1.0
PIECES = st.binary(max_size=8).map(lambda text: text.translate(None, b"\r\n\x00"))
"""What an HTTP header can hold."""


@cache
def door() -> Door:
    return Door(Path(tempfile.mkdtemp(prefix="baclofen-cds-test-")), public(key()), calls_per_minute=1_000_000)


def called(sent: str | bytes) -> httpx.Response:
    bearer = b"Bearer " + (sent.encode("utf-8", "surrogatepass") if isinstance(sent, str) else sent)
    headers: Any = [(b"content-type", b"application/json"), (b"authorization", bearer)]
    started = time.thread_time()
    response = door().client.request("POST", SERVICE, content=b"{", headers=headers)
    assert time.thread_time() - started < SECONDS
    return response


def assert_stays_out(sent: str | bytes) -> None:
    response = called(sent)
    if response.status_code != 431:
        assert_refused(response, 401)


def test_a_right_token_comes_in() -> None:
    assert called(token()).status_code == 400, "as far as the body, which is no JSON"


@examples(100)
@given(st.data())
def test_a_token_with_any_change_stays_out(data: st.DataObject) -> None:
    whole = token().encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    to = data.draw(st.integers(at, len(whole)))
    changed = whole[:at] + data.draw(PIECES) + whole[to:]
    if changed.strip() != whole:
        assert_stays_out(changed)


@examples(60)
@given(st.lists(PIECES).map(b"".join))
def test_anything_stays_out(sent: bytes) -> None:
    assert_stays_out(sent)


@examples(100)
@given(st.sampled_from((*header(), "jku", "crit", "b64", "jwk", "x5c", "zip", "enc", "p2c", "epk")), ODD)
def test_an_odd_header_stays_out_or_does_not_matter(name: str, odd: str) -> None:
    """Signed over whatever it says."""
    text = json.dumps({**header(), name: "@"}).replace('"@"', odd)
    response = called(signed(text.encode("utf-8", "surrogatepass"), json.dumps(claims()).encode()))
    if response.status_code not in (401, 431):
        said = json.loads(text)
        assert name not in ("crit", "b64")
        assert {one: said[one] for one in header()} == header()


@examples(150)
@given(st.sampled_from((*claims(), "nbf", "tenant", "sub", "x")), ODD)
def test_odd_claims_stay_out_or_are_right(name: str, odd: str) -> None:
    text = json.dumps({**claims(), name: "@"}).replace('"@"', odd)
    response = called(signed(json.dumps(header()).encode(), text.encode("utf-8", "surrogatepass")))
    if response.status_code not in (401, 431):
        assert right(json.loads(text))


@examples(100)
@given(st.data())
def test_odd_times_stay_out_or_are_right(data: st.DataObject) -> None:
    edge = st.sampled_from(
        (-3661, -3660, -3600, -361, -301, -300, -61, -60, -59, 0, 59, 60, 61, 300, 3600, 3601, 10**9)
    )
    given_times: Json = {name: NOW + data.draw(edge | st.integers(-5000, 5000), name) for name in ("iat", "exp", "nbf")}
    assert (called(token(**given_times)).status_code == 400) == right(claims(**given_times))


def right(said: Any) -> bool:
    """The checklist's J7 to J12 in other words."""
    audience = said["aud"] if isinstance(said["aud"], list) else [said["aud"]]
    return bool(
        said["iss"] == ISSUER
        and URL in audience
        and isinstance(said["jti"], str)
        and 0 < len(said["jti"]) <= 512
        and said["exp"] > NOW - 60
        and said["iat"] <= NOW + 60
        and 0 < said["exp"] - said["iat"] <= 3600
        and (said.get("nbf") is None or said["nbf"] <= NOW + 60)
        and isinstance(said.get("tenant"), str | None)
    )


def signed(head: bytes, payload: bytes) -> str:
    """By the one key, whatever the header says."""
    text = f"{b64(head)}.{b64(payload)}"
    return f"{text}.{b64(jws.JWSRegistry.algorithms['ES384'].sign(text.encode(), key()))}"

"""J13 to J15, rows 70, 72, 79, 80: keys from a real server over TLS, with a certificate authority of the tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service import clients
from cds_service.auth import Authenticator, key_sets
from cds_service.auth.key_sets import FRESH, PAUSE, RENEWED_AFTER, STALE, KeySets
from cds_service.errors import NotAuthenticated
from cds_service.settings import SettingsError, load
from tests.conformance.calls import SERVICE, Json
from tests.conformance.trust import BASE, NOW, header, key, public, token
from tests.integration import broken, certificates
from tests.integration.broken import Behaviour, Broken, drip, head, raw, says, silence
from tests.integration.certificates import Authority

FIRST, SECOND = public(key()), public(key(number=1), "k2")


def serves(*keys: Json) -> Behaviour:
    return says({"keys": list(keys)}, content_type="application/json")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return certificates.authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[Broken]:
    with broken.running({"": serves(FIRST)}, tls=authority.server("localhost")) as running:
        yield running


class Gatekeeper:
    """What decides who comes in, with a clock that the test moves."""

    def __init__(self, folder: Path, server: Broken, ca_file: Path | None) -> None:
        self.server = server
        self.now = float(NOW)
        self.jku = f"https://localhost:{server.port}/fhir/jwks.json"
        table = {"issuers": ["https://ehr.example/fhir/R4"], "jku": [self.jku]}
        settings = load(public_base_url=BASE, clients={"north": table}, state_dir=folder, ca_file=ca_file)
        sets = KeySets(ca_file=settings.ca_file, clock=lambda: self.now)
        self._authenticator = Authenticator(settings, clients.load(settings), key_sets=sets, clock=lambda: self.now)

    async def lets_in(self, number: int = 0, kid: str = "k1", jku: str = "") -> bool:
        times = {"iat": self.now, "exp": self.now + 300}
        sent = token(key(number=number), head=header(kid=kid, jku=jku or self.jku), **times)
        try:
            await self._authenticator.authenticate(f"Bearer {sent}", SERVICE)
        except NotAuthenticated:
            return False
        return True

    async def asked(self, number: int) -> bool:
        """Whether the server was asked so many times, by what goes on beside the calls too."""
        for _ in range(100):
            if len(self.server.requests) >= number:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
        return len(self.server.requests) == number


@pytest.fixture
def gatekeeper(tmp_path: Path, server: Broken, authority: Authority) -> Gatekeeper:
    return Gatekeeper(tmp_path, server, authority.file)


def run(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(scenario())


# ------------------------------------------------------------------------------------------------------- the connection


def test_J15_keys_over_tls_of_the_sites_own_authority(gatekeeper: Gatekeeper) -> None:
    async def scenario() -> None:
        assert [await gatekeeper.lets_in() for _ in range(3)] == [True] * 3
        assert (gatekeeper.server.connections, await gatekeeper.asked(1)) == (1, True)

    run(scenario)
    (request,) = gatekeeper.server.requests
    assert (request.method, request.path) == ("GET", "jwks.json")
    assert {"authorization", "cookie"}.isdisjoint(request.headers)


def test_J15_no_key_comes_from_a_server_that_nobody_vouches_for(tmp_path: Path, server: Broken) -> None:
    doubting = Gatekeeper(tmp_path, server, None)

    async def scenario() -> None:
        assert not await doubting.lets_in()

    run(scenario)
    assert server.requests == []


@pytest.mark.parametrize("fault", ["another name", "expired", "another authority", "TLS 1.1"])
def test_J15_nor_with_a_bad_certificate(tmp_path: Path, authority: Authority, fault: str) -> None:
    with broken.running({"": serves(FIRST)}, tls=authority.bad_servers()[fault]) as bad:
        gatekeeper = Gatekeeper(tmp_path, bad, authority.file)

        async def scenario() -> None:
            assert not await gatekeeper.lets_in()

        run(scenario)
        assert bad.requests == []


def test_a_file_without_certificates_stops_the_start(tmp_path: Path, server: Broken) -> None:
    (tmp_path / "empty.pem").write_text("no certificate\n")
    with pytest.raises(SettingsError, match=r"ca_file: .*; name a PEM file with certificates"):
        Gatekeeper(tmp_path, server, tmp_path / "empty.pem")


@pytest.mark.parametrize(
    "way",
    [
        "https://127.0.0.1:{}/fhir/jwks.json",
        "https://localhost:{}/fhir/jwks.json?",
        "https://LOCALHOST:{}/fhir/jwks.json",
        "http://localhost:{}/fhir/jwks.json",
        "https://x@localhost:{}/fhir/jwks.json",
    ],
)
def test_J8_row_70_an_address_in_a_token_is_not_connected_to(gatekeeper: Gatekeeper, way: str) -> None:
    async def scenario() -> None:
        assert not await gatekeeper.lets_in(jku=way.format(gatekeeper.server.port))

    run(scenario)
    assert gatekeeper.server.connections == 0


def test_row_70_a_redirect_is_not_followed(gatekeeper: Gatekeeper) -> None:
    with broken.running({"": serves(FIRST)}) as elsewhere:
        gatekeeper.server.behaviours[""] = says(b"", 302, location=f"{elsewhere.base}/jwks.json")

        async def scenario() -> None:
            assert not await gatekeeper.lets_in()

        run(scenario)
        assert elsewhere.connections == 0


# ------------------------------------------------------------------------------------------------------------- rotation


def test_J14_row_80_a_new_key_is_found_and_the_old_one_dies(gatekeeper: Gatekeeper) -> None:
    async def scenario() -> None:
        assert await gatekeeper.lets_in()
        gatekeeper.server.behaviours[""] = serves(SECOND)
        gatekeeper.now += PAUSE - 1
        assert not await gatekeeper.lets_in(1, "k2"), "the address was asked just now"
        assert await gatekeeper.asked(1)
        gatekeeper.now += 1
        assert await gatekeeper.lets_in(1, "k2")
        assert await gatekeeper.asked(2)
        assert not await gatekeeper.lets_in(), "what is not in the set any more counts no more"

    run(scenario)


def test_J14_row_80_during_a_change_both_keys_serve(gatekeeper: Gatekeeper) -> None:
    gatekeeper.server.behaviours[""] = serves(FIRST, SECOND)

    async def scenario() -> None:
        assert await gatekeeper.lets_in()
        assert await gatekeeper.lets_in(1, "k2")
        assert await gatekeeper.asked(1)

    run(scenario)


@pytest.mark.parametrize(("age", "waits"), [(RENEWED_AFTER, False), (FRESH, False), (FRESH + 1, True)])
def test_J14_row_80_a_withdrawn_key_lives_for_a_quarter_of_an_hour_at_most(
    gatekeeper: Gatekeeper, age: float, *, waits: bool
) -> None:
    """Until then the old set serves at once, and is renewed beside the call."""

    async def scenario() -> None:
        assert await gatekeeper.lets_in()
        gatekeeper.server.behaviours[""] = serves(SECOND)
        gatekeeper.now += age
        assert await gatekeeper.lets_in() == (not waits)
        assert await gatekeeper.asked(1 if age == RENEWED_AFTER else 2)
        assert await gatekeeper.lets_in() == (age == RENEWED_AFTER)

    run(scenario)


# ---------------------------------------------------------------------------------------------- an address that fails

FAULTS: dict[str, Behaviour] = {
    "an error": says(b"oops", 500),
    "hangs up": raw(b""),
    "no JSON": says(b"<html>", content_type="text/html"),
    "no keys": serves(),
    "a private key": serves({**key().as_dict(private=True), "kid": "k1"}),
    "too large": says(b" " * (key_sets.LARGEST_SET + 1)),
    "without an end": drip(head(transfer_encoding="chunked"), b"4000\r\n" + b" " * 0x4000 + b"\r\n", 0),
    "compressed": says(b"\x1f\x8b", content_encoding="gzip"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_J14_row_79_the_last_set_serves_for_twelve_hours(gatekeeper: Gatekeeper, fault: str) -> None:
    async def scenario() -> None:
        assert await gatekeeper.lets_in()
        gatekeeper.server.behaviours[""] = FAULTS[fault]
        gatekeeper.now = NOW + FRESH + 1
        assert await gatekeeper.lets_in()
        gatekeeper.now = NOW + STALE
        assert await gatekeeper.lets_in()
        gatekeeper.now = NOW + STALE + 1
        assert not await gatekeeper.lets_in(), "but no longer"
        gatekeeper.server.behaviours[""] = serves(FIRST)
        gatekeeper.now += PAUSE
        assert await gatekeeper.lets_in(), "and again when it is back"

    run(scenario)


def test_J14_row_79_a_server_that_is_gone(gatekeeper: Gatekeeper) -> None:
    """Nobody listens any more."""
    with broken.running({"": serves(FIRST)}) as gone:
        port = gone.port

    async def scenario() -> None:
        sets = KeySets(clock=lambda: gatekeeper.now)
        assert await sets.find(f"https://localhost:{port}/jwks.json", "k1", "ES384") is None

    run(scenario)


def test_J14_row_79_a_slow_server_delays_one_call_and_no_other(
    gatekeeper: Gatekeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order must not wait for keys every half a minute while the key server of the EHR hangs."""
    monkeypatch.setattr(key_sets, "LONGEST_FETCH", 0.5)

    async def seconds() -> float:
        started = time.perf_counter()
        assert await gatekeeper.lets_in()
        return time.perf_counter() - started

    async def scenario() -> None:
        await gatekeeper.lets_in()
        gatekeeper.server.behaviours[""] = silence
        gatekeeper.now += FRESH + 1
        assert await seconds() >= 0.5
        for number in range(3, 6):
            gatekeeper.now += PAUSE
            assert await seconds() < 0.4
            assert await gatekeeper.asked(number), "it is asked again, beside the call"
            await asyncio.sleep(0.6)

    run(scenario)


# -------------------------------------------------------------------------------------------------------------- a flood


def test_J14_row_72_a_flood_of_unknown_keys_is_one_request_in_half_a_minute(gatekeeper: Gatekeeper) -> None:
    async def flood() -> set[bool]:
        return set(await asyncio.gather(*(gatekeeper.lets_in(kid=f"unknown-{n}") for n in range(50))))

    async def scenario() -> None:
        assert await gatekeeper.lets_in()
        assert await flood() == {False}
        assert await gatekeeper.asked(1)
        for number in (2, 3):
            gatekeeper.now += PAUSE
            assert await flood() == {False}
            assert await gatekeeper.asked(number)
        assert await gatekeeper.lets_in()

    run(scenario)
    assert gatekeeper.server.connections == 3


def test_J14_the_first_calls_share_one_request(gatekeeper: Gatekeeper) -> None:
    async def scenario() -> None:
        together: Any = await asyncio.gather(*(gatekeeper.lets_in() for _ in range(30)))
        assert together == [True] * 30
        assert await gatekeeper.asked(1)

    run(scenario)


def test_the_bounds_are_those_that_the_operators_guide_states() -> None:
    guide = " ".join((Path(__file__).parents[2] / "docs" / "operations" / "clients.md").read_text("utf-8").split())
    assert (RENEWED_AFTER, FRESH, STALE, PAUSE) == (300, 900, 12 * 3600, 30)
    assert (key_sets.LARGEST_SET, key_sets.LONGEST_FETCH) == (256 << 10, 3)
    for said in ("256 KiB, 3 seconds", "after 5 minutes", "15 minutes at most", "every 30 seconds", "for 12 hours"):
        assert said in guide

"""J18: keys whose private half anybody can read let nobody into production; sandbox mode is their place."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from cds_service import clients
from cds_service.app import create_app
from cds_service.auth import keys as keys_of
from cds_service.settings import SettingsError, load
from tests.conformance.calls import SERVICE, Client, Json, order_sign, post
from tests.conformance.trust import JKU, Door, header, key, private, public, refused, serves, token

INFERNO: list[Json] = json.loads((Path(__file__).parent / "inferno_crd_kit.jwks.json").read_text("utf-8"))["keys"]
"""The public halves of lib/davinci_crd_test_kit/crd_jwks.json in inferno-framework/davinci-crd-test-kit."""
SANDBOX = [dict(one) for client in clients.load(load(mode="sandbox")) for one in client.keys]
PUBLISHED = {f"{one['kty']} {one['kid'][:8]}": one for one in (*INFERNO, *SANDBOX)}
WHOSE = (
    "is the test key of the (Inferno CRD test kit|CDS Hooks Sandbox): anybody can sign with it; use it in sandbox mode"
)
ISSUER = "https://inferno.example/suites/custom/crd_server"


def test_J18_all_of_them_are_known_and_no_other() -> None:
    found, wrong = keys_of.of_set([*INFERNO, *SANDBOX], published_too=True)
    assert wrong == ()
    assert {one.thumbprint() for one in found.values()} == set(keys_of.PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_J18_production_does_not_start_with_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=WHOSE):
        Door(tmp_path, PUBLISHED[name])
    with pytest.raises(SettingsError, match=WHOSE):
        Door(tmp_path, public(key()), PUBLISHED[name] | {"kid": "ours", "use": "sig", "key_ops": ["verify"]})


def zeros_in_front(number: str) -> str:
    whole = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return base64.urlsafe_b64encode(b"\x00" + whole).decode().rstrip("=")


@pytest.mark.parametrize("name", PUBLISHED)
def test_J18_nor_when_its_numbers_are_written_another_way(tmp_path: Path, name: str) -> None:
    """Some exports put a zero before a number; the thumbprint of what is written is then another."""
    for member in {"n", "e", "x", "y"} & PUBLISHED[name].keys():
        changed = PUBLISHED[name] | {member: zeros_in_front(PUBLISHED[name][member])}
        with pytest.raises(SettingsError, match=f"{WHOSE}|cannot be read"):
            Door(tmp_path, changed)


@pytest.mark.parametrize("name", PUBLISHED)
def test_J18_nor_does_one_count_that_is_fetched(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    door = Door(tmp_path, fetch=serves(PUBLISHED[name], public(key())), jku=[JKU])
    assert door.call(token()).status_code == 200
    fetched = next(json.loads(line) for line in capsys.readouterr().err.splitlines() if "keys fetched" in line)
    assert (fetched["keys"], fetched["keys_left_out"], fetched["level"]) == (1, 1, "warning")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of this test run stands for one whose private half is published: the real one has no place here."""
    made = keys_of.of_set([public(key())], published_too=True)[0]["k1", "ES384"]
    monkeypatch.setattr(keys_of, "PUBLISHED", {made.thumbprint(): "the Inferno CRD test kit"})


def test_J18_a_token_that_anybody_could_sign_lets_nobody_into_production(
    published: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door = Door(tmp_path, public(key(number=1), "k2"), fetch=serves(public(key())), jku=[JKU])
    refused(door.call(token()))
    assert "key not found" in capsys.readouterr().err
    assert door.call(token(key(number=1), head=header(kid="k2"))).status_code == 200


def test_J18_sandbox_mode_takes_it_where_a_profile_lists_it(published: None, tmp_path: Path) -> None:
    """The kit's address is the site's own, so a profile has to name it; without one its tokens are unknown."""

    def sent(**changes: Any) -> str:
        now = int(time.time())
        right: Json = {"iss": ISSUER, "aud": f"http://127.0.0.1:8080{SERVICE}", "iat": now, "exp": now + 300}
        return "Bearer " + token(head=header(jku=f"{ISSUER}/jwks.json"), **right | changes)

    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    table = {"issuers": [ISSUER], "jwks_file": str(tmp_path / "jwks.json")}
    kit = Client(create_app(load(mode="sandbox", clients={"inferno": table})))
    assert post(kit, order_sign(), authorization=sent()).status_code == 200
    refused(post(kit, order_sign(), authorization=sent(iss="https://other.example")))
    refused(post(kit, order_sign(), authorization=sent(exp=1, iat=0)))
    assert post(kit, order_sign()).status_code == 200, "and no token is needed"
    refused(post(Client(create_app(load(mode="sandbox"))), order_sign(), authorization=sent()))


@pytest.mark.parametrize("mode", ["sandbox", "production"])
def test_J18_its_file_as_the_kit_has_it_is_refused_in_either_mode(tmp_path: Path, mode: str) -> None:
    """It holds private keys too: whoever configures it should see that."""
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key()), private(key())]}))
    table = {"issuers": [ISSUER], "jwks_file": str(tmp_path / "jwks.json")}
    given: Json = {"mode": mode, "public_base_url": "https://cds.example", "state_dir": tmp_path}
    with pytest.raises(SettingsError, match=r"key 2 is a private key; replace it"):
        create_app(load(clients={"inferno": table}, **given))

"""Who may call: checklist J1 to J19, and rows 69 to 82 of the faults."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey

from cds_service.app import create_app
from cds_service.settings import SettingsError, load
from tests.conformance.calls import SERVICE, Client, Json, assert_refused, order_sign, post
from tests.conformance.trust import (
    ALGORITHM_OF,
    BASE,
    DISCOVERY,
    ISSUER,
    JKU,
    NOW,
    URL,
    Door,
    claims,
    header,
    key,
    private,
    public,
    refused,
    serves,
    sign,
    symmetric,
    token,
    unsigned,
)

CANARY = "canary-7f3a"


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, public(key()), public(key("RSA"), "k2"))


def reasons(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line["refused"] for line in lines if "refused" in line]


def assert_because(door: Door, sent: str | None, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(door.call(sent))
    assert reasons(capsys) == [reason]


# ------------------------------------------------------------------------------------------------------------ J1 to J6


def test_J1_authentication_is_on_by_default(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    assert_because(door, None, "no token", capsys)
    assert door.call(token()).status_code == 200


@pytest.mark.parametrize("name", ["none", "None", "nOnE", "NONE", ""])
@pytest.mark.parametrize("signature", [b"", b"x" * 96])
def test_J2_row_69_none_is_refused(door: Door, name: str, signature: bytes) -> None:
    refused(door.call(unsigned(header(name), claims(), signature)))


def test_J2_row_69_a_right_token_without_its_signature(door: Door) -> None:
    refused(door.call(token().rpartition(".")[0] + "."))
    refused(door.call(token().rpartition(".")[0]))


@pytest.mark.parametrize("size", ["256", "384", "512"])
@pytest.mark.parametrize("kind", ["P-384", "RSA"])
def test_J3_row_69_symmetric_algorithms_are_refused(tmp_path: Path, size: str, kind: str) -> None:
    door = Door(tmp_path, public(key(kind)))
    for secret in (
        key(kind).as_pem(private=False),
        key(kind).as_pem(private=False).strip(),
        json.dumps({"keys": [public(key(kind))]}).encode(),
        (tmp_path / "jwks.json").read_bytes(),
    ):
        refused(door.call(symmetric(f"HS{size}", secret)))


def test_J4_both_recommended_algorithms(door: Door) -> None:
    assert door.call(token(key("P-384"))).status_code == 200
    assert door.call(token(key("RSA"), head=header("RS384", kid="k2"))).status_code == 200


@pytest.mark.parametrize(("kind", "name"), [("P-256", "ES256"), ("RSA", "RS256")])
def test_J4_two_more_algorithms_only_where_the_profile_lists_them(tmp_path: Path, kind: str, name: str) -> None:
    sent = token(key(kind), head=header(name))
    refused(Door(tmp_path, public(key(kind)), public(key(), "other")).call(sent))
    assert Door(tmp_path, public(key(kind)), algorithms=[name]).call(sent).status_code == 200


@pytest.mark.parametrize("name", ["RS512", "ES512", "PS384", "EdDSA", "ES256K", "RS384 ", "es384"])
def test_J4_no_other_algorithm(door: Door, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert_because(door, token(head=header(name)), "algorithm", capsys)


def test_J5_row_69_algorithm_and_key_must_fit(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """An EC key is not found for an RSA algorithm, nor the reverse."""
    assert_because(door, token(key("RSA"), head=header("RS384", kid="k1")), "key not found", capsys)
    assert_because(door, unsigned(header("ES384", kid="k2"), claims(), b"x" * 96), "key not found", capsys)


def test_J5_a_key_for_one_algorithm_serves_no_other(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key("RSA"), alg="RS384"), algorithms=["RS384", "RS256"])
    refused(door.call(token(key("RSA"), head=header("RS256"))))
    assert door.call(token(key("RSA"), head=header("RS384"))).status_code == 200


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"use": "enc"}, "is not for signatures"),
        ({"key_ops": ["sign"]}, "is not for signatures"),
        ({"key_ops": "verify"}, "is not for signatures"),
        ({"alg": "RS384"}, "is for no algorithm that is accepted"),
        ({"kid": None}, "has no kid"),
        ({"crv": "P-521"}, "is neither on curve P-384"),
        ({"x": "AAAA"}, "cannot be read"),
        ({"x": 1}, "cannot be read"),
        ({"kty": "OKP"}, "is neither on curve"),
    ],
)
def test_J5_keys_that_cannot_verify_stop_the_start(tmp_path: Path, more: Json, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"jwks.json \(jwks_file of \[clients.north\]\) key 1 {said}.*[;,]"):
        Door(tmp_path, public(key(), **more))


def test_J5_keys_that_should_not_be_in_a_file_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a private key; replace it"):
        Door(tmp_path, private(key()))
    with pytest.raises(SettingsError, match="is symmetric"):
        Door(tmp_path, OctKey.generate_key(256).as_dict() | {"kid": "k1"})


@pytest.mark.parametrize(
    ("number", "said"), [({"n": "AQAB"}, "RSA of 2048 to 4096 bits"), ({"e": "A" * 12}, "cannot be read|RSA of")]
)
def test_J5_rsa_keys_of_an_odd_size(tmp_path: Path, number: Json, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Door(tmp_path, public(key("RSA"), **number))


@pytest.mark.parametrize(
    "changes",
    [{"kid": ...}, {"kid": ""}, {"kid": 1}, {"kid": None}, {"kid": "k" * 257}, {"typ": ...}, {"typ": "jwt"},
     {"typ": "JWS"}, {"typ": 1}, {"alg": ...}, {"alg": 1}, {"alg": ["ES384"]}, {"jku": 1}],
)  # fmt: skip
def test_J6_header_members(door: Door, changes: dict[str, Any]) -> None:
    refused(door.call(unsigned(header(**changes), claims(), b"x" * 96)))
    if "alg" not in changes:
        refused(door.call(token(head=header(**changes))))


# ----------------------------------------------------------------------------------------------------------- J7 to J12


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "jti"])
@pytest.mark.parametrize("value", [..., None, True, {}, [], [1]])
def test_J7_claims_are_there_and_of_their_type(door: Door, name: str, value: Any) -> None:
    refused(door.call(token(**{name: value})))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [str(NOW), "9e99", [NOW], 9e99, -9e99, 10**30])
def test_J7_row_75_times_are_numbers_near_now(door: Door, name: str, value: Any) -> None:
    response = door.call(token(**{name: value}))
    if name == "nbf" and value == -9e99:
        assert response.status_code == 200
    else:
        refused(response)


def test_J7_row_75_a_fraction_of_a_second_is_a_number(door: Door) -> None:
    assert door.call(token(exp=NOW + 299.5, iat=NOW - 0.5)).status_code == 200


@pytest.mark.parametrize("value", ["", 1, 1.5, "j" * 513, "j" * 1_000_000, ["a"]])
def test_J7_row_78_jti(door: Door, value: Any) -> None:
    response = door.call(token(jti=value))
    if isinstance(value, str) and len(value) > 30_000:
        assert_refused(response, 431)
    else:
        refused(response)


def test_J8_row_73_issuers(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    for issuer in ("https://other.example", f"{ISSUER}/", ISSUER.upper(), f" {ISSUER}", ""):
        assert_because(door, token(iss=issuer), "issuer or tenant", capsys)


def test_J8_row_73_a_key_counts_for_its_own_issuer_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "south.json").write_text(json.dumps({"keys": [public(key(number=1), "k9")]}))
    north = {"issuers": [ISSUER], "jwks_file": str(tmp_path / "jwks.json")}
    south = {"issuers": ["https://south.example"], "jwks_file": str(tmp_path / "south.json")}
    door = Door(tmp_path, public(key()), settings={"clients": {"north": north, "south": south}})
    mine: Json = {"head": header(kid="k9"), "iss": "https://south.example"}
    assert door.call(token(key(number=1), **mine)).status_code == 200
    assert_because(door, token(key(number=1), head=header(kid="k9")), "key not found", capsys)
    assert_because(door, token(key(number=1)), "signature", capsys)
    assert_because(door, token(key(), head=header(kid="k1"), iss="https://south.example"), "key not found", capsys)


@pytest.mark.parametrize("audience", [URL, [URL], ["https://other.example", URL]])
def test_J9_the_audience_is_the_address_that_is_called(door: Door, audience: Any) -> None:
    assert door.call(token(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    "audience",
    [BASE, DISCOVERY, f"{URL}/", f"{URL}/feedback", URL.replace("https", "http"), "https://evil.example" + SERVICE,
     URL.upper(), f"{URL}?x=1", "", [], ["https://a.example"], [[URL]], SERVICE],
)  # fmt: skip
def test_J9_row_74_any_other_audience_is_refused(door: Door, audience: Any) -> None:
    refused(door.call(token(aud=audience)))


def test_J9_the_host_header_does_not_count(door: Door) -> None:
    sent = token(aud="https://evil.example" + SERVICE)
    for headers in ({"host": "evil.example"}, {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}):
        refused(door.call(sent, **headers))
    assert door.call(token(), host="evil.example").status_code == 200


def test_J9_a_client_may_have_an_audience_of_its_own(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), audiences=["baclofen"])
    assert door.call(token(aud="baclofen")).status_code == 200
    assert door.call(token()).status_code == 200
    refused(door.call(token(aud="baclofen2")))


def test_J9_the_base_may_have_a_path(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), settings={"public_base_url": f"{BASE}/x/y"})
    assert door.call(token(aud=f"{BASE}/x/y{SERVICE}"), path=f"/x/y{SERVICE}").status_code == 200
    assert door.call(token(aud=f"{BASE}/x/y{SERVICE}")).status_code == 200
    refused(door.call(token(), path=f"/x/y{SERVICE}"))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"exp": NOW - 59, "iat": NOW - 300}, 200),
        ({"exp": NOW - 60, "iat": NOW - 300}, 401),
        ({"iat": NOW + 60, "exp": NOW + 300}, 200),
        ({"iat": NOW + 61, "exp": NOW + 300}, 401),
        ({"nbf": NOW + 60}, 200),
        ({"nbf": NOW + 61}, 401),
        ({"nbf": NOW - 300}, 200),
        ({"iat": NOW, "exp": NOW + 3600}, 200),
        ({"iat": NOW, "exp": NOW + 3601}, 401),
        ({"iat": NOW - 3500, "exp": NOW + 101}, 401),
        ({"iat": NOW, "exp": NOW + 30 * 365 * 86400}, 401),
        ({"iat": 0, "exp": NOW + 300}, 401),
        ({"iat": NOW, "exp": NOW}, 401),
        ({"iat": NOW + 30, "exp": NOW + 330}, 200),
        ({"iat": NOW - 330, "exp": NOW - 30}, 200),
    ],
)
def test_J10_row_75_row_76_times(door: Door, changes: Json, status: int) -> None:
    assert door.call(token(**changes)).status_code == status


def test_J10_an_epic_token(tmp_path: Path) -> None:
    """kid in base64, jku given, nbf before iat, a quarter of an hour, no tenant, a subject."""
    kid = "d3bmo5HzW61TUgikHZH+A8Tx4UOXz2iOs4KvVU4eLY0="
    door = Door(tmp_path, public(key("RSA"), kid, alg="RS384"))
    sent = token(
        key("RSA"),
        head=header("RS384", kid=kid, jku=f"{ISSUER}/PublicKeys"),
        exp=NOW + 900,
        nbf=NOW - 300,
        sub="client-id",
    )
    assert door.call(sent).status_code == 200


def test_J11_row_77_a_token_is_for_one_call(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    sent = token()
    assert door.call(sent).status_code == 200
    capsys.readouterr()
    assert_because(door, sent, "used before", capsys)
    again = json.loads(json.dumps(claims(jti="same")))
    assert door.call(token(**again)).status_code == 200
    refused(door.call(token(**again | {"iat": NOW - 1})))


def test_J11_one_jti_of_two_issuers_is_two_tokens(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), issuers=[ISSUER, "https://other.example"])
    assert door.call(token(jti="same")).status_code == 200
    assert door.call(token(jti="same", iss="https://other.example")).status_code == 200


def test_J11_only_a_token_that_is_right_in_all_else_is_remembered(door: Door) -> None:
    refused(door.call(token(key(number=1), jti="same")))
    refused(door.call(token(jti="same", aud=DISCOVERY)))
    assert door.call(token(jti="same")).status_code == 200


def test_J11_a_jti_may_come_back_when_the_token_has_expired(tmp_path: Path) -> None:
    now = [float(NOW)]
    door = Door(tmp_path, public(key()), now=lambda: now[0])
    assert door.call(token(jti="same")).status_code == 200
    now[0] = NOW + 360
    refused(door.call(token(jti="same", iat=now[0], exp=now[0] + 300)))
    now[0] = NOW + 361
    assert door.call(token(jti="same", iat=now[0], exp=now[0] + 300)).status_code == 200


@pytest.mark.parametrize("place", ["other worker", "after a restart"])
def test_J11_row_77_workers_and_restarts_share_what_they_have_seen(tmp_path: Path, place: str) -> None:
    shared = {"state_dir": tmp_path}
    first = Door(tmp_path, public(key()), settings=shared)
    second = Door(tmp_path, public(key()), settings=shared) if place == "other worker" else None
    sent = token()
    assert first.call(sent).status_code == 200
    del first
    refused((second or Door(tmp_path, public(key()), settings=shared)).call(sent))


def test_J11_a_test_kit_may_use_one_token_for_several_calls(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), reuses_tokens=True)
    sent = token()
    assert [door.call(sent).status_code for _ in range(3)] == [200, 200, 200]


def test_J12_tenants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door = Door(tmp_path, public(key()), tenants=["ward-1", "ward-2"])
    assert door.call(token(tenant="ward-2")).status_code == 200
    for tenant in ("ward-3", "", ...):
        assert_because(door, token(tenant=tenant), "issuer or tenant", capsys)
    refused(door.call(token(tenant=1)))
    any_tenant = Door(tmp_path, public(key()))
    assert any_tenant.call(token(tenant="ward-3")).status_code == 200


def test_J12_two_tenants_of_one_issuer_are_two_clients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = {"issuers": [ISSUER], "jwks_file": str(tmp_path / "jwks.json")}
    both = {"north": table | {"tenants": ["n"]}, "south": table | {"tenants": ["s"]}}
    door = Door(tmp_path, public(key()), settings={"clients": both})
    assert door.call(token(tenant="s")).status_code == 200
    assert json.loads(capsys.readouterr().err)["client"] == "south"


# ---------------------------------------------------------------------------------------------------------- J13 to J19


def test_J13_keys_agreed_out_of_band_need_no_network(door: Door) -> None:
    assert door.call(token()).status_code == 200
    assert door.call(token(head=header(jku="https://elsewhere.example/jwks"))).status_code == 200, "the file counts"
    assert door.fetched == []


def test_J14_keys_are_fetched_once(tmp_path: Path) -> None:
    door = Door(tmp_path, fetch=serves(public(key())), jku=[JKU])
    assert [door.call(token(head=header(jku=JKU))).status_code for _ in range(3)] == [200] * 3
    assert door.call(token()).status_code == 200, "a token need not name the set"
    assert door.fetched == [JKU]


def test_J14_the_file_comes_before_the_set(tmp_path: Path) -> None:
    door = Door(tmp_path, public(key()), fetch=serves(public(key(number=1), "k2")), jku=[JKU])
    assert door.call(token(head=header(jku=JKU))).status_code == 200
    assert door.fetched == []
    assert door.call(token(key(number=1), head=header(kid="k2", jku=JKU))).status_code == 200
    assert door.fetched == [JKU]


def test_J14_a_token_that_names_its_set_is_looked_up_there_alone(tmp_path: Path) -> None:
    other = "https://ehr.example/other.json"
    door = Door(tmp_path, fetch=serves(public(key())), jku=[other, JKU])
    assert door.call(token(head=header(jku=JKU))).status_code == 200
    assert door.fetched == [JKU]


@pytest.mark.parametrize(
    "jku",
    ["https://evil.example/jwks.json", "http://ehr.example/.well-known/jwks.json", "https://ehr.example@evil.example/jwks",
     f"{JKU}/", f"{JKU}?x=1", f"{JKU}#x", "https://ehr.example.evil.example/.well-known/jwks.json", "file:///x",
     JKU.upper(), "https://ehr.example/.well-known/../.well-known/jwks.json", "", JKU.removeprefix("https:")],
)  # fmt: skip
def test_J15_row_70_no_request_goes_to_an_address_that_is_not_listed(tmp_path: Path, jku: str) -> None:
    door = Door(tmp_path, fetch=serves(public(key())), jku=[JKU])
    refused(door.call(token(head=header(jku=jku))))
    assert door.fetched == []


def test_J15_row_71_keys_inside_a_token_count_for_nothing(tmp_path: Path) -> None:
    attacker = key(number=1)
    door = Door(tmp_path, public(key()), fetch=serves(public(attacker)), jku=[JKU])
    for more in (
        {"jwk": public(attacker)},
        {"x5c": ["MIIB"]},
        {"x5u": "https://evil.example/cert"},
        {"x5t": "abc", "jwk": public(attacker)},
    ):
        refused(door.call(token(attacker, head=header(**more))))
        assert door.call(token(head=header(**more))).status_code == 200, "ignored"
    assert door.fetched == []


@pytest.mark.parametrize("critical", [["b64"], ["exp"], ["x-new"], [], "b64", None])
def test_J15_row_71_critical_extensions_are_refused(door: Door, critical: Any) -> None:
    refused(door.call(token(head=header(crit=critical))))
    refused(door.call(token(head=header(crit=critical, b64=False))))
    refused(door.call(token(head=header(crit=critical, b64=True))))
    refused(door.call(token(head=header(b64=False))))


@pytest.mark.parametrize("kid", ["unknown", "../../etc/passwd", "k1'--", '"', "k1\x00", "K1", "k1 ", "k2", "\u212a1"])
def test_J15_row_72_unknown_keys(door: Door, kid: str) -> None:
    refused(door.call(token(head=header(kid=kid))))


def test_J15_row_72_a_huge_kid(door: Door) -> None:
    refused(door.call(token(head=header(kid="k" * 10_000))))


def test_J16_every_refusal_is_the_same_to_the_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door = Door(tmp_path, public(key()), fetch=serves(), jku=[JKU])
    used = token()
    door.call(used)
    capsys.readouterr()
    sent = [
        None, "", "x", "a.b.c", used, token(key(number=1)), token(iss="x"), token(aud="x"), token(exp=NOW - 99),
        symmetric("HS256", b"x"), token(head=header(kid="x")),
        token(head=header(jku="https://evil.example")), token(exp=NOW + 9999), token(jti=""),
        token(iat=NOW + 99), unsigned(header(), {}, b""), token(head=header(typ="x")),
    ]  # fmt: skip
    responses = [refused(door.call(one)) for one in sent]
    assert len({response.content for response in responses}) == 1
    for response in responses:
        del response.headers["x-request-id"]
    assert len({tuple(response.headers.multi_items()) for response in responses}) == 1
    said = reasons(capsys)
    assert len(said) == len(sent)
    assert len(set(said)) > 10, "our log tells them apart"


def test_J16_tokens_and_their_contents_are_not_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    door = Door(tmp_path, public(key()))
    everywhere: Json = {"jti": CANARY, "sub": CANARY, "tenant": CANARY}
    good = token(**everywhere)
    sent = [good, good, token(iss=CANARY), token(aud=CANARY), token(key(number=1), **everywhere),
            token(head=header(kid=CANARY, jku=f"https://{CANARY}")), CANARY, f"{CANARY}.{CANARY}.{CANARY}"]  # fmt: skip
    answers = [door.call(one) for one in sent]
    captured = capsys.readouterr()
    for secret in [CANARY, *[one for one in sent if "." in one], *good.split(".")]:
        assert secret not in captured.out + captured.err
        assert all(secret not in answer.text for answer in answers)
    assert CANARY not in door.client.get("/metrics").text


@pytest.mark.parametrize("mode", ["the default profile", "a profile that trusts the key"])
def test_J18_the_public_sandbox_key_lets_nobody_into_production(tmp_path: Path, mode: str) -> None:
    """Its private half is published, so anybody could sign with it."""
    packaged = load(mode="sandbox")
    from cds_service import clients

    (sandbox,) = clients.load(packaged)
    if mode == "the default profile":
        door = Door(tmp_path, public(key()))
        assert {client.name for client in clients.load(door.settings)} == {"north"}
        refused(door.call(token(iss="https://sandbox.cds-hooks.org", head=header(kid=sandbox.keys[0]["kid"]))))
    else:
        with pytest.raises(SettingsError, match="test key of the CDS Hooks Sandbox: anybody can sign"):
            Door(tmp_path, dict(sandbox.keys[0]), issuers=["https://sandbox.cds-hooks.org"])


def test_J18_nor_when_it_is_fetched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cds_service import clients

    (sandbox,) = clients.load(load(mode="sandbox"))
    door = Door(tmp_path, fetch=serves(dict(sandbox.keys[0]), public(key())), jku=[JKU])
    refused(door.call(token(head=header(kid=sandbox.keys[0]["kid"]))))
    assert door.call(token()).status_code == 200
    fetched = next(json.loads(line) for line in capsys.readouterr().err.splitlines() if "keys fetched" in line)
    assert (fetched["keys"], fetched["keys_left_out"], fetched["level"]) == (1, 1, "warning")


FEEDBACK = f"{SERVICE}/feedback"
TOLD = json.dumps({"feedback": []})


@pytest.fixture
def whole(tmp_path: Path) -> Client:
    return whole_service(tmp_path)


def whole_service(folder: Path) -> Client:
    """In production mode, with two clients and the clock of the machine. Two of one folder are as two workers."""
    tables = {}
    for number, name in enumerate(["north", "south"]):
        (folder / f"{name}.json").write_text(json.dumps({"keys": [public(key(number=number))]}))
        tables[name] = {"issuers": [f"https://{name}.example"], "jwks_file": str(folder / f"{name}.json")}
    return Client(create_app(load(public_base_url=BASE, clients=tables, state_dir=folder)))


def of(name: str, path: str, **changes: Any) -> str:
    now = int(time.time())
    right: Json = {"iss": f"https://{name}.example", "aud": BASE + path, "iat": now, "exp": now + 300}
    return "Bearer " + token(key(number=["north", "south"].index(name)), **right | changes)


def test_J19_feedback_has_the_same_checks(whole: Client) -> None:
    refused(post(whole, TOLD, FEEDBACK))
    for wrong in ({"aud": URL}, {"iss": "https://south.example"}, {"exp": 1}, {"jti": ""}):
        refused(post(whole, TOLD, FEEDBACK, authorization=of("north", FEEDBACK, **wrong)))
    sent = of("north", FEEDBACK)
    assert post(whole, TOLD, FEEDBACK, authorization=sent).status_code == 200
    refused(post(whole, TOLD, FEEDBACK, authorization=sent))
    refused(post(whole, order_sign(), authorization=of("north", FEEDBACK)))
    assert post(whole, order_sign(), authorization=of("north", SERVICE)).status_code == 200


def test_J11_row_77_a_replay_on_another_worker_leaves_no_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is found when the record is written: the answer does not leave, and nothing is kept of the call."""
    first, second = whole_service(tmp_path), whole_service(tmp_path)
    sent, told = of("north", SERVICE), of("north", FEEDBACK)
    assert post(first, order_sign(), authorization=sent).status_code == 200
    entry = {"card": "c1", "outcome": "accepted"}
    assert post(first, json.dumps({"feedback": [entry]}), FEEDBACK, authorization=told).status_code == 200
    never = post(second, order_sign(), authorization="Bearer x")
    replays = [
        post(second, order_sign(), authorization=sent),
        post(second, order_sign(), authorization=sent),
        post(second, json.dumps({"feedback": [entry | {"card": "c2"}]}), FEEDBACK, authorization=told),
    ]
    for replay in replays:
        refused(replay)
        assert replay.content == never.content
    why = [json.loads(line).get("refused") for line in capsys.readouterr().err.splitlines()]
    assert why.count("used before") == 3
    with sqlite3.connect(tmp_path / "store.sqlite3") as store:
        assert store.execute("SELECT count(*) FROM hook_call").fetchone() == (1,)
        assert store.execute("SELECT card_uuid FROM feedback").fetchall() != [("c2",)]
        assert store.execute("SELECT count(*) FROM feedback").fetchone() == (1,)
    store.close()


def test_J11_a_refused_call_uses_up_its_token(tmp_path: Path) -> None:
    first, second = whole_service(tmp_path), whole_service(tmp_path)
    sent = of("north", SERVICE)
    assert post(first, "{", authorization=sent).status_code == 400
    refused(post(first, order_sign(), authorization=sent))
    store = sqlite3.connect(tmp_path / "store.sqlite3")
    for _ in range(100):
        if store.execute("SELECT count(*) FROM used_token").fetchone() == (1,):
            break
        time.sleep(0.02)
    store.close()
    refused(post(second, order_sign(), authorization=sent))


def test_J19_one_client_cannot_take_away_the_cards_of_another(whole: Client) -> None:
    """Both EHRs have a patient p1. What a prescriber of the one overrides is shown at the other."""

    def topics_at(name: str) -> list[Json]:
        shown: list[Json] = post(whole, order_sign(), authorization=of(name, SERVICE)).json()["cards"]
        return shown

    card = next(card for card in topics_at("north") if card["indicator"] == "warning")
    entry = {"card": card["uuid"], "outcome": "overridden", "overrideReason": {"reason": card["overrideReasons"][0]}}
    said = json.dumps({"feedback": [entry]})
    assert post(whole, said, FEEDBACK, authorization=of("south", FEEDBACK)).status_code == 200
    assert card["summary"] in [again["summary"] for again in topics_at("north")], "said by a stranger"
    assert post(whole, said, FEEDBACK, authorization=of("north", FEEDBACK)).status_code == 200
    assert card["summary"] not in [again["summary"] for again in topics_at("north")]
    assert card["summary"] in [again["summary"] for again in topics_at("south")]


@pytest.mark.parametrize("protect", [True, False])
def test_J19_D13_discovery_is_protected_by_setting(tmp_path: Path, protect: bool) -> None:
    door = Door(tmp_path, public(key()), settings={"protect_discovery": protect})
    response = door.client.get("/cds-services")
    if not protect:
        assert response.status_code == 200
        return
    refused(response)
    sent = token(aud=DISCOVERY)
    assert door.client.get("/cds-services", authorization=f"Bearer {sent}").status_code == 200
    refused(door.client.get("/cds-services", authorization=f"Bearer {sent}"))
    refused(door.client.get("/cds-services", authorization=f"Bearer {token()}"))
    assert door.client.get("/healthz").status_code == 200


# ------------------------------------------------------------------------------------------------------ rows 79 to 82


class Endpoint:
    """A JWKS address whose answer the test changes, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = float(NOW)
        self.answer: Callable[[httpx.Request], Any] = serves(public(key()))
        self.door = Door(folder, now=lambda: self.now, fetch=self._fetch, jku=[JKU])

    def _fetch(self, request: httpx.Request) -> Any:
        return self.answer(request)

    def status(self, number: int = 0, kid: str = "k1") -> int:
        times = {"iat": self.now, "exp": self.now + 300}
        return self.door.call(token(key(number=number), head=header(kid=kid, jku=JKU), **times)).status_code


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    return Endpoint(tmp_path)


def fails(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("slow")


async def hangs(request: httpx.Request) -> httpx.Response:
    import asyncio

    await asyncio.sleep(60)
    return httpx.Response(200)


BROKEN: dict[str, Callable[[httpx.Request], Any]] = {
    "down": fails,
    "error": lambda request: httpx.Response(500, text="oops"),
    "huge": lambda request: httpx.Response(
        200, content=b" " * 270_000 + json.dumps({"keys": [public(key())]}).encode()
    ),
    "not JSON": lambda request: httpx.Response(200, text="<html>"),
    "deep": lambda request: httpx.Response(200, text="[" * 100_000),
    "empty": lambda request: httpx.Response(200, json={"keys": []}),
    "no set": lambda request: httpx.Response(200, json={"key": 1}),
    "numbers": lambda request: httpx.Response(200, json={"keys": [1]}),
    "compressed": lambda request: httpx.Response(
        200, content=gzip.compress(b"{}"), headers={"content-encoding": "gzip"}
    ),
    "redirect": lambda request: httpx.Response(302, headers={"location": "https://evil.example/jwks"}),
    "private keys": serves(private(key())),
    "symmetric keys": serves({"kty": "oct", "k": "AAAA", "kid": "k1"}),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_row_79_without_keys_nobody_comes_in(endpoint: Endpoint, broken: str) -> None:
    endpoint.answer = BROKEN[broken]
    assert endpoint.status() == 401
    assert endpoint.door.fetched == [JKU], "a redirect is not followed"


@pytest.mark.parametrize("broken", BROKEN)
def test_row_79_J14_kept_keys_serve_while_the_address_fails(endpoint: Endpoint, broken: str) -> None:
    assert endpoint.status() == 200
    endpoint.answer = BROKEN[broken]
    endpoint.now += 12 * 3600
    assert endpoint.status() == 200
    endpoint.now += 1
    assert endpoint.status() == 401, "but not for ever"


def test_row_79_a_slow_address_is_given_up(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.auth.key_sets.LONGEST_FETCH", 0.05)
    endpoint.answer = hangs
    assert endpoint.status() == 401


def test_row_72_J14_unknown_keys_do_not_flood_the_address(endpoint: Endpoint) -> None:
    assert endpoint.status() == 200
    for number in range(50):
        assert endpoint.status(kid=f"random-{number}") == 401
    assert len(endpoint.door.fetched) == 1, "the set was fetched just now"
    endpoint.now += 30
    for number in range(50):
        assert endpoint.status(kid=f"random-{number}") == 401
    assert len(endpoint.door.fetched) == 2


def test_row_80_a_new_key_is_found_and_a_withdrawn_one_dies(endpoint: Endpoint) -> None:
    assert endpoint.status() == 200
    endpoint.answer = serves(public(key(number=1), "k2"))
    assert endpoint.status(number=1, kid="k2") == 401, "within the pause between two fetches"
    endpoint.now += 30
    assert endpoint.status(number=1, kid="k2") == 200
    assert endpoint.status() == 401, "the old key is gone with the old set"


def test_row_80_a_withdrawn_key_dies_without_a_hint(endpoint: Endpoint) -> None:
    assert endpoint.status() == 200
    endpoint.answer = serves(public(key(number=1), "k2"))
    endpoint.now += 901
    assert endpoint.status() == 401


def test_J14_a_set_as_a_bare_array(endpoint: Endpoint) -> None:
    """As the CRD request generator serves it."""
    endpoint.answer = lambda request: httpx.Response(200, json=[public(key())])
    assert endpoint.status() == 200


def test_J14_bad_keys_of_a_set_cost_only_themselves(endpoint: Endpoint) -> None:
    endpoint.answer = serves({"kty": "EC"}, private(key(), "p"), public(key()), public(key(number=1), "k2", use="enc"))
    assert endpoint.status() == 200
    assert endpoint.status(kid="p") == 401


@pytest.mark.parametrize(
    ("scheme", "status"),
    [("Bearer", 200), ("bearer", 200), ("BEARER", 200), ("Bearer  ", 200), ("Basic", 401), ("JWT", 401), ("", 401),
     ("Bearer Bearer", 401)],
)  # fmt: skip
def test_row_81_the_scheme(door: Door, scheme: str, status: int) -> None:
    assert door.call(token(), scheme=scheme).status_code == status


def test_row_81_a_token_in_the_address_does_not_count(door: Door) -> None:
    for name in ("access_token", "token", "jwt", "Authorization"):
        refused(door.call(None, path=f"{SERVICE}?{name}={token()}"))


@pytest.mark.parametrize(
    "sent", ["3aGxl5Kc0V9qS2d1", "eyJhbGciOiJub25lIn0", "a.b", "a.b.c.d.e", "....", "é.é.é", "a.b.c="]
)
def test_row_82_an_access_token_is_no_client_token(door: Door, sent: str) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {sent}".encode()}
    refused(door.client.request("POST", SERVICE, content=b"{}", headers=list(headers.items())))  # type: ignore[arg-type]


def test_row_82_the_fhir_access_token_sent_as_the_client_token(door: Door) -> None:
    refused(door.call(token(aud=ISSUER, scope="user/*.rs")))


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b'"x"', b"{", b"\xff", b"[" * 3000, b'{"iss":' * 500])
def test_claims_that_are_no_object(door: Door, payload: bytes) -> None:
    refused(door.call(sign(key(), header(), payload)))


@pytest.mark.parametrize(
    "head", [b"[]", b"1", b"null", b'"alg"', b'["alg"]', b"{", b"\xff", b"[" * 1500, b'{"alg":' * 300]
)
def test_headers_that_are_no_object(door: Door, head: bytes) -> None:
    from tests.conformance.trust import b64

    refused(door.call(f"{b64(head)}.{b64(json.dumps(claims()).encode())}.{b64(b'x' * 96)}"))


def test_nothing_of_a_signed_token_can_be_changed(door: Door) -> None:
    whole = token()
    head, payload, signature = whole.split(".")
    other = token().split(".")
    changed = [f"{head}.{other[1]}.{signature}", f"{head}.{payload}.{other[2]}", f"{head}.{payload}.{signature[:-4]}",
               f"{head}.{payload}.{signature}AAAA", f"{head}.{payload}.{signature}=", f"{head}.{payload}..{signature}",
               f"{other[0][:-2]}.{payload}.{signature}", f"{whole}.", f".{whole}",
               f"{head}.{payload}.{'A' * 128}"]  # fmt: skip
    for one in changed:
        refused(door.call(one))
    assert door.call(whole).status_code == 200


def test_a_token_is_checked_before_the_body_is_read(door: Door) -> None:
    """An unknown caller cannot make the service read or parse anything."""
    for body in (b"{", b" " * 9_000_000, json.dumps(order_sign()).encode()):
        refused(door.client.request("POST", SERVICE, content=body, headers={"content-type": "application/json"}))


def test_a_body_that_is_wrong_is_told_to_those_who_may_call(door: Door) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token()}"}
    assert_refused(door.client.request("POST", SERVICE, content=b"{", headers=headers), 400)


def test_the_log_names_the_client_and_never_the_issuer(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    door.call(token())
    line = json.loads(capsys.readouterr().err)
    assert (line["client"], line["status"]) == ("north", 200)
    door.call(token(key(number=1)))
    line = json.loads(capsys.readouterr().err)
    assert (line["client"], line["status"], line["refused"]) == ("north", 401, "signature")
    assert ISSUER not in json.dumps(line)


# -------------------------------------------------------------------------------------------------------- sandbox mode


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The service in sandbox mode, with a key in the place of the public one, whose private half is not kept here."""
    (tmp_path / "clients.toml").write_text(
        '[clients.cds-hooks-sandbox]\nissuers = ["https://sandbox.cds-hooks.org"]\njwks_file = "jwks.json"\n'
    )
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    monkeypatch.setattr("cds_service.clients.TEST_CLIENTS", tmp_path / "clients.toml")
    return Client(create_app(load(mode="sandbox")))


def sandbox_token(**changes: Any) -> str:
    now = int(time.time())
    given: Json = {
        "iss": "https://sandbox.cds-hooks.org",
        "aud": f"http://127.0.0.1:8095{SERVICE}",
        "iat": now,
        "exp": now + 300,
    }
    return token(head=header(jku="https://sandbox.cds-hooks.org/.well-known/jwks.json"), **given | changes)


def test_sandbox_mode_needs_no_token_and_trusts_the_test_client(sandbox: Client) -> None:
    assert post(sandbox, order_sign()).status_code == 200
    assert post(sandbox, order_sign(), authorization=f"Bearer {sandbox_token()}").status_code == 200
    assert sandbox.get("/cds-services", authorization="Bearer x").status_code == 200


def test_sandbox_mode_refuses_a_token_that_is_wrong(sandbox: Client) -> None:
    sent = sandbox_token()
    assert post(sandbox, order_sign(), authorization=f"Bearer {sent}").status_code == 200
    for wrong in (
        "x",
        sent,
        sandbox_token(iss=ISSUER),
        sandbox_token(aud=f"http://127.0.0.1:8095{SERVICE}/feedback"),
        token(),
    ):
        refused(post(sandbox, order_sign(), authorization=f"Bearer {wrong}"))


def test_sandbox_mode_with_a_public_address_asks_for_that_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clients.toml").write_text(f'[clients.north]\nissuers = ["{ISSUER}"]\njwks_file = "jwks.json"\n')
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [public(key())]}))
    service = Client(create_app(load(mode="sandbox", public_base_url=BASE, clients_file=tmp_path / "clients.toml")))
    other: Json = {"iss": ISSUER, "aud": f"http://127.0.0.1:8095{SERVICE}"}
    refused(post(service, order_sign(), authorization=f"Bearer {sandbox_token(**other)}"))
    right = sandbox_token(**other | {"aud": URL})
    assert post(service, order_sign(), authorization=f"Bearer {right}").status_code == 200


def test_the_packaged_key_is_the_one_that_the_sandbox_publishes() -> None:
    from cds_service import clients
    from cds_service.auth import keys

    (sandbox,) = clients.load(load(mode="sandbox"))
    found, wrong = keys.of_set(sandbox.keys, published_too=True)
    assert wrong == ()
    assert {(kid, name) for kid, name in found} == {("44823f3d-0b01-4a6c-a80e-b9d3e8a7226f", "ES384")}
    assert re.fullmatch("[A-Za-z0-9_-]{43}", next(iter(found.values())).thumbprint())


def test_every_kind_of_key_has_its_algorithm() -> None:
    assert set(ALGORITHM_OF.values()) == {"ES384", "ES256", "RS384"}

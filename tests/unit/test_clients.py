"""Client profiles: strict, everything wrong said at once, each with file, table and cure."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cards.triage import DATA_CARDS, ORDER
from cds_service.client_values import READERS
from cds_service.clients import CdsClient, load
from cds_service.dialects import Dialect
from cds_service.settings import Settings, SettingsError
from cds_service.settings import load as load_settings

LEAST = 'issuers = ["https://ehr.example/fhir"]\njku = ["https://ehr.example/jwks.json"]\n'
WHOLE = """
[clients.north]
issuers = ["https://north.example/fhir/R4", "https://north.example/fhir/STU3"]
jwks_file = "keys/north.json"
jku = ["https://north.example/jwks.json"]
algorithms = ["RS384", "RS256"]
tenants = ["ward"]
audiences = ["baclofen"]
reuses_tokens = true
fhir_servers = ["https://north.example/fhir/R4/"]
origins = ["https://north.example:8443"]
dialect = "epic"
key_aliases = { labs = "kidney" }
rules_off = ["older-adult-caution"]
rules_silent = ["renal-recheck"]
calls_at_once = 5
calls_per_minute = 60
"""


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("BACLOFEN_CDS_")]:
        monkeypatch.delenv(name)


def clients(folder: Path, text: str, **given: Any) -> dict[str, CdsClient]:
    (folder / "clients.toml").write_text(text, encoding="utf-8")
    return named(load_settings(mode="sandbox", clients_file=folder / "clients.toml", **given))


def named(settings: Settings) -> dict[str, CdsClient]:
    return {client.name: client for client in load(settings)}


def jwks(folder: Path, name: str = "keys.json", *keys: Any) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"keys": list(keys) or [{"kty": "EC", "kid": "1"}]}))


def test_every_key_is_read(tmp_path: Path) -> None:
    jwks(tmp_path, "keys/north.json")
    assert clients(tmp_path, WHOLE)["north"] == CdsClient(
        name="north",
        issuers=("https://north.example/fhir/R4", "https://north.example/fhir/STU3"),
        jwks_file=tmp_path / "keys/north.json",
        keys=({"kty": "EC", "kid": "1"},),
        jku=("https://north.example/jwks.json",),
        algorithms=frozenset({"RS384", "RS256"}),
        tenants=frozenset({"ward"}),
        audiences=frozenset({"baclofen"}),
        reuses_tokens=True,
        fhir_servers=("https://north.example/fhir/R4",),
        origins=frozenset({"https://north.example:8443"}),
        dialect=Dialect.EPIC,
        key_aliases={"labs": "kidney"},
        rules_off=frozenset({"older-adult-caution"}),
        rules_silent=frozenset({"renal-recheck"}),
        calls_at_once=5,
        calls_per_minute=60,
    )


def test_a_table_has_a_key_for_each_field_of_a_client() -> None:
    assert READERS.keys() == {field.name for field in fields(CdsClient)} - {"name", "keys"}


def test_what_is_not_said_is_the_cautious_choice(tmp_path: Path) -> None:
    client = clients(tmp_path, f"[clients.north]\n{LEAST}")["north"]
    assert client.algorithms == {"ES384", "RS384"}
    assert not client.reuses_tokens
    assert (client.audiences, client.fhir_servers, client.origins) == (frozenset(), (), frozenset())
    assert client.dialect is Dialect.GENERIC


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('issuer = ["x"]', r"\[clients.north\] issuer: no such key; the keys are issuers, jwks_file"),
        ("tenants = []", "tenants: is not a list with at least one text"),
        ('tenants = ["a", "a"]', "tenants: has an entry twice"),
        ('tenants = [" a"]', "tenants: .*without blanks"),
        ("tenants = [1]", "tenants: .*not a text"),
        ('tenants = "a"', "tenants: is not a list"),
        (
            'jwks_file = "absent.json"',
            r"jwks_file: .*absent.json cannot be read \(No such file.*; set the path of a JWK",
        ),
        ('jwks_file = "clients.toml"', "jwks_file: .*is not JSON"),
        ('jwks_file = "array.json"', 'jwks_file: .*array.json has no "keys"'),
        ('algorithms = ["HS256"]', "algorithms: HS256 is not accepted; set a list of ES256, ES384, RS256, RS384"),
        ('algorithms = ["none"]', "algorithms: none is not accepted"),
        ('fhir_servers = ["http://ehr.example/fhir"]', "fhir_servers: .*not https"),
        ('fhir_servers = ["https://ehr.example/fhir?x=1"]', "fhir_servers: has a query"),
        ('fhir_servers = ["https://me@ehr.example/fhir"]', "fhir_servers: .*user name"),
        ('fhir_servers = ["https://ehr.example:99999/fhir"]', "fhir_servers: .*not a URL"),
        ('fhir_servers = ["https://ehr.example/a", "https://ehr.example/a/"]', "fhir_servers: has an entry twice"),
        ('fhir_servers = ["ehr.example/fhir"]', "fhir_servers: .*not an absolute https URL"),
        ('fhir_servers = ["file:///etc"]', "fhir_servers: .*not an absolute https URL"),
        ('origins = ["https://ehr.example/"]', "origins: .*more than scheme, host and port"),
        ('origins = ["https://EHR.example"]', "origins: .*lower case"),
        ('origins = ["*"]', "origins: .*not an absolute https URL"),
        ('dialect = "cerner"', "dialect: is no dialect; set one of generic, epic, info-only"),
        ("reuses_tokens = 1", "reuses_tokens: is not true or false"),
        ('key_aliases = { labs = "kidneys" }', "key_aliases: kidneys is none of our keys"),
        ('rules_off = ["renal"]', r"rules_off: renal: no such rule \(the rules are .*renal-aki"),
        ('rules_off = ["data-unavailable"]', "rules_off: data-unavailable says what could not be checked"),
        ('rules_off = ["renal-aki"]\nrules_silent = ["renal-aki"]', "rules_silent: renal-aki is off already"),
        ('rules_silent = "every"', 'rules_silent: .*assessed and not shown, or "all"'),
        ('rules_silent = ["data-unavailable"]', "rules_silent: data-unavailable: what could not be checked is said"),
        ("calls_at_once = 0", "calls_at_once: is not a whole number from 1"),
        ("calls_at_once = true", "calls_at_once: is not a whole number from 1"),
        ("calls_per_minute = 1.5", "calls_per_minute: is not a whole number from 1"),
    ],
)
def test_every_error_names_file_table_and_cure(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "array.json").write_text("[]")
    with pytest.raises(SettingsError, match=said) as raised:
        clients(tmp_path, f"[clients.north]\n{LEAST}{line}\n")
    assert all("clients.toml [clients.north]" in problem for problem in str(raised.value).splitlines())
    assert "; " in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://ehr.example/jwks", "https://good.example@evil.example/jwks", "https://a b.example"]
)
def test_keys_come_from_https_addresses_only(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="jku: "):
        clients(tmp_path, f'[clients.north]\nissuers = ["x"]\njku = ["{url}"]\n')


def test_http_on_this_machine_is_for_sandbox_mode(tmp_path: Path) -> None:
    text = '[clients.north]\nissuers = ["x"]\njku = ["http://localhost:9/jwks"]\n'
    assert clients(tmp_path, text)["north"].jku == ("http://localhost:9/jwks",)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        clients(tmp_path, '[clients.north]\ndialect = "x"\ncolour = 1\n[clients."South Wing"]\n' + LEAST)
    said = str(raised.value)
    for part in (
        "dialect: is no dialect",
        "colour: no such key",
        "has no issuers",
        "has no keys",
        "South Wing]: is no name",
    ):
        assert part in said
    assert len(said.splitlines()) == 5


@pytest.mark.parametrize("text", ["issuers = 1\n", "clients = 1\n", '[client.north]\nissuers = ["x"]\n'])
def test_a_clients_file_holds_nothing_else(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"holds tables \[clients\.NAME\] only"):
        clients(tmp_path, text)


def test_a_file_that_is_missing_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read.*clients_file"):
        named(load_settings(mode="sandbox", clients_file=tmp_path / "absent.toml"))
    with pytest.raises(SettingsError, match="correct the TOML"):
        clients(tmp_path, "[clients")


def test_one_issuer_is_one_client_unless_tenants_differ(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"https://ehr.example/fhir is an issuer of \[clients.north\] too"):
        clients(tmp_path, f"[clients.north]\n{LEAST}[clients.south]\n{LEAST}")
    with pytest.raises(SettingsError, match="too; name each issuer once"):
        clients(tmp_path, f'[clients.north]\n{LEAST}[clients.south]\n{LEAST}tenants = ["s"]\n')
    two = clients(tmp_path, f'[clients.north]\n{LEAST}tenants = ["n"]\n[clients.south]\n{LEAST}tenants = ["s"]\n')
    assert {"north", "south"} <= two.keys()


def test_in_the_settings_file_and_relative_to_it(tmp_path: Path) -> None:
    jwks(tmp_path)
    config = tmp_path / "baclofen.toml"
    config.write_text('mode = "sandbox"\n[clients.north]\nissuers = ["x"]\njwks_file = "keys.json"\n')
    assert named(load_settings(config))["north"].jwks_file == tmp_path / "keys.json"
    config.write_text('mode = "sandbox"\n[clients.north]\nissuers = []\n')
    with pytest.raises(SettingsError, match=r"baclofen.toml \[clients.north\] issuers"):
        named(load_settings(config))


def test_a_clients_file_is_found_relative_to_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "clients.toml").write_text(f"[clients.north]\n{LEAST}")
    (tmp_path / "baclofen.toml").write_text('mode = "sandbox"\nclients_file = "clients.toml"\n')
    assert "north" in named(load_settings(tmp_path / "baclofen.toml"))


def test_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"north": {"issuers": ["x"], "jku": ["https://north.example/jwks"]}}
    monkeypatch.setenv("BACLOFEN_CDS_CLIENTS", json.dumps(table))
    assert named(load_settings(mode="sandbox"))["north"].issuers == ("x",)
    monkeypatch.setenv("BACLOFEN_CDS_CLIENTS", json.dumps({"north": {"colour": 1}}))
    with pytest.raises(SettingsError, match=r"BACLOFEN_CDS_CLIENTS \[clients.north\] colour"):
        named(load_settings(mode="sandbox"))
    monkeypatch.setenv("BACLOFEN_CDS_CLIENTS", "{")
    with pytest.raises(SettingsError, match=r"clients \(BACLOFEN_CDS_CLIENTS\): is not JSON; set a table"):
        load_settings(mode="sandbox")


def test_one_name_in_two_places(tmp_path: Path) -> None:
    (tmp_path / "clients.toml").write_text(f"[clients.north]\n{LEAST}")
    given = {"north": {"issuers": ["y"], "jku": ["https://north.example/jwks"]}}
    with pytest.raises(SettingsError, match="there are two of this name"):
        named(load_settings(mode="sandbox", clients=given, clients_file=tmp_path / "clients.toml"))


def test_the_public_test_client_is_known_in_sandbox_mode() -> None:
    known = named(load_settings(mode="sandbox"))
    assert known.keys() == {"cds-hooks-sandbox"}
    assert known["cds-hooks-sandbox"].issuers == ("https://sandbox.cds-hooks.org",)
    assert known["cds-hooks-sandbox"].keys[0]["crv"] == "P-384"
    assert "d" not in known["cds-hooks-sandbox"].keys[0]


def test_a_profile_of_the_site_stands_above_the_public_test_client(tmp_path: Path) -> None:
    text = f"[clients.mine]\n{LEAST.replace('https://ehr.example/fhir', 'https://sandbox.cds-hooks.org')}"
    assert clients(tmp_path, text).keys() == {"mine"}


def test_what_could_not_be_checked_is_silent_only_where_all_is(tmp_path: Path) -> None:
    """Silence while something else is shown would read as safe."""

    def silent(*rules: str) -> frozenset[str]:
        return clients(tmp_path, f"[clients.north]\n{LEAST}rules_silent = {json.dumps(rules)}\n")["north"].rules_silent

    assert silent(*ORDER) == set(ORDER)
    assert silent("renal-aki") == {"renal-aki"}
    for rule in DATA_CARDS:
        with pytest.raises(SettingsError, match=f"{rule}.*: what could not be checked is said"):
            silent(*(set(ORDER) - {"renal-aki"}))

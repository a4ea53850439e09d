from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from cds_service.records import EXPECTED
from cds_service.settings import Key, SettingsError, load


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("BACLOFEN_CDS_")]:
        monkeypatch.delenv(name)


KEY = "k" * 32


@pytest.mark.parametrize(("length", "fits"), [(31, False), (32, True)])
def test_a_short_hash_key_is_none(length: int, *, fits: bool) -> None:
    if fits:
        load(mode="sandbox", hash_key="k" * length)
    else:
        with pytest.raises(SettingsError, match=r"hash_key .*is shorter than 32 characters; set 32 random") as refused:
            load(mode="sandbox", hash_key="k" * length)
        assert "kkk" not in str(refused.value)


@pytest.mark.parametrize("name", ["hash_key", "comment_key"])
def test_a_secret_stands_in_no_file(tmp_path: Path, name: str) -> None:
    config = written(tmp_path, f'mode = "sandbox"\n{name} = "{KEY}"\n')
    with pytest.raises(SettingsError, match=rf"{name}: a secret does not stand in a file; set BACLOFEN_CDS_\w+ inst"):
        load(config)


def test_secrets_are_not_repeated() -> None:
    assert KEY not in repr(load(mode="sandbox", hash_key=KEY, comment_key=KEY, feedback_comments=True))


def test_comments_are_kept_with_a_key_only() -> None:
    with pytest.raises(SettingsError, match=r"comment_key .*encrypted only; set 32 bytes in URL-safe base64"):
        load(mode="sandbox", feedback_comments=True)


def written(folder: Path, text: str) -> Path:
    path = folder / "baclofen.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_production_is_the_default_and_refuses_to_start_with_the_cure() -> None:
    with pytest.raises(SettingsError, match=r"no CDS Client is configured.*\[clients.NAME\].*--sandbox"):
        load()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"public_base_url": "http://cds.example"}, r"public_base_url .*only https is safe; set the URL"),
        ({}, r"public_base_url .*only https is safe; set the URL"),
        ({}, r"state_dir .*no place to keep what was advised.*set a folder"),
        ({"database": "postgresql://cds@db.example/cds"}, r"state_dir .*set a folder"),
        ({}, r"hash_key .*keyed hashes only; set 32 random characters or more, in the environment"),
        ({"today": "2026-11-24"}, r"today .*sandbox mode only; take it out"),
    ],
)
def test_what_production_refuses(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(**{"clients": {"north": {}}, **given})


@pytest.mark.parametrize("given", [{"state_dir": "/var/lib/cds"}, {"database": "sqlite:////var/lib/cds/advice.db"}])
def test_production_with_a_place_to_keep_things(given: dict[str, Any]) -> None:
    load(clients={"north": {}}, public_base_url="https://cds.example", hash_key=KEY, **given)


@pytest.mark.parametrize(
    "url",
    [
        "advice.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///advice.db",
        "sqlite:////",
        "sqlite:///:memory:",
        "mysql://cds@db.example/cds",
        "postgresql://cds@db.example",
        "postgresql+asyncpg://cds@db.example/cds",
    ],
)
def test_database_is_a_file_or_a_server(url: str) -> None:
    with pytest.raises(SettingsError, match=r"database \(BACLOFEN_CDS_DATABASE\): is neither .*; set sqlite:////"):
        load(mode="sandbox", database=url)


def test_the_password_of_the_database_is_not_repeated(tmp_path: Path) -> None:
    settings = load(mode="sandbox", database="postgresql://cds:canary@db.example/cds")
    assert "canary" not in repr(settings)
    with pytest.raises(SettingsError) as refused:
        load(mode="sandbox", database="mysql://cds:canary@db.example/cds")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://me@cds.example", "https://cds.example?x=1", "https://cds.example#x", "https://"]
)
def test_public_base_url_is_a_plain_url(url: str) -> None:
    with pytest.raises(SettingsError, match=r"public_base_url.*absolute"):
        load(mode="sandbox", public_base_url=url)


def test_a_settings_file_names_no_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot name another"):
        load(written(tmp_path, "mode = 'sandbox'\nconfig = 'x'"))


def test_sandbox_starts_with_safe_defaults() -> None:
    settings = load(mode="sandbox")
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.max_body_bytes == 8 * 1024 * 1024
    assert settings.today is None


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACLOFEN_CDS_MODE", "sandbox")
    monkeypatch.setenv("BACLOFEN_CDS_TODAY", "2026-11-24")
    monkeypatch.setenv("BACLOFEN_CDS_KEY_ALIASES", '{"renal": "kidney"}')
    settings = load()
    assert settings.today == date(2026, 11, 24)
    assert settings.aliases["renal"] == "kidney"


def test_command_line_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = written(tmp_path, 'mode = "sandbox"\nport = 1001\nworkers = 2\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("BACLOFEN_CDS_PORT", "1002")
    monkeypatch.setenv("BACLOFEN_CDS_WORKERS", "3")
    settings = load(config, port=1003)
    assert (settings.port, settings.workers, settings.host) == (1003, 3, "0.0.0.0")  # noqa: S104  # only compared


def test_file_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "BACLOFEN_CDS_CONFIG", str(written(tmp_path, 'mode = "sandbox"\n[key_aliases]\nlabs = "observations"\n'))
    )
    assert load().aliases["labs"] == "observations", "the site's own mapping stands above the built-in one"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mode = 'sandbox'\nprot = 1", "prot: no such setting"),
        ("mode = 'sandbox'\nport = 70000", "port .BACLOFEN_CDS_PORT.*0 .any free one. to 65535"),
        ("mode = 'sandbox'\nworkers = 0", "workers .BACLOFEN_CDS_WORKERS.*1 to 64"),
        ("mode = 'test'", "mode .BACLOFEN_CDS_MODE.*production, or sandbox"),
        ("mode = 'sandbox'\ntoday = 'soon'", "today .BACLOFEN_CDS_TODAY.*YYYY-MM-DD"),
        ("mode = 'sandbox'\npublic_base_url = 'cds.example'", "public_base_url.*absolute"),
        ("mode = 'sandbox'\n[key_aliases]\nlabs = 'kidneys'", "key_aliases.*GET /cds-services"),
        ("mode = ", "correct the TOML"),
    ],
)
def test_every_error_names_the_setting_and_the_cure(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(written(tmp_path, text))


def test_misspelt_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACLOFEN_CDS_SNOMEDD", "false")
    with pytest.raises(SettingsError, match="BACLOFEN_CDS_SNOMEDD: no such setting"):
        load(mode="sandbox")


def test_missing_file() -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(Path("/nowhere/baclofen.toml"))


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://a.example/x/y/", "/x/y"), ("https://a.example", ""), ("https://a.example/", ""), ("", "")],
)
def test_base_path(url: str, path: str) -> None:
    assert load(mode="sandbox", public_base_url=url).base_path == path


def test_aliases_lead_to_the_keys_that_are_read() -> None:
    assert set(get_args(Key)) == set(EXPECTED)


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(mode="sandbox").port = 1

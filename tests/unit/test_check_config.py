"""``check-config``: what is wrong with the cure, or what each client may do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import get_args

import pytest
from joserfc.jwk import ECKey

from cds_service.__main__ import main
from cds_service.auth.tokens import Reason
from cds_service.check_config import report
from cds_service.client_values import READERS
from cds_service.settings import load


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("BACLOFEN_CDS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BACLOFEN_CDS_HASH_KEY", "k" * 32)


def written(folder: Path, text: str) -> str:
    key = ECKey.generate_key("P-384").as_dict(private=False)
    (folder / "keys.json").write_text(json.dumps({"keys": [{**key, "kid": "first"}]}))
    (folder / "baclofen.toml").write_text(text, encoding="utf-8")
    return str(folder / "baclofen.toml")


def test_what_each_client_may_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(
        tmp_path,
        'mode = "sandbox"\n[key_aliases]\nrenal = "kidney"\n'
        '[clients.north]\nissuers = ["https://n.example"]\njwks_file = "keys.json"\njku = ["https://n.example/jwks"]\n'
        'dialect = "epic"\nreuses_tokens = true\nrules_silent = ["renal-recheck"]\ncalls_at_once = 5\n',
    )
    assert main(["check-config", "--config", config]) == 0
    said = capsys.readouterr().out
    for line in (
        "sandbox mode on 127.0.0.1 port 8080, 1 worker(s)",
        "WARNING        anybody is answered without a token",
        "north may call order-sign and order-select",
        "issuer         https://n.example",
        f"keys           first (EC) in {tmp_path / 'keys.json'}",
        "discovery      open to anybody",
        "records in     a temporary SQLite file, gone with the process",
        "fetched from https://n.example/jwks",
        "algorithms     ES384, RS384",
        "each token     any number of calls: REPLAY IS NOT NOTICED",
        "FHIR servers   none",
        "gets           epic: ",
        "renal is kidney",
        "rules silent   renal-recheck",
        "5 calls at once, 6000 a minute",
        "cds-hooks-sandbox may call",
    ):
        assert line in said


def test_a_client_to_whom_nothing_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = '[clients.north]\nissuers = ["https://n.example"]\njwks_file = "keys.json"\n'
    config = written(tmp_path, f'mode = "sandbox"\n{client}rules_silent = "all"\nrules_off = ["renal-aki"]\n')
    assert main(["check-config", "--config", config]) == 0
    assert "rules silent   ALL: NOTHING IS SHOWN" in capsys.readouterr().out


def test_what_is_wrong_and_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, 'mode = "sandbox"\n[clients.north]\nissuers = ["x"]\n')
    assert main(["check-config", "--config", config]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{config} [clients.north] has no keys; set jwks_file to" in said.err


def test_a_service_with_a_wrong_client_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, 'mode = "sandbox"\n[clients.north]\nissuers = ["x"]\n')
    assert main(["serve", "--config", config]) == 2
    assert "[clients.north] has no keys" in capsys.readouterr().err


def test_a_production_file_and_what_is_missing_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = '[clients.north]\nissuers = ["https://n.example"]\njwks_file = "keys.json"\n'
    assert main(["check-config", "--config", written(tmp_path, client)]) == 2
    assert "public_base_url (BACLOFEN_CDS_PUBLIC_BASE_URL): " in capsys.readouterr().err
    whole = 'public_base_url = "https://cds.example"\nworkers = 4\nstate_dir = "."\n'
    assert main(["check-config", "--config", written(tmp_path, whole + client)]) == 0
    said = capsys.readouterr().out
    assert "production mode on 127.0.0.1 port 8080, 4 worker(s)" in said
    assert f"records in     SQLite, {tmp_path}/store.sqlite3" in said
    assert f"while it fails up to 33554432 bytes for each worker in {tmp_path}" in said
    assert "WARNING" not in said
    assert "cds-hooks-sandbox" not in said


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("postgresql://me:canary@db.example:5432/cds?sslmode=require", "PostgreSQL, database cds at db.example"),
        ("postgresql://me@/cds?host=/run/postgresql", "PostgreSQL, database cds at a socket of this machine"),
        ("sqlite:////var/lib/cds/advice.db", "SQLite, /var/lib/cds/advice.db"),
        ("", "a temporary SQLite file, gone with the process"),
    ],
)
def test_where_records_are_kept(database: str, said: str) -> None:
    text = report(load(mode="sandbox", database=database), ())
    assert f"  records in     {said}\n" in text
    assert "canary" not in text


def test_a_key_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, 'mode = "sandbox"\n[clients.north]\nissuers = ["x"]\njwks_file = "other.json"\n')
    (tmp_path / "other.json").write_text('{"keys": [{"kty": "oct", "kid": "s", "k": "AAAA"}]}')
    for command in ("check-config", "serve"):
        assert main([command, "--config", config]) == 2
        assert "other.json (jwks_file of [clients.north]) key 1 is symmetric" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["generic", "epic"])
def test_the_example_files_are_right(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "fixtures" / "clients" / f"{name}.toml"
    (tmp_path / example.name).write_text(example.read_text("utf-8"))
    assert main(["check-config", "--config", str(tmp_path / example.name)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("production mode")
    assert f"gets           {name}: " in said


def test_the_guide_names_every_key_of_a_profile() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text("utf-8")
    table = guide.partition("### Client profiles")[2].partition("### Dialects")[0]
    assert [key for key in READERS if f"`{key}`" not in table] == []
    assert [reason for reason in get_args(Reason) if f"`{reason}`" not in guide] == []

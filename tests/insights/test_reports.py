"""The figures as people get them: at /insights, and by ``baclofen-cds report``."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cds_service.__main__ import main
from cds_service.app import create_app
from cds_service.check_config import report
from cds_service.clients import load as clients_of
from cds_service.settings import Settings, SettingsError, load
from tests.conformance.calls import Client, assert_refused, post, severe
from tests.insights.simulation import KEY, token
from tests.insights.test_queries import rows
from tests.store.places import Place

PERIOD = "since=2026-11-02&until=2026-11-15"


def settings(folder: Path, mode: str, **given: Any) -> Settings:
    (folder / "keys.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False) | {"kid": "k"}]}))
    profiles: dict[str, dict[str, Any]] = {"office": {"insights": True}, "north": {}}
    table = {
        name: {"issuers": [f"https://{name}.example"], "jwks_file": str(folder / "keys.json"), **more}
        for name, more in profiles.items()
    }
    whole = {"public_base_url": "https://cds.example", "state_dir": folder, "hash_key": "k" * 32, "clients": table}
    return load(mode=mode, **{**whole, **given})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a service that has run for two weeks."""
    place = tmp_path_factory.mktemp("state")

    async def written() -> None:
        store = Place(place, f"sqlite:///{place}/store.sqlite3", None).open()
        await store.write(*rows())
        await store.close()

    asyncio.run(written())
    return place


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Client:
    return Client(create_app(settings(folder, "sandbox", today="2026-11-30", small_number=1)))


# ---------------------------------------------------------------------------------------------------------- the address


def test_in_sandbox_mode_it_is_open(sandbox: Client) -> None:
    response = sandbox.get(f"/insights?{PERIOD}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-store"
    assert "Sandbox mode" in response.text
    assert "2026-11-02 to 2026-11-15, order-sign, all clients" in response.text


def test_a_call_is_in_the_figures_at_once(tmp_path: Path) -> None:
    client = Client(create_app(settings(tmp_path, "sandbox", today="2026-11-24", small_number=1)))
    before = client.get("/insights?format=json").json()["tables"]["signings"][0]
    assert post(client, severe()).json()["cards"]
    after = client.get("/insights?format=json").json()["tables"]["signings"][0]
    assert (before["signings"], after["signings"]) == (0, 1)


def test_downloads(sandbox: Client) -> None:
    csv = sandbox.get(f"/insights?{PERIOD}&format=csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert csv.headers["content-disposition"] == 'attachment; filename="baclofen-cds-figures.csv"'
    assert csv.text.startswith("table,title,rule,indicator,week,of,figure,value,lowest,highest,from,to\r\n")
    read = sandbox.get(f"/insights?{PERIOD}&format=json").json()
    assert read["tables"]["signings"][0] == {"got": "All", "signings": 4, "share": None}


def test_one_client_and_one_hook(sandbox: Client) -> None:
    of = {
        chosen: sandbox.get(f"/insights?{PERIOD}&format=json&{chosen}").json()["tables"]["signings"][0]["signings"]
        for chosen in ("client=south", "client=north", "client=nobody", "hook=order-select")
    }
    assert of == {"client=south": 1, "client=north": 3, "client=nobody": 0, "hook=order-select": 1}


@pytest.mark.parametrize(
    "query", ["since=canary", "until=2026-13-01", "hook=canary", "client=CANARY", "format=canary", "since=2027-01-01"]
)
def test_what_cannot_be_used_is_refused_with_the_cure(sandbox: Client, query: str) -> None:
    issue = assert_refused(sandbox.get(f"/insights?{query}"), 400, "canary")
    assert issue["expression"] == [query.partition("=")[0]]


def test_it_is_read_only(sandbox: Client) -> None:
    assert sandbox.request("POST", "/insights").status_code == 405


# ----------------------------------------------------------------------------------------------------------- production


@pytest.fixture(scope="module")
def production(folder: Path) -> Client:
    return Client(create_app(settings(folder, "production")))


def asked(client: Client, sent: str) -> Any:
    return client.get("/insights?format=json", authorization=f"Bearer {sent}")


def test_in_production_a_token_is_needed(production: Client) -> None:
    assert_refused(production.get("/insights"), 401)


def test_whose_profile_allows_it_may_read_it(production: Client) -> None:
    assert asked(production, token("office", "/insights")).status_code == 200


def test_whose_profile_does_not_may_not(production: Client) -> None:
    issue = assert_refused(asked(production, token("north", "/insights")), 403)
    assert "insights = true" in issue["diagnostics"]


def test_a_token_for_another_address_does_not_count(production: Client) -> None:
    assert_refused(asked(production, token("office", "/cds-services/baclofen-safety")), 401)


def test_a_token_counts_once(production: Client) -> None:
    sent = token("office", "/insights")
    assert asked(production, sent).status_code == 200
    assert_refused(asked(production, sent), 401)


def test_small_numbers_are_hidden_unless_the_site_says_otherwise(production: Client) -> None:
    response = production.get(f"/insights?{PERIOD}&format=json", authorization=f"Bearer {token('office', '/insights')}")
    assert response.json()["tables"]["signings"][0]["signings"] == "<5"


def test_a_database_that_does_not_answer_costs_the_figures_only(folder: Path) -> None:
    app = create_app(settings(folder, "sandbox", today="2026-11-24"))
    client = Client(app)
    with app.state.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE card RENAME TO gone")
    issue = assert_refused(client.get("/insights"), 503, "gone")
    assert issue["code"] == "transient"
    with app.state.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO card")
    assert client.get("/insights").status_code == 200


@pytest.mark.parametrize(("number", "right"), [(1, True), (2, False), (3, True), (100, True), (101, False), (0, False)])
def test_which_small_numbers_may_be_set(number: int, *, right: bool) -> None:
    if right:
        assert load(mode="sandbox", small_number=number).small_number == number
    else:
        with pytest.raises(SettingsError, match=r"small_number .* set reports show no number below it: 3 to 100"):
            load(mode="sandbox", small_number=number)


def test_check_config_says_who_may_read(folder: Path) -> None:
    chosen = settings(folder, "production")
    office, north = report(chosen, clients_of(chosen)).split("\n\n")[1:]
    assert "figures        OF EVERY CLIENT, at /insights" in office
    assert "figures        none" in north


# ---------------------------------------------------------------------------------------------------------- the command


def run(folder: Path, *arguments: str) -> int:
    (folder / "c.toml").write_text(f'mode = "sandbox"\ntoday = 2026-11-30\nsmall_number = 1\nstate_dir = "{folder}"\n')
    return main(["report", "--config", str(folder / "c.toml"), "--since", "2026-11-02", *arguments])


def test_the_command_writes_text(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(folder, "--until", "2026-11-15") == 0
    said = capfdbinary.readouterr().out.decode()
    assert said.startswith("Baclofen CDS: 2026-11-02 to 2026-11-15")
    assert "WHAT BECAME OF EACH CARD" in said


@pytest.mark.parametrize(("form", "begin"), [("csv", b"table,"), ("json", b"{\n"), ("html", b"<!doctype html>")])
def test_the_command_writes_other_forms(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], form: str, begin: bytes
) -> None:
    assert run(folder, "--client", "north", "--format", form) == 0
    said = capfdbinary.readouterr().out
    assert said.lstrip().startswith(begin)
    assert b"<form" not in said


def test_the_command_says_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--until", "2026-11-01") == 2
    assert "since: the period ends before it begins" in capsys.readouterr().err


def test_the_command_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path must not read as a hospital where nothing happens."""
    assert run(tmp_path) == 2
    assert "store.sqlite3; name the one of the service" in capsys.readouterr().err
    assert not (tmp_path / "store.sqlite3").exists()


def test_a_worker_that_never_shows_the_page_does_not_pay_for_it() -> None:
    written = "import sys, cds_service.app; sys.exit('matplotlib' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", written], check=False).returncode == 0  # noqa: S603  # our own program

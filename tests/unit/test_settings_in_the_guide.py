"""The table of settings in docs/operations/settings.md is that of ``Settings``: names, defaults, production."""

from __future__ import annotations

import os
import re
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import SecretStr

from cds_service.settings import PREFIX, Settings, SettingsError, load

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "operations" / "settings.md"


class Row(NamedTuple):
    variable: str
    default: str
    production: str
    meaning: str


def rows() -> dict[str, Row]:
    found = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: Row(*rest.replace(" | | ", " |  | ").split(" | ", 3)) for name, rest in found}


ROWS = rows()
FIT: dict[str, Any] = {
    "clients": {"north": {}}, "public_base_url": "https://cds.example", "state_dir": "/nowhere", "hash_key": "k" * 32,
}  # fmt: skip
"""What production mode starts with."""
OTHERWISE: dict[str, dict[str, Any]] = {"clients": {"clients_file": "x"}, "state_dir": {"database": "sqlite:////x"}}


def shown(default: Any) -> str:
    match default:
        case SecretStr():
            return shown(default.get_secret_value())
        case bool():
            return f"`{str(default).lower()}`"
        case float():
            return f"`{default:g}`"
        case int():
            return f"`{default}`"
        case Enum():
            return f"`{default.value}`"
        case _:
            return f"`{default}`" if default else "–"


def test_every_setting_has_one_row_and_nothing_else_has() -> None:
    assert set(ROWS) == set(Settings.model_fields)
    assert len(re.findall(r"^\| `", PAGE.read_text("utf-8"), re.MULTILINE)) == len(Settings.model_fields)


@pytest.mark.parametrize("name", ROWS)
def test_variable_default_and_meaning(name: str) -> None:
    row = ROWS[name]
    assert row.variable == f"`{PREFIX}{name.upper()}`"
    assert row.default == shown(Settings.model_fields[name].default)
    assert row.meaning


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.production.startswith("needed")])
def test_what_production_needs(name: str) -> None:
    if name == "clients_file":
        load(**{**{key: value for key, value in FIT.items() if key != "clients"}, "clients_file": "x"})
        return
    without = {key: value for key, value in FIT.items() if key != name}
    with pytest.raises(SettingsError, match=name):
        load(**without)
    load(**without, **OTHERWISE.get(name, {name: FIT[name]}))


def test_production_needs_no_more() -> None:
    needed = {name for name, row in ROWS.items() if row.production.startswith("needed")}
    assert needed == FIT.keys() | {"clients_file"}
    load(**FIT)
    with pytest.raises(SettingsError, match="today"):
        load(**FIT, today="2026-11-24")
    assert [name for name, row in ROWS.items() if row.production == "refused"] == ["today"]

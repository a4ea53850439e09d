"""The layers of pyproject.toml hold: imports go one way, and every module has said where it lives."""

from __future__ import annotations

import re
import tomllib

import pytest
from importlinter.cli import lint_imports

from tests.architecture.source import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]


def test_import_contracts_are_kept() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


@pytest.mark.parametrize("package", ["cds_service", "cards"])
def test_the_page_on_architecture_has_the_same_layers(package: str) -> None:
    (contract,) = [one for one in CONTRACTS if one.get("containers") == [package]]
    layers = [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition(f"| `{package}` | its one job |")[2].partition("\n\n")[0]
    listed = [line.strip("|").split(" | ")[0] for line in table.splitlines() if line.startswith("| ")]
    questions = {path.name for path in (ROOT / "cards").iterdir() if (path / "card.toml").exists()}
    assert [questions if "folders" in cell else set(re.findall(r"`(\w+)`", cell)) for cell in listed] == layers

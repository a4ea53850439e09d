"""The layers of pyproject.toml hold: imports go one way, and every module has said where it lives."""

from __future__ import annotations

from importlinter.cli import lint_imports

from tests.architecture.source import ROOT


def test_import_contracts_are_kept() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0

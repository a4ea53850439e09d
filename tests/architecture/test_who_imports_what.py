"""Each library is known by the few modules whose job it is; everybody else stays free of it."""

from __future__ import annotations

import re
import sys
import tomllib

import pytest

from tests.architecture.source import ROOT, Module, modules

KNOWN_BY: dict[str, set[str]] = {
    "fastapi": {"app", "routes", "workbench"},
    "starlette": {"app", "routes", "workbench"},
    "uvicorn": {"__main__"},
    "pydantic": {"settings"},
    "pydantic_settings": {"settings"},
    "prometheus_client": {"metrics"},
    "fhir": {"suggestions"},
    # Reading: the lenient Structs, the request, prefetched Bundles, and Raw values. Writing: cards and errors.
    "msgspec": {"resources", "hooks", "records", "gather", "card_builder", "respond", "suggestions", "errors"},
}
"""Library → the parts of ``cds_service`` that may import it (docs/decisions/0002-who-knows-which-library.md)."""


def part_of(module: Module) -> str:
    """"cds_service.gather.orders" is of the part "gather"."""
    return (module.name.split(".") + [""])[1]


@pytest.mark.parametrize("module", modules("cds_service"), ids=lambda module: module.name)
def test_module_imports_only_the_libraries_of_its_part(module: Module) -> None:
    foreign = module.top_level_imports() - sys.stdlib_module_names - {"cards", "cds_service"}
    assert foreign <= KNOWN_BY.keys(), f"{sorted(foreign - KNOWN_BY.keys())}: say in KNOWN_BY who may know it"
    assert {name for name in foreign if part_of(module) not in KNOWN_BY[name]} == set()


@pytest.mark.parametrize("module", modules("cds_service"), ids=lambda module: module.name)
def test_fhir_models_are_r4b(module: Module) -> None:
    """The root of fhir.resources is R5, which refuses every R4 order."""
    taken = {name for name in module.imports() if name.startswith("fhir.resources")} - {"fhir.resources"}
    assert {name for name in taken if not name.startswith("fhir.resources.R4B")} == set()


def test_every_library_is_declared_and_used() -> None:
    """A library that comes only through another one may vanish with it."""
    provides = {"fhir_resources": "fhir"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[\[<>=!~ ;]", wanted)[0].lower().replace("-", "_").replace(".", "_") for wanted in project["dependencies"]}
    declared = {provides.get(name, name) for name in declared}
    imported = {name for module in modules("cds_service") for name in module.top_level_imports()}
    imported -= sys.stdlib_module_names | {"cards", "cds_service"}
    comes_with = {"starlette": "fastapi", "pydantic": "pydantic_settings"}
    assert {comes_with.get(name, name) for name in imported} == declared


def test_an_uninvited_import_is_seen() -> None:
    module = Module.of("cds_service.gather.orders", "def f():\n    from fastapi import Request\n")
    assert "fastapi" in module.top_level_imports()
    assert part_of(module) not in KNOWN_BY["fastapi"]

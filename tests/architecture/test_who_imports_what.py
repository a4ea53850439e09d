"""Each library is known by the few modules whose job it is; everybody else stays free of it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib

import pytest

from tests.architecture.source import ROOT, Module, modules

KNOWN_BY: dict[str, set[str]] = {
    "fastapi": {"app", "workbench"},
    "starlette": {"app", "routes", "middleware", "workbench"},
    "uvicorn": {"__main__", "listener"},
    "pydantic": {"settings"},
    "pydantic_settings": {"settings"},
    "prometheus_client": {"metrics"},
    "cryptography": {"comments"},
    "opentelemetry": {"traces"},
    "fhir": {"suggestions"},
    "joserfc": {"auth"},
    "httpx": {"auth", "fhir_client"},
    "httpx_aiohttp": {"fhir_client"},
    "aiohttp": {"fhir_client"},
    "markupsafe": {"insights"},
    "jinja2": {"clinical_content", "workbench", "insights"},
    "matplotlib": {"insights"},
    "markdown_it": {"clinical_content", "workbench"},
    "ray": {"replay"},
    "tqdm": {"replay"},
    "sqlalchemy": {"store", "insights", "audit"},
    "alembic": {"store"},
    "psycopg": {"store"},
}
"""Library → the parts of ``cds_service`` that may import it (docs/decisions/0002-who-knows-which-library.md)."""

KNOWN_BY_ALL = {"cards", "cds_service", "msgspec"}

READS_JSON = {
    "resources": "the lenient Structs",
    "bundles": "values of prefetch and answers of FHIR servers",
    "members": "which members an object has, none twice",
    "hooks": "the request, its drafts lossless",
    "answers": "what an EHR put under a prefetch key",
    "suggestions": "a chart order that a suggestion must repeat as it was sent; its own output, to validate it",
    "explain": "a request from a file",
    "workbench": "the fixture patients, and what a tester brings, as plain JSON to look at",
    "audit": "the details of its own rows",
    "auth": "tokens, and JWK Sets as they are fetched",
    "client_values": "the JWK Set of a client, from a file",
    "feedback": "what became of a card, in the forms of several EHRs",
    "insights": "parts of the details of rows",
    "gather.chart": "requester, whose shape differs between FHIR versions",
    "store": "records that waited in its own spool",
    "api_docs": "answers of our own, as examples",
    "replay": "lines of an export, as they are and as they were on an earlier day",
    "gather.setting": "class of an encounter, likewise",
    "gather.conditions": "clinical and verification status, likewise",
}
"""The parts and modules that decode JSON, and what. Behind them there are only values."""
DECODING = {"Struct", "Decoder", "decode", "convert", "load", "loads"}


def part_of(module: Module) -> str:
    """The part of cds_service.gather.orders is "gather"."""
    return [*module.name.split("."), ""][1]


@pytest.mark.parametrize("module", modules("cds_service"), ids=lambda module: module.name)
def test_module_imports_only_the_libraries_of_its_part(module: Module) -> None:
    foreign = module.top_level_imports() - sys.stdlib_module_names - KNOWN_BY_ALL
    assert foreign <= KNOWN_BY.keys(), f"{sorted(foreign - KNOWN_BY.keys())}: say in KNOWN_BY who may know it"
    assert {name for name in foreign if part_of(module) not in KNOWN_BY[name]} == set()


OPENS_SOCKETS = {"fhir_client", "auth", "store"}
LISTENS = {"listener"}
NETWORK = {"socket", "ssl", "http", "ftplib", "smtplib", "xmlrpc", "telnetlib", "socketserver"}
NETWORK_CALLS = {"open_connection", "create_connection", "open_unix_connection", "urlopen", "urlretrieve"}


def opens_sockets(module: Module) -> bool:
    """Whether it could connect to anything, with the standard library or with a client of HTTP or PostgreSQL."""
    called = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    named = set(module.imports())
    return bool(
        module.top_level_imports() & (NETWORK | {"httpx", "aiohttp", "psycopg"})
        or any(name.startswith("urllib.request") for name in named)
        or NETWORK_CALLS & (called | {name.rpartition(".")[2] for name in named})
    )


@pytest.mark.parametrize("module", modules("cds_service"), ids=lambda module: module.name)
def test_only_three_parts_open_sockets(module: Module) -> None:
    assert part_of(module) in OPENS_SOCKETS | LISTENS or not opens_sockets(module)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("import socket", True),
        ("from urllib.request import urlopen", True),
        ("import asyncio\nasync def f():\n    await asyncio.open_connection('ehr.example', 443)", True),
        ("import httpx", True),
        ("from urllib.parse import quote", False),
        ("import asyncio", False),
    ],
)
def test_an_open_socket_is_seen(text: str, *, seen: bool) -> None:
    assert opens_sockets(Module.of("cds_service.respond", text)) is seen


def decodes(module: Module) -> bool:
    """Whether it uses msgspec or json to read; encoding is everybody's."""
    names = {name for name in module.imports() if name.startswith(("msgspec.", "json."))}
    used = {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and root_of(node) in ("msgspec", "json")
    }
    return bool(DECODING & (used | {name.rpartition(".")[2] for name in names}))


def root_of(node: ast.expr) -> str:
    """``msgspec`` of ``msgspec.json.decode``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("module", modules("cds_service"), ids=lambda module: module.name)
def test_only_readers_decode(module: Module) -> None:
    if decodes(module):
        assert {part_of(module), module.name.removeprefix("cds_service.")} & READS_JSON.keys()


@pytest.mark.parametrize("module", modules("cds_service"), ids=lambda module: module.name)
def test_fhir_models_are_r4b(module: Module) -> None:
    """The root of fhir.resources is R5, which refuses every R4 order."""
    taken = {name for name in module.imports() if name.startswith("fhir.resources")} - {"fhir.resources"}
    assert {name for name in taken if not name.startswith("fhir.resources.R4B")} == set()


def test_every_library_is_declared_and_used() -> None:
    """A library that comes only through another one may vanish with it. Those of an extra need not be there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = distributions(project["dependencies"])
    extras = {name for wanted in project["optional-dependencies"].values() for name in distributions(wanted)}
    imported = {name for module in modules("cds_service") for name in module.top_level_imports()}
    imported -= sys.stdlib_module_names | {"cards", "cds_service"}
    comes_with = {"markupsafe": "jinja2", "starlette": "fastapi", "pydantic": "pydantic_settings"}
    assert {comes_with.get(name, name) for name in imported} - extras == declared


def distributions(requirements: list[str]) -> set[str]:
    """By the names under which they are imported."""
    provides = {"fhir_resources": "fhir", "markdown_it_py": "markdown_it", "opentelemetry_sdk": "opentelemetry"}
    names = (re.split(r"[\[<>=!~ ;]", wanted)[0].lower().replace("-", "_").replace(".", "_") for wanted in requirements)
    return {provides.get(name, name) for name in names}


def test_an_uninvited_import_is_seen() -> None:
    module = Module.of("cds_service.gather.orders", "def f():\n    from fastapi import Request\n")
    assert "fastapi" in module.top_level_imports()
    assert part_of(module) not in KNOWN_BY["fastapi"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("from msgspec import Struct", True),
        ("import msgspec\nread = msgspec.json.Decoder(dict).decode", True),
        ("import json\nvalue = json.loads('1')", True),
        ("import msgspec\nwrite = msgspec.json.Encoder().encode", False),
        ("from msgspec import Raw", False),
    ],
)
def test_decoding_is_seen(text: str, *, seen: bool) -> None:
    assert decodes(Module.of("cds_service.gather.orders", text)) is seen

"""``cards`` is the clinic: standard library only, and pure. The day is a fact, not a call; content is read at start."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.architecture.source import Module, modules

FORBIDDEN_MODULES = {
    "asyncio", "ctypes", "getpass", "http", "inspect", "locale", "logging", "multiprocessing", "os", "pickle",
    "platform", "random", "secrets", "shelve", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time", "urllib", "uuid", "warnings",
}  # fmt: skip
"""Clock, environment, chance, network, log, other processes: whatever makes the same facts give another answer."""

FORBIDDEN_CALLS = {"now", "today", "utcnow", "fromtimestamp", "print", "input", "eval", "exec"}

READS_CONTENT = {"cards.content", "cards.terminology"}
"""The modules that may open files, the content's own."""
FILE_CALLS = {"open", "read_text", "read_bytes", "write_text", "write_bytes"}


def offences(module: Module) -> Iterator[str]:
    for name in sorted(module.top_level_imports()):
        if name != "cards" and name not in sys.stdlib_module_names:
            yield f"imports {name}, which is not the standard library"
        if name in FORBIDDEN_MODULES:
            yield f"imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in FORBIDDEN_CALLS:
                yield f"line {node.lineno}: calls {called}()"
            if called in FILE_CALLS and module.name not in READS_CONTENT:
                yield f"line {node.lineno}: opens a file"


@pytest.mark.parametrize("module", modules("cards"), ids=lambda module: module.name)
def test_module_is_pure_standard_library(module: Module) -> None:
    assert list(offences(module)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import msgspec",
        "from cds_service import hooks",
        "def f():\n    import os\n    return os.environ",
        "from time import monotonic",
        "import logging",
        "from datetime import date\nday = date.today()",
        "import datetime\nday = datetime.datetime.now()",
        "open('x')",
        "from pathlib import Path\nPath('x').read_text()",
    ],
)
def test_an_offence_is_seen(text: str) -> None:
    assert list(offences(Module.of("cards.example", text)))


def test_what_the_clinic_needs_is_no_offence() -> None:
    text = "from decimal import Decimal\nfrom cards.quantities import Days\nage = (facts.today - taken).days"
    assert list(offences(Module.of("cards.example", text))) == []

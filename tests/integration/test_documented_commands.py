"""Every command that the documents show is run as it stands there, or says in the document why it cannot be here.

A block of shell commands (three backticks and ``sh``) is run in an empty folder that has the checkout's ``fixtures`` in
it, against a service in sandbox mode; ``make`` commands must name a target that there is. ``<!-- not run: why -->``
before a block leaves it out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.process import Service, serving

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "fixtures/README.md", "benchmarks/README.md", "docs/**/*.md")
_BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n+)?^```(?P<kind>sh|bash|shell|)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    page: str
    line: int
    text: str
    not_run: str

    @property
    def commands(self) -> list[str]:
        """Continued lines joined; comments left out."""
        joined = self.text.replace("\\\n", " ")
        return [line.strip() for line in joined.splitlines() if line.strip() and not line.strip().startswith("#")]


def blocks() -> Iterator[Block]:
    for file in sorted({file for pattern in PAGES for file in ROOT.glob(pattern)}):
        text = file.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            if found["kind"] or re.match(r"(curl|make|docker|baclofen-cds|\.venv)", found["text"]):
                page, line = str(file.relative_to(ROOT)), text[: found.start("text")].count("\n") + 1
                yield Block(page, line, found["text"], (found["why"] or "").strip())


BLOCKS = list(blocks())
MADE = [block for block in BLOCKS if not block.not_run and all(one.startswith("make ") for one in block.commands)]
RUN = [block for block in BLOCKS if not block.not_run and block not in MADE]


def name(block: Block) -> str:
    return f"{block.page}:{block.line}"


def test_there_are_commands_to_run() -> None:
    assert len(RUN) >= 3
    assert len(MADE) >= 1


@pytest.mark.parametrize("block", MADE, ids=name)
def test_make_targets_are_there(block: Block) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    assert {command.split()[1] for command in block.commands} <= targets


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("service"), "--sandbox") as started:
        yield started


@pytest.mark.parametrize("block", RUN, ids=name)
def test_command_does_what_the_page_says(block: Block, service: Service, tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    text = block.text.replace("127.0.0.1:8080", f"127.0.0.1:{service.port}").replace(".venv/bin/", "")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACLOFEN_CDS_")}
    done = subprocess.run(  # noqa: S603  # what our own documents say
        ["/bin/bash", "-euo", "pipefail", "-c", text],
        cwd=tmp_path,
        env={**clean, "PATH": f"{Path(sys.executable).parent}:{clean['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if block.commands[-1].startswith("curl") and "/cds-services/" in text:
        assert '"cards":[' in done.stdout

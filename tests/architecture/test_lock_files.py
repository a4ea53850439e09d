"""The lock files pin and hash everything, agree with each other, and name no address (docs/decisions/0001)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))


def pins(lock: Path) -> dict[str, str]:
    """Distribution → version."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ]+)", lock.read_text("utf-8"), flags=re.MULTILINE))


def wanted(requirements: list[str]) -> set[str]:
    names = (re.split(r"[\[<>=!~ ;]", requirement)[0] for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def test_there_are_three() -> None:
    assert [lock.name for lock in LOCKS] == ["requirements-build.lock", "requirements-dev.lock", "requirements.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_a_hash_and_there_is_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(
        r"^\s*-", re.sub(r"^ +--hash=sha256:[0-9a-f]{64}( \\)?$", "", text, flags=re.MULTILINE), flags=re.MULTILINE
    )
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.partition("==")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_locks_agree() -> None:
    development = pins(ROOT / "requirements-dev.lock")
    for name in ("requirements.lock", "requirements-build.lock"):
        assert {(p, v) for p, v in pins(ROOT / name).items() if development.get(p) != v} == set()


def test_locks_hold_what_the_project_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups = asked["dependency-groups"]
    assert wanted(asked["project"]["dependencies"]) <= pins(ROOT / "requirements.lock").keys()
    assert wanted(groups["build"]) <= pins(ROOT / "requirements-build.lock").keys()
    assert wanted(groups["dev"]) <= pins(ROOT / "requirements-dev.lock").keys()

"""For every test: the same surroundings on every machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

HASH_KEY = "for tests only: hash key of the tests"


def pytest_configure() -> None:
    """A developer's own BACLOFEN_CDS_* variables do not reach the tests; production mode has the key that it needs."""
    for name in [name for name in os.environ if name.upper().startswith("BACLOFEN_CDS_")]:
        del os.environ[name]
    os.environ["BACLOFEN_CDS_HASH_KEY"] = HASH_KEY


@pytest.fixture(autouse=True)
def _surroundings_stay() -> Iterator[None]:
    """What a command sets for its worker processes does not reach the next test."""
    before = _ours()
    yield
    for name in _ours().keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def _ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("BACLOFEN_CDS_", "PROMETHEUS_"))}

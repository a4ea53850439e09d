"""For every test: the same surroundings on every machine."""

from __future__ import annotations

import os

HASH_KEY = "for tests only: hash key of the tests"


def pytest_configure() -> None:
    """A developer's own BACLOFEN_CDS_* variables do not reach the tests; production mode has the key that it needs."""
    for name in [name for name in os.environ if name.upper().startswith("BACLOFEN_CDS_")]:
        del os.environ[name]
    os.environ["BACLOFEN_CDS_HASH_KEY"] = HASH_KEY

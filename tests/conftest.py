"""For every test: the same surroundings on every machine."""

from __future__ import annotations

import os


def pytest_configure() -> None:
    """A developer's own BACLOFEN_CDS_* variables do not reach the tests."""
    for name in [name for name in os.environ if name.upper().startswith("BACLOFEN_CDS_")]:
        del os.environ[name]

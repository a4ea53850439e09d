from __future__ import annotations

from tests.store.conftest import place, postgresql

__all__ = ["place", "postgresql"]

"""How long each property is searched."""

from __future__ import annotations

import os

from hypothesis import settings

LONGER = int(os.environ.get("PROPERTY_SEARCH", "1"))


def examples(number: int) -> settings:
    """As a decorator: so many examples at the gate, more in a longer search."""
    return settings(max_examples=number * LONGER)

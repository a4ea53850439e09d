"""What a client's EHR can do with a card."""

from __future__ import annotations

from enum import Enum


class Dialect(Enum):
    GENERIC = "generic"
    """CDS Hooks 2.0.1 in full."""
    EPIC = "epic"
    """One action in a suggestion, no update of an order, RxNorm by its OID."""
    INFO_ONLY = "info-only"
    """Words only."""

"""What must outlive a request: what was advised, what became of it, and which tokens were used."""

from __future__ import annotations

from cds_service.store.rows import Row

__all__ = ["Row"]

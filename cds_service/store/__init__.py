"""What must outlive a request: what was advised, what became of it, and which tokens were used."""

from __future__ import annotations

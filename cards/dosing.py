"""Dose and taper arithmetic (rules.md sections 4 and 6): recommended starts, ceilings, regimens, steps and tapers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dosing:
    """The parameters of ``dosing.toml``, one field each, and what is computed from them."""

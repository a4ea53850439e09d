"""The dosage instructions of one order, statement or dispense: JSON until somebody asks, and few do."""

from __future__ import annotations

from msgspec import Raw, UnsetType

from cards.values import frozen_with_once, once
from cds_service.resources import Dosage, dosages


@frozen_with_once
class Instructions:
    written: Raw | UnsetType

    @once
    def read(self) -> tuple[Dosage, ...]:
        """Empty when there are none, and when they are ``lost``."""
        return self._read or ()

    @property
    def lost(self) -> bool:
        """They are there and malformed."""
        return self._read is None

    @once
    def _read(self) -> tuple[Dosage, ...] | None:
        return dosages(self.written)

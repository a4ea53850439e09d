"""A token that is used for a call, and which of them this process has seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cds_service.store.rows import Cells, utc_text

PURGED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, order=True)
class TokenUse:
    """One token used for one call. Tells nothing of the token."""

    client: str
    """Name of its profile."""
    jti_hash: str
    at: datetime
    """When it was used, by the clock that judged its lifetime."""
    expires: datetime

    @property
    def cells(self) -> Cells:
        return (self.client, self.jti_hash, utc_text(self.expires))


class SeenHere:
    """What this process has seen, until it expires."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], datetime] = {}
        self._purge_at: datetime | None = None

    def take(self, use: TokenUse) -> bool:
        """Whether it was not seen before, or had expired since. From now on it is seen."""
        key = (use.client, use.jti_hash)
        until = self._until.get(key)
        if until is not None and until >= use.at:
            return False
        self._until[key] = use.expires
        if self._purge_at is None or use.at >= self._purge_at:
            self._purge_at = use.at + PURGED_EVERY
            self._until = {seen: end for seen, end in self._until.items() if end >= use.at}
        return True

"""What prescribers write when they dismiss a card. It is PHI: kept only where the site says so, and encrypted (Fernet:
AES-128 in CBC mode with HMAC-SHA-256), with a key that stands in the environment and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from cds_service.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Comments:
    _keys: MultiFernet = field(repr=False)

    @classmethod
    def of(cls, keys: str) -> Self:
        """One key, or several with commas between them: the first encrypts, each decrypts, so that a new key can be
        put before an old one. Raises ``SettingsError``."""
        try:
            return cls(MultiFernet([Fernet(key.strip()) for key in keys.split(",")]))
        except ValueError:
            raise SettingsError(
                "comment_key (BACLOFEN_CDS_COMMENT_KEY): is not 32 bytes in URL-safe base64; make one with: "
                "openssl rand -base64 32 | tr '+/' '-_'"
            ) from None

    def sealed(self, comment: str) -> str:
        return self._keys.encrypt(comment.encode("utf-8", "replace")).decode()

    def opened(self, sealed: str) -> str | None:
        """None when its key is no longer there."""
        try:
            return self._keys.decrypt(sealed).decode()
        except InvalidToken:
            return None

"""Keyed hashes (HMAC-SHA-256) in the place of identifiers. Nobody without the key can tell whose they are, or try out
names; whoever has key and identifier can find the record again.

Each is made for one client and tenant: equal ids of two EHRs are two persons, and records of two EHRs cannot be joined.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Literal

from cards.override_memory import OverrideKey

Kind = Literal["key", "patient", "user", "override", "card", "suggestion", "feedback"]


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    key: bytes = field(repr=False)
    key_id: str
    """Tells keys apart, and nothing of a key. It stands beside each hash, so that a new key can follow an old one."""

    @classmethod
    def of(cls, key: str) -> Pseudonyms:
        """With the key of the settings; where it is empty (sandbox mode), with one that ends with this process."""
        held = key.encode() or secrets.token_bytes(32)
        return cls(held, cls(held, "").of_parts("key", "id")[:12])

    def patient(self, client: str, tenant: str, patient_id: str) -> str:
        return self.of_parts("patient", client, tenant, patient_id)

    def user(self, client: str, tenant: str, reference: str) -> str:
        return self.of_parts("user", client, tenant, reference)

    def override(self, client: str, tenant: str, key: OverrideKey) -> str:
        """Of a question that was overridden: it holds the id of an order."""
        return self.of_parts("override", client, tenant, " ".join(key.rules), key.order, key.dose, key.tier)

    def of_parts(self, kind: Kind, *parts: str) -> str:
        """64 hexadecimal digits. The lengths stand before the parts: no two lists of parts read the same."""
        text = f"{kind}:{','.join(str(len(part)) for part in parts)}:{''.join(parts)}"
        return hmac.digest(self.key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

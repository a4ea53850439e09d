"""What a row of each table holds: ``schema`` makes the tables from it, ``Row`` is checked by it. Knows no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import UnionType

Value = str | int | float | datetime | None
Cell = str | int | float | bool | None
"""As it is written: moments as text."""
Cells = tuple[Cell, ...]
Kind = type | UnionType

TABLES: Mapping[str, Mapping[str, Kind]] = {
    # One call that concerned baclofen. status: of HTTP. shown: number of cards. milliseconds: of the whole call.
    # detail: a JSON object (facts used and missing, outcomes by rule, rules dropped and merged, times by stage).
    "hook_call": {
        "id": str, "at": datetime, "client": str, "tenant": str | None, "hook": str, "hook_instance": str | None,
        "patient_hash": str | None, "user_hash": str | None, "hash_key_id": str | None,
        "content_version": str, "service_version": str, "status": int, "order_kind": str | None,
        "shown": int, "milliseconds": float, "detail": str,
    },
    # One card, written together with its call or not at all. silent: assessed, not shown. merged: a JSON list of rules.
    # suggestions: a JSON list of {uuid, label, kind}.
    "card": {
        "uuid": str, "call_id": str, "at": datetime, "client": str, "rule": str, "indicator": str, "silent": bool,
        "merged": str, "suggestions": str, "override_key": str | None, "patient_hash": str | None,
    },
    # What a client told of a card, known or not. outcome: accepted or overridden. accepted_suggestions: a JSON list of
    # uuids. outcome_at: by the client's clock. comment: ciphertext. The same entry told again has the same entry_hash.
    "feedback": {
        "id": str, "received_at": datetime, "client": str, "card_uuid": str, "outcome": str,
        "reason_system": str | None, "reason_code": str | None, "accepted_suggestions": str,
        "outcome_at": datetime | None, "comment": str | None, "entry_hash": str,
    },
    # When a patient's card of that key was last overridden with a reason (rules.md M6).
    "override_memory": {"client": str, "patient_hash": str, "override_key": str, "since": datetime},
    # A token that was used, until it expires.
    "used_token": {"client": str, "jti_hash": str, "expires": datetime},
}  # fmt: skip
"""Table → column → what it holds. Lists and objects are JSON text: no engine is asked to look into them. Patients and
users are keyed hashes, never identifiers."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "hook_call": ("id",),
    "card": ("uuid",),
    "feedback": ("card_uuid", "client", "entry_hash"),
    "override_memory": ("client", "patient_hash", "override_key"),
    "used_token": ("client", "jti_hash"),
}
"""Table → the columns by which a row is known: one that is there already is not written again."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be written once. Writing it twice does no harm: the first stands; in ``override_memory`` the one with
    the later ``since``."""

    table: str
    values: Mapping[str, Value]
    """Column → value. Columns that may be null can be left out."""

    def __post_init__(self) -> None:
        """Raises ``LookupError`` or ``TypeError``: a wrong row is a fault of the one who makes it, and must not be
        found only there where it would hold up the rows of others."""
        columns = TABLES[self.table]
        if unknown := self.values.keys() - columns.keys():
            raise LookupError(f"{self.table} has no {', '.join(sorted(unknown))}")
        for name, kind in columns.items():
            if not isinstance(value := self.values.get(name), kind):
                raise TypeError(f"{self.table}.{name} cannot be a {type(value).__name__}")

    def cells(self) -> Cells:
        """In the order of the columns. Raises ``ValueError`` for a moment without a zone."""
        values = self.values
        return tuple(_cell(values.get(name)) for name in TABLES[self.table])


def _cell(value: Value) -> Cell:
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else _storable(value)
    return utc_text(value) if isinstance(value, datetime) else value


def _storable(text: str) -> str:
    """Without what one of the engines cannot hold: NUL, and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def utc_text(at: datetime) -> str:
    """ "2026-11-24T12:00:00.000000Z": sorts as time does, and both engines read it. Raises ``ValueError`` for a moment
    without a zone."""
    if at.tzinfo is None:
        raise ValueError("a moment without a zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"

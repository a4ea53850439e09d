"""What became of a card: the feedback body of CDS Hooks, read as EHRs send it (checklist 2.10).

Standard, Epic and Sandbox forms; one bad entry never costs the others. Comments are not read: they are PHI, and nothing
here needs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct

from cds_service.errors import FieldInvalid, NotJson


@dataclass(frozen=True, slots=True)
class Overridden:
    """A card that the prescriber dismissed; ``with_reason`` when a coded reason came with it."""

    card: str
    with_reason: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    overridden: tuple[Overridden, ...]
    accepted: int
    unreadable: int
    """Entries that say nothing we know."""


_NULL = Raw(b"null")


class _Reason(Struct):
    reason: Raw = _NULL
    extension: Raw = _NULL
    """Epic may give its own reason here instead of a code."""


class _Entry(Struct):
    card: str | int | None = None
    outcome: str | None = None
    overrideReason: _Reason | None = None
    overrideReasons: _Reason | list[_Reason] | None = None
    """Epic's plural."""


class _Body(Struct):
    feedback: list[Raw] | None = None


_body = msgspec.json.Decoder(_Body).decode
_entry = msgspec.json.Decoder(_Entry).decode
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_feedback(body: bytes) -> Feedback:
    """Raises ``NotJson`` and ``FieldInvalid`` (400) when there is no list of feedback at all."""
    try:
        entries = _body(body).feedback
    except msgspec.ValidationError:
        raise FieldInvalid("feedback", "an array of what became of the cards") from None
    except _BAD:
        raise NotJson from None
    if entries is None:
        raise FieldInvalid("feedback", "an array of what became of the cards")
    overridden: list[Overridden] = []
    accepted = unreadable = 0
    for raw in entries:
        match _read(raw):
            case Overridden() as one:
                overridden.append(one)
            case "accepted":
                accepted += 1
            case _:
                unreadable += 1
    return Feedback(tuple(overridden), accepted, unreadable)


def _read(raw: Raw) -> Overridden | str | None:
    try:
        entry = _entry(raw)
    except _BAD:
        return None
    if not entry.card:
        return None
    if entry.outcome == "overridden":
        plural = entry.overrideReasons
        reasons = [entry.overrideReason, *(plural if isinstance(plural, list) else [plural])]
        return Overridden(str(entry.card), any(one and (_says(one.reason) or _says(one.extension)) for one in reasons))
    return entry.outcome if entry.outcome == "accepted" else None


def _says(raw: Raw) -> bool:
    """Something, not null or empty."""
    return bytes(raw).strip() not in (b"null", b"{}", b"[]", b'""')

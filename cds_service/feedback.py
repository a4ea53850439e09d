"""What became of a card: the feedback body of CDS Hooks, read as EHRs send it (checklist 2.10).

Standard, Epic and Sandbox forms. One bad entry never costs the others, and one bad member never costs the entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
from msgspec import Raw, Struct

from cds_service.errors import FieldInvalid, NotJson, TooLarge

MOST_ENTRIES = 10_000
"""In one body: a night's batch of a large hospital has hundreds."""
LONGEST_COMMENT = 4000
"""Characters; the rest is cut."""
EPIC = "com.epic.cdshooks.feedback.overrideReason"
"""Before the members of the extension in which Epic puts a reason that its site has not mapped."""


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Reason:
    system: str
    """Empty when it was not sent: the CDS Hooks Sandbox may leave it out."""
    code: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one card."""

    card: str
    """As it was sent: Epic's own sample is no UUID."""
    outcome: Outcome
    with_reason: bool = False
    """Something was chosen as the reason, whether it can be read as a code or not."""
    reason: Reason | None = None
    accepted: tuple[str, ...] = ()
    """Ids of suggestions, as they were sent."""
    at: datetime | None = None
    """By the client's clock, in UTC; None when it was not sent, or without a zone."""
    comment: str = field(default="", repr=False)
    """The prescriber's own words: PHI."""


@dataclass(frozen=True, slots=True)
class Feedback:
    entries: tuple[Entry, ...]
    unreadable: int
    """Entries that name no card, or no outcome that CDS Hooks knows."""


# ---------------------------------------------------------------------------------------------------- the wire

_NULL = Raw(b"null")


class _Coding(Struct):
    code: str | int
    system: str | None = None


class _Reason(Struct):
    reason: Raw = _NULL
    extension: Raw = _NULL
    userComment: Raw = _NULL


class _Entry(Struct):
    card: str | int | None = None
    outcome: str | None = None
    outcomeTimestamp: Raw = _NULL
    acceptedSuggestions: Raw = _NULL
    overrideReason: Raw = _NULL
    overrideReasons: Raw = _NULL
    """Epic's plural: an object, or a list of them."""


class _Suggestion(Struct):
    id: str | int


class _Body(Struct):
    feedback: list[Raw] | None = None


_body = msgspec.json.Decoder(_Body).decode
_entry = msgspec.json.Decoder(_Entry).decode
_reasons = msgspec.json.Decoder(_Reason | list[_Reason] | None).decode
_coding = msgspec.json.Decoder(_Coding | None).decode
_extension = msgspec.json.Decoder(dict[str, Raw]).decode
_accepted = msgspec.json.Decoder(list[_Suggestion | str] | None).decode
_text = msgspec.json.Decoder(str | None).decode
_code = msgspec.json.Decoder(str | int | None).decode
_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_feedback(body: bytes | bytearray) -> Feedback:
    """Raises ``NotJson`` and ``FieldInvalid`` (400) when there is no list of feedback at all, ``TooLarge`` (413)."""
    try:
        raws = _body(body).feedback
    except msgspec.ValidationError:
        raise FieldInvalid("feedback", "an array of what became of the cards") from None
    except _BAD:
        raise NotJson from None
    if raws is None:
        raise FieldInvalid("feedback", "an array of what became of the cards")
    if len(raws) > MOST_ENTRIES:
        raise TooLarge(
            f"feedback has more than {MOST_ENTRIES} entries. None was taken.",
            "Send them in several requests.",
        )
    read = [_read(raw) for raw in raws]
    entries = tuple(entry for entry in read if entry is not None)
    return Feedback(entries, len(raws) - len(entries))


def _read(raw: Raw) -> Entry | None:
    try:
        sent = _entry(raw)
    except _BAD:
        return None
    if not sent.card or not sent.outcome or sent.outcome not in set(Outcome):
        return None
    card, outcome, at = str(sent.card), Outcome(sent.outcome), _moment(sent.outcomeTimestamp)
    if outcome is Outcome.ACCEPTED:
        return Entry(card, outcome, accepted=_suggestions(sent.acceptedSuggestions), at=at)
    reasons = [*_all_reasons(sent.overrideReason), *_all_reasons(sent.overrideReasons)]
    coded = (reason for one in reasons if (reason := _reason(one)))
    said = (comment for one in reasons if (comment := _comment(one.userComment)))
    return Entry(
        card,
        outcome,
        with_reason=any(_says(one.reason) or _says(one.extension) for one in reasons),
        reason=next(coded, None),
        at=at,
        comment=next(said, ""),
    )


def _all_reasons(raw: Raw) -> Iterator[_Reason]:
    try:
        read = _reasons(raw)
    except _BAD:
        return
    yield from read if isinstance(read, list) else [read] if read else []


def _reason(sent: _Reason) -> Reason | None:
    try:
        if coding := _coding(sent.reason):
            return Reason(coding.system or "", str(coding.code)) if coding.code != "" else None
        category = _extension(sent.extension).get(f"{EPIC}.reasonCategory", _NULL)
        code = _code(category)
    except _BAD:
        return None
    return Reason(EPIC, str(code)) if code not in (None, "") else None


def _suggestions(raw: Raw) -> tuple[str, ...]:
    try:
        read = _accepted(raw) or []
    except _BAD:
        return ()
    return tuple(str(one) if isinstance(one, str) else str(one.id) for one in read)


def _moment(raw: Raw) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(raw) or "")
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (*_BAD, ValueError, OverflowError):
        return None


def _comment(raw: Raw) -> str:
    try:
        return (_text(raw) or "").strip()[:LONGEST_COMMENT]
    except _BAD:
        return ""


def _says(raw: Raw) -> bool:
    """Something, not null or empty."""
    return bytes(raw).strip() not in (b"null", b"{}", b"[]", b'""')

"""What clients told of cards, as rows: every entry by itself, and what a reasoned override hides for a day.

Nothing of what a client wrote is kept as it is but codes and UUIDs: an id that is no UUID becomes a keyed hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from cards.override_memory import LASTS
from cds_service.audit import detail
from cds_service.comments import Comments
from cds_service.feedback import EPIC, Entry, Outcome, Reason
from cds_service.pseudonyms import Pseudonyms
from cds_service.store.rows import Row

OTHER = "other"
"""Stands for a reason that was given and is no code."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SYSTEM = re.compile(r"(https?://|urn:)[A-Za-z0-9._~:/#?=&%-]{1,200}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A card as it was written down."""

    rule: str
    at: datetime
    patient_hash: str | None
    override_key: str | None


def name_of(sent: str, names: Pseudonyms) -> str:
    """A UUID as it is, in lower case; anything else as "other:" and a keyed hash, which is still the same each time."""
    text = sent.lower().removeprefix("urn:uuid:")
    return text if _UUID.fullmatch(text) else f"{OTHER}:{names.of_parts('card', sent)[:32]}"


def entry_rows(
    entries: Iterable[Entry], client: str, now: datetime, names: Pseudonyms, comments: Comments | None
) -> Iterator[Row]:
    for entry in entries:
        uuid = name_of(entry.card, names)
        accepted = [name_of(one, names) for one in entry.accepted]
        system, code = _coded(entry.reason, with_reason=entry.with_reason)
        at = entry.at.isoformat() if entry.at else ""
        comment = entry.comment if comments else ""
        parts = (client, uuid, entry.outcome.value, system or "", code or "", " ".join(accepted), at, comment)
        yield Row(
            "feedback",
            {
                "id": str(uuid4()),
                "received_at": now,
                "client": client,
                "card_uuid": uuid,
                "outcome": entry.outcome.value,
                "reason_system": system,
                "reason_code": code,
                "accepted_suggestions": detail.text(accepted),
                "outcome_at": entry.at,
                "comment": comments.sealed(comment) if comments and comment else None,
                "entry_hash": names.of_parts("feedback", *parts),
            },
        )


def override_rows(
    entries: Iterable[Entry], client: str, now: datetime, names: Pseudonyms, cards: Mapping[str, Issued]
) -> Iterator[Row]:
    """One for each question, however often it was told."""
    found = {}
    for entry in entries:
        known = cards.get(name_of(entry.card, names))
        if not (entry.outcome is Outcome.OVERRIDDEN and entry.with_reason and known and now - known.at <= LASTS):
            continue
        if known.patient_hash and known.override_key:
            found[known.patient_hash, known.override_key] = now
    for (patient, key), since in found.items():
        yield Row("override_memory", {"client": client, "patient_hash": patient, "override_key": key, "since": since})


def _coded(reason: Reason | None, *, with_reason: bool) -> tuple[str | None, str | None]:
    """System and code, where they are such; free text is neither."""
    if reason is None or not _CODE.fullmatch(reason.code):
        return None, OTHER if with_reason else None
    known = reason.system == EPIC or _SYSTEM.fullmatch(reason.system)
    return reason.system if known else None, reason.code

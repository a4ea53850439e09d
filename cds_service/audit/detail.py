"""What ``hook_call.detail`` says: names, dates and numbers of ours. No value of a chart, identifier or free text."""

from __future__ import annotations

from msgspec import Struct, json


class Detail(Struct, frozen=True, omit_defaults=True, gc=False):
    """JSON; members that are empty are left out. Rules go by their ids, as "renal-aki"."""

    request_id: str = ""
    """X-Request-Id of the answer."""
    facts: dict[str, str | None] = {}
    """What was read and used → its newest date (YYYY-MM-DD), or null where it has none. Names: ``facts_used``."""
    missing: dict[str, str] = {}
    """What could not be had → ``not recorded``, ``not available``, ``unreadable`` or ``incomplete``. Names of inputs:
    ``kidney_results``, ``medications`` ..."""
    tier: str = ""
    """Of the kidney: ``K3``."""
    fired: dict[str, str] = {}
    """Rule → indicator of its finding, before anything was merged, dropped or kept silent."""
    cannot_assess: dict[str, list[str]] = {}
    """Rule → inputs that it lacked."""
    unchecked: dict[str, list[str]] = {}
    """Rule that fired → inputs that could have made it more urgent."""
    not_indicated: list[str] = []
    silent: list[str] = []
    """Rules that were assessed for this client and not shown."""
    dropped: dict[str, str] = {}
    """Rule that fired and got no card of its own → why."""
    not_offered: list[tuple[str, str, str]] = []
    """Rule, kind of suggestion, why it was left out."""
    stages: dict[str, float] = {}
    """Stage → milliseconds. Names: ``course.Stage``."""
    error: str = ""
    """Class of the error that ended the call."""


class Suggested(Struct, frozen=True, omit_defaults=True, gc=False):
    """One of ``card.suggestions``."""

    uuid: str
    """Empty on a silent card: nothing was written."""
    label: str
    """The button; empty on a silent card."""
    kind: str
    """``cards.logic.Offer``: "change-dose", "taper", "order-creatinine" ..."""


decode = json.Decoder(Detail).decode
suggestions = json.Decoder(list[Suggested]).decode
names = json.Decoder(list[str]).decode
"""Of ``card.merged`` and ``feedback.accepted_suggestions``."""
_encode = json.Encoder().encode


def text(value: Detail | list[Suggested] | list[str]) -> str:
    return _encode(value).decode()

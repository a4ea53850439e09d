"""The service's log: one JSON object a line on standard error. A field that is not named here cannot be logged.

No patient, user or order identifier, no text of a chart, no token, no message of an exception (it may quote its input):
of an error only its class and where in our code it was raised.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, NotRequired, TypedDict, Unpack

import msgspec

Level = Literal["info", "warning", "error"]


class Fields(TypedDict):
    """Everything that a log line may say, beside its time, level and event."""

    request_id: NotRequired[str]
    """The X-Request-Id of the answer; on every line that a request causes."""
    hook: NotRequired[str]
    hook_instance: NotRequired[str]
    """Only when it is a UUID: then it names the call and nothing else."""
    hook_instance_is_uuid: NotRequired[bool]
    status: NotRequired[int]
    milliseconds: NotRequired[float]
    body_bytes: NotRequired[int]
    error: NotRequired[str]
    """Class of the exception."""
    raised_at: NotRequired[str]
    """"cds_service/hooks.py:120 parse"."""
    rule: NotRequired[str]
    entries: NotRequired[int]
    """Of feedback, taken or purged."""
    calls: NotRequired[int]
    """Purged."""
    cards: NotRequired[int]
    """Purged."""
    unreadable: NotRequired[int]
    """Entries of feedback that name no card or no outcome."""
    unknown_cards: NotRequired[int]
    """Entries of feedback whose card is not known here, or not yet."""
    other_patients: NotRequired[int]
    """Prefetched resources of other patients that were not used."""
    not_read: NotRequired[str]
    """Why the FHIR server that a call names was not read, in words of ours."""
    fhir_asked: NotRequired[int]
    fhir_answered: NotRequired[int]
    """With something that could be taken."""
    mode: NotRequired[str]
    content_version: NotRequired[str]
    address: NotRequired[str]
    """Where the service listens."""
    client: NotRequired[str]
    """Name of a client profile, as the operator chose it."""
    problem: NotRequired[str]
    """Why a call was refused: the sentence of the answer, which is ours."""
    refused: NotRequired[str]
    """Why a token was not believed: words of ours, auth.tokens.Reason."""
    key_set: NotRequired[str]
    """Address of a JWK Set, as a client profile has it."""
    keys: NotRequired[int]
    keys_left_out: NotRequired[int]


_encode = msgspec.json.Encoder().encode

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered."""


def event(name: str, level: Level = "info", **fields: Unpack[Fields]) -> None:
    if about := request_id.get():
        fields["request_id"] = about
    allowed = {key: value for key, value in fields.items() if key in Fields.__annotations__}
    line = _encode({"time": datetime.now(UTC), "level": level, "event": name, **allowed})
    sys.stderr.write(line.decode() + "\n")


def failed(name: str, error: BaseException) -> None:
    """An error of ours, without its message."""
    event(name, "error", error=type(error).__name__, raised_at=_innermost(error))


def rule_failed(rule: str, error: BaseException) -> None:
    """A rule raised: the others still answered, and this one said that it could not assess."""
    event("rule failed", "error", rule=rule, error=type(error).__name__, raised_at=_innermost(error))


def other_patients(resources: int) -> None:
    """The EHR prefetched resources of other patients. They were not used."""
    event("resources of other patients", "warning", other_patients=resources)


def fhir_server_not_read(reason: str) -> None:
    """Something was missing, and the FHIR server that the call names was not asked. ``reason``: ``fhir_access``."""
    event("FHIR server not read", "warning", not_read=reason)


def fhir_server_read(asked: int, answered: int) -> None:
    level: Level = "info" if asked == answered else "warning"
    event("FHIR server read", level, fhir_asked=asked, fhir_answered=answered)


def suggestion_invalid(rule: str) -> None:
    """A suggestion was left out because what we wrote is not valid FHIR; the card stands without it."""
    event("suggestion invalid", "error", rule=rule)


def keys_fetched(key_set: str, usable: int, left_out: int) -> None:
    level: Level = "warning" if left_out else "info"
    event("keys fetched", level, key_set=key_set, keys=usable, keys_left_out=left_out)


def keys_not_fetched(key_set: str, error: BaseException) -> None:
    """The keys that were fetched before serve on, for a while."""
    event("keys not fetched", "error", key_set=key_set, error=type(error).__name__, raised_at=_innermost(error))


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return "unknown"
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-2:])}:{trace.tb_lineno} {code.co_name}"

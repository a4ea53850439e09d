"""The CDS Hooks request: bytes in, ``HookCall`` out, or ``BadRequest``.

Read tolerantly, but never ambiguously. Outside ``prefetch`` every member is read with its decimals as written and with
duplicate members refused, since two ``patientId`` would be two patients. ``prefetch`` is only cut into its keys: each
resource in it is read on its own by ``records``, so that a bad one costs only itself.

What is accepted beyond CDS Hooks 2.0.1: ``Patient/x`` as patientId; userId missing or of any type (no rule needs it);
draftOrders without ``type`` or of another Bundle type; entries that are null or hold no resource; a byte order mark;
lone surrogates, which become U+FFFD; members and extensions that we do not know.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw

from cards.facts import Hook
from cards.values import frozen
from cds_service import resources
from cds_service.bundles import Prefetch
from cds_service.errors import Ambiguous, FieldInvalid, FieldMissing, HookNotServed, NotJson, TooLarge
from cds_service.members import raw_members

MOST_DRAFTS = 1000
"""Entries of draftOrders in one call, and selections among them; a signing session has a few dozen at most."""
MOST_KEYS = 1000
"""Of prefetch; an EHR that sends the keys of all its services has some dozens."""
LONGEST_ID = 256
"""FHIR says 64; ids of unsigned orders of a large EHR run to about 200."""


LONGEST_TEXT = 1 << 20
"""Bytes of one string outside prefetch: FHIR allows no string of more than 1,048,576 characters."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@frozen
class Draft:
    """One resource of draftOrders: read for the rules, and as sent for the suggestions."""

    resource: resources.Resource | resources.Junk
    json: dict[str, Any] = field(repr=False)
    """Lossless: decimals as ``Decimal`` with the digits that were sent. Empty when the entry was not even an object."""
    full_url: str = ""


@dataclass(frozen=True, slots=True)
class Authorization:
    """``fhirAuthorization`` with an access token, as it was sent. Whether it may be used is for ``fhir_access``."""

    token: str = field(repr=False)
    """For this call only: never stored, logged or repeated."""
    token_type: str
    """Empty when it was not sent."""
    expires_in: float | None
    """Seconds; None when it was not sent or is no number."""
    patient: str
    """The bare id of the patient that the token is for; empty when it was not sent."""


@frozen
class HookCall:
    """One call of the service, as the client sent it."""

    hook: Hook
    hook_instance: str
    user_id: str
    """"PractitionerRole/123"; empty when it was missing or unreadable."""
    patient_id: str
    """The bare id."""
    encounter_id: str | None
    drafts: tuple[Draft, ...] = field(repr=False)
    """Every draft of a type that we read, and every one that could not be read; other types (imaging) are left out."""
    selections: frozenset[str] | None
    """"MedicationRequest/d2" ...; None at order-sign."""
    prefetch: Mapping[str, Raw] = field(repr=False)
    fhir_server: str | None = None
    authorization: Authorization | None = None

    @property
    def instance_is_uuid(self) -> bool:
        return _UUID.fullmatch(self.hook_instance) is not None

    @property
    def size(self) -> int:
        """Bytes that there are to read, about: a draft counts as half a kilobyte."""
        prefetch = self.prefetch
        sent = prefetch.size if isinstance(prefetch, Prefetch) else sum(map(len, prefetch.values()))
        return sent + 512 * len(self.drafts)


def parse(body: bytes | bytearray, hooks: Collection[Hook]) -> HookCall:
    """Raises ``BadRequest`` (400) and, for too many drafts, ``TooLarge`` (413)."""
    members, prefetch = _cut(_utf8(body))
    if len(prefetch) > MOST_KEYS:
        raise _too_many("prefetch", MOST_KEYS, "Send the keys that GET /cds-services lists.")
    request = {name: _lossless(raw) for name, raw in members.items()}

    hook = _hook(request, hooks)
    context = request.get("context")
    if context is None:
        raise FieldMissing("context")
    if not isinstance(context, dict):
        raise FieldInvalid("context", "an object")
    fhir_server, authorization = _fhir_access(request)
    user_id = context.get("userId")
    return HookCall(
        hook=hook,
        hook_instance=_text(request, "hookInstance", "hookInstance"),
        user_id=user_id if isinstance(user_id, str) else "",
        patient_id=_patient_id(context),
        encounter_id=_encounter_id(context),
        drafts=_drafts(context),
        selections=_selections(context) if hook is Hook.ORDER_SELECT else None,
        prefetch=prefetch,
        fhir_server=fhir_server,
        authorization=authorization,
    )


# -------------------------------------------------------------------------------------------------------- bytes to JSON

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_PREFETCH = re.compile(rb'"prefetch"\s*:\s*(?=\{)')
_PIECE = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_Cut = tuple[dict[str, Raw], Mapping[str, Raw]]
"""The members of the request but for prefetch, and those of prefetch, each still JSON."""


def _utf8(body: bytes | bytearray) -> bytes | bytearray:
    """Without byte order mark. Looked at piece by piece: as one text it could take four times its size."""
    if body.startswith(_BYTE_ORDER_MARK):
        body = body.removeprefix(_BYTE_ORDER_MARK)
    if not body.isascii():
        look, at = codecs.getincrementaldecoder("utf-8")().decode, 0
        try:
            for at in range(0, len(body), _PIECE):
                look(body[at : at + _PIECE], final=at + _PIECE >= len(body))
        except UnicodeDecodeError:
            raise NotJson from None
    return body


def _cut(body: bytes | bytearray) -> _Cut:
    try:
        return _before_prefetch(body) or _all_members(body)
    except NotJson:
        repaired = _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], body)
        if repaired == body:
            raise
        return _all_members(repaired)


def _before_prefetch(body: bytes | bytearray) -> _Cut | None:
    """The way of most requests, whose megabytes are then read once: ``prefetch`` stands last. With a stand-in for its
    value the text up to it must be an object that ends in it, and all that follows but the last brace one object."""
    start, end = _PREFETCH.search(body), body.rfind(b"}")
    # Its last value ends in an object within an object: anything else would be decoded in vain.
    if start is None or body[end - 2 : end] != b"}}" or body[end + 1 :].strip():
        return None
    try:
        members = raw_members(body[: start.end()] + b"0}")
        last, _ = members.popitem()
        if last != "prefetch" or "context" not in members:
            return None
        return members, Prefetch(memoryview(body)[start.end() : end])
    except resources.UNREADABLE:
        return None


def _all_members(body: bytes | bytearray) -> _Cut:
    try:
        members = raw_members(body)
        return members, _prefetch(members.pop("prefetch", None))
    except resources.UNREADABLE:
        raise NotJson from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Ambiguous
    return members


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not -324 <= number.adjusted() <= 308 or (number.is_zero() and number.is_signed()):
        raise NotJson
    return number


def _integer(text: str) -> int:
    if text == "-0":
        raise NotJson
    return int(text)


def _no_constant(_: str) -> None:
    raise NotJson


_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode_fast = msgspec.json.Decoder(float_hook=_decimal).decode
_decode_with_care = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_decimal, parse_int=_integer, parse_constant=_no_constant
).decode


_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _refuse_long_texts(json_text: bytes) -> None:
    if any(len(text[0]) > LONGEST_TEXT + 2 for text in _TEXT.finditer(json_text)):
        raise TooLarge(
            f"The request has a text of more than {LONGEST_TEXT} bytes outside prefetch. The order was not checked.",
            "Send draft orders without attachments.",
        )


def _lossless(raw: Raw) -> Any:
    """The value with every decimal as it was written and no member twice. What the fast decoder gives is taken only
    when it is written back byte for byte: then nothing was lost. White space and escapes take the careful way."""
    text = bytes(raw)
    if len(text) > LONGEST_TEXT:
        _refuse_long_texts(text)
    try:
        value = _decode_fast(text)
        if _encode(value) == text:
            return value
    except resources.UNREADABLE:
        pass
    try:
        return _decode_with_care(text.decode())
    except (ValueError, RecursionError, ArithmeticError):
        raise NotJson from None


# ----------------------------------------------------------------------------------------------- members of the request


def _text(members: Mapping[str, Any], name: str, at: str) -> str:
    value = members.get(name)
    if value is None:
        raise FieldMissing(at)
    if not isinstance(value, str) or not value:
        raise FieldInvalid(at, "a string that is not empty")
    return value


def _hook(request: Mapping[str, Any], hooks: Collection[Hook]) -> Hook:
    name = _text(request, "hook", "hook")
    for hook in hooks:
        if hook.value == name:
            return hook
    raise HookNotServed(at="hook")


_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""RFC 6750 allows fewer characters; these are what an HTTP header can hold."""


def _fhir_access(request: Mapping[str, Any]) -> tuple[str | None, Authorization | None]:
    server = None if request.get("fhirServer") is None else _text(request, "fhirServer", "fhirServer")
    authorization = request.get("fhirAuthorization")
    if authorization is None:
        return server, None
    if not isinstance(authorization, dict):
        raise FieldInvalid("fhirAuthorization", "an object")
    if server is None:
        raise FieldMissing("fhirServer", "Send fhirServer whenever fhirAuthorization is sent.")
    token = authorization.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return server, None
    token_type, patient = authorization.get("token_type"), authorization.get("patient")
    return server, Authorization(
        token,
        token_type if isinstance(token_type, str) else "",
        _seconds(authorization.get("expires_in")),
        patient.removeprefix("Patient/") if isinstance(patient, str) else "",
    )


def _seconds(value: Any) -> float | None:
    """A number, also when it was sent as a text."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


_NOT_IN_AN_ID = re.compile(r'[\s/?#%&\\<>"]|\.\.')


def _is_id(text: str) -> bool:
    """Opaque, but nothing that could change the meaning of a URL or of a log line."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable() and not _NOT_IN_AN_ID.search(text)


def _patient_id(context: Mapping[str, Any]) -> str:
    patient_id = _text(context, "patientId", "context.patientId").removeprefix("Patient/")
    if not _is_id(patient_id):
        raise FieldInvalid("context.patientId", "the id of one Patient")
    return patient_id


def _encounter_id(context: Mapping[str, Any]) -> str | None:
    encounter_id = context.get("encounterId")
    if encounter_id is None or encounter_id == "":
        return None
    if not isinstance(encounter_id, str):
        raise FieldInvalid("context.encounterId", "a string")
    encounter_id = encounter_id.removeprefix("Encounter/")
    return encounter_id if _is_id(encounter_id) else None


def _selections(context: Mapping[str, Any]) -> frozenset[str]:
    selections = context.get("selections")
    if selections is None:
        raise FieldMissing("context.selections")
    if not isinstance(selections, list) or not all(isinstance(selection, str) for selection in selections):
        raise FieldInvalid("context.selections", "an array of references such as MedicationRequest/123")
    if len(selections) > MOST_DRAFTS:
        raise _too_many("context.selections", MOST_DRAFTS, _ONE_SESSION)
    return frozenset(selections)


_NULL = Raw(b"null")


def _prefetch(raw: Raw | None) -> Mapping[str, Raw]:
    if raw is None or raw == _NULL:
        return {}
    if bytes(memoryview(raw)[:1]) != b"{":
        raise FieldInvalid("prefetch", "an object")
    return Prefetch(raw)


_ONE_SESSION = "Send the orders of one signing session."


def _too_many(at: str, most: int, cure: str) -> TooLarge:
    return TooLarge(f"{at} has more than {most} entries. No order was checked.", cure, at=at)


# --------------------------------------------------------------------------------------------------------- draft orders


def _drafts(context: Mapping[str, Any]) -> tuple[Draft, ...]:
    bundle = context.get("draftOrders")
    if bundle is None:
        raise FieldMissing(
            "context.draftOrders",
            "Send the unsigned orders. Some EHRs leave them out when the client registration lacks the scope for them: "
            'in Epic, add the "(Unsigned Order)" scopes to this client id.',
        )
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise FieldInvalid("context.draftOrders", "a FHIR Bundle")
    entries = bundle.get("entry")
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise FieldInvalid("context.draftOrders.entry", "an array")
    if len(entries) > MOST_DRAFTS:
        raise _too_many("context.draftOrders.entry", MOST_DRAFTS, _ONE_SESSION)
    drafts = (_draft(entry) for entry in entries if isinstance(entry, dict) and entry.get("resource") is not None)
    return tuple(draft for draft in drafts if draft is not None)


def _draft(entry: Mapping[str, Any]) -> Draft | None:
    resource, full_url = entry["resource"], entry.get("fullUrl")
    full_url = full_url if isinstance(full_url, str) else ""
    if not isinstance(resource, dict):
        return Draft(resources.Junk("", "", "not a FHIR resource"), {}, full_url)
    read = resources.read(_encode(resource))
    return None if read is None else Draft(read, resource, full_url)

"""What the conformance tests cannot see from outside: losslessness, and that the fast way reads as the careful one."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.facts import Hook
from cds_service import hooks
from cds_service.bundles import Prefetch
from cds_service.errors import Ambiguous, BadRequest
from cds_service.resources import Junk, MedicationRequest

REQUEST: dict[str, Any] = {
    "hook": "order-select",
    "hookInstance": "7f1c2f86-5d35-4b5c-9a3e-0f6a2a9c6b11",
    "fhirServer": "https://ehr.example/fhir",
    "fhirAuthorization": {"access_token": "secret-token", "token_type": "Bearer"},
    "context": {
        "userId": "Practitioner/u1",
        "patientId": "p1",
        "encounterId": "Encounter/e1",
        "selections": ["MedicationRequest/d1"],
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [{"fullUrl": "urn:uuid:1", "resource": {"resourceType": "MedicationRequest", "id": "d1"}}],
        },
    },
    "prefetch": {"patient": {"resourceType": "Patient", "id": "p1"}, "kidney": None},
}
COMPACT = {"separators": (",", ":")}


def parse(body: str | bytes) -> hooks.HookCall:
    return hooks.parse(body if isinstance(body, bytes) else body.encode(), list(Hook))


@pytest.mark.parametrize("style", [{}, COMPACT, {"indent": 2}])
def test_a_call(style: dict[str, Any]) -> None:
    call = parse(json.dumps(REQUEST, **style))
    assert call.hook is Hook.ORDER_SELECT
    assert (call.patient_id, call.user_id, call.encounter_id) == ("p1", "Practitioner/u1", "e1")
    assert call.selections == frozenset({"MedicationRequest/d1"})
    assert call.fhir_server == "https://ehr.example/fhir"
    assert call.authorization is not None
    (draft,) = call.drafts
    assert draft.full_url == "urn:uuid:1"
    assert isinstance(draft.resource, MedicationRequest)
    assert set(call.prefetch) == {"patient", "kidney"}
    assert json.loads(bytes(call.prefetch["patient"])) == REQUEST["prefetch"]["patient"]


def test_selections_belong_to_order_select_only() -> None:
    assert parse(json.dumps(REQUEST | {"hook": "order-sign"})).selections is None


def test_neither_token_nor_chart_shows_in_the_representation() -> None:
    shown = repr(parse(json.dumps(REQUEST)))
    assert "secret-token" not in shown
    assert "urn:uuid:1" not in shown


def test_an_empty_token_counts_as_none() -> None:
    assert parse(json.dumps(REQUEST | {"fhirAuthorization": {"access_token": ""}})).authorization is None


def draft_with(text: str) -> hooks.Draft:
    body = json.dumps(REQUEST, **COMPACT)  # type: ignore[arg-type]
    (draft,) = parse(body.replace('"id":"d1"', f'"id":"d1","x":{text}')).drafts
    return draft


@pytest.mark.parametrize(
    "number", ["1.20", "0.10", "7.000", "1.0000000000000001", "123456789012345678.123456789", "1E+2", "1e2"]
)
@pytest.mark.parametrize("space", ["", " "])
def test_decimals_of_a_draft_keep_their_digits(number: str, space: str) -> None:
    assert draft_with(f"[{space}{number}]").json["x"] == [Decimal(number)]
    assert str(draft_with(f"[{space}{number}]").json["x"][0]) == str(Decimal(number))


@pytest.mark.parametrize("number", ["0", "-1", "123456789012345678901234567890"])
def test_integers_stay_integers(number: str) -> None:
    (read,) = draft_with(f"[{number}]").json["x"]
    assert isinstance(read, int)
    assert read == int(number)


@pytest.mark.parametrize(
    "text", ['"caf\\u00e9"', '"café"', '"a\\/b"', '"\\ud83d\\ude00"', '"line\\nbreak"', "null", "[]", "{}"]
)
def test_strings_and_the_rest_mean_the_same_however_written(text: str) -> None:
    assert draft_with(text).json["x"] == json.loads(text)


def test_a_draft_that_is_malformed_is_junk_with_its_json() -> None:
    request = json.dumps(REQUEST, **COMPACT)  # type: ignore[arg-type]
    (draft,) = parse(request.replace('"id":"d1"', '"id":"d1","dispenseRequest":7')).drafts
    assert draft.resource == Junk("MedicationRequest", "d1", "$.dispenseRequest")
    assert draft.json["dispenseRequest"] == 7


def test_drafts_of_types_that_no_rule_reads_are_left_out() -> None:
    request = json.dumps(REQUEST).replace('"MedicationRequest", "id"', '"ServiceRequest", "id"')
    assert parse(request).drafts == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(-1e6, 1e6).map(abs) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from([{}, COMPACT, {"ensure_ascii": False}, COMPACT | {"ensure_ascii": False}]))
def test_unknown_members_never_change_what_is_read(value: Any, style: dict[str, Any]) -> None:
    noisy = {"x": value} | REQUEST | {"extension": value}
    body = json.dumps(noisy, **style).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    assert parse(body).patient_id == "p1"


@given(st.integers(0, 5), st.sampled_from([{}, COMPACT]))
def test_a_doubled_member_is_found_wherever_it_stands(which: int, style: dict[str, Any]) -> None:
    name = list(REQUEST)[which]
    member = json.dumps({name: REQUEST[name]}, **style)[1:-1]
    body = json.dumps(REQUEST, **style)
    with pytest.raises(Ambiguous):
        parse(body[:-1] + "," + member + "}")


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_and_never_fail_otherwise(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(body)


@given(st.data())
def test_a_damaged_request_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(json.dumps(REQUEST).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadRequest):
        assert parse(bytes(body)).hook in Hook


# ------------------------------------------------------------------------------------------- prefetch, read in one pass

CHART = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition", "id": "c1"}}]}
TRAPS: tuple[Any, ...] = (
    '","prefetch":{', '}},"hook":"x"', {"prefetch": {"patient": None}}, '\\"prefetch":{"a":1}', "}"
)  # fmt: skip


def at_once(call: hooks.HookCall) -> bool:
    return isinstance(call.prefetch, Prefetch) and call.prefetch.read is not None


def meant(call: hooks.HookCall) -> Any:
    return call.patient_id, {key: json.loads(bytes(raw)) for key, raw in call.prefetch.items()}, at_once(call)


@given(
    st.permutations(list(REQUEST)),
    st.sampled_from(TRAPS),
    st.sampled_from([{"patient": None}, {"conditions": CHART}, {"patient": TRAPS[2], "x": TRAPS[0]}, {}]),
    st.sampled_from([{}, COMPACT, {"indent": 1}]),
    st.sampled_from(["", "\n", " \t\r\n "]),
)
def test_it_does_not_matter_where_prefetch_stands(
    order: list[str], trap: Any, prefetch: Any, style: dict[str, Any], end: str
) -> None:
    whole = REQUEST | {"prefetch": prefetch, "extension": {"trap": trap}}
    usual = json.dumps(whole)
    moved = json.dumps({name: whole[name] for name in [*order[:2], "extension", *order[2:]]}, **style) + end
    assert meant(parse(moved)) == meant(parse(usual))
    assert meant(parse(usual))[1] == prefetch


@pytest.mark.parametrize("style", [{}, COMPACT])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("value", [CHART, None, {"resourceType": "Unknown"}])
def test_a_doubled_key_of_prefetch_is_found(value: Any, style: dict[str, Any], *, first: bool) -> None:
    doubled = json.dumps({"a": CHART, "b": value}, **style).replace('"b"', '"a"')
    whole = REQUEST | {"prefetch": "HERE"}
    body = json.dumps({"prefetch": "HERE", **whole} if first else whole, **style)
    with pytest.raises(Ambiguous):
        parse(body.replace('"HERE"', doubled))


def test_a_chart_that_we_know_is_read_with_the_request() -> None:
    assert at_once(parse(json.dumps(REQUEST | {"prefetch": {"conditions": CHART}})))
    assert not at_once(parse(json.dumps(REQUEST | {"prefetch": {"conditions": {"resourceType": "Unknown"}}})))


@pytest.mark.parametrize("tail", ["", "}", "]}", ',"hook":"order-sign"}', "} }", "}x"])
def test_what_does_not_end_as_an_object_is_no_request(tail: str) -> None:
    body = json.dumps(REQUEST, **COMPACT)  # type: ignore[arg-type]
    assert body.endswith("}}")
    if tail != "}":
        with pytest.raises(BadRequest):
            parse(body[:-1] + tail)

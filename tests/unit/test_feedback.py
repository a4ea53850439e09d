"""Feedback as EHRs send it (checklist 2.10, B2 to B4, B6; row 85 of the faults)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.errors import BadRequest, TooLarge
from cds_service.feedback import LONGEST_COMMENT, MOST_ENTRIES, Entry, Outcome, Reason, read_feedback

OURS = "https://baclofen-cds.example/fhir/CodeSystem/override-reason"
REASON = {"reason": {"code": "will-monitor", "system": OURS}}
SENT = {"card": "u1", "outcome": "overridden"}


def body(*entries: Any) -> bytes:
    return json.dumps({"feedback": entries}).encode()


def read(**members: Any) -> Entry:
    (entry,) = read_feedback(body({**SENT, **members})).entries
    return entry


def test_B2_accepted() -> None:
    sent = {
        "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "1c5b8a2e-6a4b-4a5e-9b8e-6a5f4c3b2a19"}],
        "outcomeTimestamp": "2020-12-11T00:00:00Z",
    }
    assert read_feedback(body(sent)).entries == (
        Entry(
            "9368d37b-283f-44a0-93ea-547cebab93ed",
            Outcome.ACCEPTED,
            accepted=("1c5b8a2e-6a4b-4a5e-9b8e-6a5f4c3b2a19",),
            at=datetime(2020, 12, 11, tzinfo=UTC),
        ),
    )


def test_B2_overridden_bare() -> None:
    assert read() == Entry("u1", Outcome.OVERRIDDEN)


def test_B2_overridden_with_reason_and_comment() -> None:
    entry = read(overrideReason={**REASON, "userComment": "not now"})
    assert (entry.with_reason, entry.reason, entry.comment) == (True, Reason(OURS, "will-monitor"), "not now")


def test_B2_comment_only_is_no_reason() -> None:
    entry = read(overrideReason={"userComment": "not now"})
    assert (entry.with_reason, entry.reason, entry.comment) == (False, None, "not now")


# ------------------------------------------------------------------------------------------------------- B4: vendors


def test_B4_epic_with_a_mapped_reason() -> None:
    """As in Epic's public tutorial: plural, a card that is no UUID, a system with a blank in it."""
    entry = read(
        card="123456",
        outcomeTimestamp="2022-05-19T19:44:04Z",
        overrideReasons={
            "reason": {"code": "contraindicated", "display": "bad", "system": "http: //example.org/reasons"},
            "userComment": "User Entered Free Text",
        },
    )
    assert entry == Entry(
        "123456",
        Outcome.OVERRIDDEN,
        with_reason=True,
        reason=Reason("http: //example.org/reasons", "contraindicated"),
        at=datetime(2022, 5, 19, 19, 44, 4, tzinfo=UTC),
        comment="User Entered Free Text",
    )


def test_B4_epic_with_a_reason_of_its_own() -> None:
    epic = "com.epic.cdshooks.feedback.overrideReason"
    own = {f"{epic}.reasonCategory": "45", f"{epic}.reasonDisplay": "Does not meet criteria"}
    entry = read(overrideReasons={"extension": own, "userComment": "User Entered Free Text"})
    assert (entry.with_reason, entry.reason) == (True, Reason(epic, "45"))


def test_B4_sandbox_may_leave_out_the_system() -> None:
    assert read(overrideReason={"reason": {"code": "patient-refused"}}).reason == Reason("", "patient-refused")


@pytest.mark.parametrize(
    ("sent", "with_reason"),
    [
        ({"overrideReason": REASON}, True),
        ({"overrideReasons": [REASON]}, True),
        ({"overrideReasons": [{"userComment": "x"}, REASON]}, True),
        ({"overrideReasons": {"extension": [{"url": "x", "valueString": "y"}]}}, True),
        ({"overrideReason": {"reason": "free text"}}, True),
        ({"overrideReason": {"reason": None}}, False),
        ({"overrideReason": {"reason": {}}}, False),
        ({"overrideReason": "not an object"}, False),
        ({}, False),
    ],
)
def test_reasons_as_ehrs_write_them(sent: dict[str, Any], *, with_reason: bool) -> None:
    assert read(**sent).with_reason is with_reason


def test_the_first_reason_that_is_a_code_counts() -> None:
    assert read(overrideReasons=[{"reason": "words"}, REASON]).reason == Reason(OURS, "will-monitor")


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ("2026-11-24T10:00:00Z", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T10:00:00+02:00", datetime(2026, 11, 24, 8, tzinfo=UTC)),
        ("2026-11-24T10:00:00.5Z", datetime(2026, 11, 24, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-24T10:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1764000000, None),
        (None, None),
    ],
)
def test_B4_times(sent: Any, at: datetime | None) -> None:
    assert read(outcomeTimestamp=sent).at == at


@pytest.mark.parametrize(
    ("sent", "ids"),
    [([{"id": "a"}, {"id": "b"}], ("a", "b")), (["a"], ("a",)), ([], ()), ([{"id": None}], ()), ("a", ()), (None, ())],
)
def test_accepted_without_or_with_odd_suggestions(sent: Any, ids: tuple[str, ...]) -> None:
    assert read(outcome="accepted", acceptedSuggestions=sent).accepted == ids


def test_a_long_comment_is_cut() -> None:
    assert len(read(overrideReason={"userComment": "x" * 9999}).comment) == LONGEST_COMMENT


# -------------------------------------------------------------------------------------------------------- B6: bad ones


def test_B6_a_bad_entry_does_not_cost_the_others() -> None:
    bad = [{"card": 7.5, "outcome": "accepted"}, {"outcome": "overridden"}, {"card": "c", "outcome": "ignored"},
           {"card": "", "outcome": "accepted"}, None, "text", [], 5]  # fmt: skip
    found = read_feedback(body({"card": "a", "outcome": "accepted"}, *bad, {"card": "b", "outcome": "overridden"}))
    assert found.entries == (Entry("a", Outcome.ACCEPTED), Entry("b", Outcome.OVERRIDDEN))
    assert found.unreadable == len(bad)


@pytest.mark.parametrize("sent", [b"", b"[]", b"{", b"{}", b'{"feedback": {}}', b'{"feedback": null}', b'"x"', b"\xff"])
def test_B6_a_body_without_a_list_of_feedback_is_refused(sent: bytes) -> None:
    with pytest.raises(BadRequest):
        read_feedback(sent)


def test_row_85_many_at_once() -> None:
    entries = [{"card": str(number), "outcome": "accepted"} for number in range(MOST_ENTRIES)]
    assert len(read_feedback(body(*entries)).entries) == MOST_ENTRIES
    with pytest.raises(TooLarge):
        read_feedback(body(*entries, entries[0]))


def test_a_comment_is_in_no_representation() -> None:
    assert "canary" not in repr(read(overrideReason={"userComment": "canary"}))

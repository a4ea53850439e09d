"""``baclofen-cds export`` and ``purge``: valid FHIR R4, with nothing in it that was not written down."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from fhir.resources.R4B import get_fhir_model_class

from cds_service.__main__ import main
from tests.conformance.calls import SERVICE, TODAY, Json, cards, order_sign, post, severe
from tests.conformance.recorded import Recorded
from tests.conformance.scenarios import SCENARIOS

FEEDBACK = f"{SERVICE}/feedback"


@pytest.fixture
def service(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service has them."""
    monkeypatch.setenv("BACLOFEN_CDS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("BACLOFEN_CDS_MODE", "sandbox")


def exported(tmp_path: Path, form: str, *options: str) -> list[Json]:
    out = tmp_path / "out.ndjson"
    assert main(["export", "--format", form, "--out", str(out), *options]) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def valid(resource: Json) -> Any:
    return get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def busy(service: Recorded) -> None:
    """Every kind of card, errors, feedback."""
    for request in SCENARIOS.values():
        shown = cards(service, request)
        entries: list[Json] = [{"card": card["uuid"], "outcome": "overridden"} for card in shown]
        for card in shown[:1]:
            accepted = [{"id": one["uuid"]} for one in card.get("suggestions", [])]
            entries.append({"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": accepted})
            reason = {"reason": {"code": "will-monitor", "system": "https://reasons.example"}}
            entries.append({"card": card["uuid"], "outcome": "overridden", "overrideReason": reason})
        assert post(service, {"feedback": entries}, FEEDBACK).status_code == 200
    assert post(service, order_sign(prefetch={})).status_code == 412


@pytest.mark.parametrize("form", ["audit-event", "guidance-response"])
def test_everything_is_valid_r4(service: Recorded, tmp_path: Path, form: str) -> None:
    busy(service)
    resources = exported(tmp_path, form)
    assert {one["id"] for one in resources} == {row["id"] for row in service.rows("hook_call")}
    for resource in resources:
        valid(resource)
        for contained in resource.get("contained", []):
            valid(contained)
    for text in ("Patient/p1", "Practitioner/u1", '"p1"', '"u1"'):
        assert text not in json.dumps(resources)


def test_an_audit_event_says_who_asked_about_whom_and_what_was_answered(service: Recorded, tmp_path: Path) -> None:
    answer = post(service, severe())
    (card,) = answer.json()["cards"]
    post(service, {"feedback": [{"card": card["uuid"], "outcome": "accepted"}]}, FEEDBACK)
    (event,) = exported(tmp_path, "audit-event")
    (row,) = service.rows("hook_call")
    assert (event["action"], event["outcome"], event["recorded"]) == ("E", "0", f"{TODAY}T12:00:00+00:00")
    user, client = event["agent"]
    assert (user["requestor"], user["who"]["identifier"]["value"]) == (True, row["user_hash"])
    assert row["hash_key_id"] in user["who"]["identifier"]["system"]
    assert (client["requestor"], client["who"]["display"]) == (False, "anybody")
    patient, call, its = event["entity"]
    assert patient["what"]["identifier"]["value"] == row["patient_hash"]
    assert patient["role"]["code"] == "1"
    said = [(one["type"], one["valueString"]) for one in call["detail"]]
    assert ("content version", row["content_version"]) in said
    assert ("request", answer.headers["x-request-id"]) in said
    assert ("fact used", "kidney_results/egfr of 2026-11-10") in said
    assert ("fired", "renal-avoid-severe: critical") in said
    assert its["what"]["identifier"]["value"] == f"urn:uuid:{card['uuid']}"
    about = [(one["type"], one["valueString"]) for one in its["detail"]]
    assert about[:2] == [("indicator", "critical"), ("shown", "yes")]
    assert ("suggestion", "withdraw-order Remove this baclofen order") in about
    assert ("feedback", "accepted") in about


def test_without_a_user_the_client_is_the_requestor(service: Recorded, tmp_path: Path) -> None:
    request = severe()
    del request["context"]["userId"]
    post(service, request)
    (event,) = exported(tmp_path, "audit-event")
    (agent,) = event["agent"]
    assert agent["requestor"] is True


def test_a_guidance_response_holds_cards_what_came_of_them_and_what_was_missing(
    service: Recorded, tmp_path: Path
) -> None:
    request = severe()
    del request["prefetch"]["medications"]
    shown = post(service, request).json()["cards"]
    reason = {"reason": {"code": "will-monitor", "system": "https://reasons.example"}}
    entry = {"card": shown[0]["uuid"], "outcome": "overridden", "overrideReason": reason}
    post(service, {"feedback": [entry]}, FEEDBACK)
    (response,) = exported(tmp_path, "guidance-response")
    assert response["status"] == "data-requested"
    assert response["requestIdentifier"]["value"] == f"urn:uuid:{severe()['hookInstance']}"
    version = service.get("/healthz").json()["contentVersion"]
    assert response["moduleCanonical"] == f"https://baclofen-cds.example/fhir/Library/baclofen-cds|{version}"
    assert response["dataRequirement"] == [{"id": "medications", "type": "MedicationRequest"}]
    (parameters,) = response["contained"]
    assert response["outputParameters"] == {"reference": "#cards"}
    by_uuid = {}
    for parameter in parameters["parameter"]:
        parts = {part["name"]: part for part in parameter["part"]}
        by_uuid[parts["uuid"]["valueUri"].removeprefix("urn:uuid:")] = parts
    assert by_uuid.keys() == {card["uuid"] for card in shown}
    parts = by_uuid[shown[0]["uuid"]]
    assert parts["rule"]["valueCoding"]["code"] == shown[0]["source"]["topic"]["code"]
    assert parts["shown"]["valueBoolean"] is True
    told = {part["name"]: part for part in parts["feedback"]["part"]}
    assert told["outcome"]["valueCode"] == "overridden"
    assert told["reason"]["valueCoding"] == {"system": "https://reasons.example", "code": "will-monitor"}


@pytest.mark.parametrize(("request_", "status"), [(order_sign(prefetch={}), "data-required"), (severe(), "success")])
def test_status_of_a_guidance_response(service: Recorded, tmp_path: Path, request_: Json, status: str) -> None:
    post(service, request_)
    (response,) = exported(tmp_path, "guidance-response")
    assert response["status"] == status
    assert ("evaluationMessage" in response) is (status == "data-required")


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ((), 1),
        (("--since", TODAY), 1),
        (("--since", f"{TODAY}T12:00:00Z"), 1),
        (("--since", f"{TODAY}T12:00:00.000001Z"), 0),
        (("--since", f"{TODAY}T14:00:00+02:00"), 1),
        (("--until", f"{TODAY}T12:00:00Z"), 0),
        (("--until", f"{TODAY}T12:00:00.000001Z"), 1),
        (("--until", TODAY), 0),
    ],
)
def test_from_then_on(service: Recorded, tmp_path: Path, options: tuple[str, ...], calls: int) -> None:
    post(service, severe())
    assert len(exported(tmp_path, "audit-event", *options)) == calls


def test_more_calls_than_are_held_at_once(service: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many of the same moment, too."""
    monkeypatch.setattr("cds_service.audit.kept.AT_ONCE", 2)
    for _ in range(5):
        post(service, severe())
    ids = [one["id"] for one in exported(tmp_path, "audit-event")]
    assert sorted(ids) == sorted(row["id"] for row in service.rows("hook_call"))


def test_to_standard_output(service: Recorded, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    post(service, severe())
    capfdbinary.readouterr()
    assert main(["export", "--format", "audit-event"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["resourceType"] == "AuditEvent"


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "24.11.2026"])
def test_a_wrong_date_and_the_cure(service: Recorded, since: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "audit-event", "--since", since]) == 2
    assert "--since: is no date; write YYYY-MM-DD" in capsys.readouterr().err


def test_no_database_and_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BACLOFEN_CDS_STATE_DIR", str(tmp_path / "elsewhere"))
    for command in (["export", "--format", "audit-event"], ["purge"]):
        assert main(command) == 2
        assert "database: there is no" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ comments


def test_comments_for_those_who_have_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Fernet.generate_key().decode()
    service = Recorded(tmp_path, feedback_comments=True, comment_key=secret)
    (card,) = cards(service, severe())
    reason = {"reason": {"code": "will-monitor"}, "userComment": "spoke to nephrology"}
    entries: list[Json] = [
        {"card": card["uuid"], "outcome": "overridden", "overrideReason": reason},
        {"card": str(uuid4()), "outcome": "overridden", "overrideReason": {"userComment": "unknown card"}},
        {"card": str(uuid4()), "outcome": "accepted"},
    ]
    post(service, {"feedback": entries}, FEEDBACK)
    monkeypatch.setenv("BACLOFEN_CDS_COMMENT_KEY", secret)
    first, second = sorted(exported(tmp_path, "comments"), key=lambda one: str(one["comment"]))
    assert (first["comment"], first["rule"], first["reason"]) == (
        "spoke to nephrology", "renal-avoid-severe", "will-monitor",
    )  # fmt: skip
    assert (second["comment"], second["rule"]) == ("unknown card", None)
    monkeypatch.setenv("BACLOFEN_CDS_COMMENT_KEY", Fernet.generate_key().decode())
    assert {one["comment"] for one in exported(tmp_path, "comments")} == {None}


def test_without_the_key_the_cure(service: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", "comments"]) == 2
    assert "comment_key (BACLOFEN_CDS_COMMENT_KEY)" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------------- purge


@pytest.mark.parametrize(("today", "gone"), [(date(2019, 1, 1), 1), (datetime.now(UTC).date(), 0)])
def test_purge_says_what_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str], today: date, gone: int) -> None:
    service = Recorded(tmp_path, today=today)
    card, *others = cards(service, severe())
    post(service, {"feedback": [{"card": card["uuid"], "outcome": "accepted"}]}, FEEDBACK)
    capsys.readouterr()
    assert main(["purge", "--days", "365"]) == 0
    said = capsys.readouterr().out
    assert f"older than 365 days: {gone} of feedback, {gone} of hook_call, {gone * (1 + len(others))} of card" in said
    assert len(service.rows("hook_call")) == 1 - gone

"""The signings of one patient: which orders, on which day, with which chart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.gather.codes import Codes
from cds_service.replay.chart import Line, read_line
from cds_service.replay.signings import NotDated, Signing, signings
from cds_service.replay.whose import Baclofen, UnreadError, id_of_patient, patient_of

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
EVERYTHING = frozenset({"Patient", "MedicationRequest", "Observation", "Condition", "Procedure", "AllergyIntolerance"})


@pytest.fixture(scope="module")
def baclofen() -> Baclofen:
    return Baclofen(Codes.load(snomed=True, dmd=True), frozenset({"ours"}))


def order(identity: str, authored: str | None, code: str = "197391", **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": identity,
        "status": "completed",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        **({"authoredOn": authored} if authored else {}),
        **elements,
    }


LISINOPRIL = "314076"


def replayed(baclofen: Baclofen, *resources: dict[str, Any], exported: frozenset[str] = EVERYTHING) -> list[Any]:
    lines = [read_line(one["resourceType"], json.dumps(one).encode()) for one in resources]
    found = signings("p", lines, baclofen, exported)
    return [json.loads(one.body) if isinstance(one, Signing) else one for one in found]


def drafted(call: Any) -> list[str]:
    return [entry["resource"]["id"] for entry in call["context"]["draftOrders"]["entry"]]


def on_chart(call: Any, key: str = "medications") -> list[str]:
    return [entry["resource"]["id"] for entry in call["prefetch"][key]["entry"]]


def test_each_order_is_signed_on_its_day_with_the_earlier_ones_on_the_chart(baclofen: Baclofen) -> None:
    calls = replayed(
        baclofen, order("b2", "2024-03-01"), order("b1", "2024-01-01"), order("l", "2024-02-01", LISINOPRIL)
    )
    assert [(drafted(call), sorted(on_chart(call))) for call in calls] == [(["b1"], []), (["b2"], ["b1", "l"])]
    assert all(call["context"]["draftOrders"]["entry"][0]["resource"]["status"] == "draft" for call in calls)


def test_orders_of_one_moment_are_signed_together(baclofen: Baclofen) -> None:
    at = "2024-03-01T10:00:00Z"
    (call,) = replayed(baclofen, order("b1", at), order("b2", at), order("l", at, LISINOPRIL))
    assert drafted(call) == ["b1", "b2", "l"]
    assert on_chart(call) == []


def test_of_a_day_alone_nobody_knows_that_another_order_was_signed_with_it(baclofen: Baclofen) -> None:
    (call,) = replayed(baclofen, order("b", "2024-03-01"), order("l", "2024-03-01", LISINOPRIL))
    assert (drafted(call), on_chart(call)) == (["b"], ["l"])


@pytest.mark.parametrize(
    "elements",
    [{"status": "draft"}, {"status": "entered-in-error"}, {"intent": "proposal"}, {"intent": "instance-order"}],
)
def test_what_was_never_signed_is_not_replayed(baclofen: Baclofen, elements: dict[str, str]) -> None:
    assert replayed(baclofen, order("b", "2024-03-01", **elements)) == []


@pytest.mark.parametrize("authored", [None, "2024", "2024-03", "yesterday"])
def test_an_order_that_tells_no_day_is_counted(baclofen: Baclofen, authored: str | None) -> None:
    assert replayed(baclofen, order("b", authored)) == [NotDated()]


def test_a_type_that_was_not_exported_is_not_sent_and_one_without_resources_is_empty(baclofen: Baclofen) -> None:
    (call,) = replayed(baclofen, order("b", "2024-03-01"), exported=frozenset({"MedicationRequest", "Condition"}))
    assert call["prefetch"] == {
        "medications": {"resourceType": "Bundle", "type": "searchset", "entry": []},
        "conditions": {"resourceType": "Bundle", "type": "searchset", "entry": []},
    }


def test_a_malformed_order_stays_on_the_chart_where_the_reader_says_so(baclofen: Baclofen) -> None:
    (call,) = replayed(baclofen, order("b", "2024-03-01"), order("odd", "2024-02-01", dispenseRequest="thirty"))
    assert on_chart(call) == ["odd"]


def test_the_same_signing_has_the_same_id_each_time(baclofen: Baclofen) -> None:
    first, second = (replayed(baclofen, order("b", "2024-03-01"))[0] for _ in range(2))
    assert first["hookInstance"] == second["hookInstance"]


# ------------------------------------------------------------------------------------------- whose line, which medicine


@pytest.mark.parametrize(
    ("medicine", "patient"),
    [
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "197391"}]}}, "p"),
        ({"medicationCodeableConcept": {"text": "Lioresal 10 mg tablet"}}, "p"),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": LISINOPRIL}]}}, None),
        ({"medicationReference": {"reference": "Medication/ours"}}, "p"),
        ({"medicationReference": {"reference": "Medication/other"}}, None),
        ({"medicationReference": {"reference": "Medication/other", "display": "Baclofen 10 MG"}}, "p"),
        (
            {
                "medicationReference": {"reference": "#m"},
                "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "baclofen 10 mg tablet"}}],
            },
            "p",
        ),
        ({"medication": {"concept": {"text": "baclofen 10 mg tablet"}}}, "p"),
        ({}, None),
    ],
)
def test_baclofen_is_found_wherever_the_order_names_it(
    baclofen: Baclofen, medicine: dict[str, Any], patient: str | None
) -> None:
    resource = {"resourceType": "MedicationRequest", "subject": {"reference": "Patient/p"}, **medicine}
    assert baclofen.patient_on_it(json.dumps(resource).encode()) == patient


@pytest.mark.parametrize(
    ("line", "patient"),
    [
        ({"subject": {"reference": "Patient/p"}}, "p"),
        ({"patient": {"reference": "Patient/p/_history/2"}}, "p"),
        ({"subject": {"reference": "https://ehr.example/fhir/Patient/p"}}, "p"),
        ({"subject": {"reference": "urn:uuid:0d3c"}}, "0d3c"),
    ],
)
def test_the_patient_of_a_line(line: dict[str, Any], patient: str) -> None:
    assert patient_of(json.dumps(line).encode()) == patient


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"subject":{"reference":"Group/g"}}', b"{}", b'{"subject":7}', b"\xff"]
)
def test_a_line_that_names_nobody_tells_why_and_quotes_nothing(line: bytes) -> None:
    with pytest.raises(UnreadError, match=r"^(is not JSON, or its subject is malformed|names no patient)$"):
        patient_of(line)


def test_the_id_of_a_patient() -> None:
    assert id_of_patient(b'{"resourceType":"Patient","id":"p"}') == "p"
    with pytest.raises(UnreadError, match="has no id"):
        id_of_patient(b'{"resourceType":"Patient"}')


def test_lines_of_the_chart_know_the_products_that_they_refer_to() -> None:
    raw = b'{"medicationReference":{"reference":"Medication/m1"}}'
    assert list(read_line("MedicationRequest", raw).products()) == ["m1"]
    assert isinstance(read_line("MedicationRequest", raw), Line)

"""Checklist section 5, rows 22 to 45: what a request means. The dose arithmetic of rows 38 to 40 has its own unit
tests; here is what a prescriber sees of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    RXNORM,
    UCUM,
    Client,
    Json,
    active,
    assert_refused,
    cards,
    chart,
    concept,
    dosage,
    egfr,
    has_kidney_card,
    order,
    order_select,
    order_sign,
    outcome,
    post,
    quantity,
    search,
    severe,
    text_of,
    topics,
    with_value,
    without,
)

CANARY = "canary-7f3a"
NDC, SNOMED = "http://hl7.org/fhir/sid/ndc", "http://snomed.info/sct"


@pytest.mark.parametrize("path", ["hook", "hookInstance", "context"])
def test_row_22_missing_members_are_named_and_nothing_is_echoed(client: Client, path: str) -> None:
    request = order_sign(userId=CANARY)
    issue = assert_refused(post(client, without(request, path)), 400, canary=CANARY)
    assert path in issue["details"]["text"]


def test_row_23_wrong_hook_for_this_id(client: Client) -> None:
    assert_refused(post(client, order_sign() | {"hook": CANARY}), 400, canary=CANARY)


def test_row_24_hook_instance_that_is_no_uuid_is_logged(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert post(client, order_sign() | {"hookInstance": f"{CANARY}-not-a-uuid"}).status_code == 200
    logged = capsys.readouterr().err
    assert '"hook_instance_is_uuid":false' in logged
    assert CANARY not in logged, "what is no UUID may be anything, a name for instance"


@pytest.mark.parametrize("authorization", [{"access_token": CANARY}, {"access_token": ""}, {}])
def test_row_25_authorization_without_a_server(client: Client, authorization: Json) -> None:
    assert_refused(post(client, order_sign() | {"fhirAuthorization": authorization}), 400, canary=CANARY)


@pytest.mark.parametrize("identity", [..., None, "", "p1/../x", "p1?_x", "x" * 300, 5, f"{CANARY}/x"])
def test_row_26_patient_id(client: Client, identity: Any) -> None:
    assert_refused(post(client, order_sign(patientId=identity)), 400, canary=CANARY)


def test_row_26_the_type_in_front_is_unwrapped(client: Client) -> None:
    request = severe()
    request["context"]["patientId"] = "Patient/p1"
    assert has_kidney_card(cards(client, request))


@pytest.mark.parametrize("user", [..., 5, "u1", "Device/d1", None])
def test_row_27_user_id_is_read_leniently(client: Client, user: Any) -> None:
    assert post(client, order_sign(userId=user)).status_code == 200


@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_row_28_draft_orders_missing(client: Client, hook: str) -> None:
    request = order_sign(draftOrders=..., selections=[]) | {"hook": hook}
    issue = assert_refused(post(client, request), 400)
    assert issue["expression"] == ["context.draftOrders"]


@pytest.mark.parametrize("value", [[order()], order(), "text", 7, True])
def test_row_29_draft_orders_that_are_no_bundle(client: Client, value: Any) -> None:
    assert_refused(post(client, order_sign(draftOrders=value)), 400)


@pytest.mark.parametrize(
    "bundle",
    [
        {"resourceType": "Bundle", "entry": None},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        {"resourceType": "Bundle", "type": "searchset", "entry": [None, {}, {"resource": None}, 5, "text"]},
    ],
)
def test_row_30_empty_entries_are_skipped(client: Client, bundle: Json) -> None:
    assert cards(client, order_sign(draftOrders=bundle)) == []


def test_row_30_and_the_others_are_read(client: Client) -> None:
    request = severe()
    request["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": [None, {}, {"resource": order()}]}
    assert has_kidney_card(cards(client, request))


def test_row_31_an_order_without_a_medication_is_ignored(client: Client) -> None:
    assert cards(client, severe(order(medicationCodeableConcept=None))) == []


@pytest.mark.parametrize("text", ["Baclofen 10mg", "BACLOFEN 10 MG PO TABS", "baclofen (LIORESAL) 10 mg tablet"])
def test_row_32_text_alone_is_recognised_and_that_is_said(client: Client, text: str) -> None:
    shown = cards(client, severe(order(medicationCodeableConcept={"text": text})))
    assert has_kidney_card(shown)
    assert "text" in text_of(shown)


@pytest.mark.parametrize(
    "drug",
    [
        concept("197391", "Baclofen 10 MG Oral Tablet"),
        concept("197391", "Baclofen 10 MG Oral Tablet", "urn:oid:2.16.840.1.113883.6.88"),
        concept("1292", "baclofen"),
        concept("00172409660", "Baclofen 10 mg tablet", NDC),
        concept("0172-4096-60", "Baclofen 10 mg tablet", NDC),
        concept("0172-4096-60", "Baclofen 10 mg tablet", "urn:oid:2.16.840.1.113883.6.69"),
        concept("387342009", "Baclofen", SNOMED),
        concept("M03BX01", "baclofen", "http://www.whocc.no/atc"),
        concept("LOCAL-17", "Lioresal 10 mg tablet", "urn:ehr:local"),
        concept("LOCAL-18", "OZOBAX 5 mg/5 mL oral solution", "urn:ehr:local"),
        concept("LOCAL-19", "Lyvispah 10 mg granules", "urn:ehr:local"),
    ],
    ids=lambda drug: f"{drug['coding'][0]['system'][-12:]} {drug['coding'][0]['code']}",
)
def test_row_33_every_coding_and_brand_is_recognised(client: Client, drug: Json) -> None:
    assert has_kidney_card(cards(client, severe(order(drug=drug))))


def test_row_33_intrathecal_brand_is_not_read_as_tablets(client: Client) -> None:
    drug = concept("LOCAL-20", "Gablofen 500 mcg/mL intrathecal solution", "urn:ehr:local")
    shown = cards(client, severe(order(drug=drug, dosageInstruction=[{"text": "pump"}])))
    assert "startDoseTooHigh" not in topics(shown)


def referring(reference: str, **changes: Any) -> Json:
    return order(medicationCodeableConcept=None, medicationReference={"reference": reference}, **changes)


MEDICATION = {"resourceType": "Medication", "id": "m1", "code": BACLOFEN_10}


def test_row_34_contained_medication(client: Client) -> None:
    assert has_kidney_card(cards(client, severe(referring("#m1", contained=[MEDICATION]))))


@pytest.mark.parametrize(
    ("reference", "full_url"),
    [
        ("Medication/m1", None),
        ("Medication/m1/_history/2", None),
        ("https://ehr.example/fhir/Medication/m1", "https://ehr.example/fhir/Medication/m1"),
        ("urn:uuid:0f6a2a9c-6b11-4b5c-9a3e-7f1c2f865d35", "urn:uuid:0f6a2a9c-6b11-4b5c-9a3e-7f1c2f865d35"),
    ],
)
def test_row_35_medication_as_an_entry_of_the_bundle(client: Client, reference: str, full_url: str | None) -> None:
    request = severe(referring(reference))
    entry: Json = {"resource": MEDICATION} | ({"fullUrl": full_url} if full_url else {})
    request["context"]["draftOrders"]["entry"].append(entry)
    assert has_kidney_card(cards(client, request))


def test_row_35_medication_in_prefetch(client: Client) -> None:
    request = order_sign(
        referring("Medication/m1"), prefetch=chart(kidney=search(egfr(20)), medications=search(MEDICATION))
    )
    assert has_kidney_card(cards(client, request))


def test_row_36_medication_only_on_the_server_is_known_by_its_display_text(client: Client) -> None:
    draft = order(
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/eAfg", "display": "BACLOFEN 10 MG PO TABS"},
    )
    shown = cards(client, severe(draft))
    assert has_kidney_card(shown)
    assert "text" in text_of(shown)


@pytest.mark.parametrize(
    "draft",
    [
        referring("https://other.example/fhir/Medication/m9"),
        referring("Medication/nowhere"),
        referring("#nowhere", contained=[]),
        referring("#m1", contained=[{"resourceType": "Medication", "id": "m1",
                                     "ingredient": [{"itemReference": {"reference": "#m1"}}]}]),
        referring("#a", contained=[
            {"resourceType": "Medication", "id": "a", "ingredient": [{"itemReference": {"reference": "#b"}}]},
            {"resourceType": "Medication", "id": "b", "ingredient": [{"itemReference": {"reference": "#a"}}]},
        ]),
    ],
)  # fmt: skip
def test_row_37_references_that_lead_nowhere(client: Client, draft: Json) -> None:
    """Never fetched, never a loop; the order beside it is still judged. It may be baclofen, so alone it is said."""
    assert has_kidney_card(cards(client, severe() | {"context": order_sign(draft, order("d2"))["context"]}))
    (card,) = cards(client, severe(draft))
    assert topics([card]) == ["dataUnavailable"]
    assert "The medicine of an order could not be read" in card["summary"]


def test_row_37_a_reference_with_a_word_beside_it_is_named(client: Client) -> None:
    reference = {"reference": "Medication/nowhere", "display": "Baclofen 10 mg"}
    draft = order(medicationCodeableConcept=None, medicationReference=reference)
    assert has_kidney_card(cards(client, severe(draft)))
    reference["display"] = "Something else"
    assert cards(client, severe(draft)) == []


def test_row_38_topical_baclofen_is_not_judged_as_oral(client: Client) -> None:
    drug = {"text": "Baclofen 2% topical cream"}
    route = concept("6064005", "Topical route", SNOMED)
    draft = order(drug=drug, dosageInstruction=[{"text": "apply thinly", "route": route}])
    assert not has_kidney_card(cards(client, severe(draft)))


def test_row_38_both_forms_of_medication_given(client: Client) -> None:
    draft = order(medicationReference={"reference": "Medication/m9", "display": "Baclofen 10 MG Oral Tablet"})
    assert has_kidney_card(cards(client, severe(draft)))


def instruction(unit: str, value: float, *, repeat: Json | None = None, **more: Any) -> list[Json]:
    return [
        {
            "timing": {"repeat": repeat or {"frequency": 3, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}],
        }
        | more
    ]


@pytest.mark.parametrize(
    ("instructions", "daily"),
    [
        (instruction("{pill}", 2), "60"),
        (instruction("tablet", 1), "30"),
        (instruction("mg", 10, repeat={"frequency": 1, "period": 8, "periodUnit": "h"}), "30"),
        (instruction("mg", 10, repeat={"frequency": 2, "frequencyMax": 4, "period": 1, "periodUnit": "d"}), "40"),
        (instruction("mg", 10, asNeededBoolean=True), "30"),
        (instruction("mg", 10) + instruction("mg", 20, repeat={"frequency": 1, "period": 1, "periodUnit": "d"}), "50"),
        ([{"timing": {"code": {"text": "BID"}}, "doseAndRate": [{"doseQuantity": quantity(10, "mg")}]}], "20"),
        ([{"timing": {"code": {"coding": [{"code": "TID"}]}},
           "doseAndRate": [{"doseRange": {"low": quantity(5, "mg"), "high": quantity(10, "mg")}}]}], "30"),
        ([{"text": "1 tab PO TID"}], "30"),
    ],
)  # fmt: skip
def test_row_39_doses_that_can_be_computed(client: Client, instructions: list[Json], daily: str) -> None:
    shown = cards(client, severe(order(dosageInstruction=instructions)))
    assert f"{daily} mg/day" in text_of(shown)


@pytest.mark.parametrize(
    "instructions",
    [
        None,
        [],
        [{"text": "as directed"}],
        [{"text": "per pump protocol"}],
        instruction("mL", 5),
        [{"timing": {"code": {"text": "BID"}}}],
        [{"doseAndRate": [{"doseQuantity": quantity(10, "mg")}]}],
        instruction("spoonful", 1),
    ],
)
def test_row_39_doses_that_cannot_be_computed_are_said_and_never_guessed(client: Client, instructions: Any) -> None:
    shown = cards(client, severe(order(dosageInstruction=instructions)))
    assert has_kidney_card(shown), "what does not need the dose is still checked"
    assert "mg/day" not in shown[0]["summary"] or "not readable" in shown[0]["summary"]
    assert "could not be" in text_of(shown) or "not readable" in text_of(shown)


@pytest.mark.parametrize(
    "instructions",
    [
        instruction("mg", -10),
        instruction("mg", 0),
        instruction("g", 10),
        instruction("mcg", 10),
        [{"timing": {"code": {"text": "TID"}}, "doseAndRate": [{"doseQuantity": {"value": "10", "unit": "mg"}}]}],
        instruction("mg", 10, repeat={"frequency": -3, "period": 1, "periodUnit": "d"}),
        instruction("mg", 10, repeat={"frequency": 3, "period": 0, "periodUnit": "d"}),
    ],
)
def test_row_40_implausible_doses_warn_and_compute_nothing(client: Client, instructions: Any) -> None:
    shown = cards(client, order_sign(order(dosageInstruction=instructions)))
    assert shown
    assert "startDoseTooHigh" not in topics(shown)
    assert "could not be" in text_of(shown) or "not readable" in text_of(shown)


def test_row_41_another_patients_order_beside_a_right_one(client: Client) -> None:
    foreign = order("d2", subject={"reference": "Patient/p2"}, mg=80)
    shown = cards(client, severe() | {"context": order_sign(order(), foreign)["context"]})
    assert has_kidney_card(shown)
    assert "another patient" in text_of(shown)
    assert "240" not in text_of(shown)


@pytest.mark.parametrize("selections", [[], ["MedicationRequest/nowhere"], ["d1"], ["MedicationRequest/d1"]])
def test_row_42_dangling_selections_leave_no_baclofen_order_unchecked(client: Client, selections: list[str]) -> None:
    request = order_select(order(), selections=selections, prefetch=chart(kidney=search(egfr(20))))
    assert has_kidney_card(cards(client, request))


def test_row_42_only_the_selected_orders_are_judged(client: Client) -> None:
    request = order_select(
        order(), order("d2", OXYCODONE), selections=["MedicationRequest/d2"], prefetch=chart(kidney=search(egfr(20)))
    )
    assert cards(client, request) == []


def test_row_43_two_drafts_say_it_once(client: Client) -> None:
    request = severe() | {"context": order_sign(order(), order("d2"))["context"]}
    shown = cards(client, request)
    assert len(topics(shown)) == len(set(topics(shown)))


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_row_43_dead_orders_of_the_chart_do_not_count(client: Client, status: str) -> None:
    dead = active("m1", OXYCODONE, status=status)
    shown = cards(client, order_sign(prefetch=chart(medications=search(dead))))
    assert "opioidCoprescription" not in topics(shown)
    alive = cards(client, order_sign(prefetch=chart(medications=search(active("m1", OXYCODONE)))))
    assert "opioidCoprescription" in topics(alive)


def test_row_44_dstu2_and_stu3_orders(client: Client) -> None:
    dose = {"value": 10, "unit": "mg", "system": UCUM, "code": "mg"}
    dstu2 = {
        "resourceType": "MedicationOrder", "id": "d1", "status": "draft", "dateWritten": "2026-11-24",
        "patient": {"reference": "Patient/p1"}, "medicationCodeableConcept": BACLOFEN_10,
        "dosageInstruction": [
            {"timing": {"repeat": {"frequency": 3, "period": 1, "periodUnits": "d"}}, "doseQuantity": dose}
        ],
    }  # fmt: skip
    stu3 = order(
        dosageInstruction=[{"timing": dosage()[0]["timing"], "doseQuantity": dose}], context={"reference": "x"}
    )
    for draft in (dstu2, stu3):
        shown = cards(client, severe(draft))
        assert has_kidney_card(shown)
        assert "30 mg/day" in text_of(shown)


@pytest.mark.parametrize(("entries", "status"), [(1000, 200), (1001, 413), (10_000, 413)])
def test_row_45_very_many_drafts(client: Client, entries: int, status: int) -> None:
    """At the limit, one above, and ten times above. The limit is said."""
    small = {"resourceType": "MedicationRequest", "id": "x", "medicationCodeableConcept": {"text": "paracetamol"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": small}] * (entries - 1) + [{"resource": order()}]}
    response = post(client, order_sign(draftOrders=bundle))
    assert response.status_code == status
    if status == 413:
        assert "1000" in assert_refused(response, 413)["details"]["text"]


def test_row_45_a_bundle_of_outcomes_alone_is_no_order(client: Client) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": outcome("error")}]}
    assert cards(client, order_sign(draftOrders=bundle)) == []


def test_rxnorm_under_its_other_names(client: Client) -> None:
    for system in (
        RXNORM,
        f"{RXNORM}/",
        "urn:oid:2.16.840.1.113883.6.88",
        "https://www.nlm.nih.gov/research/umls/rxnorm",
    ):
        drug = {"coding": [{"system": system, "code": "197391"}]}
        assert has_kidney_card(cards(client, severe(order(drug=drug)))), system


def test_a_value_in_the_wrong_place_is_named(client: Client) -> None:
    issue = assert_refused(post(client, with_value(order_sign(), "context.encounterId", [CANARY])), 400, canary=CANARY)
    assert issue["expression"] == ["context.encounterId"]

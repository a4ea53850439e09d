"""Suggestions: what changes in a draft, and that nothing else does.

rules.md 5.12, checklist A1-A9, resolutions.md 1-8 and 12a.
"""

from __future__ import annotations

import copy
import re
import uuid
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.STU3.medicationrequest import MedicationRequest as MedicationRequestSTU3
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.facts import Hook, OralDose, Route
from cards.kidney import Tier
from cards.outcome import (
    ChangeDose,
    CoPrescribeNaloxone,
    LimitSupply,
    OrderTest,
    Proposal,
    Regimen,
    StopExisting,
    Taper,
    TaperStep,
    WithdrawOrder,
)
from cards.outcome import (
    Test as Analysis,
)
from cards.quantities import DailyDose, Days, SingleDose
from cds_service import resources
from cds_service.gather.dosage import oral_dose
from cds_service.gather.products import Strength
from cds_service.hooks import parse
from cds_service.suggestions import NotOffered, Session, suggestions_for, validation, warm
from tests.unit.cases import dosing
from tests.unit.drafts import (
    LIQUID_1,
    LIQUID_5,
    PACKETS_5,
    TABLETS_5,
    TABLETS_10,
    TABLETS_20,
    Product,
    captured,
    case_of,
    decoded,
    order,
    reference,
    rich,
    session,
)

encode = msgspec.json.Encoder(decimal_format="number").encode
SANDBOX = "req-order-sign-baclofen-10mg-2-tid"
UCUM = "http://unitsofmeasure.org"
WEEK = Days.of(7)


def regimen(*doses: str | float) -> Regimen:
    return Regimen(tuple(SingleDose.of(str(dose)) for dose in doses))


TWO_AND_A_HALF_TID = ChangeDose(regimen(2.5, 2.5, 2.5))
TAPER_FROM_60 = dosing().taper(DailyDose.of(60), Tier.K1, dosing().older_at_least)


def one(proposal: Proposal, draft: dict[str, Any], product: Product | None = None, limit: Days | None = None) -> Any:
    """The one suggestion that the proposal becomes."""
    made = suggestions_for([proposal], case_of(order(draft)), session(draft, product=product), limit)
    assert made.not_offered == ()
    return made.offered[0]


def updated(
    proposal: Proposal, draft: dict[str, Any], product: Product | None = None, limit: Days | None = None
) -> Any:
    return one(proposal, draft, product, limit)["actions"][0]["resource"]


def refused(proposal: Proposal, draft: dict[str, Any], **given: Any) -> NotOffered:
    made = suggestions_for([proposal], case_of(order(draft), **given), session(draft))
    assert made.offered == ()
    return made.not_offered[0]


def read_back(resource: dict[str, Any]) -> OralDose:
    """What the service itself reads in the order that it suggests."""
    read = resources.read(encode(resource))
    assert isinstance(read, resources.MedicationRequest)
    dose = oral_dose(resources.dosages(read.dosageInstruction) or (), Strength())
    assert isinstance(dose, OralDose), dose
    return dose


# ----------------------------------------------------------------------------------------------- the changed dosage


def test_dose_is_the_example_of_the_rules() -> None:
    """rules.md 5.12: 2.5 mg TID."""
    (instruction,) = updated(TWO_AND_A_HALF_TID, captured(SANDBOX), TABLETS_5)["dosageInstruction"]
    assert instruction == {
        "text": "2.5 mg (half of a 5 mg tablet) by mouth three times a day",
        "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}},
        "route": {"text": "oral"},
        "doseAndRate": [{"doseQuantity": {"value": Decimal("2.5"), "unit": "mg", "system": UCUM, "code": "mg"}}],
    }


@pytest.mark.parametrize(
    ("doses", "product", "words"),
    [
        ((2.5,), TABLETS_5, "2.5 mg (half of a 5 mg tablet) by mouth once a day"),
        ((2.5, 2.5), None, "2.5 mg (half of a 5 mg tablet or a liquid) by mouth twice a day"),
        ((2.5, 2.5, 2.5), TABLETS_10, "2.5 mg (half of a 5 mg tablet or a liquid) by mouth three times a day"),
        ((2.5, 2.5), PACKETS_5, "2.5 mg (half of a 5 mg tablet or a liquid) by mouth twice a day"),
        ((5, 5, 5), TABLETS_5, "5 mg (one 5 mg tablet) by mouth three times a day"),
        ((5, 5, 5), TABLETS_10, "5 mg (half of a 10 mg tablet) by mouth three times a day"),
        ((5, 5, 5), TABLETS_20, "5 mg (one 5 mg tablet or a liquid) by mouth three times a day"),
        ((5, 5, 5), PACKETS_5, "5 mg (one 5 mg packet) by mouth three times a day"),
        ((5, 5, 5, 5), None, "5 mg by mouth four times a day"),
        ((7.5, 7.5, 7.5), TABLETS_5, "7.5 mg (one and a half 5 mg tablets) by mouth three times a day"),
        ((20, 20, 20, 20), TABLETS_10, "20 mg (two 10 mg tablets) by mouth four times a day"),
        ((2.5, 2.5, 2.5), LIQUID_1, "2.5 mg (2.5 mL of 1 mg/mL) by mouth three times a day"),
        ((2.5, 2.5, 2.5), LIQUID_5, "2.5 mg (0.5 mL of 5 mg/mL) by mouth three times a day"),
    ],
)
def test_sig_says_how_the_ordered_product_gives_the_dose(doses: Any, product: Product | None, words: str) -> None:
    (instruction,) = updated(ChangeDose(regimen(*doses)), rich(), product)["dosageInstruction"]
    assert instruction["text"] == words


def test_unequal_doses_are_instructions_of_one_step_at_times_of_the_day() -> None:
    suggestion = one(ChangeDose(regimen(20, 15, 15, 20)), rich(), TABLETS_10)
    assert suggestion["label"] == "Change to 20/15/15/20 mg (70 mg/day)"
    instructions = suggestion["actions"][0]["resource"]["dosageInstruction"]
    assert [one["sequence"] for one in instructions] == [1, 1, 1, 1]
    repeats = [one["timing"]["repeat"] for one in instructions]
    assert [repeat["when"] for repeat in repeats] == [["MORN"], ["AFT"], ["EVE"], ["NIGHT"]]
    assert {(repeat["frequency"], repeat["period"], repeat["periodUnit"]) for repeat in repeats} == {(1, 1, "d")}
    assert [one["doseAndRate"][0]["doseQuantity"]["value"] for one in instructions] == [20, 15, 15, 20]
    assert instructions[1]["text"] == "15 mg (one and a half 10 mg tablets) by mouth in the afternoon"


def test_product_that_cannot_give_the_dose_is_said_and_not_changed() -> None:
    draft = captured(SANDBOX)
    suggestion = one(TWO_AND_A_HALF_TID, draft, TABLETS_10)
    assert suggestion["label"] == "Change to 2.5 mg TID (7.5 mg/day) – needs 5 mg tablets or a liquid"
    action = suggestion["actions"][0]
    assert action["description"].endswith("The ordered product cannot give this dose: choose 5 mg tablets or a liquid.")
    assert action["resource"]["medicationCodeableConcept"] == draft["medicationCodeableConcept"]


@pytest.mark.parametrize(
    ("note", "label", "tail"),
    [
        ("no increase", "Change to 2.5 mg BID (5 mg/day) – no increase", "twice a day"),
        ("if unavoidable", "Change to 2.5 mg BID (5 mg/day) – if unavoidable", "twice a day"),
        (
            "if unavoidable, after dialysis",
            "Change to 2.5 mg BID (5 mg/day) – if unavoidable, after dialysis",
            "twice a day, after dialysis",
        ),
    ],
)
def test_note_is_in_the_label_and_after_dialysis_in_the_sig(note: str, label: str, tail: str) -> None:
    suggestion = one(ChangeDose(regimen(2.5, 2.5), note), rich(), TABLETS_5)
    assert suggestion["label"] == label
    assert suggestion["actions"][0]["resource"]["dosageInstruction"][0]["text"].endswith(tail)


def test_what_the_old_instruction_said_of_its_dose_is_gone_and_the_rest_of_it_kept() -> None:
    draft = rich()
    (new,), (old,) = updated(TWO_AND_A_HALF_TID, draft)["dosageInstruction"], draft["dosageInstruction"]
    assert (new["route"], new["method"]) == (old["route"], old["method"])
    assert new["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-11-24", "end": "2026-12-24"}
    assert new.keys() == {"text", "timing", "route", "method", "doseAndRate"}


def test_as_needed_stays_as_needed() -> None:
    draft = rich()
    draft["dosageInstruction"][0]["asNeededCodeableConcept"] = {"text": "spasm"}
    (new,) = updated(TWO_AND_A_HALF_TID, draft)["dosageInstruction"]
    assert new["asNeededCodeableConcept"] == {"text": "spasm"}
    assert new["text"].endswith("three times a day, as needed")


def test_taper_is_by_the_clock_even_if_the_order_was_as_needed() -> None:
    draft = rich()
    draft["dosageInstruction"][0]["asNeededBoolean"] = True
    instructions = updated(TAPER_FROM_60, draft)["dosageInstruction"]
    assert all("asNeededBoolean" not in one and "as needed" not in one["text"] for one in instructions)


def test_another_route_than_by_mouth_is_kept_and_not_called_by_mouth() -> None:
    draft = rich()
    draft["dosageInstruction"][0]["route"] = {"text": "Gastrostomy tube <b>"}
    (new,) = updated(TWO_AND_A_HALF_TID, draft, TABLETS_5)["dosageInstruction"]
    assert new["route"] == {"text": "Gastrostomy tube <b>"}
    assert new["text"] == "2.5 mg (half of a 5 mg tablet), route as ordered, three times a day"


def test_bounds_of_single_steps_are_not_kept_for_the_whole() -> None:
    draft = rich()
    step = draft["dosageInstruction"][0]
    other = copy.deepcopy(step) | {"sequence": 2}
    other["timing"]["repeat"]["boundsPeriod"] = {"start": "2026-12-24"}
    draft["dosageInstruction"] = [step | {"sequence": 1}, other]
    (new,) = updated(TWO_AND_A_HALF_TID, draft)["dosageInstruction"]
    assert new["timing"]["repeat"] == {"frequency": 3, "period": 1, "periodUnit": "d"}


# ------------------------------------------------------------------------------------------------------- the echo


def differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if encode(before.get(name)) != encode(after.get(name))}


@pytest.mark.parametrize("name", [SANDBOX, "req-order-sign-stu3-shape", "req-order-sign-dstu2-shape"])
def test_captured_draft_is_echoed_but_for_its_dosage(name: str) -> None:
    draft = captured(name)
    sent = copy.deepcopy(draft)
    resource = updated(TWO_AND_A_HALF_TID, draft, TABLETS_20)
    assert differing(sent, resource) == {"dosageInstruction"}
    assert list(resource) == list(sent)
    assert draft == sent, "the draft itself must not be touched"


def test_unknown_members_extensions_order_and_decimals_stay_as_sent() -> None:
    draft = rich() | {"x-unknown": [{"b": None, "a": Decimal("1.20")}], "": {}, "dosage": Decimal("7.000")}
    resource = updated(TWO_AND_A_HALF_TID, draft, TABLETS_20)
    assert differing(draft, resource) == {"dosageInstruction", "dispenseRequest"}
    assert list(resource) == list(draft)
    text = encode(resource).decode()
    assert '"valueDecimal":1.20}' in text
    assert '"x-unknown":[{"b":null,"a":1.20}]' in text
    assert '"dosage":7.000' in text
    assert '"value":30.0,"unit":"days"' in text


def test_draft_without_dosage_gets_one() -> None:
    draft = rich(dosageInstruction=None, dispenseRequest=None)
    resource = updated(TWO_AND_A_HALF_TID, draft)
    assert differing(draft, resource) == {"dosageInstruction"}
    assert read_back(resource).start == DailyDose.of("7.5")


def test_dosage_in_an_object_becomes_a_list() -> None:
    draft = rich()
    draft["dosageInstruction"] = draft["dosageInstruction"][0]
    (new,) = updated(TWO_AND_A_HALF_TID, draft)["dosageInstruction"]
    assert new["method"] == {"text": "Swallow"}


def test_rendered_dosage_of_r5_is_left_out_with_the_dosage_that_it_renders() -> None:
    assert "renderedDosageInstruction" not in updated(TWO_AND_A_HALF_TID, rich(renderedDosageInstruction="20 mg TID"))


def test_stu3_order_has_its_dose_on_the_instruction() -> None:
    draft = captured("req-order-sign-stu3-shape")
    (new,) = updated(TWO_AND_A_HALF_TID, draft, TABLETS_20)["dosageInstruction"]
    assert new["doseQuantity"]["value"] == Decimal("2.5")
    assert "doseAndRate" not in new
    assert new["timing"]["repeat"]["periodUnit"] == "d"
    valid = {name: value for name, value in draft.items() if name not in ("category", "dosageInstruction")}
    for proposal in (TWO_AND_A_HALF_TID, ChangeDose(regimen(10, 5, 10)), TAPER_FROM_60):
        written = updated(proposal, draft, TABLETS_20)
        MedicationRequestSTU3.model_validate(valid | {"dosageInstruction": written["dosageInstruction"]})


def test_dstu2_order_has_dstu2_units_and_no_elements_of_later_versions() -> None:
    draft = captured("req-order-sign-dstu2-shape")
    instructions = updated(ChangeDose(regimen(10, 5, 10)), draft, TABLETS_20)["dosageInstruction"]
    assert [one["doseQuantity"]["value"] for one in instructions] == [10, 5, 10]
    for one_dose in instructions:
        assert one_dose.keys() == {"text", "timing", "route", "doseQuantity"}
        assert one_dose["timing"]["repeat"] == {
            "boundsPeriod": {"start": "2026-11-24", "end": "2026-12-24"},
            "frequency": 1,
            "period": 1,
            "periodUnits": "d",
        }


def test_dstu2_order_gets_no_taper_and_no_r4_resource() -> None:
    draft = captured("req-order-sign-dstu2-shape")
    for proposal in (TAPER_FROM_60, OrderTest(Analysis.CREATININE), CoPrescribeNaloxone()):
        assert "DSTU2" in refused(proposal, draft).reason


# ----------------------------------------------------------------------------------------------------------- R4


DAILY_DOSES = [n * Decimal("2.5") for n in range(1, 121)]
PRODUCTS = [None, TABLETS_5, TABLETS_10, TABLETS_20, LIQUID_1, LIQUID_5, PACKETS_5]


@given(
    daily=st.sampled_from(DAILY_DOSES),
    product=st.sampled_from(PRODUCTS),
    limit=st.sampled_from([None, WEEK]),
    draft=st.sampled_from([rich(), rich(dosageInstruction=None), rich(dispenseRequest=None)]),
)
def test_every_regimen_validates_and_reads_back_as_suggested(
    daily: Decimal, product: Product | None, limit: Days | None, draft: dict[str, Any]
) -> None:
    wanted = dosing().regimen(DailyDose(daily))
    resource = updated(ChangeDose(wanted), draft, product, limit)
    MedicationRequest.model_validate(resource)
    dose = read_back(resource)
    assert [step.daily for step in dose.steps] == [wanted.daily]
    assert dose.steps[0].largest_single == max(wanted.doses)
    assert dose.steps[0].times_per_day == len(wanted.doses)
    assert differing(draft, resource) <= {"dosageInstruction", "dispenseRequest"}


@given(doses=st.lists(st.sampled_from([Decimal("2.5"), *map(Decimal, (5, 10, 15, 20, 45))]), min_size=1, max_size=4))
def test_any_doses_of_a_day_read_back_as_their_sum(doses: list[Decimal]) -> None:
    wanted = Regimen(tuple(SingleDose(dose) for dose in doses))
    assert read_back(updated(ChangeDose(wanted), rich())).highest == DailyDose(sum(doses, start=Decimal(0)))


@settings(deadline=None)
@given(st.sampled_from(DAILY_DOSES), st.sampled_from([Tier.K1, Tier.K3A, Tier.K3B, Tier.K4, Tier.DIALYSIS]))
def test_every_taper_validates_and_reads_back_step_by_step(current: Decimal, tier: Tier) -> None:
    age = dosing().older_at_least
    taper = dosing().taper(DailyDose(current), tier, age)
    resource = updated(taper, rich())
    MedicationRequest.model_validate(resource)
    dose = read_back(resource)
    steps = [step for step in taper.steps if step.regimen.doses]
    assert [step.daily for step in dose.steps] == [step.regimen.daily for step in steps]
    assert [step.lasts for step in dose.steps[:-1]] == [WEEK] * (len(steps) - 1)
    assert dose.steps[-1].lasts == (None if taper.stays_at_last else WEEK)


@pytest.mark.parametrize("test", Analysis)
@pytest.mark.parametrize("urgent", [False, True])
def test_created_test_order_validates(test: Analysis, urgent: bool) -> None:
    resource = created(OrderTest(test, urgent))
    ServiceRequest.model_validate(resource)
    assert resource["priority"] == ("urgent" if urgent else "routine")


def created(proposal: Proposal, encounter_id: str | None = "e1") -> Any:
    made = suggestions_for([proposal], case_of(order(rich())), session(rich(), encounter_id=encounter_id))
    (action,) = made.offered[0]["actions"]
    assert action.keys() == {"type", "description", "resource"}
    assert action["type"] == "create"
    assert "id" not in action["resource"]
    assert action["resource"]["status"] == "draft"
    assert action["resource"]["subject"] == {"reference": "Patient/p1"}
    return action["resource"]


def test_creatinine_order_is_that_of_the_rules() -> None:
    assert created(OrderTest(Analysis.CREATININE)) == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "priority": "routine",
        "code": {
            "coding": [
                {
                    "system": "http://loinc.org",
                    "code": "2160-0",
                    "display": "Creatinine [Mass/volume] in Serum or Plasma",
                }
            ],
            "text": "creatinine and eGFR",
        },
        "reasonCode": [{"text": "baclofen renal dosing"}],
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
    }
    assert "encounter" not in created(OrderTest(Analysis.CREATININE), encounter_id=None)
    assert created(OrderTest(Analysis.CYSTATIN_C))["code"]["coding"][0]["code"] == "33863-2"


def test_naloxone_order_is_that_of_the_rules() -> None:
    resource = created(CoPrescribeNaloxone())
    MedicationRequest.model_validate(resource)
    assert resource["medicationCodeableConcept"]["coding"][0]["code"] == "1725059"
    (instruction,) = resource["dosageInstruction"]
    assert instruction == {
        "text": "1 spray (4 mg) into one nostril for suspected opioid overdose; "
        "may repeat every 2-3 minutes with a new device",
        "asNeededBoolean": True,
    }
    assert resource["dispenseRequest"]["quantity"]["value"] == 2


def test_invalid_writing_is_a_fault_with_its_path_and_without_values() -> None:
    wrong = {"dosageInstruction": [{"timing": {"repeat": {"frequency": "secret", "when": ["DAWN!"]}}}]}
    found = validation.fault("MedicationRequest", wrong)
    assert "frequency" in found
    assert "secret" not in found


def test_invalid_writing_is_not_offered_and_reported_as_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.suggestions.writer.fault", lambda *_: "dosageInstruction.0.timing")
    found = refused(TWO_AND_A_HALF_TID, rich())
    assert found.invalid
    assert found.reason == "not valid R4: dosageInstruction.0.timing"


def test_one_writing_is_validated_once() -> None:
    warm()
    one(TWO_AND_A_HALF_TID, rich(dispenseRequest=None))
    before = validation._fault.cache_info()
    one(TWO_AND_A_HALF_TID, rich(dispenseRequest=None, id="another"))
    after = validation._fault.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


# ---------------------------------------------------------------------------------------------------------- supply


@pytest.mark.parametrize(
    ("doses", "product", "quantity"),
    [
        ((5, 5, 5), TABLETS_10, 45),  # half a tablet, 3 times, 30 days
        ((10, 10, 10), TABLETS_10, 90),
        ((10, 5, 10), TABLETS_10, 75),
        ((2.5, 2.5, 2.5), TABLETS_5, 45),
        ((2.5,), TABLETS_5, 15),
        ((2.5, 2.5, 2.5), TABLETS_10, None),  # the ordered tablets cannot give it
        ((2.5, 2.5, 2.5), None, None),  # strength not known
        ((5, 5, 5), LIQUID_1, None),  # the quantity is in tablets
    ],
)
def test_quantity_is_recalculated_or_removed(doses: Any, product: Product | None, quantity: int | None) -> None:
    action = one(ChangeDose(regimen(*doses)), rich(), product)["actions"][0]
    request = action["resource"]["dispenseRequest"]
    if quantity is None:
        assert "quantity" not in request
        assert "The quantity to dispense is left out" in action["description"]
    else:
        assert request["quantity"] == {"value": quantity, "unit": "tablet"}
        assert f"Quantity to dispense: {quantity}." in action["description"]
    kept = {name: value for name, value in rich()["dispenseRequest"].items() if name != "quantity"}
    assert {name: value for name, value in request.items() if name != "quantity"} == kept


def supplied(**request: Any) -> dict[str, Any]:
    return rich(dispenseRequest=request)


def test_quantity_without_days_lasts_as_long_as_at_the_ordered_dose() -> None:
    """90 tablets of 10 mg at 60 mg/day are 15 days; 30 mg/day for 15 days are 45."""
    draft = supplied(quantity={"value": Decimal(90), "unit": "tablet", "system": "urn:x", "code": "{tbl}"})
    resource = updated(ChangeDose(regimen(10, 10, 10)), draft, TABLETS_10)
    assert resource["dispenseRequest"] == {
        "quantity": {"value": 45, "unit": "tablet", "system": "urn:x", "code": "{tbl}"},
    }


@pytest.mark.parametrize(
    "request_of_draft",
    [
        {"quantity": {"value": 91, "unit": "tablet"}},  # 15 and a bit days
        {"quantity": {"value": 90}},  # of what?
        {"quantity": {"value": "90", "unit": "tablet"}},
        {"quantity": {"value": True, "unit": "tablet"}},
        {"quantity": {"value": Decimal("1e9"), "unit": "tablet"}},
        {"quantity": {"value": -90, "unit": "tablet"}},
        {"quantity": {"value": 1, "unit": "box"}},
        {"quantity": None},
        {"quantity": [{"value": 90, "unit": "tablet"}]},
    ],
)
def test_doubtful_quantity_is_removed_and_an_empty_request_with_it(request_of_draft: dict[str, Any]) -> None:
    resource = updated(ChangeDose(regimen(10, 10, 10)), rich(dispenseRequest=request_of_draft), TABLETS_10)
    assert "dispenseRequest" not in resource


@pytest.mark.parametrize(
    ("duration", "tablets"),
    [
        ({"value": 2, "unit": "weeks", "code": "wk"}, 42),
        ({"value": 14, "unit": "days"}, 42),
        ({"value": 1, "unit": "month", "code": "mo"}, None),
        ({"value": 14, "unit": "weeks", "code": "d"}, None),
        ({"value": 0, "unit": "days"}, None),
        ({"value": 14}, None),
    ],
)
def test_stated_days_decide_the_quantity_and_stay(duration: dict[str, Any], tablets: int | None) -> None:
    draft = supplied(quantity={"value": 84, "unit": "tablet"}, expectedSupplyDuration=duration)
    request = updated(ChangeDose(regimen(10, 10, 10)), draft, TABLETS_10)["dispenseRequest"]
    assert request.get("quantity", {}).get("value") == tablets
    assert request["expectedSupplyDuration"] == duration


@pytest.mark.parametrize(
    ("ordered", "tablets"),
    [
        ("10 mg TID x7 d, then 20 mg TID", 21),
        ("10 mg TID x8 d, then 20 mg TID", 21),
        ("10 mg TID x6 d, then 20 mg TID", None),  # the dose changes within the week
    ],
)
def test_limit_counts_only_a_dose_that_lasts_through_it(ordered: str, tablets: int | None) -> None:
    case = case_of(order(rich(), ordered))
    made = suggestions_for([LimitSupply(WEEK)], case, session(rich(), product=TABLETS_10))
    request = made.offered[0]["actions"][0]["resource"]["dispenseRequest"]
    assert request.get("quantity", {}).get("value") == tablets
    assert request["expectedSupplyDuration"]["value"] == 7


def test_quantity_of_an_order_in_steps_says_no_number_of_days() -> None:
    draft = supplied(quantity={"value": 90, "unit": "tablet"})
    case = case_of(order(draft, "10 mg TID x7 d, then 20 mg TID"))
    made = suggestions_for([ChangeDose(regimen(10, 10, 10))], case, session(draft, product=TABLETS_10))
    assert "dispenseRequest" not in made.offered[0]["actions"][0]["resource"]


def test_liquid_is_recalculated_in_ml() -> None:
    draft = supplied(quantity={"value": 360, "unit": "mL"}, expectedSupplyDuration={"value": 30, "unit": "days"})
    request = updated(TWO_AND_A_HALF_TID, draft, LIQUID_5)["dispenseRequest"]
    assert request["quantity"] == {"value": 45, "unit": "mL"}


def test_half_tablet_over_is_dispensed_as_a_whole_one() -> None:
    draft = supplied(quantity={"value": 21, "unit": "tablet"}, expectedSupplyDuration={"value": 7, "unit": "days"})
    request = updated(TWO_AND_A_HALF_TID, draft, TABLETS_5)["dispenseRequest"]
    assert request["quantity"]["value"] == 11, "10.5 tablets"


def test_limit_is_seven_days_with_their_quantity() -> None:
    suggestion = one(LimitSupply(WEEK), rich(), TABLETS_10)
    assert suggestion["label"] == "Limit to a 7-day supply"
    (action,) = suggestion["actions"]
    resource = action["resource"]
    assert differing(rich(), resource) == {"dispenseRequest"}
    assert resource["dispenseRequest"] == rich()["dispenseRequest"] | {
        "quantity": {"value": 42, "unit": "tablet"},  # 60 mg/day in 10 mg tablets
        "expectedSupplyDuration": {"value": 7, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"},
    }
    assert "Refills stay as ordered (2): check them." in action["description"]
    MedicationRequest.model_validate(resource)


def test_limit_adds_what_the_draft_lacks() -> None:
    request = updated(LimitSupply(WEEK), rich(dispenseRequest=None), TABLETS_10)["dispenseRequest"]
    assert request["quantity"] == {"value": 42, "unit": "tablet"}
    assert "quantity" not in updated(LimitSupply(WEEK), rich(dispenseRequest=None))["dispenseRequest"]


@pytest.mark.parametrize(("ordered", "offered"), [(7, False), (8, True)])
def test_supply_within_the_limit_is_left_alone(ordered: int, offered: bool) -> None:
    draft = supplied(expectedSupplyDuration={"value": ordered, "unit": "days", "code": "d"})
    made = suggestions_for([LimitSupply(WEEK)], case_of(order(draft)), session(draft))
    assert bool(made.offered) is offered


def test_dose_carries_the_limit_and_the_limit_holds_alone() -> None:
    """resolutions.md 12a."""
    made = suggestions_for(
        [TWO_AND_A_HALF_TID, LimitSupply(WEEK)], case_of(order(rich())), session(rich(), product=TABLETS_5), WEEK
    )
    dose, supply = (suggestion["actions"][0]["resource"] for suggestion in made.offered)
    assert made.offered[0]["label"] == "Change to 2.5 mg TID (7.5 mg/day) – 7-day supply"
    assert dose["dispenseRequest"]["expectedSupplyDuration"]["value"] == 7
    assert dose["dispenseRequest"]["quantity"]["value"] == 11
    assert supply["dosageInstruction"] == rich()["dosageInstruction"]
    assert supply["dispenseRequest"]["expectedSupplyDuration"]["value"] == 7


def test_limit_never_lengthens_a_shorter_supply() -> None:
    draft = supplied(expectedSupplyDuration={"value": 3, "unit": "days", "code": "d"})
    request = updated(TWO_AND_A_HALF_TID, draft, limit=WEEK)["dispenseRequest"]
    assert request["expectedSupplyDuration"]["value"] == 3


def test_malformed_dispense_request_stops_the_change() -> None:
    assert "dispenseRequest" in refused(TWO_AND_A_HALF_TID, rich(dispenseRequest=[1])).reason


# ----------------------------------------------------------------------------------------------------------- taper


def test_taper_is_one_sequence_per_week() -> None:
    """60: 50, 40, 30, 25, 20, 15, 10, 5, stop (rules.md 6.4)."""
    suggestion = one(TAPER_FROM_60, rich(), TABLETS_10)
    assert suggestion["label"] == "Taper: first week 15/15/20 mg (50 mg/day), then down every 7 days to stop"
    resource = suggestion["actions"][0]["resource"]
    assert [step.daily.value for step in read_back(resource).steps] == [50, 40, 30, 25, 20, 15, 10, 5]
    instructions = resource["dosageInstruction"]
    assert [one["sequence"] for one in instructions] == [1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8]
    week = {"value": 7, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    assert all(one["timing"]["repeat"]["boundsDuration"] == week for one in instructions)
    assert instructions[0]["text"].startswith("Week 1: 15 mg ")
    assert resource["dispenseRequest"].keys() == {"validityPeriod", "numberOfRepeatsAllowed", "performer"}


def test_taper_that_stays_has_a_last_step_without_an_end() -> None:
    """K3 at 65 and over stays at 15 mg/day (resolutions.md 7)."""
    taper = dosing().taper(DailyDose.of(30), Tier.K3A, dosing().older_at_least)
    suggestion = one(taper, rich(), TABLETS_5)
    assert suggestion["label"] == "Taper: first week 10/5/10 mg (25 mg/day), then down every 7 days to 15 mg/day"
    last = suggestion["actions"][0]["resource"]["dosageInstruction"][-1]
    assert last["text"] == "From week 3 on: 5 mg (one 5 mg tablet) by mouth three times a day"
    assert "boundsDuration" not in last["timing"]["repeat"]


def test_a_last_step_of_nothing_is_the_end_and_no_instruction() -> None:
    taper = Taper((TaperStep(regimen(5), WEEK), TaperStep(Regimen(()), WEEK)), stays_at_last=False)
    suggestion = one(taper, rich())
    assert suggestion["label"] == "Taper: 5 mg once daily (5 mg/day) for 7 days, then stop"
    assert len(suggestion["actions"][0]["resource"]["dosageInstruction"]) == 1


def test_taper_with_a_limit_gets_the_first_week_of_tablets() -> None:
    request = updated(TAPER_FROM_60, rich(), TABLETS_10, WEEK)["dispenseRequest"]
    assert request["quantity"]["value"] == 35, "50 mg/day in 10 mg tablets for 7 days"


# ----------------------------------------------------------------------- stop orders, several drafts, no suggestion


def test_taper_makes_a_stop_order_run_again() -> None:
    """resolutions.md 8."""
    draft = rich(status="stopped", statusReason={"text": "patient's wish"})
    made = suggestions_for([TAPER_FROM_60], case_of(order(draft, stops=True), ordered=None, current=60), session(draft))
    resource = made.offered[0]["actions"][0]["resource"]
    assert resource["status"] == "active"
    assert "statusReason" not in resource
    assert read_back(resource).start == DailyDose.of(50)


def test_do_not_perform_is_lifted_by_a_taper() -> None:
    draft = rich(doNotPerform=True)
    made = suggestions_for([TAPER_FROM_60], case_of(order(draft, stops=True), ordered=None, current=60), session(draft))
    resource = made.offered[0]["actions"][0]["resource"]
    assert resource["status"] == "draft"
    assert "doNotPerform" not in resource


def test_several_drafts_become_one_order() -> None:
    first, second, stopped = rich(), rich(id="d2"), rich(id="old", status="stopped")
    case = case_of(order(first), order(second), order(stopped, stops=True))
    made = suggestions_for([TWO_AND_A_HALF_TID, WithdrawOrder()], case, session(first, second, stopped))
    change, withdraw = made.offered
    assert change["label"] == "Change to 2.5 mg TID (7.5 mg/day) – one order, without the other"
    update, delete = change["actions"]
    assert (update["type"], update["resource"]["id"]) == ("update", "d1")
    assert delete.keys() == {"type", "description", "resourceId"}
    assert (delete["type"], delete["resourceId"]) == ("delete", "MedicationRequest/d2")
    assert withdraw["label"] == "Remove these baclofen orders"
    assert [action["resourceId"] for action in withdraw["actions"]] == ["MedicationRequest/d1", "MedicationRequest/d2"]


def test_stop_order_is_removed_when_that_is_all_there_is() -> None:
    """V66: stopping intrathecal baclofen."""
    draft = rich(status="stopped")
    case = case_of(order(draft, stops=True), route=Route.INTRATHECAL)
    made = suggestions_for([WithdrawOrder()], case, session(draft))
    assert made.offered[0]["actions"][0]["resourceId"] == "MedicationRequest/d1"


def test_one_draft_without_id_blocks_the_change_of_all() -> None:
    first, second = rich(), rich(id=None)
    made = suggestions_for([TWO_AND_A_HALF_TID], case_of(order(first), order(second)), session(first, second))
    assert made.offered == ()


@pytest.mark.parametrize("proposal", [TWO_AND_A_HALF_TID, TAPER_FROM_60, WithdrawOrder(), LimitSupply(WEEK)])
def test_draft_without_id_is_not_touched(proposal: Proposal) -> None:
    assert refused(proposal, rich(id=None)).reason == "the draft has no id of its own"


@pytest.mark.parametrize("proposal", [TWO_AND_A_HALF_TID, TAPER_FROM_60])
def test_no_dose_suggestion_touches_an_intrathecal_order(proposal: Proposal) -> None:
    assert refused(proposal, rich(), route=Route.INTRATHECAL).reason == "there is no oral draft to change"


@pytest.mark.parametrize("doses", [(), (5,) * 5, (5, 0), (5, 10, 5, 10, 5)])
def test_regimen_that_cannot_be_written_is_not_offered(doses: Any) -> None:
    assert "regimen" in refused(ChangeDose(regimen(*doses)), rich()).reason


# ----------------------------------------------------------------------------------------- stopping a chart order


CHART = rich(id="old", status="active", dosageInstruction=None)


def test_existing_order_is_stopped_and_the_draft_names_it() -> None:
    asked: list[str] = []

    def on_chart(name: str) -> dict[str, Any]:
        asked.append(name)
        return CHART

    proposals: list[Proposal] = [StopExisting("MedicationRequest/old"), WithdrawOrder()]
    made = suggestions_for(proposals, case_of(order(rich())), session(rich(), chart_order=on_chart))
    stop, link = made.offered[0]["actions"]
    assert differing(CHART, stop["resource"]) == {"status", "statusReason"}
    assert (stop["resource"]["status"], stop["resource"]["statusReason"]) == ("stopped", {"text": "replaced"})
    assert differing(rich(), link["resource"]) == {"priorPrescription"}
    assert link["resource"]["priorPrescription"] == {"reference": "MedicationRequest/old"}
    for action in (stop, link):
        MedicationRequest.model_validate(action["resource"])
    assert asked == ["MedicationRequest/old"]


@pytest.mark.parametrize("name", ["MedicationRequest/old", "MedicationStatement/old"])
def test_existing_order_that_is_not_at_hand_is_not_stopped(name: str) -> None:
    assert "not at hand" in refused(StopExisting(name), rich()).reason


def test_draft_that_replaces_another_order_is_not_relinked() -> None:
    draft = rich(priorPrescription={"reference": "MedicationRequest/other"})
    on_chart = session(draft, chart_order=lambda _: CHART)
    made = suggestions_for([StopExisting("MedicationRequest/old")], case_of(order(draft)), on_chart)
    assert made.offered == ()


# -------------------------------------------------------------------------------------------- what is recommended


@pytest.mark.parametrize(
    ("proposals", "recommended"),
    [
        ([TWO_AND_A_HALF_TID], 0),
        ([OrderTest(Analysis.CREATININE), TWO_AND_A_HALF_TID], 1),
        ([TWO_AND_A_HALF_TID, WithdrawOrder()], None),  # V08: both are reasonable
        ([WithdrawOrder(), ChangeDose(regimen(2.5, 2.5), "if unavoidable")], 0),  # V12
        ([ChangeDose(regimen(2.5, 2.5), "if unavoidable"), WithdrawOrder()], None),
        ([ChangeDose(regimen(2.5, 2.5), "if unavoidable")], None),
        ([CoPrescribeNaloxone(), LimitSupply(WEEK)], None),
    ],
)
def test_one_suggestion_at_most_is_recommended(proposals: list[Proposal], recommended: int | None) -> None:
    made = suggestions_for(proposals, case_of(order(rich())), session(rich()))
    marked = [n for n, suggestion in enumerate(made.offered) if "isRecommended" in suggestion]
    assert marked == ([] if recommended is None else [recommended])
    assert len({uuid.UUID(suggestion["uuid"]) for suggestion in made.offered}) == len(proposals)


@pytest.mark.parametrize(
    ("proposal", "label"),
    [
        (OrderTest(Analysis.CREATININE), "Order creatinine and eGFR"),
        (OrderTest(Analysis.CREATININE, urgent=True), "Order creatinine and eGFR (urgent)"),
        (OrderTest(Analysis.CYSTATIN_C), "Order cystatin C"),
        (CoPrescribeNaloxone(), "Add naloxone 4 mg nasal spray"),
        (WithdrawOrder(), "Remove this baclofen order"),
    ],
)
def test_labels(proposal: Proposal, label: str) -> None:
    assert one(proposal, rich())["label"] == label


def test_descriptions_quote_nothing_of_the_chart() -> None:
    draft = rich(note=[{"text": "SECRET"}], medicationCodeableConcept={"text": "SECRET"})
    draft["dosageInstruction"][0] |= {"route": {"text": "SECRET"}, "text": "SECRET", "site": {"text": "SECRET"}}
    for proposal in (TWO_AND_A_HALF_TID, TAPER_FROM_60, LimitSupply(WEEK), WithdrawOrder()):
        suggestion = one(proposal, draft)
        said = [suggestion["label"], *(action["description"] for action in suggestion["actions"])]
        assert not re.search("SECRET", " ".join(said))


# ---------------------------------------------------------------------------------------------------- the session


def call(drafts: list[dict[str, Any]], prefetch: dict[str, Any] | None = None) -> Session:
    body = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/x",
            "patientId": "p1",
            "encounterId": "e1",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft} for draft in drafts]},
        },
        "prefetch": prefetch or {},
    }
    return Session.of(parse(encode(body), [Hook.ORDER_SIGN]), {})


def test_drafts_come_from_the_call_as_sent() -> None:
    found = call(
        [rich(), rich(id=None), rich(), *(rich(id="two", status=status) for status in ("draft", "active", "draft"))]
    )
    assert list(found.drafts) == ["MedicationRequest/d1"], "which of two different drafts would be meant?"
    assert encode(found.drafts["MedicationRequest/d1"]) == encode(rich())
    assert (found.patient_id, found.encounter_id) == ("p1", "e1")


def test_session_shows_no_patient_data_in_its_repr() -> None:
    assert "Swallow" not in repr(call([rich()]))


def test_chart_order_is_found_in_any_prefetch_as_sent() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{}, {"resource": None}, {"resource": CHART}]}
    found = call([rich()], {"patient": {"resourceType": "Patient", "id": "old"}, "medications": bundle})
    assert encode(found.chart_order("MedicationRequest/old")) == encode(CHART)
    assert found.chart_order("MedicationRequest/none") is None
    assert decoded(encode(CHART))["extension"][0]["valueDecimal"] == Decimal("1.20")


def test_a_chart_order_sent_bare_or_in_bad_company_is_found_or_missed_without_harm() -> None:
    assert call([rich()], {"medications": CHART}).chart_order("MedicationRequest/old") is not None
    assert call([rich()], {"medications": "old", "other": ["old"]}).chart_order("MedicationRequest/old") is None
    assert reference(CHART) == "MedicationRequest/old"

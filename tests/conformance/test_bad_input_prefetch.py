"""Checklist section 5, rows 46 to 53 (prefetch) and 83, 84 (output). How a value is read has its own unit tests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cards import content
from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    Client,
    Json,
    active,
    assert_refused,
    cards,
    chart,
    concept,
    condition,
    egfr,
    has_kidney_card,
    order,
    order_sign,
    outcome,
    patient,
    post,
    quantity,
    search,
    severe,
    text_of,
    topics,
)
from tests.conformance.conftest import Shell
from tests.conformance.scenarios import NASTY

NOTHING_THERE = [None, {"resourceType": "Bundle"}, search(), search(outcome("warning"), total=0)]
NOT_READ = [..., {}, [], "text", "<html><h1>502 Bad Gateway</h1></html>", outcome("error"), search(outcome("fatal"))]


def shown_for(client: Client, **keys: Any) -> list[Json]:
    """Cards for a low, harmless order: what remains is about the data."""
    return cards(client, order_sign(order(mg=5), prefetch=chart(**keys)))


@pytest.mark.parametrize("value", NOTHING_THERE, ids=str)
def test_row_46_47_nothing_there_is_clinical_information(client: Client, value: Any) -> None:
    shown = shown_for(client, kidney=value)
    assert "renalFunctionUnknown" in topics(shown)
    assert "dataUnavailable" not in topics(shown)


@pytest.mark.parametrize("value", NOT_READ, ids=str)
@pytest.mark.parametrize("key", ["kidney", "medications", "conditions"])
def test_row_46_47_what_was_not_read_is_said(client: Client, key: str, value: Any) -> None:
    shown = shown_for(client, **{key: value})
    assert "dataUnavailable" in topics(shown)
    named = {"kidney": "kidney", "medications": "medication list", "conditions": "problem list"}[key]
    assert named in text_of(shown)


@pytest.mark.parametrize("value", NOT_READ, ids=str)
def test_row_46_47_never_no_interacting_medicines_when_the_list_was_not_read(client: Client, value: Any) -> None:
    text = text_of(shown_for(client, medications=value))
    assert "no interacting" not in text.lower()
    assert "no opioid" not in text.lower()


def test_row_47_an_error_entry_beside_matches(client: Client) -> None:
    """The low eGFR that was read is used, and that the list may lack some is said."""
    shown = cards(client, order_sign(prefetch=chart(kidney=search(egfr(20), outcome("error"), total=1))))
    assert has_kidney_card(shown)


@pytest.mark.parametrize(
    "url", ["https://evil.example/fhir?page=2", "?page=2", "https://ehr.example/fhir?page=1", "file:///etc/passwd"]
)
def test_row_48_no_page_is_followed_and_the_gap_is_said(client: Client, url: str) -> None:
    medications = search(link=[{"relation": "next", "url": url}])
    shown = shown_for(client, medications=medications)
    assert "dataUnavailable" in topics(shown)
    assert "further pages" in text_of(shown)
    assert "evil.example" not in text_of(shown)


def test_row_49_other_patients_resources_are_dropped_and_logged(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = active("m9", OXYCODONE, subject={"reference": "Patient/p2"})
    shown = cards(client, order_sign(prefetch=chart(medications=search(active("m1", BACLOFEN_10), foreign))))
    assert "opioidCoprescription" not in topics(shown)
    assert '"other_patients":1' in capsys.readouterr().err


def unit(value: Any, of: str | None = "mL/min/{1.73_m2}", **more: Any) -> Json:
    return {"valueQuantity": {"value": value} | ({"unit": of, "code": of} if of else {}) | more}


UNUSABLE: dict[str, Json] = {
    "value as a string": unit("22"),
    "data absent": {"valueQuantity": None, "dataAbsentReason": {"text": "unknown"}},
    "no unit": unit(22, None),
    "zero": unit(0),
    "negative": unit(-5),
    "future": {"effectiveDateTime": "2027-03-01"},
    "preliminary": {"status": "preliminary"},
    "entered in error": {"status": "entered-in-error"},
    "cancelled": {"status": "cancelled"},
    "value missing": {"valueQuantity": None},
    "number too large": unit(1e300),
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_row_50_a_bad_value_never_hides_a_good_older_one(client: Client, changes: Json) -> None:
    newer_and_bad = egfr(95, "2026-11-20", "bad", **changes)
    shown = cards(client, order_sign(prefetch=chart(kidney=search(newer_and_bad, egfr(20, "2026-10-01")))))
    assert has_kidney_card(shown)
    assert "2026-10-01" in text_of(shown)


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_row_50_a_bad_value_alone_is_no_kidney_function(client: Client, changes: Json) -> None:
    shown = shown_for(client, kidney=search(egfr(95, **changes)))
    assert shown, "silence would read as normal kidneys"


@pytest.mark.parametrize(
    ("result", "tier_card"),
    [
        (egfr(15, valueQuantity={"value": 15, "comparator": "<", "unit": "mL/min/{1.73_m2}"}), "renalAvoidSevere"),
        (egfr(valueQuantity=None, valueString="<15"), "renalAvoidSevere"),
        (egfr(20, valueQuantity={"value": 20, "unit": "mL/min"}), "renalAvoidSevere"),
    ],
)  # fmt: skip
def test_row_50_comparators_and_units_that_mean_something(client: Client, result: Json, tier_card: str) -> None:
    assert tier_card in topics(cards(client, order_sign(prefetch=chart(kidney=search(result)))))


@pytest.mark.parametrize("result", [egfr(valueQuantity={"value": 60, "comparator": ">", "unit": "mL/min/{1.73_m2}"}),
                                    egfr(valueQuantity=None, valueString=">60")])  # fmt: skip
def test_row_50_above_60_raises_no_kidney_alarm(client: Client, result: Json) -> None:
    assert "renalAvoidSevere" not in topics(cards(client, order_sign(prefetch=chart(kidney=search(result)))))


def creatinine(value: float, unit_: str, code: str = "2160-0") -> Json:
    return egfr(
        identity="cr", code=concept(code, "Creatinine", "http://loinc.org"), valueQuantity=quantity(value, unit_)
    )


def test_row_50_creatinine_in_both_units_means_the_same(client: Client) -> None:
    """221 µmol/L is 2.5 mg/dL (divided by 88.4)."""
    asked = [chart(kidney=search(creatinine(2.5, "mg/dL"))), chart(kidney=search(creatinine(221, "umol/L", "14682-9")))]
    first, second = (cards(client, order_sign(prefetch=prefetch)) for prefetch in asked)
    assert has_kidney_card(first)
    assert topics(first) == topics(second)


def test_row_50_a_value_inside_a_panel(client: Client) -> None:
    panel = egfr(code=concept("24323-8", "Panel", "http://loinc.org"), valueQuantity=None, component=[
        {"code": concept("98979-8", "eGFR", "http://loinc.org"), "valueQuantity": quantity(20, "mL/min/{1.73_m2}")},
    ])  # fmt: skip
    assert has_kidney_card(cards(client, order_sign(prefetch=chart(kidney=search(panel)))))


@pytest.mark.parametrize("birth", [None, "2030-01-01", "not a date", ""])
def test_row_51_unknown_age_is_said(client: Client, birth: str | None) -> None:
    changed = patient()
    if birth is None:
        del changed["birthDate"]
    else:
        changed["birthDate"] = birth
    shown = cards(client, order_sign(order(mg=5), prefetch=chart(patient=changed)))
    assert "age" in text_of(shown)


def test_row_51_a_year_is_enough_where_it_decides(client: Client) -> None:
    shown = cards(client, order_sign(prefetch=chart(patient=patient("1940"), kidney=search(egfr(48)))))
    assert "older" in text_of(shown).lower() or "age 8" in text_of(shown)


@pytest.mark.parametrize("died", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-11-01"}])
def test_row_51_no_cards_for_the_deceased(client: Client, died: Json) -> None:
    assert cards(client, severe() | {"prefetch": chart(patient=patient(**died), kidney=search(egfr(20)))}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {
            "verificationStatus": concept(
                "entered-in-error", "", "http://terminology.hl7.org/CodeSystem/condition-ver-status"
            )
        },
        {"verificationStatus": concept("refuted", "", "http://terminology.hl7.org/CodeSystem/condition-ver-status")},
    ],
)
def test_row_52_conditions_that_are_not_true_do_not_count(client: Client, changes: Json) -> None:
    dialysis = condition("Z99.2", "Dependence on renal dialysis")
    assert "renalDialysis" in topics(cards(client, order_sign(prefetch=chart(conditions=search(dialysis)))))
    not_true = condition("Z99.2", "Dependence on renal dialysis", **changes)
    assert "renalDialysis" not in topics(cards(client, order_sign(prefetch=chart(conditions=search(not_true)))))


def test_row_52_a_resolved_dialysis_does_not_count(client: Client) -> None:
    resolved = condition(
        "Z99.2",
        "Dependence on renal dialysis",
        clinicalStatus=concept("resolved", "", "http://terminology.hl7.org/CodeSystem/condition-clinical"),
    )
    assert "renalDialysis" not in topics(cards(client, order_sign(prefetch=chart(conditions=search(resolved)))))


def test_row_53_a_medicine_known_by_its_display_text(client: Client) -> None:
    chart_order = active(
        "m1", OXYCODONE, medicationReference={"reference": "Medication/x", "display": "OXYCODONE 5 MG PO TABS"}
    )
    del chart_order["medicationCodeableConcept"]
    shown = cards(client, order_sign(prefetch=chart(medications=search(chart_order))))
    assert "opioidCoprescription" in topics(shown)


def test_row_53_a_medicine_that_cannot_be_known_is_counted_and_said(client: Client) -> None:
    chart_order = active("m1", OXYCODONE, medicationReference={"reference": "Medication/x"})
    del chart_order["medicationCodeableConcept"]
    shown = cards(client, order_sign(order(mg=5), prefetch=chart(medications=search(chart_order))))
    assert "could not be identified" in text_of(shown)


# --------------------------------------------------------------------------------------------------------------- output


def test_row_83_text_of_the_chart_is_escaped_and_cut(client: Client) -> None:
    prefetch = chart(
        kidney=search(egfr(20)),
        medications=search(active("m1", {"text": f"Oxycodone {NASTY}", "coding": OXYCODONE["coding"]})),
        conditions=search(condition("F20.0", NASTY)),
    )
    drug = BACLOFEN_10 | {"text": f"Baclofen {NASTY} \U0001f600"}
    shown = cards(client, order_sign(order(drug=drug), prefetch=prefetch))
    assert {"renalAvoidSevere", "opioidCoprescription"} <= set(topics(shown))
    for card in shown:
        assert len(card["summary"]) <= 139
        assert len(card.get("detail", "")) < 20_000
        visible = card["summary"] + card.get("detail", "")
        assert "<script" not in visible
        assert not re.search(r"(?<!\\)\[click", visible), "a link made of chart text"
        assert "**bold**" not in visible
        assert "\u202e" not in visible
        assert "\x07" not in visible


def test_row_84_a_failing_check_is_500_and_never_no_cards(shell: Shell) -> None:
    def broken(_: object) -> bytes:
        raise ZeroDivisionError("Jane Doe")

    assert_refused(post(shell(broken), order_sign()), 500, canary="Jane")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("kidney.toml", 'unit = "', 'unit = "x'),
        ("kidney.toml", "[parameters", "[parameterz"),
        ("dosing.toml", "value = ", "valu = "),
        ("kidney_function/card.toml", "sources = [", 'sources = ["E-NOT-THERE", '),
        ("value_sets/index.toml", "[files", "[filez"),
    ],
)
def test_row_84_tampered_content_does_not_start(tmp_path: Path, file: str, old: str, new: str) -> None:
    shutil.copytree(content.HERE, tmp_path / "cards")
    tampered = tmp_path / "cards" / file
    text = tampered.read_text(encoding="utf-8")
    assert old in text
    tampered.write_text(text.replace(old, new, 1), encoding="utf-8")
    start = "from cards import catalogue, terminology; catalogue.Catalogue.load(); terminology.Terminology.load()"
    ended = subprocess.run(  # noqa: S603  # our own interpreter and our own words
        [sys.executable, "-c", start], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert re.match(r"cards\.(content\.ContentError|terminology\.TerminologyError): ", last), last
    assert Path(file).name in last


def test_answers_are_small_json(client: Client) -> None:
    """Nothing of the prefetch comes back: a large chart has no large answer."""
    many = [condition("I10", f"Hypertension {n}", id=f"c{n}") for n in range(500)]
    response = post(client, severe() | {"prefetch": chart(kidney=search(egfr(20)), conditions=search(*many))})
    assert response.status_code == 200
    assert len(response.content) < 30_000
    assert json.loads(response.text)["cards"]

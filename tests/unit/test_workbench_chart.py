"""The chart of the workbench: dates that move, a plot, lists as an EHR shows them, and nothing that breaks it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from cds_service.errors import FieldInvalid
from cds_service.workbench.bundles import patient_of, resources_of
from cds_service.workbench.chart import chart, running_baclofen
from cds_service.workbench.fhir_json import Json
from cds_service.workbench.kidney_plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Point, plot
from cds_service.workbench.page import chart_html
from cds_service.workbench.patients import moved, patients
from tests.conformance.calls import active, allergy, concept, condition, egfr, patient

TODAY = date(2026, 11, 24)
OF = {one.id: one for one in patients(TODAY)}


# ---------------------------------------------------------------------------------------------------------- the dates


def test_all_dates_move_by_the_same_days() -> None:
    written = {
        "timestamp": "2026-11-24T12:00:00Z",
        "entry": [
            {"resource": {"birthDate": "1950-03-01", "effectiveDateTime": "2026-11-20T07:30:00+01:00", "n": 2026}}
        ],
        "text": "on 2026-11-20 it was seen",
    }
    now = moved(json.dumps(written), date(2027, 1, 3))
    assert now["timestamp"] == "2027-01-03T12:00:00Z"
    assert now["entry"][0]["resource"] == {
        "birthDate": "1950-04-10", "effectiveDateTime": "2026-12-30T07:30:00+01:00", "n": 2026,
    }  # fmt: skip
    assert now["text"] == written["text"]


@pytest.mark.parametrize("days", [0, 1, 400, 4000])
def test_ages_and_intervals_stay(days: int) -> None:
    for one in patients(TODAY + timedelta(days=days)):
        then = chart(OF[one.id].chart, TODAY)
        now = chart(one.chart, TODAY + timedelta(days=days))
        assert now.age == then.age
        assert len(now.kidney) == len(then.kidney)


# ---------------------------------------------------------------------------------------------------------- the lists


def test_the_chart_of_one_patient() -> None:
    seen = chart(OF["everything-at-once"].chart, TODAY)
    assert (seen.name, seen.age, seen.sex) == ("Viktor Example", "78 y", "male")
    assert [line.what for line in seen.medicines] == [
        "oxycodone hydrochloride 10 MG Oral Tablet",
        "lorazepam 1 MG Oral Tablet",
    ]
    assert seen.medicines[0].more == "1 tablet by mouth four times daily"
    assert seen.problems[0].date > seen.problems[-1].date
    assert seen.kidney[0].egfr == "34 mL/min/1.73 m²"
    assert seen.plot is not None
    assert (seen.plot.title, seen.plot.newest.value) == ("eGFR", "34")


def test_creatinine_is_plotted_where_no_egfr_was_reported() -> None:
    seen = chart(OF["aud-france"].chart, TODAY)
    assert seen.plot is not None
    assert (seen.plot.title, seen.plot.unit, seen.plot.newest.value) == ("Creatinine", "µmol/L", "71")
    assert seen.kidney[0].creatinine == "71 µmol/L"


def test_what_is_past_stands_behind_what_is_current() -> None:
    resources = [
        active("m1", concept("1", "old"), status="stopped", authoredOn="2026-11-01"),
        active("m2", concept("2", "new"), authoredOn="2020-01-01"),
        condition("J20", "Bronchitis") | {"clinicalStatus": concept("resolved", "Resolved")},
        condition("I10", "Hypertension", recordedDate="2001-01-01"),
        allergy(),
    ]
    seen = chart(resources, TODAY)
    assert [(line.what, line.past) for line in seen.medicines] == [("new", False), ("old", True)]
    assert [(line.what, line.past) for line in seen.problems] == [("Hypertension", False), ("Bronchitis", True)]
    assert (seen.allergies[0].what, seen.allergies[0].more) == ("baclofen", "Urticaria")


def test_running_baclofen_is_what_an_order_may_replace() -> None:
    resources = [*OF["dialysis"].chart, active("x", concept("1049621", "oxycodone"))]
    (one,) = running_baclofen(resources)
    assert one.reference == "MedicationRequest/dialysis-running"
    assert one.label == "baclofen 5 MG Oral Tablet, 5 mg by mouth four times daily"


def test_age_on_the_day_before_the_birthday() -> None:
    assert chart([patient("1954-11-25")], TODAY).age == "71 y"
    assert chart([patient("1954-11-24")], TODAY).age == "72 y"
    assert chart([patient("1954")], TODAY).age == "age not known"


# ----------------------------------------------------------------------------------------------------------- the plot


def test_the_plot_stays_in_its_frame_and_in_order_of_time() -> None:
    points = [Point(TODAY - timedelta(days=90 * n), value, "mL/min") for n, value in enumerate((0, 250, 38, 15))]
    drawn = plot(points, [], TODAY)
    assert drawn is not None
    assert [dot.value for dot in drawn.dots] == ["15", "38", "250", "0"]
    xs = [dot.x for dot in drawn.dots]
    assert xs == sorted(xs)
    assert all(LEFT <= dot.x <= WIDTH - RIGHT and TOP <= dot.y <= HEIGHT - BOTTOM for dot in drawn.dots)


def test_a_plot_needs_a_value_and_mixes_no_units() -> None:
    assert plot([], [], TODAY) is None
    drawn = plot([], [Point(TODAY, 71, "umol/L"), Point(TODAY - timedelta(days=9), 0.9, "mg/dL")], TODAY)
    assert drawn is not None
    assert [dot.value for dot in drawn.dots] == ["71"]


def test_the_plot_is_also_a_table_and_a_sentence() -> None:
    html = chart_html(chart([patient(), egfr(38)], TODAY))
    assert 'role="img" aria-label="eGFR over time: 38 on 2026-11-10. The same values are in the table below."' in html
    assert "<td>2026-11-10</td><td>38 mL/min/1.73 m²</td>" in html
    assert "style=" not in html


# -------------------------------------------------------------------------------------------------- what is brought


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for name, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inside, (*path, name))


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


WHOLE: list[Json] = [
    patient() | {"name": [{"family": "A", "given": ["B"]}]},
    egfr(38),
    active("m", concept("197391", "baclofen")),
    condition("I10", "Hypertension"),
    allergy(),
]


@pytest.mark.parametrize("odd", [None, 5, "x", [], {}, [5], True], ids=repr)
def test_no_shape_of_a_resource_breaks_the_chart(odd: Any) -> None:
    for n, resource in enumerate(WHOLE):
        for path in places(resource):
            if not path or path == ("resourceType",):
                continue
            resources = copy.deepcopy(WHOLE)
            put(resources[n], path, odd)
            assert "Kidney function" in chart_html(chart(resources, TODAY))
            running_baclofen(resources)


def test_references_by_full_url_become_relative() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:p-1", "resource": {"resourceType": "Patient"}},
            {"resource": {"resourceType": "Condition", "id": "c", "subject": {"reference": "urn:uuid:p-1"}}},
            {"resource": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Procedure", "id": "x"}}]}},
            {"resource": "none"},
        ],
    }
    found = resources_of(bundle)
    assert patient_of(found) == "p-1"
    assert [one["resourceType"] for one in found] == ["Patient", "Condition", "Procedure"]
    assert found[1]["subject"] == {"reference": "Patient/p-1"}


@pytest.mark.parametrize("bundle", [None, [], {"resourceType": "Patient"}, {"resourceType": "Bundle", "entry": 5}])
def test_what_is_no_bundle_is_refused(bundle: Any) -> None:
    with pytest.raises(FieldInvalid):
        resources_of(bundle)


def test_at_most_four_years_are_named() -> None:
    old = plot([Point(date(2012, 3, 1), 79, "mL/min")], [], TODAY)
    new = plot([Point(TODAY, 79, "mL/min")], [], TODAY)
    assert old is not None
    assert new is not None
    assert [tick.label for tick in old.columns] == ["2026", "2022", "2018", "2014"]
    assert [tick.label for tick in new.columns] == []

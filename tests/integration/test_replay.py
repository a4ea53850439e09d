"""``baclofen-cds replay`` over a small export: what it says, that it goes on after a break, and on what it runs."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_service.__main__ import main
from cds_service.replay import replay
from cds_service.replay.running import Done, Run, Tasks, Work, in_turn, processes, ray_cluster
from cds_service.replay.work import Site

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
RENAL = "renal-dose-exceeds-limit"


def about(kind: str, patient: str, identity: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": identity, "subject": {"reference": f"Patient/{patient}"}, **elements}


def baclofen(patient: str, identity: str, authored: str, tablets: int) -> dict[str, Any]:
    dose = {"doseQuantity": {"value": tablets, "unit": "tablet"}}
    repeat = {"frequency": 3, "period": 1, "periodUnit": "d"}
    return about(
        "MedicationRequest", patient, identity, status="completed", intent="order", authoredOn=authored,
        medicationReference={"reference": "Medication/baclofen-10"},
        dosageInstruction=[{"doseAndRate": [dose], "timing": {"repeat": repeat}}],
    )  # fmt: skip


def egfr(patient: str, identity: str, taken: str, value: int) -> dict[str, Any]:
    return about(
        "Observation", patient, identity, status="final", effectiveDateTime=taken,
        code={"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
        valueQuantity={"value": value, "unit": "mL/min/{1.73_m2}", "system": UCUM, "code": "mL/min/{1.73_m2}"},
    )  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Ann: 30 mg/day with an eGFR of 45, written in June; the eGFR fell from 95 only in May, so her order of March was
    judged by 95. Bob takes no baclofen."""
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "ann", "birthDate": "1980-02-01", "gender": "female"},
        {"resourceType": "Patient", "id": "bob", "birthDate": "1980-02-01", "gender": "male"},
        {
            "resourceType": "Medication",
            "id": "baclofen-10",
            "code": {"coding": [{"system": RXNORM, "code": "197391"}]},
        },
        baclofen("ann", "march", "2024-03-10", 1),
        baclofen("ann", "june", "2024-06-10", 1),
        baclofen("ann", "some-day", "2024", 1),
        about("MedicationRequest", "bob", "other", status="active", intent="order", authoredOn="2024-01-01",
              medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "314076"}]}),
        egfr("ann", "before", "2024-03-01", 95),
        egfr("ann", "after", "2024-05-20", 45),
        egfr("bob", "his", "2024-05-20", 12),
        about("Condition", "ann", "ms", code={"text": "Multiple sclerosis"}, recordedDate="2020-01-01"),
        about("Procedure", "bob", "visit", status="completed", code={"text": "Office visit"}),
        {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/bob"}},
    ]  # fmt: skip
    folder = tmp_path / "export"
    folder.mkdir()
    for one in resources:
        with (folder / f"{one['resourceType']}.ndjson").open("a") as file:
            file.write(json.dumps(one) + "\n")
    with (folder / "Observation.ndjson").open("a") as file:
        file.write("\n{\n" + json.dumps({"resourceType": "Observation"}) + "\n")
    return folder


def cards(database: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(database) as connection:
        return {(str(at)[:7], rule) for at, rule in connection.execute("SELECT at, rule FROM card")}


def test_each_order_is_judged_by_what_was_known_on_its_day(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["replay", str(export), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 patients with an order for baclofen" in said
    assert "2 signings assessed, 2024-03-10 to 2024-06-10" in said
    assert "1 orders for baclofen tell no day" in said
    shown = cards(out / "replay.sqlite3")
    assert ("2024-06", RENAL) in shown
    assert ("2024-03", RENAL) not in shown
    assert not (out / "work").exists()
    assert "A replay of orders from an export" in (out / "report.html").read_text(encoding="utf-8")


def test_bad_lines_are_named_by_file_and_line(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main(["replay", str(export), "--out", str(out)])
    with (out / "bad-lines.csv").open() as file:
        assert [(row["file"], row["line"], row["reason"]) for row in csv.DictReader(file)] == [
            ("Observation.ndjson", "5", "is not JSON, or its subject is malformed"),
            ("Observation.ndjson", "6", "names no patient"),
        ]


def test_counts_by_month(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main(["replay", str(export), "--out", str(out)])
    with (out / "by-month.csv").open() as file:
        rows = list(csv.DictReader(file))
    signings = [row for row in rows if row["rule"].startswith("all signings")]
    assert {row["month"]: row["cards"] for row in signings} == {"2024-03": "1", "2024-06": "1"}
    assert [(row["month"], row["fired"]) for row in rows if row["rule"] == RENAL] == [("2024-06", "1")]


def test_a_rule_that_is_off_for_a_client_is_off(export: Path, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(
        f'[clients.ehr]\nissuers = ["https://ehr.example"]\nrules_off = ["{RENAL}"]\njwks_file = "k.json"\n'
    )
    out = tmp_path / "out"
    assert main(["replay", str(export), "--out", str(out), "--client", "nobody"]) == 2
    replayed = replay(export, tmp_path / "work", Site(rules_off=frozenset({RENAL})), in_turn, lambda *_: None)
    rows = "".join(file.read_text() for file in (tmp_path / "work").rglob("rows/*"))
    assert replayed[1]["signings"].signings == 2
    assert f'"{RENAL}"' not in rows


def test_it_goes_on_where_it_was_broken_off(export: Path, tmp_path: Path) -> None:
    done: list[Work] = []

    def broken_off(work: Work, tasks: Tasks) -> Done:
        for end, found in in_turn(work, tasks):
            done.append(work)
            yield end, found
            if len(done) == 6:
                raise KeyboardInterrupt

    def counted(work: Work, tasks: Tasks) -> Done:
        for end, found in in_turn(work, tasks):
            done.append(work)
            yield end, found

    with pytest.raises(KeyboardInterrupt):
        replay(export, tmp_path / "work", Site(), broken_off, lambda *_: None)
    again = replay(export, tmp_path / "work", Site(), counted, lambda *_: None)
    in_one_go = replay(export, tmp_path / "other", Site(), in_turn, lambda *_: None)
    # One Medication file, one of orders, six to sort, sixteen shards: each done once.
    assert len(done) == 1 + 1 + 6 + 16
    assert {stage: (one.lines, one.kept, one.bad, one.signings, one.not_dated) for stage, one in again[1].items()} == {
        stage: (one.lines, one.kept, one.bad, one.signings, one.not_dated) for stage, one in in_one_go[1].items()
    }


@pytest.mark.parametrize("on", [lambda: processes(2), lambda: ray_cluster("local")], ids=["processes", "ray"])
def test_the_same_on_several_processes_and_on_ray(
    export: Path, tmp_path: Path, on: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    runs: dict[str, Run] = {"alone": in_turn}
    with on() as together:
        runs["together"] = together
        found = {name: replay(export, tmp_path / name, Site(), run, lambda *_: None)[1] for name, run in runs.items()}
    assert {stage: one.signings for stage, one in found["together"].items()} == {
        stage: one.signings for stage, one in found["alone"].items()
    }
    assert found["together"]["charts"].bad == 2

"""explain shows records, facts with their origin, every outcome, triage and cards; errors as the service would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cds_service.__main__ import main
from tests.conformance.calls import allergy, chart, order_sign, search, survey

FIXTURES = Path(__file__).parents[2] / "fixtures" / "requests"


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACLOFEN_CDS_TODAY", "2026-11-24")


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_every_step_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(FIXTURES / "examples" / "ckd-3b-new-order.json"))
    for heading in ("Records", "Facts", "Case", "Rules", "Triage", "Cards"):
        assert f"\n{heading}\n" in text
    assert "[Observation/egfr-1: LOINC 98979-8]" in text
    assert "[MedicationRequest/draft-1: RxNorm" in text
    assert "FIRED          renal-dose-exceeds-limit: critical" in text
    assert "not indicated  dose-above-labelled-max: 30 mg/day is not above 80 mg/day" in text
    assert "start-dose-too-high: merged into renal-dose-exceeds-limit" in text
    assert "[CRITICAL] Baclofen 30 mg/day with eGFR 38" in text
    assert "-> Change to 2.5 mg TID (7.5 mg/day)" in text


def test_a_captured_request_is_unwrapped(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(FIXTURES / "cds-hooks-sandbox" / "req-order-sign-baclofen-10mg-2-tid.json"))
    assert "60 mg/day" in text


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(explained(capsys, "--json", str(FIXTURES / "examples" / "dialysis-renewal.json")))
    assert whole["kidney"]["tier"] == "KD"
    assert {one["rule"] for one in whole["outcomes"]} >= {"renal-dialysis", "data-unavailable"}
    assert whole["cards"][0]["source"]["topic"]["code"] == "renalDialysis"


def test_without_baclofen_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    text = explained(capsys, str(FIXTURES / "opioid-cds-r4" / "noPrefetch.json"))
    assert "No baclofen order" in text


def test_errors_are_those_of_the_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.json").write_text('{"hook": "order-sign"}')
    assert main(["explain", str(tmp_path / "bad.json")]) == 1
    assert "would answer 400" in capsys.readouterr().err
    assert main(["explain", str(tmp_path / "absent.json")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_allergies_and_observations_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = order_sign(
        prefetch=chart(
            allergies=search(allergy()),
            observations=search(survey("75626-2", 6), survey("82810-3", "LA15173-0"), survey("97607-6", "high")),
        )
    )
    (tmp_path / "request.json").write_text(json.dumps(request))
    text = explained(capsys, str(tmp_path / "request.json"))
    for line in (
        "allergy: baclofen, Urticaria, recorded 2021-03-04  [AllergyIntolerance/a1: RxNorm 1292]",
        "test of drinking: AUDIT-C 6, positive, 2026-11-10  [Observation/survey-75626-2: LOINC 75626-2]",
        "test of drinking: PEth has an answer that is not known, not readable, 2026-11-10",
        "pregnancy status: pregnant, 2026-11-10",
    ):
        assert line in text
    (tmp_path / "request.json").write_text(json.dumps(order_sign(prefetch=chart(allergies=..., observations=...))))
    text = explained(capsys, str(tmp_path / "request.json"))
    assert "allergies: not available: allergy list (the EHR did not send it)" in text
    assert "observations: not available" in text

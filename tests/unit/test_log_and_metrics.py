from __future__ import annotations

import json

import pytest

from cds_service import log, metrics


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.event("call", hook="order-sign", status=200)
    log.event("call", "error", status=500)
    first, second = lines(capsys)
    assert (first["event"], first["level"], first["hook"], first["status"]) == ("call", "info", "order-sign", 200)
    assert second["level"] == "error"


def test_a_field_that_is_not_named_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log.event("call", patient_id="p1", status=200)  # type: ignore[call-arg]
    assert "p1" not in json.dumps(lines(capsys))


def test_an_error_is_logged_by_class_and_place_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise KeyError("Jane Doe")

    with pytest.raises(KeyError) as raised:
        fails()
    log.rule_failed("renal-aki", raised.value)
    (line,) = lines(capsys)
    assert (line["error"], line["rule"], line["level"]) == ("KeyError", "renal-aki", "error")
    assert str(line["raised_at"]).startswith("unit/test_log_and_metrics.py:")
    assert "Jane" not in json.dumps(line)


def test_counters() -> None:
    metrics.call_answered("north", "order-sign", 200, 0.004)
    metrics.card_shown("north", "renal-aki", "critical")
    metrics.rule_failed("renal-aki")
    text = metrics.exposition().decode()
    assert 'baclofen_cds_calls_total{client="north",hook="order-sign",status="200"}' in text
    assert 'baclofen_cds_cards_total{client="north",indicator="critical",rule="renal-aki"}' in text
    assert 'baclofen_cds_rule_errors_total{rule="renal-aki"}' in text
    assert "baclofen_cds_call_seconds_bucket" in text

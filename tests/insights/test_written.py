"""Text, CSV and JSON: the same numbers, hidden alike."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from cards.catalogue import Catalogue
from cds_service.insights.figures import Figures
from cds_service.insights.names import Names
from cds_service.insights.publish import figures
from cds_service.insights.tables import tables
from cds_service.insights.tally import Advice, Tally
from cds_service.insights.written import as_csv, as_json, as_text
from tests.insights.counted import OPIOID, RENAL, TWO_WEEKS, W45, tally

NAMES = Names.of(Catalogue.load())


def found(limit: int = 5, counted: Tally | None = None) -> Figures:
    return figures(counted or tally(), TWO_WEEKS, limit)


def text(limit: int = 5, counted: Tally | None = None) -> str:
    of = found(limit, counted)
    return as_text(of, tables(of, NAMES))


def lines(limit: int = 5) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(as_csv(tables(found(limit), NAMES)))))


def whole(limit: int = 5) -> dict[str, Any]:
    of = found(limit)
    read: dict[str, Any] = json.loads(as_json(of, tables(of, NAMES)))
    return read


def test_text_says_period_target_and_what_is_hidden() -> None:
    said = text()
    assert said.startswith("Baclofen CDS: 2026-11-02 to 2026-11-15, order-sign, all clients\n")
    assert "Numbers from 1 to 4 are shown as <5." in said
    assert "Target of signings with a card: missed." in said
    assert "Small numbers are shown as they are." in text(1)


def test_text_has_a_row_for_each_rule_under_its_headings() -> None:
    (heading,) = (line for line in text(1).splitlines() if line.startswith("  Rule ") and "Fired" in line)
    (row,) = (line for line in text(1).splitlines() if "Opioid together" in line and "14" in line)
    place = heading.index("Fired") + len("Fired")
    assert row[:place].endswith(" 14")
    assert len(row) <= len(heading)


def test_text_of_nothing() -> None:
    said = text(5, Tally())
    assert "No call on a baclofen order is on record" in said
    assert "BESIDES" in said


@pytest.mark.parametrize(("shown", "verdict"), [(30, "met"), (31, "missed")])
def test_the_target_at_its_edge(shown: int, verdict: str) -> None:
    signings = Counter({(W45, Advice.SHOWN): shown, (W45, Advice.NONE): 100 - shown})
    assert f"Target of signings with a card: {verdict}." in text(5, Tally(signings=signings))


def test_csv_has_one_number_a_line() -> None:
    (line,) = (
        one
        for one in lines(1)
        if (one["table"], one["rule"], one["figure"]) == ("became", RENAL, "acceptance")
    )  # fmt: skip
    assert line["indicator"] == "critical"
    assert (line["value"], line["lowest"], line["highest"]) == ("0.3333", "0.3333", "0.3333")
    assert float(line["from"]) == pytest.approx(0.1381, abs=0.0001)  # Wilson, 4 of 12
    assert float(line["to"]) == pytest.approx(0.6094, abs=0.0001)


def test_csv_has_every_rule_by_week() -> None:
    by_week = {
        (one["rule"], one["week"], one["figure"]): one["value"] for one in lines(1) if one["table"] == "rules_by_week"
    }
    assert by_week[RENAL, "2026-W45", "shown"] == "7"
    assert by_week[OPIOID, "2026-W46", "shown"] == "5"


def test_json_says_what_it_is_about() -> None:
    said = whole()
    assert {key: said[key] for key in said if key != "tables"} == {
        "since": "2026-11-02",
        "until": "2026-11-15",
        "client": None,
        "hook": "order-sign",
        "ignoredAfterDays": 7,
        "smallNumber": 5,
    }


def test_json_has_numbers_and_shares() -> None:
    week = whole(1)["tables"]["weeks"][1]
    assert (week["week"], week["signings"], week["with_card"]) == ("2026-W46", 20, 10)
    assert week["share"] == {"lowest": 0.5, "highest": 0.5, "interval": [0.2993, 0.7007]}


def test_no_form_has_a_number_from_1_to_4_that_another_hides() -> None:
    """Every number in JSON and CSV is zero, or not small, or a time, or the words of a range."""

    def numbers(value: Any) -> list[int]:
        if isinstance(value, dict):
            return [found for one in value.values() for found in numbers(one)]
        if isinstance(value, list):
            return [found for one in value for found in numbers(one)]
        return [value] if isinstance(value, int) else []

    assert [number for number in numbers(whole()["tables"]) if 0 < number < 5] == []
    assert '"<5"' in json.dumps(whole())
    counts = [one for one in lines() if not one["from"] and one["table"] != "latency"]
    assert [
        one for one in counts if one["value"] in ("1", "2", "3", "4") or one["lowest"] in ("1", "2", "3", "4")
    ] == []
    assert [one for one in lines() if one["value"] == "<5" and (one["lowest"] or one["highest"])] == []


def test_the_same_numbers_in_every_form() -> None:
    by_csv = {(one["table"], one["rule"], one["indicator"], one["figure"]): one["value"] for one in lines()}
    for row in whole()["tables"]["rules"]:
        for figure in ("fired", "shown", "inside", "held", "silent"):
            assert by_csv["rules", row["rule"], row["indicator"], figure] == str(row[figure])


def test_a_reason_of_another_list_is_not_repeated() -> None:
    assert NAMES.reason("reason-of-another-list") == "A reason of the EHR's own list"
    assert NAMES.offer("change-dose + order-creatinine") == "another dose; order creatinine and eGFR"
    assert NAMES.input("kidney_results") == "kidney results (eGFR, creatinine)"


def test_every_stage_and_suggestion_has_words() -> None:
    from cards.logic import Offer
    from cds_service.course import Stage

    assert [one for one in Offer if NAMES.offer(one.value) == one.value] == []
    assert [one for one in Stage if NAMES.stage(one.value) == one.value and one is not Stage.RULES] == []


def test_a_new_period_without_its_last_week() -> None:
    """The week that is not over is marked."""
    of = replace(TWO_WEEKS, today=TWO_WEEKS.until)
    made = tables(figures(tally(), of, 1), NAMES)
    assert [row[-1] for row in made["weeks"].rows] == ["", "part of it"]

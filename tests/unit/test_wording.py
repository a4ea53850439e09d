"""Words of a card: chart text is inert, summaries stay under 140 code points."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.catalogue import Catalogue
from cards.content import CardText
from cards.facts import ChartText, Input, Missing, Why
from cards.logic import Logic
from cards.outcome import Indicator
from cards.quantities import DailyDose
from cards.wording import _summary, escape, unchecked


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("Percocet [5 mg]", r"Percocet \[5 mg\]"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("[click](javascript:alert(1))", r"\[click\](javascript\:alert(1))"),
        ("see https://evil.example", r"see https\://evil.example"),
        ("www.evil.example", r"www\.evil.example"),
        ("**bold** `code`", r"\*\*bold\*\* \`code\`"),
        ("a & b", "a &amp; b"),
    ],
)
def test_markup_in_chart_text_is_inert(raw: str, written: str) -> None:
    assert escape(raw) == written


@given(st.text())
def test_escaped_text_has_no_raw_html_and_no_active_markdown(raw: str) -> None:
    written = escape(raw)
    assert "<" not in written
    assert "](" not in written.replace(r"\](", "")
    assert "://" not in written.replace(r"\://", "") or not any(s in raw.lower() for s in ("http", "ftp"))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Baclofen\x0010\x1bMG", "Baclofen 10 MG"),
        ("abc\u202edef", "abc def"),
        ("\ud800x", "\ufffdx"),
        ("a\n\n# title", "a # title"),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 80, "x" * 80),
    ],
)
def test_chart_text_is_one_short_line_without_control_characters(raw: str, shown: str) -> None:
    assert ChartText.clean(raw) == shown


def card_text(**summary: str) -> CardText:
    return CardText("r", "R", frozenset({Indicator.INFO}), "f", "All", (), summary, {}, Logic((), (), (), ()))


def test_a_long_summary_takes_its_short_form() -> None:
    text = card_text(default="{drug} with {dose}", default_short="Dose {dose}")
    assert _summary(text, "default", {"drug": "x" * 150, "dose": DailyDose.of(30)}) == "Dose 30 mg/day"


@given(st.text(min_size=0, max_size=400))
def test_a_summary_never_reaches_140_code_points_and_keeps_its_number(drug: str) -> None:
    written = _summary(card_text(default="Review {drug}: {dose}"), "default", {"drug": drug, "dose": DailyDose.of(30)})
    assert len(written) <= 139
    assert "30 mg/day" in written


def test_each_gap_is_said_once_and_each_reason_once() -> None:
    late, unsent = "the EHR did not answer in time", "the EHR did not send it"
    gaps = [
        Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, late),
        Missing(Input.AGE, Why.UNREADABLE, ""),
        Missing(Input.PROBLEMS, Why.NOT_AVAILABLE, unsent),
        Missing(Input.KIDNEY_RESULTS, Why.NOT_AVAILABLE, late),
        Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, late),
        Missing(Input.PROCEDURES, Why.NOT_AVAILABLE, late),
    ]
    assert unchecked(gaps) == (
        "medication list, kidney results (eGFR, creatinine) and procedures (dialysis, transplant) "
        "(each: the EHR did not answer in time); age (unreadable); problem list (the EHR did not send it)"
    )

"""The content reader refuses whatever is not fit to be shown, and says where and how to mend it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cards import content
from cards.catalogue import Catalogue
from cards.content import ContentError, Library, content_version, fill
from cards.facts import Input
from cards.logic import Offer
from cards.outcome import Indicator, NotIndicated
from cards.quantities import DailyDose, Egfr
from cards.rule import Rule


@dataclass(frozen=True, slots=True)
class Limits:
    start_above: DailyDose


RULES = (
    Rule("start-dose-too-high", frozenset({Input.AGE}), lambda case, limits: NotIndicated("start-dose-too-high", "")),
)

GOOD = """
question = "Is the start too high?"
clinical_consequence = "Sedation."
mechanism = "GABA-B."
not_covered = ["children"]
[parameters.start_above]
value = 15
unit = "mg/day"
sources = ["E-LAB-01"]
why = "label start"
[placeholders]
usual = "15 mg/day"
[cards.start-dose-too-high]
title = "Start dose"
indicators = ["warning"]
family = "dose"
overrides = "D"
sources = ["E-LAB-01"]
[cards.start-dose-too-high.logic]
when = ["It is a first order."]
then = ["warning: its first step is above {start_above}, not above {dosing.start_k3:n}."]
suggests = ["change-dose: {start_above}."]
unless = []
[cards.start-dose-too-high.summary]
default = "Baclofen start of {ordered} is high; usual start is {usual}"
[cards.start-dose-too-high.detail]
why = "Because."
[when_unknown.AGE]
not_recorded = "counts as adult"
not_available = "counts as adult"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shared content with one question of its own."""
    cards = tmp_path / "cards"
    (cards / "dose").mkdir(parents=True)
    for name in ("evidence", "sentences", "override_reasons", "kidney", "case", "dosing"):
        shutil.copy(content.HERE / f"{name}.toml", cards / f"{name}.toml")
    monkeypatch.setattr(content, "HERE", cards)
    return cards / "dose"


def load(folder: Path, text: str) -> content.Question:
    (folder / "card.toml").write_text(text)
    return Library().load_question(folder, RULES, Limits)


def test_good_content_is_loaded_with_its_unit(folder: Path) -> None:
    question = load(folder, GOOD)
    assert question.limits == Limits(DailyDose.of(15))
    assert question.parameters[0].sources == ("E-LAB-01",)


def test_sentences_of_a_rule_carry_its_own_and_the_shared_numbers(folder: Path) -> None:
    logic = load(folder, GOOD.replace("value = 15", "value = 17.5")).cards["start-dose-too-high"].logic
    assert logic is not None
    assert logic.then == ((Indicator.WARNING, "its first step is above 17.5 mg/day, not above 7.5."),)
    assert logic.suggests == ((Offer.CHANGE_DOSE, "17.5 mg/day."),)


@pytest.mark.parametrize(
    ("old", "new", "table", "cure"),
    [
        ('unit = "mg/day"', "", "parameters.start_above", "name the unit"),
        ('unit = "mg/day"', 'unit = "mg"', "parameters.start_above", "fix the unit"),
        ('unit = "mg/day"', 'unit = "tablets"', "parameters.start_above", "name the unit"),
        (
            'value = 15\nunit = "mg/day"\nsources = ["E-LAB-01"]',
            'value = 15\nunit = "mg/day"',
            "parameters.start_above",
            "name an entry",
        ),
        ('sources = ["E-LAB-01"]\nwhy', 'sources = ["E-NO-99"]\nwhy', "parameters.start_above", "add it there first"),
        ('why = "label start"', "", "parameters.start_above", "write why"),
        ('why = "label start"', 'why = "x"\nmax = 3', "parameters.start_above", "use only"),
        ("[parameters.start_above]", "[parameters.other_above]", "parameters", "make both name the same parameters"),
        (
            "[cards.start-dose-too-high]\n",
            "[cards.start-dose-too-high]\ncolour = 'red'\n",
            "cards.start-dose-too-high",
            "use only",
        ),
        (
            'overrides = "D"\nsources = ["E-LAB-01"]',
            'overrides = "D"\nsources = ["E-REN-18"]',
            "cards.start-dose-too-high",
            "do not cite it",
        ),
        ('overrides = "D"', 'overrides = "X"', "cards.start-dose-too-high", "use one of"),
        ("{usual}", "{unusual}", "cards.start-dose-too-high.summary.default", "declare them in [placeholders]"),
        ('usual = "15 mg/day"', f'usual = "{"x" * 120}"', "cards.start-dose-too-high.summary.default", "shorten it"),
        ("[when_unknown.AGE]", "[when_unknown.SEX]", "when_unknown", "one table per input read"),
        ('not_available = "counts as adult"', "", "when_unknown.AGE", "write not_available"),
        ('question = "Is the start too high?"', "", "", "write question"),
        (
            "above {start_above}, not",
            "above 15 mg/day, not",
            "cards.start-dose-too-high.logic",
            "write the {parameter}",
        ),
        ("{dosing.start_k3:n}", "{dosing.start_k9:n}", "cards.start-dose-too-high.logic", "name one of this file"),
        ('then = ["warning', 'then = ["critical', "cards.start-dose-too-high.logic", "name the same indicators"),
        ('["warning: its', '["its', "cards.start-dose-too-high.logic", "begin it with one of"),
        ("change-dose:", "lower-dose:", "cards.start-dose-too-high.logic", "begin it with one of"),
        ('when = ["It is a first order."]', "when = []", "cards.start-dose-too-high.logic", "write at least one"),
        ("[cards.start-dose-too-high.logic]", "[ignored]", "", "use only"),
        ("unless = []", "", "cards.start-dose-too-high.logic", "write when, then"),
    ],
)
def test_unfit_content_is_refused_with_place_and_cure(folder: Path, old: str, new: str, table: str, cure: str) -> None:
    assert old in GOOD
    with pytest.raises(ContentError) as error:
        load(folder, GOOD.replace(old, new, 1))
    assert f"cards/dose/card.toml [{table}]" in str(error.value)
    assert cure in str(error.value)


def test_summary_of_139_code_points_is_allowed_and_one_more_is_not(folder: Path) -> None:
    def with_length(length: int) -> str:
        fixed = len("Baclofen start of 172.5 mg/day is high; usual start is ")
        return GOOD.replace('usual = "15 mg/day"', f'usual = "{"x" * (length - fixed)}"')

    load(folder, with_length(139))
    with pytest.raises(ContentError, match="can reach 140 characters"):
        load(folder, with_length(140))


def test_broken_toml_names_the_file(folder: Path) -> None:
    with pytest.raises(ContentError, match=r"cards/dose/card.toml .* cannot be read"):
        load(folder, "question = ")


def test_fill_writes_a_quantity_with_its_unit_and_its_bare_number() -> None:
    assert fill("{dose} at {egfr:n}", {"dose": DailyDose.of("7.50"), "egfr": Egfr.of(38)}) == "7.5 mg/day at 38"


def test_content_version_changes_with_any_content_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("x = 1")
    before = content_version(tmp_path)
    (tmp_path / "a.toml").write_text("x = 2")
    assert content_version(tmp_path) != before


def test_every_card_names_its_indicators_and_a_family() -> None:
    for question in Catalogue.load().questions:
        for text in question.cards.values():
            assert text.indicators, text.rule
            assert text.family, text.rule

"""The dose that a card advises is whole in its words: no EHR need apply a suggestion for it."""

from __future__ import annotations

from functools import cache

import pytest

from cards.catalogue import Catalogue
from cards.dose_in_words import in_words, instead
from cards.outcome import ChangeDose, OrderTest, Regimen, Taper, TaperStep, Test, WithdrawOrder
from cards.quantities import Days, SingleDose
from cards.vignettes import Vignette, all_vignettes, facts_of


def regimen(*doses: str) -> Regimen:
    return Regimen(tuple(SingleDose.of(dose) for dose in doses))


@pytest.mark.parametrize(
    ("doses", "words"),
    [
        (["2.5"], "2.5 mg once a day (2.5 mg/day)"),
        (["5", "5"], "5 mg twice a day (10 mg/day)"),
        (["2.5", "2.5", "2.5"], "2.5 mg three times a day (7.5 mg/day)"),
        (["20"] * 4, "20 mg four times a day (80 mg/day)"),
        (["10", "5"], "10 mg in the morning, 5 mg at night (15 mg/day)"),
        (["10", "5", "10"], "10 mg in the morning, 5 mg in the afternoon, 10 mg at night (25 mg/day)"),
        (
            ["20", "15", "15", "20"],
            "20 mg in the morning, 15 mg in the afternoon, 15 mg in the evening, 20 mg at night (70 mg/day)",
        ),
    ],
)
def test_a_regimen(doses: list[str], words: str) -> None:
    assert in_words(regimen(*doses)) == words


STEPS = (
    TaperStep(regimen("10", "5"), Days.of(7)),
    TaperStep(regimen("5", "5"), Days.of(7)),
    TaperStep(regimen("5"), Days.of(1)),
)


def test_what_to_order_instead() -> None:
    change = ChangeDose(regimen("2.5", "2.5"), "if unavoidable, after dialysis")
    needs = "– needs 5 mg tablets or a liquid"
    assert instead([change]) == f"2.5 mg twice a day (5 mg/day), if unavoidable, after dialysis {needs}"
    assert instead([ChangeDose(regimen("10", "7.5"))]).endswith(needs)
    assert instead([ChangeDose(regimen("5")), WithdrawOrder(), change]) == (
        f"5 mg once a day (5 mg/day); or 2.5 mg twice a day (5 mg/day), if unavoidable, after dialysis {needs}"
    )
    assert instead([WithdrawOrder(), OrderTest(Test.CREATININE)]) == ""
    assert instead([]) == ""


def test_a_taper_has_each_step_with_its_length() -> None:
    down = "10 mg in the morning, 5 mg at night (15 mg/day) for 7 days, then 5 mg twice a day (10 mg/day)"
    assert instead([Taper(STEPS, stays_at_last=False)]) == (
        f"{down} for 7 days, then 5 mg once a day (5 mg/day) for 1 day, then stop"
    )
    assert instead([Taper(STEPS[:2], stays_at_last=True)]) == f"{down} from then on"
    ends_at_none = (*STEPS[:1], TaperStep(regimen(), Days.of(7)))
    assert instead([Taper(ends_at_none, stays_at_last=False)]).endswith("(15 mg/day) for 7 days, then stop")


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_every_dose_that_a_card_proposes_stands_in_its_words(vignette: Vignette) -> None:
    for card in catalogue().assess(facts_of(vignette.given)).triaged.cards:
        detail = catalogue().words.of(card).detail
        for proposal in card.proposals:
            match proposal:
                case ChangeDose(regimen=change, note=note):
                    assert in_words(change) in detail
                    assert note in detail
                case Taper(steps=steps):
                    for step in steps:
                        assert not step.regimen.daily.value or in_words(step.regimen) in detail
        assert detail.count("**Order instead:**") <= 1

"""All vignettes against the pure rules: order kind, kidney tier, cards, suggestions, what was merged."""

from __future__ import annotations

from functools import cache

import pytest

from cards.case import Kind
from cards.catalogue import Catalogue
from cards.kidney import KidneyFunction
from cards.outcome import (
    ChangeDose,
    CoPrescribeNaloxone,
    LimitSupply,
    OrderTest,
    Proposal,
    StopExisting,
    Taper,
    WithdrawOrder,
)  # fmt: skip
from cards.outcome import Test as LabTest
from cards.triage import SUMMARY_CARD, ShownCard
from cards.vignettes import Vignette, all_vignettes, facts_of


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


def needed_rules(vignette: Vignette) -> set[str]:
    return {
        rule
        for card in vignette.expect["cards"]
        for rule in (card["rule"], *card.get("merged", ()), *card.get("contains", ()))
    } - {SUMMARY_CARD}


def test_there_are_the_80_vignettes_of_the_rules_and_each_number_once() -> None:
    numbers = [vignette.number for vignette in all_vignettes()]
    assert numbers == [f"V{n:02}" for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 80


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_vignette(vignette: Vignette) -> None:
    if missing := needed_rules(vignette) - catalogue().texts.keys():
        pytest.skip(f"needs the rules {sorted(missing)}, which come with a later release")
    found = catalogue().assess(facts_of(vignette.given))
    case, expect = found.cases[0], vignette.expect
    assert case.kind is Kind(expect["kind"])
    assert isinstance(found.kidney, KidneyFunction)
    if "tier" in expect:
        assert found.kidney.tier.value == expect["tier"]
    if "egfr" in expect:
        assert found.kidney.egfr is not None
        assert f"{found.kidney.egfr:n}" == str(expect["egfr"])
    assert (found.kidney.acute is not None) == expect.get("acute", False)
    assert found.kidney.stale == expect.get("stale", False)
    assert [as_expected(card) for card in found.triaged.cards] == [_sorted(card) for card in expect["cards"]]
    assert not found.broken


def as_expected(card: ShownCard) -> dict[str, object]:
    shown: dict[str, object] = {
        "rule": card.rule,
        "indicator": str(card.indicator),
        "suggestions": sorted(in_words(proposal, card) for proposal in card.proposals),
    }
    others = sorted(finding.rule for finding in card.merged)
    if others:
        shown["contains" if card.rule == SUMMARY_CARD else "merged"] = others
    return shown


def _sorted(card: dict[str, object]) -> dict[str, object]:
    return {key: sorted(value) if isinstance(value, list) else value for key, value in card.items()}


def in_words(proposal: Proposal, card: ShownCard) -> str:  # noqa: C901  # one line for each kind of proposal
    """The proposal in the words of the vignettes."""
    match proposal:
        case ChangeDose(regimen=regimen, note="if unavoidable"):
            return f"alternative if unavoidable: update draft to {regimen}"
        case ChangeDose(regimen=regimen, note="if unavoidable, after dialysis"):
            return f"alternative if unavoidable: update draft to {regimen} after dialysis"
        case ChangeDose(regimen=regimen, note=note):
            return f"update draft to {regimen}{f' ({note})' if note else ''}"
        case Taper(steps=steps) if card.case.kind is Kind.STOP:
            return f"replace stop by taper, first step {steps[0].regimen}"
        case Taper(steps=steps) if card.rule == "large-dose-reduction":
            return f"update draft to {steps[0].regimen}"
        case Taper(steps=steps):
            return f"update draft to taper, first step {steps[0].regimen}"
        case WithdrawOrder():
            return "delete the stop order" if card.rule == "abrupt-discontinuation" else "delete draft"
        case StopExisting():
            return "mark draft as replacement and stop the existing order"
        case OrderTest(test=LabTest.CREATININE):
            return "create ServiceRequest creatinine+eGFR"
        case OrderTest(test=LabTest.CYSTATIN_C):
            return "create ServiceRequest cystatin C"
        case CoPrescribeNaloxone():
            return "create MedicationRequest naloxone 4 mg nasal"
        case LimitSupply(supply=days):
            return f"limit supply to {days}"
    raise AssertionError(proposal)

"""Triage: merging, order, limits, one dose set (rules.md section 7)."""

from __future__ import annotations

from dataclasses import replace

from cards.facts import Hook
from cards.kidney import KidneyFunction, Tier
from cards.outcome import (
    ChangeDose,
    CoPrescribeNaloxone,
    Finding,
    Indicator,
    LimitSupply,
    OrderTest,
    Proposal,
    Regimen,
    Test,
    WithdrawOrder,
)  # fmt: skip
from cards.quantities import Days, SingleDose
from cards.triage import SUMMARY_CARD, Triaged, triage
from tests.unit.cases import make_case

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
START = ChangeDose(Regimen((SingleDose.of(5),) * 2))
OTHER = ChangeDose(Regimen((SingleDose.of(5),) * 3))
LAB = OrderTest(Test.CREATININE)


def finding(rule: str, indicator: Indicator, *proposals: Proposal) -> Finding:
    return Finding(rule, indicator, "default", (), proposals=proposals)


def sorted_out(*findings: Finding, tier: Tier = Tier.K1, hook: Hook = Hook.ORDER_SIGN, acute: bool = False) -> Triaged:
    case = make_case(tier=tier)
    if acute:
        assert isinstance(case.kidney, KidneyFunction)
        from cards.kidney import AcuteInjury

        case = replace(case, kidney=replace(case.kidney, acute=AcuteInjury(None, None, "diagnosis")))
    return triage([(case, one) for one in findings], hook)


def shown(found: Triaged) -> list[tuple[str, Indicator]]:
    return [(card.rule, card.indicator) for card in found.cards]


def test_one_card_per_family_led_by_the_higher_indicator() -> None:
    found = sorted_out(finding("dosing-interval", INFO), finding("titration-too-fast", WARNING))
    assert shown(found) == [("titration-too-fast", WARNING)]
    assert [one.rule for one in found.dropped] == ["dosing-interval"]


def test_equal_indicators_lead_in_the_order_of_the_rules() -> None:
    found = sorted_out(finding("titration-too-fast", WARNING), finding("dose-above-labelled-max", WARNING))
    assert found.cards[0].rule == "dose-above-labelled-max"


def test_a_start_above_the_maximum_is_led_by_the_start_card() -> None:
    found = sorted_out(finding("dose-above-labelled-max", CRITICAL), finding("start-dose-too-high", CRITICAL, START))
    assert found.cards[0].rule == "start-dose-too-high"
    assert found.cards[0].proposals == (START,)


def test_acute_injury_leads_the_renal_family() -> None:
    found = sorted_out(
        finding("renal-avoid-severe", CRITICAL, START), finding("renal-aki", CRITICAL), tier=Tier.K4, acute=True
    )
    assert found.cards[0].rule == "renal-aki"
    assert found.cards[0].proposals == ()


def test_reduced_kidneys_absorb_the_dose_family_and_take_its_indicator() -> None:
    found = sorted_out(
        finding("renal-dose-exceeds-limit", WARNING), finding("start-dose-too-high", CRITICAL, OTHER), tier=Tier.K3A
    )
    assert shown(found) == [("renal-dose-exceeds-limit", CRITICAL)]
    assert found.cards[0].proposals == (), "a dose of an absorbed card does not survive"


def test_at_k2_the_dose_card_absorbs_the_renal_info() -> None:
    found = sorted_out(finding("renal-dose-exceeds-limit", INFO), finding("titration-too-fast", WARNING), tier=Tier.K2)
    assert shown(found) == [("titration-too-fast", WARNING)]


def test_suggestions_that_are_not_doses_survive_absorption() -> None:
    found = sorted_out(
        finding("large-dose-reduction", WARNING, OTHER), finding("renal-avoid-severe", INFO, LAB, START), tier=Tier.K4
    )
    assert found.cards[0].proposals == (OTHER, LAB)


def test_older_adult_start_moves_to_a_renal_card_without_a_dose_of_its_own() -> None:
    found = sorted_out(
        finding("renal-function-unknown", WARNING, LAB), finding("older-adult-caution", INFO, START), tier=Tier.UNKNOWN
    )
    assert found.cards[0].proposals == (LAB, START)


def test_no_tier_dose_moves_to_a_card_of_acute_injury() -> None:
    found = sorted_out(
        finding("renal-aki", CRITICAL, WithdrawOrder()),
        finding("older-adult-caution", INFO, START),
        tier=Tier.K2,
        acute=True,
    )
    assert found.cards[0].proposals == (WithdrawOrder(),)


def test_a_warning_of_older_adults_is_not_absorbed_by_the_opioid_card() -> None:
    found = sorted_out(finding("opioid-coprescription", WARNING), finding("older-adult-caution", WARNING))
    assert shown(found) == [("opioid-coprescription", WARNING), ("older-adult-caution", WARNING)]


def test_one_dose_set_the_renal_family_owns_it() -> None:
    found = sorted_out(
        finding("opioid-coprescription", CRITICAL, CoPrescribeNaloxone(), START),
        finding("renal-function-unknown", WARNING, OTHER),
        tier=Tier.UNKNOWN,
    )
    assert [card.proposals for card in found.cards] == [(CoPrescribeNaloxone(),), (OTHER,)]


def test_a_suggestion_that_is_not_a_dose_is_shown_once_on_the_highest_card() -> None:
    found = sorted_out(
        finding("self-harm-risk", WARNING, LimitSupply(Days.of(7))),
        finding("opioid-coprescription", CRITICAL, LimitSupply(Days.of(7))),
    )
    assert [len(card.proposals) for card in found.cards] == [1, 0]


def test_every_critical_is_shown() -> None:
    rules = (
        "baclofen-hypersensitivity",
        "abrupt-discontinuation",
        "opioid-coprescription",
        "duplicate-baclofen",
        "paediatric",
    )
    found = sorted_out(*(finding(rule, CRITICAL) for rule in rules))
    assert shown(found) == [
        (rule, CRITICAL)
        for rule in (
            "baclofen-hypersensitivity",
            "abrupt-discontinuation",
            "opioid-coprescription",
            "duplicate-baclofen",
            "paediatric",
        )
    ]


def test_the_fourth_warning_goes_to_the_summary_card_which_keeps_its_level() -> None:
    found = sorted_out(
        finding("cns-depressant-load", WARNING), finding("self-harm-risk", WARNING),
        finding("seizure-disorder", WARNING), finding("alcohol-interaction", WARNING),
    )  # fmt: skip
    assert shown(found)[3] == (SUMMARY_CARD, WARNING)
    assert [one.rule for one in found.cards[3].merged] == ["alcohol-interaction"]


def test_a_single_info_without_a_suggestion_is_shown_as_itself() -> None:
    assert shown(sorted_out(finding("older-adult-caution", INFO))) == [("older-adult-caution", INFO)]


def test_two_infos_without_a_suggestion_become_one_summary_card() -> None:
    found = sorted_out(finding("psychiatric-history", INFO), finding("older-adult-caution", INFO))
    assert shown(found) == [(SUMMARY_CARD, INFO)]


def test_infos_with_a_suggestion_and_the_data_cards_are_shown_themselves() -> None:
    found = sorted_out(
        finding("renal-recheck", INFO, LAB),
        finding("data-unavailable", INFO),
        finding("order-dose-unparseable", INFO),
        tier=Tier.K3A,
    )
    assert [rule for rule, _ in shown(found)] == ["renal-recheck", "order-dose-unparseable", "data-unavailable"]


def test_order_select_shows_warnings_and_criticals_only() -> None:
    found = sorted_out(
        finding("opioid-coprescription", WARNING), finding("psychiatric-history", INFO), hook=Hook.ORDER_SELECT
    )
    assert shown(found) == [("opioid-coprescription", WARNING)]


def test_nothing_found_is_no_card() -> None:
    assert sorted_out() == Triaged((), ())

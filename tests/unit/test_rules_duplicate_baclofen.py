"""rules.md 3.3, 5.9: duplicate-baclofen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cards.case import Case, Kind
from cards.duplicate_baclofen.rule import Limits, duplicate_baclofen
from cards.facts import (
    ChartBaclofen,
    ChartText,
    Dose,
    Input,
    MedicationList,
    Missing,
    Origin,
    PumpDose,
    Route,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cards.kidney import AcuteInjury, Tier
from cards.outcome import CannotAssess, Finding, Outcome, StopExisting, WithdrawOrder
from cards.quantities import IntrathecalDose
from tests.unit.cases import level, make_case, mg, not_available, oral, written

AKI = AcuteInjury(None, None, "a diagnosis")
UNREAD = Unreadable("free text")


def existing(dose: Dose | str = "20 mg TID", number: int = 1, **changes: Any) -> ChartBaclofen:
    given: dict[str, Any] = {
        "reference": f"MedicationRequest/old{number}", "label": ChartText("Baclofen 20 MG Oral Tablet"),
        "route": Route.ORAL, "dose": oral(dose) if isinstance(dose, str) else dose, "standing": Standing.ACTIVE,
        "since": date(2026, 9, 24), "supply_ends": None, "ended": False, "prescriber": None,
        "origin": Origin("MedicationRequest/old"),
    }  # fmt: skip
    return ChartBaclofen(**(given | changes))


PUMP = existing(PumpDose(IntrathecalDose.of(400)), route=Route.INTRATHECAL, label=ChartText("baclofen pump"))


def judge(*beside: ChartBaclofen, **given: Any) -> Outcome:
    return duplicate_baclofen(case_of(*beside, **given), Limits())


def case_of(*beside: ChartBaclofen, **given: Any) -> Case:
    """The current dose is what is beside, as ``read_cases`` makes it when nothing is replaced."""
    readable = [entry.dose for entry in beside if not isinstance(entry.dose, Unreadable | PumpDose)]
    total = sum((dose.highest.value for dose in readable), start=mg(0).value) if len(readable) == len(beside) else None
    current = None if total is None else float(total)
    chart = MedicationList(baclofen=beside)
    return make_case(**({"beside": beside, "current": current, "medications": chart} | given))


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


@pytest.mark.parametrize(
    ("chart", "ordered", "expected"),
    [("20 mg TID", 20, "warning"), ("20 mg TID", 20.5, "critical"), ("5 mg TID", 15, "warning")],
)
def test_critical_above_eighty_in_total(chart: str, ordered: float, expected: str) -> None:
    assert level(judge(existing(chart), ordered=ordered)) == expected


@pytest.mark.parametrize(
    ("tier", "age", "limit"),
    [
        (Tier.K1, 50, 80), (Tier.K2, 80, 80), (Tier.UNKNOWN, 50, 80), (Tier.K3A, 64, 40), (Tier.K3B, 64, 40),
        (Tier.K3A, 65, 15), (Tier.K3B, 65, 15), (Tier.K4, 50, 7.5), (Tier.K5, 50, 5), (Tier.DIALYSIS, 50, 2.5),
        (Tier.CHILD, 10, 80),
    ],
)  # fmt: skip
def test_the_limit_is_that_of_kidneys_and_age(tier: Tier, age: int, limit: float) -> None:
    at, over = limit - 1, limit - 0.5
    assert level(judge(existing("1 mg daily"), ordered=at, tier=tier, age=age)) == "warning"
    assert level(judge(existing("1 mg daily"), ordered=over, tier=tier, age=age)) == "critical"


def test_two_orders_on_the_chart_add_up() -> None:
    outcome = found(judge(existing("10 mg TID"), existing("10 mg TID", 2), ordered=21))
    assert outcome.values["sum"] == mg(81)
    assert level(outcome) == "critical"
    assert outcome.proposals == (WithdrawOrder(),), "which of two is replaced is not ours to say"


def test_the_step_of_a_running_taper_counts_not_its_highest() -> None:
    taper = existing("20 mg TID x30 d, then 10 mg TID x60 d, then 5 mg TID")
    assert found(judge(taper, ordered=30)).values["sum"] == mg(60)


def test_replace_or_remove() -> None:
    assert found(judge(existing(), ordered=60)).proposals == (StopExisting("MedicationRequest/old1"), WithdrawOrder())
    assert found(judge(existing(), ordered=60, acute=AKI)).proposals == (WithdrawOrder(),)


def test_nothing_is_offered_that_could_lower_a_dose_that_nobody_could_read() -> None:
    outcome = found(judge(existing(UNREAD), ordered=60))
    assert (str(outcome.indicator), outcome.summary, outcome.proposals) == ("warning", "sum_unknown", ())
    assert "S-CURRENT-UNKNOWN" in outcome.detail
    assert [gap.what for gap in outcome.unchecked] == [Input.MEDICATIONS]
    ordered_unread = found(judge(existing(), ordered=UNREAD))
    assert ordered_unread.proposals == (WithdrawOrder(),)
    assert [gap.what for gap in ordered_unread.unchecked] == [Input.ORDER]


def test_nothing_is_offered_where_the_draft_replaces_another_order() -> None:
    outcome = found(judge(existing(), ordered=60, replaced=(existing(number=2),)))
    assert (level(outcome), outcome.proposals) == ("critical", ())


def test_a_running_pump_is_never_touched() -> None:
    first = found(duplicate_baclofen(make_case(medications=MedicationList(baclofen=(PUMP,))), Limits()))
    assert (str(first.indicator), first.summary, first.proposals) == ("warning", "pump", (WithdrawOrder(),))
    renewal = make_case(medications=MedicationList(baclofen=(PUMP,)), ordered=30, current=30)
    assert found(duplicate_baclofen(renewal, Limits())).proposals == ()
    unread = make_case(medications=MedicationList(baclofen=(PUMP,)), current=None)
    assert found(duplicate_baclofen(unread, Limits())).proposals == ()
    for changes in ({"standing": Standing.ON_HOLD}, {"ended": True}):
        idle = make_case(medications=MedicationList(baclofen=(replace(PUMP, **changes),)))
        assert level(duplicate_baclofen(idle, Limits())) == "silent"


def test_two_drafts_are_said_once_as_information() -> None:
    case = make_case()
    two = replace(case, orders=(*case.orders, *case.orders))
    outcome = found(duplicate_baclofen(two, Limits()))
    assert (str(outcome.indicator), outcome.summary, outcome.proposals) == ("info", "drafts", ())
    with_stop = replace(case, orders=(*case.orders, replace(case.order, stops=True)))
    assert level(duplicate_baclofen(with_stop, Limits())) == "silent"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ordered": None}, "silent"), ({"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL}, "silent"),
        ({"ordered": 30}, "critical"), ({"ordered": 60, "since_change": 300}, "critical"), ({"ordered": 5}, "warning"),
    ],
)  # fmt: skip
def test_by_kind(given: dict[str, Any], expected: str) -> None:
    assert level(judge(existing(), **given)) == expected


def test_a_list_that_was_not_read_never_says_that_there_is_no_second_order() -> None:
    unread = not_available(Input.MEDICATIONS)
    assert judge(medications=unread, current=None) == CannotAssess("duplicate-baclofen", (unread,))
    assert level(judge(medications=MedicationList(incomplete="further pages were not read"))) == "cannot assess"
    assert level(judge(medications=MedicationList())) == "silent"
    assert level(judge(medications=unread, ordered=None, current=None)) == "silent"


def test_an_order_whose_predecessor_is_lost_cannot_be_assessed() -> None:
    assert level(judge(medications=MedicationList(), current=None)) == "cannot assess"


def test_unread_kidneys_are_named_unless_it_is_critical_already() -> None:
    unread = not_available(Input.KIDNEY_RESULTS)
    assert found(judge(existing("5 mg TID"), ordered=15, kidney=unread)).unchecked == (unread,)
    assert found(judge(existing(), ordered=60, kidney=unread)).unchecked == ()


@pytest.mark.parametrize(
    "beside", [(existing(),), (existing(UNREAD),), (existing(prescriber=ChartText("Dr Grey")), PUMP)]
)
@pytest.mark.parametrize("ordered", [15, 60, UNREAD])
def test_every_card_can_be_written(beside: tuple[ChartBaclofen, ...], ordered: float | Unreadable) -> None:
    case = case_of(*beside, ordered=ordered)
    written(case, found(duplicate_baclofen(case, Limits())))


def test_each_card_has_only_its_own_paragraphs() -> None:
    own = {"oral", "total", "total_unread", "over", "pump", "drafts", "replace"}

    def said(outcome: Outcome) -> set[str]:
        return own & set(found(outcome).detail)

    assert said(judge(existing("5 mg TID"), ordered=15)) == {"oral", "total", "replace"}
    assert said(judge(existing(), ordered=60)) == {"oral", "total", "over", "replace"}
    assert said(judge(existing(UNREAD), ordered=60)) == {"oral", "total_unread", "replace"}
    assert said(duplicate_baclofen(make_case(medications=MedicationList(baclofen=(PUMP,))), Limits())) == {"pump"}
    unread = make_case(ordered=UNREAD, medications=MedicationList(baclofen=(PUMP,)))
    assert said(duplicate_baclofen(unread, Limits())) == {"pump"}


def test_the_card_names_dose_date_and_prescriber_of_the_other_order() -> None:
    case = case_of(existing(prescriber=ChartText("Dr Grey")), ordered=60)
    words = written(case, found(duplicate_baclofen(case, Limits())))
    assert words.summary == "Second baclofen order: 120 mg/day in total if both are taken"
    assert "Baclofen 20 MG Oral Tablet, 60 mg/day, since 2026-09-24, by Dr Grey" in words.detail


def test_a_missing_reason_names_the_other_order() -> None:
    gap = found(judge(existing(UNREAD), ordered=15)).unchecked[-1]
    assert isinstance(gap, Missing)
    assert (gap.what, gap.why) == (Input.MEDICATIONS, Why.UNREADABLE)

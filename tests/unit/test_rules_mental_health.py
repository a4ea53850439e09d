"""rules.md 5.6: psychiatric-history and self-harm-risk."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.case import Indication, Kind
from cards.facts import Allergy, ChartText, Input, Origin, Problem, ProblemEntry, ProblemList, Route, Unreadable
from cards.mental_health.rule import RULES, Limits, psychiatric_history, self_harm_risk
from cards.outcome import CannotAssess, Finding, Indicator, LimitSupply, Outcome
from cards.quantities import Days
from tests.unit.cases import NOW, limits_of, make_case, not_available, problem, written

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
CUT_SHORT = "further pages were not read"
AUD = Indication.ALCOHOL_USE_DISORDER
UNREAD = Unreadable("free text")
NO_DOSE = Unreadable("no dose yet", given=False)
KINDS = [Problem.PSYCHOSIS, Problem.BIPOLAR, Problem.DELIRIUM_HALLUCINATION, Problem.DEPRESSION, Problem.SUICIDALITY]


def limits() -> Limits:
    read: Limits = limits_of("mental_health/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def history(*problems: Problem | ProblemEntry, **given: Any) -> Outcome:
    return psychiatric_history(make_case(problems=problems, **given), limits())


def self_harm(*problems: Problem | ProblemEntry, **given: Any) -> Outcome:
    return self_harm_risk(make_case(problems=problems, **given), limits())


def level(outcome: Outcome) -> Indicator | None:
    assert not isinstance(outcome, CannotAssess), outcome
    return outcome.indicator if isinstance(outcome, Finding) else None


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


def renewal(daily: float, days: int) -> dict[str, Any]:
    return {"ordered": daily, "current": daily, "since_change": days}


PUMP: dict[str, Any] = {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL, "ordered": 90}
ATTEMPT = problem(Problem.SUICIDALITY, recorded=ago(150))


# -------------------------------------------------------------------------------------------- psychiatric history


@pytest.mark.parametrize(
    ("daily", "by_order", "when_stable"),
    [
        (5, INFO, None),
        (30, INFO, None),
        (30.5, WARNING, INFO),
        (80, WARNING, INFO),
        (80.5, CRITICAL, CRITICAL),
    ],
)
def test_history_by_dose(daily: float, by_order: Indicator, when_stable: Indicator | None) -> None:
    assert level(history(Problem.BIPOLAR, ordered=daily)) is by_order
    assert level(history(Problem.BIPOLAR, ordered=daily, current=1)) is by_order
    assert level(history(Problem.BIPOLAR, **renewal(daily, 29))) is by_order
    assert level(history(Problem.BIPOLAR, **renewal(daily, 30))) is when_stable


def test_the_highest_step_decides() -> None:
    assert level(history(Problem.PSYCHOSIS, ordered="5 mg TID x7 d, then 15 mg TID")) is WARNING


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (problem(Problem.PSYCHOSIS), "psychosis"),
        (problem(Problem.BIPOLAR, active=False, recorded=ago(9000)), "bipolar disorder"),
        (problem(Problem.DELIRIUM_HALLUCINATION, active=False), "delirium or hallucinations"),
        (problem(Problem.DELIRIUM_HALLUCINATION, flags=["encephalopathy"]), None),
        (problem(Problem.DEPRESSION), None),
        (problem(Problem.SUICIDALITY), None),
    ],
)
def test_what_is_psychiatric_history(entry: ProblemEntry, expected: str | None) -> None:
    outcome = history(entry)
    assert (outcome.values["dx"] if isinstance(outcome, Finding) else None) == expected


def test_several_diagnoses_are_listed_in_one_order() -> None:
    entries = [problem(Problem.DELIRIUM_HALLUCINATION), problem(Problem.BIPOLAR), problem(Problem.PSYCHOSIS)]
    one, other = found(history(*entries)), found(history(*reversed(entries)))
    assert one == other
    assert one.values["dx"] == "psychosis, bipolar disorder and delirium or hallucinations"
    assert "mania" in one.detail
    assert "mania" not in found(history(Problem.PSYCHOSIS)).detail


@pytest.mark.parametrize("kind", [{"ordered": 60, "current": 70}, {"ordered": None, "current": 90}, PUMP])
def test_only_oral_orders_that_do_not_lower_the_dose(kind: dict[str, Any]) -> None:
    assert level(history(Problem.PSYCHOSIS, **kind)) is None
    assert level(self_harm(ATTEMPT, **kind)) is None


# ------------------------------------------------------------------------------------------------------- self-harm


@pytest.mark.parametrize(("daily", "expected"), [(5, WARNING), (80, WARNING), (80.5, CRITICAL)])
def test_recent_suicidality_at_any_dose(daily: float, expected: Indicator) -> None:
    for order in ({"ordered": daily}, renewal(daily, 10), renewal(daily, 300)):
        outcome = found(self_harm(ATTEMPT, Problem.DEPRESSION, **order))
        assert outcome.indicator is expected
        assert outcome.proposals == (LimitSupply(Days.of(7)),)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (problem(Problem.SUICIDALITY, recorded=ago(365)), WARNING),
        (problem(Problem.SUICIDALITY, recorded=ago(366)), None),
        (problem(Problem.SUICIDALITY, recorded=ago(10), active=False), WARNING),
        (problem(Problem.SUICIDALITY), WARNING),
        (problem(Problem.SUICIDALITY, active=False), None),
    ],
)
def test_suicidality_within_a_year(entry: ProblemEntry, expected: Indicator | None) -> None:
    assert level(self_harm(entry)) is expected


@pytest.mark.parametrize(
    ("daily", "spasticity", "alcohol", "stable", "stable_alcohol"),
    [
        (15, None, INFO, None, None),
        (30, None, INFO, None, None),
        (30.5, INFO, INFO, None, None),
        (80, INFO, INFO, None, None),
        (80.5, WARNING, WARNING, INFO, INFO),
    ],
)
def test_depression_only(
    daily: float,
    spasticity: Indicator | None,
    alcohol: Indicator | None,
    stable: Indicator | None,
    stable_alcohol: Indicator | None,
) -> None:
    old_attempt = problem(Problem.SUICIDALITY, recorded=ago(400))
    assert level(self_harm(Problem.DEPRESSION, ordered=daily)) is spasticity
    assert level(self_harm(Problem.DEPRESSION, old_attempt, ordered=daily)) is spasticity
    assert level(self_harm(Problem.DEPRESSION, ordered=daily, indication=AUD)) is alcohol
    assert level(self_harm(Problem.DEPRESSION, **renewal(daily, 29))) is spasticity
    assert level(self_harm(Problem.DEPRESSION, **renewal(daily, 30))) is stable
    assert level(self_harm(Problem.DEPRESSION, **renewal(daily, 30), indication=AUD)) is stable_alcohol


def test_depression_gets_no_supply_limit() -> None:
    assert found(self_harm(Problem.DEPRESSION, ordered=90)).proposals == ()


def test_neither_depression_nor_suicidality_is_silent() -> None:
    assert level(self_harm(Problem.PSYCHOSIS, ordered=90)) is None
    assert level(self_harm(ordered=90, indication=AUD)) is None


# ---------------------------------------------------------------------------------------------- what was not read


@pytest.mark.parametrize(("dose", "words"), [(UNREAD, "dose_unread"), (NO_DOSE, "no_dose_yet")])
def test_an_unread_dose_is_judged_at_any_dose_and_said(dose: Unreadable, words: str) -> None:
    psychosis, attempt = found(history(Problem.PSYCHOSIS, ordered=dose)), found(self_harm(ATTEMPT, ordered=dose))
    assert (psychosis.indicator, attempt.indicator) == (INFO, WARNING)
    assert words in psychosis.detail
    assert words in attempt.detail
    assert psychosis.summary == "dose_unknown"
    assert level(self_harm(Problem.DEPRESSION, ordered=dose)) is None
    assert level(self_harm(Problem.DEPRESSION, ordered=dose, indication=AUD)) is INFO


def test_an_unread_problem_list() -> None:
    missing = not_available(Input.PROBLEMS)
    case = make_case(problems=missing)
    assert psychiatric_history(case, limits()) == CannotAssess("psychiatric-history", (missing,))
    assert self_harm_risk(case, limits()) == CannotAssess("self-harm-risk", (missing,))
    stop = make_case(problems=missing, ordered=None, current=30)
    assert level(psychiatric_history(stop, limits())) is None
    assert level(self_harm_risk(stop, limits())) is None


def test_a_problem_list_with_gaps() -> None:
    empty = make_case(problems=ProblemList(incomplete=CUT_SHORT))
    assert isinstance(psychiatric_history(empty, limits()), CannotAssess)
    assert isinstance(self_harm_risk(empty, limits()), CannotAssess)
    depressed = ProblemList((problem(Problem.DEPRESSION),), incomplete=CUT_SHORT)
    outcome = found(self_harm_risk(make_case(problems=depressed, ordered=45), limits()))
    assert outcome.indicator is INFO
    assert [m.reason for m in outcome.unchecked] == [CUT_SHORT]
    assert isinstance(self_harm_risk(make_case(problems=depressed), limits()), CannotAssess)
    seen = make_case(problems=ProblemList((problem(Problem.BIPOLAR), ATTEMPT), incomplete=CUT_SHORT))
    assert level(psychiatric_history(seen, limits())) is INFO
    assert found(self_harm_risk(seen, limits())).unchecked == ()


# ------------------------------------------------------------------------------------------------------ properties

ENTRIES = st.lists(
    st.builds(
        problem,
        st.sampled_from(KINDS),
        active=st.booleans(),
        recorded=st.one_of(st.none(), st.integers(0, 800).map(ago)),
    ),
    max_size=5,
)
DOSES = st.one_of(st.integers(1, 300), st.just(UNREAD))


@given(ENTRIES, DOSES, st.integers(0, 300), st.booleans())
def test_every_finding_can_be_written(
    problems: list[ProblemEntry], ordered: float | Unreadable, current: int, stable: bool
) -> None:
    case = make_case(problems=problems, ordered=ordered, current=current, since_change=60 if stable else 5)
    for rule in RULES:
        outcome = rule.assess(case, limits())
        if isinstance(outcome, Finding):
            assert written(case, outcome).summary


@given(ENTRIES, st.integers(1, 299), st.data())
def test_a_higher_start_never_lowers_the_card(problems: list[ProblemEntry], daily: int, data: st.DataObject) -> None:
    more = data.draw(st.integers(daily, 300))
    for rule in RULES:
        low, high = (rule.assess(make_case(problems=problems, ordered=mg), limits()) for mg in (daily, more))
        assert (level(high) or 0) >= (level(low) or 0)


# ------------------------------------------------------------------------------------- reactions to baclofen before


def reacted(*kinds: Problem) -> Allergy:
    return Allergy(
        ChartText("Baclofen"), False, (ChartText("visual hallucinations"),), frozenset(kinds), ago(900), Origin("A/1")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("daily", "by_order", "when_stable"),
    [(5, WARNING, INFO), (30, WARNING, INFO), (30.5, CRITICAL, CRITICAL), (80.5, CRITICAL, CRITICAL)],
)
@pytest.mark.parametrize("kind", [Problem.PSYCHOSIS, Problem.DELIRIUM_HALLUCINATION])
def test_an_earlier_reaction_to_baclofen_weighs_more(
    kind: Problem, daily: float, by_order: Indicator, when_stable: Indicator
) -> None:
    allergies = (reacted(kind),)
    assert level(history(ordered=daily, allergies=allergies)) is by_order
    assert level(history(**renewal(daily, 29), allergies=allergies)) is by_order
    assert level(history(**renewal(daily, 30), allergies=allergies)) is when_stable
    assert level(history(Problem.BIPOLAR, ordered=daily, allergies=allergies)) is by_order


def test_an_unread_dose_after_a_reaction_is_a_warning() -> None:
    outcome = found(history(ordered=UNREAD, allergies=(reacted(Problem.PSYCHOSIS),)))
    assert (outcome.indicator, outcome.summary) == (WARNING, "reaction_unknown")


def test_other_reactions_are_no_psychiatric_history() -> None:
    assert level(history(allergies=(reacted(), reacted(Problem.ENCEPHALOPATHY)))) is None


def test_an_allergy_list_that_was_not_read() -> None:
    unread = not_available(Input.ALLERGIES)
    assert history(allergies=unread) == CannotAssess("psychiatric-history", (unread,))
    assert history(Problem.BIPOLAR, allergies=unread, **renewal(15, 300)) == CannotAssess(
        "psychiatric-history", (unread,)
    )
    assert found(history(Problem.BIPOLAR, allergies=unread)).unchecked == (unread,)
    assert found(history(Problem.BIPOLAR, allergies=unread, ordered=90)).unchecked == ()


@pytest.mark.parametrize("ordered", [15, 45, UNREAD, NO_DOSE])
def test_the_card_after_a_reaction_can_be_written(ordered: float | Unreadable) -> None:
    for problems in ([], [Problem.BIPOLAR]):
        case = make_case(ordered=ordered, problems=problems, allergies=(reacted(Problem.PSYCHOSIS),))
        assert f"visual hallucinations ({ago(900)})" in written(case, found(psychiatric_history(case, limits()))).detail

"""Figures against cases worked out by hand; ``counted`` has the numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from cds_service.insights.count import UNKNOWN, ZERO, Count
from cds_service.insights.figures import Figures, OfRule
from cds_service.insights.publish import figures
from cds_service.insights.selection import Selection, SelectionError, iso_week, week_of
from cds_service.insights.tally import BESIDE, Advice, Became, CardKey, Fate, Gap, Tally
from tests.insights.counted import (
    IGNORED,
    OLDER,
    OPIOID,
    RECENT,
    RENAL,
    TODAY,
    TWO_WEEKS,
    W45,
    W46,
    accepted,
    overridden,
    tally,
)


def exact(found: Tally) -> Figures:
    return figures(found, TWO_WEEKS, 1)


def rule(found: Figures, name: str) -> OfRule:
    (one,) = (one for one in found.rules if one.rule == name)
    return one


def cards_of(**became: int) -> Tally:
    """One rule: "accepted", "ignored", or an override reason with underscores."""
    fates = {"accepted": accepted("change-dose"), "ignored": IGNORED, "recent": RECENT}
    return Tally(
        signings=Counter({(W45, Advice.SHOWN): 100, (W45, Advice.NONE): 100}),
        cards=Counter(
            {
                CardKey(RENAL, "warning", W45, fates.get(name) or overridden(name.replace("_", "-"))): number
                for name, number in became.items()
            }
        ),
    )


# ------------------------------------------------------------------------------------------------- nothing is hidden


def test_signings() -> None:
    of = exact(tally()).signings
    assert [str(count) for count in (of.whole, of.shown, of.silent, of.none)] == ["50", "18", "1", "31"]
    assert of.share
    assert of.share.lowest == 18 / 50
    assert of.share_if_heard
    assert of.share_if_heard.lowest == 19 / 50


def test_signings_by_week() -> None:
    weeks = exact(tally()).weeks
    assert list(weeks) == [W45, W46]
    assert [str(of.share) for of in weeks.values()] == ["27 %", "50 %"]  # 8 of 30, 10 of 20


def test_what_became_of_the_cards_of_a_rule() -> None:
    of = rule(exact(tally()), RENAL).cards
    assert (of.fired, of.shown, of.judged) == (Count.exactly(12),) * 3
    assert (of.accepted, of.overridden, of.ignored) == (Count.exactly(4),) * 3
    assert str(of.acceptance) == "33 %"
    assert {kind: str(part.count) for kind, part in of.offers.items()} == {"change-dose": "3", "taper": "1"}
    assert {code: str(part.share) for code, part in of.reasons.items()} == {
        "not-clinically-relevant": "50 %",
        "will-monitor": "50 %",
    }


def test_a_recent_card_is_shown_and_not_judged() -> None:
    of = rule(exact(tally()), OPIOID).cards
    assert [str(count) for count in (of.fired, of.shown, of.held, of.judged, of.recent)] == ["14", "12", "2", "11", "1"]


def test_a_silent_rule() -> None:
    of = rule(exact(tally()), OLDER)
    assert [str(count) for count in (of.cards.fired, of.cards.shown, of.cards.inside)] == ["8", "0", "5"]
    assert [str(count) for count in (of.cards.silent, of.cards.alone, of.cards.beside)] == ["3", "1", "2"]
    assert [str(count) for count in of.silent_weeks.values()] == ["1", "2"]
    assert of.cards.acceptance is None


def test_all_rules_together() -> None:
    of = exact(tally()).all_cards
    assert [str(count) for count in (of.fired, of.shown, of.inside, of.held, of.silent)] == ["34", "24", "5", "2", "3"]
    assert [str(count) for count in (of.judged, of.accepted, of.overridden, of.ignored)] == ["23", "5", "14", "4"]
    assert {code: str(part.count) for code, part in of.reasons.items()} == {
        "not-clinically-relevant": "12",
        "will-monitor": "2",
    }


def test_by_week_and_the_most_shown_first() -> None:
    found = exact(tally())
    assert [one.rule for one in found.rules] == [OPIOID, RENAL, OLDER]  # 12 shown each, but 14 of the first fired
    assert [str(count) for count in rule(found, RENAL).weeks.values()] == ["7", "5"]


def test_data_gaps() -> None:
    (gap,) = exact(tally()).gaps
    assert {why: str(count) for why, count in gap.whys.items()} == {"not recorded": "7", "not available": "3"}
    assert str(gap.share) == "20 %"


def test_latency_is_the_least_time_that_so_many_did_not_exceed() -> None:
    """50 of 100 took 1.0 to 1.1 ms, 40 more 2.5 to 2.6, 9 more 9.9 to 10, one 40."""
    whole = exact(tally()).whole
    assert whole
    assert (whole.p50, whole.p90, whole.p99) == (1.1, 2.6, 10.0)


def test_empty() -> None:
    found = exact(Tally())
    assert found.empty
    assert (found.rules, found.gaps, found.whole, found.over_the_line) == ((), (), None, ())
    assert found.signings.share is None


# ------------------------------------------------------------------------------------------------- the retirement line


def line(found: Tally, limit: int = 1) -> list[tuple[str, str, bool]]:
    return [(one.rule, str(one.rate), one.not_relevant) for one in figures(found, TWO_WEEKS, limit).over_the_line]


@pytest.mark.parametrize(
    ("not_relevant", "others", "over"),
    [(9, 1, False), (10, 1, True), (90, 10, False), (91, 9, True), (0, 1, False)],
)
def test_more_than_90_percent_not_relevant(not_relevant: int, others: int, *, over: bool) -> None:
    """Of the answered: what is ignored says nothing."""
    found = line(cards_of(not_clinically_relevant=not_relevant, accepted=others, ignored=500))
    assert [one[2] for one in found] == ([True] if over else [])


@pytest.mark.parametrize(("overridden", "ignored", "over"), [(90, 10, False), (91, 9, True)])
def test_more_than_90_percent_for_whatever_reason(overridden: int, ignored: int, *, over: bool) -> None:
    """Of the judged: a card that offers nothing to accept can only be overridden or ignored."""
    assert [one[2] for one in line(cards_of(will_monitor=overridden, ignored=ignored))] == ([False] if over else [])


def test_the_opioid_rule_of_the_small_tally_is_over_it() -> None:
    assert line(tally()) == [(OPIOID, "91 %", True)]  # 10 of 11


def test_the_indicators_of_a_rule_are_one_rule() -> None:
    both = cards_of(not_clinically_relevant=19, accepted=1)
    more = {CardKey(RENAL, "critical", W45, accepted("taper")): 2}
    assert line(both) == [(RENAL, "95 %", True)]
    assert line(replace(both, cards={**both.cards, **more})) == []  # 19 of 22


@pytest.mark.parametrize(("not_relevant", "named"), [(38, []), (39, [(RENAL, "None", True)])])
def test_hidden_numbers_are_not_told_by_the_line(not_relevant: int, named: list[tuple[str, str, bool]]) -> None:
    """Two were accepted: 40 answered, or 41. A tenth of 41 is more than 4, whatever "<5" stands for."""
    assert line(cards_of(not_clinically_relevant=not_relevant, accepted=2), 5) == named


def test_few_overrides_name_no_rule() -> None:
    assert line(cards_of(not_clinically_relevant=4), 5) == []
    assert line(cards_of(not_clinically_relevant=5), 5) == [(RENAL, "100 %", True)]


# --------------------------------------------------------------------------------------------- small numbers are hidden


def test_what_the_small_tally_shows_at_five() -> None:
    found = figures(tally(), TWO_WEEKS, 5)
    renal = rule(found, RENAL).cards
    assert [str(count) for count in (renal.accepted, renal.overridden, renal.ignored)] == ["<5"] * 3
    assert (renal.offers, renal.reasons) == ({}, {})
    older = rule(found, OLDER)
    assert [str(count) for count in (older.cards.silent, older.cards.alone)] == ["<5", "–"]
    assert set(older.silent_weeks.values()) == {UNKNOWN}
    assert str(found.signings.silent) == "<5"
    assert (str(found.failed), str(found.unlinked)) == ("<5", "5")
    assert [one.stage for one in found.stages] == ["facts"]


def test_a_number_that_gives_another_away_is_a_range() -> None:
    """40 shown, 3 of them ignored: else 40 - 20 - 17."""
    of = rule(figures(cards_of(accepted=20, will_monitor=17, ignored=3), TWO_WEEKS, 5), RENAL).cards
    assert str(of.ignored) == "<5"
    assert [str(count) for count in (of.shown, of.judged, of.accepted, of.overridden)].count("40") <= 2
    exact_ones = [count for count in (of.judged, of.accepted, of.overridden) if count.exact]
    assert len(exact_ones) < 3


def test_zero_is_shown() -> None:
    of = rule(figures(cards_of(accepted=20), TWO_WEEKS, 5), RENAL).cards
    assert (of.ignored, of.recent) == (ZERO, ZERO)


@pytest.mark.parametrize(("lacking", "said"), [(4, "<5"), (5, "5"), (195, "195"), (196, "196 to 199")])
def test_those_who_had_it_are_a_number_too(lacking: int, said: str) -> None:
    """196 of 200 lacked it: then 4 had it."""
    found = replace(cards_of(accepted=20), gaps=Counter({Gap("age", "unreadable"): lacking}))
    (gap,) = figures(found, TWO_WEEKS, 5).gaps
    assert str(gap.whys["unreadable"]) == said


def test_few_signings_have_no_particulars() -> None:
    few = Tally(signings=Counter({(W45, Advice.NONE): 4}), gaps=Counter({Gap("age", "unreadable"): 4}))
    found = figures(few, TWO_WEEKS, 5)
    assert not found.empty
    assert str(found.signings.whole) == "<5"
    assert (found.gaps, found.versions, found.signings.share) == ((), (), None)


def test_silent_beside_and_alone_are_divided_when_there_are_enough() -> None:
    found = Tally(cards=Counter({CardKey(OLDER, "info", W45, Fate(Became.SILENT, BESIDE)): 6}))
    assert rule(figures(found, TWO_WEEKS, 5), OLDER).cards.beside == Count.exactly(6)


# ------------------------------------------------------------------------------------------------------------- periods


def chosen(**given: str) -> Selection:
    return Selection.of(given, TODAY, timedelta(days=7))


def test_the_usual_period_begins_on_a_monday() -> None:
    assert (chosen().since, chosen().until) == (date(2026, 8, 31), TODAY)
    assert len(chosen().weeks()) == 13


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"since": "2026-11-25"}, "since"),
        ({"since": "24.11.2026"}, "since"),
        ({"until": "tomorrow"}, "until"),
        ({"since": "2020-01-01"}, "since"),
        ({"hook": "patient-view"}, "hook"),
        ({"client": "North"}, "client"),
        ({"client": "<b>"}, "client"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_cure(given: dict[str, str], name: str) -> None:
    with pytest.raises(SelectionError, match=f"^{name}: ") as wrong:
        chosen(**given)
    assert given[name] not in wrong.value.cure


def test_iso_weeks() -> None:
    assert iso_week(week_of(date(2027, 1, 3))) == "2026-W53"
    assert iso_week(week_of(date(2027, 1, 4))) == "2027-W01"


def test_a_week_is_whole_when_it_is_in_the_period_and_over() -> None:
    period = chosen(since="2026-11-03", until="2026-11-24")
    assert [period.whole(week) for week in period.weeks()] == [False, True, True, False]


@pytest.mark.parametrize(("until", "last"), [("2026-11-24", date(2026, 11, 17)), ("2026-11-10", date(2026, 11, 10))])
def test_cards_of_the_last_week_are_not_judged(until: str, last: date) -> None:
    assert chosen(until=until).judged_until == last

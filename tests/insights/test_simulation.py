"""The report over what a simulated hospital did, held against what was counted as it was done."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from cards.catalogue import Catalogue
from cds_service import store
from cds_service.insights.figures import Figures
from cds_service.insights.names import Names
from cds_service.insights.reports import Reports
from tests.insights.simulation import LAST, SILENT, Hospital

DAYS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hospital")


@pytest.fixture(scope="module")
def done(folder: Path) -> Counter[str]:
    return asyncio.run(Hospital(folder, a_day=12).works(DAYS))


def figures(folder: Path, small: int = 1, today: date = LAST + timedelta(days=8), **given: str) -> Figures:
    engine = store.reading(Hospital(folder).settings(LAST))
    reports = Reports(lambda: engine, Names.of(Catalogue.load()), lambda: today, small, timedelta(days=7))
    found = reports.figures({"since": str(LAST - timedelta(days=DAYS - 1)), **given})
    engine.dispose()
    return found


def test_signings(folder: Path, done: Counter[str]) -> None:
    of = figures(folder)
    assert of.signings.whole.lowest == done["signings"] > 40
    assert of.signings.shown.lowest == done["with a card"]
    assert sum(week.whole.lowest for week in of.weeks.values()) == done["signings"]
    assert (of.failed.lowest, of.unlinked.lowest) == (0, 0)


def test_cards_and_what_became_of_them(folder: Path, done: Counter[str]) -> None:
    of = figures(folder).all_cards
    counted = [of.shown, of.accepted, of.overridden, of.ignored]
    assert [count.lowest for count in counted] == [
        done[name] for name in ("cards", "accepted", "overridden", "ignored")
    ]
    assert sum(part.count.lowest for part in of.reasons.values()) == done["overridden"]
    assert sum(part.count.lowest for part in of.offers.values()) == done["accepted"]


def test_cards_of_this_week_are_not_judged(folder: Path, done: Counter[str]) -> None:
    of = figures(folder, today=LAST).all_cards
    assert (of.recent.lowest, of.judged.lowest) == (done["cards"], 0)


def test_each_client(folder: Path, done: Counter[str]) -> None:
    for client in ("north", "south"):
        assert figures(folder, client=client).signings.whole.lowest == done[f"signings of {client}"] > 0


def test_a_rule_that_is_silent_in_the_south_is_shown_in_the_north(folder: Path, done: Counter[str]) -> None:
    assert done
    of = {client: figures(folder, client=client) for client in ("north", "south")}
    assert [rule.rule for rule in of["south"].rules if rule.rule in SILENT and rule.cards.shown.lowest] == []
    assert [rule.rule for rule in of["north"].silent_rules] == []
    assert {rule.rule for rule in of["south"].silent_rules} <= set(SILENT)


def test_order_select_has_its_own_figures(folder: Path, done: Counter[str]) -> None:
    assert figures(folder, hook="order-select").signings.whole.lowest == done["selections"] > 0


def test_hidden_or_not_it_is_about_the_same_cards(folder: Path, done: Counter[str]) -> None:
    assert done
    plain, hiding = figures(folder), figures(folder, small=5)
    for exact, shown in zip(
        sorted(plain.rules, key=lambda one: (one.rule, one.indicator)),
        sorted(hiding.rules, key=lambda one: (one.rule, one.indicator)),
        strict=True,
    ):
        for name in ("fired", "shown", "accepted", "overridden", "ignored", "silent", "judged"):
            number, count = getattr(exact.cards, name), getattr(shown.cards, name)
            assert count.lowest <= number.lowest <= count.highest
            assert not (count.exact and 0 < number.lowest < 5)


def test_the_same_again(tmp_path: Path, folder: Path, done: Counter[str]) -> None:
    assert asyncio.run(Hospital(tmp_path, a_day=12).works(DAYS)) == done
    first, again = figures(folder), figures(tmp_path)
    # Without times, and without the hash of whatever cards/ holds just now.
    assert [replace(one, whole=None, stages=(), versions=()) for one in (first, again)] == [
        replace(first, whole=None, stages=(), versions=())
    ] * 2
